//! Before a target's first cell: one small request over the wire that is going to be measured, so that a wrong address, key, path, model or
//! field is found before anything is run. The same request tells after failures whether the server still serves.
//!
//! In come a run and its target; out come what the answer told, or the fault in words with the URL that was asked. It is no row, and what
//! it leaves in a cache is a chat template and eight words that nobody sends again.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use crate::foundation::clock::Clock;
use crate::planning::plan::Run;
use crate::records::record::{FailureKind, RequestFailure};
use crate::servers::client::{HttpExchange, HttpTarget, ModelList, TargetError, UNTRUSTED};
use crate::vocabulary::session::{ChatMessage, MessageRole, Prompt};
use crate::vocabulary::spec::target::TargetSpec;
use crate::workloads::workload::canary_text;

/// The words of the prompt, each of one token under nearly every vocabulary.
const WORDS: u64 = 8;
/// The tokens that are asked for: more than one, since the first may be empty.
const ANSWER_TOKENS: u32 = 4;
/// How often, and at what distance, a server is asked that answers and fails: before a run, and after one, when it may be recovering.
const ATTEMPTS: u32 = 3;
const ATTEMPTS_AFTER: u32 = 20;
const PAUSE: Duration = Duration::from_millis(500);
/// How long the question whether a server still serves may take. One that is silent for longer may be busy with what it was sent.
const STILL_SERVING: Duration = Duration::from_mins(1);

/// What the answer told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PreflightFacts {
    /// The only model that is served, where the scenario names none.
    pub model: Option<String>,
    /// What the server counts beyond the prompt's words: its chat template.
    pub template_tokens: Option<u64>,
}

/// Why nothing is measured at a target.
#[derive(Debug, thiserror::Error)]
pub enum PreflightError {
    #[error(transparent)]
    Target(#[from] TargetError),
    /// Asked once, or a few times where it answered and failed.
    /// Of several servers.
    #[error("`{url}` does not list the model `{model}`, which `{other}` does, but {names}")]
    OtherModel { url: String, other: String, model: String, names: String },
    #[error("`{url}` does not serve a small request: {}: {}", .failure.kind.name(), .failure.detail)]
    Unserved { url: String, failure: RequestFailure, hint: Option<String> },
}

impl PreflightError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Target(_) => None,
            Self::OtherModel { .. } => Some("the servers of `target.urls` share the sessions: each must serve the model `target.model`"),
            Self::Unserved { hint, .. } => hint.as_deref(),
        }
    }

    /// Whether somebody answered and failed, which may be over in a moment.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self, Self::Unserved { failure, .. } if is_passing(failure.kind))
    }
}

/// Whether the same request would tell the same of two runs, as a text to be compared.
pub(super) fn preflight_key(run: &Run) -> String {
    format!(
        "{} {} {:?}",
        serde_json::to_value(&run.cell.target).unwrap_or_default(),
        run.cell.workload.forces_length(),
        run.cell.target.headers
    )
}

/// Asks the target of a run whether it serves what the run is going to send.
///
/// # Errors
/// Where it does not, and waiting for two seconds changes nothing.
pub async fn preflight(run: &Run) -> Result<PreflightFacts, PreflightError> {
    let mut spec = run.cell.target.clone();
    let target = HttpTarget::new(&spec, Clock::real())?;
    let lists = target.models().await;
    let model = unnamed_model(&spec, &lists, &target);
    same_model(model.as_ref().unwrap_or(&spec.model), &lists, &target)?;
    let target = match &model {
        Some(model) => {
            model.clone_into(&mut spec.model);
            HttpTarget::new(&spec, Clock::real())?
        }
        None => target,
    };
    let forces_length = run.cell.workload.forces_length();
    let mut facts = PreflightFacts { model, template_tokens: None };
    for session in 0..target.site_count() {
        match asked(&target, session, forces_length, ATTEMPTS).await {
            Ok(template_tokens) => facts.template_tokens = facts.template_tokens.or(template_tokens),
            Err(failure) => {
                let models = usize::try_from(session).ok().and_then(|number| lists.get(number)).cloned().unwrap_or_default();
                let hint = hint(&failure, &spec, &models, forces_length);
                return Err(PreflightError::Unserved { url: target.shown_url(session).to_owned(), failure, hint });
            }
        }
    }
    Ok(facts)
}

/// After a run with failures: how the server does not serve any more, if so. One that is only silent is not accused.
pub(super) async fn gone(run: &Run) -> Option<String> {
    let target = HttpTarget::new(&run.cell.target, Clock::real()).ok()?;
    for session in 0..target.site_count() {
        let asking = tokio::time::timeout(STILL_SERVING, asked(&target, session, run.cell.workload.forces_length(), ATTEMPTS_AFTER));
        let answered = asking.await.unwrap_or(Ok(None));
        let gone = |failure: &RequestFailure| !is_timeout(failure.kind) && (failure.kind.is_unserved() || is_passing(failure.kind));
        if let Some(failure) = answered.err().filter(gone) {
            return Some(format!("`{}`: {}: {}", target.shown_url(session), failure.kind.name(), failure.detail));
        }
    }
    None
}

/// The only model there is, where none is named and no server knows the name that stands for any; of several servers, that of the first
/// which tells.
fn unnamed_model(spec: &TargetSpec, lists: &[ModelList], target: &HttpTarget) -> Option<String> {
    if spec.model != TargetSpec::ANY_MODEL || lists.iter().any(|models| models.holds(TargetSpec::ANY_MODEL)) {
        return None;
    }
    let (session, only) = (0..).zip(lists).find_map(|(session, models)| Some((session, models.only()?)))?;
    // One that cannot be shown as it is must be written by somebody who has seen it.
    target.endpoint(session).may_show(only).then(|| only.to_owned())
}

/// Where one of several servers lists the model, those that list others serve something else.
fn same_model(model: &str, lists: &[ModelList], target: &HttpTarget) -> Result<(), PreflightError> {
    let of_list = |is_meant: &dyn Fn(&ModelList) -> bool| (0..).zip(lists).find(|(_, models)| !models.is_empty() && is_meant(models));
    let (Some((other, _)), Some((lacking, models))) = (of_list(&|models| models.holds(model)), of_list(&|models| !models.holds(model)))
    else {
        return Ok(());
    };
    let url = |session| target.shown_url(session).to_owned();
    Err(PreflightError::OtherModel { url: url(lacking), other: url(other), model: model.to_owned(), names: names(models) })
}

/// Some of the models that a server lists.
fn names(models: &ModelList) -> String {
    models.names().take(8).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Asks until it is served, or surely not; the tokens of the chat template where they are told.
async fn asked(target: &HttpTarget, session: u64, forces_length: bool, attempts: u32) -> Result<Option<u64>, RequestFailure> {
    let mut attempt = 1;
    loop {
        let exchange = ask(target, session, forces_length).await;
        match exchange.failure {
            None => return Ok(exchange.usage.map(|usage| usage.prompt_tokens.saturating_sub(WORDS))),
            // The words of the answer do not matter.
            Some(RequestFailure { kind: FailureKind::NoToken, .. }) => return Ok(None),
            Some(failure) if is_passing(failure.kind) && attempt < attempts => {
                attempt += 1;
                tokio::time::sleep(PAUSE).await;
            }
            // Somebody serves, and others were first.
            Some(RequestFailure { kind: FailureKind::Http(429), .. }) => return Ok(None),
            Some(failure) => return Err(failure),
        }
    }
}

async fn ask(target: &HttpTarget, session: u64, forces_length: bool) -> HttpExchange {
    let name = format!("{:016x}", RandomState::new().hash_one(std::process::id()));
    let messages = vec![ChatMessage::new(MessageRole::User, canary_text(&name, usize::try_from(WORDS).unwrap_or(0)))];
    let prompt = Prompt { session, turn: 0, messages, max_tokens: ANSWER_TOKENS, exact_length: forces_length, user_id: None };
    target.send(&target.prepare(prompt), None).await
}

/// What may be over in a moment, since somebody answered.
fn is_passing(kind: FailureKind) -> bool {
    use FailureKind::{ErrorEvent, Http, MalformedStream, ResetMidStream, Truncated};
    matches!(kind, Http(408 | 425 | 429 | 500..) | ResetMidStream | MalformedStream | ErrorEvent | Truncated)
}

fn is_timeout(kind: FailureKind) -> bool {
    matches!(kind, FailureKind::TimeoutFirstToken | FailureKind::TimeoutIdle | FailureKind::TimeoutTotal)
}

fn hint(failure: &RequestFailure, spec: &TargetSpec, models: &ModelList, forces_length: bool) -> Option<String> {
    let has_key = spec.api_key_env.is_some() || spec.api_key_file.is_some() || spec.api_key_command.is_some();
    let text = match failure.kind {
        FailureKind::Connect => "is the server running, and is `target.url` right?".to_owned(),
        FailureKind::Tls => UNTRUSTED.to_owned(),
        FailureKind::Http(300..400) => "write the address that it leads to in `target.url`: redirects are not followed".to_owned(),
        FailureKind::Http(401 | 403) if has_key => "is the API key right?".to_owned(),
        FailureKind::Http(401 | 403) => "no API key was sent: `target.api_key_env` names the variable that holds it".to_owned(),
        FailureKind::Http(400 | 404 | 422) if !models.is_empty() && !models.holds(&spec.model) => {
            format!("it does not list the model `{}`, but {}: set `target.model`", spec.model, names(models))
        }
        FailureKind::Http(404 | 405) => {
            "is `target.url` right? It is what stands before `/v1/chat/completions`, or the whole of it; `target.api` says which endpoint is asked"
                .to_owned()
        }
        // Where the server names the fields, the failure says what to do.
        FailureKind::Http(400 | 422) if forces_length && !failure.detail.contains("answers = ") => {
            "answers are made exactly long by `ignore_eos` and `min_tokens`, which not every server takes: `workload.answers = \"live\"` sends \
             neither"
                .to_owned()
        }
        FailureKind::MalformedStream => "only streams of server-sent events can be measured".to_owned(),
        _ => return None,
    };
    Some(text)
}
