//! A saved sweep planned once more for the simulated engine: the very load that it sent, for a model of its server.

use anyhow::Context;

use super::scenarios::plan_of_text;
use crate::cli::VerbosityArgs;
use crate::planning::plan::Plan;
use crate::planning::scenario::ScenarioOverrides;
use crate::records::store::{SavedSweep, scenario_text};

/// The saved scenario with its own changes, then `set` and `only`; `None` where it has faults, which have then been printed.
pub(super) fn simulated_plan(sweep: &SavedSweep, set: &[String], only: &[String], talk: VerbosityArgs) -> anyhow::Result<Option<Plan>> {
    let dir = sweep.dir.display();
    let text = scenario_text(&sweep.dir, &sweep.manifest)?;
    let text =
        text.with_context(|| format!("`{dir}` has lost its scenario, by which its load would be sent again to a simulated engine"))?;
    let said =
        |flag: &str| sweep.manifest.changes.iter().filter_map(|change| change.strip_prefix(flag)).map(str::to_owned).collect::<Vec<_>>();
    let options = ScenarioOverrides {
        set: [said("--set "), set.to_vec()].concat(),
        only: [said("--only "), only.to_vec()].concat(),
        simulate: true,
        ..ScenarioOverrides::default()
    };
    plan_of_text(&sweep.dir.join(&sweep.manifest.scenario_file).display().to_string(), &text, &options, talk)
}
