//! The scenarios that ship: free of faults, named schema, and what the README promises of them.

use std::path::Path;

use bench::planning::plan::{Plan, PlanSummary};
use bench::planning::scenario::{Scenario, ScenarioOverrides, files, load_file};

fn shipped() -> Vec<(String, Scenario)> {
    let patterns = ["scenarios/*.toml".to_owned(), "scenarios/*.yaml".to_owned()];
    let files = files(&patterns).unwrap_or_else(|faults| panic!("{faults}"));
    assert!(files.len() >= 3);
    let load = |path: &Path| load_file(path, &ScenarioOverrides::default()).unwrap_or_else(|faults| panic!("{faults}"));
    files.iter().map(|path| (path.display().to_string(), load(path))).collect()
}

#[test]
fn shipped_scenarios_have_no_faults_and_can_be_planned() {
    for (file, scenario) in shipped() {
        let plan = Plan::new(&scenario).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(!plan.runs.is_empty() && !plan.goals.is_empty() && !plan.plots.is_empty(), "{file}");
    }
}

#[test]
fn shipped_scenarios_name_their_schema_in_the_first_line() {
    for (file, scenario) in shipped() {
        let first = if file.contains(".toml") { "#:schema ./schema.json" } else { "# yaml-language-server: $schema=./schema.json" };
        assert_eq!(scenario.origin.text.lines().next(), Some(first), "{file}");
    }
}

#[test]
fn the_lmcache_scenario_sweeps_16_cells_for_two_variants_with_enough_rows_in_each() {
    let options = ScenarioOverrides { simulate: true, ..ScenarioOverrides::default() };
    let scenario = load_file(Path::new("scenarios/lmcache.toml"), &options).unwrap_or_else(|faults| panic!("{faults}"));
    let plan = Plan::new(&scenario).unwrap();
    assert_eq!((plan.variants.as_slice(), plan.axes.len()), (["vllm".to_owned(), "lmcache".to_owned()].as_slice(), 2));
    assert_eq!(plan.runs.len(), 2 * 16 * 3);
    assert!(plan.simulated && plan.runs.iter().all(|run| run.simulated));
    let outlook = PlanSummary::of(&plan).unwrap();
    assert_eq!((outlook.needs[0].needed, outlook.needs[0].fewest, outlook.needs[0].short), (Some(59), Some(60), 0));
}
