//! Summaries as people and programs read them: figures, and a file a format.

pub mod export;
pub mod plot;
pub mod report;
