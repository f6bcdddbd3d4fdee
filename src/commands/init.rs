//! `bench init`: asks a running server what it is, and writes a scenario for it that is checked and planned before it is written.

mod asked_target;
mod scenario_text;
mod told;

use std::io::Write as _;
use std::path::Path;

use anyhow::Context;

use super::ExitReason;
use super::plan::plan_summary;
use super::scenarios::plan_of_text;
use super::stdout::print;
use crate::cli::{InitArgs, VerbosityArgs};
use crate::execution::executor::{PreflightError, preflight};
use crate::planning::plan::Plan;
use crate::planning::scenario::ScenarioOverrides;
use crate::servers::discovery::{DiscoveredModel, DiscoveryError, ServerProfile, discover};
use crate::vocabulary::spec::target_api::TargetApi;
use crate::vocabulary::spec::workload::AnswerPolicy;
use crate::vocabulary::template::quoted_all;

use asked_target::{asked_cell, named_api};
use scenario_text::ScenarioSketch;

pub fn run(args: &InitArgs, talk: VerbosityArgs) -> anyhow::Result<ExitReason> {
    if let Some(fault) = unwritable(args) {
        eprintln!("error: {fault}");
        return Ok(ExitReason::Usage);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().context("cannot start the runtime")?;
    let Some(asked) = asked_cell(args, talk)? else { return Ok(ExitReason::Usage) };
    let profile = match runtime.block_on(discover(&asked.target)) {
        Ok(profile) => profile,
        Err(error) => {
            let said = asked.mask().hide(error.to_string());
            eprintln!("error: {said}{}", hint(&error).map(|hint| format!("\nhint: {hint}")).unwrap_or_default());
            return Ok(ExitReason::Usage);
        }
    };
    let api = api(args, &profile);
    let Some(model) = model(args, &profile) else {
        eprintln!("error: `{}` does not list its models, so that none could be chosen\nhint: name it with `--model`", args.url);
        return Ok(ExitReason::Usage);
    };
    let sketch = |answers| ScenarioSketch { args, profile: &profile, model: &model, api, answers };
    // Anthropic's Messages have no fields that force a length.
    let first = if api == TargetApi::Messages { AnswerPolicy::Live } else { AnswerPolicy::ForcedLength };
    let Some((text, plan)) = planned(args, &sketch(first), talk)? else { return Ok(ExitReason::Usage) };
    let served = runtime.block_on(served(&plan));
    // A server that takes no forced length may take requests without one.
    let live = match &served {
        Err(_) => planned(args, &sketch(AnswerPolicy::Live), talk)?.filter(|(_, plan)| runtime.block_on(self::served(plan)).is_ok()),
        Ok(()) => None,
    };
    let forces_length = live.is_none() && first == AnswerPolicy::ForcedLength;
    let (text, plan, served) = live.map_or((text, plan, served), |(text, plan)| (text, plan, Ok(())));
    write(&args.output, &text, args.force)?;
    if !talk.quiet {
        let shown = args.output.display().to_string();
        let found = told::told(&sketch(if forces_length { AnswerPolicy::ForcedLength } else { AnswerPolicy::Live }), served.as_ref().err());
        let next = quoted_all(&["bench".to_owned(), "sweep".to_owned(), shown.clone()]);
        print(&format!("{found}wrote {shown}\n{}next: {next}\n", plan_summary(&plan)?))?;
    }
    Ok(ExitReason::Success)
}

/// Why the file will not be written, told before anybody is asked anything.
fn unwritable(args: &InitArgs) -> Option<String> {
    let shown = args.output.display();
    if args.output.extension().is_none_or(|ending| ending != "toml") {
        return Some(format!("`{shown}` does not end in `.toml`, in which the scenario is written\nhint: `-o my.toml`"));
    }
    (!args.force && args.output.exists())
        .then(|| format!("`{shown}` exists, and is left as it is\nhint: name another file with `-o`, or overwrite it with `--force`"))
}

/// The API that is named, else that of the URL's endpoint, else the first that the server has.
fn api(args: &InitArgs, profile: &ServerProfile) -> TargetApi {
    const IN_ORDER: [TargetApi; 4] = [TargetApi::Chat, TargetApi::Responses, TargetApi::Messages, TargetApi::Completions];
    named_api(args).or_else(|| IN_ORDER.into_iter().find(|api| profile.apis.contains(api))).unwrap_or_default()
}

fn hint(error: &DiscoveryError) -> Option<&'static str> {
    match error {
        DiscoveryError::KeyWanted(_) => Some("put the API key into an environment variable and name that: `--api-key-env NAME`"),
        DiscoveryError::KeyRefused(_) => Some("is the key in that environment variable right?"),
        DiscoveryError::Endpoint(_) => None,
    }
}

/// The model that is named, else the first that the server lists.
fn model(args: &InitArgs, profile: &ServerProfile) -> Option<DiscoveredModel> {
    let Some(name) = &args.model else { return profile.models.first().cloned() };
    let listed = profile.models.iter().find(|model| model.name == *name).cloned();
    Some(listed.unwrap_or_else(|| DiscoveredModel { name: name.clone(), context: None }))
}

/// The scenario's text and its plan; `None` where a flag makes it a fault, which has then been printed.
fn planned(args: &InitArgs, sketch: &ScenarioSketch<'_>, talk: VerbosityArgs) -> anyhow::Result<Option<(String, Plan)>> {
    let text = sketch.render()?;
    let file = args.output.display().to_string();
    Ok(plan_of_text(&file, &text, &ScenarioOverrides::default(), talk)?.map(|plan| (text, plan)))
}

/// Whether the server takes what the first run sends: one small request.
async fn served(plan: &Plan) -> Result<(), PreflightError> {
    match plan.runs.first() {
        Some(run) => preflight(run).await.map(|_| ()),
        None => Ok(()),
    }
}

fn write(file: &Path, text: &str, force: bool) -> anyhow::Result<()> {
    let mut options = fs_err::OpenOptions::new();
    options.write(true).truncate(force).create(force).create_new(!force);
    Ok(options.open(file)?.write_all(text.as_bytes())?)
}
