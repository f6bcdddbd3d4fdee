//! Engines that the data do not tell apart: drawn around the fitted one from a normal distribution that is cut off at 0.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use super::cholesky::Cholesky;
use super::parameter::{TwinParameter, engine_scaled};
use crate::foundation::normal::normal_quantile;
use crate::vocabulary::spec::engine::EngineSpec;

/// How many engines stand for what is not known.
const MEMBERS: u64 = 40;

/// How often a member is drawn until none of its times is negative.
const MOST_DRAWS: u32 = 10_000;

/// One engine of an ensemble: its parameters as multiples of the fitted ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnsembleMember(pub Vec<f64>);

/// An ensemble of engines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TwinEnsemble {
    pub parameters: Vec<TwinParameter>,
    pub members: Vec<EnsembleMember>,
}

impl TwinEnsemble {
    /// Around the fitted engine; `curvature` is the inverse of the covariance of its parameters' logarithms. Without it all are the same.
    ///
    /// What is drawn are the times themselves, as multiples of the fitted ones, and none is negative: latencies are sums of times, so that a sum that the
    /// data tell stays what it is though its parts are not known. Logarithms far apart would add up to more.
    pub(super) fn draw(parameters: &[TwinParameter], curvature: Option<&Cholesky>) -> Self {
        let random = &mut Pcg64::seed_from_u64(21);
        let mut member = || {
            let multiples = (0..MOST_DRAWS).find_map(|_| {
                let independent: Vec<f64> = parameters.iter().map(|_| standard_normal(random)).collect();
                let moved = curvature?.solve_transposed(&independent);
                let multiples = parameters.iter().zip(moved).map(|(parameter, moved)| parameter.multiple_of_time(moved));
                multiples.collect::<Option<Vec<f64>>>()
            });
            EnsembleMember(multiples.unwrap_or_else(|| vec![1.0; parameters.len()]))
        };
        Self { parameters: parameters.to_vec(), members: (0..MEMBERS).map(|_| member()).collect() }
    }

    /// The members as engines: `engine`, which is the fitted one or that with something changed, with its times multiplied by each member's. Each has a
    /// noise of its own.
    #[must_use]
    pub fn engines(&self, engine: &EngineSpec) -> Vec<EngineSpec> {
        let with_noise = |(number, member): (usize, &EnsembleMember)| EngineSpec {
            noise_seed: Some(number as u64 + 1),
            ..engine_scaled(engine, &self.parameters, &member.0)
        };
        self.members.iter().enumerate().map(with_noise).collect()
    }
}

fn standard_normal(random: &mut Pcg64) -> f64 {
    normal_quantile(random.random_range(1e-9..1.0 - 1e-9))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foundation::units::Seconds;

    #[test]
    fn a_changed_figure_is_multiplied_by_each_member_as_the_fitted_one_is() {
        let parameters = vec![TwinParameter::Step, TwinParameter::HostBandwidth];
        let ensemble = TwinEnsemble { parameters, members: vec![EnsembleMember(vec![1.5, 0.5]), EnsembleMember(vec![0.5, 2.0])] };
        let steps = |step: f64| {
            let mut engine = EngineSpec::default();
            engine.costs.step = Some(Seconds(step));
            ensemble.engines(&engine).iter().map(|member| TwinParameter::Step.of(member).unwrap()).collect::<Vec<f64>>()
        };
        assert_eq!((steps(0.002), steps(0.004)), (vec![0.003, 0.001], vec![0.006, 0.002]));
        let without_tier = ensemble.engines(&EngineSpec::default());
        assert!(without_tier.iter().all(|member| member.host_tier.is_none()));
    }
}
