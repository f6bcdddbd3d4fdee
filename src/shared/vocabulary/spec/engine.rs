//! What a scenario may say about the simulated engine: the `[engine]` section. A preset gives every figure; each can be replaced.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::foundation::units::{Bytes, BytesPerSecond, Seconds, Tokens};

/// The `[engine]` section.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EngineSpec {
    /// The set of hardware and model figures to start from.
    #[serde(default)]
    pub preset: EnginePreset,
    /// Device memory that holds KV cache blocks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kv_memory: Option<Bytes>,
    /// Memory of a token's keys and values, over all layers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_bytes: Option<Bytes>,
    /// Tokens in a KV cache block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_tokens: Option<Tokens>,
    /// The most tokens computed in one step (chunked prefill).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_tokens: Option<Tokens>,
    /// The most sequences that run at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_sequences: Option<u32>,
    /// The most tokens of a request, prompt and answer together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_limit: Option<Tokens>,
    /// A tier of host memory behind the device cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_tier: Option<TierSpec>,
    /// A tier of disk behind the host memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_tier: Option<TierSpec>,
    /// What the parts of a step and of a request take.
    #[serde(default, skip_serializing_if = "EngineCostSpec::is_empty")]
    pub costs: EngineCostSpec,
    /// Whether prompts wait for each other on their way to the scheduler; they do not where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intake: Option<IntakeOrder>,
    /// Relative spread of step times (standard deviation over mean), seeded; 0 for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise: Option<f64>,
    /// Makes the noise another one while the workload stays the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise_seed: Option<u64>,
    /// Factor on the time of every step: `1.1` for an engine that is 10 % slower; 1 for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slowdown: Option<f64>,
    /// Faults made on purpose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FaultSpec>,
}

/// Why changes of an engine's section are none.
#[derive(Debug, thiserror::Error)]
pub enum EngineChangeError {
    #[error("`engine.{0}` cannot be set: a part of the path is no section")]
    NoSection(String),
    #[error("the engine's figures cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
}

impl EngineSpec {
    /// The same with some fields replaced, each by its path: `costs.step`. Read when all are.
    ///
    /// # Errors
    /// Where there is no such field, or it takes no such value.
    pub fn with<'a>(&self, changes: impl IntoIterator<Item = (&'a str, Value)>) -> Result<Self, EngineChangeError> {
        let mut section = serde_json::to_value(self)?;
        for (path, value) in changes {
            let mut place = &mut section;
            for part in path.split('.') {
                let Value::Object(table) = place else { return Err(EngineChangeError::NoSection(path.to_owned())) };
                place = table.entry(part.trim()).or_insert_with(|| Value::Object(Map::new()));
            }
            *place = value;
        }
        Ok(serde_json::from_value(section)?)
    }
}

/// Named sets of hardware and model figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EnginePreset {
    /// Qwen2.5-7B-Instruct-1M on one 141 GB card: the published C×S setup.
    #[default]
    #[serde(rename = "qwen2.5-7b-h200")]
    Qwen7bH200,
    /// A small, round-numbered engine whose answers can be computed by hand.
    Tiny,
}

/// The name of a preset, as a scenario writes it.
impl std::fmt::Display for EnginePreset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Qwen7bH200 => "qwen2.5-7b-h200",
            Self::Tiny => "tiny",
        })
    }
}

/// A cache tier behind the device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TierSpec {
    /// How much it holds.
    pub capacity: Bytes,
    /// Rate at which blocks come back to the device, shared by all that load at once.
    pub bandwidth: BytesPerSecond,
    /// What each request takes that loads from it, however much it loads: look-up, launching the copies; 0 where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Seconds>,
}

/// The times of which a step and a request are made, each in place of the preset's. A step takes the sum of its parts.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EngineCostSpec {
    /// A request on its way to the scheduler, however long it is: HTTP, template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Seconds>,
    /// A token of a prompt on its way to the scheduler: tokenizer, hashing. `intake` says whether prompts wait for each other there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intake_token: Option<Seconds>,
    /// Every step: reading the weights, launching kernels, scheduling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Seconds>,
    /// A prompt token that is computed: the matrix products, which do not depend on the context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefill_token: Option<Seconds>,
    /// A pair of a prompt token and a token that it attends to, itself included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attention_pair: Option<Seconds>,
    /// A decoding sequence in a step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decode_sequence: Option<Seconds>,
    /// A token of context that a decoding sequence reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_token: Option<Seconds>,
}

impl EngineCostSpec {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How prompts come to the scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IntakeOrder {
    /// Each by itself, however many there are.
    #[default]
    Parallel,
    /// One after the other, as where a single process reads and tokenizes them.
    Serial,
}

/// A fault made on purpose in every `every`-th request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultSpec {
    /// What goes wrong.
    pub kind: EngineFaultKind,
    /// The fault strikes requests number `every`, `2 × every`, ...
    pub every: u64,
    /// For `kind = "status"`: the HTTP status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// For faults inside a stream: after how many tokens.
    #[serde(default)]
    pub after_tokens: u32,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EngineFaultKind {
    /// An HTTP error status with a JSON body instead of a stream.
    Status,
    /// The stream goes silent and stays open.
    Stall,
    /// The connection is reset.
    Reset,
    /// An event that is no JSON.
    MalformedEvent,
    /// A stream without `usage`.
    NoUsage,
    /// A stream that ends without a token.
    NoToken,
    /// An answer that is another one from its token `after_tokens` on, where some of its prompt came from a cache: what a corrupted block does.
    WrongAnswer,
}
