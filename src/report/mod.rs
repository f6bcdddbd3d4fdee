//! Summaries as people and programs read them: a file a format. A [`SweepSummary`](crate::analysis::SweepSummary) comes in, a text goes
//! out, the same bytes each time; nothing here computes a statistic, reads a file or prints.

mod certainty;
pub mod comparison;
mod csv;
pub mod cxs_json;
pub mod history;
mod html;
mod json;
mod markdown;
mod number;
mod panel;
mod reconcile;
mod server;
mod terminal;
mod words;

pub use csv::csv;
pub use html::{PageError, PageFigure, html};
pub use json::json;
pub use markdown::markdown;
pub use terminal::{Colour, terminal};
