//! Independent gamma gaps of mean `1 / rate` and shape `burstiness`: the squared coefficient of variation is `1 / burstiness`, so 1 is
//! a Poisson process, less is burstier. The same meaning as `--burstiness` of `vllm bench serve`. Ascending seconds come out without end.

use super::variate::VariateGenerator;

#[derive(Debug, Clone)]
pub struct GammaArrivals {
    draws: VariateGenerator,
    shape: f64,
    scale_s: f64,
    at_s: f64,
}

impl GammaArrivals {
    pub fn new(seed: u64, rate_per_s: f64, shape: f64) -> Self {
        Self { draws: VariateGenerator::new(seed, "gamma"), shape, scale_s: 1.0 / (rate_per_s * shape), at_s: 0.0 }
    }
}

impl Iterator for GammaArrivals {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        self.at_s += self.draws.gamma(self.shape) * self.scale_s;
        Some(self.at_s)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const N: usize = 20_000;

    /// The gaps between times, the first from 0.
    pub fn gaps(times: impl Iterator<Item = f64>, count: usize) -> Vec<f64> {
        let mut last = 0.0;
        times.take(count).map(|at| at - std::mem::replace(&mut last, at)).collect()
    }

    /// The mean and the squared coefficient of variation.
    #[expect(clippy::cast_precision_loss, reason = "a mean")]
    pub fn moments(values: &[f64]) -> (f64, f64) {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n;
        (mean, variance / (mean * mean))
    }

    #[test]
    #[expect(clippy::cast_precision_loss, reason = "a standard error")]
    fn gaps_have_the_mean_of_the_rate_and_a_variation_of_one_over_the_shape() {
        for shape in [0.1, 0.25, 0.5, 1.0, 2.0, 10.0, 100.0] {
            let (mean, square_of_variation) = moments(&gaps(GammaArrivals::new(7, 4.0, shape), N));
            // Of the mean, relatively: √(1/shape/N). Of CV²: kurtosis is 3 + 6/shape and skewness 2/√shape, so by the delta method
            // its relative error is √((2 + 2/shape) / N). Four of each.
            let n = N as f64;
            assert!((mean * 4.0 - 1.0).abs() < 4.0 * (1.0 / shape / n).sqrt(), "shape {shape}: mean {mean}");
            let error = (square_of_variation * shape - 1.0).abs();
            assert!(error < 4.0 * ((2.0 + 2.0 / shape) / n).sqrt(), "shape {shape}: CV² {square_of_variation}");
        }
    }

    #[test]
    fn extreme_shapes_give_finite_ascending_times() {
        for shape in [1e-6, 1e-3, 1e6] {
            let times: Vec<f64> = GammaArrivals::new(7, 4.0, shape).take(1000).collect();
            assert!(times.is_sorted() && times.iter().all(|at| at.is_finite()), "shape {shape}");
        }
    }
}
