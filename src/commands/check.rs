//! `bench check`: all faults of scenario files at once. Reads files and connects to nothing.

use std::path::Path;

use serde_json::{Value, json};

use super::ExitReason;
use super::scenarios::{options, style};
use super::stdout::print;
use crate::cli::{CheckArgs, OutputFormat, VerbosityArgs};
use crate::planning::plan;
use crate::planning::scenario::{self, Scenario, ScenarioDiagnostic, ScenarioError, ScenarioOverrides};

pub fn run(args: &CheckArgs, talk: VerbosityArgs) -> anyhow::Result<ExitReason> {
    let options = options(&args.scenario);
    let files = match scenario::files(&args.scenario.scenarios) {
        Ok(files) => files,
        Err(faults) => {
            told(args.format, &[ScenarioCheck { file: None, outcome: Err(faults) }], talk)?;
            return Ok(ExitReason::Usage);
        }
    };
    let checked: Vec<ScenarioCheck<'_>> =
        files.iter().map(|file| ScenarioCheck { file: Some(file), outcome: check(file, &options) }).collect();
    told(args.format, &checked, talk)?;
    Ok(if checked.iter().all(|checked| checked.outcome.is_ok()) { ExitReason::Success } else { ExitReason::Usage })
}

struct ScenarioCheck<'a> {
    file: Option<&'a Path>,
    outcome: Result<CheckSummary, ScenarioError>,
}

/// What a scenario without faults comes to.
struct CheckSummary {
    /// What there is to do, in words.
    size: String,
    /// What will be done about the servers' caches.
    caches: Vec<String>,
}

/// Everything that can be known without a server: the scenario, its files, and whether its requests fit into the model.
fn check(file: &Path, options: &ScenarioOverrides) -> Result<CheckSummary, ScenarioError> {
    let scenario = scenario::load_file(file, options)?;
    plan::check(&scenario).map_err(|error| {
        ScenarioError::from(ScenarioDiagnostic::nowhere(format!("{}: {error}", file.display())).maybe_hint(error.hint()))
    })?;
    let cells = scenario.cells.iter().map(|placed| (scenario.variants[placed.variant].as_str(), &placed.cell));
    Ok(CheckSummary { size: size(&scenario), caches: plan::cache_sentences(cells) })
}

/// `2 variants × 16 points × 3 repeats = 96 runs`.
fn size(scenario: &Scenario) -> String {
    let (variants, cells) = (scenario.variants.len(), scenario.cells.len());
    let points = cells / variants.max(1);
    let counted = |number: usize, one: &str| if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") };
    let factors = [counted(variants, "variant"), counted(points, "cell"), counted(scenario.repeats as usize, "repeat")];
    format!("{} = {}", factors.join(" × "), counted(cells * scenario.repeats as usize, "run"))
}

fn told(format: OutputFormat, checked: &[ScenarioCheck<'_>], talk: VerbosityArgs) -> anyhow::Result<()> {
    if format == OutputFormat::Json {
        let all: Vec<Value> = checked.iter().map(as_json).collect();
        return print(&(serde_json::to_string_pretty(&all)? + "\n"));
    }
    for checked in checked {
        match (&checked.outcome, checked.file) {
            (Ok(checkup), Some(file)) if !talk.quiet => {
                print(&format!("ok {}: {}\n", file.display(), checkup.size))?;
                for sentence in &checkup.caches {
                    print(&format!("  {sentence}\n"))?;
                }
            }
            (Ok(_), _) => {}
            (Err(faults), _) => eprintln!("{}\n", faults.render(style(talk))),
        }
    }
    let faults: usize = checked.iter().filter_map(|checked| checked.outcome.as_ref().err()).map(ScenarioError::len).sum();
    if faults > 0 {
        eprintln!("{faults} {}", if faults == 1 { "fault" } else { "faults" });
    }
    Ok(())
}

fn as_json(checked: &ScenarioCheck<'_>) -> Value {
    let file = checked.file.map(|file| file.display().to_string());
    match &checked.outcome {
        Ok(checkup) => json!({ "file": file, "ok": true, "plan": checkup.size, "caches": checkup.caches, "faults": [] }),
        Err(faults) => json!({ "file": file, "ok": false, "faults": faults.json() }),
    }
}
