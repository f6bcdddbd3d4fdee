//! One run (a cell of the matrix, once): `run.json`, written last, so that it exists exactly when the run is whole.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::axis_object;
use super::cache_check::{CacheCheck, PromptSalt};
use super::early_stop::EarlyStopReason;
use super::load_client::LoadClient;
use super::request::FailureKind;
use super::saved_cell::SavedCellSpec;
use super::version::FormatVersion;
use crate::foundation::clock::Micros;
use crate::records::record::{InvalidRunReason, RunFailure};

/// What is known of a run before it starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunHeader {
    /// Readable slug and short hash of the cell; also the run's folder name.
    pub id: String,
    /// The variant's name; `default` where the scenario has none.
    pub variant: String,
    /// The matrix axes by their dotted paths, in the scenario's order, with this run's values.
    #[serde(with = "axis_object")]
    pub axes: Vec<(String, Value)>,
    /// From 0.
    pub repeat: u32,
    pub seed: u64,
    /// Everything made from the simulated engine says so.
    pub simulated: bool,
    /// The whole cell with all defaults applied.
    pub cell: SavedCellSpec,
}

/// How token counts of what we author were made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TokenRule {
    /// The simulated engine's own tokenizer.
    Simulated,
    /// A local `tokenizer.json`; `blake3` is its content hash in hexadecimal.
    Tokenizer { file: String, blake3: String },
    /// The server's `/tokenize`.
    Server,
    /// An estimate: so many characters stand for a token.
    Estimate { characters_per_token: f64 },
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RunOutcome {
    /// All that was planned was sent and answered, failures of single requests included.
    Completed,
    /// Ended early and whole: what was left could not have changed what the goals say of the cell.
    Curtailed(EarlyStopReason),
    /// The cell could not be run.
    Failed(RunFailure),
    /// Stopped by Ctrl-C; never taken for whole: the run is done again.
    Interrupted,
}

impl RunOutcome {
    /// Whether it has all the rows that it needs: it was run to its end, or ended early because it had them.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        matches!(self, Self::Completed | Self::Curtailed(_))
    }
}

/// What is known of the server that a run was made on.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ServerFacts {
    /// Which start of the server it was in this sweep and variant, from 1; missing where it was not started by us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub life: Option<u32>,
    /// From the start of the first process until the server was ready, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_after_s: Option<f64>,
    /// As its `/version` tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// How many tokens its KV cache holds on the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kv_pool_tokens: Option<u64>,
    /// By what that is known: `metrics` or `log`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kv_pool_from: Option<String>,
    /// The connector to a cache outside the engine that its command names: `LMCacheConnectorV1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_cache: Option<String>,
}

/// What the client says of itself.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ClientHealth {
    /// How late requests were sent after they could be, in seconds (waiting for an unfinished answer is not counted).
    pub send_lag_p50_s: f64,
    pub send_lag_p99_s: f64,
    pub send_lag_max_s: f64,
    /// CPU time of this process over wall time; 1.0 is one core. Missing where it cannot be told and in virtual time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_share: Option<f64>,
    /// Lateness of a timer every 10 ms beside the load, of the kind that arrivals wait on, in seconds; missing in virtual time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timer_jitter_p99_s: Option<f64>,
    /// The most records that waited for being saved at any time of the run; missing in virtual time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records_waiting_max: Option<u64>,
    /// Who says when tokens arrived; missing in virtual time, and where none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamps: Option<StampSource>,
    /// How much later than they arrived tokens were read, in seconds: the error that stamps of the kernel leave out of every latency.
    /// Missing where the kernel does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_lag_p50_s: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_lag_p99_s: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_lag_max_s: Option<f64>,
    /// The share of reads with tokens that brought several token-bearing events, which share the last one's stamp: either the server sent
    /// them together, or they were read late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_reads: Option<f64>,
    /// The longest time under load in which this process did nothing although it was due, in seconds: stopped, suspended with its machine, or
    /// without a processor; missing in virtual time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stood_still_s: Option<f64>,
    /// Token-bearing events and requests a second, from the run's start to its last answer; missing in virtual time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events_per_s: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_s: Option<f64>,
}

impl ClientHealth {
    /// With more records than this waiting, the disk does not keep up with the run: it is six seconds of a million records a minute.
    pub const RECORDS_MAY_WAIT: u64 = 100_000;

    /// The records that waited, where they were too many.
    #[must_use]
    pub fn records_held_up(&self) -> Option<u64> {
        self.records_waiting_max.filter(|records| *records > Self::RECORDS_MAY_WAIT)
    }

    /// The worse of two in every figure.
    #[must_use]
    pub fn worse(&self, other: &Self) -> Self {
        let larger = |left: Option<f64>, right: Option<f64>| match (left, right) {
            (Some(left), Some(right)) => Some(left.max(right)),
            (one, other) => one.or(other),
        };
        Self {
            send_lag_p50_s: self.send_lag_p50_s.max(other.send_lag_p50_s),
            send_lag_p99_s: self.send_lag_p99_s.max(other.send_lag_p99_s),
            send_lag_max_s: self.send_lag_max_s.max(other.send_lag_max_s),
            cpu_share: larger(self.cpu_share, other.cpu_share),
            timer_jitter_p99_s: larger(self.timer_jitter_p99_s, other.timer_jitter_p99_s),
            records_waiting_max: self.records_waiting_max.max(other.records_waiting_max),
            stamps: self.stamps.map_or(other.stamps, |stamps| Some(other.stamps.map_or(stamps, |other| stamps.with(other)))),
            read_lag_p50_s: larger(self.read_lag_p50_s, other.read_lag_p50_s),
            read_lag_p99_s: larger(self.read_lag_p99_s, other.read_lag_p99_s),
            read_lag_max_s: larger(self.read_lag_max_s, other.read_lag_max_s),
            merged_reads: larger(self.merged_reads, other.merged_reads),
            stood_still_s: larger(self.stood_still_s, other.stood_still_s),
            events_per_s: larger(self.events_per_s, other.events_per_s),
            requests_per_s: larger(self.requests_per_s, other.requests_per_s),
        }
    }
}

/// Who says when bytes arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StampSource {
    /// The kernel, for every read: how late they were read does not matter.
    Kernel,
    /// The kernel for some reads; for the others it is the moment of reading.
    Mixed,
    /// This program, at the moment of reading.
    User,
}

impl StampSource {
    /// Of both together.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        if self == other { self } else { Self::Mixed }
    }
}

/// What the requests of a run, of all phases, went out on. Missing in virtual time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ConnectionCounts {
    /// Opened before offset 0.
    pub ahead: u64,
    /// Requests for which one was opened when they were to be sent: `connect_us` of a request says how long that took.
    pub opened: u64,
    /// Requests that went out on one that stood.
    pub reused: u64,
    /// Open ones that were found closed by the server when they were to be used.
    pub dead: u64,
    /// Requests that were sent again since the connection broke before any byte of the answer.
    pub resent: u64,
    /// Answers with status 429: the server had too much to do.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rate_limited: u64,
    /// How often a request was sent again after the pause that such an answer asked for.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retries: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// From this long on, and this share of a run, a standstill of the client makes the run invalid: shorter ones touch too few requests.
const STANDSTILL_S: f64 = 2.0;
const STANDSTILL_SHARE: f64 = 0.01;

/// What was sent and what came of it, without prefill and warm-up.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RequestCounts {
    /// Requests of all phases.
    pub requests: u64,
    /// Requests of the measured phase.
    pub measured: u64,
    /// Failures of the measured phase.
    pub failed: u64,
    /// Failures of all phases, by kind.
    #[serde(deserialize_with = "counted_by_kind")]
    pub failures: BTreeMap<FailureKind, u64>,
    /// What was said of the first failure of each kind, in most cases by the server; not of those that we cancelled.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "words_by_kind")]
    pub failure_words: BTreeMap<FailureKind, String>,
    /// From the first measured request's intended time to the last one's end.
    pub measured_window_us: Micros,
}

/// Counts by the names of kinds; those of kinds that only a newer version knows are added up.
fn counted_by_kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<FailureKind, u64>, D::Error> {
    let mut counts: BTreeMap<FailureKind, u64> = BTreeMap::new();
    for (name, count) in BTreeMap::<String, u64>::deserialize(deserializer)? {
        *counts.entry(FailureKind::of_name(&name)).or_default() += count;
    }
    Ok(counts)
}

/// Words by the names of kinds.
fn words_by_kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<FailureKind, String>, D::Error> {
    let words = BTreeMap::<String, String>::deserialize(deserializer)?;
    Ok(words.into_iter().map(|(name, words)| (FailureKind::of_name(&name), words)).collect())
}

/// The share of a run's requests from which on it counts as not served.
const UNSERVED_SHARE: f64 = 0.1;

impl RequestCounts {
    /// How many requests nobody served, where that makes the run no result: none of the others succeeded, or these are a tenth of all.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    pub fn unserved(&self) -> Option<u64> {
        let count = |is_one: fn(FailureKind) -> bool| -> u64 {
            let counted = self.failures.iter().filter(|(kind, _)| is_one(**kind));
            counted.map(|(_, count)| count).sum()
        };
        let (unserved, unsent) = (count(FailureKind::is_unserved), count(FailureKind::may_be_unsent));
        let succeeded = self.requests.saturating_sub(self.failures.values().sum());
        // What was not sent asked nobody.
        let is_too_much = succeeded == 0 || unserved as f64 >= UNSERVED_SHARE * self.requests.saturating_sub(unsent) as f64;
        (unserved > 0 && is_too_much).then_some(unserved)
    }
}

/// One run, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    pub format: FormatVersion,
    #[serde(flatten)]
    pub header: RunHeader,
    pub outcome: RunOutcome,
    /// Wall-clock time of offset 0; the Unix epoch in virtual time.
    pub started_at: Timestamp,
    /// From offset 0 to the end of the last request.
    pub duration_us: Micros,
    pub token_rule: TokenRule,
    pub cache_contract: CacheCheck,
    /// With what every prompt began; missing where caches were not kept away by a salt, and in virtual time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<PromptSalt>,
    /// Of simulated runs only the size of the KV cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerFacts>,
    /// Of several clients the worst of each figure.
    pub client: ClientHealth,
    /// Those who sent the load, by rank, where they were several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clients: Vec<LoadClient>,
    pub counts: RequestCounts,
    /// Missing in virtual time, and in runs saved before format 1.4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections: Option<ConnectionCounts>,
    /// What was offered, in requests per second; missing for closed loops.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered_qps: Option<f64>,
    /// The BLAKE3 hashes, in hexadecimal, of the tables beside the record, by their file names: what was sealed is what is read. Set when
    /// the run is sealed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tables: BTreeMap<String, String>,
    /// Remarks for people: a mismatch of lengths, an early end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl RunRecord {
    /// Why a run that was done is no result, where it is none: its caches were not empty, or its client stood still.
    #[must_use]
    pub fn invalidity(&self) -> Option<InvalidRunReason> {
        match (&self.outcome, &self.cache_contract) {
            (RunOutcome::Failed(_) | RunOutcome::Interrupted, _) => return None,
            (_, CacheCheck::Failed(evidence)) => return Some(InvalidRunReason::WarmCaches { evidence: evidence.clone() }),
            _ => {}
        }
        let stood_still_s = self.client.stood_still_s?;
        let is_long = stood_still_s >= STANDSTILL_S && stood_still_s >= self.duration_us.as_secs_f64() * STANDSTILL_SHARE;
        is_long.then_some(InvalidRunReason::ClientStandstill { stood_still_s })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unserved(requests: u64, failures: &[(&str, u64)]) -> Option<u64> {
        let failures = failures.iter().map(|(kind, count)| (FailureKind::from_name(kind).unwrap(), *count)).collect();
        RequestCounts { requests, failures, ..RequestCounts::default() }.unserved()
    }

    #[test]
    fn failures_of_kinds_that_only_a_newer_version_knows_are_counted_as_others() {
        let written = r#"{"requests":9,"measured":9,"failed":6,"failures":{"connect":1,"evicted":2,"shed":3},"measured_window_us":1}"#;
        let counts: RequestCounts = serde_json::from_str(written).unwrap();
        assert_eq!(counts.failures, BTreeMap::from([(FailureKind::Connect, 1), (FailureKind::Other, 5)]));
    }

    #[test]
    fn a_run_is_not_served_where_nothing_succeeded_or_a_tenth_found_nobody() {
        assert_eq!(unserved(40, &[("connect", 21)]), Some(21));
        assert_eq!(unserved(40, &[("connect", 4)]), Some(4));
        assert_eq!(unserved(40, &[("connect", 3)]), None, "a few refused connections are what load may do");
        assert_eq!(unserved(40, &[("connect", 1), ("http_503", 39)]), Some(1));
        assert_eq!(unserved(12, &[("http_404", 12)]), Some(12));
        assert_eq!(unserved(12, &[("http_422", 12)]), None, "somebody answered");
        assert_eq!(unserved(12, &[("timeout_first_token", 12)]), None);
        assert_eq!(unserved(0, &[]), None);
        // What was not sent, since a turn before it had failed, asked nobody.
        assert_eq!(unserved(100, &[("connect", 5), ("no_history", 60)]), Some(5));
        assert_eq!(unserved(100, &[("connect", 5), ("no_history", 40)]), None);
    }
}
