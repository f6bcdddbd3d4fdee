//! Summaries as people and programs read them: a file a format. A [`SweepSummary`](crate::analysis::SweepSummary) comes in, a text goes
//! out, the same bytes each time; nothing here computes a statistic, reads a file or prints.

mod cell_columns;
mod cell_value;
mod certainty;
pub mod comparison;
mod cost;
mod csv;
pub mod cxs_json;
mod failure_text;
mod growth;
pub mod history;
mod json;
mod markdown;
mod number;
mod numbered_text;
mod open_metrics;
mod page;
mod panel;
mod reconcile;
mod run_length;
mod score_sentences;
mod scored_cell;
mod server;
mod standard_table;
mod terminal;
mod words;

pub use cell_columns::{CELL_COLUMNS, CellColumn, CellColumnScope, CellColumnType, CellView};
pub use cell_value::CellValue;
pub use csv::csv;
pub use json::json;
pub use markdown::markdown;
pub use open_metrics::open_metrics;
pub use page::{EnvironmentSection, PageFigure, PageParts, ReportPageError, environment, html};
pub use terminal::{ColourMode, paragraph, terminal};
