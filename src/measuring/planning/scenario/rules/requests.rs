//! Rules of `[workload]` of kind `requests`: what a process needs, what a trace brings along, what users are, and where a run ends.

use super::lengths;
use super::workload::{WHERE, rate};
use super::{FileLookupCache, RuleReporter};
use crate::foundation::named_file::NamedFile;
use crate::vocabulary::spec::workload::{AnswerPolicy, ArrivalPattern, RequestsSpec};

pub fn check(spec: &RequestsSpec, disk: &mut FileLookupCache, look: &mut RuleReporter<'_>) {
    match spec.arrival {
        ArrivalPattern::Trace => trace(spec, disk, look),
        ArrivalPattern::Constant | ArrivalPattern::Poisson | ArrivalPattern::Gamma => process(spec, disk, look),
        ArrivalPattern::Closed => closed(spec, disk, look),
    }
    if spec.arrival != ArrivalPattern::Closed {
        look.at_least_one(&["workload", "max_in_flight"], spec.max_in_flight.into());
        for field in ["concurrency", "think_time"] {
            if look.is_written(&["workload", field]) {
                let message = format!("`{field}` says nothing beside requests that wait for no answer");
                look.fault(&["workload", field], message, "write `arrival = \"closed\"`, or leave it out");
            }
        }
    }
    own_prompts(spec, disk, look);
    end(spec, look);
    warmup_requests(spec, look);
    if spec.answers == AnswerPolicy::Scripted {
        let hint = "write `answers = \"forced_length\"` for equal work, or `answers = \"live\"`";
        look.fault(&["workload", "answers"], "a scripted answer says nothing where no turn comes after it", hint);
    }
}

fn process(spec: &RequestsSpec, disk: &mut FileLookupCache, look: &mut RuleReporter<'_>) {
    rate(spec.qps, "requests per second on average: `qps = 4` or `qps = 0.5`", look);
    lengths_of(spec, disk, look);
    burstiness(spec, look);
    for field in ["trace", "trace_unit", "speed_up", "block_tokens"] {
        if look.is_written(&["workload", field]) {
            let message = format!("`{field}` says nothing beside arrivals that follow no trace");
            look.fault(&["workload", field], message, "write `arrival = \"trace\"`, or leave it out");
        }
    }
}

fn closed(spec: &RequestsSpec, disk: &mut FileLookupCache, look: &mut RuleReporter<'_>) {
    match spec.concurrency {
        None => {
            let hint = "write `concurrency = 8`, or several of them: `[matrix] concurrency = \"1..=64 x2\"`";
            look.fault(&["workload", "arrival"], "`arrival = \"closed\"` needs `concurrency`, the number of users", hint);
        }
        Some(users) => look.at_least_one(&["workload", "concurrency"], users.into()),
    }
    for (field, instead) in [
        ("qps", "users ask as fast as they are answered; `arrival = \"poisson\"` has a rate"),
        ("burstiness", "users ask as fast as they are answered; `arrival = \"gamma\"` has a rate and a shape"),
        ("trace", "users ask as fast as they are answered; `arrival = \"trace\"` sends it again"),
        ("trace_unit", "it is of a trace"),
        ("speed_up", "it is of a trace"),
        ("block_tokens", "it is of a trace"),
        ("max_in_flight", "never more are in flight than `concurrency`"),
    ] {
        if look.is_written(&["workload", field]) {
            let message = format!("`{field}` says nothing beside a closed loop");
            look.contradiction(&["workload", field], &["workload", "arrival"], message, format!("leave it out: {instead}"));
        }
    }
    lengths_of(spec, disk, look);
}

/// A user's own prompts, which are sent as they are.
fn own_prompts(spec: &RequestsSpec, disk: &mut FileLookupCache, look: &mut RuleReporter<'_>) {
    let path = ["workload", "prompts"];
    let Some(file) = &spec.prompts else {
        if look.is_written(&["workload", "repeat_prompts"]) {
            let message = "`repeat_prompts` says nothing where no file of prompts is named";
            look.fault(&["workload", "repeat_prompts"], message, "write `prompts = \"my.jsonl\"`, or leave it out");
        }
        return;
    };
    if let Some(reason) = disk.unread(NamedFile::Prompts, file) {
        let message = format!("cannot read the prompts `{}`: {reason}", look.shown(&path));
        look.fault(&path, message, WHERE);
    }
    for (field, instead) in [
        ("prompt_tokens", "a file of prompts has its own lengths"),
        ("shared_prefix_tokens", "own prompts are sent as they are; `messages` may begin with a system message"),
        ("trace", "a trace has no texts; for own texts at times of their own take `kind = \"sessions\"`"),
    ] {
        if look.is_written(&["workload", field]) {
            let message = format!("`{field}` says nothing beside `prompts`");
            look.contradiction(&["workload", field], &path, message, format!("leave it out: {instead}"));
        }
    }
}

fn lengths_of(spec: &RequestsSpec, disk: &mut FileLookupCache, look: &mut RuleReporter<'_>) {
    lengths::check(&["workload", "prompt_tokens"], &spec.prompt_tokens, disk, look);
    lengths::check(&["workload", "answer_tokens"], &spec.answer_tokens, disk, look);
}

fn burstiness(spec: &RequestsSpec, look: &mut RuleReporter<'_>) {
    let path = ["workload", "burstiness"];
    let written = look.is_written(&path);
    if spec.arrival != ArrivalPattern::Gamma {
        if written {
            look.fault(&path, "`burstiness` is the shape of gamma gaps alone", "write `arrival = \"gamma\"`, or leave it out");
        }
    } else if !written {
        let message = "`arrival = \"gamma\"` needs `burstiness`";
        look.fault(&["workload", "arrival"], message, "`burstiness = 0.5` is burstier than a Poisson process, `2` more even, `1` is one");
    } else if !(spec.burstiness.is_finite() && spec.burstiness > 0.0) {
        let message = format!("`workload.burstiness` is a shape above 0, not `{}`", look.shown(&path));
        look.fault(&path, message, "`burstiness = 0.5` is burstier than a Poisson process, `2` more even");
    }
}

fn trace(spec: &RequestsSpec, disk: &mut FileLookupCache, look: &mut RuleReporter<'_>) {
    let path = ["workload", "trace"];
    match &spec.trace {
        None => {
            let hint = "write `trace = \"conversation_trace.jsonl\"`: one JSON object a line, with `timestamp`, `input_length`, `output_length`, `hash_ids`";
            look.fault(&["workload", "arrival"], "`arrival = \"trace\"` needs `trace`, the file", hint);
        }
        Some(file) => {
            if let Some(reason) = disk.unread(NamedFile::Trace, file) {
                let message = format!("cannot read the recorded requests `{}`: {reason}", look.shown(&path));
                look.fault(&path, message, WHERE);
            }
        }
    }
    for (field, instead) in [
        ("qps", "a trace has its own times; `speed_up = 2` sends them twice as fast"),
        ("burstiness", "a trace has its own times"),
        ("ramp", "a trace has its own times; `warmup` leaves its beginning out"),
        ("prompt_tokens", "a trace has its own lengths"),
        ("answer_tokens", "a trace has its own lengths"),
        ("shared_prefix_tokens", "a trace says by its hash ids what is shared"),
        ("prompts", "a trace has its own lengths and no texts"),
    ] {
        if look.is_written(&["workload", field]) {
            let message = format!("`{field}` says nothing beside a trace");
            look.contradiction(&["workload", field], &["workload", "arrival"], message, format!("leave it out: {instead}"));
        }
    }
    if !(spec.speed_up.is_finite() && spec.speed_up > 0.0) {
        let message = format!("`workload.speed_up` is a factor above 0, not `{}`", look.shown(&["workload", "speed_up"]));
        look.fault(&["workload", "speed_up"], message, "times of the trace are divided by it: `speed_up = 2`");
    }
    if let Some(block_tokens) = spec.block_tokens {
        look.at_least_one(&["workload", "block_tokens"], block_tokens.0);
    }
}

/// Where the run ends, and that something is measured before.
fn end(spec: &RequestsSpec, look: &mut RuleReporter<'_>) {
    let ends = spec.duration.is_some() || spec.requests.is_some();
    let ends_itself = spec.arrival == ArrivalPattern::Trace || (spec.prompts.is_some() && !spec.repeat_prompts);
    if !ends && !ends_itself {
        let hint = "write `duration = \"60s\"`, `requests = 500`, or both: what comes first ends the run";
        look.fault(&["workload"], "nothing says when the requests end", hint);
    }
    if let Some(requests) = spec.requests {
        look.at_least_one(&["workload", "requests"], requests);
        if requests > spec.bound() {
            let message = format!("`workload.requests` is {} at most", spec.bound());
            look.fault(&["workload", "requests"], message, "one cell is one run; `repeats` adds more of them");
        }
    }
    let Some(duration) = spec.duration else { return warmup_of_number(spec, look) };
    #[expect(clippy::cast_precision_loss, reason = "a limit")]
    let most = RequestsSpec::MOST as f64;
    if duration.0 <= 0.0 {
        look.fault(&["workload", "duration"], "`workload.duration` is longer than 0", "write `duration = \"60s\"`");
    } else if spec.unmeasured().0 >= duration.0 {
        let (field, name) = longest_warmup(spec);
        let message = format!("the {name} of {} leaves nothing of the duration of {duration}", spec.unmeasured());
        look.fault(&["workload", field], message, format!("`duration` includes the {name}"));
    } else if has_rate(spec) && spec.requests.is_none() && duration.0 * spec.qps > most {
        let message = format!("{} requests a second for {duration} are more than the {most} of one run", spec.qps);
        look.fault(&["workload", "duration"], message, "lower `qps` or `duration`, or end the run by `requests`");
    }
}

/// Which of the two makes the warm-up as long as it is: the field, and what it is called. What is due while the load rises is warm-up.
fn longest_warmup(spec: &RequestsSpec) -> (&'static str, &'static str) {
    if spec.ramp_s() > spec.warmup.0 { ("ramp", "ramp") } else { ("warmup", "warm-up") }
}

/// Whether requests come at `qps`.
fn has_rate(spec: &RequestsSpec) -> bool {
    !matches!(spec.arrival, ArrivalPattern::Trace | ArrivalPattern::Closed)
}

/// How many requests are expected until then, which is the end of the ramp or later: a rate that rises brings half of what it would.
fn expected(spec: &RequestsSpec, seconds: f64) -> f64 {
    (seconds - spec.ramp_s() / 2.0) * spec.qps
}

#[expect(clippy::cast_precision_loss, reason = "a hundred million at most")]
fn warmup_of_number(spec: &RequestsSpec, look: &mut RuleReporter<'_>) {
    let unmeasured = spec.unmeasured();
    let Some(requests) = spec.requests.filter(|_| has_rate(spec) && unmeasured.0 > 0.0) else { return };
    if expected(spec, unmeasured.0) >= requests as f64 {
        let (field, name) = longest_warmup(spec);
        let message = format!("the {name} of {unmeasured} leaves nothing of {requests} requests at {} a second", spec.qps);
        look.fault(&["workload", field], message, format!("`requests` includes those of the {name}"));
    }
}

#[expect(clippy::cast_precision_loss, reason = "a hundred million at most")]
fn warmup_requests(spec: &RequestsSpec, look: &mut RuleReporter<'_>) {
    let Some(warmup) = spec.warmup_requests.filter(|warmup| *warmup > 0) else { return };
    let path = ["workload", "warmup_requests"];
    if let Some(requests) = spec.requests.filter(|requests| *requests > 0 && warmup >= *requests) {
        let message = format!("a warm-up of {warmup} requests leaves nothing of {requests}");
        look.fault(&path, message, "`requests` includes those of the warm-up");
    } else if let Some(duration) = spec.duration.filter(|duration| has_rate(spec) && expected(spec, duration.0) <= warmup as f64) {
        let message = format!("a warm-up of {warmup} requests leaves nothing of {duration} at {} a second", spec.qps);
        look.fault(&path, message, "`duration` includes the warm-up");
    }
}
