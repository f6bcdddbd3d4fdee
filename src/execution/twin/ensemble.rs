//! Engines that the data do not tell apart: drawn around the fitted one from a normal distribution that is cut off at 0.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use super::cholesky::Cholesky;
use super::parameter::{TwinParameter, engine_at};
use crate::foundation::normal::normal_quantile;
use crate::vocabulary::spec::engine::EngineSpec;

/// How many engines stand for what is not known.
const MEMBERS: u64 = 40;

/// How often a member is drawn until none of its times is negative.
const MOST_DRAWS: u32 = 10_000;

/// One engine of an ensemble: its parameters' natural logarithms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnsembleMember(pub Vec<f64>);

/// An ensemble of engines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TwinEnsemble {
    pub parameters: Vec<TwinParameter>,
    pub members: Vec<EnsembleMember>,
}

impl TwinEnsemble {
    /// Around `at`; `curvature` is the inverse of the covariance. Without it all are the same.
    ///
    /// What is drawn are the times themselves, as multiples of the fitted ones, and none is negative: latencies are sums of times, so that a sum that the
    /// data tell stays what it is though its parts are not known. Logarithms far apart would add up to more.
    pub(super) fn draw(parameters: &[TwinParameter], at: &[f64], curvature: Option<&Cholesky>) -> Self {
        let random = &mut Pcg64::seed_from_u64(21);
        let mut member = || {
            let multiples = (0..MOST_DRAWS).find_map(|_| {
                let independent: Vec<f64> = at.iter().map(|_| standard_normal(random)).collect();
                let moved = curvature?.solve_transposed(&independent);
                let multiples = parameters.iter().zip(moved).map(|(parameter, moved)| parameter.multiple_of_time(moved));
                multiples.collect::<Option<Vec<f64>>>()
            });
            let multiples = multiples.unwrap_or_else(|| vec![1.0; at.len()]);
            EnsembleMember(at.iter().zip(multiples).map(|(log, multiple)| log + multiple.ln()).collect())
        };
        Self { parameters: parameters.to_vec(), members: (0..MEMBERS).map(|_| member()).collect() }
    }

    /// The members as engines; what is not fitted is that of `engine`. Each has a noise of its own.
    #[must_use]
    pub fn engines(&self, engine: &EngineSpec) -> Vec<EngineSpec> {
        let with_noise = |(number, member): (usize, &EnsembleMember)| {
            let placed = engine_at(engine, &self.parameters, &member.0);
            EngineSpec { noise_seed: Some(number as u64 + 1), ..placed }
        };
        self.members.iter().enumerate().map(with_noise).collect()
    }
}

pub(super) fn standard_normal(random: &mut Pcg64) -> f64 {
    normal_quantile(random.random_range(1e-9..1.0 - 1e-9))
}
