//! Before a sweep begins: shows the commands that it will run, and runs those that print API keys, each once. In comes a plan; out comes
//! the same plan whose runs hold their keys.

use std::collections::BTreeSet;

use anyhow::Context;

use crate::planning::plan::{Plan, Run, shown_commands};
use crate::servers::endpoint::key_from;
use crate::vocabulary::spec::target::{ApiKey, TargetKind};

/// Says on stderr which commands of the scenario will be run, also where nothing else is said: whoever starts somebody else's scenario sees
/// what it does to the machine before it does it.
pub(super) fn show_commands(plan: &Plan, sealed: &BTreeSet<String>) {
    let commands = shown_commands(left(plan, sealed));
    if commands.is_empty() {
        return;
    }
    eprintln!("commands of this scenario, which are run now:");
    for command in commands {
        eprintln!("  {}: {}", command.field, command.text);
    }
}

/// The plan with the keys that its commands print, where runs are left that need them. Each command is run once.
pub(super) fn with_keys(plan: &Plan, sealed: &BTreeSet<String>) -> anyhow::Result<Plan> {
    let mut plan = plan.clone();
    let mut keys: Vec<(Vec<String>, ApiKey)> = Vec::new();
    let mut runtime = None;
    for place in 0..plan.runs.len() {
        let run = &plan.runs[place];
        if !is_left(run, sealed) {
            continue;
        }
        let Some(command) = run.cell.target.api_key_command.clone() else { continue };
        let key = if let Some((_, key)) = keys.iter().find(|(known, _)| *known == command) {
            key.clone()
        } else {
            let runtime = match &mut runtime {
                Some(runtime) => runtime,
                None => runtime.insert(tokio::runtime::Builder::new_current_thread().enable_all().build()?),
            };
            let place = place_of(&plan, &run.variant);
            let key =
                runtime.block_on(key_from(&command)).with_context(|| format!("{place}: no API key came from `target.api_key_command`"))?;
            keys.push((command, key.clone()));
            key
        };
        plan.runs[place].cell.target.api_key = Some(key);
    }
    Ok(plan)
}

fn left<'a>(plan: &'a Plan, sealed: &'a BTreeSet<String>) -> impl Iterator<Item = &'a Run> {
    plan.runs.iter().filter(|run| is_left(run, sealed))
}

fn is_left(run: &Run, sealed: &BTreeSet<String>) -> bool {
    run.cell.target.kind == TargetKind::Http && !sealed.contains(&run.id)
}

/// File and line of the field, and the variant where there are several of it; `--set` where the text does not hold it.
fn place_of(plan: &Plan, variant: &str) -> String {
    let file = plan.scenario_path.display();
    let mut lines = plan.scenario_text.lines().enumerate().filter(|(_, line)| line.contains("api_key_command"));
    match (lines.next(), lines.next()) {
        _ if plan.changes.iter().any(|change| change.contains("api_key_command")) => format!("{file}, changed by `--set`"),
        (Some((line, _)), None) => format!("{file}:{}", line + 1),
        (Some((line, _)), Some(_)) => format!("{file}:{} and below, variant `{variant}`", line + 1),
        (None, _) => format!("{file}, variant `{variant}`"),
    }
}
