//! A sweep in numbers: every cell of every variant with estimates, verdicts and what went through, the scores, and the ratios between
//! variants. This is what `--format json` prints and what tables, pages and figures are made of.
//!
//! Types only; `summarize.rs` fills them.

mod bottleneck;
mod boundary_finding;
mod cell_note;
mod client_limit;
mod estimate;
mod external_cache;
mod implied;
mod judgement;
mod load_growth;
mod note_list;
mod predicted;
mod ratio_remark;
mod reuse_change;
mod reversal_reason;
mod score;
mod server;
mod standard;
mod steadiness;
mod sweep_note;
mod throughput;
mod with_words;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::axes::Axes;
use crate::records::record::{ClientHealth, EarlyStopReason, FailureKind, ImportOrigin, InvalidRunReason, RunFailure};
use crate::vocabulary::goal::{Goal, Measure};
use crate::vocabulary::metric::MeasureUnit;

pub use bottleneck::{Bottleneck, BottleneckEvidence, UnknownBottleneck};
pub use boundary_finding::{BoundaryFinding, ComputeEvidence, InconclusiveEvidence, KvMemoryEvidence};
pub use cell_note::CellNote;
pub use client_limit::{ClientLimit, ClientLimits};
pub use estimate::{BoundDirection, EarlyStopBound, Estimate, IntervalMethod};
pub use external_cache::{ExternalCache, ExternalCacheUse, ExternalHitBasis, ExternalHits, UselessCacheEvidence};
pub use implied::ImpliedOutcome;
pub use judgement::{GoalJudgement, GoalVerdict, VoidReason};
pub use load_growth::{FigureChange, LoadGrowth, MetricChange};
pub use note_list::NoteList;
pub use predicted::{
    CellPrediction, FittedServer, ForecastOrigin, GoalPrediction, HeldCoverage, LargestPredictedLoad, PredictedFigures, PredictedInterval,
    SweepForecast, TwinQuestion,
};
pub use ratio_remark::{RatioRemark, RatioRemarks};
pub use reuse_change::{ReuseChange, TokenResidence, TokenReuse};
pub use reversal_reason::{CellStarts, LimitedClient, RepeatDisagreement, ReversalReason, UndecidedRows, UnprovenRuns};
pub use score::{
    CapacityScore, CapacityShape, LargestScore, LoadComparison, LoadReversal, RaisedScoreKind, RatioBound, Score, ScoreBound,
    UndecidedCell, UnsettledReason,
};
pub use server::{CacheHitShares, GaugeSummary, RoleFigures, ServerFigures, ServerMetricValue, ServerRole};
pub use standard::{LatencyPercentiles, RateSummary, StandardFigures, TokenCost};
pub use steadiness::{BacklogGrowth, InitialTransient, MeasureGrowth};
pub use sweep_note::{FrontierCounts, MeasuringNodes, NodeDifference, SweepNote};
pub use throughput::{CellThroughput, RepeatCacheState, RepeatSummary, SessionFigures, StreamFigures, ToolTtftSummary, UserThroughput};

/// What to judge by, and what to show.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SummaryOptions {
    /// Goals that replace the scenario's; the scenario's own where there are none.
    pub goals: Vec<Goal>,
    /// The measure that tables and pictures show; the first goal's where it is missing.
    pub shown: Option<Measure>,
    /// Further measures of each cell.
    pub also: Vec<Measure>,
    /// What a fitted engine says of cells that were not measured.
    pub forecast: Option<SweepForecast>,
}

/// A sweep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SweepSummary {
    pub name: String,
    /// Made from the simulated engine.
    pub simulated: bool,
    /// Where it comes from, if it was not measured by this program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<ImportOrigin>,
    pub seed: u64,
    pub repeats: u32,
    /// Confidence of intervals (two-sided) and verdicts (one-sided each way).
    pub confidence: f64,
    pub goals: Vec<Goal>,
    /// The measure of every cell's `shown`.
    pub shown: Measure,
    pub shown_unit: MeasureUnit,
    pub axes: Vec<AxisSummary>,
    pub variants: Vec<VariantSummary>,
    /// Each variant against the first.
    pub ratios: Vec<ScoreRatio>,
    pub runs: RunCounts,
    /// Remarks on the sweep as a whole.
    #[serde(flatten)]
    pub notes: NoteList<SweepNote>,
}

/// An axis with all its values in the scenario's order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AxisSummary {
    pub name: String,
    pub values: Vec<Value>,
}

/// How many runs there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RunCounts {
    pub planned: u64,
    pub whole: u64,
    pub failed: u64,
    pub invalid: u64,
    /// Ended early, since their cells were settled.
    #[serde(default)]
    pub curtailed: u64,
    /// Not done, since an earlier repeat had settled their cells.
    #[serde(default)]
    pub not_needed: u64,
}

/// One variant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VariantSummary {
    pub name: String,
    pub cells: Vec<CellSummary>,
    /// One for each combination of the axes that are not scored; empty where there are no goals or nothing to count.
    pub scores: Vec<Score>,
    /// The bottleneck, one for each combination of the axes that carry no load; empty where there are no goals.
    #[serde(default, serialize_with = "with_words::serialize")]
    pub limits: Vec<Bottleneck>,
    /// Cells that fail although one with as much load passes, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reversals: Vec<LoadReversal>,
    /// Its cache outside the engine, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "with_words::serialize_option")]
    pub external: Option<ExternalCache>,
}

/// Whether a cell has a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CellState {
    Measured,
    /// It was run, and what came of it is no result: why, of one of its runs.
    Invalid {
        #[serde(flatten, serialize_with = "with_words::serialize_reason")]
        reason: InvalidRunReason,
    },
    /// It could not be run.
    Failed(RunFailure),
    /// None of its runs is there.
    Missing,
    /// None was to be: a search along a frontier left it out.
    Untested {
        implied: ImpliedOutcome,
    },
}

/// One cell of one variant, its repeats pooled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CellSummary {
    pub axes: Axes,
    pub state: CellState,
    /// Runs that are there, of those planned.
    pub runs: u64,
    pub planned_runs: u64,
    /// Measured requests, failed ones included.
    pub n: u64,
    pub failed: u64,
    /// Why it was ended early, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curtailed: Option<EarlyStopReason>,
    /// Failures of measured requests by kind.
    pub failures: BTreeMap<FailureKind, u64>,
    /// What was said of the first failure of each kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failure_words: Vec<FailureMessage>,
    /// The measure that tables show; `None` where the cell has no result.
    pub shown: Option<Estimate>,
    /// What a fitted engine says of it, where it was not measured and somebody asked: no verdict, and no part of a score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicted: Option<PredictedFigures>,
    pub goals: Vec<GoalJudgement>,
    /// Whether all goals are fulfilled by their plain values, which those of a cell that certainly grows are not; `None` without goals, without a result, and where the cell was ended before it
    /// was certain.
    pub passes: Option<bool>,
    /// As far as the sample can tell.
    pub verdict: Option<GoalVerdict>,
    /// That its backlog grows, where it does or may do: it meets no goal then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backlog_growth: Option<BacklogGrowth>,
    /// That it begins with a transient which its warm-up does not cover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transient: Option<InitialTransient>,
    pub rates: CellThroughput,
    /// What every load test prints, whatever the goals are.
    #[serde(default)]
    pub standard: StandardFigures,
    /// Further measures that somebody asked for, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Estimate>,
    /// What the rows say of its sessions.
    #[serde(default)]
    pub sessions: SessionFigures,
    /// What the server and its machine told meanwhile.
    #[serde(default)]
    pub server: ServerFigures,
    /// Of successful requests alone: never what a goal is judged by.
    pub success_only: SuccessPercentiles,
    /// The worst of its runs.
    pub client: ClientHealth,
    /// Why the client itself may have been what was slow: no verdict of such a cell is certain.
    #[serde(flatten)]
    pub client_limits: ClientLimits,
    /// What its answers were like as streams.
    #[serde(default)]
    pub streams: StreamFigures,
    /// Each of its runs by itself; empty where the cell has no result.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_repeat: Vec<RepeatSummary>,
    /// Its times to first token as other tools define them; empty where the cell has no result.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub renderings: Vec<ToolTtftSummary>,
    /// No two of them say the same.
    #[serde(flatten)]
    pub notes: NoteList<CellNote>,
}

/// What was said of a failure, in most cases by the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureMessage {
    pub kind: FailureKind,
    pub words: String,
    /// Where the request went, without secrets; missing where that was the simulated engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Percentiles over successful requests alone, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct SuccessPercentiles {
    pub n: u64,
    pub ttft_p50_s: Option<f64>,
    pub ttft_p95_s: Option<f64>,
    pub ttft_p99_s: Option<f64>,
}

/// A headline number of one variant against the first variant's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreRatio {
    pub base: String,
    pub other: String,
    /// What is compared: `max C×S`.
    pub score: String,
    pub within: Axes,
    pub base_value: Option<f64>,
    pub other_value: Option<f64>,
    /// The other's over the base's; `None` where one of them has none, or both are lower bounds.
    pub ratio: Option<f64>,
    /// Whether it is the ratio itself or a bound of it.
    #[serde(default)]
    pub bound: RatioBound,
    #[serde(flatten)]
    pub remarks: RatioRemarks,
}
