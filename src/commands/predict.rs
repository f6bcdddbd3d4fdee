//! `bench predict`: what a fitted engine says of the cells of a scenario.

use super::engine_section::changed;
use super::scenarios::{options, plans_with};
use super::{ExitReason, stdout};
use crate::cli::{PredictArgs, VerbosityArgs};
use crate::execution::twin::{TwinFile, predict};
use crate::planning::scenario::ScenarioOverrides;
use crate::presentation::prediction::prediction_text;

pub fn run(args: &PredictArgs, talk: VerbosityArgs) -> anyhow::Result<ExitReason> {
    let twin = TwinFile::read(&args.twin)?;
    // What is said of the engine is said of the fitted one.
    let (of_engine, of_scenario): (Vec<String>, Vec<String>) =
        args.scenario.set.iter().cloned().partition(|change| change.trim_start().starts_with("engine."));
    let changes: Vec<&str> = of_engine.iter().filter_map(|change| change.trim_start().strip_prefix("engine.")).collect();
    let engine = changed(&twin.engine, &changes)?;
    let overrides = ScenarioOverrides { set: of_scenario, simulate: true, url: None, ..options(&args.scenario) };
    let Some(plans) = plans_with(&args.scenario.scenarios, &overrides, talk)? else { return Ok(ExitReason::Usage) };
    for plan in &plans {
        let progress = |done: usize, cells: usize| {
            if talk.verbose > 0 {
                eprintln!("cell {} of {cells}", done + 1);
            }
        };
        let prediction = predict(plan, &twin, &engine, progress)?;
        let text =
            if args.json { serde_json::to_string_pretty(&prediction)? + "\n" } else { prediction_text(plan, &twin, &changes, &prediction) };
        stdout::print(&text)?;
    }
    Ok(ExitReason::Success)
}
