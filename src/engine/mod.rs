//! The simulated engine: prompts in, tokens with exact times out. A pure state machine in whole microseconds; it knows no HTTP, no
//! server and no workload, and only `driver` waits for anything.

mod cost;
mod presets;
mod prompt;
pub mod spec;
pub mod tokenizer;

pub use cost::{Costs, Work};
pub use presets::{EngineError, EngineParameters};
pub use prompt::{ANSWER_HEAD_TOKENS, Chain, MESSAGE_TOKENS, encode, prompt_tokens};
