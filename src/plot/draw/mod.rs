//! From figures to SVG, a file a kind of figure. Pixel space, whole pixels, the page's origin at its upper left.
//!
//! Sees figures only: no records, no tables, no summaries.

mod canvas;
mod cells;
pub mod colour;
mod colour_bar;
mod crosses;
pub mod curve;
mod description;
mod grid;
mod head;
pub mod heatmap;
mod legend;
mod line;
mod step_line;
mod ticks;
mod words;
