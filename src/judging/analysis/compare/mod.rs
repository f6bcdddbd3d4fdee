//! Two sides of the same work against each other: cell by cell, session by session, with intervals that hold for all cells at once.
//!
//! In: the saved runs of a base and of a new side. Out: a [`VariantComparison`], which reports, pictures and the history read. Must not know how
//! it is shown, and never compares what is not the same work unless told to.

mod answers;
mod calls;
mod compared_measure;
mod comparison;
mod comparison_note;
mod curtailed;
mod families;
mod gate;
mod judged;
mod other_nodes;
mod pairs;
mod resample;
mod side_score;
mod void;
mod work;

pub use answers::{AnswerAgreement, AnswerCounts, SharedBytes};
pub use comparison::{
    CellComparison, ComparedMeasure, ComparisonSide, ComparisonVerdict, ConfidenceInterval, MeasureEffect, ScoreEffect, SettingDifference,
    VariantComparison,
};
pub use comparison_note::{ComparisonNote, UncomparedCell, VoidCell};
pub use gate::GateMeasures;
pub use judged::{CompareError, CompareOptions, SavedVariant, compare};
