//! The client's own connections, listener and stamps on the same streams, without a run around them; and how exact its times are.

use std::sync::Arc;
use std::time::Duration;

use bench::clock::{Clock, Micros};
use bench::selftest::{self, FirstToken};
use bench::session::{Message, Prompt, Role};
use bench::target::spec::TargetSpec;
use bench::target::{Exchange, HttpTarget};
use serde_json::json;
use tokio::runtime::Runtime;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::account::{Account, Meter, Truth, held_kb};
use crate::task::Load;

fn runtime(load: &Load) -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(load.threads).enable_all().build().unwrap()
}

/// Listens to the load as the reference does.
pub fn listen(url: &str, load: &Load) -> Account {
    runtime(load).block_on(async {
        let spec = json!({ "url": url, "model": "emitter", "body": { "emit": load.emission() } });
        let spec: TargetSpec = serde_json::from_value(spec).unwrap();
        let target = HttpTarget::new(&spec, Clock::real()).unwrap();
        let mut account = Account { idle_kb: held_kb(), ..Account::default() };
        let all_stand = Arc::new(Barrier::new(load.streams as usize + 1));
        let mut streams = JoinSet::new();
        for number in 0..load.streams {
            streams.spawn(stream(target.clone(), *load, number, Arc::clone(&all_stand)));
        }
        all_stand.wait().await;
        let meter = Meter::start();
        tokio::time::sleep(Duration::from_micros(load.first_us + 2 * load.spread_us())).await;
        account.begun_kb = held_kb();
        while let Some(heard) = streams.join_next().await {
            let [events, failed, reads] = heard.unwrap();
            account.reads += reads;
            account.requests += u64::from(load.answers);
            account.events += events;
            account.failed += failed;
        }
        meter.read(&mut account);
        account.end_kb = held_kb();
        account
    })
}

/// All answers of a stream, after one that only opens its connection: their tokens, how many failed, and how many reads brought tokens.
async fn stream(target: HttpTarget, load: Load, number: u32, all_stand: Arc<Barrier>) -> [u64; 3] {
    let mut failed = failures(&target.send(target.prepare(prompt(number, 1)), None).await, 1);
    all_stand.wait().await;
    let start = Instant::now() + Duration::from_micros(load.spread_us() * u64::from(number) / u64::from(load.streams));
    let (mut events, mut reads) = (0, 0);
    for answer in 0..load.answers {
        if load.spread_us() > 0 {
            sleep_until(start + Duration::from_micros(load.every_us * u64::from(answer))).await;
        }
        let exchange = target.send(target.prepare(prompt(number, load.events)), None).await;
        events += exchange.token_events.len() as u64;
        reads += exchange.carriage.reads.lags_us.len() as u64 + exchange.carriage.reads.unstamped;
        failed += failures(&exchange, load.events);
    }
    [events, failed, reads]
}

fn failures(exchange: &Exchange, events: u32) -> u64 {
    u64::from(exchange.failure.is_some() || exchange.token_events.len() != events as usize)
}

fn prompt(stream: u32, events: u32) -> Prompt {
    let messages = vec![Message::new(Role::User, "What time is it?")];
    Prompt { session: u64::from(stream), turn: 0, messages, max_tokens: events, exact_length: false, user_id: None }
}

/// How far times to first token are from the truth.
pub fn truth(url: &str, load: &Load) -> Account {
    let answer_us = load.first_us + load.gap_us * u64::from(load.events);
    let lasting = Micros(answer_us * u64::from(load.answers));
    let asked = selftest::Load { streams: load.streams, events: load.events, emission: load.emission(), lasting };
    let heard = runtime(load).block_on(selftest::listen(url, asked)).unwrap();
    let first = &heard.first_tokens;
    let rank = |of: &dyn Fn(&FirstToken) -> i64| p99_ms(first.iter().map(of).collect());
    let truth = Truth {
        n: first.len(),
        true_p99: rank(&|first| first.written_us),
        told_p99: rank(&|first| first.told_us),
        read_p99: rank(&|first| first.read_us),
        off_p99: rank(&|first| (first.told_us - first.written_us).abs()),
        read_off_p99: rank(&|first| (first.read_us - first.written_us).abs()),
    };
    Account {
        requests: heard.requests,
        events: heard.events,
        failed: heard.failures.len() as u64,
        truth: Some(truth),
        ..Account::default()
    }
}

/// The value at rank ⌈0.99 n⌉.
#[expect(clippy::cast_precision_loss, reason = "microseconds far below 2^53")]
fn p99_ms(mut us: Vec<i64>) -> f64 {
    us.sort_unstable();
    us.get((us.len() * 99).div_ceil(100).max(1) - 1).map_or(f64::NAN, |us| *us as f64 / 1e3)
}
