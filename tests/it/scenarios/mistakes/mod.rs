//! What newcomers get wrong, and what they are told: each fault with its place and a way out.

mod axes;
mod fields;
mod frontier;
mod judging;
mod meaning;
mod recordings;
mod requests;
mod server;
mod together;

use std::path::Path;

use bench::planning::scenario::{ScenarioOverrides, load_text};

/// The faults of a scenario as people read them. The text begins in the line after its opening quotes.
fn faults(file: &str, text: &str) -> String {
    match load_text(Path::new(file), text.trim_start_matches('\n'), &ScenarioOverrides::default()) {
        Ok(scenario) => panic!("there is no fault in {scenario:?}"),
        Err(faults) => faults.to_string(),
    }
}
