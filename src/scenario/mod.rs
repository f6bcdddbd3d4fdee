//! Text to a checked scenario: reads TOML and YAML alike, finds all faults of a file at once, and hands on cells that need no more checks.
//!
//! Knows what a scenario may say (the `spec` modules); knows nothing of how any of it is done.

mod base;
mod cell;
mod cells;
mod climb;
mod document;
mod environment;
mod explain;
mod fault;
mod fields;
mod flags;
mod frontier;
mod goals;
mod load;
mod matrix;
mod meant;
mod options;
mod points;
mod range;
mod read;
mod rules;
mod schema;
mod secret;
mod sections;
mod source;
mod starred;
mod typed;
mod written;

pub use cell::CellSpec;
pub use fault::{DiagnosticStyle, ScenarioDiagnostic, ScenarioError};
pub use load::{files, load, load_file, load_text, load_text_with};
pub use meant::{MatrixAxis, MatrixCell, RunOrder, Scenario, ScenarioGoal, ScenarioOrigin};
pub use options::ScenarioOverrides;
pub use schema::schema;
pub use secret::EnvironmentRedactor;
