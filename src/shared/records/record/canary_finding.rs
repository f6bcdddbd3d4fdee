//! What the canary of a cell found before the load, with the figures it is told by.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{CacheResetMethod, RequestFailure};

/// What a prompt that was cached told of the caches after what was done to keep it away from them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CanaryFinding {
    /// It came back as one that was never sent.
    Gone {
        reading: CanaryReading,
        /// Whether that took emptying the caches twice, since they held something after the first time.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        second_reset: bool,
    },
    /// It was still cached; where caches are emptied, after they were emptied twice.
    Left { reading: CanaryReading },
    /// It proves nothing.
    #[serde(untagged)]
    Inconclusive(InconclusiveCanary),
}

/// Whose finding it is, where several servers share the sessions and each was sent a canary: the worst of all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CanarySite {
    /// Where its prompts were sent.
    pub url: String,
    /// How many servers there are.
    pub servers: u64,
}

/// The figures of a canary prompt that came back. Tokens are prompt tokens, times are times to first token.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CanaryReading {
    /// By the usage that the server tells with each answer.
    Usage {
        prompt_tokens: u64,
        /// Those that came from a cache while the prompt was in it.
        cached_tokens_before: u64,
        /// Those that came from a cache afterwards.
        cached_tokens_after: u64,
        /// So many of these say nothing: what all prompts share.
        tolerated_tokens: u64,
    },
    /// By the server's counters, from before to after the prompt.
    Counters { cached_tokens_before: u64, cached_tokens_after: u64, tolerated_tokens: u64 },
    /// By the time to first token: of prompts that are new, of one that is cached, and afterwards.
    Times { cold_ttft_s: f64, warm_ttft_s: f64, after_ttft_s: f64 },
    /// By usage or counters, of a server that was started anew: there is no time before.
    NewServer { cached_tokens_after: u64, tolerated_tokens: u64 },
}

/// Why a canary proves nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum InconclusiveCanary {
    /// A prompt of it failed.
    RequestFailed { failure: RequestFailure },
    /// So few tokens of a prompt that came again came from a cache that there is nothing to be emptied.
    NothingCached { signal: CanarySignal, cached_tokens: u64 },
    /// The server tells neither cached tokens nor counters, and a prompt was answered without a token, and so without a time.
    NoToken,
    /// The server tells neither, and times to first token of new and of cached prompts are too near to one another.
    TimesTooNear { cold_ttft_s: f64, warm_ttft_s: f64 },
    /// Under a salt that nobody has sent before, the prompt took as long as a cached one: times do not tell.
    UnreliableTimes { cold_ttft_s: f64, warm_ttft_s: f64, after_ttft_s: f64 },
    /// What told before the caches were emptied did not tell afterwards.
    ReadingMissing { signal: CanarySignal },
    /// The server was started anew, and tells neither cached tokens nor counters.
    NotReported,
}

/// By what it is told whether a canary prompt came from a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CanarySignal {
    Usage,
    Counters,
    Times,
}

impl CanaryFinding {
    /// Of what came back, and whether that is what a prompt brings which is in no cache.
    #[must_use]
    pub fn of(reading: CanaryReading, is_gone: bool) -> Self {
        if is_gone { Self::Gone { reading, second_reset: false } } else { Self::Left { reading } }
    }

    /// With each text from outside made another.
    #[must_use]
    pub fn map_texts(self, map: impl Fn(String) -> String) -> Self {
        match self {
            Self::Inconclusive(InconclusiveCanary::RequestFailed { failure: RequestFailure { kind, detail } }) => {
                Self::Inconclusive(InconclusiveCanary::RequestFailed { failure: RequestFailure { kind, detail: map(detail) } })
            }
            other => other,
        }
    }

    /// As people are told, of a canary that was sent for this reset.
    pub(super) fn words(&self, reset: CacheResetMethod) -> String {
        match self {
            Self::Gone { reading, .. } if reset == CacheResetMethod::Salted => format!("under a salt of its own, {reading}"),
            Self::Gone { reading, second_reset: true } => {
                format!("{reading}, after a second reset: the first one left something behind")
            }
            Self::Gone { reading, second_reset: false } => reading.to_string(),
            Self::Left { reading: reading @ CanaryReading::NewServer { .. } } => format!("{reading}: a cache outlived it"),
            Self::Left { reading } if reset == CacheResetMethod::Salted => {
                format!("the salt does not keep the caches away: {reading}")
            }
            Self::Left { reading } => format!("the caches are not empty after two resets: {reading}"),
            Self::Inconclusive(reason) => reason.to_string(),
        }
    }
}

impl fmt::Display for CanaryReading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage { prompt_tokens, cached_tokens_before, cached_tokens_after, .. } => write!(
                f,
                "a canary prompt of {prompt_tokens} tokens, {cached_tokens_before} of them cached before, came back with \
                 {cached_tokens_after} cached tokens"
            ),
            Self::Counters { cached_tokens_before, cached_tokens_after, .. } => write!(
                f,
                "by the server's counters, a canary prompt with {cached_tokens_before} tokens cached before came back with \
                 {cached_tokens_after} cached tokens"
            ),
            Self::Times { cold_ttft_s, warm_ttft_s, after_ttft_s } => write!(
                f,
                "a canary prompt that takes {cold_ttft_s:.3} s when it is new and {warm_ttft_s:.3} s when it comes again took \
                 {after_ttft_s:.3} s"
            ),
            Self::NewServer { cached_tokens_after, .. } => {
                write!(f, "the server was started anew, and a canary prompt came back with {cached_tokens_after} cached tokens")
            }
        }
    }
}

impl fmt::Display for InconclusiveCanary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNTOLD: &str = "the server tells neither cached tokens nor counters of them";
        match self {
            Self::RequestFailed { failure: RequestFailure { kind, detail } } => write!(f, "a canary prompt failed: {kind}: {detail}"),
            Self::NothingCached { signal, cached_tokens } => {
                let by = if *signal == CanarySignal::Counters { " by its counters" } else { "" };
                write!(
                    f,
                    "of a canary prompt that came again, the server took {cached_tokens} tokens from a cache{by}: there is nothing to be \
                     emptied"
                )
            }
            Self::NoToken => write!(f, "{UNTOLD}, and answered a canary prompt without a token"),
            Self::TimesTooNear { cold_ttft_s, warm_ttft_s } => write!(
                f,
                "{UNTOLD}, and a canary prompt takes {cold_ttft_s:.3} s when it is new and {warm_ttft_s:.3} s when it comes again: too near \
                 to tell"
            ),
            Self::UnreliableTimes { cold_ttft_s, warm_ttft_s, after_ttft_s } => {
                let (cold_ttft_s, warm_ttft_s, after_ttft_s) = (*cold_ttft_s, *warm_ttft_s, *after_ttft_s);
                write!(f, "times do not tell: {}", CanaryReading::Times { cold_ttft_s, warm_ttft_s, after_ttft_s })
            }
            Self::ReadingMissing { signal } => f.write_str(match signal {
                CanarySignal::Usage => "the server told no usage of a canary prompt after the reset",
                CanarySignal::Counters => "the server's counters did not follow a canary prompt after the reset",
                CanarySignal::Times => "the server answered a canary prompt without a token after the reset",
            }),
            Self::NotReported => f.write_str("the server was started anew, but tells neither cached tokens nor counters of them"),
        }
    }
}
