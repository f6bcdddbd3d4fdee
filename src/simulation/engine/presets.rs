//! Which figures an engine has: the `[engine]` section goes in, [`EngineParameters`] come out. Each preset says where its figures come
//! from; what a figure does is told where it is used.

use super::cost::StepCosts;
use super::tokenizer::mix;
use crate::foundation::units::{Bytes, Seconds};
use crate::vocabulary::spec::engine::{EngineCostSpec, EngineFaultKind, EnginePreset, EngineSpec, FaultSpec, IntakeOrder, TierSpec};

/// Everything that an engine does follows from these and from what is sent to it.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineParameters {
    pub preset: EnginePreset,
    /// Bytes of KV cache that a token takes, over all layers.
    pub token_bytes: u64,
    /// Tokens in a KV cache block.
    pub block_tokens: u64,
    /// Blocks on the device.
    pub blocks: u32,
    /// The most tokens computed in one step.
    pub step_tokens: u64,
    /// The most sequences that run at once.
    pub max_sequences: usize,
    /// The most tokens of a request, prompt and answer together; never more than the device's blocks hold.
    pub context_limit: u64,
    pub costs: StepCosts,
    pub host_tier: Option<TierSpec>,
    pub disk_tier: Option<TierSpec>,
    /// Standard deviation of step times over their mean.
    pub noise: f64,
    /// Of the noise, and of nothing else.
    pub seed: u64,
    /// Factor on the time of every step.
    pub slowdown: f64,
    pub faults: Vec<FaultSpec>,
    pub intake: IntakeOrder,
}

/// A combination of engine figures that cannot be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EngineSpecError {
    #[error("engine field `{field}` is 0; give it a positive value or leave it out")]
    Zero { field: &'static str },
    #[error("engine field `kv_memory` is {memory}, which holds no block of {block}; give it more or make `block_tokens` smaller")]
    NoBlock { memory: Bytes, block: Bytes },
    #[error("engine field `kv_memory` is {memory}, more than {most} blocks; give it less or make `block_tokens` larger")]
    TooManyBlocks { memory: Bytes, most: u32 },
    #[error("engine field `noise` is `{noise}`; give it a number from 0 to 1")]
    Noise { noise: String },
    #[error("engine field `slowdown` is `{slowdown}`; give it a number from 0.01 to 100")]
    Slowdown { slowdown: String },
    #[error("engine fault `status` needs `status = 400` to `599`, found `{found}`")]
    FaultStatus { found: String },
}

/// More blocks than any card has; a bound on what a typing error can allocate.
const MOST_BLOCKS: u32 = 1 << 26;

impl EngineParameters {
    /// The preset's figures, with those replaced that the section names.
    ///
    /// # Errors
    /// Where the figures contradict each other.
    pub fn resolve(spec: &EngineSpec, seed: u64) -> Result<Self, EngineSpecError> {
        let PresetParameters { token_bytes, kv_memory, block_tokens, step_tokens, max_sequences, context_limit, costs } =
            figures(spec.preset);
        let token_bytes = positive("token_bytes", spec.token_bytes.map_or(token_bytes, |bytes| bytes.0))?;
        let block_tokens = positive("block_tokens", spec.block_tokens.map_or(block_tokens, |tokens| tokens.0))?;
        let memory = spec.kv_memory.unwrap_or(kv_memory);
        let block = Bytes(block_tokens.saturating_mul(token_bytes));
        let blocks = memory.0 / block.0;
        if blocks == 0 {
            return Err(EngineSpecError::NoBlock { memory, block });
        }
        let blocks = u32::try_from(blocks).ok().filter(|blocks| *blocks <= MOST_BLOCKS);
        let blocks = blocks.ok_or(EngineSpecError::TooManyBlocks { memory, most: MOST_BLOCKS })?;
        let noise = spec.noise.unwrap_or(0.0);
        if !(0.0..=1.0).contains(&noise) {
            return Err(EngineSpecError::Noise { noise: noise.to_string() });
        }
        let slowdown = spec.slowdown.unwrap_or(1.0);
        if !(0.01..=100.0).contains(&slowdown) {
            return Err(EngineSpecError::Slowdown { slowdown: slowdown.to_string() });
        }
        let context_limit = positive("context_limit", spec.context_limit.map_or(context_limit, |tokens| tokens.0))?;
        check_tier("host_tier.capacity", spec.host_tier.as_ref())?;
        check_tier("disk_tier.capacity", spec.disk_tier.as_ref())?;
        spec.faults.iter().try_for_each(check_fault)?;
        Ok(Self {
            preset: spec.preset,
            token_bytes,
            block_tokens,
            blocks,
            step_tokens: positive("step_tokens", spec.step_tokens.map_or(step_tokens, |tokens| tokens.0))?,
            max_sequences: usize::try_from(positive("max_sequences", u64::from(spec.max_sequences.unwrap_or(max_sequences)))?)
                .unwrap_or(usize::MAX),
            context_limit: context_limit.min(u64::from(blocks) * block_tokens),
            costs: replaced(costs, &spec.costs),
            host_tier: spec.host_tier.clone(),
            disk_tier: spec.disk_tier.clone(),
            noise,
            seed: spec.noise_seed.map_or(seed, |own| mix(seed ^ mix(own))),
            slowdown,
            faults: spec.faults.clone(),
            intake: spec.intake.unwrap_or_default(),
        })
    }

    /// Tokens that the device's KV cache holds.
    #[must_use]
    pub fn kv_tokens(&self) -> u64 {
        u64::from(self.blocks) * self.block_tokens
    }

    /// Bytes of one block.
    #[must_use]
    pub fn block_bytes(&self) -> u64 {
        self.block_tokens * self.token_bytes
    }
}

fn positive(field: &'static str, value: u64) -> Result<u64, EngineSpecError> {
    if value == 0 { Err(EngineSpecError::Zero { field }) } else { Ok(value) }
}

/// The costs with those replaced that a scenario names.
fn replaced(costs: StepCosts, spec: &EngineCostSpec) -> StepCosts {
    let EngineCostSpec { request, intake_token, step, prefill_token, attention_pair, decode_sequence, context_token } = *spec;
    let or = |cost: Option<Seconds>, preset: u64| cost.map_or(preset, |cost| femtoseconds(cost.0));
    StepCosts {
        step_fs: or(step, costs.step_fs),
        prefill_token_fs: or(prefill_token, costs.prefill_token_fs),
        attention_pair_fs: or(attention_pair, costs.attention_pair_fs),
        decode_sequence_fs: or(decode_sequence, costs.decode_sequence_fs),
        context_token_fs: or(context_token, costs.context_token_fs),
        request_fs: or(request, costs.request_fs),
        intake_token_fs: or(intake_token, costs.intake_token_fs),
    }
}

fn check_tier(field: &'static str, tier: Option<&TierSpec>) -> Result<(), EngineSpecError> {
    tier.map_or(Ok(()), |tier| positive(field, tier.capacity.0).map(|_| ()))
}

fn check_fault(fault: &FaultSpec) -> Result<(), EngineSpecError> {
    positive("faults.every", fault.every)?;
    match (fault.kind, fault.status) {
        (EngineFaultKind::Status, Some(400..=599)) => Ok(()),
        (EngineFaultKind::Status, found) => {
            Err(EngineSpecError::FaultStatus { found: found.map_or_else(|| "nothing".to_owned(), |status| status.to_string()) })
        }
        _ => Ok(()),
    }
}

/// A preset's figures, before the scenario replaces any.
struct PresetParameters {
    token_bytes: u64,
    kv_memory: Bytes,
    block_tokens: u64,
    step_tokens: u64,
    max_sequences: u32,
    context_limit: u64,
    costs: StepCosts,
}

fn figures(preset: EnginePreset) -> PresetParameters {
    match preset {
        EnginePreset::Tiny => tiny(),
        EnginePreset::Qwen7bH200 => qwen_7b_h200(),
    }
}

/// Round numbers: a prompt of 1,000 tokens takes 1 ms + 10 ms + 1.001 ms, an answer token 1.1 ms + 10 ns a token of context. Nothing
/// real has these figures.
fn tiny() -> PresetParameters {
    PresetParameters {
        token_bytes: 1000,
        kv_memory: Bytes(64_000_000),
        block_tokens: 16,
        step_tokens: 1000,
        max_sequences: 64,
        context_limit: 32_768,
        costs: StepCosts {
            step_fs: 1_000_000_000_000,
            prefill_token_fs: 10_000_000_000,
            attention_pair_fs: 2_000_000,
            decode_sequence_fs: 100_000_000_000,
            context_token_fs: 10_000_000,
            request_fs: 0,
            intake_token_fs: 0,
        },
    }
}

/// Qwen2.5-7B-Instruct-1M in 16 bits on one NVIDIA H200.
///
/// The model's figures are those of its card and `config.json`; the card's are those of NVIDIA's H200 SXM data sheet (141 GB at
/// 4.8 TB/s, 989 TFLOPS dense in bf16). The shares of the peak that are reached are assumptions in the range that is usually
/// measured: with them a cold prompt of 131,072 tokens takes 8.8 s, and 8 to 10 s fit the published cells.
fn qwen_7b_h200() -> PresetParameters {
    const LAYERS: f64 = 28.0;
    const KV_HEADS: f64 = 4.0;
    const QUERY_HEADS: f64 = 28.0;
    const HEAD_SIZE: f64 = 128.0;
    const PARAMETERS: f64 = 7.61e9;
    const PARAMETERS_WITHOUT_EMBEDDING: f64 = 6.53e9;
    const BYTES: f64 = 2.0;
    const FLOPS_PER_S: f64 = 989e12 * 0.6;
    const BYTES_PER_S: f64 = 4.8e12 * 0.8;
    // 2 (keys and values) x 28 layers x 4 heads x 128 x 2 bytes = 57,344.
    const TOKEN_BYTES: f64 = 2.0 * LAYERS * KV_HEADS * HEAD_SIZE * BYTES;
    PresetParameters {
        token_bytes: 57_344,
        // 141 GB x 0.9 less 15 GB of weights.
        kv_memory: Bytes(112_000_000_000),
        // vLLM's default is 16. 256 is LMCache's chunk, keeps the simulation fast, and costs at most 255 tokens of reuse a turn.
        block_tokens: 256,
        // vLLM's defaults for an API server on a card of this size.
        step_tokens: 8192,
        max_sequences: 256,
        // `max_model_len` as the model card recommends it.
        context_limit: 1_010_000,
        costs: StepCosts {
            // One reading of the weights (4.0 ms), and half a millisecond of scheduling and launches.
            step_fs: femtoseconds(PARAMETERS * BYTES / BYTES_PER_S + 0.5e-3),
            // Two operations a weight.
            prefill_token_fs: femtoseconds(2.0 * PARAMETERS_WITHOUT_EMBEDDING / FLOPS_PER_S),
            // Two products (scores and values), two operations each, over every query head of every layer.
            attention_pair_fs: femtoseconds(4.0 * LAYERS * QUERY_HEADS * HEAD_SIZE / FLOPS_PER_S),
            // Sampling and the sequence's own share of launches: an assumption, small against the rest.
            decode_sequence_fs: femtoseconds(20e-6),
            context_token_fs: femtoseconds(TOKEN_BYTES / BYTES_PER_S),
            request_fs: 0,
            // An assumption: 131,072 tokens (some 500 kB of text) in a third of a second, as the published 1x1 cell has it, whose
            // prompt is in the cache but for its question.
            intake_token_fs: femtoseconds(2.5e-6),
        },
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "times are not negative, and a float saturates")]
fn femtoseconds(seconds: f64) -> u64 {
    (seconds * 1e15).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::cost::StepWork;
    use crate::foundation::units::Tokens;

    fn resolved(spec: &EngineSpec) -> EngineParameters {
        EngineParameters::resolve(spec, 0).unwrap()
    }

    #[test]
    fn the_published_card_holds_14_9_sessions_of_131072_tokens() {
        let parameters = resolved(&EngineSpec::default());
        assert_eq!(parameters.blocks, 7629);
        assert_eq!(parameters.kv_tokens() * 10 / 131_072, 149);
        let half = resolved(&EngineSpec { kv_memory: Some(Bytes(56_000_000_000)), ..EngineSpec::default() });
        assert_eq!(half.kv_tokens() * 10 / 131_072, 74);
    }

    #[test]
    fn a_cold_prompt_of_131072_tokens_takes_8_to_10_seconds_and_an_answer_token_a_few_milliseconds() {
        let parameters = resolved(&EngineSpec::default());
        let cold: u64 = (0..16)
            .map(|chunk| {
                let mut work = StepWork::default();
                work.add_prefill(chunk * 8192, 8192);
                parameters.costs.step(&work, 1.0).0
            })
            .sum();
        assert!((8_000_000..10_000_000).contains(&cold), "{cold}");
        let mut work = StepWork::default();
        work.add_decode(131_072);
        let decode = parameters.costs.step(&work, 1.0).0;
        assert!((4_000..8_000).contains(&decode), "{decode}");
    }

    #[test]
    fn costs_that_a_scenario_names_stand_in_place_of_the_presets() {
        let costs = EngineCostSpec { step: Some(Seconds(4e-3)), attention_pair: Some(Seconds(2.5e-12)), ..EngineCostSpec::default() };
        let spec = EngineSpec { preset: EnginePreset::Tiny, costs, token_bytes: Some(Bytes(2000)), ..EngineSpec::default() };
        let (own, tiny) = (resolved(&spec), resolved(&EngineSpec { preset: EnginePreset::Tiny, ..EngineSpec::default() }));
        assert_eq!(own.costs, StepCosts { step_fs: 4_000_000_000_000, attention_pair_fs: 2_500, ..tiny.costs });
        assert_eq!(own.blocks * 2, tiny.blocks);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let spec = |change: fn(&mut EngineSpec)| {
            let mut spec = EngineSpec { preset: EnginePreset::Tiny, ..EngineSpec::default() };
            change(&mut spec);
            EngineParameters::resolve(&spec, 0).map(|_| ()).unwrap_err()
        };
        assert_eq!(spec(|spec| spec.block_tokens = Some(Tokens(0))), EngineSpecError::Zero { field: "block_tokens" });
        assert!(matches!(spec(|spec| spec.kv_memory = Some(Bytes(15_999))), EngineSpecError::NoBlock { .. }));
        assert!(matches!(spec(|spec| spec.noise = Some(f64::NAN)), EngineSpecError::Noise { .. }));
        assert!(matches!(spec(|spec| spec.slowdown = Some(0.0)), EngineSpecError::Slowdown { .. }));
        let fault = FaultSpec { kind: EngineFaultKind::Status, every: 3, status: Some(200), after_tokens: 0 };
        let error = EngineParameters::resolve(&EngineSpec { faults: vec![fault], ..EngineSpec::default() }, 0).unwrap_err();
        assert!(error.to_string().contains("`200`"));
    }

    #[test]
    fn no_request_may_be_longer_than_the_device_can_hold() {
        let small = resolved(&EngineSpec { preset: EnginePreset::Tiny, kv_memory: Some(Bytes(1_600_000)), ..EngineSpec::default() });
        assert_eq!((small.blocks, small.context_limit), (100, 1600));
    }
}
