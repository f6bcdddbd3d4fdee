//! What single requests and recorded sessions cost: their own lengths, those of a trace, and what is known of texts in files.

use super::PlanError;
use super::cost_estimator::{ChatTemplateTokens, RunCost, longest};
use crate::vocabulary::recording::{RecordedTurn, SessionRecording, Trace};
use crate::vocabulary::spec::lengths::LengthDistribution;
use crate::vocabulary::spec::workload::{RequestsSpec, SessionsSpec};
use crate::workloads::arrival::PlannedLoad;
use crate::workloads::workload::Corpus;
use crate::workloads::workload::lengths::{LengthPurpose, LengthSampler};

pub(super) fn requests_cost(
    spec: &RequestsSpec,
    load: PlannedLoad,
    template: ChatTemplateTokens,
    corpus: &Corpus,
) -> Result<RunCost, PlanError> {
    let sampler = |lengths, purpose| LengthSampler::new(lengths, 0, purpose, corpus);
    let prompts = sampler(&spec.prompt_tokens, LengthPurpose::Prompt)?;
    let answers = sampler(&spec.answer_tokens, LengthPurpose::Answer)?;
    let frame = template.message * (1 + u64::from(spec.shared_prefix_tokens.0 > 0)) + template.head;
    let each = spec.shared_prefix_tokens.0.saturating_add(frame);
    let parts = [(spec.shared_prefix_tokens.0, "system prompt"), (prompts.longest(), "prompt"), (frame, "chat template")];
    Ok(RunCost {
        requests: load.requests,
        measured: load.measured,
        prompt_tokens: load.requests.map(|requests| prompts.of_all(requests).saturating_add(requests.saturating_mul(each))),
        answer_tokens: load.requests.map(|requests| answers.of_all(requests)),
        duration_s: load.duration_s,
        exact: load.is_certain && spec.prompt_tokens.is_fixed() && spec.answer_tokens.is_fixed(),
        longest: Some(longest(0, &parts, 0, answers.longest())),
    })
}

/// How long a user's own prompts are is counted when they are sent.
pub(super) fn own_prompts_cost(answer_tokens: &LengthDistribution, load: PlannedLoad, corpus: &Corpus) -> Result<RunCost, PlanError> {
    let answers = LengthSampler::new(answer_tokens, 0, LengthPurpose::Answer, corpus)?;
    Ok(RunCost {
        requests: load.requests,
        measured: load.measured,
        prompt_tokens: None,
        answer_tokens: load.requests.map(|requests| answers.of_all(requests)),
        duration_s: load.duration_s,
        exact: false,
        longest: None,
    })
}

/// Of prompts that stand by themselves, lengths are recorded; how long a history of texts grows is counted when it is sent.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "expected counts, saturating")]
pub(super) fn sessions_cost(
    spec: &SessionsSpec,
    load: PlannedLoad,
    recording: &SessionRecording,
    template: ChatTemplateTokens,
    corpus: &Corpus,
) -> Result<RunCost, PlanError> {
    let unsaid = LengthSampler::new(&spec.answer_tokens, 0, LengthPurpose::Answer, corpus)?;
    let frame = template.message + template.head;
    let turns =
        || (0..recording.count()).flat_map(|session| recording.turns(session)).zip(0..load.requests.unwrap_or(0)).map(|(turn, _)| turn);
    let answers: f64 = turns().map(|turn| turn.output_tokens.map_or_else(|| unsaid.mean(), f64::from)).sum();
    let most = turns().max_by_key(|turn| u64::from(turn.input_tokens.unwrap_or(0)) + u64::from(turn.output_tokens.unwrap_or(0)));
    let is_whole = recording.has_whole_prompts();
    let prompts = || turns().map(|turn| u64::from(turn.input_tokens.unwrap_or(0)) + frame).sum();
    let longest_of = |turn: &RecordedTurn| {
        let answer = turn.output_tokens.map_or_else(|| unsaid.longest(), u64::from);
        longest(0, &[(u64::from(turn.input_tokens.unwrap_or(0)), "prompt"), (frame, "chat template")], 0, answer)
    };
    Ok(RunCost {
        requests: load.requests,
        measured: load.measured,
        prompt_tokens: is_whole.then(prompts),
        answer_tokens: Some(answers.round() as u64),
        duration_s: load.duration_s,
        exact: false,
        longest: most.filter(|_| is_whole).map(longest_of),
    })
}

pub(super) fn trace_cost(load: PlannedLoad, trace: &Trace, template: ChatTemplateTokens) -> RunCost {
    let frame = template.message + template.head;
    let most = trace.longest().and_then(|(number, _)| trace.request(number));
    let sent = || trace.iter().zip(0..load.requests.unwrap_or(0)).map(|(request, _)| request);
    RunCost {
        requests: load.requests,
        measured: load.measured,
        prompt_tokens: Some(sent().map(|request| request.input_tokens + frame).sum()),
        answer_tokens: Some(sent().map(|request| u64::from(request.output_tokens)).sum()),
        duration_s: load.duration_s,
        exact: load.is_certain,
        longest: most.map(|most| longest(0, &[(most.input_tokens, "prompt"), (frame, "chat template")], 0, most.output_tokens.into())),
    }
}
