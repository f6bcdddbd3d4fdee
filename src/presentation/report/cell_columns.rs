//! All that a report can say of a cell in a column, listed once: its key in `cells.csv`, the words above it for people, and its value.
//! CSV takes all that have a key; the page, the terminal and the servers' table take the ones they show by [`column`].

use super::cell_value::CellValue::{
    self, Bytes, Count, Flag, MeanCount, Measured, Milliseconds, Missing, Number, Progress, Share, Text, Tokens, Word,
};
use super::number::{DisplayUnit, ValueFormat};
use super::scored_cell::score_given_by;
use crate::analysis::{
    CacheHitShares, CellState, CellSummary, Estimate, ExtendedReal, GaugeSummary, GoalJudgement, GoalVerdict, PredictedInterval,
    RoleFigures, Score, ServerRole, SweepSummary, VariantSummary, is_same_place, plain, show_axes,
};

/// A cell where it stands, with the goal that a row is about, if any.
#[derive(Debug, Clone, Copy)]
pub struct CellView<'a> {
    pub summary: &'a SweepSummary,
    pub variant: &'a VariantSummary,
    pub cell: &'a CellSummary,
    pub judgement: Option<&'a GoalJudgement>,
    /// How the measure's values are shown.
    pub scale: DisplayUnit,
}

/// A column of cells.
#[derive(Debug)]
pub struct CellColumn {
    /// Its name in `cells.csv`, with the unit.
    pub key: &'static str,
    /// The words above it where people read it.
    pub head: &'static str,
    /// What its values are to programs, wherever they are not missing.
    pub kind: CellColumnType,
    pub scope: CellColumnScope,
    pub value: fn(&CellView<'_>) -> CellValue,
}

/// What the values of a column are to programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellColumnType {
    Text,
    Flag,
    Count,
    Number,
}

/// What a column is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellColumnScope {
    /// The cell: the same whichever goal a row is about.
    Cell,
    /// The row's goal; where a row is about none, the measure that the report shows and all goals of the cell.
    Measure,
    /// The row's goal; nothing where a row is about none.
    Goal,
}

const fn new(key: &'static str, head: &'static str, kind: CellColumnType, value: fn(&CellView<'_>) -> CellValue) -> CellColumn {
    CellColumn { key, head, kind, scope: CellColumnScope::Cell, value }
}

const fn text(key: &'static str, head: &'static str, value: fn(&CellView<'_>) -> CellValue) -> CellColumn {
    new(key, head, CellColumnType::Text, value)
}

const fn flag(key: &'static str, head: &'static str, value: fn(&CellView<'_>) -> CellValue) -> CellColumn {
    new(key, head, CellColumnType::Flag, value)
}

const fn count(key: &'static str, head: &'static str, value: fn(&CellView<'_>) -> CellValue) -> CellColumn {
    new(key, head, CellColumnType::Count, value)
}

const fn number(key: &'static str, head: &'static str, value: fn(&CellView<'_>) -> CellValue) -> CellColumn {
    new(key, head, CellColumnType::Number, value)
}

impl CellColumn {
    const fn of_measures(self) -> Self {
        Self { scope: CellColumnScope::Measure, ..self }
    }

    const fn of_goals(self) -> Self {
        Self { scope: CellColumnScope::Goal, ..self }
    }
}

/// The columns in the order of `cells.csv`, where the sweep, the variant and the axes stand before them.
#[expect(clippy::cast_precision_loss, reason = "token counts are far below 2^53")]
pub const CELL_COLUMNS: [CellColumn; 100] = [
    text("state", "state", state),
    count("runs", "runs", |view| Progress(view.cell.runs, view.cell.planned_runs)),
    count("requests", "requests", |view| Count(view.cell.n)),
    count("failed", "failed", |view| Count(view.cell.failed)),
    text("measure", "measure", |view| CellValue::of(view.estimate(), |estimate| Text(estimate.measure.to_string()))).of_measures(),
    text("unit", "unit", |view| CellValue::of(view.estimate(), |estimate| Text(estimate.unit.name().to_owned()))).of_measures(),
    count("n", "n", |view| CellValue::of(view.estimate(), |estimate| Count(estimate.n))).of_measures(),
    number("value", "value", |view| {
        CellValue::of(view.estimate(), |estimate| Measured { saved: estimate.value, shown: view.scale.measured(estimate, None) })
    })
    .of_measures(),
    text("bound", "bound", |view| {
        CellValue::of(view.estimate().and_then(|estimate| estimate.bound), |bound| Text(bound.side.name().into()))
    })
    .of_measures(),
    number("low", "at least", |view| view.end(|estimate| estimate.low)).of_measures(),
    number("high", "at most", |view| view.end(|estimate| estimate.high)).of_measures(),
    text("goal", "goal", |view| CellValue::of(view.judgement, |judgement| Text(judgement.goal.to_string()))).of_goals(),
    number("limit", "limit", |view| CellValue::of(view.judgement, |judgement| Number(judgement.limit))).of_goals(),
    flag("passes", "passes", |view| CellValue::of(view.judgement.map_or(view.cell.passes, GoalJudgement::outcome), Flag)).of_measures(),
    text("verdict", "verdict", |view| CellValue::of(view.verdict(), |verdict| Text(verdict.name().into()))).of_measures(),
    count("rows_needed", "rows needed", |view| CellValue::of(view.judgement.and_then(|judgement| judgement.rows_needed), Count)).of_goals(),
    count("extra_repeats", "extra repeats", |view| CellValue::of(extra_repeats(view), Count)),
    text("score", "score", |view| CellValue::of(score_given_by(view.variant, view.cell), |score| Text(score.name()))),
    text("score_bound", "score's bound", |view| {
        CellValue::of(score_given_by(view.variant, view.cell), |score| Text(score.bound().name().into()))
    }),
    text("reversed_by", "reversed by", |view| CellValue::of(reversed_by(view), Text)),
    text("growing", "growing", |view| {
        let certain = view.cell.backlog_growth.as_ref().map(|growth| growth.is_certain);
        CellValue::of(certain, |certain| Text(if certain { "certain" } else { "possible" }.into()))
    }),
    number("growth_per_min", "growth a minute", |view| {
        let growth = view.cell.backlog_growth.as_ref().zip(view.estimate());
        CellValue::of(growth.and_then(|(growth, estimate)| growth.per_min(&estimate.measure)), Number)
    })
    .of_measures(),
    number("backlog_growth_per_min", "backlog's growth a minute", |view| {
        CellValue::of(view.cell.backlog_growth.as_ref().map(|growth| growth.requests_per_min), Number)
    }),
    number("offered_qps", "offered/s", |view| CellValue::of(view.cell.rates.offered_qps, Number)),
    number("sent_qps", "sent/s", |view| CellValue::of(view.cell.rates.sent_qps, Number)),
    number("completed_qps", "completed/s", |view| CellValue::of(view.cell.rates.completed_qps, Number)),
    number("prompt_tokens_per_s", "prompt tokens/s", |view| CellValue::of(view.cell.rates.prompt_tokens_per_s, Number)),
    number("output_tokens_per_s", "output tokens/s", |view| CellValue::of(view.cell.rates.output_tokens_per_s, Number)),
    number("hit_rate", "from cache", |view| CellValue::of(view.cell.rates.hit_rate, Share)),
    number("success_only_ttft_p50_s", "ttft p50 of successes, s", |view| CellValue::of(view.cell.success_only.ttft_p50_s, Number)),
    number("success_only_ttft_p95_s", "ttft p95 of successes, s", |view| CellValue::of(view.cell.success_only.ttft_p95_s, Number)),
    number("success_only_ttft_p99_s", "ttft p99 of successes, s", |view| CellValue::of(view.cell.success_only.ttft_p99_s, Number)),
    number("send_lag_p99_s", "send lag p99, ms", |view| {
        // Files of other programs do not tell it.
        if view.summary.imported.is_some() { Missing } else { Milliseconds(view.cell.client.send_lag_p99_s) }
    }),
    text("failures", "failures", |view| {
        Text(view.cell.failures.iter().map(|(kind, count)| format!("{kind}={count}")).collect::<Vec<_>>().join(" "))
    }),
    text("notes", "notes", |view| Text(view.cell.notes.words().collect::<Vec<_>>().join("; "))),
    number("device_share", "from device", |view| CellValue::of(view.hits().and_then(|hits| hits.device), Share)),
    number("external_share", "from external cache", |view| CellValue::of(view.hits().and_then(|hits| hits.external), Share)),
    number("cached_share", "from any cache", |view| CellValue::of(view.hits().map(|hits| hits.cached), Share)),
    number("computed_share", "computed", |view| CellValue::of(view.hits().map(|hits| hits.computed), Share)),
    number("prompt_tokens_computed", "prompt tokens computed a run", |view| {
        CellValue::of(view.cell.server.prompt_tokens_computed.as_ref(), |told| Tokens(told.value))
    }),
    number("external_asked_tokens", "tokens asked of the external cache", |view| {
        CellValue::of(view.cell.server.external_queries.as_ref(), |told| Tokens(told.value))
    }),
    number("external_brought_tokens", "tokens from the external cache", |view| {
        CellValue::of(view.cell.server.external_tokens.as_ref(), |told| Tokens(told.value))
    }),
    number("reused_share", "reused of what was sent before", |view| CellValue::of(view.cell.sessions.reused, Share)),
    number("resident_tokens", "tokens alive", |view| CellValue::of(view.cell.sessions.resident_tokens, |tokens| Tokens(tokens as f64))),
    number("kv_pool_tokens", "KV pool, tokens", |view| CellValue::of(view.cell.server.kv_pool_tokens.as_ref(), |told| Tokens(told.value))),
    number("in_flight_mean", "in flight, mean", |view| CellValue::of(view.cell.sessions.in_flight_mean, Number)),
    number("running_mean", "running, mean", |view| mean(view.cell.server.running.as_ref(), Number)),
    number("running_max", "running, max", |view| max(view.cell.server.running.as_ref(), MeanCount)),
    number("waiting_mean", "waiting, mean", |view| mean(view.cell.server.waiting.as_ref(), Number)),
    number("waiting_max", "waiting, max", |view| max(view.cell.server.waiting.as_ref(), MeanCount)),
    number("preemptions", "preemptions a run", |view| CellValue::of(view.cell.server.preemptions.as_ref(), |told| MeanCount(told.value))),
    number("speculative_acceptance", "drafted tokens kept", |view| {
        CellValue::of(view.cell.server.speculative_acceptance.as_ref(), |told| Share(told.value))
    }),
    number("kv_usage_mean", "KV in use, mean", |view| mean(view.cell.server.kv_usage.as_ref(), Share)),
    number("kv_usage_max", "KV in use, max", |view| max(view.cell.server.kv_usage.as_ref(), Share)),
    number("prefill_running_mean", "prefill: running, mean", |view| {
        mean(at_role(view, ServerRole::Prefill, |told| told.running.as_ref()), Number)
    }),
    number("prefill_running_max", "prefill: running, max", |view| {
        max(at_role(view, ServerRole::Prefill, |told| told.running.as_ref()), MeanCount)
    }),
    number("prefill_waiting_mean", "prefill: waiting, mean", |view| {
        mean(at_role(view, ServerRole::Prefill, |told| told.waiting.as_ref()), Number)
    }),
    number("prefill_waiting_max", "prefill: waiting, max", |view| {
        max(at_role(view, ServerRole::Prefill, |told| told.waiting.as_ref()), MeanCount)
    }),
    number("prefill_kv_usage_mean", "prefill: KV in use, mean", |view| {
        mean(at_role(view, ServerRole::Prefill, |told| told.kv_usage.as_ref()), Share)
    }),
    number("prefill_kv_usage_max", "prefill: KV in use, max", |view| {
        max(at_role(view, ServerRole::Prefill, |told| told.kv_usage.as_ref()), Share)
    }),
    number("decode_running_mean", "decode: running, mean", |view| {
        mean(at_role(view, ServerRole::Decode, |told| told.running.as_ref()), Number)
    }),
    number("decode_running_max", "decode: running, max", |view| {
        max(at_role(view, ServerRole::Decode, |told| told.running.as_ref()), MeanCount)
    }),
    number("decode_waiting_mean", "decode: waiting, mean", |view| {
        mean(at_role(view, ServerRole::Decode, |told| told.waiting.as_ref()), Number)
    }),
    number("decode_waiting_max", "decode: waiting, max", |view| {
        max(at_role(view, ServerRole::Decode, |told| told.waiting.as_ref()), MeanCount)
    }),
    number("decode_kv_usage_mean", "decode: KV in use, mean", |view| {
        mean(at_role(view, ServerRole::Decode, |told| told.kv_usage.as_ref()), Share)
    }),
    number("decode_kv_usage_max", "decode: KV in use, max", |view| {
        max(at_role(view, ServerRole::Decode, |told| told.kv_usage.as_ref()), Share)
    }),
    number("gpu_utilization_mean", "GPU busy, mean", |view| mean(view.cell.server.gpu_utilization.as_ref(), Share)),
    number("gpu_utilization_max", "GPU busy, max", |view| max(view.cell.server.gpu_utilization.as_ref(), Share)),
    number("gpu_memory_max_bytes", "GPU memory max, GiB", |view| max(view.cell.server.gpu_memory_bytes.as_ref(), Bytes)),
    number("gpu_power_mean_w", "power mean, W", |view| mean(view.cell.server.gpu_power_watts.as_ref(), Number)),
    number("joules_per_output_token", "J per output token, idle power included", |view| {
        CellValue::of(view.cell.server.joules_per_output_token.as_ref(), |told| Number(told.value))
    }),
    number("host_cpu_mean", "host CPU, mean", |view| mean(view.cell.server.host_cpu.as_ref(), Share)),
    number("host_cpu_max", "host CPU, max", |view| max(view.cell.server.host_cpu.as_ref(), Share)),
    number("host_memory_max_bytes", "host memory max, GiB", |view| max(view.cell.server.host_memory_bytes.as_ref(), Bytes)),
    text("server_measured_by", "measured by", |view| {
        let named = view.cell.server.measured_by();
        Text(named.iter().map(|(figure, by)| format!("{figure}={by}")).collect::<Vec<_>>().join("; "))
    }),
    number("requests_per_s", "requests/s", |view| CellValue::of(view.cell.standard.requests_per_s, |rate| Number(rate.value))),
    number("requests_per_s_low", "requests/s at least", |view| {
        CellValue::of(view.cell.standard.requests_per_s.and_then(|rate| rate.low), Number)
    }),
    number("requests_per_s_high", "requests/s at most", |view| {
        CellValue::of(view.cell.standard.requests_per_s.and_then(|rate| rate.high), Number)
    }),
    number("output_tokens_per_s_low", "output tokens/s at least", |view| {
        CellValue::of(view.cell.standard.output_tokens_per_s.and_then(|rate| rate.low), Number)
    }),
    number("output_tokens_per_s_high", "output tokens/s at most", |view| {
        CellValue::of(view.cell.standard.output_tokens_per_s.and_then(|rate| rate.high), Number)
    }),
    number("error_rate", "failed", |view| CellValue::of(view.cell.standard.error_rate, Share)),
    number("ttft_p50_s", "ttft p50, ms", |view| latency(view.cell.standard.ttft.p50_s)),
    number("ttft_p95_s", "ttft p95, ms", |view| latency(view.cell.standard.ttft.p95_s)),
    number("ttft_p99_s", "ttft p99, ms", |view| latency(view.cell.standard.ttft.p99_s)),
    number("tpot_p50_s", "tpot p50, ms", |view| latency(view.cell.standard.tpot.p50_s)),
    number("tpot_p95_s", "tpot p95, ms", |view| latency(view.cell.standard.tpot.p95_s)),
    number("tpot_p99_s", "tpot p99, ms", |view| latency(view.cell.standard.tpot.p99_s)),
    number("itl_p50_s", "itl p50, ms", |view| latency(view.cell.standard.itl.p50_s)),
    number("itl_p95_s", "itl p95, ms", |view| latency(view.cell.standard.itl.p95_s)),
    number("itl_p99_s", "itl p99, ms", |view| latency(view.cell.standard.itl.p99_s)),
    number("e2e_p50_s", "e2e p50, ms", |view| latency(view.cell.standard.e2e.p50_s)),
    number("e2e_p95_s", "e2e p95, ms", |view| latency(view.cell.standard.e2e.p95_s)),
    number("e2e_p99_s", "e2e p99, ms", |view| latency(view.cell.standard.e2e.p99_s)),
    number("price_per_million_output_tokens", "price of 1M output tokens", |view| {
        CellValue::of(view.cell.standard.cost, |cost| Number(cost.per_million_output_tokens))
    }),
    number("price_per_million_output_tokens_low", "price of 1M output tokens, at least", |view| {
        CellValue::of(view.cell.standard.cost.and_then(|cost| cost.low), Number)
    }),
    number("price_per_million_output_tokens_high", "price of 1M output tokens, at most", |view| {
        CellValue::of(view.cell.standard.cost.and_then(|cost| cost.high), Number)
    }),
    number("predicted", "predicted, not measured", |view| predicted(view, |interval| interval.value)),
    number("predicted_low", "predicted, at least", |view| predicted(view, |interval| interval.low)),
    number("predicted_high", "predicted, at most", |view| predicted(view, |interval| interval.high)),
    text("reason", "reason", |view| match &view.cell.state {
        CellState::Invalid { reason } => Text(plain(&reason.to_string())),
        CellState::Failed(failure) => Text(plain(&failure.with_lines())),
        CellState::Measured | CellState::Missing | CellState::Untested { .. } => Missing,
    }),
];

/// The interval as people read it; files have its two ends.
pub const INTERVAL: CellColumn =
    text("", "interval", |view| CellValue::of(view.estimate().and_then(|estimate| view.scale.interval(estimate)), Text));

/// The column with that key.
///
/// # Panics
/// Where there is none: it is for constants, which then do not compile.
#[must_use]
pub const fn column(key: &str) -> &'static CellColumn {
    const COLUMNS: &[CellColumn] = &CELL_COLUMNS;
    let mut at = 0;
    while at < COLUMNS.len() {
        if equal(COLUMNS[at].key.as_bytes(), key.as_bytes()) {
            return &COLUMNS[at];
        }
        at += 1;
    }
    panic!("no column of cells has that key")
}

const fn equal(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

impl<'a> CellView<'a> {
    /// Of the row's goal, else of the measure that the report shows.
    fn estimate(&self) -> Option<&'a Estimate> {
        self.judgement.map(|judgement| &judgement.estimate).or(self.cell.shown.as_ref())
    }

    /// Of the row's goal, else of all goals of the cell.
    fn verdict(&self) -> Option<GoalVerdict> {
        self.judgement.map(|judgement| judgement.verdict).or(self.cell.verdict)
    }

    fn end(&self, get: fn(&Estimate) -> Option<ExtendedReal>) -> CellValue {
        CellValue::of(self.estimate().and_then(get), |end| Measured { saved: Some(end), shown: self.scale.show(end, None) })
    }

    fn hits(&self) -> Option<&'a CacheHitShares> {
        self.cell.server.hits.as_ref()
    }
}

/// What a fitted engine says of the shown measure of a cell that was not measured.
fn predicted(view: &CellView<'_>, get: fn(&PredictedInterval) -> ExtendedReal) -> CellValue {
    let figures = view.cell.predicted.as_ref();
    let interval = figures.and_then(|figures| figures.of_measure(&view.summary.shown, &view.summary.goals)?.interval);
    CellValue::of(interval.as_ref().map(get), |value| Measured { saved: Some(value), shown: view.scale.show(value, None) })
}

fn latency(seconds: Option<ExtendedReal>) -> CellValue {
    CellValue::of(seconds, |seconds| Milliseconds(seconds.get()))
}

fn state(view: &CellView<'_>) -> CellValue {
    let same = |word| Word { saved: word, shown: word };
    match &view.cell.state {
        CellState::Measured if view.cell.curtailed.is_some() => Word { saved: "stopped_early", shown: "stopped early" },
        // Files have a column of its own for it.
        CellState::Measured if view.cell.backlog_growth.as_ref().is_some_and(|growth| growth.is_certain) => {
            Word { saved: "measured", shown: "growing" }
        }
        CellState::Measured => same("measured"),
        CellState::Invalid { .. } => same("invalid"),
        CellState::Failed(_) => same("failed"),
        CellState::Missing => same("missing"),
        CellState::Untested { implied } => Word { saved: implied.name(), shown: implied.word() },
    }
}

fn at_role<'a>(view: &CellView<'a>, role: ServerRole, get: fn(&RoleFigures) -> Option<&GaugeSummary>) -> Option<&'a GaugeSummary> {
    view.cell.server.of_role(role).and_then(get)
}

fn mean(gauge: Option<&GaugeSummary>, value: fn(f64) -> CellValue) -> CellValue {
    CellValue::of(gauge, |gauge| value(gauge.mean))
}

fn max(gauge: Option<&GaugeSummary>, value: fn(f64) -> CellValue) -> CellValue {
    CellValue::of(gauge, |gauge| value(gauge.max))
}

/// How many more repeats would settle a cell that stands between met and not excluded.
fn extra_repeats(view: &CellView<'_>) -> Option<u64> {
    let between = view.variant.scores.iter().flat_map(|score| match score {
        Score::Capacity(score) => &score.between,
        Score::Largest(score) => &score.between,
    });
    between.into_iter().find(|open| is_same_place(&open.axes, &view.cell.axes))?.extra_repeats
}

/// The cell with as much load that passes, where this one fails.
fn reversed_by(view: &CellView<'_>) -> Option<String> {
    let reversal = view.variant.reversals.iter().find(|reversal| is_same_place(&reversal.fails, &view.cell.axes))?;
    Some(show_axes(&reversal.passes))
}
