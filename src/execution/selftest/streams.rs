//! Many answers at once from the emitter, by the client that measures everything else.

use futures_util::future::join_all;
use serde_json::json;

use super::emitter::{EmissionTiming, now_us};
use crate::foundation::clock::{Clock, Micros};
use crate::servers::client::{HttpExchange, HttpTarget, TargetError};
use crate::vocabulary::session::{ChatMessage, MessageRole, Prompt};
use crate::vocabulary::spec::target::TargetSpec;

/// So many streams, each of them one answer after the other.
#[derive(Debug, Clone, Copy)]
pub struct SelftestLoad {
    pub streams: u32,
    /// Events of an answer.
    pub events: u32,
    pub emission: EmissionTiming,
    /// How long further answers are begun; each stream has one at least.
    pub lasting: Micros,
}

/// What was heard.
#[derive(Debug, Default)]
pub struct SelftestMeasurements {
    pub requests: u64,
    pub events: u64,
    /// Requests that failed, each in a sentence.
    pub failures: Vec<String>,
    /// Of each event how much later than it was written it is said to have come, in microseconds; negative where it is said to be earlier.
    pub late_us: Vec<i64>,
    /// Of each read of which the kernel told when its bytes arrived: how much later it was read, in microseconds.
    pub read_late_us: Vec<i64>,
    pub first_tokens: Vec<FirstTokenTimes>,
}

/// When an answer's first token came, in microseconds after the request was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstTokenTimes {
    /// As the server wrote it.
    pub written_us: i64,
    /// As it is told.
    pub told_us: i64,
    /// When it was read: what would be told if the kernel did not stamp.
    pub read_us: i64,
}

/// Listens until the load is over.
///
/// # Errors
/// Where the address is none.
pub async fn listen(url: &str, load: SelftestLoad) -> Result<SelftestMeasurements, TargetError> {
    let clock = Clock::real();
    let target = HttpTarget::new(&spec(url, load.emission), clock)?;
    let streams = (0..load.streams).map(|stream| {
        let target = target.clone();
        tokio::spawn(async move { one_after_the_other(&target, clock, stream, load).await })
    });
    let mut heard = SelftestMeasurements::default();
    for stream in join_all(streams).await {
        heard.add(stream.unwrap_or_default());
    }
    Ok(heard)
}

async fn one_after_the_other(target: &HttpTarget, clock: Clock, stream: u32, load: SelftestLoad) -> SelftestMeasurements {
    // Spread over a gap, as independent streams are.
    let spread = load.emission.gap_us.max(1_000) * u64::from(stream) / u64::from(load.streams.max(1));
    clock.sleep_until(Micros(spread)).await;
    let mut heard = SelftestMeasurements::default();
    loop {
        let exchange = target.send(&target.prepare(prompt(stream, load.events)), None).await;
        heard.take(&exchange, offset(clock));
        if clock.now() >= load.lasting {
            return heard;
        }
    }
}

/// From the run's clock to the emitter's, in microseconds.
fn offset(clock: Clock) -> i64 {
    now_us().cast_signed() - clock.now().0.cast_signed()
}

impl SelftestMeasurements {
    fn take(&mut self, exchange: &HttpExchange, offset: i64) {
        self.requests += 1;
        if let Some(failure) = &exchange.failure {
            self.failures.push(failure.detail.clone());
            return;
        }
        self.events += exchange.token_events.len() as u64;
        self.read_late_us.extend(exchange.carriage.reads.lags_us.iter().map(|lag| i64::from(*lag)));
        let stamp = |at: Micros| at.0.cast_signed() + offset;
        let written: Vec<i64> = exchange.answer.split_ascii_whitespace().filter_map(|word| word.parse().ok()).collect();
        self.late_us.extend(exchange.token_events.iter().zip(&written).map(|(at, written)| stamp(*at) - written));
        if let (Some(first), Some(written)) = (exchange.token_events.first(), written.first()) {
            let sent = stamp(exchange.sent);
            let told_us = stamp(*first) - sent;
            let lag = exchange.carriage.reads.lags_us.first().copied().unwrap_or_default();
            self.first_tokens.push(FirstTokenTimes { written_us: written - sent, told_us, read_us: told_us + i64::from(lag) });
        }
    }

    fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.events += other.events;
        self.failures.extend(other.failures);
        self.late_us.extend(other.late_us);
        self.read_late_us.extend(other.read_late_us);
        self.first_tokens.extend(other.first_tokens);
    }
}

fn prompt(stream: u32, events: u32) -> Prompt {
    let messages = vec![ChatMessage::new(MessageRole::User, "What time is it?")];
    Prompt { session: u64::from(stream), turn: 0, messages, max_tokens: events, exact_length: false, user_id: None }
}

fn spec(url: &str, emission: EmissionTiming) -> TargetSpec {
    let spec = json!({ "url": url, "model": "emitter", "body": { "emit": emission } });
    serde_json::from_value(spec).expect("the fields above are fields of a target")
}
