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
pub mod spec;
mod tiers;
pub mod tokenizer;

pub use answer::Answer;
pub use conversation::{Conversations, TokenMemo};
pub use cost::{Costs, Work};
pub use faults::{Fault, Faults};
pub use figures::{CACHE_CONFIG, Figure, FigureKind};
pub use metrics::{Counters, Histogram, Snapshot};
pub use presets::{EngineError, EngineParameters};
pub use prompt::{ANSWER_HEAD_TOKENS, Chain, MESSAGE_TOKENS, conversation, encode, prompt_tokens};
pub use scheduler::{Emission, Engine, RequestId, TooLong};
pub use sequence::Request;
