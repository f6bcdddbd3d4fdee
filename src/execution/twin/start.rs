//! Where a fit begins: the parts of the quickest requests, split by a rule of thumb. The fit needs no more than the right order of magnitude.

#![expect(clippy::cast_precision_loss, reason = "counts and tokens are far below 2^53")]

use super::parameter::TwinParameter;
use super::sample_values::{mean_gap_s, quantile};
use crate::records::record::{RequestPhase, RequestRecord};
use crate::simulation::engine::EngineParameters;
use crate::vocabulary::spec::engine::EngineSpec;

/// The quickest requests that were measured, in seconds and tokens.
#[derive(Debug, Clone, Copy)]
struct QuickestRequests {
    /// Time to first token of a prompt that was computed, and its tokens.
    cold_s: f64,
    computed: f64,
    /// Of a prompt that a cache had.
    hit_s: f64,
    prompt: f64,
    gap_s: f64,
}

impl QuickestRequests {
    fn of(rows: &[&RequestRecord]) -> Option<Self> {
        let share = |row: &RequestRecord| row.cached_tokens.unwrap_or(0) as f64 / row.prompt_tokens.unwrap_or(1).max(1) as f64;
        let ttft = |fits: &dyn Fn(f64) -> bool| low(rows.iter().filter(|row| fits(share(row))).filter_map(|row| row.ttft_s()).collect());
        let tokens = |row: &&RequestRecord| Some((row.prompt_tokens? - row.cached_tokens.unwrap_or(0).min(row.prompt_tokens?)) as f64);
        let cold = |share: f64| share < 0.1;
        let cold_s = ttft(&cold).or_else(|| ttft(&|_| true))?;
        Some(Self {
            cold_s,
            computed: middle(rows.iter().copied().filter(|row| cold(share(row))).filter_map(|row| tokens(&row)).collect()).unwrap_or(1.0),
            hit_s: ttft(&|share| share > 0.5).unwrap_or(cold_s * 0.1),
            prompt: middle(rows.iter().filter_map(|row| Some(row.prompt_tokens? as f64)).collect())?,
            gap_s: low(rows.iter().filter_map(|row| mean_gap_s(row)).collect()).unwrap_or(cold_s * 0.01),
        })
    }
}

/// The logarithms of the parameters to begin with; `None` where no request was answered.
pub(super) fn first_guess(rows: &[&RequestRecord], parameters: &[TwinParameter], told: &EngineSpec) -> Option<Vec<f64>> {
    let counting: Vec<&RequestRecord> =
        rows.iter().copied().filter(|row| row.failure.is_none() && row.phase == RequestPhase::Measure).collect();
    let QuickestRequests { cold_s, computed, hit_s, prompt, gap_s } = QuickestRequests::of(&counting)?;
    let (prompt, computed) = (prompt.max(1.0), computed.max(1.0));
    let computing_s = (cold_s - hit_s).max(cold_s * 0.2);
    let token_bytes = EngineParameters::resolve(told, 0).map_or(1, |engine| engine.token_bytes) as f64;
    let guess = |parameter: &TwinParameter| match parameter {
        TwinParameter::Request => hit_s * 0.2,
        TwinParameter::IntakeToken => hit_s * 0.2 / prompt,
        TwinParameter::Step => gap_s * 0.7,
        TwinParameter::PrefillToken => computing_s * 0.7 / computed,
        TwinParameter::AttentionPair => computing_s * 0.2 * 2.0 / computed.powi(2),
        TwinParameter::DecodeSequence => gap_s * 0.1,
        TwinParameter::ContextToken => gap_s * 0.1 / prompt,
        TwinParameter::HostLatency => hit_s * 0.05,
        TwinParameter::HostBandwidth => (prompt * token_bytes / (hit_s * 0.5)).clamp(1.0, 1e18),
    };
    Some(parameters.iter().map(|parameter| guess(parameter).max(1e-15).ln()).collect())
}

fn low(values: Vec<f64>) -> Option<f64> {
    quantile(values, 10.0)
}

fn middle(values: Vec<f64>) -> Option<f64> {
    quantile(values, 50.0)
}

/// The relative spread of single steps, by the gaps of requests that were alone: the median distance of a request's gaps from their median, as that of a
/// normal distribution. 0 where too few requests were alone.
pub(super) fn step_noise(rows: &[&RequestRecord]) -> f64 {
    let lone = rows.iter().filter(|row| row.in_flight <= 1 && row.gaps_us.len() >= 8);
    let spread = |row: &&&RequestRecord| {
        let gaps: Vec<f64> = row.gaps_us.iter().map(|gap| f64::from(*gap)).collect();
        let median = middle(gaps.clone()).filter(|median| *median > 0.0)?;
        // 1.4826: the distance of the quartiles of a normal distribution from its middle.
        middle(gaps.iter().map(|gap| (gap - median).abs()).collect()).map(|distance| 1.4826 * distance / median)
    };
    middle(lone.filter_map(|row| spread(&row)).collect()).unwrap_or(0.0).min(0.5)
}
