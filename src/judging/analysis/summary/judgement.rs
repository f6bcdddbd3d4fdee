//! What a cell says to a goal. Types only.

use serde::{Deserialize, Serialize};

use super::estimate::Estimate;
use crate::vocabulary::goal::Goal;

/// What a cell says to a goal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GoalJudgement {
    pub goal: Goal,
    /// In the measure's unit.
    pub limit: f64,
    #[serde(flatten)]
    pub estimate: Estimate,
    /// Whether the value itself fits the limit, however surely: what the published scores go by.
    pub passes: bool,
    /// The cell was ended early, and what did not come could still change whether it passes: `passes` says nothing then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_open: bool,
    pub verdict: GoalVerdict,
    /// Why the verdict is undecided whatever the rows say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub void: Option<VoidReason>,
    /// The share of requests that may lie beyond the limit, and how many do. Missing for means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_share: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beyond: Option<u64>,
    /// How many requests would settle an undecided goal if the share beyond the limit stayed as it is; missing where none or more than
    /// 100,000 would.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_needed: Option<u64>,
}

/// Whether a goal holds, as far as the sample can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GoalVerdict {
    Met,
    Missed,
    /// The interval straddles the limit; mostly the sample is too small.
    Undecided,
}

/// Why a cell certifies nothing about a goal, however many rows it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoidReason {
    /// The client itself was slow.
    ClientLimited,
    /// Answers came whole: when their tokens were made is not known.
    HeldBack,
    /// Reads brought several events each: the time between two of them is not known.
    MergedReads,
    /// Answers had fewer tokens than were forced: the cell did less than its work.
    ShortAnswers,
}
