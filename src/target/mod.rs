//! TO WHOM: sends one prompt and brings back one [`Exchange`]. The load loop does not know which kind of target it talks to.
//!
//! A target stamps and counts; it knows nothing of sessions' schedules, of records, or of verdicts.

mod body;
mod chunk;
mod exchange;
pub mod spec;
mod sse;

pub use exchange::Exchange;
