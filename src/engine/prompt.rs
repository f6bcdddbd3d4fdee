//! Prompts as the engine sees them: the tokens of a conversation become a chain of block hashes. It must not know who asked.
//!
//! A full block's hash covers its own tokens and its parent's hash, so equal hashes mean equal prefixes. The simulated chat template
//! is fixed: each message costs [`MESSAGE_TOKENS`] beside its text (start, role, line end, end), and the head of the answer to come
//! costs [`ANSWER_HEAD_TOKENS`] (start, role, line end).

use super::tokenizer::{self, mix};
use crate::session::Role;

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

fn role_number(role: Role) -> u32 {
    match role {
        Role::System => 4,
        Role::User => 5,
        Role::Assistant => 6,
    }
}

/// A sequence of tokens, kept as the hashes of its full blocks and the tokens behind the last of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    block_tokens: usize,
    hashes: Vec<u64>,
    tail: Vec<u32>,
}

impl Chain {
    /// An empty sequence. `block_tokens` is at least 1.
    #[must_use]
    pub fn new(block_tokens: usize) -> Self {
        Self { block_tokens: block_tokens.max(1), hashes: Vec::new(), tail: Vec::new() }
    }

    /// A sequence of these tokens.
    #[must_use]
    pub fn of_tokens(block_tokens: usize, tokens: &[u32]) -> Self {
        let mut chain = Self::new(block_tokens);
        chain.extend(tokens);
        chain
    }

    #[must_use]
    pub fn tokens(&self) -> u64 {
        (self.hashes.len() * self.block_tokens + self.tail.len()) as u64
    }

    /// The hash of each full block, in order.
    #[must_use]
    pub fn hashes(&self) -> &[u64] {
        &self.hashes
    }

    pub fn push(&mut self, token: u32) {
        self.tail.push(token);
        if self.tail.len() == self.block_tokens {
            let hash = block_hash(self.hashes.last().copied(), &self.tail);
            self.hashes.push(hash);
            self.tail.clear();
        }
    }

    pub fn extend(&mut self, mut tokens: &[u32]) {
        if !self.tail.is_empty() {
            let missing = (self.block_tokens - self.tail.len()).min(tokens.len());
            for token in &tokens[..missing] {
                self.push(*token);
            }
            tokens = &tokens[missing..];
        }
        let blocks = tokens.chunks_exact(self.block_tokens);
        let behind = blocks.remainder();
        for block in blocks {
            let hash = block_hash(self.hashes.last().copied(), block);
            self.hashes.push(hash);
        }
        self.tail.extend_from_slice(behind);
    }

    /// Appends a message as the chat template writes it.
    pub fn push_message(&mut self, role: Role, text: &[u32]) {
        self.extend(&[START, role_number(role), LINE_END]);
        self.extend(text);
        self.push(END);
    }

    /// Appends the head of the answer: the prompt is whole.
    pub fn push_answer_head(&mut self) {
        self.extend(&[START, role_number(Role::Assistant), LINE_END]);
    }

    /// A number that depends on every token.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        block_hash(self.hashes.last().copied(), &self.tail)
    }
}

fn block_hash(parent: Option<u64>, tokens: &[u32]) -> u64 {
    let start = parent.unwrap_or(0x243f_6a88_85a3_08d3);
    let folded = tokens.iter().fold(start, |hash, token| (hash.rotate_left(23) ^ u64::from(*token)).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mix(folded ^ tokens.len() as u64)
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

    #[test]
    fn a_chain_does_not_depend_on_how_its_tokens_came() {
        let tokens: Vec<u32> = (0..1000).collect();
        let whole = Chain::of_tokens(16, &tokens);
        let mut single = Chain::new(16);
        tokens.iter().for_each(|token| single.push(*token));
        let mut pieces = Chain::new(16);
        tokens.chunks(37).for_each(|piece| pieces.extend(piece));
        assert_eq!(whole, single);
        assert_eq!(whole, pieces);
        assert_eq!((whole.tokens(), whole.hashes().len()), (1000, 62));
    }

    #[test]
    fn equal_blocks_behind_different_parents_differ() {
        let left = Chain::of_tokens(2, &[1, 2, 7, 8]);
        let right = Chain::of_tokens(2, &[1, 3, 7, 8]);
        assert_ne!(left.hashes()[1], right.hashes()[1]);
        assert_eq!(left.hashes()[0], Chain::of_tokens(2, &[1, 2]).hashes()[0]);
    }

    #[test]
    fn the_template_costs_what_it_says() {
        let mut chain = Chain::new(4);
        chain.push_message(Role::System, &encode("be brief"));
        chain.push_message(Role::User, &encode("why is that so?"));
        chain.push_answer_head();
        assert_eq!(chain.tokens(), prompt_tokens([2, 5]));
        assert_eq!(chain.tokens(), 2 + 5 + 2 * 4 + 3);
    }
}
