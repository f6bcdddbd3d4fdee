//! How exact our times are.

use bench::execution::selftest::{self, FirstTokenTimes};
use bench::foundation::clock::Micros;

use crate::account::{Account, Truth};
use crate::streams::runtime;
use crate::task::Load;

/// How far times to first token are from the truth.
pub fn tell(url: &str, load: &Load) -> Account {
    let answer_us = load.first_us + load.gap_us * u64::from(load.events);
    let lasting = Micros(answer_us * u64::from(load.answers));
    let asked = selftest::SelftestLoad { streams: load.streams, events: load.events, emission: load.emission(), lasting };
    let heard = runtime(load).block_on(selftest::listen(url, asked)).unwrap();
    let first = &heard.first_tokens;
    let rank = |of: &dyn Fn(&FirstTokenTimes) -> i64| p99_ms(first.iter().map(of).collect());
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
