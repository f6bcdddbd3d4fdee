//! Runs a plan into a folder: the executor on this thread, the reporters on another; where the folder is on its way to a bucket, a third sends it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context;
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::destination::SweepDestination;
use super::keys::{show_commands, with_keys};
use super::open_files;
use super::signals::SignalListener;
use crate::cli::VerbosityArgs;
use crate::execution::executor::{LoadLeader, ServerLaunchPaths, SweepOutcome, sweep};
use crate::execution::reporter::{ExpectedRun, ReporterError, SealedRunNotifier, VerbosityLevel, reporters, run_reporters};
use crate::execution::selftest;
use crate::execution::steering::{SearchChannels, SweepScheduler};
use crate::planning::plan::{Plan, Run};
use crate::records::record::{ClientCapacity, ClientEnvironment, Manifest};
use crate::records::store::{SweepWriter, saved_manifest};
use crate::servers::server::supervisor::SupervisorHandle;
use crate::vocabulary::spec::target::TargetSpec;
use crate::workloads::arrival::PlannedLoad;

/// What becomes of prompts and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PromptTextPolicy {
    Dropped,
    Kept,
}

impl PromptTextPolicy {
    pub fn of(keep: bool) -> Self {
        if keep { Self::Kept } else { Self::Dropped }
    }
}

/// The results could not be saved, so that there was no use in going on.
#[derive(Debug, thiserror::Error)]
#[error("the sweep was stopped since its results could not be saved")]
pub(super) struct UnsavedResultsError(#[source] ReporterError);

/// Does what of the plan is not sealed at the destination yet, after taking what is sealed in the folder `from`. `chat_copy` is the CSV file
/// beside which the files of a chat run are wanted once more; `others` are the clients with whom the load is sent, where there are any.
#[expect(clippy::too_many_arguments, reason = "each is what one of the callers has of its own")]
pub(super) fn measure(
    plan: &Plan,
    destination: &SweepDestination,
    talk: VerbosityArgs,
    chat_copy: Option<PathBuf>,
    from: Option<&Path>,
    texts: PromptTextPolicy,
    signals: &SignalListener,
    others: Option<&mut LoadLeader>,
) -> anyhow::Result<SweepOutcome> {
    let dir = destination.dir();
    let plan = &match saved_manifest(dir)? {
        Some(saved) => plan.with_ids_of(&saved),
        None => plan.clone(),
    };
    let manifest = Manifest { keeps_texts: texts == PromptTextPolicy::Kept, ..plan.manifest(Timestamp::now(), client(plan)) };
    let mut writer = SweepWriter::open(dir, &manifest, &plan.scenario_text)?;
    destination.begin()?;
    if let Some(from) = from {
        taken(writer.adopt(from)?, from, talk);
    }
    let sealed = writer.sealed_ids()?;
    destination.send(&sealed);
    show_commands(plan, &sealed);
    let mut plan = with_keys(plan, &sealed)?;
    if texts == PromptTextPolicy::Kept {
        plan.runs.iter_mut().for_each(|run| run.cell.keep_texts());
    }
    let plan = &plan;
    warn_of_machine(plan);
    let stop = signals.stop();
    let program = SupervisorHandle::own_program().context("cannot find out which program this is, to supervise servers with it")?;
    let launch = ServerLaunchPaths { program, logs: writer.paths().servers() };
    let (events, heard) = mpsc::unbounded_channel();
    let (to_course, from_recorder) = std::sync::mpsc::channel();
    let mut scheduler = SweepScheduler::new(plan, &sealed, dir, SearchChannels { sealed: from_recorder, events: events.clone() })?;
    // Nobody may be waiting any more, which is no reason to lose a sweep.
    let for_the_scheduler = SealedRunNotifier::new(move |id| drop(to_course.send(id)));
    let notifiers = std::iter::once(for_the_scheduler).chain(destination.notifier()).collect();
    let reporters = reporters(writer, chat_copy, loudness(talk), &plan.goals, expected_runs(plan, &sealed), notifiers);
    let ending = std::thread::scope(|scope| {
        let reporting = scope.spawn(|| run_reporters(heard, reporters, &stop.abort_token()));
        let ending = sweep(scheduler.scheduler(), plan.policy, stop, &launch, &events, others);
        let trouble = scheduler.trouble();
        drop((events, scheduler));
        let reported = reporting.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        reported.map_err(UnsavedResultsError)?;
        trouble.map_or(Ok(()), Err)?;
        anyhow::Ok(ending?)
    })?;
    signals.measured();
    Ok(ending)
}

/// Makes room for the streams of a real load, and says what is wrong with where it is measured.
pub(super) fn warn_of_machine(plan: &Plan) {
    if plan.simulated {
        return;
    }
    // Every stream is an open file.
    let limit = selftest::raise_open_files();
    if let Some(warning) = open_files::warning(plan, limit) {
        eprintln!("warning: {warning}");
    }
    if plan.runs.iter().any(|run| run.cell.target.insecure) {
        eprintln!("warning: {}", TargetSpec::INSECURE);
    }
}

fn taken(runs: usize, from: &Path, talk: VerbosityArgs) {
    let from = from.display();
    match runs {
        _ if talk.quiet => {}
        0 => eprintln!("`{from}` has no sealed run of this scenario that is not here already"),
        1 => eprintln!("1 sealed run taken from `{from}`"),
        runs => eprintln!("{runs} sealed runs taken from `{from}`"),
    }
}

/// The runs that are to be done, with what their time grows with; none where a search decides as it goes.
fn expected_runs(plan: &Plan, sealed: &BTreeSet<String>) -> Vec<ExpectedRun> {
    let open = plan.runs.iter().filter(|run| plan.frontier.is_none() && !sealed.contains(&run.id));
    let expected = |run: &Run| ExpectedRun {
        id: run.id.clone(),
        variant: run.variant.clone(),
        axes: run.axes.clone(),
        work: PlannedLoad::of(&run.cell.workload, None).work(),
    };
    open.map(expected).collect()
}

fn loudness(talk: VerbosityArgs) -> VerbosityLevel {
    match talk {
        VerbosityArgs { quiet: true, .. } => VerbosityLevel::Quiet,
        VerbosityArgs { verbose: 0 | 1, .. } => VerbosityLevel::Progress,
        VerbosityArgs { .. } => VerbosityLevel::EveryRequest,
    }
}

/// What the selftest of this machine found, where one is kept. One that cannot be read is said to be, and stops nothing.
fn ceilings() -> Option<ClientCapacity> {
    let kept = selftest::path().and_then(|path| selftest::load(&path));
    let kept = kept.inspect_err(|error| eprintln!("warning: the selftest of this machine is not used: {error}")).ok().flatten()?;
    let selftest::CoreCapacity { events_per_s, requests_per_s } = kept.ceilings;
    Some(ClientCapacity { events_per_s, requests_per_s })
}

/// The machine, where it matters: simulated results do not depend on it.
pub(super) fn client(plan: &Plan) -> ClientEnvironment {
    let bench_version = env!("CARGO_PKG_VERSION").to_owned();
    if plan.simulated {
        return ClientEnvironment { bench_version, ..ClientEnvironment::default() };
    }
    let processors = std::thread::available_parallelism().ok().and_then(|count| u32::try_from(count.get()).ok());
    let operating_system = Some(format!("{} {}", std::env::consts::OS, std::env::consts::ARCH));
    ClientEnvironment { bench_version, operating_system, processors, ceilings: ceilings() }
}
