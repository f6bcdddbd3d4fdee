//! What a run adds up to while it goes on: counts, the client's lateness, and whether the first turns came from a cache.

use std::collections::BTreeMap;

use super::lane::Done;
use crate::clock::Micros;
use crate::record::{CacheContract, Counts, Phase, RequestRecord};

/// The largest share of first-turn prompt tokens that may come from a cache that was emptied: chat templates and the fixed words before
/// a document are shared by all sessions.
const COLD_SHARE: f64 = 0.05;

#[derive(Debug, Default)]
pub(super) struct Tally {
    requests: u64,
    measured: u64,
    failed: u64,
    failures: BTreeMap<String, u64>,
    first_intended: Option<Micros>,
    last_done: Micros,
    /// Of every request that was sent by the schedule.
    pub lags: Vec<Micros>,
    unsent: u64,
    first_turns: FirstTurns,
}

/// Prompt tokens of successful first turns.
#[derive(Debug, Default)]
struct FirstTurns {
    prompt_tokens: u64,
    cached_tokens: u64,
    told: u64,
    not_told: u64,
}

impl Tally {
    pub fn add(&mut self, Done { record, lag }: &Done) {
        self.requests += 1;
        self.last_done = self.last_done.max(record.done_us);
        if let Some(failure) = &record.failure {
            *self.failures.entry(failure.kind.name()).or_default() += 1;
        }
        match lag {
            Some(lag) => self.lags.push(*lag),
            None if record.phase != Phase::Prefill => self.unsent += 1,
            None => {}
        }
        if record.turn == 0 && record.failure.is_none() {
            self.first_turns.add(record);
        }
        if record.phase == Phase::Measure {
            self.measured += 1;
            self.failed += u64::from(record.failure.is_some());
            self.first_intended = Some(self.first_intended.map_or(record.intended_us, |first| first.min(record.intended_us)));
        }
    }

    pub fn end(&self) -> Micros {
        self.last_done
    }

    /// Turns that were due and never sent.
    pub fn unsent(&self) -> u64 {
        self.unsent
    }

    pub fn counts(&self) -> Counts {
        Counts {
            requests: self.requests,
            measured: self.measured,
            failed: self.failed,
            failures: self.failures.clone(),
            measured_window_us: self.first_intended.map_or(Micros::ZERO, |first| self.last_done.since(first)),
        }
    }

    /// Judges by the first turns whether the caches were empty: a document that nobody has sent before cannot be in one.
    pub fn cache_contract(&self) -> CacheContract {
        self.first_turns.cache_contract()
    }
}

impl FirstTurns {
    fn add(&mut self, record: &RequestRecord) {
        match (record.prompt_tokens, record.cached_tokens) {
            (Some(prompt), Some(cached)) => {
                self.told += 1;
                self.prompt_tokens += prompt;
                self.cached_tokens += cached;
            }
            _ => self.not_told += 1,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    fn cache_contract(&self) -> CacheContract {
        if self.told == 0 {
            let reason = if self.not_told > 0 { "the server does not tell cached tokens" } else { "no first turn was answered" };
            return CacheContract::NotProven { reason: reason.to_owned() };
        }
        let share = self.cached_tokens as f64 / self.prompt_tokens.max(1) as f64;
        let evidence =
            format!("{} of {} prompt tokens of {} first turns came from a cache", self.cached_tokens, self.prompt_tokens, self.told);
        if share > COLD_SHARE {
            CacheContract::Failed { reason: format!("{evidence}: empty the caches before each cell with `server.reset`") }
        } else if self.not_told > 0 {
            CacheContract::NotProven { reason: format!("{evidence}, but {} first turns did not tell", self.not_told) }
        } else {
            CacheContract::Proven { how: evidence }
        }
    }
}
