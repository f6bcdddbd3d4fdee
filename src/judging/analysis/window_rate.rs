//! So much a second of the measured window, and how far that may be off: throughput in requests, in tokens, or in requests that meet their levels.
//!
//! In: from when to when each request was served, and how much it brings. Out: the sum over the window, and its standard error from blocks of equal
//! time. A request's part is laid out evenly from when it was sent to when it was over, so that requests that end together do not look like a
//! server that stands still in between. Must not know rows, metrics nor goals.

use super::time_series::{blocks_of_a_run, first_order_factor, unbiased};
use crate::foundation::student::upper_quantile;

/// Fewer requests than this say nothing of how their rate varies.
const LEAST_REQUESTS: u64 = 10;

/// The measured window of a run, cut into blocks of equal time.
#[derive(Debug, Clone)]
pub(super) struct WindowBlocks {
    begin_s: f64,
    window_s: f64,
    sums: Vec<f64>,
    requests: u64,
}

impl WindowBlocks {
    /// The window of one of so many runs.
    pub fn of_a_run(begin_s: f64, window_s: f64, runs: usize) -> Self {
        Self { begin_s, window_s, sums: vec![0.0; blocks_of_a_run(runs)], requests: 0 }
    }

    /// Takes a request in that was served between these moments; what lies outside the window counts at its nearer end.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "blocks are few")]
    pub fn add(&mut self, from_s: f64, to_s: f64, amount: f64) {
        self.requests += 1;
        if amount <= 0.0 {
            return;
        }
        let blocks = self.sums.len() as f64;
        let place = |at: f64| ((at - self.begin_s) / self.window_s * blocks).clamp(0.0, blocks);
        let (from, to) = (place(from_s), place(to_s.max(from_s)));
        // Neither is negative, so that whole numbers are cut off; a request that ends where a block does has no part in the next.
        let (first, behind) = ((from as usize).min(self.sums.len() - 1), to as usize);
        let last = if to > behind as f64 { behind } else { behind.saturating_sub(1) };
        if first >= last {
            self.sums[first] += amount;
            return;
        }
        for block in first..=last {
            let (begin, end) = (from.max(block as f64), to.min(block as f64 + 1.0));
            self.sums[block] += amount * (end - begin) / (to - from);
        }
    }
}

/// So much a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct WindowRate {
    pub value: f64,
    /// Of the value, with its degrees of freedom; none of too few requests.
    pub error: Option<(f64, f64)>,
}

impl WindowRate {
    /// Over the windows of all runs together; `None` where they have no length.
    ///
    /// The standard error is that of batch means with an autoregressive correction (A. Tafazzoli, J. R. Wilson, E. K. Lada and N. M. Steiger, "Performance
    /// of Skart", INFORMS Journal on Computing 23, 2011): blocks next to each other that agree say less than as many independent ones. All
    /// runs share one rate, so that repeats that differ as a whole count as well; at worst each run counts as one block.
    #[expect(clippy::cast_precision_loss, reason = "blocks are few, row counts far below 2^53")]
    pub fn of(runs: &[WindowBlocks]) -> Option<Self> {
        let window: f64 = runs.iter().map(|run| run.window_s).sum();
        let total: f64 = runs.iter().flat_map(|run| &run.sums).sum();
        if window <= 0.0 {
            return None;
        }
        let value = total / window;
        if runs.iter().map(|run| run.requests).sum::<u64>() < LEAST_REQUESTS {
            return Some(Self { value, error: None });
        }
        let (mut squares, mut between_next, mut blocks) = (0.0, 0.0, 0.0);
        for run in runs {
            let expected = value * run.window_s / run.sums.len() as f64;
            let residuals: Vec<f64> = run.sums.iter().map(|sum| sum - expected).collect();
            squares += residuals.iter().map(|residual| residual * residual).sum::<f64>();
            between_next += residuals.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>();
            blocks += run.sums.len() as f64;
        }
        let count = runs.len() as f64;
        let factor = if squares > 0.0 {
            let next_block = between_next / squares * (blocks - 1.0) / (blocks - count).max(1.0);
            first_order_factor(unbiased(next_block, blocks)).min(blocks / count)
        } else {
            1.0
        };
        let error = (squares * blocks / (blocks - 1.0) * factor).sqrt() / window;
        Some(Self { value, error: Some((error, blocks - 1.0)) })
    }

    /// The same with a standard error of at least this share of the value.
    pub fn with_relative_error_of_at_least(self, least: f64) -> Self {
        Self { error: self.error.map(|(error, freedom)| (error.max(least * self.value), freedom)), ..self }
    }

    /// The same, of one of so many among whom it is divided.
    pub fn divided_among(self, parts: f64) -> Self {
        Self { value: self.value / parts, error: self.error.map(|(error, freedom)| (error / parts, freedom)) }
    }

    /// The ends that are passed with a chance of `tail` each; `None` of too few requests.
    pub fn ends(self, tail: f64) -> Option<(f64, f64)> {
        let (error, freedom) = self.error?;
        let margin = upper_quantile(tail, freedom) * error;
        Some(((self.value - margin).max(0.0), self.value + margin))
    }

    /// How many times as much must be seen for the nearer end to reach the limit, if all went on so; `None` at the limit itself.
    pub fn times_needed(self, limit: f64, tail: f64) -> Option<f64> {
        let (error, freedom) = self.error?;
        let distance = (self.value - limit).abs();
        (distance > 0.0).then(|| (upper_quantile(tail, freedom) * error / distance).powi(2))
    }
}

#[cfg(test)]
mod coverage;

#[cfg(test)]
mod tests {
    use super::*;

    fn one_run(window_s: f64, requests: impl IntoIterator<Item = (f64, f64, f64)>) -> WindowRate {
        let mut blocks = WindowBlocks::of_a_run(0.0, window_s, 1);
        requests.into_iter().for_each(|(from, to, amount)| blocks.add(from, to, amount));
        WindowRate::of(&[blocks]).unwrap()
    }

    #[test]
    fn a_rate_is_what_the_window_holds_over_its_length_however_it_is_laid_out() {
        let steady = one_run(16.0, (0..32_u32).map(|i| (f64::from(i) / 2.0, f64::from(i) / 2.0 + 0.5, 3.0)));
        assert!((steady.value - 6.0).abs() < 1e-12, "{steady:?}");
        let (low, high) = steady.ends(0.025).unwrap();
        assert!(high - low < 1e-9, "a request every half second does not vary: {low} to {high}");
        // Eight users in step, each with answers of four seconds: they all end together.
        let in_step = one_run(16.0, (0..32_u32).map(|i| (f64::from(i / 8) * 4.0, f64::from(i / 8) * 4.0 + 4.0, 1.0)));
        assert!((in_step.value - 2.0).abs() < 1e-12 && in_step.error.unwrap().0 < 1e-9, "{in_step:?}");
    }

    #[test]
    fn a_server_that_stands_still_for_half_of_the_time_is_known_badly() {
        let halves = one_run(16.0, (0..64_u32).map(|i| (f64::from(i) / 8.0, f64::from(i) / 8.0 + 0.1, 1.0)));
        let (low, high) = halves.ends(0.025).unwrap();
        assert!((halves.value - 4.0).abs() < 1e-12 && low < 0.5 && high > 7.5, "{low} to {high}");
        let few = one_run(16.0, (0..9_u32).map(|i| (f64::from(i), f64::from(i) + 0.1, 1.0)));
        assert_eq!((few.value, few.ends(0.025)), (9.0 / 16.0, None));
    }

    #[test]
    fn repeats_are_pooled_by_their_windows_and_their_differences_count() {
        let run = |window_s: f64, every_s: f64| {
            let mut blocks = WindowBlocks::of_a_run(5.0, window_s, 3);
            let mut at = 0.0;
            while at < window_s - 1e-9 {
                blocks.add(5.0 + at, 5.0 + at + every_s, 1.0);
                at += every_s;
            }
            blocks
        };
        let rate = WindowRate::of(&[run(10.0, 0.1), run(10.0, 0.1), run(20.0, 0.1)]).unwrap();
        assert!((rate.value - 10.0).abs() < 1e-9 && rate.error.unwrap().0 < 1e-9, "{rate:?}");
        let apart = WindowRate::of(&[run(10.0, 0.1), run(10.0, 0.2), run(10.0, 0.05)]).unwrap();
        let (low, high) = apart.divided_among(2.0).ends(0.025).unwrap();
        assert!(low < 3.0 && high > 8.0, "runs of 10, 5 and 20 a second: {low} to {high}");
    }
}
