//! Random numbers of arrival processes: uniform, exponential, normal and gamma, from a seed alone.
//!
//! Made here because the sampling of libraries may change between their versions, and then equal seeds would give other runs.

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

/// A sequence of draws.
#[derive(Debug, Clone)]
pub struct VariateGenerator {
    rng: Pcg64,
    /// The second of a pair of normal draws.
    spare: Option<f64>,
}

impl VariateGenerator {
    /// The draws that belong to a seed and a purpose.
    pub fn new(seed: u64, purpose: &str) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("bench 1 arrival times");
        hasher.update(&seed.to_le_bytes());
        hasher.update(purpose.as_bytes());
        Self { rng: Pcg64::from_seed(*hasher.finalize().as_bytes()), spare: None }
    }

    /// Above 0 and at most 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double")]
    fn uniform(&mut self) -> f64 {
        ((self.rng.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    /// Exponential with mean 1, by inversion.
    pub fn exponential(&mut self) -> f64 {
        -self.uniform().ln()
    }

    /// Standard normal, by the polar method (Marsaglia and Bray 1964).
    fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let (x, y) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                let scale = (-2.0 * square.ln() / square).sqrt();
                self.spare = Some(y * scale);
                return x * scale;
            }
        }
    }

    /// Gamma with that shape (above 0) and scale 1, so with mean and variance `shape`: the method of Marsaglia and Tsang (2000), "A
    /// simple method for generating gamma variables", with their power of a uniform for shapes below 1.
    pub fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            return self.gamma(shape + 1.0) * self.uniform().powf(1.0 / shape);
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && self.uniform().ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::cast_precision_loss, reason = "a mean")]
    fn normal_draws_have_mean_0_variance_1_and_symmetric_tails() {
        const N: usize = 20_000;
        let mut draws = VariateGenerator::new(7, "normal");
        let values: Vec<f64> = (0..N).map(|_| draws.normal()).collect();
        let mean = values.iter().sum::<f64>() / N as f64;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / N as f64;
        // Four standard errors: 4/√N and 4·√(2/N).
        assert!(mean.abs() < 0.0283 && (variance - 1.0).abs() < 0.04, "{mean} {variance}");
        // 2.275 % lie beyond 2 on either side; four standard errors are 0.42 %.
        for tail in [values.iter().filter(|value| **value > 2.0).count(), values.iter().filter(|value| **value < -2.0).count()] {
            assert!((tail as f64 / N as f64 - 0.02275).abs() < 0.0042, "{tail}");
        }
    }

    #[test]
    fn seeds_and_purposes_have_draws_of_their_own() {
        let first = |seed, purpose| VariateGenerator::new(seed, purpose).uniform();
        assert!((first(7, "a") - first(7, "a")).abs() < f64::EPSILON);
        assert!((first(7, "a") - first(8, "a")).abs() > f64::EPSILON && (first(7, "a") - first(7, "b")).abs() > f64::EPSILON);
    }
}
