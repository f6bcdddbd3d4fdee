//! Steps: what is computed next, how long that takes, and what is there when it is over.

use std::sync::Arc;

use super::{Engine, EngineRequestId, EngineRequestOutput, EngineStepPlan};
use crate::engine::cost::StepWork;
use crate::engine::tokenizer::mix;
use crate::foundation::clock::Micros;

impl Engine {
    pub(super) fn decide(&mut self) {
        let mut budget = self.parameters.step_tokens;
        let mut batch = Vec::new();
        let preempted = self.serve_running(&mut batch, &mut budget);
        // As in vLLM, nobody is admitted in a step that took blocks away; but with nobody left to compute, somebody must be.
        if !preempted || batch.is_empty() {
            self.admit(&mut batch, &mut budget);
        }
        if batch.is_empty() {
            return;
        }
        let mut work = StepWork::default();
        let mut steps = if preempted { 1 } else { u64::MAX };
        for (id, tokens) in &batch {
            let sequence = &self.sequences[id];
            if sequence.is_decoding() {
                work.add_decode(sequence.chain.tokens());
                let room = sequence.blocks.len() as u64 * self.parameters.block_tokens - sequence.computed;
                steps = steps.min(room).min(sequence.max_tokens - sequence.generated);
            } else {
                work.add_prefill(sequence.computed, *tokens);
                steps = 1;
            }
        }
        let ends = self.ends(work, steps);
        self.plan = Some(EngineStepPlan { start: self.now, batch, ends });
    }

    /// The ends of at most `steps` equal steps: fewer where something comes to the scheduler before, or too far ahead.
    fn ends(&self, mut work: StepWork, steps: u64) -> Vec<Micros> {
        let wake = self.next_wake().unwrap_or(Micros(u64::MAX));
        let mut ends = Vec::new();
        let mut end = self.now;
        for step in 0..steps {
            end = end + self.parameters.costs.step(&work, self.stretch(self.counters.steps + step));
            ends.push(end);
            if end >= wake || end.since(self.now) >= self.ahead {
                break;
            }
            // Each sequence has one token more to read.
            work.context_tokens += work.decode_sequences;
        }
        ends
    }

    /// What a step's time is multiplied by. Noise is a function of the step's number, so that a step which was decided and taken back leaves no trace.
    #[expect(clippy::cast_precision_loss, reason = "53 bits make a double")]
    fn stretch(&self, step: u64) -> f64 {
        if self.parameters.noise == 0.0 {
            return self.parameters.slowdown;
        }
        // The sum of twelve uniform numbers is close to a normal one of variance 1 around 6.
        let start = mix(self.parameters.seed ^ mix(step));
        let uniform = |draw: u64| (mix(start.wrapping_add(draw)) >> 11) as f64 / (1u64 << 53) as f64;
        let normal = (0..12).map(uniform).sum::<f64>() - 6.0;
        (1.0 + self.parameters.noise * normal).max(0.1) * self.parameters.slowdown
    }

    /// Ends the steps that are over by `now`.
    pub(super) fn end_steps(&mut self, now: Micros) {
        let Some(plan) = &mut self.plan else { return };
        let over = plan.ends.partition_point(|end| *end <= now);
        if over == 0 {
            return;
        }
        let rest = plan.ends.split_off(over);
        let stamps: Arc<[Micros]> = std::mem::take(&mut plan.ends).into();
        let end = stamps[over - 1];
        let batch = if rest.is_empty() {
            self.plan.take().map(|plan| plan.batch).unwrap_or_default()
        } else {
            plan.start = end;
            plan.ends = rest;
            plan.batch.clone()
        };
        self.now = end;
        self.counters.steps += over as u64;
        for (id, tokens) in batch {
            self.computed(id, tokens, &stamps);
        }
    }

    /// Takes note of what the ended steps computed for one sequence: `tokens` in each of them.
    fn computed(&mut self, id: EngineRequestId, tokens: u64, stamps: &Arc<[Micros]>) {
        // Gone if it was cancelled while the step ran.
        let Some(sequence) = self.sequences.get_mut(&id) else { return };
        let before = sequence.generated;
        for _ in 0..stamps.len() {
            sequence.advance(tokens, &self.numbers);
        }
        let new = sequence.generated - before;
        let last = sequence.is_finished();
        if new > 0 {
            let cached = sequence.cached.unwrap_or_default();
            self.counters.generation_tokens += new;
            if before == 0 {
                self.counters.prompt_tokens += sequence.prompt_tokens;
                self.counters.prompt_tokens_device += cached.device;
                self.counters.prompt_tokens_tiers += cached.tiers;
                self.counters.ttft_seconds.add(stamps[0].since(sequence.arrived));
            }
            if last {
                self.counters.finished += 1;
                self.counters.e2e_seconds.add(self.now.since(sequence.arrived));
            }
            let cached_tokens = cached.device + cached.tiers;
            self.emissions.push(EngineRequestOutput { id, stamps: Arc::clone(stamps), cached_tokens, last });
        }
        self.fill(id);
        if last {
            self.release(id);
            self.remove(id);
        }
    }
}
