//! A cell that fails beside the nearest that passes: the figures that tell of compute or of KV memory, or do not tell, and their sentences.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::super::amount::{percent, short_number};
use super::super::axes::{Axes, named_cell};
use super::load_growth::LoadGrowth;
use super::reuse_change::{ReuseChange, TokenResidence, TokenReuse};
use super::server::ServerMetricValue;
use crate::records::record::FailureKind;

/// What a cell that fails shows, compared with the nearest cell of less load that passes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BoundaryFinding<Evidence> {
    /// The cell that fails.
    pub fails: Axes,
    /// The one that passes; missing where no smaller one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passes: Option<Axes>,
    pub evidence: Evidence,
}

/// What tells of compute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ComputeEvidence {
    /// Load grew while hits were kept.
    LoadGrew { reuse: TokenReuse, growth: LoadGrowth },
    /// Hits were kept, and no smaller cell passes.
    NothingSmallerPasses { reuse: TokenReuse },
    /// Load grew while KV memory was free; of requests that send nothing again.
    MemoryFree {
        growth: LoadGrowth,
        /// The largest share of KV memory that running requests held, from 0 to 1.
        kv_usage_max: ServerMetricValue,
    },
}

/// What tells of KV memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum KvMemoryEvidence {
    /// Less of what had been sent before came from a cache.
    HitsLost(ReuseChange),
    /// Running requests lost their place in memory, so often a run.
    Preempted { preemptions: ServerMetricValue },
    /// Running requests alone filled the memory while others waited.
    MemoryFull {
        /// The largest share of KV memory that running requests held, from 0 to 1.
        kv_usage_max: ServerMetricValue,
        /// The most requests that waited at one time.
        waiting_max: ServerMetricValue,
    },
    /// Hits left the device for a cache behind it that is too slow.
    HitsMovedOut {
        /// Shares of all prompt tokens, from 0 to 1: from the device in the cell that passes and in the one that fails, and from outside in this.
        device_before: f64,
        device: f64,
        external: f64,
        by: String,
        #[serde(flatten)]
        residence: TokenResidence,
    },
    /// Nobody tells what came from a cache, but the sessions outgrew the pool with no more requests in flight.
    PoolOutgrown(TokenResidence),
}

/// Why the figures of a cell tell of neither.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum InconclusiveEvidence {
    /// Too many of its requests failed otherwise than by being slow.
    RequestsFailed {
        failures: BTreeMap<FailureKind, u64>,
        /// Measured requests, failed ones included.
        n: u64,
    },
    /// Nothing was sent again that a cache could have held, and no metric tells.
    NothingSentAgain,
    /// Nobody tells what came from a cache.
    HitsNotReported,
    /// As little came from a cache in the cell that passes.
    LittleReusedBefore(ReuseChange),
    /// Hits vanished although the sessions fit into the pool.
    SessionsFit(ReuseChange),
    /// Hits are few, but no smaller cell tells that they were kept there, nor the pool's size that they were lost.
    NothingToCompare(ReuseChange),
    /// Some hits are left: too many, or too little of a change, to go by.
    SmallChange(ReuseChange),
    /// Hits were kept, and no load grew.
    NothingGrew { reuse: TokenReuse },
    /// Hits were kept, and hardly more than one request was in flight.
    SingleRequest {
        reuse: TokenReuse,
        /// Requests in flight when one was sent, on average.
        in_flight_mean: f64,
    },
}

/// What is missing where nobody tells what came from a cache.
const HITS_NOT_REPORTED: &str = "neither the answers nor the server's metrics tell what came from a cache";

impl<Evidence> BoundaryFinding<Evidence> {
    fn place(&self) -> String {
        named_cell(&self.fails)
    }

    fn step(&self) -> String {
        let to = self.place();
        match &self.passes {
            Some(passes) => format!("from {}, which passes, to {to}, which fails,", named_cell(passes)),
            None => format!("in {to}, which fails,"),
        }
    }

    fn write_change(&self, f: &mut fmt::Formatter<'_>, change: &ReuseChange) -> fmt::Result {
        let ReuseChange { share_before, reuse: TokenReuse { share, by }, residence } = change;
        let share = percent(*share);
        match share_before.map(percent) {
            Some(before) => write!(
                f,
                "{} the share of prompt tokens sent before that came from a cache went from {before} to {share} ({by}){residence}",
                self.step()
            ),
            None => write!(f, "in {} only {share} of the prompt tokens sent before came from a cache ({by}){residence}", self.place()),
        }
    }
}

impl fmt::Display for BoundaryFinding<ComputeEvidence> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.evidence {
            ComputeEvidence::LoadGrew { reuse, growth } => write!(f, "{} {reuse}, while {growth}", self.step()),
            ComputeEvidence::NothingSmallerPasses { reuse } => {
                write!(f, "{} fails though {reuse}, and no smaller cell passes", self.place())
            }
            ComputeEvidence::MemoryFree { growth, kv_usage_max: ServerMetricValue { value, by } } => {
                write!(f, "{} {growth}, while at most {} of the KV memory was held ({by})", self.step(), percent(*value))
            }
        }
    }
}

impl fmt::Display for BoundaryFinding<KvMemoryEvidence> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.evidence {
            KvMemoryEvidence::HitsLost(change) => self.write_change(f, change),
            KvMemoryEvidence::Preempted { preemptions: ServerMetricValue { value, by } } => {
                write!(f, "in {} running requests lost their KV memory {} times a run ({by})", self.place(), short_number(*value))
            }
            KvMemoryEvidence::MemoryFull { kv_usage_max: usage, waiting_max: waiting } => write!(
                f,
                "in {} running requests held {} of the KV memory ({}) while {} others waited ({})",
                self.place(),
                percent(usage.value),
                usage.by,
                short_number(waiting.value),
                waiting.by
            ),
            KvMemoryEvidence::HitsMovedOut { device_before, device, external, by, residence } => write!(
                f,
                "{} hits on the device fell from {} to {} of all prompt tokens ({by}); the external cache brought {}, too slowly for the \
                 goals{residence}",
                self.step(),
                percent(*device_before),
                percent(*device),
                percent(*external)
            ),
            KvMemoryEvidence::PoolOutgrown(residence) => write!(
                f,
                "{} no more requests were in flight and the sessions outgrew the KV pool{residence}; {HITS_NOT_REPORTED}",
                self.step()
            ),
        }
    }
}

impl fmt::Display for BoundaryFinding<InconclusiveEvidence> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let changed = |f: &mut fmt::Formatter<'_>, change: &ReuseChange, but: &str| {
            self.write_change(f, change)?;
            f.write_str(but)
        };
        match &self.evidence {
            InconclusiveEvidence::RequestsFailed { failures, n } => {
                let kinds: Vec<String> = failures.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
                write!(f, "{} fails by requests that were not answered ({} of {n})", self.place(), kinds.join(", "))
            }
            InconclusiveEvidence::NothingSentAgain => write!(
                f,
                "{} fails; no answered request sent again what its session had sent before, and no metric tells a full memory or a growing \
                 queue",
                self.place()
            ),
            InconclusiveEvidence::HitsNotReported => write!(f, "{} fails, and {HITS_NOT_REPORTED}", self.place()),
            InconclusiveEvidence::LittleReusedBefore(change) => {
                changed(f, change, "; so little was found in a cache where the goals are fulfilled, too")
            }
            InconclusiveEvidence::SessionsFit(change) => {
                changed(f, change, ": they fit, so memory is not what lost the hits; look whether the prefix cache is on")
            }
            InconclusiveEvidence::NothingToCompare(change) => {
                changed(f, change, "; there is no smaller cell that kept its hits, and the size of the KV pool is not known")
            }
            InconclusiveEvidence::SmallChange(change) => changed(f, change, "; that is too little of a change to go by"),
            InconclusiveEvidence::NothingGrew { reuse } => {
                write!(f, "{} {reuse}, and no more requests were in flight or waiting: neither has changed", self.step())
            }
            InconclusiveEvidence::SingleRequest { reuse, .. } => write!(
                f,
                "{} fails though {reuse} and hardly more than one request was in flight: it is not load that makes it slow; either the goals \
                 are beyond this server, or something holds up every single request",
                self.place()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::*;
    use crate::analysis::summary::{FigureChange, MetricChange};

    fn axes(concurrent: u64) -> Axes {
        let Value::Object(axes) = json!({ "workload.concurrent": concurrent, "workload.sequential": 2 }) else { panic!() };
        axes
    }

    fn metric(value: f64, by: &str) -> ServerMetricValue {
        ServerMetricValue { value, by: by.into() }
    }

    fn reuse() -> TokenReuse {
        TokenReuse { share: 0.98, by: "cached_tokens".into() }
    }

    fn residence() -> TokenResidence {
        TokenResidence { resident_tokens: Some(120_000), kv_pool_tokens: Some(metric(100_000.0, "log")) }
    }

    fn change(share_before: Option<f64>) -> ReuseChange {
        ReuseChange { share_before, reuse: TokenReuse { share: 0.02, by: "cached_tokens".into() }, residence: residence() }
    }

    fn growth() -> LoadGrowth {
        LoadGrowth {
            in_flight_mean: Some(FigureChange { from: 4.0, to: 8.25 }),
            waiting_max: Some(MetricChange { from: 0.0, to: 5.0, by: "waiting".into() }),
            gpu_utilization_mean: Some(MetricChange { from: 0.5, to: 0.995, by: "nvidia-smi".into() }),
        }
    }

    /// The sentence of C=8 beside C=4, or beside nothing, whose figures come back from JSON.
    #[track_caller]
    fn says<Evidence>(passes: Option<u64>, evidence: Evidence, words: &str)
    where
        Evidence: Clone + PartialEq + fmt::Debug + Serialize + DeserializeOwned,
        BoundaryFinding<Evidence>: fmt::Display,
    {
        let finding = BoundaryFinding { fails: axes(8), passes: passes.map(axes), evidence };
        assert_eq!(finding.to_string(), words);
        let saved = serde_json::to_value(&finding).unwrap();
        assert_eq!(serde_json::from_value::<BoundaryFinding<Evidence>>(saved).unwrap(), finding);
    }

    #[test]
    fn every_sign_of_compute_says_its_figures() {
        says(
            Some(4),
            ComputeEvidence::LoadGrew { reuse: reuse(), growth: growth() },
            "from C=4, S=2, which passes, to C=8, S=2, which fails, 98 % of the prompt tokens sent before still came from a cache \
             (cached_tokens), while requests in flight grew from 4 to 8.2, those waiting from at most 0 to 5 (waiting), GPU utilisation went \
             from 50 % to more than 99 % (nvidia-smi)",
        );
        says(
            None,
            ComputeEvidence::NothingSmallerPasses { reuse: reuse() },
            "C=8, S=2 fails though 98 % of the prompt tokens sent before still came from a cache (cached_tokens), and no smaller cell passes",
        );
        says(
            Some(4),
            ComputeEvidence::MemoryFree {
                growth: LoadGrowth { in_flight_mean: Some(FigureChange { from: 4.0, to: 8.0 }), ..LoadGrowth::default() },
                kv_usage_max: metric(0.4, "usage"),
            },
            "from C=4, S=2, which passes, to C=8, S=2, which fails, requests in flight grew from 4 to 8, while at most 40 % of the KV memory \
             was held (usage)",
        );
    }

    #[test]
    fn every_sign_of_kv_memory_says_its_figures() {
        says(
            Some(4),
            KvMemoryEvidence::HitsLost(change(Some(0.99))),
            "from C=4, S=2, which passes, to C=8, S=2, which fails, the share of prompt tokens sent before that came from a cache went from \
             99 % to 2 % (cached_tokens); its sessions keep 120,000 tokens alive, the KV pool holds 100,000 (log)",
        );
        says(
            None,
            KvMemoryEvidence::HitsLost(ReuseChange { residence: TokenResidence { kv_pool_tokens: None, ..residence() }, ..change(None) }),
            "in C=8, S=2 only 2 % of the prompt tokens sent before came from a cache (cached_tokens); its sessions keep 120,000 tokens alive",
        );
        says(
            None,
            KvMemoryEvidence::Preempted { preemptions: metric(2.5, "preemptions") },
            "in C=8, S=2 running requests lost their KV memory 2.5 times a run (preemptions)",
        );
        says(
            None,
            KvMemoryEvidence::MemoryFull { kv_usage_max: metric(0.99, "usage"), waiting_max: metric(3.0, "waiting") },
            "in C=8, S=2 running requests held 99 % of the KV memory (usage) while 3 others waited (waiting)",
        );
        let (device_before, device, external, by) = (0.95, 0.05, 0.9, "by_source".to_owned());
        says(
            Some(4),
            KvMemoryEvidence::HitsMovedOut { device_before, device, external, by, residence: TokenResidence::default() },
            "from C=4, S=2, which passes, to C=8, S=2, which fails, hits on the device fell from 95 % to 5 % of all prompt tokens (by_source); \
             the external cache brought 90 %, too slowly for the goals",
        );
        says(
            Some(4),
            KvMemoryEvidence::PoolOutgrown(residence()),
            "from C=4, S=2, which passes, to C=8, S=2, which fails, no more requests were in flight and the sessions outgrew the KV pool; its \
             sessions keep 120,000 tokens alive, the KV pool holds 100,000 (log); neither the answers nor the server's metrics tell what came \
             from a cache",
        );
    }

    #[test]
    fn what_does_not_tell_says_why() {
        says(
            None,
            InconclusiveEvidence::RequestsFailed {
                failures: BTreeMap::from([(FailureKind::Http(413), 2), (FailureKind::NoHistory, 78)]),
                n: 100,
            },
            "C=8, S=2 fails by requests that were not answered (2 http_413, 78 no_history of 100)",
        );
        says(
            None,
            InconclusiveEvidence::NothingSentAgain,
            "C=8, S=2 fails; no answered request sent again what its session had sent before, and no metric tells a full memory or a growing \
             queue",
        );
        says(
            Some(4),
            InconclusiveEvidence::HitsNotReported,
            "C=8, S=2 fails, and neither the answers nor the server's metrics tell what came from a cache",
        );
        says(
            Some(4),
            InconclusiveEvidence::NothingGrew { reuse: reuse() },
            "from C=4, S=2, which passes, to C=8, S=2, which fails, 98 % of the prompt tokens sent before still came from a cache \
             (cached_tokens), and no more requests were in flight or waiting: neither has changed",
        );
        says(
            None,
            InconclusiveEvidence::SingleRequest { reuse: reuse(), in_flight_mean: 1.0 },
            "C=8, S=2 fails though 98 % of the prompt tokens sent before still came from a cache (cached_tokens) and hardly more than one \
             request was in flight: it is not load that makes it slow; either the goals are beyond this server, or something holds up every \
             single request",
        );
    }

    #[test]
    fn a_change_of_hits_that_does_not_tell_says_why() {
        let changed = "in C=8, S=2 only 2 % of the prompt tokens sent before came from a cache (cached_tokens); its sessions keep 120,000 \
            tokens alive, the KV pool holds 100,000 (log)";
        let all = [
            (InconclusiveEvidence::LittleReusedBefore(change(None)), "; so little was found in a cache where the goals are fulfilled, too"),
            (
                InconclusiveEvidence::SessionsFit(change(None)),
                ": they fit, so memory is not what lost the hits; look whether the prefix cache is on",
            ),
            (
                InconclusiveEvidence::NothingToCompare(change(None)),
                "; there is no smaller cell that kept its hits, and the size of the KV pool is not known",
            ),
            (InconclusiveEvidence::SmallChange(change(None)), "; that is too little of a change to go by"),
        ];
        for (evidence, but) in all {
            says(None, evidence, &format!("{changed}{but}"));
        }
    }
}
