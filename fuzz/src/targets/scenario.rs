//! Scenarios: a file's bytes to a checked scenario, its plan and what it costs, as `bench check` and `bench plan` go.

use std::path::Path;

use bench::execution::steering;
use bench::planning::plan::{self, Plan, PlanSummary};
use bench::planning::scenario::{DiagnosticStyle, ScenarioError, ScenarioOverrides, load_file, load_text_with};
use bench::records::record::ClientEnvironment;
use jiff::Timestamp;

use super::contract::{message, page};

/// The longest plan that is made within the time.
const MOST_RUNS: usize = 2_000;

/// A file of this name. One that is no text is read from disk, as a user's is.
pub fn file(name: &str, data: &[u8]) {
    if let Ok(text) = str::from_utf8(data) {
        return loaded(Path::new(name), text, &ScenarioOverrides::default());
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs_err::write(&path, data).unwrap();
    refused(&load_file(&path, &ScenarioOverrides::default()).unwrap_err());
}

/// A text, loaded with what the command line says.
pub fn loaded(path: &Path, text: &str, options: &ScenarioOverrides) {
    let environment = |name: &str| (name == "HOST").then(|| "gpu7".to_owned());
    match load_text_with(path, text, options, &environment) {
        Err(faults) => refused(&faults),
        Ok(scenario) => {
            if let Err(fault) = plan::check(&scenario) {
                return message(&fault.to_string());
            }
            // A plan of up to 100,000 runs is work that was asked for; what can be wrong with it is wrong with a smaller one.
            if scenario.cells.len() * scenario.repeats as usize > MOST_RUNS {
                return;
            }
            let plan = Plan::new(&scenario).unwrap();
            drop(plan.manifest(Timestamp::UNIX_EPOCH, ClientEnvironment::default()));
            for remark in steering::remarks(&plan) {
                message(&remark);
            }
            match PlanSummary::of(&plan) {
                Ok(outlook) => outlook.notes.iter().for_each(|note| message(&note.text)),
                Err(fault) => message(&fault.to_string()),
            }
        }
    }
}

fn refused(faults: &ScenarioError) {
    assert!(!faults.is_empty(), "refused without a fault");
    for fault in faults.iter() {
        message(&fault.message);
        fault.hint.iter().for_each(|hint| message(hint));
    }
    page(&faults.render(DiagnosticStyle::Plain));
    assert_eq!(faults.json().as_array().unwrap().len(), faults.len());
}
