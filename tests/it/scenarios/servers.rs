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

/// Every `bench ...` of a template, as a shell would hand it on.
fn commands(text: &str) -> Vec<Vec<String>> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let of = |line: &str| -> Option<Vec<String>> {
        let verbs = ["bench sweep", "bench report", "bench history", "bench compare"];
        let start = verbs.into_iter().filter_map(|verb| line.find(verb)).min()?;
        // Up to what a shell would not hand on: quotes that end, redirections, what comes after.
        let words = line[start..].split_whitespace().map(|word| word.trim_matches(['"', '\'']));
        Some(words.take_while(|word| !word.starts_with(['>', '+', '|'])).map(str::to_owned).collect())
    };
    lines.filter_map(of).collect()
}

#[test]
fn every_command_of_the_templates_exists_and_the_nights_keep_their_results_by_date() {
    let mut files: Vec<_> = fs_err::read_dir("templates/nightly").unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 6);
    for file in files {
        let text = fs_err::read_to_string(&file).unwrap();
        let mut sweeps = 0;
        for words in commands(&text) {
            let parsed = Cli::try_parse_from(&words).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            let CliCommand::Sweep(sweep) = parsed.command else { continue };
            assert_eq!(sweep.scenario.scenarios, ["scenarios/nightly.toml"], "{}", file.display());
            let is_night = !file.ends_with("github-pull-request.yml");
            assert!(!is_night || sweep.output.is_some_and(|address| address.to_string().contains('$')), "{}", file.display());
            sweeps += 1;
        }
        assert!(sweeps > 0 || file.ends_with("bench-nightly.timer"), "{} does not sweep", file.display());
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
