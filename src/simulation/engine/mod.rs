//! The simulated engine: prompts in, tokens with exact times out. A pure state machine in whole microseconds; it knows no HTTP, no
//! server and no workload, and only [`driver`] waits for anything.

mod answer;
mod blocks;
mod conversation;
mod cost;
pub mod driver;
mod faults;
mod figures;
mod metrics;
mod order;
mod presets;
mod prompt;
mod scheduler;
mod sequence;
mod tiers;
pub mod tokenizer;

pub use answer::EngineAnswer;
pub use conversation::{ConversationHasher, TokenMemo};
pub use cost::{StepCosts, StepWork};
pub use faults::{EngineFault, FaultInjector};
pub use figures::{CACHE_CONFIG, EngineMetric, EngineMetricKind};
pub use metrics::{EngineCounters, EngineLatencyHistogram, EngineSnapshot};
pub use presets::{EngineParameters, EngineSpecError};
pub use prompt::{ANSWER_HEAD_TOKENS, BlockHashChain, MESSAGE_TOKENS, conversation, encode, prompt_tokens};
pub use scheduler::{ContextLimitError, Engine, EngineRequestId, EngineRequestOutput};
pub use sequence::EngineRequest;
