//! Steering a sweep by its results: which run comes next, and when a cell has been measured enough. The one room that sees both halves: it has
//! sealed runs judged by `analysis`, and tells the executor what to do.
//!
//! In: a plan, what is sealed, and requests as they come. Out: a [`SweepScheduler`], which the executor asks for the next run and for the rule that may
//! end it. [`EarlyStopper`] knows the cells of a plan over all their repeats; each is a [`CellStopper`] that hears the cell's requests. By `certain` a
//! cell ends once no outcome of the missing rows can change what its goals say; by `sequential` also once a test that may be looked at any time says
//! so at a stated risk. Must not know how requests are sent, nor terminals.

mod cell_judge;
mod cell_rows;
mod cell_stopper;
mod early_stop_remarks;
mod early_stop_scheduler;
mod early_stopper;
mod search_scheduler;
mod sequential_test;
mod sweep_scheduler;

pub use cell_rows::{CellRows, PlannedRepeat, PlannedRows, RowCountError, countable};
pub use cell_stopper::CellStopper;
pub use early_stop_remarks::remarks;
pub use early_stopper::EarlyStopper;
pub use search_scheduler::SearchChannels;
pub use sequential_test::SequentialTest;
pub use sweep_scheduler::{SteeringError, SweepScheduler};
