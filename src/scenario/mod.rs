//! Text to a checked scenario: reads TOML and YAML alike, finds all faults of a file at once, and hands on cells that need no more checks.
//!
//! Knows what a scenario may say (the `spec` modules); knows nothing of how any of it is done.

mod cell;
mod document;
mod fault;
mod meant;
mod options;
mod read;
mod source;

pub use cell::Cell;
pub use fault::{Fault, Faults, Style};
pub use meant::{Axis, Order, Origin, Placed, Requirement, Scenario};
pub use options::Options;

/// Reads the scenarios in the files that fit the patterns.
///
/// # Errors
/// All faults of all files.
pub fn load(_patterns: &[String], _options: &Options) -> Result<Vec<Scenario>, Faults> {
    unimplemented!("being written")
}
