//! How long a step takes: what is computed in it goes in, microseconds come out. It must not know where its figures come from.
//!
//! ```text
//! step = fixed + prefill·n + attention·Σ(context of each prefill token) + sequence·d + context·Σ(context of each decode)
//! ```
//! with `n` prompt tokens and `d` decoding sequences. The terms are added, not overlapped: the sum can be checked by hand, and the
//! attention of a prompt costs the same however it is cut into chunks.

use crate::foundation::clock::Micros;

/// Femtoseconds in a microsecond.
const MICRO: u64 = 1_000_000_000;

/// The price of each part of a step, in femtoseconds: whole numbers, so that every machine gets the same sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepCosts {
    /// Every step: reading the weights, launching kernels, scheduling.
    pub step_fs: u64,
    /// A prompt token: the matrix products, which do not depend on the context.
    pub prefill_token_fs: u64,
    /// A pair of a prompt token and a token that it attends to, itself included.
    pub attention_pair_fs: u64,
    /// A decoding sequence.
    pub decode_sequence_fs: u64,
    /// A token of context that a decoding sequence reads from the KV cache.
    pub context_token_fs: u64,
    /// A request before it reaches the scheduler, in the server's own process, however long it is.
    pub request_fs: u64,
    /// A token of a prompt there: template, tokenizer, hashing. Prompts do not wait for each other here.
    pub intake_token_fs: u64,
}

/// What is computed in one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StepWork {
    pub prefill_tokens: u64,
    pub attention_pairs: u64,
    pub decode_sequences: u64,
    pub context_tokens: u64,
}

impl StepWork {
    /// Adds `tokens` prompt tokens behind `context` tokens that are there already.
    pub fn add_prefill(&mut self, context: u64, tokens: u64) {
        self.prefill_tokens += tokens;
        // The i-th of them attends to context + i tokens, i = 1..=tokens.
        self.attention_pairs += tokens * context + tokens * (tokens + 1) / 2;
    }

    /// Adds one decoded token that reads `context` tokens, itself included.
    pub fn add_decode(&mut self, context: u64) {
        self.decode_sequences += 1;
        self.context_tokens += context;
    }

    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.prefill_tokens + self.decode_sequences
    }
}

impl StepCosts {
    /// The duration of a step, to the nearest microsecond and at least one. `stretch` is 1 but for noise.
    #[must_use]
    pub fn step(&self, work: &StepWork, stretch: f64) -> Micros {
        let sum = u128::from(self.step_fs)
            + u128::from(self.prefill_token_fs) * u128::from(work.prefill_tokens)
            + u128::from(self.attention_pair_fs) * u128::from(work.attention_pairs)
            + u128::from(self.decode_sequence_fs) * u128::from(work.decode_sequences)
            + u128::from(self.context_token_fs) * u128::from(work.context_tokens);
        let exact = micros(sum);
        Micros(stretched(exact, stretch).max(1))
    }

    /// How long a prompt is on its way to the scheduler.
    #[must_use]
    pub fn intake(&self, prompt_tokens: u64) -> Micros {
        Micros(micros(u128::from(self.request_fs) + u128::from(self.intake_token_fs) * u128::from(prompt_tokens)))
    }
}

fn micros(femtoseconds: u128) -> u64 {
    u64::try_from((femtoseconds + u128::from(MICRO / 2)) / u128::from(MICRO)).unwrap_or(u64::MAX)
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "a step lasts far less than 2^53 microseconds, and exactly 1 means no noise"
)]
fn stretched(duration: u64, stretch: f64) -> u64 {
    if stretch == 1.0 { duration } else { (duration as f64 * stretch).round() as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUND: StepCosts = StepCosts {
        step_fs: 1000 * MICRO,
        prefill_token_fs: 10 * MICRO,
        attention_pair_fs: MICRO / 500,
        decode_sequence_fs: 100 * MICRO,
        context_token_fs: MICRO / 100,
        request_fs: 2000 * MICRO,
        intake_token_fs: MICRO / 2,
    };

    #[test]
    fn a_step_costs_the_sum_of_its_parts() {
        let mut work = StepWork::default();
        assert_eq!(ROUND.step(&work, 1.0), Micros(1000));
        work.add_prefill(0, 1000);
        // 1000 + 10 * 1000 + 0.002 * 500,500
        assert_eq!(ROUND.step(&work, 1.0), Micros(12_001));
        work.add_decode(5000);
        assert_eq!(ROUND.step(&work, 1.0), Micros(12_001 + 100 + 50));
        assert_eq!(ROUND.step(&work, 2.0), Micros(2 * 12_151));
    }

    #[test]
    fn a_prompt_is_on_its_way_for_a_fixed_time_and_for_each_of_its_tokens() {
        assert_eq!((ROUND.intake(0), ROUND.intake(1000)), (Micros(2000), Micros(2500)));
    }

    #[test]
    fn attention_costs_the_same_however_a_prompt_is_cut() {
        let mut whole = StepWork::default();
        whole.add_prefill(100, 1000);
        let mut cut = StepWork::default();
        cut.add_prefill(100, 300);
        cut.add_prefill(400, 700);
        assert_eq!(whole, cut);
    }
}
