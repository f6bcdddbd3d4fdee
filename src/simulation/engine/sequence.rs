//! One request inside the engine: what it has, what it still needs. It must not know of other sequences.

use super::answer::{AnswerTokenIds, EngineAnswer};
use super::prompt::BlockHashChain;
use crate::foundation::clock::Micros;

/// What is asked of the engine.
#[derive(Debug, Clone)]
pub struct EngineRequest {
    pub prompt: BlockHashChain,
    /// Tokens of the answer: the simulated engine never ends one early. At least 1.
    pub max_tokens: u32,
}

/// Tokens of a prompt that need not be computed.
#[derive(Debug, Clone, Copy, Default)]
pub struct CachedPromptTokens {
    pub device: u64,
    pub tiers: u64,
}

#[derive(Debug)]
pub struct EngineSequence {
    /// The prompt, and what has been generated so far.
    pub chain: BlockHashChain,
    pub prompt_tokens: u64,
    pub max_tokens: u64,
    pub generated: u64,
    /// Tokens whose keys and values lie in `blocks`.
    pub computed: u64,
    pub blocks: Vec<u32>,
    /// How many of `blocks` others can find.
    pub filled: usize,
    /// Tokens of the prompt that came from the device's cache and from the tiers; known since the first time it was scheduled.
    pub cached: Option<CachedPromptTokens>,
    /// Loads from tiers that are under way.
    pub loads: u8,
    /// Caches were emptied while it lived: nothing of it may be found again.
    pub forgotten: bool,
    pub arrived: Micros,
    answer: EngineAnswer,
}

impl EngineSequence {
    #[must_use]
    pub fn new(request: EngineRequest, arrived: Micros) -> Self {
        Self {
            prompt_tokens: request.prompt.tokens(),
            max_tokens: u64::from(request.max_tokens.max(1)),
            answer: EngineAnswer::to(request.prompt.fingerprint()),
            chain: request.prompt,
            generated: 0,
            computed: 0,
            blocks: Vec::new(),
            filled: 0,
            cached: None,
            loads: 0,
            forgotten: false,
            arrived,
        }
    }

    /// Tokens to compute before the next one can be generated; always at least 1.
    #[must_use]
    pub fn remaining(&self) -> u64 {
        self.chain.tokens() - self.computed
    }

    /// Computing one token gives one: the prompt is behind it.
    #[must_use]
    pub fn is_decoding(&self) -> bool {
        self.generated > 0 && self.remaining() == 1
    }

    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.generated >= self.max_tokens
    }

    /// Takes note that `tokens` more are computed; where that makes it whole, one more token is generated.
    pub fn advance(&mut self, tokens: u64, numbers: &AnswerTokenIds) -> bool {
        self.computed += tokens;
        let whole = self.computed == self.chain.tokens();
        if whole {
            self.chain.push(numbers.number(self.answer, self.generated));
            self.generated += 1;
        }
        whole
    }

    /// Its blocks are gone: everything, generated tokens included, must be computed or found again.
    pub fn start_over(&mut self) {
        self.computed = 0;
        self.filled = 0;
    }
}
