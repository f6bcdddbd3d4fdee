//! The text of a new scenario: what a server told and what was typed in, a commented TOML document out.

use minijinja::syntax::SyntaxConfig;
use serde::Serialize;

use super::asked_target::reach;
use super::told::{engine, unknowns};
use crate::cli::{InitArgs, InitWorkload};
use crate::foundation::units::grouped;
use crate::servers::discovery::{DiscoveredModel, ResetDiscovery, ServerProfile};
use crate::vocabulary::spec::target_api::TargetApi;
use crate::vocabulary::spec::workload::AnswerPolicy;

const TEMPLATE: &str = include_str!("../../../templates/init.toml");
/// The tokens of a request that lengths are made for where the server does not tell its limit.
const UNTOLD_CONTEXT: u64 = 4096;
/// Tokens that a chat template, a salt and what a token rule is off by may add to a request.
const RESERVE: u64 = 256;
/// The follow-up questions of a session: in 3 repeats 60 rows in the smallest cell, one more than a p95 needs.
const ROUNDS: u64 = 20;

/// What a scenario is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct ScenarioSketch<'a> {
    pub args: &'a InitArgs,
    pub profile: &'a ServerProfile,
    pub model: &'a DiscoveredModel,
    pub api: TargetApi,
    /// Whether answers have a forced length, or end where the server ends them.
    pub answers: AnswerPolicy,
}

/// What the template's fields stand for. Texts of TOML are quoted already.
#[derive(Serialize)]
struct ScenarioTemplateContext {
    name: String,
    file: String,
    workload: &'static str,
    engine: String,
    url: String,
    model: String,
    other_models: Vec<String>,
    api_key_env: Option<String>,
    /// Left out where it is the usual one.
    api: Option<String>,
    /// Headers, certificates and what else says how it is reached, a line each.
    reach: Vec<String>,
    context: Option<String>,
    kv_pool: Option<String>,
    /// How many of the documents that the pool holds.
    pool_documents: Option<u64>,
    lengths: RequestLengths,
    rounds: u64,
    forces_length: bool,
    resets: Vec<String>,
    goals: Vec<String>,
    /// What the picture shows.
    measure: &'static str,
    unknowns: Vec<String>,
}

/// The tokens of what is sent, which fit into the model's context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct RequestLengths {
    prompt: u64,
    answer: u64,
    /// A document, or a chat's system prompt and each user's history.
    context: u64,
    question: u64,
}

impl ScenarioSketch<'_> {
    /// The whole document.
    pub(super) fn render(&self) -> anyhow::Result<String> {
        let mut environment = minijinja::Environment::new();
        environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
        // Its ending is none for which texts would be escaped.
        environment.add_template("init.toml", TEMPLATE)?;
        let text = environment.get_template("init.toml")?.render(minijinja::value::Serde(self.context()))?;
        Ok(text.trim_end().to_owned() + "\n")
    }

    fn context(&self) -> ScenarioTemplateContext {
        let Self { args, profile, model, api, answers } = *self;
        let lengths = RequestLengths::within(args.workload, model.context.unwrap_or(UNTOLD_CONTEXT));
        let session = lengths.context + ROUNDS * (lengths.question + lengths.answer);
        ScenarioTemplateContext {
            name: quoted(&name(args)),
            file: comment(&args.output.display().to_string()),
            workload: match args.workload {
                InitWorkload::Requests => "requests",
                InitWorkload::Chat => "chat",
                InitWorkload::DocumentQa => "document_qa",
            },
            engine: comment(&engine(profile)),
            url: quoted(&args.url),
            model: quoted(&model.name),
            other_models: profile
                .models
                .iter()
                .filter(|other| other.name != model.name)
                .take(8)
                .map(|other| comment(&other.name))
                .collect(),
            api_key_env: args.api_key_env.as_deref().map(quoted),
            api: (api != TargetApi::default()).then(|| quoted(api.name())),
            reach: reach(args).into_iter().map(|(name, value)| format!("{name} = {value}")).collect(),
            context: model.context.map(|tokens| tokens.to_string()),
            kv_pool: profile.kv_pool_tokens.map(grouped),
            pool_documents: profile.kv_pool_tokens.map(|tokens| tokens / session.max(1)),
            lengths,
            rounds: ROUNDS,
            forces_length: answers == AnswerPolicy::ForcedLength,
            resets: match &profile.resets {
                ResetDiscovery::Paths(paths) => paths.iter().map(|path| quoted(path)).collect(),
                ResetDiscovery::Untold => Vec::new(),
            },
            goals: goals(args).iter().map(|goal| quoted(goal)).collect(),
            measure: measure(args.workload),
            unknowns: unknowns(profile, model).iter().map(|unknown| comment(unknown)).collect(),
        }
    }
}

impl RequestLengths {
    /// Usual lengths where the model takes them, else shares of what it takes.
    fn within(workload: InitWorkload, context: u64) -> Self {
        let room = context.saturating_sub(RESERVE.min(context / 4));
        let (question, answer) = (32.min(room / 64).max(1), 100.min(room / 64).max(1));
        match workload {
            InitWorkload::Requests => Self { prompt: 1000.min(room / 2).max(1), answer: 100.min(room / 4).max(1), context: 0, question },
            InitWorkload::Chat => Self { prompt: 0, answer, context: 1000.min(room / 4).max(1), question },
            InitWorkload::DocumentQa => {
                let answer = 64.min(room / 64).max(1);
                Self {
                    prompt: 0,
                    answer,
                    context: 16_384.min(room.saturating_sub((ROUNDS + 1) * (question + answer)) * 3 / 4).max(1),
                    question,
                }
            }
        }
    }
}

/// What the picture shows, and the usual goal limits.
fn measure(workload: InitWorkload) -> &'static str {
    match workload {
        InitWorkload::Requests => "p95(ttft)",
        // From when a turn was due: it holds the wait for a place.
        InitWorkload::Chat => "p95(ttft_intended)",
        InitWorkload::DocumentQa => "p95(ttft where turn >= 1)",
    }
}

fn goals(args: &InitArgs) -> Vec<String> {
    // A request that failed is slower than any limit, so that a goal on failures would ask for more rows and find nothing else.
    if args.goals.is_empty() { vec![format!("{} <= 2s", measure(args.workload))] } else { args.goals.clone() }
}

/// The file's name without its ending, where that may name a folder of results.
fn name(args: &InitArgs) -> String {
    let stem = args.output.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let plain: String =
        stem.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' }).take(64).collect();
    let plain = plain.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    if plain.is_empty() { "server".to_owned() } else { plain.to_owned() }
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// A text within a comment: one line.
fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_fits_into_any_context() {
        for context in [512, 1024, 2048, 4096, 8192, 32_768, 1_000_000] {
            let requests = RequestLengths::within(InitWorkload::Requests, context);
            assert!(requests.prompt + requests.answer < context, "{context}: {requests:?}");
            let chat = RequestLengths::within(InitWorkload::Chat, context);
            assert!(2 * chat.context + 5 * (chat.question + chat.answer) < context, "{context}: {chat:?}");
            let documents = RequestLengths::within(InitWorkload::DocumentQa, context);
            assert!(documents.context + (ROUNDS + 1) * (documents.question + documents.answer) < context, "{context}: {documents:?}");
        }
        assert_eq!(
            RequestLengths::within(InitWorkload::Requests, 32_768),
            RequestLengths { prompt: 1000, answer: 100, context: 0, question: 32 }
        );
        assert_eq!(RequestLengths::within(InitWorkload::DocumentQa, 32_768).context, 16_384);
    }
}
