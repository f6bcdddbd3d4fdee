//! What the simulated engine says: seeded words, one token each. A prompt's fingerprint goes in; the same prompt gets the same answer.

use super::faults::EngineFault;
use super::tokenizer::{self, mix};
use crate::vocabulary::spec::engine::EngineFaultKind;

/// Words of at most eight letters, so that ` word` is one token.
const WORDS: [&str; 64] = [
    " the", " of", " and", " light", " river", " stone", " morning", " window", " between", " silent", " paper", " walked", " under",
    " garden", " letter", " never", " winter", " house", " again", " small", " evening", " father", " spoke", " toward", " distant",
    " road", " water", " slowly", " candle", " old", " friend", " answer", " story", " beyond", " hands", " summer", " quiet", " street",
    " a", " memory", " turned", " field", " mother", " with", " bright", " night", " from", " voice", " carried", " into", " broken",
    " door", " when", " ship", " harbour", " still", " north", " found", " black", " coat", " wind", " year", " page", " closing",
];

/// The answer to one prompt, word by word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineAnswer {
    seed: u64,
    /// From which token on it is another answer.
    wrong_from: Option<u64>,
}

impl EngineAnswer {
    /// The answer to the prompt with this fingerprint.
    #[must_use]
    pub fn to(fingerprint: u64) -> Self {
        Self { seed: fingerprint, wrong_from: None }
    }

    /// The same with what a fault makes of it, so many of the prompt's tokens having come from a cache.
    #[must_use]
    pub fn with_fault(self, fault: Option<EngineFault>, cached_tokens: u64) -> Self {
        let strikes = |fault: &EngineFault| fault.kind == EngineFaultKind::WrongAnswer && cached_tokens > 0;
        Self { wrong_from: fault.filter(strikes).map(|fault| fault.after_tokens), ..self }
    }

    /// The text of its token number `index`, from 0.
    #[must_use]
    pub fn word(self, index: u64) -> &'static str {
        WORDS[self.place(index)]
    }

    /// Its first `tokens` tokens.
    #[must_use]
    pub fn text(self, tokens: u64) -> String {
        (0..tokens).map(|index| self.word(index)).collect()
    }

    fn place(self, index: u64) -> usize {
        let is_wrong = self.wrong_from.is_some_and(|from| index >= from);
        let seed = if is_wrong { mix(self.seed) } else { self.seed };
        // The six highest bits choose one of 64.
        (mix(seed ^ index.wrapping_mul(0x9e37_79b9_7f4a_7c15)) >> 58) as usize
    }
}

/// The numbers of all words, so that the engine need not look at text.
#[derive(Debug)]
pub struct AnswerTokenIds([u32; WORDS.len()]);

impl AnswerTokenIds {
    #[must_use]
    pub fn new() -> Self {
        Self(WORDS.map(|word| tokenizer::number(word.as_bytes())))
    }

    /// The number of an answer's token.
    #[must_use]
    pub fn number(&self, answer: EngineAnswer, index: u64) -> u32 {
        self.0[answer.place(index)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::prompt::encode;

    #[test]
    fn every_word_is_one_token_and_the_text_has_the_numbers_the_engine_counts_with() {
        let answer = EngineAnswer::to(42);
        let numbers = AnswerTokenIds::new();
        let expected: Vec<u32> = (0..300).map(|index| numbers.number(answer, index)).collect();
        assert_eq!(encode(&answer.text(300)), expected);
        assert!(WORDS.iter().all(|word| tokenizer::count(word) == 1));
    }

    #[test]
    fn different_prompts_get_different_answers() {
        assert_ne!(EngineAnswer::to(1).text(20), EngineAnswer::to(2).text(20));
        assert_eq!(EngineAnswer::to(1).text(20), EngineAnswer::to(1).text(20));
    }

    #[test]
    fn a_wrong_answer_goes_astray_at_its_token_and_only_after_a_cache_hit() {
        let fault = EngineFault { kind: EngineFaultKind::WrongAnswer, status: 500, after_tokens: 5 };
        let right = EngineAnswer::to(7);
        assert_eq!(right.with_fault(Some(fault), 0).text(20), right.text(20));
        let wrong = right.with_fault(Some(fault), 16);
        assert_eq!(wrong.text(5), right.text(5));
        assert_ne!(wrong.text(8), right.text(8));
    }
}
