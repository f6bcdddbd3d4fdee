//! Whether a cell begins with a transient that its warm-up does not cover: times to first token that differ from those after them.
//!
//! In: times in the order in which requests were due, run by run. Out: which warm-up would leave the transient out. Where it ends is told by MSER-5 (K.
//! P. White, "An effective truncation heuristic for bias reduction in simulation output", Simulation 69, 1997), whether there is one by the test
//! of L. Schruben, H. Singh and L. Tierney ("Optimal tests for initialization bias in simulation output", Operations Research 31, 1983), both on
//! ranks, so that a few very slow requests decide nothing. Must not know goals.

use super::cells::CellRuns;
use super::value_order::ValueOrder;
use super::{AnalysisError, RequestTable, percentile};
use crate::analysis::summary::InitialTransient;
use crate::foundation::clock::Micros;
use crate::foundation::student::upper_tail;
use crate::vocabulary::metric::Metric;

/// Fewer requests tell nothing.
const LEAST_REQUESTS: usize = 100;
/// MSER looks at means of so many requests.
const BATCH: usize = 5;
/// What ends later is no transient that could be told from requests that queue behind one another.
const MOST_SHARE: f64 = 1.0 / 3.0;
/// The chance, over all runs of a cell, that there is none.
const CHANCE: f64 = 0.01;
/// Batches of the second half, whose means tell how much times come and go.
const BATCHES: usize = 8;
/// A median that differs by less is not worth a warm-up.
const LEAST_DIFFERENCE: f64 = 0.1;

impl InitialTransient {
    /// Of the runs of a cell that send at a rate and tell their times; `None` where nothing speaks for a transient.
    #[expect(clippy::cast_precision_loss, reason = "runs are few")]
    pub(super) fn of(cell: &CellRuns<'_>, table: &RequestTable) -> Result<Option<Self>, AnalysisError> {
        let is_candidate = |place: usize| {
            let record = &cell.runs[place].record;
            record.offered_qps.is_some() && record.counts.measured_window_us > Micros::ZERO
        };
        let runs: Vec<usize> = (0..cell.runs.len()).filter(|place| is_candidate(*place)).collect();
        let mut found: Option<Self> = None;
        for place in &runs {
            let mut times = table.run_alone(*place)?.values_when_due(Metric::Ttft)?;
            times.sort_by(|left, right| left.0.total_cmp(&right.0));
            let Some(seconds) = transient(&times, CHANCE / runs.len() as f64) else { continue };
            let warmup = cell.runs[*place].record.header.work().warmup_s;
            let before = found.unwrap_or(Self { seconds: 0.0, warmup_s: 0.0, runs: 0 });
            let warmup_s = before.warmup_s.max((warmup + seconds).ceil());
            found = Some(Self { seconds: before.seconds.max(seconds), warmup_s, runs: before.runs + 1 });
        }
        Ok(found)
    }
}

/// How long the transient at the beginning lasts, in seconds; `times` holds when each request was due and what it took, in that order.
#[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
fn transient(times: &[(f64, f64)], chance: f64) -> Option<f64> {
    if times.len() < LEAST_REQUESTS {
        return None;
    }
    let ranks = ranks(times);
    let cut = mser(&ranks);
    if cut == 0 || cut as f64 > times.len() as f64 * MOST_SHARE || bias_chance(&ranks)? > chance {
        return None;
    }
    let median = |part: &[(f64, f64)]| {
        let mut values: Vec<f64> = part.iter().map(|(_, value)| *value).collect();
        values.sort_unstable_by(f64::total_cmp);
        percentile(&values, 50.0)
    };
    let (before, after) = (median(&times[..cut])?, median(&times[cut..])?);
    ((before - after).abs() >= LEAST_DIFFERENCE * after).then(|| times[cut].0 - times[0].0)
}

/// Ranks from 0 to 1; equal values have the middle of theirs.
#[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
fn ranks(times: &[(f64, f64)]) -> Vec<f64> {
    let values: Vec<f64> = times.iter().map(|(_, value)| *value).collect();
    let order = ValueOrder::with_ranks(&values);
    values.iter().enumerate().map(|(place, value)| (order.rank_of(place, *value) - 1.0) / times.len() as f64).collect()
}

/// How many values to cut so that the mean of the others is known best: the least sum of squares over the square of their number, among cuts in the
/// first half.
#[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
fn mser(values: &[f64]) -> usize {
    let means: Vec<f64> = values.chunks_exact(BATCH).map(|batch| batch.iter().sum::<f64>() / BATCH as f64).collect();
    let (mut sum, mut squares) = (0.0, 0.0);
    let mut best = (f64::INFINITY, 0);
    for (cut, mean) in means.iter().enumerate().rev() {
        sum += mean;
        squares += mean * mean;
        let count = (means.len() - cut) as f64;
        let error = (squares - sum * sum / count) / (count * count);
        if cut <= means.len() / 2 && error <= best.0 {
            best = (error, cut);
        }
    }
    best.1 * BATCH
}

/// How likely means of the first values differ so much from the mean of all where nothing but chance does it. `None` where the second half is
/// one value.
#[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
fn bias_chance(values: &[f64]) -> Option<f64> {
    let count = values.len() as f64;
    let half = &values[values.len() / 2..];
    let length = half.len() / BATCHES;
    let means: Vec<f64> = half.chunks_exact(length).take(BATCHES).map(|batch| batch.iter().sum::<f64>() / length as f64).collect();
    let center = means.iter().sum::<f64>() / BATCHES as f64;
    let variance = means.iter().map(|mean| (mean - center).powi(2)).sum::<f64>() / (BATCHES - 1) as f64 * length as f64;
    if variance <= 0.0 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / count;
    let (mut sum, mut bias) = (0.0, 0.0);
    for (value, number) in values.iter().zip(1..) {
        sum += value;
        let number = f64::from(number);
        bias += (1.0 - number / count) * (number * mean - sum);
    }
    let deviations = 45.0_f64.sqrt() / (count.powf(1.5) * variance.sqrt()) * bias;
    Some(2.0 * upper_tail(deviations.abs(), (BATCHES - 1) as f64))
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64;

    use super::super::fixture::{Cell, answered, cell, sweep};
    use super::super::{SummaryOptions, summarize};
    use super::*;

    fn exponential(rng: &mut Pcg64, mean: f64) -> f64 {
        -mean * (1.0 - rng.random::<f64>()).ln()
    }

    /// Twenty requests a second for a minute, in a queue with one server that many were in before.
    fn queue(rng: &mut Pcg64, utilisation: f64) -> Vec<(f64, f64)> {
        let (rate, mut due, mut waiting) = (20.0, -60.0, 0.0_f64);
        let mut times = Vec::new();
        while due < 60.0 {
            let takes = waiting + exponential(rng, utilisation / rate);
            if due >= 0.0 {
                times.push((due, takes));
            }
            let gap = exponential(rng, 1.0 / rate);
            due += gap;
            waiting = (takes - gap).max(0.0);
        }
        times
    }

    /// Of 100 minutes, the transients that were found, where times before a second are tripled.
    fn found(utilisation: f64, until: f64) -> Vec<f64> {
        let mut rng = Pcg64::seed_from_u64(5);
        let slowed = |(due, takes): (f64, f64)| (due, if due < until { takes * 3.0 } else { takes });
        (0..100).filter_map(|_| transient(&queue(&mut rng, utilisation).into_iter().map(slowed).collect::<Vec<_>>(), CHANCE)).collect()
    }

    #[test]
    fn a_steady_series_hardly_ever_has_a_transient() {
        assert!(found(0.5, 0.0).len() <= 2 && found(0.8, 0.0).len() <= 4, "{:?} {:?}", found(0.5, 0.0), found(0.8, 0.0));
    }

    #[test]
    fn a_slow_beginning_is_found_and_cut_about_where_it_ends() {
        let found = found(0.2, 12.0);
        assert!(found.len() >= 90, "{found:?}");
        let mut cuts = found;
        cuts.sort_by(f64::total_cmp);
        assert!((8.0..14.0).contains(&cuts[cuts.len() / 2]), "{cuts:?}");
    }

    #[test]
    fn mser_cuts_what_is_unlike_the_rest() {
        let values: Vec<f64> = (0..200).map(|number| if number < 20 { 9.0 } else { f64::from(number % 5) }).collect();
        assert_eq!(mser(&values), 20);
        assert_eq!(mser(&[1.0; 100]), 0);
    }

    #[test]
    fn a_cell_says_which_warm_up_would_do() {
        // Two requests a second for 100 s; those of the first 8 s take four times as long; 5 s were warm-up.
        let rows = (0..200_u32).map(|number| {
            let takes = (if number < 16 { 4.0 } else { 1.0 }) * (1.0 + f64::from(number * 7 % 11) / 20.0);
            let mut record = answered(number.into(), 0, takes);
            for stamp in [&mut record.intended_us, &mut record.sent_us] {
                *stamp = Micros(5_000_000 + u64::from(number) * 500_000);
            }
            record.done_us = record.sent_us + Micros::from_secs_f64(takes);
            record.first_token_us = Some(record.done_us);
            record.last_token_us = record.first_token_us;
            record
        });
        let axes = vec![("workload.qps".to_owned(), 2.into())];
        let mut saved = sweep(&[], &[Cell { axes, ..cell("vllm", 1, 1, rows.collect()) }]);
        saved.runs[0].record.offered_qps = Some(2.0);
        saved.runs[0].record.header.cell = serde_json::json!({"workload": {"kind": "requests", "warmup": 5.0}}).into();
        let of = |saved: &crate::records::store::SavedSweep| {
            summarize(saved, &SummaryOptions::default()).unwrap().variants[0].cells[0].transient
        };
        let found = of(&saved).unwrap();
        assert!((7.0..10.0).contains(&found.seconds) && (found.warmup_s - (5.0 + found.seconds).ceil()).abs() < 1e-9, "{found:?}");
        saved.runs[0].record.offered_qps = None;
        assert_eq!(of(&saved), None, "a closed loop has turns, not a rate");
    }
}
