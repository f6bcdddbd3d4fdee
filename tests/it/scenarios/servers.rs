//! The blocks of `docs/servers.md`, which people copy, and the templates that run the nightly scenario.

use std::path::Path;

use bench::cli::{Cli, CliCommand};
use bench::planning::plan::Plan;
use bench::planning::scenario::{ScenarioOverrides, load_text, load_text_with};
use clap::Parser;

const WORKLOAD: &str = "workload = { kind = \"document_qa\", documents = { synthetic_tokens = 1000 } }\n";

#[test]
fn every_block_of_the_servers_page_can_be_copied() {
    let page = fs_err::read_to_string("docs/servers.md").unwrap();
    let blocks: Vec<&str> = page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 8, "{}", blocks.len());
    for block in blocks {
        let text = format!("{WORKLOAD}{block}");
        let lookup = |_: &str| Some("value".to_owned());
        let scenario = load_text_with(Path::new("block.toml"), &text, &ScenarioOverrides::default(), &lookup)
            .unwrap_or_else(|faults| panic!("{text}\n{faults}"));
        Plan::new(&scenario).unwrap_or_else(|error| panic!("{text}\n{error}"));
    }
}

#[test]
fn every_template_of_the_night_runs_a_command_that_exists_on_a_scenario_that_ships() {
    let files = ["bench-nightly.service", "crontab", "github-actions.yml", "kubernetes-cronjob.yaml"];
    for file in files {
        let text = fs_err::read_to_string(format!("templates/nightly/{file}")).unwrap();
        let line = text.lines().find(|line| !line.starts_with('#') && line.contains("bench sweep")).unwrap_or_else(|| panic!("{file}"));
        let command = &line[line.find("bench sweep").unwrap()..];
        // Up to what a shell would not hand on: quotes that end, redirections.
        let words = command.split_whitespace().map(|word| word.trim_matches(['"', '\'']));
        let words: Vec<&str> = words.take_while(|word| !word.starts_with(['>', '+'])).collect();
        let CliCommand::Sweep(sweep) = Cli::try_parse_from(&words).unwrap_or_else(|error| panic!("{file}: {error}")).command else {
            panic!("{file} does not sweep")
        };
        assert_eq!(sweep.scenario.scenarios, ["scenarios/nightly.toml"], "{file}");
        assert!(sweep.output.is_some_and(|folder| folder.to_string_lossy().contains("nightly/$")), "{file} keeps results by date");
    }
}

#[test]
fn the_nightly_scenario_has_the_edge_of_the_kv_pool_inside_its_matrix() {
    let text = fs_err::read_to_string("scenarios/nightly.toml").unwrap();
    let scenario =
        load_text(Path::new("scenarios/nightly.toml"), &text, &ScenarioOverrides::default()).unwrap_or_else(|faults| panic!("{faults}"));
    let plan = Plan::new(&scenario).unwrap();
    let sessions = |run: &bench::planning::plan::Run| run.axes.iter().map(|(_, value)| value.as_u64().unwrap()).product::<u64>();
    // 8 GiB at 28 layers x 2 KV heads x 128 x 2 x 2 bytes a token, in sessions of 16,000 tokens.
    let pool = (8_u64 << 30) / (28 * 2 * 128 * 2 * 2) / 16_000;
    assert_eq!(pool, 18);
    assert!(plan.runs.iter().any(|run| sessions(run) < pool) && plan.runs.iter().any(|run| sessions(run) > pool));
}
