//! What goes through a cell a second: a throughput measure over the rows of a cell, in all, for each user, or for each GPU.
//!
//! In: rows, and the runs that they are of, with the windows in which they were measured. Out: a rate with its error. What a window is:
//! `docs/metrics.md`, Rates.

use super::clusters::effective_rows_of_share;
use super::columns::NumericColumn;
use super::window_rate::{WindowBlocks, WindowRate};
use super::{AnalysisError, RequestTable};
use crate::records::store::SavedRun;
use crate::vocabulary::goal::{Measure, ThroughputAmount, ThroughputScope};

/// How long a run was measured, and among whom what went through it is divided. What is not known is missing.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RunExtent {
    /// From the first measured request's intended time to the last one's end, in seconds; none where nobody knows when requests were sent, as in
    /// imported files, whose stamps are only laid out.
    pub window_s: Option<f64>,
    /// That the workload has at once.
    pub users: Option<u64>,
    pub gpus: Option<u64>,
}

impl RunExtent {
    pub fn of(run: &SavedRun) -> Self {
        let work = run.record.header.work();
        let window_s = run.record.counts.measured_window_us.as_secs_f64();
        Self { window_s: Some(window_s).filter(|seconds| *seconds > 0.0), users: work.users, gpus: work.gpus }
    }

    #[expect(clippy::cast_precision_loss, reason = "users and GPUs are few")]
    fn parts(&self, scope: ThroughputScope) -> Option<f64> {
        match scope {
            ThroughputScope::Cell => Some(1.0),
            ThroughputScope::User => self.users.map(|users| users as f64),
            ThroughputScope::Gpu => self.gpus.map(|gpus| gpus as f64),
        }
    }
}

/// A throughput over the measured rows of a cell; `None` where windows, users or GPUs are not known.
///
/// `measure`'s filter has been applied to `rows`. Where a request is good or not, the rate is at least as unsure as the share of good ones, by sessions and
/// by time: `share` counts these.
pub(super) fn throughput(
    rows: &RequestTable,
    (amount, scope): (&ThroughputAmount, ThroughputScope),
    share: Option<GoodShare>,
) -> Result<Option<WindowRate>, AnalysisError> {
    let columns = rows.columns();
    let (intended, sent, done) =
        (columns.number(NumericColumn::Intended)?, columns.number(NumericColumn::Sent)?, columns.number(NumericColumn::Done)?);
    if *amount == ThroughputAmount::OutputTokens && rows.total(NumericColumn::OutputTokens)?.is_none() {
        return Ok(None);
    }
    let runs = rows.runs();
    let mut parts = None;
    let mut all = Vec::with_capacity(runs.len());
    let brings = rows.amounts(amount)?;
    for run in runs.clone() {
        let extent = columns.extent(run);
        let (Some(window_s), Some(divisor)) = (extent.window_s, extent.parts(scope).filter(|parts| *parts > 0.0)) else { return Ok(None) };
        // The repeats of a cell differ in nothing but their seeds.
        parts = parts.or(Some(divisor));
        let measured = columns.of_run(run).filter(|row| columns.is_measured(*row)).map(|row| intended.of(row));
        let begin_s = measured.fold(f64::INFINITY, f64::min) / 1e6;
        let mut blocks = WindowBlocks::of_a_run(if begin_s.is_finite() { begin_s } else { 0.0 }, window_s, runs.len());
        for row in rows.of_run(run).picked() {
            blocks.add(sent.of(row) / 1e6, done.of(row) / 1e6, brings(row));
        }
        all.push(blocks);
    }
    let Some(rate) = WindowRate::of(&all).zip(parts).map(|(rate, parts)| rate.divided_among(parts)) else { return Ok(None) };
    Ok(Some(share.map_or(rate, |share| rate.with_relative_error_of_at_least(share.relative_error()))))
}

/// Good requests among those of a sample.
#[derive(Debug, Clone, Copy)]
pub(super) struct GoodShare {
    pub good: u64,
    pub of: u64,
    /// How many independent requests say as much, by sessions alone and by their order in time as well.
    pub of_sessions: u64,
    pub effective: u64,
}

impl GoodShare {
    /// By how much what requests near in time have in common enlarges the variance beyond what sessions tell.
    #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
    pub fn effect_of_time(self) -> f64 {
        if self.effective > 0 { self.of_sessions as f64 / self.effective as f64 } else { 1.0 }
    }

    /// The standard error of the share over the share.
    #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
    pub fn relative_error(self) -> f64 {
        let share = self.good as f64 / self.of.max(1) as f64;
        if share > 0.0 { ((1.0 - share) / share / self.effective.max(1) as f64).sqrt() } else { 0.0 }
    }
}

/// The good ones among filtered rows, and how many independent requests say as much.
pub(super) fn good_share(rows: &RequestTable, measure: &Measure, of_time: u64) -> Result<GoodShare, AnalysisError> {
    let sessions = rows.values_of_measure(measure)?;
    let of = rows.rows() as u64;
    let of_sessions = effective_rows_of_share(&sessions, of);
    Ok(GoodShare { good: rows.good_rows(measure.levels())?, of, of_sessions, effective: of_sessions.min(of_time) })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Cell, answered, cell, failed, sweep, table, table_of_ttfts, uniform};
    use super::super::{CellSummary, ExtendedReal, GoalVerdict, SummaryOptions, estimate, judge, summarize};
    use super::*;
    use crate::records::record::{FailureKind, RequestRecord};
    use crate::vocabulary::goal::Goal;

    fn value(measure: &str, table: &RequestTable) -> Option<f64> {
        estimate(&measure.parse().unwrap(), table).unwrap().value.map(ExtendedReal::get)
    }

    fn judged(goal: &str, table: &RequestTable) -> (Option<f64>, GoalVerdict, Option<u64>) {
        let judgement = judge(&goal.parse().unwrap(), table).unwrap();
        (judgement.estimate.value.map(ExtendedReal::get), judgement.verdict, judgement.rows_needed)
    }

    #[test]
    fn goodput_is_the_share_of_all_requests_that_meet_every_level() {
        // Tokens 10 ms apart, three after the first: 6.67 ms a token. One answer came in a single event, one is late, one failed.
        let single = RequestRecord {
            gaps_us: Vec::new(),
            output_tokens: Some(1),
            last_token_us: answered(2, 1, 0.4).first_token_us,
            ..answered(2, 1, 0.4)
        };
        let rows = table(&[answered(0, 0, 0.4), answered(1, 1, 0.4), single, answered(3, 1, 0.6), failed(4, 1, FailureKind::Connect)]);
        assert_eq!(value("goodput(ttft <= 500ms)", &rows), Some(0.6));
        assert_eq!(value("goodput(ttft <= 500ms and tpot <= 7ms)", &rows), Some(0.6), "a single event is late for no token");
        assert_eq!(value("goodput(ttft <= 500ms and tpot <= 6ms)", &rows), Some(0.2));
        assert_eq!(value("goodput(ttft <= 500ms where turn >= 1)", &rows), Some(0.5));
        assert_eq!(value("goodput(output_tps >= 5 tokens/s)", &rows), Some(0.6), "4 in 0.42 s, 1 in 0.4 s, 4 in 0.62 s");
        assert_eq!(value("goodput(ttft <= 500ms where turn >= 9)", &rows), None);
    }

    #[test]
    fn a_goodput_is_judged_as_the_share_that_it_is() {
        let rows = |n: usize, late: usize| table_of_ttfts((0..n).map(|i| if i < late { 3.0 } else { 1.0 }));
        assert_eq!(judged("goodput(ttft <= 2s) >= 95%", &rows(59, 0)), (Some(1.0), GoalVerdict::Met, None));
        assert_eq!(judged("goodput(ttft <= 2s) >= 95%", &rows(58, 0)), (Some(1.0), GoalVerdict::Undecided, Some(59)));
        assert_eq!(judged("goodput(ttft <= 2s) >= 95%", &rows(9, 3)).1, GoalVerdict::Missed);
        assert_eq!(judged("goodput(ttft <= 2s) <= 95%", &rows(9, 3)).1, GoalVerdict::Met);
        assert_eq!(judged("goodput(ttft <= 2s) <= 95%", &rows(59, 0)).1, GoalVerdict::Missed);
    }

    #[test]
    fn a_record_meets_its_levels_where_the_columns_say_so() {
        let reasoning_alone = RequestRecord { first_answer_us: None, ..answered(3, 1, 0.3) };
        let records = [answered(0, 0, 0.5), answered(1, 2, 1.25), failed(2, 1, FailureKind::Connect), reasoning_alone];
        for levels in ["ttft <= 500ms", "ttfat <= 2s", "tpot <= 7ms and e2e < 1s", "output_tps >= 5 tokens/s", "send_lag <= 0"] {
            let goal: Goal = format!("goodput({levels}) >= 1%").parse().unwrap();
            let expected = records.iter().filter(|record| record.meets(goal.measure.levels())).count() as u64;
            assert_eq!(table(&records).good_rows(goal.measure.levels()).unwrap(), expected, "{levels}");
        }
    }

    fn summary(goals: &[&str], cells: &[Cell], work: &serde_json::Value) -> CellSummary {
        let mut saved = sweep(goals, cells);
        for run in &mut saved.runs {
            run.record.header.cell = work.clone().into();
        }
        summarize(&saved, &SummaryOptions::default()).unwrap().variants.remove(0).cells.remove(0)
    }

    #[test]
    fn throughput_is_what_the_window_holds_of_all_of_a_user_and_of_a_gpu() {
        let mut records = uniform(2, 2, 0.5);
        records.push(failed(3, 4, FailureKind::Connect));
        let repeats = [cell("vllm", 2, 2, records.clone()), Cell { repeat: 1, ..cell("vllm", 2, 2, records) }];
        let goals = [
            "throughput(requests) >= 1/s",
            "throughput(output_tokens where turn >= 1) >= 1 tokens/s",
            "throughput(output_tokens per user) >= 1 tokens/s",
            "goodput_rps(ttft <= 1s per gpu) >= 1/s",
            "goodput_rps(ttft <= 1s) >= 0.1/s",
        ];
        let work = serde_json::json!({"workload": {"kind": "document_qa", "concurrent": 2, "sequential": 2}, "target": {"gpus": 4}});
        let cell = summary(&goals, &repeats, &work);
        // Each window ends with the last first turn: session 3 is sent at 3 s, has its first token after 9 s, and is done 21 ms later.
        let window = 2.0 * 12.021;
        let expected = [32.0 / window, 4.0 * 24.0 / window, 4.0 * 32.0 / window / 2.0, 24.0 / window / 4.0, 24.0 / window];
        for (judgement, expected) in cell.goals.iter().zip(expected) {
            let value = judgement.estimate.value.unwrap().get();
            assert!((value - expected).abs() < 1e-9, "{}: {value} is not {expected}", judgement.goal);
            assert!(judgement.estimate.low.is_some() && judgement.estimate.n >= 24, "{judgement:?}");
        }
        let plain = cell.by_repeat.iter().map(|run| run.shown.unwrap().get()).collect::<Vec<_>>();
        assert!(plain.iter().all(|rate| (rate - 16.0 / 12.021).abs() < 1e-9), "{plain:?}");
    }

    #[test]
    fn who_is_not_told_has_no_share_and_a_file_without_a_window_no_throughput() {
        let goals = ["throughput(requests per user) >= 1/s", "throughput(requests per gpu) >= 1/s", "throughput(requests) >= 0.5/s"];
        let records = || (0..60).map(|session| answered(session, 0, 0.5)).collect::<Vec<_>>();
        let cell = summary(&goals, &[cell("vllm", 1, 1, records())], &serde_json::json!({"workload": {"kind": "requests"}}));
        let said: Vec<_> = cell.goals.iter().map(|goal| (goal.estimate.value.is_some(), goal.passes, goal.verdict)).collect();
        assert_eq!(said, [(false, false, GoalVerdict::Undecided), (false, false, GoalVerdict::Undecided), (true, true, GoalVerdict::Met)]);
        assert_eq!(value("throughput(requests)", &table(&records())), None, "rows alone tell no window");
    }
}
