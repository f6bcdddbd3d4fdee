//! What was found out about a server, and what was not: lines for people.

use std::fmt::Write as _;

use super::scenario_text::ScenarioSketch;
use crate::execution::executor::PreflightError;
use crate::foundation::sentence::sentence;
use crate::foundation::units::grouped;
use crate::servers::discovery::{DiscoveredModel, MetricsDiscovery, ResetDiscovery, ServerEngine, ServerProfile};
use crate::vocabulary::spec::workload::AnswerPolicy;

/// The lines, each with its end.
pub(super) fn told(sketch: &ScenarioSketch<'_>, unserved: Option<&PreflightError>) -> String {
    let ScenarioSketch { args, profile, model, api, answers } = *sketch;
    let mut lines = vec![format!("{}: {}", args.url.split('?').next().unwrap_or_default(), engine(profile))];
    lines.push(model_line(model));
    if !profile.apis.is_empty() {
        let names: Vec<&str> = profile.apis.iter().map(|api| api.name()).collect();
        lines.push(format!("APIs: it has {}; `{}` is measured", names.join(", "), api.name()));
    }
    lines.extend(profile.kv_pool_tokens.map(|tokens| format!("its KV cache holds {} tokens", grouped(tokens))));
    if let MetricsDiscovery::Page { names, .. } = profile.metrics {
        lines.push(format!("metrics: {names} names on /metrics, which are recorded while it runs"));
    }
    if let ResetDiscovery::Paths(paths) = &profile.resets
        && !paths.is_empty()
    {
        lines.push(format!("its caches are emptied before each cell, by a POST to {}", paths.join(" and ")));
    }
    match unserved {
        None if answers == AnswerPolicy::ForcedLength => lines.push("a small request was answered".to_owned()),
        None => lines.push(
            "a small request was answered; not with an answer of a forced length, so answers end where the server ends them".to_owned(),
        ),
        Some(error) => {
            lines.push(format!("warning: {error}"));
            lines.extend(error.hint().map(|hint| format!("hint: {hint}")));
        }
    }
    lines.extend(unknowns(profile, model).into_iter().map(|unknown| format!("not found out: {unknown}")));
    lines.iter().fold(String::new(), |mut page, line| {
        let _ = writeln!(page, "{}", sentence(line));
        page
    })
}

/// `vLLM 0.32.0`.
pub(super) fn engine(profile: &ServerProfile) -> String {
    let name = profile.engine.map_or("an engine that does not tell its name", ServerEngine::name);
    profile.version.as_ref().map_or_else(|| name.to_owned(), |version| format!("{name}, version {version}"))
}

fn model_line(model: &DiscoveredModel) -> String {
    match model.context {
        Some(tokens) => format!("model `{}`, {} tokens of prompt and answer at most", model.name, grouped(tokens)),
        None => format!("model `{}`", model.name),
    }
}

/// What the server did not tell, with what to do about it.
pub(super) fn unknowns(profile: &ServerProfile, model: &DiscoveredModel) -> Vec<String> {
    let mut unknowns = Vec::new();
    if model.context.is_none() {
        unknowns.push("how many tokens a request may have; lengths are made for 4,096, and `target.context_limit` says more".to_owned());
    }
    if !profile.models.is_empty() && !profile.models.iter().any(|listed| listed.name == model.name) {
        unknowns.push(format!("whether `{}` is served: it is not among the models that the server lists", model.name));
    }
    let advice = |advice: Option<&'static str>| advice.map(|advice| format!("; {advice}")).unwrap_or_default();
    if let MetricsDiscovery::Missing(error) = &profile.metrics {
        let advice = advice(profile.engine.and_then(ServerEngine::metrics_advice));
        unknowns.push(format!("what the bottleneck will be, since there is no page of metrics: {error}{advice}"));
    }
    let salted = "every prompt begins with words of its own instead";
    match &profile.resets {
        ResetDiscovery::Paths(paths) if paths.is_empty() => {
            let advice = advice(profile.engine.and_then(ServerEngine::reset_advice));
            unknowns.push(format!("how to empty its caches: {salted}{advice}"));
        }
        ResetDiscovery::Untold => unknowns.push(format!("how to empty its caches, since it answers alike to any path: {salted}")),
        ResetDiscovery::Paths(_) => {}
    }
    if let MetricsDiscovery::Page { has_lmcache: true, .. } = profile.metrics {
        unknowns.push("where LMCache empties its tiers: add its own endpoint to `server.reset` (docs/servers.md)".to_owned());
    }
    unknowns
}
