//! Headline numbers of a variant, what bounds them, and what contradicts them. Types only.

use serde::{Deserialize, Serialize};

use super::super::axes::Axes;
use super::judgement::VoidReason;
use super::reversal_reason::ReversalReason;
use super::with_words;
use crate::vocabulary::goal::Goal;

/// One score of a variant, for the cells that agree in all `within`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Score {
    Capacity(CapacityScore),
    Largest(LargestScore),
}

/// How many sessions hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CapacityScore {
    /// The axes other than C and S.
    pub within: Axes,
    /// The largest C×S whose values pass all goals; of equal products the one with the larger C.
    pub max_product: Option<CapacityShape>,
    /// Whether it is the number itself or a lower bound.
    #[serde(default)]
    pub max_product_bound: ScoreBound,
    /// That its cell was not run: one with more load passes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_implied: bool,
    /// The best 2CS/(C+S) among those that pass; of equal ones the larger product, then the larger C.
    pub best_harmonic_mean: Option<CapacityShape>,
    /// Whether it is the number itself or a lower bound.
    #[serde(default)]
    pub harmonic_mean_bound: ScoreBound,
    /// The largest C×S that met all goals at 95 %.
    pub largest_met: Option<CapacityShape>,
    /// The largest C×S of which no goal was missed at 95 %; of a search also what it left out, unless that is implied to be missed.
    pub largest_not_excluded: Option<CapacityShape>,
    /// That no cell is larger than that, so that nothing excludes more.
    #[serde(default)]
    pub not_excluded_bound: ScoreBound,
    /// The best 2CS/(C+S) that met all goals at 95 %.
    #[serde(default)]
    pub harmonic_mean_met: Option<CapacityShape>,
    /// The best 2CS/(C+S) of which no goal was missed at 95 %, likewise.
    #[serde(default)]
    pub harmonic_mean_not_excluded: Option<CapacityShape>,
    #[serde(default)]
    pub harmonic_mean_not_excluded_bound: ScoreBound,
    /// The undecided cells above what is met, in either number: the largest product first.
    #[serde(default)]
    pub between: Vec<UndecidedCell>,
}

/// How far one axis goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LargestScore {
    pub axis: String,
    /// The other axes.
    pub within: Axes,
    /// The largest value whose cell passes all goals.
    pub passes: Option<f64>,
    /// Whether it is the number itself or a lower bound.
    #[serde(default)]
    pub bound: ScoreBound,
    /// That its cell was not run: one with more load passes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_implied: bool,
    pub met: Option<f64>,
    pub not_excluded: Option<f64>,
    /// That no cell has a larger value than that, so that nothing excludes more.
    #[serde(default)]
    pub not_excluded_bound: ScoreBound,
    /// The undecided cells above what is met, the largest value first.
    #[serde(default)]
    pub between: Vec<UndecidedCell>,
}

/// A shape of C groups with S sessions each.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CapacityShape {
    /// C: groups in parallel.
    pub concurrent: u64,
    /// S: sessions of each group.
    pub sequential: u64,
    /// C×S: sessions alive at once.
    pub product: u64,
    /// 2CS/(C+S).
    pub harmonic_mean: f64,
}

/// What a score says of the capacity behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreBound {
    /// The number itself: whatever has a larger one does not pass.
    #[default]
    Exact,
    /// A lower bound: no cell has a larger one, or nothing tells that those that have one do not pass.
    AtLeast,
}

/// What a ratio of two scores says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RatioBound {
    #[default]
    Exact,
    /// A lower bound over a number.
    AtLeast,
    /// A number over a lower bound.
    AtMost,
    /// A lower bound over a lower bound: it may be anything.
    Unknown,
}

/// A cell that is neither met nor excluded, and that would raise a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UndecidedCell {
    pub axes: Axes,
    /// C and S, where the score counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<CapacityShape>,
    pub raises: Vec<RaisedScoreKind>,
    /// The undecided goal that asks for the most.
    pub goal: Goal,
    /// Requests judged by it.
    pub n: u64,
    /// Runs of the cell that are there.
    pub repeats: u64,
    /// How many more would settle it if the share beyond the limit stayed as it is: `ceil(repeats * rows_needed / n) - repeats`.
    pub extra_repeats: Option<u64>,
    /// Why there is no such number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsettled: Option<UnsettledReason>,
}

/// Which number a cell would raise if it were met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RaisedScoreKind {
    /// The largest C×S that is met.
    Product,
    /// The best 2CS/(C+S) that is met.
    HarmonicMean,
    /// The largest value of the axis that is met.
    Largest,
}

/// Why no number of repeats is known that would settle a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnsettledReason {
    /// The share beyond the limit is too near the allowed one: it lies at the limit.
    AtLimit,
    /// No request fits the goal's filter.
    NoRequests,
    /// The goal speaks of every request there could be, which no sample proves.
    NoProof,
    /// The goal speaks of a mean, for which no number is computed.
    Mean,
    /// More rows would not help.
    #[serde(untagged)]
    Void(VoidReason),
}

/// A cell that fails although one with as much load passes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadReversal {
    /// The axes that carry no load: both cells agree in them.
    pub within: Axes,
    /// The cell that does not fulfil the goals.
    pub fails: Axes,
    /// A cell that does.
    pub passes: Axes,
    /// The load of the latter.
    pub load: LoadComparison,
    /// One is missed and the other met, both at the stated confidence: chance alone hardly explains it.
    pub certain: bool,
    /// What the data says of why, the plainest first; empty where it says nothing.
    #[serde(serialize_with = "with_words::serialize")]
    pub reasons: Vec<ReversalReason>,
}

/// How the load of the cell that passes compares with that of the cell that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoadComparison {
    /// As many sessions in all, in another shape: the same C×S.
    SameProduct,
    /// At least as much along every axis of load, and more along one.
    More,
}
