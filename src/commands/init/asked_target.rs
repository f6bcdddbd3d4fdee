//! Whom a new scenario measures and how it is reached: flags in, fields of `[target]` out, and the same read as any scenario is, so that
//! what is wrong with them is told before anybody is asked.

use toml::{Table, Value};

use crate::cli::{InitApi, InitArgs, VerbosityArgs};
use crate::commands::scenarios::plan_of_text;
use crate::planning::scenario::{CellSpec, ScenarioOverrides};
use crate::vocabulary::spec::target_api::TargetApi;

/// The API that a flag names, or the endpoint whose URL is given.
pub(super) fn named_api(args: &InitArgs) -> Option<TargetApi> {
    let of_flag = args.api.map(|api| match api {
        InitApi::Chat => TargetApi::Chat,
        InitApi::Completions => TargetApi::Completions,
        InitApi::Responses => TargetApi::Responses,
        InitApi::Messages => TargetApi::Messages,
    });
    let path = args.url.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    of_flag.or_else(|| TargetApi::of_endpoint(path))
}

/// The fields that say how the server is reached, beside its address, model, API and key; none of them has a default in its place.
pub(super) fn reach(args: &InitArgs) -> Table {
    let mut fields = Table::new();
    let files = [("ca_file", &args.ca_file), ("client_certificate", &args.client_certificate), ("client_key", &args.client_key)];
    for (name, file) in files {
        if let Some(file) = file {
            fields.insert(name.to_owned(), Value::String(file.display().to_string()));
        }
    }
    if args.insecure {
        fields.insert("insecure".to_owned(), Value::Boolean(true));
    }
    if !args.headers.is_empty() {
        let headers = args.headers.iter().map(|header| {
            // Without a colon it is no header, which the reader says.
            let (name, value) = header.split_once(':').unwrap_or((header, ""));
            (name.trim().to_owned(), Value::String(value.trim().to_owned()))
        });
        fields.insert("headers".to_owned(), Value::Table(headers.collect()));
    }
    fields
}

/// A cell of one request to the server, so that it can be asked; `None` where a flag is a fault, which has then been printed.
pub(super) fn asked_cell(args: &InitArgs, talk: VerbosityArgs) -> anyhow::Result<Option<CellSpec>> {
    let mut target = reach(args);
    target.insert("url".to_owned(), Value::String(args.url.clone()));
    target.insert("api".to_owned(), Value::String(named_api(args).unwrap_or_default().name().to_owned()));
    if let Some(name) = &args.api_key_env {
        target.insert("api_key_env".to_owned(), Value::String(name.clone()));
    }
    let workload: Table = [("kind", Value::from("requests")), ("qps", Value::from(1.0)), ("requests", Value::from(1))]
        .into_iter()
        .chain([("prompt_tokens", Value::from(1)), ("answer_tokens", Value::from(1))])
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let document = [("name", Value::from("init")), ("workload", Value::Table(workload)), ("target", Value::Table(target))];
    let text = toml::to_string(&document.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Table>())?;
    let plan = plan_of_text(&args.output.display().to_string(), &text, &ScenarioOverrides::default(), talk)?;
    Ok(plan.and_then(|plan| plan.runs.into_iter().next()).map(|run| run.cell))
}
