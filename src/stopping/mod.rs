//! When a cell has been measured enough: its goals and planned rows in, and as its requests come, why no further one is needed.
//!
//! [`EarlyStopper`] knows the cells of a plan over all their repeats; each is a [`CellStopper`] that hears the cell's requests. By `certain` a cell
//! ends once no outcome of the missing rows can change what its goals say; by `sequential` also once a test that may be looked at any time
//! says so at a stated risk. Must not know how requests are sent, nor where rows are kept.

mod bets;
mod cell;
mod every;
mod remarks;
mod rows;
mod value;

pub use bets::SequentialTest;
pub use cell::CellStopper;
pub use every::EarlyStopper;
pub use remarks::remarks;
pub use rows::{CellRows, PlannedRepeat, PlannedRows, RowCountError, countable};
