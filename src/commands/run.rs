//! `bench run WORKLOAD`: one cell without a file. The flags become a scenario's text, and from there on it is a sweep of one cell.

use std::path::{Path, PathBuf};

use anyhow::Context;
use toml::{Table, Value};

use super::ExitReason;
use super::destination::SweepDestination;
use super::measuring::{PromptTextPolicy, measure};
use super::report::{self, ReportOptions};
use super::scenarios::{default_folder, plan_of_text};
use super::signals::SignalListener;
use super::sweep::stopped;
use crate::cli::{ArrivalProcess, ChatArgs, DocumentQaArgs, RequestsArgs, RunCommand, ServerArgs, SessionsArgs, VerbosityArgs};
use crate::foundation::units::TimeUnit;
use crate::planning::scenario::{HeaderOverrides, ScenarioOverrides};
use crate::presentation::report::cxs_json::{self, ScriptGeneration};
use crate::records::bucket::ResultsAddress;
use crate::vocabulary::spec::lengths::LengthDistribution;
use crate::vocabulary::spec::target::TargetSpec;

pub fn run(command: &RunCommand, talk: VerbosityArgs) -> anyhow::Result<ExitReason> {
    match command {
        RunCommand::Chat(args) => {
            let text = scenario("chat", chat_workload(args), &args.server)?;
            run_scenario(&text, &args.server, talk, args.output.clone(), nothing_more)
        }
        RunCommand::DocumentQa(args) => {
            let text = scenario("document_qa", document_qa_workload(args), &args.server)?;
            run_scenario(&text, &args.server, talk, None, |dir| match &args.output {
                Some(file) => write_cxs_json(dir, file, script_generation(args)),
                None => Ok(()),
            })
        }
        RunCommand::Requests(args) => {
            let text = scenario("requests", requests_workload(args), &args.server)?;
            run_scenario(&text, &args.server, talk, None, nothing_more)
        }
        RunCommand::Sessions(args) => {
            let text = scenario("sessions", sessions_workload(args), &args.server)?;
            run_scenario(&text, &args.server, talk, None, nothing_more)
        }
    }
}

/// Runs it and says how it went. `at_end` is called with the folder of what was measured.
fn run_scenario(
    text: &str,
    server: &ServerArgs,
    talk: VerbosityArgs,
    chat_copy: Option<PathBuf>,
    at_end: impl FnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<ExitReason> {
    let headers = HeaderOverrides(server.target.headers.clone());
    let options = ScenarioOverrides { set: server.set.clone(), simulate: server.simulate, headers, ..ScenarioOverrides::default() };
    let Some(plan) = plan_of_text("command-line.toml", text, &options, talk)? else { return Ok(ExitReason::Usage) };
    let address = server.results.clone().unwrap_or_else(|| ResultsAddress::Folder(default_folder(&plan.name)));
    let signals = SignalListener::listen()?;
    let destination = SweepDestination::open(address.clone(), signals.stop(), talk)?;
    let ending = measure(&plan, &destination, talk, chat_copy, None, PromptTextPolicy::of(server.keep_text), &signals, None)?;
    if ending.interrupted {
        eprintln!(
            "interrupted: the requests so far are in `{}`, and are no result. To do it again: the same command with `-o {address}`",
            destination.dir().display()
        );
        return destination.finish(ExitReason::Interrupted, talk);
    }
    if let Some(stop) = ending.stopped_by.as_ref().filter(|_| ending.finished == 0) {
        eprintln!("{}", stopped(stop, &ending));
        eprintln!("To do it again: the same command with `-o {address}`");
        return destination.finish(ExitReason::CellsFailed, talk);
    }
    let exit = report::finish(&destination, &ReportOptions::default(), talk)?;
    at_end(destination.dir())?;
    destination.finish(exit, talk)
}

#[expect(clippy::unnecessary_wraps, reason = "as those that write a file")]
fn nothing_more(_dir: &Path) -> anyhow::Result<()> {
    Ok(())
}

/// The generation of the original script whose flags are used.
fn script_generation(args: &DocumentQaArgs) -> ScriptGeneration {
    if args.concurrent.is_some() || args.session_depth.is_some() { ScriptGeneration::Second } else { ScriptGeneration::First }
}

fn write_cxs_json(dir: &Path, file: &Path, generation: ScriptGeneration) -> anyhow::Result<()> {
    let saved = crate::records::store::read_sweep(dir)?;
    let Some(run) = saved.runs.first() else { return Ok(()) };
    let text = cxs_json::render(run, generation)?;
    fs_err::write(file, text).with_context(|| "the run is saved, but not the copy that `--output` asked for")
}

/// The text of the scenario that the flags stand for.
fn scenario(kind: &str, mut workload: Table, server: &ServerArgs) -> anyhow::Result<String> {
    workload.insert("kind".into(), kind.into());
    let (model, url) = (server.target.model.as_deref().unwrap_or(TargetSpec::ANY_MODEL), server.target.url.as_deref());
    let mut target =
        Table::from_iter([("model".to_owned(), Value::from(model)), ("url".to_owned(), url.unwrap_or(TargetSpec::LOCAL_SERVER).into())]);
    target.extend(server.target.api_key_env.iter().map(|name| ("api_key_env".to_owned(), Value::from(name.as_str()))));
    target.extend(server.tokenizer.iter().map(|file| ("tokenizer".to_owned(), path(file))));
    let goals = server.goals.iter().map(|goal| Value::Table(Table::from_iter([("require".to_owned(), Value::from(goal.as_str()))])));
    let goals: Vec<Value> = goals.collect();
    let mut document = Table::new();
    document.insert("name".into(), kind.replace('_', "-").into());
    document.insert("seed".into(), i64::try_from(server.seed).context("`--seed` must be below 2^63")?.into());
    if !goals.is_empty() {
        document.insert("goals".into(), goals.into());
    }
    document.insert("workload".into(), workload.into());
    document.insert("target".into(), target.into());
    Ok(toml::to_string(&document)?)
}

fn chat_workload(args: &ChatArgs) -> Table {
    let mut workload = Table::from_iter([
        ("users".to_owned(), Value::from(args.num_users)),
        ("qps".to_owned(), args.qps.into()),
        ("rounds".to_owned(), args.num_rounds.into()),
        ("system_prompt_tokens".to_owned(), tokens(args.shared_system_prompt)),
        ("history_tokens".to_owned(), tokens(args.user_history_prompt)),
        ("answer_tokens".to_owned(), tokens(args.answer_len)),
        ("duration".to_owned(), args.time.into()),
        ("log_interval".to_owned(), args.log_interval.into()),
        ("user_header".to_owned(), args.user_id_header.into()),
        ("first_user_id".to_owned(), tokens(args.first_user_id)),
    ]);
    if let Some(file) = &args.sharegpt {
        workload.insert("dataset".into(), Table::from_iter([("sharegpt".to_owned(), path(file))]).into());
    }
    workload
}

fn document_qa_workload(args: &DocumentQaArgs) -> Table {
    let documents = match &args.src_dir {
        Some(folder) => path(folder),
        None => Table::from_iter([("synthetic_tokens".to_owned(), tokens(args.document_tokens))]).into(),
    };
    Table::from_iter([
        ("concurrent".to_owned(), Value::from(args.num_users_concurrent.or(args.concurrent).unwrap_or(1))),
        ("sequential".to_owned(), args.num_users_sequential.or(args.session_depth).unwrap_or(1).into()),
        ("rounds".to_owned(), args.num_rounds.into()),
        ("answer_tokens".to_owned(), tokens(args.answer_len)),
        ("documents".to_owned(), documents),
    ])
}

fn requests_workload(args: &RequestsArgs) -> Table {
    let mut workload = Table::new();
    match args.concurrency {
        Some(users) => {
            workload.extend([("arrival".to_owned(), "closed".into()), ("concurrency".to_owned(), users.into())]);
            workload.extend(args.think_time.iter().map(|time| ("think_time".to_owned(), Value::from(time.as_str()))));
        }
        None => workload.extend([("max_in_flight".to_owned(), args.max_in_flight.into())]),
    }
    if let Some(file) = &args.trace {
        workload.insert("arrival".into(), "trace".into());
        workload.insert("trace".into(), path(file));
        workload.extend(args.speed_up.map(|factor| ("speed_up".to_owned(), factor.into())));
    } else {
        if args.concurrency.is_none() {
            let process = match args.arrival {
                _ if args.burstiness.is_some() => "gamma",
                ArrivalProcess::Constant => "constant",
                ArrivalProcess::Poisson => "poisson",
            };
            workload.extend([("arrival".to_owned(), process.into()), ("qps".to_owned(), args.qps.into())]);
            workload.extend(args.burstiness.map(|shape| ("burstiness".to_owned(), shape.into())));
        }
        workload.insert("answer_tokens".to_owned(), lengths(&args.answer_tokens));
        match &args.prompts {
            Some(file) => workload.extend([("prompts".to_owned(), path(file)), ("repeat_prompts".to_owned(), args.repeat_prompts.into())]),
            None => workload.extend([
                ("prompt_tokens".to_owned(), lengths(&args.prompt_tokens)),
                ("shared_prefix_tokens".to_owned(), tokens(args.shared_prefix_tokens)),
            ]),
        }
        workload.extend(args.ramp.iter().map(|ramp| ("ramp".to_owned(), Value::from(ramp.as_str()))));
    }
    let ends_itself = args.trace.is_some() || (args.prompts.is_some() && !args.repeat_prompts);
    let endless = args.requests.is_none() && !ends_itself;
    let duration = args.duration.as_deref().or(endless.then_some("60s"));
    workload.extend(duration.map(|duration| ("duration".to_owned(), duration.into())));
    workload.extend(args.requests.map(|number| ("requests".to_owned(), tokens(number))));
    workload.extend(args.warmup_requests.map(|number| ("warmup_requests".to_owned(), tokens(number))));
    if let (Some(share), Some(after)) = (args.leave_share, &args.leave_after) {
        let leave = Table::from_iter([("share".to_owned(), Value::from(share)), ("after".to_owned(), after.as_str().into())]);
        workload.insert("leave".to_owned(), leave.into());
    }
    workload
}

fn sessions_workload(args: &SessionsArgs) -> Table {
    let mut workload = Table::from_iter([
        ("sessions".to_owned(), path(&args.file)),
        ("answers".to_owned(), args.answers.name().into()),
        ("answer_tokens".to_owned(), lengths(&args.answer_tokens)),
    ]);
    let whole_numbers = [
        ("concurrency", args.concurrency.map(u64::from)),
        ("max_sessions", args.max_sessions.map(u64::from)),
        ("block_tokens", args.block_tokens),
        ("count", args.count),
    ];
    workload.extend(whole_numbers.into_iter().filter_map(|(name, number)| Some((name.to_owned(), tokens(number?)))));
    let texts = [
        ("max_delay", args.max_delay.as_deref()),
        ("duration", args.duration.as_deref()),
        ("time_unit", args.time_unit.map(TimeUnit::name)),
    ];
    workload.extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.into()))));
    workload.extend(args.speed_up.map(|factor| ("speed_up".to_owned(), factor.into())));
    workload
}

/// A whole number that TOML can hold; one that it cannot becomes a text, which the scenario's check refuses by name.
fn tokens(count: u64) -> Value {
    i64::try_from(count).map_or_else(|_| count.to_string().into(), Value::from)
}

/// Lengths as a scenario writes them: a number, or the text of a distribution.
fn lengths(lengths: &LengthDistribution) -> Value {
    match lengths {
        LengthDistribution::Fixed(length) => tokens(length.0),
        drawn => drawn.to_string().into(),
    }
}

/// As said on the command line: relative to the working directory, as the made-up scenario is.
fn path(path: &Path) -> Value {
    path.display().to_string().into()
}
