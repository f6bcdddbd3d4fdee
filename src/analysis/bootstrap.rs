//! How far a mean may be off, by resampling whole sessions: requests of one session depend on each other, so sessions are what is drawn.
//!
//! The percentile bootstrap (B. Efron and R. Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13) with a fixed seed, so that
//! a report is the same each time. Values in, ends of an interval out.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::percentile;

/// Fewer sessions than this say too little of their own spread, and the interval would be too narrow.
pub const LEAST_SESSIONS: usize = 20;

const RESAMPLES: usize = 2000;
const SEED: u64 = 0x6265_6e63_6800_0001;

/// Means of resampled sessions, ascending.
#[derive(Debug, Clone)]
pub struct Bootstrap {
    means: Vec<f64>,
}

impl Bootstrap {
    /// `None` where there are too few sessions or a value is not finite.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
    pub fn of_mean(sessions: &[Vec<f64>]) -> Option<Self> {
        if sessions.len() < LEAST_SESSIONS || sessions.iter().flatten().any(|value| !value.is_finite()) {
            return None;
        }
        let parts: Vec<(f64, f64)> = sessions.iter().map(|values| (values.iter().sum(), values.len() as f64)).collect();
        let mut rng = Pcg64::seed_from_u64(SEED);
        let mut draw = || {
            let drawn = (0..parts.len()).map(|_| parts[rng.random_range(0..parts.len())]);
            let (sum, count) = drawn.fold((0.0, 0.0), |(sum, count), part| (sum + part.0, count + part.1));
            sum / count
        };
        let mut means: Vec<f64> = (0..RESAMPLES).map(|_| draw()).collect();
        means.sort_by(f64::total_cmp);
        Some(Self { means })
    }

    /// The value below which a share of the resampled means lies.
    #[must_use]
    pub fn quantile(&self, share: f64) -> f64 {
        percentile(&self.means, share * 100.0).unwrap_or(f64::NAN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_mean_is_about_two_standard_errors_wide_each_way() {
        // 100 sessions with one value each, 0 or 1 in turn: mean 0.5, standard error 0.05.
        let sessions: Vec<Vec<f64>> = (0..100).map(|i| vec![f64::from(i % 2)]).collect();
        let bootstrap = Bootstrap::of_mean(&sessions).unwrap();
        assert!((bootstrap.quantile(0.025) - 0.402).abs() < 0.015, "{}", bootstrap.quantile(0.025));
        assert!((bootstrap.quantile(0.975) - 0.598).abs() < 0.015, "{}", bootstrap.quantile(0.975));
    }

    #[test]
    fn rows_of_one_session_do_not_make_the_mean_surer() {
        let once: Vec<Vec<f64>> = (0..40).map(|i| vec![f64::from(i % 2)]).collect();
        let often: Vec<Vec<f64>> = once.iter().map(|values| values.repeat(50)).collect();
        let width = |sessions: &[Vec<f64>]| {
            let bootstrap = Bootstrap::of_mean(sessions).unwrap();
            bootstrap.quantile(0.975) - bootstrap.quantile(0.025)
        };
        assert!((width(&once) - width(&often)).abs() < 1e-9);
    }

    #[test]
    fn too_few_sessions_and_failed_requests_give_no_interval() {
        assert!(Bootstrap::of_mean(&vec![vec![1.0]; LEAST_SESSIONS - 1]).is_none());
        assert!(Bootstrap::of_mean(&vec![vec![f64::INFINITY]; 50]).is_none());
    }
}
