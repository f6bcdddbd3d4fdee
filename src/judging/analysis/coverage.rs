//! How often intervals and verdicts are right, by simulation: synthetic cells whose true percentile is known. Seeds are fixed.
//!
//! Values are lognormal with a session effect: the logarithms of two rows of a session have a known correlation.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::clusters::effective_rows;
use super::interval::{CONFIDENCE, ShareVerdict, percentile_interval, scaled_share_at_most};

const CELLS: u32 = 2000;

/// The 50th and the 95th percentile with their logarithms.
const PERCENTILES: [(f64, f64); 2] = [(50.0, 0.0), (95.0, 1.644_853_6)];

fn normal(rng: &mut Pcg64) -> f64 {
    let (radius, angle): (f64, f64) = (rng.random(), rng.random());
    (-2.0 * (1.0 - radius).ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}

fn cell(rng: &mut Pcg64, sessions: usize, rows: usize, correlation: f64) -> Vec<Vec<f64>> {
    let session = |rng: &mut Pcg64| {
        let own = correlation.sqrt() * normal(rng);
        (0..rows).map(|_| (own + (1.0 - correlation).sqrt() * normal(rng)).exp()).collect()
    };
    (0..sessions).map(|_| session(rng)).collect()
}

/// Cells in which the interval covered the truth, and in which a verdict was wrong for a limit at, just above and just below it.
#[derive(Debug, Default)]
struct IntervalCoverageCounts {
    cells: u32,
    covered: u32,
    wrong: [u32; 3],
}

impl IntervalCoverageCounts {
    #[expect(clippy::cast_precision_loss, reason = "a few hundred rows")]
    fn add(&mut self, sessions: &[Vec<f64>], p: f64, truth: f64, rows: u64) {
        let mut values = sessions.concat();
        values.sort_by(f64::total_cmp);
        let (low, high) = percentile_interval(&values, rows, p, CONFIDENCE);
        self.cells += 1;
        self.covered += u32::from(low.is_none_or(|low| low <= truth) && high.is_none_or(|high| truth <= high));
        let says = |limit: f64| {
            let beyond = values.iter().filter(|value| **value > limit).count() as f64;
            scaled_share_at_most(beyond * rows as f64 / values.len() as f64, rows, 1.0 - p / 100.0, CONFIDENCE)
        };
        self.wrong[0] += u32::from(says(truth) == ShareVerdict::Disproven);
        self.wrong[1] += u32::from(says(truth * 1.001) == ShareVerdict::Disproven);
        self.wrong[2] += u32::from(says(truth * 0.999) == ShareVerdict::Proven);
    }

    fn coverage(&self) -> f64 {
        f64::from(self.covered) / f64::from(self.cells)
    }

    fn worst_wrong(&self) -> f64 {
        self.wrong.iter().map(|wrong| f64::from(*wrong) / f64::from(self.cells)).fold(0.0, f64::max)
    }
}

#[test]
fn intervals_of_independent_rows_cover_the_truth_and_are_no_wider_than_they_must_be() {
    for (p, log_truth) in PERCENTILES {
        let mut rng = Pcg64::seed_from_u64(1);
        let (mut small, mut large) = (IntervalCoverageCounts::default(), IntervalCoverageCounts::default());
        for i in 0..CELLS {
            let rows = [60, 100, 200, 400][i as usize % 4];
            let sessions = cell(&mut rng, rows, 1, 0.0);
            let tally = if rows < 200 { &mut small } else { &mut large };
            tally.add(&sessions, p, log_truth.exp(), effective_rows(&sessions.iter().collect(), rows as u64, p));
        }
        assert!(small.coverage() >= 0.94 && large.coverage() >= 0.94, "p{p}: {small:?} {large:?}");
        assert!(large.coverage() <= 0.98, "p{p}: {large:?}");
        // Of all cells together: at n = 60 the exact chance of a wrong "met" is 0.95^60 = 4.6 %, and a thousand cells scatter about it.
        let wrong = std::array::from_fn(|i| small.wrong[i] + large.wrong[i]);
        let all = IntervalCoverageCounts { cells: CELLS, covered: small.covered + large.covered, wrong };
        assert!(all.worst_wrong() <= 0.05, "p{p}: {all:?}");
    }
}

#[test]
fn intervals_of_sessions_cover_the_truth_where_rows_counted_one_by_one_would_not() {
    for (p, log_truth) in PERCENTILES {
        let mut rng = Pcg64::seed_from_u64(2);
        let (mut clustered, mut naive) = (IntervalCoverageCounts::default(), IntervalCoverageCounts::default());
        for i in 0..CELLS as usize {
            let (count, rows, correlation) = ([12, 24, 48][i % 3], [4, 8, 20][i / 3 % 3], [0.1, 0.3, 0.5, 0.7][i / 9 % 4]);
            let sessions = cell(&mut rng, count, rows, correlation);
            let n = (count * rows) as u64;
            clustered.add(&sessions, p, log_truth.exp(), effective_rows(&sessions.iter().collect(), n, p));
            naive.add(&sessions, p, log_truth.exp(), n);
        }
        assert!(clustered.coverage() >= 0.92 && clustered.worst_wrong() <= 0.05, "p{p}: {clustered:?}");
        assert!(naive.coverage() < 0.90, "p{p}: {naive:?}");
    }
}

#[test]
fn few_sessions_give_wide_intervals_and_not_wrong_ones() {
    for (p, log_truth) in PERCENTILES {
        let mut rng = Pcg64::seed_from_u64(3);
        let mut tally = IntervalCoverageCounts::default();
        for i in 0..CELLS as usize {
            let (count, rows, correlation) = ([4, 5, 6][i % 3], [4, 10, 19][i / 3 % 3], [0.1, 0.4, 0.7][i / 9 % 3]);
            let sessions = cell(&mut rng, count, rows, correlation);
            tally.add(&sessions, p, log_truth.exp(), effective_rows(&sessions.iter().collect(), (count * rows) as u64, p));
        }
        assert!(tally.coverage() >= 0.95 && tally.worst_wrong() <= 0.05, "p{p}: {tally:?}");
    }
}
