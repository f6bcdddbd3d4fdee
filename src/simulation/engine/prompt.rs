//! Prompts as the engine sees them: the tokens of a conversation become a chain of block hashes. It must not know who asked.
//!
//! A full block's hash covers its own tokens and all before it, so equal hashes mean equal prefixes. The simulated chat template is
//! fixed: each message costs [`MESSAGE_TOKENS`] beside its text (start, role, line end, end), and the head of the answer to come
//! costs [`ANSWER_HEAD_TOKENS`] (start, role, line end).

use super::tokenizer::{self, mix};
use crate::vocabulary::session::MessageRole;

/// Tokens that the simulated chat template adds to each message.
pub const MESSAGE_TOKENS: u64 = 4;
/// Tokens that the simulated chat template puts in front of the answer.
pub const ANSWER_HEAD_TOKENS: u64 = 3;

/// Tokens of a prompt whose messages have so many tokens of text each.
#[must_use]
pub fn prompt_tokens(message_tokens: impl IntoIterator<Item = u64>) -> u64 {
    message_tokens.into_iter().map(|text| text + MESSAGE_TOKENS).sum::<u64>() + ANSWER_HEAD_TOKENS
}

// Token numbers of the template. Any fixed numbers do; as text they would be several tokens.
const START: u32 = 1;
const LINE_END: u32 = 2;
const END: u32 = 3;

fn role_number(role: MessageRole) -> u32 {
    match role {
        MessageRole::System => 4,
        MessageRole::User => 5,
        MessageRole::Assistant => 6,
    }
}

fn message_head(role: MessageRole) -> [u32; 3] {
    [START, role_number(role), LINE_END]
}

/// The tokens of a whole prompt under the chat template.
#[must_use]
pub fn conversation<'a>(messages: impl IntoIterator<Item = (MessageRole, &'a str)>) -> Vec<u32> {
    let mut tokens = Vec::new();
    for (role, text) in messages {
        tokens.extend(message_head(role));
        tokenizer::encode_into(text, &mut tokens);
        tokens.push(END);
    }
    tokens.extend(message_head(MessageRole::Assistant));
    tokens
}

/// A sequence of tokens, kept as the hashes of its full blocks and the state behind its last token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockHashChain {
    block_tokens: u64,
    tokens: u64,
    /// Depends on every token so far, and not on how they are cut into blocks.
    state: u64,
    hashes: Vec<u64>,
}

impl BlockHashChain {
    /// An empty sequence. `block_tokens` is at least 1.
    #[must_use]
    pub fn new(block_tokens: u64) -> Self {
        Self { block_tokens: block_tokens.max(1), tokens: 0, state: 0x243f_6a88_85a3_08d3, hashes: Vec::new() }
    }

    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.tokens
    }

    /// The hash of each full block, in order. It covers everything up to the block's end.
    #[must_use]
    pub fn hashes(&self) -> &[u64] {
        &self.hashes
    }

    pub fn push(&mut self, token: u32) {
        self.state = behind(self.state, token);
        self.tokens += 1;
        if self.tokens.is_multiple_of(self.block_tokens) {
            self.hashes.push(mix(self.state));
        }
    }

    pub fn extend(&mut self, mut tokens: &[u32]) {
        while !tokens.is_empty() {
            let room = self.block_tokens - self.tokens % self.block_tokens;
            let fits = usize::try_from(room).unwrap_or(usize::MAX).min(tokens.len());
            let (block, rest) = tokens.split_at(fits);
            self.state = block.iter().fold(self.state, |state, token| behind(state, *token));
            self.tokens += block.len() as u64;
            if block.len() as u64 == room {
                self.hashes.push(mix(self.state));
            }
            tokens = rest;
        }
    }

    /// Appends a message as the chat template writes it.
    pub fn push_message(&mut self, role: MessageRole, text: &[u32]) {
        self.extend(&message_head(role));
        self.extend(text);
        self.push(END);
    }

    /// Appends the head of the answer: the prompt is whole.
    pub fn push_answer_head(&mut self) {
        self.extend(&message_head(MessageRole::Assistant));
    }

    /// A number that depends on every token, and on nothing else: the same for every block size.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        mix(self.state ^ self.tokens)
    }
}

fn behind(state: u64, token: u32) -> u64 {
    (state.rotate_left(23) ^ u64::from(token)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The token numbers of a text.
#[must_use]
pub fn encode(text: &str) -> Vec<u32> {
    let mut tokens = Vec::new();
    tokenizer::encode_into(text, &mut tokens);
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(block_tokens: u64, tokens: &[u32]) -> BlockHashChain {
        let mut chain = BlockHashChain::new(block_tokens);
        chain.extend(tokens);
        chain
    }

    #[test]
    fn a_chain_does_not_depend_on_how_its_tokens_came() {
        let tokens: Vec<u32> = (0..1000).collect();
        let whole = chain(16, &tokens);
        let mut single = BlockHashChain::new(16);
        for token in &tokens {
            single.push(*token);
        }
        let mut pieces = BlockHashChain::new(16);
        for piece in tokens.chunks(37) {
            pieces.extend(piece);
        }
        assert_eq!(whole, single);
        assert_eq!(whole, pieces);
        assert_eq!((whole.tokens(), whole.hashes().len()), (1000, 62));
        assert_eq!(whole.fingerprint(), chain(256, &tokens).fingerprint());
    }

    #[test]
    fn equal_blocks_behind_different_parents_differ() {
        let left = chain(2, &[1, 2, 7, 8]);
        let right = chain(2, &[1, 3, 7, 8]);
        assert_ne!(left.hashes()[1], right.hashes()[1]);
        assert_eq!(left.hashes()[0], chain(2, &[1, 2]).hashes()[0]);
    }

    #[test]
    fn the_template_costs_what_it_says() {
        let mut chain = BlockHashChain::new(4);
        chain.push_message(MessageRole::System, &encode("be brief"));
        chain.push_message(MessageRole::User, &encode("why is that so?"));
        chain.push_answer_head();
        assert_eq!(chain.tokens(), prompt_tokens([2, 5]));
        assert_eq!(chain.tokens(), 2 + 5 + 2 * 4 + 3);
        let tokens = conversation([(MessageRole::System, "be brief"), (MessageRole::User, "why is that so?")]);
        let mut same = BlockHashChain::new(4);
        same.extend(&tokens);
        assert_eq!(same, chain);
    }
}
