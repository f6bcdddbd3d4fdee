//! A Poisson process: independent exponential gaps of mean `1 / rate`. A rate and draws go in, ascending seconds come out without end.

use super::variate::VariateGenerator;

#[derive(Debug, Clone)]
pub struct PoissonArrivals {
    draws: VariateGenerator,
    mean_gap_s: f64,
    at_s: f64,
}

impl PoissonArrivals {
    pub fn new(seed: u64, rate_per_s: f64) -> Self {
        Self { draws: VariateGenerator::new(seed, "poisson"), mean_gap_s: 1.0 / rate_per_s, at_s: 0.0 }
    }
}

impl Iterator for PoissonArrivals {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        self.at_s += self.draws.exponential() * self.mean_gap_s;
        Some(self.at_s)
    }
}

#[cfg(test)]
mod tests {
    use super::super::gamma::tests::{gaps, moments};
    use super::*;

    const N: usize = 20_000;

    #[test]
    fn gaps_have_the_mean_and_the_variance_of_an_exponential() {
        for seed in [1, 2, 3] {
            let (mean, square_of_variation) = moments(&gaps(PoissonArrivals::new(seed, 4.0), N));
            // Standard errors are 1/√N = 0.7 % of the mean and 2/√N = 1.4 % of CV²: four of them.
            assert!((mean * 4.0 - 1.0).abs() < 0.0283, "seed {seed}: {mean}");
            assert!((square_of_variation - 1.0).abs() < 0.0566, "seed {seed}: {square_of_variation}");
        }
    }

    #[test]
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    fn gaps_are_without_memory() {
        let gaps = gaps(PoissonArrivals::new(7, 4.0), N);
        let longer = |than: f64| gaps.iter().filter(|gap| **gap > than).count() as f64 / N as f64;
        // P(gap > t) = e^(-4t); four standard errors are at most 4 × 0.5/√N.
        for (than, share) in [(0.1, 0.670_32), (0.25, 0.367_88), (0.5, 0.135_34), (1.0, 0.018_32)] {
            assert!((longer(than) - share).abs() < 0.0142, "{than}: {}", longer(than));
        }
    }

    #[test]
    fn a_seed_gives_the_same_times_and_another_seed_others() {
        let of = |seed| PoissonArrivals::new(seed, 4.0).take(10).collect::<Vec<f64>>();
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
    }
}
