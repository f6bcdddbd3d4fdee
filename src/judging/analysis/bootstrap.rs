//! How far a mean may be off, by resampling whole sessions: requests of one session depend on each other, so sessions are what is drawn.
//!
//! The percentile bootstrap (B. Efron and R. Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13) with a fixed seed, so that
//! a report is the same each time. Of very many sessions nothing need be drawn: the distribution that drawing goes towards is known to the
//! second order. Values in, ends of an interval out.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::clusters::SessionValues;
use super::percentile;
use crate::foundation::normal::normal_quantile;

/// Fewer sessions than this say too little of their own spread, and the interval would be too narrow.
pub const LEAST_SESSIONS: usize = 20;

/// From so many sessions on, the expansion is nearer to what endless drawing would give than 2,000 draws are: it errs by an order of
/// 1 / sessions of a standard error, and the 2.5 % quantile of 2,000 draws by sqrt(0.025 * 0.975 / 2000) / 0.0584 = 6 % of one.
const MANY_SESSIONS: usize = 5000;

const RESAMPLES: usize = 2000;
const SEED: u64 = 0x6265_6e63_6800_0001;

/// How means of resampled sessions are distributed.
#[derive(Debug, Clone)]
pub enum BootstrapDistribution {
    /// Drawn means, ascending.
    Drawn(Vec<f64>),
    /// The expansion for very many sessions.
    Expanded { mean: f64, standard_error: f64, skewness: f64 },
}

impl BootstrapDistribution {
    /// `None` where there are too few sessions or a value is not finite.
    #[must_use]
    pub fn of_mean(sessions: &SessionValues) -> Option<Self> {
        if sessions.len() < LEAST_SESSIONS || sessions.values().iter().any(|value| !value.is_finite()) {
            return None;
        }
        Some(if sessions.len() < MANY_SESSIONS { Self::drawn(sessions) } else { Self::expanded(sessions) })
    }

    #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
    fn drawn(sessions: &SessionValues) -> Self {
        let parts: Vec<(f64, f64)> = sessions.iter().map(|values| (values.iter().sum(), values.len() as f64)).collect();
        let mut rng = Pcg64::seed_from_u64(SEED);
        let mut draw = || {
            let drawn = (0..parts.len()).map(|_| parts[rng.random_range(0..parts.len())]);
            let (sum, count) = drawn.fold((0.0, 0.0), |(sum, count), part| (sum + part.0, count + part.1));
            sum / count
        };
        let mut means: Vec<f64> = (0..RESAMPLES).map(|_| draw()).collect();
        means.sort_by(f64::total_cmp);
        Self::Drawn(means)
    }

    /// From what sessions bring beyond their share: its second and third moments.
    #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
    fn expanded(sessions: &SessionValues) -> Self {
        let total = sessions.values().len() as f64;
        let mean = sessions.values().iter().sum::<f64>() / total;
        let beyond = sessions.iter().map(|values| values.iter().map(|value| value - mean).sum::<f64>());
        let (squares, cubes) = beyond.fold((0.0, 0.0), |(squares, cubes), own| (squares + own * own, cubes + own * own * own));
        let skewness = if squares > 0.0 { cubes / squares.powf(1.5) } else { 0.0 };
        Self::Expanded { mean, standard_error: squares.sqrt() / total, skewness }
    }

    /// The same, spread about its mean until its standard error is at least this one: what rows near in time have in common, sessions of one row do
    /// not show.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "resamples are few")]
    pub fn with_standard_error_of_at_least(self, least: f64) -> Self {
        match self {
            Self::Drawn(means) => {
                let count = means.len() as f64;
                let mean = means.iter().sum::<f64>() / count;
                let drawn = (means.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
                let factor = if drawn > 0.0 { (least / drawn).max(1.0) } else { 1.0 };
                Self::Drawn(means.into_iter().map(|value| mean + factor * (value - mean)).collect())
            }
            Self::Expanded { mean, standard_error, skewness } => {
                Self::Expanded { mean, standard_error: standard_error.max(least), skewness }
            }
        }
    }

    /// The value below which a share of the resampled means lies: drawn, or by the expansion of E. A. Cornish and R. A. Fisher to the
    /// skewness, which the bootstrap's own distribution follows (P. Hall, "The Bootstrap and Edgeworth Expansion", 1992, section 3.3).
    #[must_use]
    pub fn quantile(&self, share: f64) -> f64 {
        match self {
            Self::Drawn(means) => percentile(means, share * 100.0).unwrap_or(f64::NAN),
            Self::Expanded { mean, standard_error, skewness } => {
                let z = normal_quantile(share);
                mean + standard_error * (z + skewness * (z * z - 1.0) / 6.0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_mean_is_about_two_standard_errors_wide_each_way() {
        // 100 sessions with one value each, 0 or 1 in turn: mean 0.5, standard error 0.05.
        let sessions: SessionValues = (0..100).map(|i| [f64::from(i % 2)]).collect();
        let bootstrap = BootstrapDistribution::of_mean(&sessions).unwrap();
        assert!((bootstrap.quantile(0.025) - 0.402).abs() < 0.015, "{}", bootstrap.quantile(0.025));
        assert!((bootstrap.quantile(0.975) - 0.598).abs() < 0.015, "{}", bootstrap.quantile(0.975));
    }

    #[test]
    fn rows_of_one_session_do_not_make_the_mean_surer() {
        let once: Vec<Vec<f64>> = (0..40).map(|i| vec![f64::from(i % 2)]).collect();
        let often: Vec<Vec<f64>> = once.iter().map(|values| values.repeat(50)).collect();
        let width = |sessions: &[Vec<f64>]| {
            let bootstrap = BootstrapDistribution::of_mean(&sessions.iter().collect()).unwrap();
            bootstrap.quantile(0.975) - bootstrap.quantile(0.025)
        };
        assert!((width(&once) - width(&often)).abs() < 1e-9);
    }

    #[test]
    fn a_larger_standard_error_widens_both_ends_and_a_smaller_one_neither() {
        let sessions: SessionValues = (0..100).map(|i| [f64::from(i % 2)]).collect();
        let bootstrap = BootstrapDistribution::of_mean(&sessions).unwrap();
        let wider = bootstrap.clone().with_standard_error_of_at_least(0.1);
        assert!((wider.quantile(0.025) - 0.304).abs() < 0.03 && (wider.quantile(0.975) - 0.696).abs() < 0.03);
        assert!((bootstrap.clone().with_standard_error_of_at_least(0.01).quantile(0.975) - bootstrap.quantile(0.975)).abs() < 1e-12);
    }

    #[test]
    fn too_few_sessions_and_failed_requests_give_no_interval() {
        assert!(BootstrapDistribution::of_mean(&[[1.0]; LEAST_SESSIONS - 1].iter().collect()).is_none());
        assert!(BootstrapDistribution::of_mean(&[[f64::INFINITY]; 50].iter().collect()).is_none());
    }

    #[test]
    fn of_very_many_sessions_the_expansion_says_what_drawing_goes_towards() {
        // Skewed on purpose: mostly one short value, sometimes three long ones.
        let session = |i: u32| if i.is_multiple_of(50) { vec![9.0 + f64::from(i % 7); 3] } else { vec![1.0 + f64::from(i % 10) / 10.0] };
        let sessions: SessionValues = (0..6000).map(session).collect();
        let (drawn, expanded) = (BootstrapDistribution::drawn(&sessions), BootstrapDistribution::of_mean(&sessions).unwrap());
        let BootstrapDistribution::Expanded { standard_error, .. } = expanded else { panic!("drawn") };
        for share in [0.025, 0.05, 0.5, 0.95, 0.975] {
            let apart = (drawn.quantile(share) - expanded.quantile(share)).abs() / standard_error;
            assert!(apart < 0.15, "{share}: {apart} standard errors apart");
        }
    }
}
