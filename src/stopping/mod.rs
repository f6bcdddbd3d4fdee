//! When a cell has been measured enough: its goals and planned rows in, and as its requests come, why no further one is needed.
//!
//! [`EarlyStopper`] knows the cells of a plan over all their repeats; each is a [`CellStopper`] that hears the cell's requests. By `certain` a cell
//! ends once no outcome of the missing rows can change what its goals say; by `sequential` also once a test that may be looked at any time
//! says so at a stated risk. Must not know how requests are sent, nor where rows are kept.

mod cell_stopper;
mod early_stopper;
mod remarks;
mod rows;
mod sequential_test;

pub use cell_stopper::CellStopper;
pub use early_stopper::EarlyStopper;
pub use remarks::remarks;
pub use rows::{CellRows, PlannedRepeat, PlannedRows, RowCountError, countable};
pub use sequential_test::SequentialTest;
