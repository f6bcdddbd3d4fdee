//! Cells whose backlog grows: more requests become due than are completed, so that what is measured grows with the length of the run and is no
//! property of the load. Such a cell meets no goal, and misses all of them once the growth is certain.
//!
//! In: the runs of a cell that have an offered rate, and their rows; a closed loop sends when an answer is there, and has no backlog. Out: a typed
//! fact, and judgements that it has held back. Must not know how it is told.

use super::backlog::{RunBacklog, RunBacklogGrowth, combined};
use super::cells::CellRuns;
use super::columns::{NumericColumn, RequestColumns};
use super::interval::CONFIDENCE;
use super::{AnalysisError, RequestTable, percentile};
use crate::analysis::summary::{BacklogGrowth, GoalJudgement, GoalVerdict, MeasureGrowth};
use crate::foundation::clock::Micros;
use crate::foundation::student::upper_quantile;
use crate::records::store::SavedRun;
use crate::vocabulary::goal::Measure;
use crate::vocabulary::metric::{MeasureUnit, Metric};

/// Up to this chance of being chance, growth is possible, and nothing is certified.
const POSSIBLE: f64 = 0.2;
/// Degrees of freedom at which Student's distribution is the normal one.
const NORMAL: f64 = 1e7;
/// Batches of time whose medians tell how a measure grows, and the fewest of them.
const BATCHES: usize = 10;
const LEAST_BATCHES: usize = 5;

impl BacklogGrowth {
    /// By how much a measure grows a minute, in its unit; `None` where it does not.
    #[must_use]
    pub fn per_min(&self, measure: &Measure) -> Option<f64> {
        self.measures_per_min.iter().find(|growth| growth.measure == *measure).map(|growth| growth.per_min)
    }

    /// Of the runs of a cell, whose rows are in the table; `None` where nothing speaks for growth.
    #[expect(clippy::cast_precision_loss, reason = "runs are few")]
    pub(super) fn of(
        cell: &CellRuns<'_>,
        table: &RequestTable,
        measures: &[&Measure],
        is_client_limited: bool,
    ) -> Result<Option<Self>, AnalysisError> {
        let mut growths: Vec<(usize, RunBacklogGrowth)> = Vec::new();
        for (number, _) in cell.runs.iter().enumerate().filter(|(_, run)| has_rate(run)) {
            let (columns, alone) = (table.columns(), table.columns().alone(number)?);
            let backlog = alone.map_or_else(|| backlog(columns, number), |alone| backlog(&alone, 0))?;
            growths.extend(backlog.growth().map(|growth| (number, growth)));
        }
        let chance = combined(&growths.iter().map(|(_, growth)| growth.chance).collect::<Vec<_>>());
        let per_second = growths.iter().map(|(_, growth)| growth.per_second).sum::<f64>() / growths.len().max(1) as f64;
        if growths.is_empty() || chance > POSSIBLE || per_second <= 0.0 {
            return Ok(None);
        }
        let is_certain = chance <= 1.0 - CONFIDENCE && !is_client_limited;
        let mut measures_per_min = Vec::new();
        for measure in measures {
            if let Some(slope) = slope(measure, table, &growths)? {
                measures_per_min.push(MeasureGrowth { measure: (*measure).clone(), per_min: slope * 60.0 });
            }
        }
        measures_per_min.sort_by_cached_key(|growth: &MeasureGrowth| growth.measure.to_string());
        measures_per_min.dedup();
        let longest = |seconds: &dyn Fn(&RunBacklogGrowth) -> f64| growths.iter().map(|(_, growth)| seconds(growth)).fold(0.0, f64::max);
        let certain_after_s = (!is_certain && !is_client_limited).then(|| longest(&|growth| after(growth, chance)));
        let run_s = longest(&|growth| growth.begin_s + growth.span_s);
        Ok(Some(Self { requests_per_min: per_second * 60.0, measures_per_min, chance, is_certain, run_s, certain_after_s }))
    }

    /// Nothing is certified of a cell that may be growing; one that certainly does passes and meets nothing, whatever its values are by now.
    pub(super) fn hold_back(&self, goals: &mut [GoalJudgement]) {
        for goal in goals {
            if self.is_certain {
                (goal.verdict, goal.passes, goal.is_open) = (GoalVerdict::Missed, false, false);
                (goal.rows_needed, goal.void) = (None, None);
            } else if goal.verdict == GoalVerdict::Met {
                goal.verdict = GoalVerdict::Undecided;
                goal.rows_needed = self.rows_needed(goal.estimate.n);
            }
        }
    }

    /// How many requests would tell, where these are not enough.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "row counts are far below 2^53"
    )]
    fn rows_needed(&self, rows: u64) -> Option<u64> {
        self.certain_after_s.map(|seconds| (rows as f64 * seconds / self.run_s).ceil() as u64)
    }
}

/// Whether requests become due by themselves, at times that are known.
fn has_rate(run: &SavedRun) -> bool {
    run.record.offered_qps.is_some() && run.record.counts.measured_window_us > Micros::ZERO
}

fn backlog(columns: &RequestColumns, run: usize) -> Result<RunBacklog, AnalysisError> {
    let (due, over) = (columns.number(NumericColumn::Intended)?, columns.number(NumericColumn::Done)?);
    Ok(RunBacklog::of(columns.of_run(run).map(|row| (due.of(row) / 1e6, over.of(row) / 1e6, columns.is_measured(row)))))
}

/// How long a run like this would be that makes it certain: a mean is known the better by the square root of the time.
fn after(growth: &RunBacklogGrowth, chance: f64) -> f64 {
    let deviations = |chance: f64| upper_quantile(chance / 2.0, NORMAL);
    let factor = (deviations(1.0 - CONFIDENCE) / deviations(chance)).powi(2);
    growth.begin_s + growth.span_s * factor.max(1.0)
}

/// By how many seconds a second a measure's metric grows: the median slope between medians of batches of time (P. K. Sen, "Estimates of the
/// regression coefficient based on Kendall's tau", Journal of the American Statistical Association 63, 1968), on average over the runs.
#[expect(clippy::cast_precision_loss, reason = "runs are few")]
fn slope(measure: &Measure, table: &RequestTable, growths: &[(usize, RunBacklogGrowth)]) -> Result<Option<f64>, AnalysisError> {
    let Some(metric) = measure.metric().filter(|metric| metric.unit() == MeasureUnit::Seconds && *metric != Metric::Itl) else {
        return Ok(None);
    };
    let rows = table.filtered(&measure.filter)?;
    let mut slopes = Vec::new();
    for (number, growth) in growths {
        let points = rows.of_run(*number).values_when_due(metric)?;
        slopes.extend(median_slope(&batch_medians(points.into_iter(), growth)));
    }
    let mean = slopes.iter().sum::<f64>() / slopes.len().max(1) as f64;
    Ok((mean > 0.0).then_some(mean))
}

/// The median of the values in each batch of the window, with the batch's middle; without batches in which half of them are infinite.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "batches are few")]
fn batch_medians(points: impl Iterator<Item = (f64, f64)>, window: &RunBacklogGrowth) -> Vec<(f64, f64)> {
    let mut batches: Vec<Vec<f64>> = vec![Vec::new(); BATCHES];
    for (due, value) in points.filter(|(due, _)| *due > window.begin_s) {
        let place = ((due - window.begin_s) / window.span_s * BATCHES as f64) as usize;
        batches[place.min(BATCHES - 1)].push(value);
    }
    let median = |(number, mut values): (usize, Vec<f64>)| {
        values.sort_unstable_by(f64::total_cmp);
        let middle = window.begin_s + (number as f64 + 0.5) / BATCHES as f64 * window.span_s;
        percentile(&values, 50.0).filter(|median| median.is_finite()).map(|median| (middle, median))
    };
    batches.into_iter().enumerate().filter_map(median).collect()
}

fn median_slope(points: &[(f64, f64)]) -> Option<f64> {
    if points.len() < LEAST_BATCHES {
        return None;
    }
    let pairs = points.iter().enumerate().flat_map(|(number, left)| points[number + 1..].iter().map(move |right| (left, right)));
    let mut slopes: Vec<f64> = pairs.map(|(left, right)| (right.1 - left.1) / (right.0 - left.0)).collect();
    slopes.sort_unstable_by(f64::total_cmp);
    percentile(&slopes, 50.0)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Cell, answered, cell, sweep, table_of_ttfts};
    use super::super::{CellSummary, Score, SummaryOptions, SweepSummary, judge, summarize};
    use super::*;
    use crate::records::record::RequestRecord;
    use crate::records::store::SavedSweep;

    const GOAL: &str = "p95(ttft) <= 30s";

    /// One request a second; the one due at a second takes so long to its first token.
    fn rows(seconds: u32, takes: impl Fn(f64) -> f64) -> Vec<RequestRecord> {
        (0..seconds).map(|second| answered(second.into(), 0, takes(f64::from(second)))).collect()
    }

    /// Waits that come and go, and are longer in the end: by chance in 12 of 100 runs, 11 more are in flight.
    fn to_and_fro(due: f64) -> f64 {
        3.0 + due / 16.0 + 6.0 * (due * 0.05).sin().max(0.0)
    }

    fn at(qps: u64, repeat: u32, records: Vec<RequestRecord>) -> Cell {
        Cell { axes: vec![("workload.qps".into(), qps.into())], repeat, ..cell("vllm", 1, 1, records) }
    }

    /// The runs have an offered rate, as open loops do.
    fn open(goals: &[&str], cells: &[Cell]) -> SavedSweep {
        let mut saved = sweep(goals, cells);
        for run in &mut saved.runs {
            run.record.offered_qps = Some(1.0);
        }
        saved
    }

    fn judged(saved: &SavedSweep) -> SweepSummary {
        summarize(saved, &SummaryOptions::default()).unwrap()
    }

    fn only(summary: &SweepSummary) -> &CellSummary {
        &summary.variants[0].cells[0]
    }

    #[test]
    fn a_cell_that_falls_behind_misses_its_goal_although_its_value_fits_the_limit() {
        // A second more of waiting every ten seconds; after 200 s it is 20 s, and the limit 30 s.
        let summary = judged(&open(&[GOAL], &[at(1, 0, rows(200, |due| 0.5 + due / 10.0))]));
        let cell = only(&summary);
        let growth = cell.backlog_growth.as_ref().unwrap();
        assert!(growth.is_certain && (growth.requests_per_min - 6.0 / 1.1).abs() < 1.0, "{growth:?}");
        assert!((growth.per_min(&"p95(ttft)".parse().unwrap()).unwrap() - 6.0).abs() < 0.1, "{growth:?}");
        assert_eq!((cell.passes, cell.verdict, cell.goals[0].rows_needed), (Some(false), Some(GoalVerdict::Missed), None));
        assert!(cell.shown.as_ref().unwrap().value.unwrap().get() < 30.0);
        let read: SweepSummary = serde_json::from_str(&serde_json::to_string(&summary).unwrap()).unwrap();
        assert!(only(&read).backlog_growth.as_ref().is_some_and(|read| read.is_certain && read.measures_per_min.len() == 1));
    }

    #[test]
    fn a_growing_rate_is_certified_by_no_score() {
        let cells = [at(1, 0, rows(200, |_| 0.5)), at(2, 0, rows(200, |due| 0.5 + due / 10.0))];
        let summary = judged(&open(&[GOAL], &cells));
        let Score::Largest(score) = &summary.variants[0].scores[0] else { panic!() };
        assert_eq!((score.passes, score.met, score.not_excluded), (Some(1.0), Some(1.0), Some(1.0)));
    }

    #[test]
    fn a_cell_in_steady_state_does_not_grow_and_neither_does_a_closed_loop() {
        assert_eq!(only(&judged(&open(&[GOAL], &[at(1, 0, rows(200, |due| 2.0 + (due * 0.7).sin()))]))).backlog_growth, None);
        // Without an offered rate, what is due later is no backlog.
        assert_eq!(only(&judged(&sweep(&[GOAL], &[at(1, 0, rows(200, |due| 0.5 + due / 10.0))]))).backlog_growth, None);
    }

    #[test]
    fn growth_that_may_be_chance_certifies_nothing_and_says_how_long_would_tell() {
        let summary = judged(&open(&[GOAL], &[at(1, 0, rows(190, to_and_fro))]));
        let growth = only(&summary).backlog_growth.clone().unwrap();
        assert!(!growth.is_certain && growth.chance > 0.05 && growth.certain_after_s.unwrap() > 190.0, "{growth:?}");
        assert_eq!((only(&summary).passes, only(&summary).verdict), (Some(true), Some(GoalVerdict::Undecided)));
        // At 12 % it is 1.555 standard deviations off, for which 1.96 are wanted: 1.59 times the window.
        let mut goals = [judge(&GOAL.parse().unwrap(), &table_of_ttfts([1.0; 190])).unwrap()];
        assert_eq!(goals[0].verdict, GoalVerdict::Met);
        growth.hold_back(&mut goals);
        assert_eq!((goals[0].passes, goals[0].verdict), (true, GoalVerdict::Undecided));
        let rows = goals[0].rows_needed.unwrap();
        assert!((285..310).contains(&rows), "{rows}");
    }

    #[test]
    fn repeats_tell_together_what_one_alone_leaves_open() {
        let cells: Vec<Cell> = (0..4).map(|repeat| at(1, repeat, rows(190, to_and_fro))).collect();
        assert!(only(&judged(&open(&[GOAL], &cells))).backlog_growth.as_ref().unwrap().is_certain);
    }

    #[test]
    fn times_that_are_only_laid_out_tell_of_no_backlog() {
        let mut saved = open(&[GOAL], &[at(1, 0, rows(200, |due| 0.5 + due / 10.0))]);
        saved.runs[0].record.counts.measured_window_us = Micros::ZERO;
        assert_eq!(only(&judged(&saved)).backlog_growth, None);
    }
}
