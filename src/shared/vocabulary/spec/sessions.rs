//! What a scenario may say about recorded sessions: the `[workload]` section of kind `sessions`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::leave::LeaveSpec;
use super::lengths::LengthDistribution;
use super::workload::{AnswerPolicy, TurnErrorPolicy, no_time};
use crate::foundation::units::{Seconds, TimeUnit, Tokens};

/// Recorded sessions of several turns, sent again: at their times, or each as soon as one of N users is free.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionsSpec {
    /// The file: conversations as `messages` or in the ShareGPT layout, turns with `session_id`, chats with `parent_chat_id`, a trace, or own prompts.
    pub sessions: PathBuf,
    /// N users, each of whom begins the next session as soon as its previous one is over; without it sessions begin at their recorded times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// The most sessions at once, as a bound of safety: one that comes while all places are taken begins late, and its wait is measured.
    #[serde(default = "thousand_sessions")]
    pub max_sessions: u32,
    /// The unit of times and delays, `"us"`, `"ms"` or `"s"`. Without it they are in the unit of the layout, and times that look like another are a fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_unit: Option<TimeUnit>,
    /// How many tokens a hash id stands for. Without it 512, and 16 where rows have `chat_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_tokens: Option<Tokens>,
    /// Times and delays are divided by this.
    #[serde(default = "as_recorded")]
    pub speed_up: f64,
    /// No recorded delay between two turns is longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_delay: Option<Seconds>,
    /// No more sessions than this, the first ones of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// No session begins from this time on; those that have begun go on to their ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<Seconds>,
    /// The first part of the run, whose turns are marked as warm-up and left out of every metric.
    #[serde(default = "no_time")]
    pub warmup: Seconds,
    /// What goes into the history as the server's answer: its own words, or (`"scripted"`) the recorded ones.
    #[serde(default)]
    pub answers: AnswerPolicy,
    /// Length of an answer (the most of it, where `answers = "live"`) where the file does not tell one.
    #[serde(default = "answer_where_unsaid")]
    pub answer_tokens: LengthDistribution,
    /// A share of requests whose users leave before the answer is over: the connection is closed, and the row says so (`left`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leave: Option<LeaveSpec>,
    /// What happens to a session of which a request failed.
    #[serde(default)]
    pub on_error: TurnErrorPolicy,
}

impl SessionsSpec {
    /// The most turns that are read, of which a few bytes each are held in memory.
    pub const MOST_TURNS: u64 = 1_000_000;

    /// How many sessions there are at once at most.
    #[must_use]
    pub fn places(&self) -> u32 {
        self.concurrency.unwrap_or(self.max_sessions)
    }
}

fn thousand_sessions() -> u32 {
    1000
}
fn as_recorded() -> f64 {
    1.0
}
fn answer_where_unsaid() -> LengthDistribution {
    LengthDistribution::Fixed(Tokens(100))
}
