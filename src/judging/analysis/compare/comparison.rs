//! What a comparison says. Types only.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::answers::AnswerAgreement;
use super::comparison_note::ComparisonNote;
use super::gate::GateMeasures;
use crate::analysis::axes::Axes;
use crate::analysis::extended_real::ExtendedReal;
use crate::analysis::summary::{NoteList, RatioBound, ScoreBound};
use crate::records::record::ImportOrigin;
use crate::vocabulary::goal::{Aggregate, GoalError, Measure};
use crate::vocabulary::metric::{MeasureUnit, MetricDirection};

/// A base and a new side, compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VariantComparison {
    pub base: ComparisonSide,
    pub new: ComparisonSide,
    /// Of all that decides together: the chance that any interval misses its truth is at most the rest. The other measures are a second
    /// family at the same confidence.
    pub confidence: f64,
    /// The largest relative change that counts as none: 0.05 for 5 %.
    pub margin: f64,
    /// How false alarms over many cells are held down, in a sentence.
    pub family: String,
    /// What is not the same on both sides, and was compared because it was told to be.
    pub differences: Vec<SettingDifference>,
    /// What was asked to decide.
    #[serde(default)]
    pub gate: GateMeasures,
    /// Names of the measures that decide: those of the goals and the error rate; all where there are no goals or all were asked to.
    /// The scores decide, too.
    #[serde(default)]
    pub primary: Vec<ComparedMeasure>,
    /// One a measure, over all cells that both sides have: the mean of the cells' effects, each cell counting alike.
    pub overall: Vec<MeasureEffect>,
    /// The cells that both sides have, in the order of the axes.
    pub cells: Vec<CellComparison>,
    pub scores: Vec<ScoreEffect>,
    /// Whether answers stay the same; missing where no row has hashes of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<AnswerAgreement>,
    /// Of the measures that decide: regressed where any is, over all cells or in one, or a score is, or answers are. Else not enough data where the new
    /// side lacks a cell that the base has; else improved where any is; else the worst of them over all cells.
    pub call: ComparisonVerdict,
    /// What became of the other measures, by the same rule; missing where all decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<ComparisonVerdict>,
    /// Cells that only one side has or that have no result, and other remarks.
    #[serde(flatten)]
    pub notes: NoteList<ComparisonNote>,
}

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComparisonSide {
    /// What it is called: the variant where both are of one sweep, else the sweep's folder.
    pub name: String,
    /// The sweep's name.
    pub sweep: String,
    pub variant: String,
    /// Made from the simulated engine.
    pub simulated: bool,
    /// Where it comes from, if it was not measured by this program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<ImportOrigin>,
    /// When the sweep was made, as RFC 3339.
    pub created_at: String,
}

/// Something that is not the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingDifference {
    /// A dotted path: `seed`, `workload.rounds`, `target.model`.
    pub what: String,
    pub base: String,
    pub new: String,
}

impl SettingDifference {
    /// Whether one of these dotted paths names it, or a table around it; `all` names everything.
    #[must_use]
    pub fn is_accepted(&self, accept: &[String]) -> bool {
        let covers = |path: &String| {
            path == "all" || self.what.strip_prefix(path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        accept.iter().any(covers)
    }
}

/// What a change comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComparisonVerdict {
    Improved,
    /// Within the margin, surely.
    Same,
    Regressed,
    /// The interval holds both a change that counts and none.
    NotEnoughData,
}

impl ComparisonVerdict {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Improved => "improved",
            Self::Same => "same",
            Self::Regressed => "regressed",
            Self::NotEnoughData => "not enough data",
        }
    }
}

/// A value with its interval; a missing end is one that so few sessions do not give.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ConfidenceInterval {
    pub value: ExtendedReal,
    pub low: Option<ExtendedReal>,
    pub high: Option<ExtendedReal>,
}

/// What is compared: what goals speak of, and two figures of a whole cell. Saved as its text.
#[derive(Debug, Clone, PartialEq)]
pub enum ComparedMeasure {
    Measure(Measure),
    /// Tokens of all answers over the measured window: `output_tokens_per_s`.
    OutputTokens,
    /// Cached over prompt tokens: `hit_rate`.
    HitRate,
}

impl ComparedMeasure {
    #[must_use]
    pub fn unit(&self) -> MeasureUnit {
        match self {
            Self::Measure(measure) => measure.unit(),
            Self::OutputTokens => MeasureUnit::TokensPerSecond,
            Self::HitRate => MeasureUnit::Share,
        }
    }

    #[must_use]
    pub fn better(&self) -> MetricDirection {
        match self {
            Self::Measure(measure) => measure.better(),
            Self::OutputTokens | Self::HitRate => MetricDirection::Higher,
        }
    }

    #[must_use]
    pub fn is_error_rate(&self) -> bool {
        matches!(self, Self::Measure(measure) if measure.aggregate == Aggregate::ErrorRate)
    }
}

impl fmt::Display for ComparedMeasure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Measure(measure) => measure.fmt(f),
            Self::OutputTokens => f.write_str("output_tokens_per_s"),
            Self::HitRate => f.write_str("hit_rate"),
        }
    }
}

impl FromStr for ComparedMeasure {
    type Err = GoalError;

    fn from_str(text: &str) -> Result<Self, GoalError> {
        match text {
            "output_tokens_per_s" => Ok(Self::OutputTokens),
            "hit_rate" => Ok(Self::HitRate),
            measure => measure.parse().map(Self::Measure),
        }
    }
}

impl Serialize for ComparedMeasure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ComparedMeasure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|fault| de::Error::custom(format!("`{text}` is no measure: {fault}")))
    }
}

/// One measure on both sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeasureEffect {
    pub measure: ComparedMeasure,
    pub unit: MeasureUnit,
    pub lower_is_better: bool,
    /// Sessions that both sides have, paired by seed and number.
    pub pairs: u64,
    /// Requests behind each value, failed ones included.
    pub n_base: u64,
    pub n_new: u64,
    pub base: Option<ExtendedReal>,
    pub new: Option<ExtendedReal>,
    /// New over base; missing where one of them is 0, infinite or missing.
    pub ratio: Option<ConfidenceInterval>,
    /// New less base, in the unit.
    pub difference: Option<ConfidenceInterval>,
    pub call: ComparisonVerdict,
}

/// One cell on both sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CellComparison {
    pub axes: Axes,
    pub effects: Vec<MeasureEffect>,
    /// Of the measures that decide.
    pub call: ComparisonVerdict,
    /// Of the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<ComparisonVerdict>,
}

/// A score on both sides, over the cells that both have, with what is met and what is not excluded on each: the range that the truth is in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreEffect {
    /// `max C×S`, `best 2CS/(C+S)`, `largest qps`.
    pub score: String,
    pub within: Axes,
    pub base: Option<f64>,
    /// Whether `base` is the number itself or a lower bound, as far as the cells go that both sides have.
    #[serde(default)]
    pub base_bound: ScoreBound,
    pub base_range: (Option<f64>, Option<f64>),
    pub new: Option<f64>,
    #[serde(default)]
    pub new_bound: ScoreBound,
    pub new_range: (Option<f64>, Option<f64>),
    /// `None` where one side has none, or both are lower bounds.
    pub ratio: Option<f64>,
    #[serde(default)]
    pub ratio_bound: RatioBound,
    pub call: ComparisonVerdict,
}
