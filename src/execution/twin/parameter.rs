//! What is fitted: the engine's times, and the rate of a tier. Each is a positive number, fitted on a logarithmic scale.

use serde::{Deserialize, Serialize};

use crate::foundation::units::{BytesPerSecond, Seconds};
use crate::vocabulary::spec::engine::EngineSpec;

/// A figure of an engine that is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TwinParameter {
    /// Seconds, as all but the bandwidth.
    Request,
    IntakeToken,
    Step,
    PrefillToken,
    AttentionPair,
    DecodeSequence,
    ContextToken,
    /// Bytes per second.
    HostBandwidth,
    HostLatency,
}

impl TwinParameter {
    pub const ALL: [Self; 9] = [
        Self::Request,
        Self::IntakeToken,
        Self::Step,
        Self::PrefillToken,
        Self::AttentionPair,
        Self::DecodeSequence,
        Self::ContextToken,
        Self::HostBandwidth,
        Self::HostLatency,
    ];

    /// Those of an engine: of a tier only where there is one.
    #[must_use]
    pub fn of_engine(engine: &EngineSpec) -> Vec<Self> {
        let is_of_tier = |parameter: &Self| matches!(parameter, Self::HostBandwidth | Self::HostLatency);
        Self::ALL.into_iter().filter(|parameter| engine.host_tier.is_some() || !is_of_tier(parameter)).collect()
    }

    /// Its path below `engine`.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Request => "costs.request",
            Self::IntakeToken => "costs.intake_token",
            Self::Step => "costs.step",
            Self::PrefillToken => "costs.prefill_token",
            Self::AttentionPair => "costs.attention_pair",
            Self::DecodeSequence => "costs.decode_sequence",
            Self::ContextToken => "costs.context_token",
            Self::HostBandwidth => "host_tier.bandwidth",
            Self::HostLatency => "host_tier.latency",
        }
    }

    /// What an engine's section says of it, in its base unit; `None` where it leaves it to the preset, or has no such part.
    #[must_use]
    pub fn of(self, engine: &EngineSpec) -> Option<f64> {
        let costs = &engine.costs;
        let cost = match self {
            Self::Request => costs.request,
            Self::IntakeToken => costs.intake_token,
            Self::Step => costs.step,
            Self::PrefillToken => costs.prefill_token,
            Self::AttentionPair => costs.attention_pair,
            Self::DecodeSequence => costs.decode_sequence,
            Self::ContextToken => costs.context_token,
            Self::HostBandwidth => return engine.host_tier.as_ref().map(|tier| tier.bandwidth.0),
            Self::HostLatency => engine.host_tier.as_ref().and_then(|tier| tier.latency),
        };
        cost.map(|seconds| seconds.0)
    }

    /// What it is multiplied by where its logarithm would move so far, had it moved little, and the time behind it moves on as it began: `None` where that
    /// would be negative. A rate is 1 over a time.
    pub(super) fn multiple_of_time(self, moved: f64) -> Option<f64> {
        let multiple = if self == Self::HostBandwidth { 1.0 / (1.0 - moved) } else { 1.0 + moved };
        (multiple > 0.0 && multiple.is_finite()).then_some(multiple)
    }

    /// Sets it, in its base unit.
    pub fn set(self, engine: &mut EngineSpec, value: f64) {
        let costs = &mut engine.costs;
        let cost = match self {
            Self::Request => &mut costs.request,
            Self::IntakeToken => &mut costs.intake_token,
            Self::Step => &mut costs.step,
            Self::PrefillToken => &mut costs.prefill_token,
            Self::AttentionPair => &mut costs.attention_pair,
            Self::DecodeSequence => &mut costs.decode_sequence,
            Self::ContextToken => &mut costs.context_token,
            Self::HostBandwidth => {
                if let Some(tier) = &mut engine.host_tier {
                    tier.bandwidth = BytesPerSecond(value.clamp(1.0, 1e18));
                }
                return;
            }
            Self::HostLatency => {
                if let Some(tier) = &mut engine.host_tier {
                    tier.latency = Some(Seconds(value));
                }
                return;
            }
        };
        *cost = Some(Seconds(value));
    }
}

/// The engine with these parameters, told by their natural logarithms, in place of its own.
pub(super) fn engine_at(told: &EngineSpec, parameters: &[TwinParameter], logs: &[f64]) -> EngineSpec {
    let mut engine = told.clone();
    for (parameter, log) in parameters.iter().zip(logs) {
        parameter.set(&mut engine, log.exp());
    }
    engine
}

/// The engine with each of these parameters multiplied, where it has it.
pub(super) fn engine_scaled(fitted: &EngineSpec, parameters: &[TwinParameter], multiples: &[f64]) -> EngineSpec {
    let mut engine = fitted.clone();
    for (parameter, multiple) in parameters.iter().zip(multiples) {
        if let Some(value) = parameter.of(fitted) {
            parameter.set(&mut engine, value * multiple);
        }
    }
    engine
}
