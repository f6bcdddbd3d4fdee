//! What can be said: metrics and goals, what a scenario may write of each part, sessions and their turns, commands with fields, traces.

pub mod goal;
pub mod metric;
pub mod session;
pub mod spec;
pub mod template;
pub mod trace;
