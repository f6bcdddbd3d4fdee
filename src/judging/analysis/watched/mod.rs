//! What servers and their machines told while runs went on, cell by cell: samples in, shares, levels and sums out, each with the name of
//! the metric that it was measured by. What nobody told is missing, never 0.
//!
//! Knows the metric names of engines and exporters, and nothing of goals.

mod figures;
mod gauge;
mod hits;
mod role;
mod run;
mod series;
mod speculation;
mod track;

pub(super) use run::RunServerFigures;
pub use track::{ServerMetricTrack, tracks};
