//! A row per cell and goal, for spreadsheets and data frames. Times in seconds, shares from 0 to 1; an infinite value is `inf`, a missing
//! one is empty. RFC 4180.

use super::reconcile::scored_cell;
use crate::analysis::{
    CellState, CellSummary, Estimate, ExtendedReal, GoalJudgement, Score, SweepSummary, VariantSummary, plain, show_axes, show_value,
};

/// The table of one or several sweeps; axes that a sweep does not have are empty in its rows.
#[must_use]
pub fn csv(summaries: &[SweepSummary]) -> String {
    let mut axes: Vec<&str> = Vec::new();
    for axis in summaries.iter().flat_map(|summary| &summary.axes) {
        if !axes.contains(&axis.name.as_str()) {
            axes.push(&axis.name);
        }
    }
    let mut lines = vec![line(
        ["sweep", "simulated", "imported", "variant"]
            .into_iter()
            .map(str::to_owned)
            .chain(axes.iter().map(|axis| (*axis).to_owned()))
            .chain(FIXED.into_iter().chain(SERVER.map(|(head, _)| head)).chain(["server_measured_by", "reason"]).map(str::to_owned)),
    )];
    for summary in summaries {
        for variant in &summary.variants {
            for cell in &variant.cells {
                let head = || {
                    let marks = [summary.simulated.to_string(), summary.imported.is_some().to_string()];
                    let names = [summary.name.clone()].into_iter().chain(marks).chain([variant.name.clone()]);
                    names.into_iter().chain(axes.iter().map(|axis| cell.axes.get(*axis).map(show_value).unwrap_or_default()))
                };
                let server = || SERVER.iter().map(|(_, number)| text(number(cell))).chain([measured_by(cell), reason(cell)]);
                let judgements: Vec<Option<&GoalJudgement>> =
                    if cell.goals.is_empty() { vec![None] } else { cell.goals.iter().map(Some).collect() };
                lines.extend(judgements.into_iter().map(|judgement| line(head().chain(fixed(variant, cell, judgement)).chain(server()))));
            }
        }
    }
    lines.concat()
}

const FIXED: [&str; 35] = [
    "state",
    "runs",
    "requests",
    "failed",
    "measure",
    "unit",
    "n",
    "value",
    "bound",
    "low",
    "high",
    "goal",
    "limit",
    "passes",
    "verdict",
    "rows_needed",
    "extra_repeats",
    "score",
    "score_bound",
    "reversed_by",
    "growing",
    "growth_per_min",
    "backlog_growth_per_min",
    "offered_qps",
    "sent_qps",
    "completed_qps",
    "prompt_tokens_per_s",
    "output_tokens_per_s",
    "hit_rate",
    "success_only_ttft_p50_s",
    "success_only_ttft_p95_s",
    "success_only_ttft_p99_s",
    "send_lag_p99_s",
    "failures",
    "notes",
];

/// A column of what the server and the rows tell: its head, and its number.
type Column = (&'static str, fn(&CellSummary) -> Option<f64>);

#[expect(clippy::cast_precision_loss, reason = "token counts are far below 2^53")]
const SERVER: [Column; 26] = [
    ("device_share", |cell| cell.server.hits.as_ref()?.device),
    ("external_share", |cell| cell.server.hits.as_ref()?.external),
    ("cached_share", |cell| Some(cell.server.hits.as_ref()?.cached)),
    ("computed_share", |cell| Some(cell.server.hits.as_ref()?.computed)),
    ("prompt_tokens_computed", |cell| Some(cell.server.prompt_tokens_computed.as_ref()?.value)),
    ("external_asked_tokens", |cell| Some(cell.server.external_queries.as_ref()?.value)),
    ("external_brought_tokens", |cell| Some(cell.server.external_tokens.as_ref()?.value)),
    ("reused_share", |cell| cell.sessions.reused),
    ("resident_tokens", |cell| cell.sessions.resident_tokens.map(|tokens| tokens as f64)),
    ("kv_pool_tokens", |cell| Some(cell.server.kv_pool_tokens.as_ref()?.value)),
    ("in_flight_mean", |cell| cell.sessions.in_flight_mean),
    ("running_mean", |cell| Some(cell.server.running.as_ref()?.mean)),
    ("running_max", |cell| Some(cell.server.running.as_ref()?.max)),
    ("waiting_mean", |cell| Some(cell.server.waiting.as_ref()?.mean)),
    ("waiting_max", |cell| Some(cell.server.waiting.as_ref()?.max)),
    ("preemptions", |cell| Some(cell.server.preemptions.as_ref()?.value)),
    ("kv_usage_mean", |cell| Some(cell.server.kv_usage.as_ref()?.mean)),
    ("kv_usage_max", |cell| Some(cell.server.kv_usage.as_ref()?.max)),
    ("gpu_utilization_mean", |cell| Some(cell.server.gpu_utilization.as_ref()?.mean)),
    ("gpu_utilization_max", |cell| Some(cell.server.gpu_utilization.as_ref()?.max)),
    ("gpu_memory_max_bytes", |cell| Some(cell.server.gpu_memory_bytes.as_ref()?.max)),
    ("gpu_power_mean_w", |cell| Some(cell.server.gpu_power_watts.as_ref()?.mean)),
    ("joules_per_output_token", |cell| Some(cell.server.joules_per_output_token.as_ref()?.value)),
    ("host_cpu_mean", |cell| Some(cell.server.host_cpu.as_ref()?.mean)),
    ("host_cpu_max", |cell| Some(cell.server.host_cpu.as_ref()?.max)),
    ("host_memory_max_bytes", |cell| Some(cell.server.host_memory_bytes.as_ref()?.max)),
];

/// Why a cell has no result.
fn reason(cell: &CellSummary) -> String {
    match &cell.state {
        CellState::Invalid { reason } | CellState::Failed { reason } => plain(reason),
        CellState::Measured | CellState::Missing | CellState::Untested { .. } => String::new(),
    }
}

/// `hits=vllm:prompt_tokens_by_source_total; waiting=vllm:num_requests_waiting`
fn measured_by(cell: &CellSummary) -> String {
    cell.server.measured_by().iter().map(|(figure, by)| format!("{figure}={by}")).collect::<Vec<_>>().join("; ")
}

/// How many more repeats would settle a cell that stands between met and not excluded.
fn extra_repeats(variant: &VariantSummary, cell: &CellSummary) -> Option<u64> {
    let between = variant.scores.iter().flat_map(|score| match score {
        Score::Capacity(score) => &score.between,
        Score::Largest(score) => &score.between,
    });
    between.into_iter().find(|open| open.axes == cell.axes)?.extra_repeats
}

/// The score whose headline number this cell gives.
fn score_of<'a>(variant: &'a VariantSummary, cell: &CellSummary) -> Option<&'a Score> {
    variant.scores.iter().find(|score| scored_cell(variant, score).is_some_and(|scored| std::ptr::eq(scored, cell)))
}

/// The cell with as much load that passes, where this one fails.
fn reversed_by(variant: &VariantSummary, cell: &CellSummary) -> Option<String> {
    variant.reversals.iter().find(|reversal| reversal.fails == cell.axes).map(|reversal| show_axes(&reversal.passes))
}

fn fixed(variant: &VariantSummary, cell: &CellSummary, judgement: Option<&GoalJudgement>) -> Vec<String> {
    let state = match &cell.state {
        CellState::Measured if cell.curtailed.is_some() => "stopped_early",
        CellState::Measured => "measured",
        CellState::Invalid { .. } => "invalid",
        CellState::Failed { .. } => "failed",
        CellState::Missing => "missing",
        CellState::Untested { implied } => implied.name(),
    };
    let estimate: Option<&Estimate> = judgement.map(|judgement| &judgement.estimate).or(cell.shown.as_ref());
    let failures: Vec<String> = cell.failures.iter().map(|(kind, count)| format!("{kind}={count}")).collect();
    let end = |get: fn(&Estimate) -> Option<ExtendedReal>| estimate.and_then(get).map(|value| value.get().to_string()).unwrap_or_default();
    let (rates, success, growth) = (&cell.rates, &cell.success_only, cell.backlog_growth.as_ref());
    vec![
        state.to_owned(),
        cell.runs.to_string(),
        cell.n.to_string(),
        cell.failed.to_string(),
        text(estimate.map(|estimate| &estimate.measure)),
        text(estimate.map(|estimate| &estimate.unit)),
        text(estimate.map(|estimate| estimate.n)),
        end(|estimate| estimate.value),
        text(estimate.and_then(|estimate| estimate.bound).map(|bound| bound.side.name())),
        end(|estimate| estimate.low),
        end(|estimate| estimate.high),
        text(judgement.map(|judgement| &judgement.goal)),
        text(judgement.map(|judgement| judgement.limit)),
        text(judgement.and_then(GoalJudgement::outcome)),
        text(judgement.map(|judgement| judgement.verdict.name())),
        text(judgement.and_then(|judgement| judgement.rows_needed)),
        text(extra_repeats(variant, cell)),
        text(score_of(variant, cell).map(Score::name)),
        text(score_of(variant, cell).map(|score| score.bound().name())),
        text(reversed_by(variant, cell)),
        text(growth.map(|growth| if growth.is_certain { "certain" } else { "possible" })),
        text(growth.zip(estimate).and_then(|(growth, estimate)| growth.measures_per_min.get(&estimate.measure))),
        text(growth.map(|growth| growth.requests_per_min)),
        text(rates.offered_qps),
        text(rates.sent_qps),
        text(rates.completed_qps),
        text(rates.prompt_tokens_per_s),
        text(rates.output_tokens_per_s),
        text(rates.hit_rate),
        text(success.ttft_p50_s),
        text(success.ttft_p95_s),
        text(success.ttft_p99_s),
        cell.client.send_lag_p99_s.to_string(),
        failures.join(" "),
        cell.notes.join("; "),
    ]
}

fn text(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn line(fields: impl Iterator<Item = String>) -> String {
    let quoted = |field: String| {
        if field.contains([',', '"', '\n', '\r']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
    };
    fields.map(quoted).collect::<Vec<_>>().join(",") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture::{cell, failed, sweep, uniform};
    use crate::analysis::{SummaryOptions, summarize};
    use crate::record::{FailureKind, RunOutcome};

    #[test]
    fn every_row_has_a_field_for_each_column_whatever_stands_in_it() {
        let mut cells = vec![cell("vllm", 1, 1, uniform(1, 1, 0.5)), cell("vllm", 1, 2, Vec::new()), cell("vllm", 1, 3, Vec::new())];
        cells[1].outcome = RunOutcome::Failed { reason: "said \"no\",\nand closed".into() };
        cells[2].records = (0..20).map(|session| failed(session, 1, FailureKind::Connect)).collect();
        let mut saved = sweep(&["p95(ttft where turn >= 1) <= 2s", "error_rate <= 1%"], &cells);
        saved.manifest.name = "a \"quoted\", name".into();
        let text = csv(&[summarize(&saved, &SummaryOptions::default()).unwrap()]);
        let rows: Vec<Vec<String>> = text.lines().map(fields).collect();
        // Two goals in each of the two measured cells, and the failed one.
        assert_eq!(rows.len(), 1 + 2 + 1 + 2);
        assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{text}");
        let value = rows[0].iter().position(|head| head == "value").unwrap();
        let values: Vec<&str> = rows[1..].iter().map(|row| row[value].as_str()).collect();
        assert_eq!(values, ["0.5", "0", "", "inf", "1"]);
        assert_eq!(rows[1][0], "a \"quoted\", name");
    }

    /// Reads one line of RFC 4180; no field of the test holds a line end.
    fn fields(line: &str) -> Vec<String> {
        let (mut fields, mut quoted) = (vec![String::new()], false);
        for c in line.chars() {
            match c {
                '"' => quoted = !quoted,
                ',' if !quoted => fields.push(String::new()),
                c => fields.last_mut().unwrap().push(c),
            }
        }
        // A doubled quote was dropped above; put single ones back for the one field that has them.
        fields.iter().map(|field| field.replace("a quoted,", "a \"quoted\",")).collect()
    }
}
