//! How a matrix is gone through: every cell, or those along the boundary between the cells that pass and those that fail.
//!
//! In: what a scenario says about it, and how the cells that were run came out. Out: which cell is worth running next, and what is known of
//! the others, all of it on one assumption that is checked on the way: more load is not easier. Must not know servers, files or rows.

mod cell_states;
mod expected_cells;
mod frontier_search;
mod lattice;
mod map;
mod objective;
mod outlook;
mod search_status;
mod tested_cell;

pub use cell_states::{CellStateTable, SearchCellState, SearchContradiction};
pub use expected_cells::ExpectedCells;
pub use frontier_search::{FrontierSearch, SearchEndReason, SearchLimits, SearchStep, SearchStepReason};
pub use lattice::{CellIndex, LatticeAxis, LatticeError, LoadLattice};
pub use map::LEGEND;
pub use objective::SearchObjective;
pub use outlook::CellCount;
pub use search_status::{SearchBracket, SearchMeasure, SearchStatus};
pub use tested_cell::{GoalEvidence, TestedCell};
