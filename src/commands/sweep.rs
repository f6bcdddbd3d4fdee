//! `bench sweep`: every cell of the matrix for every variant, then the verdict and the plots.

use std::path::{Path, PathBuf};

use super::measuring::measure;
use super::report::{self, ReportOptions};
use super::scenarios::{default_folder, plans};
use super::{Exit, worst};
use crate::cli::{SweepArgs, Talk};
use crate::plan::Plan;
use crate::template::quoted_all;

pub fn run(args: &SweepArgs, talk: Talk) -> anyhow::Result<Exit> {
    let Some(plans) = plans(&args.scenario, talk)? else { return Ok(Exit::Usage) };
    let several = plans.len() > 1;
    let mut exits = Vec::new();
    for plan in &plans {
        let dir = folder(args.output.as_deref(), plan, several);
        let exit = sweep(args, plan, &dir, talk)?;
        exits.push(exit);
        if exit == Exit::Interrupted {
            break;
        }
    }
    Ok(worst(exits))
}

fn sweep(args: &SweepArgs, plan: &Plan, dir: &Path, talk: Talk) -> anyhow::Result<Exit> {
    let ending = measure(plan, dir, talk, None, args.from.as_deref())?;
    if ending.interrupted {
        eprintln!("interrupted; what is finished is saved. To go on: {}", command_to_go_on(args, dir));
        return Ok(Exit::Interrupted);
    }
    report::finish(dir, &ReportOptions { format: args.format.into(), ..ReportOptions::default() }, talk)
}

fn folder(output: Option<&Path>, plan: &Plan, several: bool) -> PathBuf {
    match output {
        Some(output) if several => output.join(&plan.name),
        Some(output) => output.to_owned(),
        None => default_folder(&plan.name),
    }
}

/// The command line that goes on with this folder.
fn command_to_go_on(args: &SweepArgs, dir: &Path) -> String {
    let mut words = vec!["bench".to_owned(), "sweep".to_owned()];
    words.extend(args.scenario.scenarios.iter().cloned());
    for change in &args.scenario.set {
        words.extend(["--set".to_owned(), change.clone()]);
    }
    for only in &args.scenario.only {
        words.extend(["--only".to_owned(), only.clone()]);
    }
    words.extend(args.scenario.simulate.then(|| "--simulate".to_owned()));
    words.extend(args.scenario.url.iter().flat_map(|url| ["--url".to_owned(), url.clone()]));
    words.extend(args.scenario.search.iter().flat_map(|search| ["--search".to_owned(), search.name().to_owned()]));
    words.extend(["-o".to_owned(), dir.display().to_string()]);
    quoted_all(&words)
}
