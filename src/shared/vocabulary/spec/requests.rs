//! What a scenario may say about single requests: the `[workload]` section of kind `requests`.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::leave::LeaveSpec;
use super::lengths::LengthDistribution;
use super::workload::{AnswerPolicy, no_time, one_per_second};
use crate::foundation::units::{Seconds, TimeUnit, Tokens};

/// Single requests: each sent at its time whatever else is in flight, as a process or a recorded trace says, or each by the next free one of N users.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestsSpec {
    /// When requests arrive: evenly, as a Poisson or gamma process, as in a recorded trace, or whenever one of N users is free.
    #[serde(default)]
    pub arrival: ArrivalPattern,
    /// For `arrival = "closed"`: N users, each of whom sends its next request as soon as its previous one is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub concurrency: Option<u32>,
    /// For `arrival = "closed"`: how long after the end of its previous request a user's next one is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub think_time: Option<Seconds>,
    /// Mean requests per second; a trace has its own times, and users ask as fast as they are answered.
    #[serde(default = "one_per_second")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub qps: f64,
    /// The shape parameter of `arrival = "gamma"`: 1 is Poisson, below 1 is burstier, above 1 is more even.
    #[serde(default = "neutral")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub burstiness: f64,
    /// How long the load takes to rise evenly from nothing, as part of the warm-up: the rate up to `qps`, or the users up to `concurrency`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ramp: Option<Seconds>,
    /// Length of each request's own text, one for all or drawn from a distribution; a trace has its own lengths.
    #[serde(default = "thousand_tokens")]
    pub prompt_tokens: LengthDistribution,
    /// Length of each answer (the most, where `answers = "live"`), one for all or drawn; a trace has its own lengths.
    #[serde(default = "hundred_tokens")]
    pub answer_tokens: LengthDistribution,
    /// Length of a system prompt before that text, the same for all requests byte for byte; 0 for none.
    #[serde(default = "no_tokens")]
    pub shared_prefix_tokens: Tokens,
    /// How long requests are sent, warm-up included; what is in flight then is awaited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub duration: Option<Seconds>,
    /// How many requests are sent; where `duration` is said as well, what comes first ends the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub requests: Option<u64>,
    /// The first part of the run, whose requests are marked as warm-up and left out of every metric.
    #[serde(default = "no_time")]
    pub warmup: Seconds,
    /// So many requests, the first ones by number, are marked as warm-up too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warmup_requests: Option<u64>,
    /// The most requests in flight, as a bound of safety: one that comes while all places are taken is sent late, and its wait is measured.
    #[serde(default = "thousand_places")]
    #[schemars(range(min = 1))]
    pub max_in_flight: u32,
    /// A file of own prompts, sent in their order: JSON rows with `prompt`, `text` or `messages` (and `output_tokens`), or a text file with a prompt a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompts: Option<PathBuf>,
    /// Whether own prompts begin again after the last one; otherwise the run ends there.
    #[serde(default, skip_serializing_if = "is_false")]
    pub repeat_prompts: bool,
    /// For `arrival = "trace"`: a recorded trace, one JSON object a line with `timestamp`, `input_length`, `output_length`, `hash_ids`, or a public table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<PathBuf>,
    /// For a trace: the unit of its times, `"us"`, `"ms"` or `"s"`. Without it they are in the unit of its layout, and times that look like another unit are a fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_unit: Option<TimeUnit>,
    /// For a trace: its times are divided by this.
    #[serde(default = "neutral")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub speed_up: f64,
    /// For a trace: how many tokens a hash id stands for. Without it 512, and 16 where rows have `chat_id`.
    #[serde(default, serialize_with = "with_mooncake_block")]
    #[schemars(extend("minimum" = 1))]
    pub block_tokens: Option<Tokens>,
    /// A share of requests whose users leave before the answer is over: the connection is closed, and the row says so (`left`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leave: Option<LeaveSpec>,
    /// Whether answers have exactly their length, so that every variant does the same work, or end where the server ends them.
    #[serde(default = "forced_length")]
    pub answers: AnswerPolicy,
}

impl RequestsSpec {
    /// The most requests of one run: two days at 500 a second.
    pub const MOST: u64 = 100_000_000;
    /// The most requests that are read of a trace, and prompts of a file of prompts: a few bytes of each are held in memory.
    pub const MOST_OF_A_FILE: u64 = 1_000_000;

    /// The file whose requests are sent again.
    #[must_use]
    pub fn trace_file(&self) -> Option<&Path> {
        self.trace.as_deref().filter(|_| self.arrival == ArrivalPattern::Trace)
    }

    /// How many users there are in a closed loop; `None` where requests wait for nobody.
    #[must_use]
    pub fn users(&self) -> Option<u32> {
        (self.arrival == ArrivalPattern::Closed).then(|| self.concurrency.unwrap_or(1))
    }

    /// The most requests that a run of its kind may have.
    #[must_use]
    pub fn bound(&self) -> u64 {
        if self.arrival == ArrivalPattern::Trace { Self::MOST_OF_A_FILE } else { Self::MOST }
    }

    /// How many requests may be sent at most.
    #[must_use]
    pub fn most(&self) -> u64 {
        self.requests.unwrap_or(self.bound()).min(self.bound())
    }

    /// How long the load rises.
    #[must_use]
    pub fn ramp_s(&self) -> f64 {
        self.ramp.map_or(0.0, |ramp| ramp.0)
    }

    /// From the start until requests are measured: a load that still rises is in no steady state.
    #[must_use]
    pub fn unmeasured(&self) -> Seconds {
        Seconds(self.warmup.0.max(self.ramp_s()))
    }

    /// The first requests that are warm-up whenever they are due.
    #[must_use]
    pub fn unmeasured_requests(&self) -> u64 {
        self.warmup_requests.unwrap_or(0)
    }
}

/// When the requests of `requests` arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ArrivalPattern {
    /// One every `1 / qps` seconds.
    Constant,
    /// Independently of each other: exponential gaps.
    #[default]
    Poisson,
    /// Gamma gaps of shape `burstiness`.
    Gamma,
    /// At the times of a recorded trace.
    Trace,
    /// Whenever one of `concurrency` users is free.
    Closed,
}

fn thousand_tokens() -> LengthDistribution {
    LengthDistribution::Fixed(Tokens(1000))
}
fn hundred_tokens() -> LengthDistribution {
    LengthDistribution::Fixed(Tokens(100))
}
fn no_tokens() -> Tokens {
    Tokens(0)
}
fn neutral() -> f64 {
    1.0
}
fn thousand_places() -> u32 {
    1000
}
/// Saved is what earlier versions saved of cells that say nothing of blocks.
#[expect(clippy::ref_option, reason = "as serde calls it")]
fn with_mooncake_block<S: Serializer>(tokens: &Option<Tokens>, serializer: S) -> Result<S::Ok, S::Error> {
    tokens.unwrap_or(Tokens(512)).serialize(serializer)
}
/// For serde.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(value: &bool) -> bool {
    !*value
}
fn forced_length() -> AnswerPolicy {
    AnswerPolicy::ForcedLength
}
