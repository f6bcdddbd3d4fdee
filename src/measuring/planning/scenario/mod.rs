//! Text to a checked scenario: reads TOML and YAML alike, finds all faults of a file at once, and hands on cells that need no more checks.
//!
//! Knows what a scenario may say (the `spec` modules); knows nothing of how any of it is done.

mod base;
mod cell;
mod cells;
mod diagnostic;
mod document;
mod environment;
mod explain;
mod fields;
mod files;
mod flags;
mod frontier;
mod goals;
mod load;
mod matrix;
mod meant;
mod open_range;
mod options;
mod points;
mod range;
mod read;
mod redaction;
mod rules;
mod schema;
mod secret;
mod sections;
mod settings_file;
mod source;
mod spread;
mod typed;

pub use cell::CellSpec;
pub use diagnostic::{DiagnosticStyle, ScenarioDiagnostic, ScenarioError};
pub use files::files;
pub use load::{load, load_file, load_text, load_text_with};
pub use meant::{MatrixAxis, MatrixCell, Scenario, ScenarioGoal, ScenarioOrigin};
pub use options::{HeaderOverrides, ScenarioOverrides};
pub use schema::schema;
pub use secret::EnvironmentRedactor;
pub use settings_file::SettingsFile;
pub use spread::SpreadKey;
