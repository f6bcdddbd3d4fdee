//! From a plan to records: the one load loop, those who listen to it, what steers it, what the client itself can measure, and the twin.

pub mod event;
pub mod executor;
pub mod meeting;
pub mod reporter;
pub mod selftest;
pub mod steering;
pub mod twin;
