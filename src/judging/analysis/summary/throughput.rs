//! What went through a cell, of its sessions, its streams and its repeats. Types only.

use serde::{Deserialize, Serialize};

use super::super::extended_real::ExtendedReal;
use crate::records::record::PromptSalt;

/// What went through; `None` where it cannot be told.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CellThroughput {
    /// What the schedule asked for; missing for closed loops, which send when an answer is there.
    pub offered_qps: Option<f64>,
    pub sent_qps: Option<f64>,
    /// Successful requests only.
    pub completed_qps: Option<f64>,
    /// Over the measured window, from the first request's intended time to the last one's end.
    pub prompt_tokens_per_s: Option<f64>,
    pub output_tokens_per_s: Option<f64>,
    /// How fast one user's answer comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tps_per_user: Option<UserThroughput>,
    /// Cached over prompt tokens, of the requests that tell both.
    pub hit_rate: Option<f64>,
    /// The same of first turns, which bring what no cache should know.
    pub first_turn_hit_rate: Option<f64>,
}

/// Output tokens per second as one user sees them: 1 / p50(tpot), failed requests counted as infinitely slow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UserThroughput {
    /// 0 where at least half of the requests failed.
    pub value: f64,
    /// Ends of the 95 % interval: those of the median, turned over.
    pub low: Option<f64>,
    pub high: Option<f64>,
    /// Requests behind the median.
    pub n: u64,
}

/// A cell's sessions, its runs pooled.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SessionFigures {
    /// The most that the sessions alive at one time come to: each counts with its longest prompt and answer, and a system prompt that all
    /// share counts once. Missing where no row tells its tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resident_tokens: Option<u64>,
    /// Prompt tokens of follow-up turns that their session had sent before (a shared system prompt left out): what a cache could give.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_before_tokens: Option<u64>,
    /// The share of these that came from a cache, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reused: Option<f64>,
    /// By what that is known: `cached_tokens` of the answers, or a server's counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reused_by: Option<String>,
    /// Requests in flight when a measured one was sent, itself included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_flight_mean: Option<f64>,
}

/// Of the successful measured requests of a cell. A mean is missing where no row tells.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct StreamFigures {
    pub answers: u64,
    /// Streamed tokens, of answers that have a count: answer, reasoning and tool calls.
    pub output_tokens: u64,
    /// Those of them that are reasoning.
    pub reasoning_tokens: u64,
    /// Reasoning that was counted and never streamed.
    pub hidden_tokens: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_event: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events_per_read: Option<f64>,
    /// Answers of several tokens that came whole, at one moment.
    pub held_back: u64,
    /// How long these took to come, at the median.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_back_p50_s: Option<f64>,
    /// Answers without any token of an answer: reasoning alone.
    pub without_answer: u64,
    /// Answers of several tokens an event of which the first event's are estimated by its share of the text.
    pub estimated_first_events: u64,
    /// Tokens that came of those that were forced, hidden ones included, over the forced ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forced_share: Option<f64>,
}

/// Times to first token of a cell under one definition, in seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolTtftSummary {
    /// Who publishes it so: `bench`, `vllm bench serve`.
    pub tool: String,
    /// In words: the event, what becomes of failures, the percentile's rule.
    pub definition: String,
    /// Which measured rows: `all`, or conditions as in a goal.
    pub rows: String,
    /// Values behind the percentiles.
    pub n: u64,
    pub mean_s: Option<ExtendedReal>,
    pub p50_s: Option<ExtendedReal>,
    pub p95_s: Option<ExtendedReal>,
    pub p99_s: Option<ExtendedReal>,
}

/// One run of a cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RepeatSummary {
    /// From 0.
    pub repeat: u32,
    /// Measured requests, failed ones included.
    pub n: u64,
    pub failed: u64,
    /// The shown measure's plain value, in its unit.
    pub shown: Option<ExtendedReal>,
    /// Whether all goals are fulfilled by the plain values of this run alone; `None` without goals and where it was ended early.
    pub passes: Option<bool>,
    pub caches: RepeatCacheState,
    /// With what its prompts began, where they were kept out of caches so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<PromptSalt>,
    /// Which start of the server it was in this sweep and variant; missing where that is not known, or where every run has a start of its
    /// own by design.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_life: Option<u32>,
}

/// What is known of the caches that a run began with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepeatCacheState {
    ProvenEmpty,
    NotProven,
    NotEmpty,
}
