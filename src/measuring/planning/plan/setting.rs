//! Which cells share one start of a server: those of a variant whose processes, with every field filled in, are the same.

use serde_json::{Value, json};

use super::Run;
use crate::planning::scenario::CellSpec;
use crate::vocabulary::spec::reset::{ResetMode, ResetSpec};
use crate::vocabulary::spec::server::ServerSpec;
use crate::vocabulary::spec::target::TargetKind;
use crate::vocabulary::template::{CommandMode, TemplateContext, UnknownFieldError};

/// What a server is started with, as a text to be compared. `None` where nothing is started: simulated, or used by its URL.
#[must_use]
pub fn server_setting(cell: &CellSpec) -> Option<String> {
    let is_started = cell.target.kind != TargetKind::Sim && cell.server.is_started();
    is_started.then(|| server_text(cell))
}

/// The same of any cell, with the simulated engine that stands for its server: cells in which it is the same need no other machine.
#[must_use]
pub fn machine_setting(cell: &CellSpec) -> String {
    json!([server_text(cell), cell.engine]).to_string()
}

fn server_text(cell: &CellSpec) -> String {
    // How it is emptied and watched changes nothing in the server.
    let bare = ServerSpec {
        reset: ResetSpec::default(),
        canary: true,
        watch: crate::vocabulary::spec::watch::WatchSpec::default(),
        ..cell.server.clone()
    };
    let filled = filled(cell).unwrap_or_default();
    json!([bare, cell.target.url, cell.target.model, filled]).to_string()
}

/// Whether each run gets a server that has just been started.
#[must_use]
pub fn restarts_each_run(cell: &CellSpec) -> bool {
    cell.server.reset == ResetSpec::Whole(ResetMode::Restart)
}

/// The commands with fields of the target that are not compared otherwise. Unknown fields are faults of the scenario, found before.
fn filled(cell: &CellSpec) -> Result<Value, UnknownFieldError> {
    let template = TemplateContext::new(&cell.target, &cell.server.args);
    let before = cell.server.before.iter().map(|process| template.command(&process.command, CommandMode::of(process.shell)));
    let before = before.collect::<Result<Vec<_>, _>>()?;
    Ok(json!([template.server_command(&cell.server)?, before]))
}

/// How often servers are started for these runs, when none of them fails: for each variant, in the order in which they come.
#[must_use]
pub fn server_starts(runs: &[Run]) -> Vec<(String, u64)> {
    let mut starts: Vec<(String, u64)> = Vec::new();
    let mut before: Option<(&str, String)> = None;
    for run in runs {
        let setting = server_setting(&run.cell).map(|setting| (run.variant.as_str(), setting));
        if setting.is_some() && (setting != before || restarts_each_run(&run.cell)) {
            match starts.iter_mut().find(|(variant, _)| *variant == run.variant) {
                Some((_, count)) => *count += 1,
                None => starts.push((run.variant.clone(), 1)),
            }
        }
        before = setting;
    }
    starts
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::planning::plan::Plan;
    use crate::planning::scenario::{ScenarioOverrides, load_text};

    const SCENARIO: &str = r#"
repeats = 3
[workload]
kind = "document_qa"
[target]
url = "http://127.0.0.1:0"
[server]
command = ["serve", "{port}"]
[matrix]
concurrent = [1, 2]
"server.args.max-num-seqs" = [8, 16]
[variants.a]
[variants.b]
"#;

    fn plan(text: &str) -> Plan {
        Plan::new(&load_text(Path::new("test.toml"), text, &ScenarioOverrides::default()).unwrap_or_else(|faults| panic!("{faults}")))
            .unwrap()
    }

    fn named(starts: &[(&str, u64)]) -> Vec<(String, u64)> {
        starts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    }

    /// Variant, flag and repeat of each run, neighbours that are alike taken together.
    fn blocks(plan: &Plan) -> Vec<(String, String, u32)> {
        let mut blocks: Vec<_> =
            plan.runs.iter().map(|run| (run.variant.clone(), run.cell.server.args["max-num-seqs"].to_string(), run.repeat)).collect();
        blocks.dedup();
        blocks
    }

    #[test]
    fn cells_that_need_the_same_server_come_together_and_repeats_within() {
        let plan = plan(SCENARIO);
        let expected: Vec<_> = ["a", "b"]
            .into_iter()
            .flat_map(|variant| ["8", "16"].map(|flag| (variant, flag)))
            .flat_map(|(variant, flag)| (0..3).map(move |repeat| (variant.to_owned(), flag.to_owned(), repeat)))
            .collect();
        assert_eq!(blocks(&plan), expected);
        assert_eq!(server_starts(&plan.runs), named(&[("a", 2), ("b", 2)]));
    }

    #[test]
    fn abba_goes_back_as_it_came_so_that_neighbours_share_a_server() {
        let plan = plan(&format!("order = \"abba\"{SCENARIO}"));
        let block = |variant: &str, flag: &str, repeat| (variant.to_owned(), flag.to_owned(), repeat);
        let forth = |repeat| [block("a", "8", repeat), block("a", "16", repeat), block("b", "8", repeat), block("b", "16", repeat)];
        let mut back = forth(1);
        back.reverse();
        assert_eq!(blocks(&plan), [forth(0), back, forth(2)].concat());
        // a8 a16 b8 b16 | b16 b8 a16 a8 | a8 a16 b8 b16: the two turns are shared.
        assert_eq!(server_starts(&plan.runs), named(&[("a", 5), ("b", 5)]));
    }

    #[test]
    fn a_restart_before_each_run_is_counted_and_a_server_used_by_its_url_is_not() {
        let restart = SCENARIO.replace("[server]", "[server]\nreset = \"restart\"");
        assert_eq!(server_starts(&plan(&restart).runs), named(&[("a", 12), ("b", 12)]));
        let by_url = "[workload]\nkind = \"document_qa\"\n[server]\nreset = [\"/reset\"]\n";
        assert_eq!(server_starts(&plan(by_url).runs), []);
        let simulated = SCENARIO.replace("[target]", "[target]\nkind = \"sim\"");
        assert_eq!(server_starts(&plan(&simulated).runs), []);
    }

    #[test]
    fn what_a_command_takes_from_the_target_makes_another_server() {
        let of = |limit: u32, reset: &str| {
            let text = format!(
                "workload = {{ kind = \"document_qa\" }}\ntarget = {{ context_limit = {limit} }}\n\
                 server = {{ command = [\"serve\", \"{{target.context_limit}}\"], reset = {reset} }}"
            );
            server_setting(&plan(&text).runs[0].cell).unwrap()
        };
        assert_ne!(of(20_000, "[]"), of(30_000, "[]"));
        assert_eq!(of(20_000, "[]"), of(20_000, "[\"/reset\"]"));
    }
}
