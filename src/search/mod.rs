//! How a matrix is gone through: every cell, or those along the boundary between the cells that pass and those that fail.
//!
//! In: what a scenario says about it, and how the cells that were run came out. Out: which cell is worth running next, and what is known of
//! the others. Must not know servers, files or rows.

pub mod spec;
