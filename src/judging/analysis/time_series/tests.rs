#![expect(clippy::cast_precision_loss, reason = "row counts are small")]

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::*;
use crate::analysis::interval::{CONFIDENCE, percentile_interval};
use crate::analysis::settling::statement;

/// Times in the system of a queue with one server, Poisson arrivals and exponential service of mean 1, which begins empty; the time of each request
/// is how long those before it let it wait, and its own service (D. V. Lindley, "The theory of queues with a single server", 1952).
fn queue(rng: &mut Pcg64, utilisation: f64, requests: usize) -> Vec<f64> {
    let mut exponential = |mean: f64| -mean * (1.0 - rng.random::<f64>()).ln();
    let mut waiting = 0.0_f64;
    (0..requests)
        .map(|_| {
            let service = exponential(1.0);
            let time = waiting + service;
            waiting = (time - exponential(1.0 / utilisation)).max(0.0);
            time
        })
        .collect()
}

/// The p-th percentile of that time in the long run: it is exponential with the rate 1 - utilisation.
fn long_run(utilisation: f64, p: f64) -> f64 {
    -(1.0 - p / 100.0).ln() / (1.0 - utilisation)
}

fn series<'a>(runs: impl IntoIterator<Item = &'a [f64]>) -> (TimeSeries, Vec<f64>) {
    let mut series = TimeSeriesBuilder::for_rows(0);
    for run in runs {
        for value in run {
            series.add_row(0, |values| values.push(*value));
        }
        series.end_run();
    }
    let series = series.finish();
    let mut ascending = series.values.clone();
    ascending.sort_by(f64::total_cmp);
    (series, ascending)
}

fn effective(values: &[f64], p: f64) -> u64 {
    let (series, ascending) = series([values]);
    series.effective_rows(&ascending, values.len() as u64, p)
}

/// Of so many replications: intervals that miss the truth, goals a hair below it that are called met, and above it that are called missed.
#[derive(Debug, Default)]
struct Errors {
    uncovered: u32,
    met: u32,
    missed: u32,
}

fn errors(seed: u64, utilisation: f64, requests: usize, repeats: usize, p: f64, replications: u32) -> Errors {
    let mut rng = Pcg64::seed_from_u64(seed);
    let truth = long_run(utilisation, p);
    let mut errors = Errors::default();
    for _ in 0..replications {
        let runs: Vec<Vec<f64>> = (0..repeats).map(|_| queue(&mut rng, utilisation, requests)).collect();
        let (series, ascending) = series(runs.iter().map(Vec::as_slice));
        let rows = ascending.len() as u64;
        let worth = series.effective_rows(&ascending, rows, p);
        let (low, high) = percentile_interval(&ascending, worth, p, CONFIDENCE);
        errors.uncovered += u32::from(low.is_some_and(|low| low > truth) || high.is_some_and(|high| high < truth));
        let beyond = |limit: f64| (ascending.len() - ascending.partition_point(|value| *value <= limit)) as u64;
        let says = |limit: f64| statement(beyond(limit), rows, worth, 1.0 - p / 100.0);
        errors.met += u32::from(says(truth * 0.9999) == crate::analysis::interval::ShareVerdict::Proven);
        errors.missed += u32::from(says(truth * 1.0001) == crate::analysis::interval::ShareVerdict::Disproven);
    }
    errors
}

#[test]
fn intervals_of_a_queue_cover_its_long_run_values() {
    // As many requests as half a minute has at 25/s to 48/s. 92 % and 95 % of 60 replications, less three standard errors; the whole table
    // is that of `cargo bench --bench coverage`.
    for (seed, utilisation, requests, repeats) in
        [(1, 0.5, 800, 1), (2, 0.8, 1200, 1), (3, 0.9, 1500, 1), (4, 0.9, 1000, 3), (5, 0.3, 300, 1)]
    {
        for p in [50.0, 95.0] {
            let errors = errors(seed, utilisation, requests, repeats, p, 60);
            assert!(errors.uncovered <= 11 && errors.met <= 8 && errors.missed <= 8, "{utilisation} {requests} p{p}: {errors:?}");
        }
    }
}

#[test]
fn independent_rows_count_nearly_all() {
    let mut rng = Pcg64::seed_from_u64(6);
    let mut worths: Vec<u64> = (0..100).map(|_| effective(&(0..200).map(|_| rng.random::<f64>()).collect::<Vec<_>>(), 95.0)).collect();
    worths.sort_unstable();
    // No order is seen in most of them, and then all rows count.
    assert!(worths[10] == 200 && worths[2] > 50, "{worths:?}");
}

#[test]
fn a_queues_rows_count_as_few_as_its_memory_says() {
    // The variance of the share beyond the 95th percentile over the binomial one, in the long run, by simulation of the same queue: 6.8 at half
    // the load, 270 at nine tenths.
    let mut rng = Pcg64::seed_from_u64(7);
    for (utilisation, requests, expected) in [(0.5, 4000, 6.8), (0.9, 40_000, 270.0)] {
        let effect = |_| requests as f64 / effective(&queue(&mut rng, utilisation, requests), 95.0) as f64;
        let mut effects: Vec<f64> = (0..5).map(effect).collect();
        effects.sort_by(f64::total_cmp);
        // The largest of some levels is taken, so it is rather too large than too small.
        assert!((expected * 0.8..expected * 3.0).contains(&effects[2]), "{utilisation}: {effects:?}");
    }
}

#[test]
fn rows_that_are_late_together_are_few_and_never_none() {
    let first_half_slow: Vec<f64> = (0..100).map(|row| if row < 50 { 3.0 } else { 1.0 }).collect();
    assert_eq!(effective(&first_half_slow, 95.0), LEAST_ROWS_IN_TIME);
    let every_other_slow: Vec<f64> = (0..100).map(|row| if row % 2 == 0 { 3.0 } else { 1.0 }).collect();
    assert_eq!(effective(&every_other_slow, 95.0), 100);
    assert_eq!(effective(&[1.0; 100], 95.0), 100);
    assert_eq!(effective(&[1.0, 1.0, 3.0, 3.0], 95.0), 4, "four rows have no order");
}

#[test]
fn runs_that_differ_as_a_whole_are_worth_few_rows() {
    let mut rng = Pcg64::seed_from_u64(8);
    let runs: Vec<Vec<f64>> = (0..3).map(|run| (0..100).map(|_| rng.random::<f64>() + f64::from(run)).collect()).collect();
    let (series, ascending) = series(runs.iter().map(Vec::as_slice));
    assert!(series.effective_rows(&ascending, 300, 50.0) < 20);
}

#[test]
fn a_high_percentile_of_a_run_of_few_memories_counts_for_less_than_a_median() {
    let mut rng = Pcg64::seed_from_u64(11);
    let mut alike = || -> Vec<f64> { (0..120).flat_map(|_| [rng.random::<f64>(); 14]).collect() };
    let runs: Vec<Vec<f64>> = (0..41).map(|_| alike()).collect();
    let mut ratios: Vec<f64> = runs.iter().map(|run| effective(run, 95.0) as f64 / effective(run, 50.0) as f64).collect();
    ratios.sort_by(f64::total_cmp);
    // A hundred and twenty rows in truth: more than two bounds of a median take, fewer than two of a p95.
    assert!((LUCK_FACTOR - 0.02..=LUCK_FACTOR).contains(&ratios[20]), "{ratios:?}");
}

#[test]
fn that_later_turns_take_longer_is_no_chance() {
    let mut rng = Pcg64::seed_from_u64(9);
    let mut series = TimeSeriesBuilder::for_rows(0);
    for turn in 0..20 {
        for _ in 0..16 {
            let value = f64::from(turn) + rng.random::<f64>();
            series.add_row(turn, |values| values.push(value));
        }
    }
    series.end_run();
    let series = series.finish();
    let mut ascending = series.values.clone();
    ascending.sort_by(f64::total_cmp);
    assert!(series.effective_rows(&ascending, 320, 50.0) > 160);
}

#[test]
fn failures_that_come_together_count_as_few() {
    let failing = |is_failed: fn(usize) -> bool| {
        let values: Vec<f64> = (0..400).map(|row| f64::from(u8::from(is_failed(row)))).collect();
        series([values.as_slice()]).0.effective_rows_of_share(400)
    };
    assert_eq!(failing(|row| row % 20 == 7), 400);
    assert!(failing(|row| (100..120).contains(&row)) < 100);
}

#[test]
fn the_mean_of_a_queue_is_as_unsure_as_its_memory_says() {
    let mut rng = Pcg64::seed_from_u64(10);
    let runs: Vec<Vec<f64>> = (0..100).map(|_| queue(&mut rng, 0.8, 2500)).collect();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let means: Vec<f64> = runs.iter().map(|run| mean(run)).collect();
    let spread = (means.iter().map(|value| (value - mean(&means)).powi(2)).sum::<f64>() / 99.0).sqrt();
    let mut told: Vec<f64> = runs.iter().filter_map(|run| series([run.as_slice()]).0.standard_error_of_mean()).collect();
    told.sort_by(f64::total_cmp);
    assert_eq!(told.len(), 100);
    assert!((0.7..1.8).contains(&(told[50] / spread)), "{} {spread}", told[50]);
}
