//! `bench sweep`: every cell of the matrix for every variant, then the verdict and the plots.

use std::path::PathBuf;

use super::blocks::{self, BlockReport};
use super::clients::{self, ClientRole};
use super::destination::SweepDestination;
use super::measuring::{PromptTextPolicy, UnsavedResultsError, measure};
use super::report::{self, ReportOptions};
use super::scenarios::{default_folder, scenario_flags};
use super::signals::SignalListener;
use super::twin_guidance::guided_plans;
use super::{ExitReason, worst};
use crate::cli::{SweepArgs, VerbosityArgs};
use crate::execution::executor::{LoadLeader, SweepOutcome, SweepStopReason};
use crate::execution::meeting::ClientSeat;
use crate::planning::plan::Plan;
use crate::planning::scenario::files;
use crate::records::bucket::{FetchedFiles, ResultsAddress, local_folder};
use crate::vocabulary::template::quoted_all;

pub fn run(args: &SweepArgs, talk: VerbosityArgs) -> anyhow::Result<ExitReason> {
    let Some(plans) = guided_plans(args, talk)? else { return Ok(ExitReason::Usage) };
    let mut role = ClientRole::of(&args.clients)?;
    if let Some(reason) = role.as_ref().and_then(|_| clients::refusal(args, &plans)) {
        eprintln!("error: {reason}");
        return Ok(ExitReason::Usage);
    }
    if let Some(name) = &args.block {
        let exit = match blocks::among(name, &args.among)? {
            None => blocks::run(args, &plans, name, talk)?,
            Some(name) => blocks::run(&SweepArgs { block: Some(name.clone()), ..args.clone() }, &plans, &name, talk)?,
        };
        return Ok(exit_of(args, exit));
    }
    if let (Some(role @ ClientRole { seat: ClientSeat { rank: 1.., .. }, .. }), [plan]) = (&role, plans.as_slice()) {
        return clients::take_part(role, plan, talk);
    }
    let several = plans.len() > 1;
    let mut exits = Vec::new();
    for (number, plan) in plans.iter().enumerate() {
        let address = address(args.output.as_ref(), plan, several);
        let exit = sweep_into(args, plan, &address, None, talk, role.take(), &|| to_go_on(args, number, &address, several))?;
        exits.push(exit_of(args, exit));
        if exit == ExitReason::Interrupted {
            break;
        }
    }
    Ok(worst(exits))
}

/// A scheduler takes every code but 0 for a failure, and what was measured is a result.
fn exit_of(args: &SweepArgs, exit: ExitReason) -> ExitReason {
    match exit {
        ExitReason::GoalsMissed | ExitReason::CellsFailed if args.exit_zero => ExitReason::Success,
        exit => exit,
    }
}

/// Measures a plan and reports it; `to_go_on` is the command line that goes on with it.
pub(super) fn sweep_into(
    args: &SweepArgs,
    plan: &Plan,
    address: &ResultsAddress,
    block: Option<BlockReport>,
    talk: VerbosityArgs,
    role: Option<ClientRole>,
    to_go_on: &dyn Fn() -> String,
) -> anyhow::Result<ExitReason> {
    let signals = SignalListener::listen()?;
    let mut others = match role.map(|role| clients::lead(role, plan, signals.stop(), talk)).transpose() {
        Ok(others) => others,
        Err(error) => return Ok(clients::not_met(&error)),
    };
    let measured = || {
        let destination = SweepDestination::open(address.clone(), signals.stop(), talk)?.of_block(block);
        match measure_and_report(args, plan, &destination, &signals, others.as_mut(), talk, to_go_on) {
            Ok(exit) => destination.finish(exit, talk),
            Err(error) => {
                destination.abandon();
                Err(error)
            }
        }
    };
    let done = measured();
    match (others, &done) {
        (Some(others), Ok(exit)) => others.end(*exit == ExitReason::Interrupted),
        (Some(others), Err(error)) => others.give_up(&format!("{error:#}")),
        (None, _) => {}
    }
    done
}

/// The same with the clients that share the load, where there are any.
fn measure_and_report(
    args: &SweepArgs,
    plan: &Plan,
    destination: &SweepDestination,
    signals: &SignalListener,
    others: Option<&mut LoadLeader>,
    talk: VerbosityArgs,
    to_go_on: &dyn Fn() -> String,
) -> anyhow::Result<ExitReason> {
    let from = args.from.as_ref().map(all_of).transpose()?;
    let ending = measure(plan, destination, talk, None, from.as_deref(), PromptTextPolicy::of(args.keep_text), signals, others)
        .map_err(|error| hinted(error, to_go_on))?;
    if ending.interrupted {
        eprintln!("interrupted: {}. To go on: {}", saved(plan, &ending), to_go_on());
        return Ok(ExitReason::Interrupted);
    }
    // Where nothing was run there is nothing to report.
    let reported = if ending.finished > 0 || ending.stopped_by.is_none() {
        report::finish(destination, &ReportOptions { format: args.format.into(), ..ReportOptions::default() }, talk)?
    } else {
        ExitReason::SweepStopped
    };
    let Some(stop) = &ending.stopped_by else { return Ok(reported) };
    eprintln!("{}", stopped(stop, &ending));
    eprintln!("{}. To try it again and go on: {}", saved(plan, &ending), to_go_on());
    Ok(ExitReason::SweepStopped)
}

/// Why the sweep ended by itself, and what to do about it.
pub(super) fn stopped(stop: &SweepStopReason, ending: &SweepOutcome) -> String {
    match stop {
        SweepStopReason::Preflight { reason, hint } => {
            let further = if ending.finished == 0 { "nothing was run" } else { "no further cell was begun" };
            let hint = hint.as_ref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
            format!("error: {further}, since the target does not serve what would be sent: {reason}{hint}")
        }
        SweepStopReason::Unserved { run, reason } => {
            format!(
                "stopped, since nobody served two runs in a row, at last `{run}`: {reason}\nhint: `on_cell_failure = \"continue\"` goes on all \
                 the same"
            )
        }
        SweepStopReason::ClientLost { run, reason } => {
            format!("stopped, since one of several clients is gone and the load of `{run}` was not whole: {reason}")
        }
        SweepStopReason::CellFailure { run, reason } => {
            format!("stopped, since `on_cell_failure` is `stop` and the run `{run}` is no result: {reason}")
        }
    }
}

fn address(output: Option<&ResultsAddress>, plan: &Plan, several: bool) -> ResultsAddress {
    match output {
        Some(output) if several => output.join(&plan.name),
        Some(output) => output.clone(),
        None => ResultsAddress::Folder(default_folder(&plan.name)),
    }
}

/// The folder with all files of an earlier sweep.
fn all_of(address: &ResultsAddress) -> anyhow::Result<PathBuf> {
    Ok(local_folder(address, FetchedFiles::ForCopying)?)
}

/// What to do where nothing could be saved any more.
fn hinted(error: anyhow::Error, to_go_on: impl Fn() -> String) -> anyhow::Error {
    if !error.is::<UnsavedResultsError>() {
        return error;
    }
    anyhow::anyhow!("{error:#}\nhint: what is sealed is whole; once the cause is mended, this goes on: {}", to_go_on())
}

/// How far it has come. Of how many a search goes through nobody knows before its end.
fn saved(plan: &Plan, ending: &SweepOutcome) -> String {
    let finished = ending.finished;
    let of = if plan.frontier.is_some() { String::new() } else { format!(" of {}", ending.planned) };
    format!("runs saved: {finished}{of}")
}

/// The command line that goes on with this folder, the `number`-th of several scenarios.
fn to_go_on(args: &SweepArgs, number: usize, address: &ResultsAddress, several: bool) -> String {
    if !several {
        return command(args, &args.scenario.scenarios, Some(address));
    }
    if let Some(output) = &args.output {
        return command(args, &args.scenario.scenarios, Some(output));
    }
    // Each has a folder of its own, made from the time of its start.
    let files: Vec<String> = files(&args.scenario.scenarios).unwrap_or_default().iter().map(|file| file.display().to_string()).collect();
    let this = command(args, files.get(number..=number).unwrap_or_default(), Some(address));
    match files.get(number + 1..) {
        None | Some([]) => this,
        Some(rest) => format!("{this}; then: {}", command(args, rest, None)),
    }
}

pub(super) fn command(args: &SweepArgs, scenarios: &[String], address: Option<&ResultsAddress>) -> String {
    let mut words = vec!["bench".to_owned(), "sweep".to_owned()];
    words.extend(scenarios.iter().cloned());
    words.extend(scenario_flags(&args.scenario));
    words.extend(args.block.iter().flat_map(|block| ["--block".to_owned(), block.clone()]));
    words.extend(clients::flags(&args.clients));
    words.extend(args.twin.iter().flat_map(|file| ["--twin".to_owned(), file.display().to_string()]));
    words.extend(args.keep_text.then(|| "--keep-text".to_owned()));
    words.extend(args.exit_zero.then(|| "--exit-zero".to_owned()));
    words.extend(address.iter().flat_map(|address| ["-o".to_owned(), address.to_string()]));
    quoted_all(&words)
}
