//! How a matrix is gone through: every cell, or those along the boundary between the cells that pass and those that fail.
//!
//! In: what a scenario says about it, and how the cells that were run came out. Out: which cell is worth running next, and what is known of
//! the others, all of it on one assumption that is checked on the way: more load is not easier. Must not know servers, files or rows.

mod aim;
mod known;
mod lattice;
mod map;
mod outlook;
mod seen;
pub mod spec;
mod standing;
mod walk;

pub use aim::SearchObjective;
pub use known::{CellStateTable, SearchCellState, SearchContradiction};
pub use lattice::{CellIndex, LatticeAxis, LatticeError, LoadLattice};
pub use map::LEGEND;
pub use outlook::CellCount;
pub use seen::{GoalEvidence, TestedCell};
pub use standing::{SearchBracket, SearchMeasure, SearchStatus};
pub use walk::{FrontierSearch, SearchEndReason, SearchLimits, SearchStep, SearchStepReason};
