//! What a goal says of a cell before all its rows have come: only what it would say whatever the missing rows turn out to be.
//!
//! In: how many rows are planned, how few independent ones they may be worth, and where those that came stand ([`GoalCounts`]). Out: whether
//! the goal passes and its verdict, each as soon as it is the same for every completion, and `None` until then. A missing row may take any
//! time from 0 to infinity, and a failed one is infinite. Must not know tables, runs nor why rows are missing.

mod completion;
mod count_thresholds;
mod goal_counts;

pub use completion::GoalCertaintyTest;
pub(super) use count_thresholds::statement;
pub use goal_counts::GoalCounts;

#[cfg(test)]
mod tests;
