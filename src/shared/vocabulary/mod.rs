//! What can be said: metrics and goals, what a scenario may write of each part, sessions and their turns, commands with fields, recordings of requests.

pub mod goal;
pub mod metric;
pub mod recording;
pub mod session;
pub mod spec;
pub mod template;
