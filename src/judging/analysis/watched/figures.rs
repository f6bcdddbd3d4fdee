//! A cell's figures: those of its runs, pooled.
//!
//! Shares are of the tokens of all runs that tell them; counts are means of a run, so that cells with missing repeats stay comparable;
//! means are weighed by how long each run was watched; largest values are those of any run.

use std::collections::BTreeSet;

use super::run::RunServerFigures;
use crate::analysis::summary::{CacheHitShares, GaugeSummary, RoleFigures, ServerFigures, ServerMetricValue, ServerRole};

impl ServerFigures {
    /// Pools the runs of a cell.
    pub(in crate::analysis) fn pool(runs: &[RunServerFigures]) -> Self {
        let computed = |run: &RunServerFigures| match &run.prompt {
            Some(prompt) => Some(ServerMetricValue { value: prompt.total - prompt.device - prompt.external, by: prompt.by.to_owned() }),
            None => run.computed.clone(),
        };
        let total =
            |run: &RunServerFigures| run.prompt.as_ref().map(|prompt| ServerMetricValue { value: prompt.total, by: prompt.by.to_owned() });
        let external = |run: &RunServerFigures| {
            run.prompt.as_ref().map(|prompt| ServerMetricValue { value: prompt.external, by: prompt.by.to_owned() })
        };
        Self {
            samples: runs.iter().map(|run| run.samples).sum(),
            hits: hits(runs),
            prompt_tokens_computed: mean(runs.iter().filter_map(computed)),
            prompt_tokens: sum(runs.iter().filter_map(total)),
            external_queries: sum(runs.iter().filter_map(|run| run.external_queries.clone())),
            external_tokens: sum(runs.iter().filter_map(external)),
            running: level(runs, |run| run.running.as_ref()),
            waiting: level(runs, |run| run.waiting.as_ref()),
            preemptions: mean(runs.iter().filter_map(|run| run.preemptions.clone())),
            speculative_acceptance: mean(runs.iter().filter_map(|run| run.speculative_acceptance.clone())),
            kv_usage: level(runs, |run| run.kv_usage.as_ref()),
            roles: roles(runs),
            kv_pool_tokens: runs.iter().find_map(|run| run.pool.clone()),
            gpu_utilization: level(runs, |run| run.gpu_utilization.as_ref()),
            gpu_memory_bytes: level(runs, |run| run.gpu_memory_bytes.as_ref()),
            gpu_power_watts: level(runs, |run| run.gpu_power_watts.as_ref()),
            joules_per_output_token: energy(runs),
            host_cpu: level(runs, |run| run.host_cpu.as_ref()),
            host_memory_bytes: level(runs, |run| run.host_memory_bytes.as_ref()),
        }
    }

    /// Whether nothing at all is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The figures that are told, each with the metric that it was measured by.
    #[must_use]
    pub fn measured_by(&self) -> Vec<(&'static str, &str)> {
        let all = [
            self.hits.as_ref().map(|hits| ("hits", hits.by.as_str())),
            of_told("prompt tokens computed", self.prompt_tokens_computed.as_ref()),
            of_told("asked of the external cache", self.external_queries.as_ref()),
            of_level("running", self.running.as_ref()),
            of_level("waiting", self.waiting.as_ref()),
            of_told("preemptions", self.preemptions.as_ref()),
            of_told("drafted tokens kept", self.speculative_acceptance.as_ref()),
            of_level("KV usage", self.kv_usage.as_ref()),
            of_told("KV pool", self.kv_pool_tokens.as_ref()),
            of_level("GPU utilisation", self.gpu_utilization.as_ref()),
            of_level("GPU memory", self.gpu_memory_bytes.as_ref()),
            of_level("power", self.gpu_power_watts.as_ref()),
            of_told("energy", self.joules_per_output_token.as_ref()),
            of_level("host CPU", self.host_cpu.as_ref()),
            of_level("host memory", self.host_memory_bytes.as_ref()),
        ];
        all.into_iter().flatten().collect()
    }
}

impl ServerFigures {
    /// What a verdict on the bottleneck needs, and no metric of the server told; nothing where the server was not watched.
    #[must_use]
    pub fn untold(&self) -> Vec<&'static str> {
        let all = [
            ("hits", self.hits.is_some()),
            ("running", self.running.is_some()),
            ("waiting", self.waiting.is_some()),
            ("preemptions", self.preemptions.is_some()),
            ("KV usage", self.kv_usage.is_some()),
        ];
        all.into_iter().filter(|(_, is_told)| self.samples > 0 && !is_told).map(|(name, _)| name).collect()
    }
}

fn of_told<'a>(name: &'static str, figure: Option<&'a ServerMetricValue>) -> Option<(&'static str, &'a str)> {
    figure.map(|told| (name, told.by.as_str()))
}

fn of_level<'a>(name: &'static str, figure: Option<&'a GaugeSummary>) -> Option<(&'static str, &'a str)> {
    figure.map(|level| (name, level.by.as_str()))
}

/// Shares over the tokens of all runs that tell them.
fn hits(runs: &[RunServerFigures]) -> Option<CacheHitShares> {
    let prompts = || runs.iter().filter_map(|run| run.prompt.as_ref());
    let total: f64 = prompts().map(|prompt| prompt.total).sum();
    let (device, external) = (prompts().map(|prompt| prompt.device).sum::<f64>(), prompts().map(|prompt| prompt.external).sum::<f64>());
    let by = prompts().next()?.by;
    (total > 0.0).then(|| CacheHitShares {
        device: Some(device / total),
        external: Some(external / total),
        cached: (device + external) / total,
        computed: (total - device - external) / total,
        by: by.to_owned(),
    })
}

fn energy(runs: &[RunServerFigures]) -> Option<ServerMetricValue> {
    let powered = || runs.iter().filter_map(|run| Some((run, run.gpu_power_watts.as_ref()?)));
    let joules: f64 = powered().map(|(run, power)| power.mean * run.window_s).sum();
    let tokens: f64 = powered().map(|(run, _)| run.output_tokens).sum();
    let by = powered().map(|(_, power)| power.by.clone()).next()?;
    (tokens > 0.0 && joules > 0.0).then(|| ServerMetricValue { value: joules / tokens, by })
}

fn sum(told: impl Iterator<Item = ServerMetricValue>) -> Option<ServerMetricValue> {
    told.reduce(|all, next| ServerMetricValue { value: all.value + next.value, by: all.by })
}

/// Those of each role that a run tells of.
fn roles(runs: &[RunServerFigures]) -> Vec<RoleFigures> {
    let of_role = |run: &'_ RunServerFigures, role| run.roles.iter().position(|told| told.role == role);
    let pooled = |role| {
        let level = |get: fn(&RoleFigures) -> Option<&GaugeSummary>| level(runs, |run| get(&run.roles[of_role(run, role)?]));
        RoleFigures {
            role,
            running: level(|told| told.running.as_ref()),
            waiting: level(|told| told.waiting.as_ref()),
            kv_usage: level(|told| told.kv_usage.as_ref()),
        }
    };
    ServerRole::ALL.into_iter().filter(|role| runs.iter().any(|run| of_role(run, *role).is_some())).map(pooled).collect()
}

#[expect(clippy::cast_precision_loss, reason = "runs of a cell are few")]
fn mean(told: impl Iterator<Item = ServerMetricValue>) -> Option<ServerMetricValue> {
    let told: Vec<ServerMetricValue> = told.collect();
    let count = told.len() as f64;
    sum(told.into_iter()).map(|all| ServerMetricValue { value: all.value / count, by: all.by })
}

fn level<'a>(runs: &'a [RunServerFigures], get: impl Fn(&'a RunServerFigures) -> Option<&'a GaugeSummary>) -> Option<GaugeSummary> {
    let levels: Vec<(f64, &GaugeSummary)> = runs.iter().filter_map(|run| Some((run.window_s, get(run)?))).collect();
    let watched: f64 = levels.iter().map(|(window, _)| window).sum();
    let max = levels.iter().map(|(_, level)| level.max).max_by(f64::total_cmp)?;
    let by: BTreeSet<&str> = levels.iter().map(|(_, level)| level.by.as_str()).collect();
    let mean = match levels.as_slice() {
        [(_, first), ..] if watched <= 0.0 => first.mean,
        levels => levels.iter().map(|(window, level)| window * level.mean).sum::<f64>() / watched,
    };
    Some(GaugeSummary { mean, max, by: by.into_iter().collect::<Vec<_>>().join(", ") })
}

#[cfg(test)]
mod tests {
    use super::super::super::fixture::samples;
    use super::*;

    #[test]
    fn energy_is_mean_power_times_the_window_over_the_output_tokens() {
        let run = |watts, seconds, tokens| {
            let page = [("gpu_power_watts", "{gpu=\"0\"}", watts)];
            RunServerFigures::of(&samples(&[(0, &page), (seconds, &page)]), tokens)
        };
        // 100 W for 10 s and 300 W for 30 s are 10,000 J, for 500 tokens.
        let figures = ServerFigures::pool(&[run(100.0, 10, 300.0), run(300.0, 30, 200.0)]);
        assert_eq!(figures.joules_per_output_token, Some(ServerMetricValue { value: 20.0, by: "gpu_power_watts".into() }));
        assert_eq!(figures.gpu_power_watts.map(|power| power.mean), Some(250.0));
        assert_eq!(ServerFigures::pool(&[run(100.0, 10, 0.0)]).joules_per_output_token, None);
    }

    #[test]
    fn counts_are_means_of_the_runs_that_tell_them_and_shares_are_of_their_tokens() {
        let name = "vllm:prompt_tokens_by_source_total";
        let run = |compute, device| {
            let page = |compute, device| [(name, "{source=\"local_compute\"}", compute), (name, "{source=\"local_cache_hit\"}", device)];
            RunServerFigures::of(&samples(&[(0, &page(0.0, 0.0)), (1, &page(compute, device))]), 0.0)
        };
        let figures = ServerFigures::pool(&[run(100.0, 0.0), RunServerFigures::default(), run(100.0, 200.0)]);
        let hits = figures.hits.unwrap();
        assert_eq!((hits.device, hits.external, hits.computed), (Some(0.5), Some(0.0), 0.5));
        assert_eq!(figures.prompt_tokens_computed.map(|told| told.value), Some(100.0));
        assert_eq!(figures.prompt_tokens.map(|told| told.value), Some(400.0));
    }

    #[test]
    fn the_names_of_text_generation_inference_are_known_and_what_it_does_not_tell_is_said() {
        let page = |running, waiting| [("tgi_batch_current_size", "", running), ("tgi_queue_size", "", waiting)];
        let figures = ServerFigures::pool(&[RunServerFigures::of(&samples(&[(0, &page(0.0, 0.0)), (10, &page(4.0, 7.0))]), 0.0)]);
        assert_eq!([figures.running.as_ref(), figures.waiting.as_ref()].map(|level| level.map(|level| level.max)), [Some(4.0), Some(7.0)]);
        assert_eq!(figures.untold(), ["hits", "preemptions", "KV usage"]);
        assert_eq!(ServerFigures::default().untold(), [""; 0], "nobody watched");
    }

    #[test]
    fn what_nobody_told_is_not_there_and_not_zero() {
        let figures = ServerFigures::pool(&[RunServerFigures { output_tokens: 12.0, ..RunServerFigures::default() }]);
        assert!(figures.is_empty());
        assert_eq!(serde_json::to_string(&figures).unwrap(), r#"{"samples":0}"#);
    }
}
