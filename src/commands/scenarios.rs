//! What every verb does that takes scenarios: from the command line's words to plans, or to printed faults.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use crate::cli::{ScenarioArgs, SearchKindArg, VerbosityArgs};
use crate::planning::plan::Plan;
use crate::planning::scenario::{self, DiagnosticStyle, HeaderOverrides, Scenario, ScenarioError, ScenarioOverrides};
use crate::vocabulary::spec::search::SearchKind;

/// The plans of all scenarios that are meant; `None` where they have faults, which have then been printed.
pub(super) fn plans(args: &ScenarioArgs, talk: VerbosityArgs) -> anyhow::Result<Option<Vec<Plan>>> {
    plans_with(&args.scenarios, &options(args), talk)
}

/// The same with changes that the command line does not say in these words.
pub(super) fn plans_with(patterns: &[String], options: &ScenarioOverrides, talk: VerbosityArgs) -> anyhow::Result<Option<Vec<Plan>>> {
    match scenario::load(patterns, options) {
        Ok(scenarios) => scenarios.iter().map(planned).collect::<anyhow::Result<_>>().map(Some),
        Err(faults) => Ok(refused(&faults, talk)),
    }
}

/// The plan of a scenario that the command line made up, named `file` in faults and in the results folder.
pub(super) fn plan_of_text(file: &str, text: &str, options: &ScenarioOverrides, talk: VerbosityArgs) -> anyhow::Result<Option<Plan>> {
    match scenario::load_text(Path::new(file), text, options) {
        Ok(scenario) => Ok(Some(planned(&scenario)?)),
        Err(faults) => Ok(refused(&faults, talk)),
    }
}

/// The changes that the command line asks for.
pub(super) fn options(args: &ScenarioArgs) -> ScenarioOverrides {
    let search = args.search.map(|search| match search {
        SearchKindArg::Grid => SearchKind::Grid,
        SearchKindArg::Frontier => SearchKind::Frontier,
    });
    ScenarioOverrides {
        set: args.set.clone(),
        only: args.only.clone(),
        simulate: args.simulate,
        url: args.target.url.clone(),
        model: args.target.model.clone(),
        api_key_env: args.target.api_key_env.clone(),
        headers: HeaderOverrides(args.target.headers.clone()),
        search,
    }
}

/// The flags that say the same again. The values of headers are secrets: whoever goes on types them again.
pub(super) fn scenario_flags(args: &ScenarioArgs) -> Vec<String> {
    let target = &args.target;
    let names = target.headers.iter().map(|header| header.split(':').next().unwrap_or_default());
    let values: [(&str, Vec<String>); 7] = [
        ("--set", args.set.clone()),
        ("--only", args.only.clone()),
        ("--url", target.url.iter().cloned().collect()),
        ("--model", target.model.iter().cloned().collect()),
        ("--api-key-env", target.api_key_env.iter().cloned().collect()),
        ("--header", names.map(|name| format!("{name}: ...")).collect()),
        ("--search", args.search.iter().map(|search| search.name().to_owned()).collect()),
    ];
    let flags = values.into_iter().flat_map(|(flag, values)| values.into_iter().flat_map(move |value| [flag.to_owned(), value]));
    flags.chain(args.simulate.then(|| "--simulate".to_owned())).collect()
}

/// Whether what goes to stderr may be coloured.
pub(super) fn style(talk: VerbosityArgs) -> DiagnosticStyle {
    let refused = talk.no_color || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if refused || !std::io::stderr().is_terminal() { DiagnosticStyle::Plain } else { DiagnosticStyle::Coloured }
}

/// `results/<name>-<date>-<time>`, in local time.
pub(super) fn default_folder(name: &str) -> PathBuf {
    Path::new("results").join(format!("{name}-{}", jiff::Zoned::now().strftime("%Y-%m-%d-%H%M%S")))
}

/// The plan of a scenario; why there is none comes with what to change.
fn planned(scenario: &Scenario) -> anyhow::Result<Plan> {
    Plan::new(scenario).map_err(|error| match error.hint() {
        Some(hint) => anyhow::anyhow!("{}: {error}\nhint: {hint}", scenario.origin.path.display()),
        None => error.into(),
    })
}

/// Prints the faults; nothing is left to do then.
fn refused<T>(faults: &ScenarioError, talk: VerbosityArgs) -> Option<T> {
    eprintln!("{}", faults.render(style(talk)));
    None
}
