//! The engine itself: requests and the passing of time go in, tokens with exact times come out. It waits for nothing and reads no clock.
//!
//! The rules are those of vLLM's scheduler. Each step has a token budget. Running sequences are served first, in the order of their
//! arrival: a decoding one takes one token, one in prefill as much as is left. Then waiting ones are admitted, strictly in the order of
//! arrival, where the blocks for the whole prompt can be had. Where a running sequence finds no block, the latest arrival among those
//! that hold blocks loses all of its own (preemption) and starts over. The step that completes a prompt also yields its first token.
//!
//! What arrives while a step runs is considered at its end; what arrives at the very end of a step takes part in the next.

mod admission;
mod holding;
mod step;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::answer::AnswerTokenIds;
use super::blocks::BlockPool;
use super::metrics::{EngineCounters, EngineSnapshot};
use super::presets::EngineParameters;
use super::sequence::{CachedPromptTokens, EngineRequest, EngineSequence};
use super::tiers::CacheTier;
use crate::foundation::clock::Micros;
use crate::vocabulary::spec::engine::IntakeOrder;

/// A request's number within its engine, in the order of arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EngineRequestId(pub u64);

/// Tokens of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineRequestOutput {
    pub id: EngineRequestId,
    /// When each of them was there; shared by all sequences of a batch.
    pub stamps: Arc<[Micros]>,
    /// Tokens of the prompt that came from a cache.
    pub cached_tokens: u64,
    /// The answer is complete, and the engine has forgotten the request.
    pub last: bool,
}

/// A request that can never be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the prompt has {prompt_tokens} tokens and the answer {max_tokens}, the engine holds {context_limit}; shorten one of them")]
pub struct ContextLimitError {
    pub prompt_tokens: u64,
    pub max_tokens: u64,
    pub context_limit: u64,
}

/// Steps that are decided: one, or several that do nothing but decode the same sequences.
#[derive(Debug)]
struct EngineStepPlan {
    start: Micros,
    batch: Vec<(EngineRequestId, u64)>,
    ends: Vec<Micros>,
}

#[derive(Debug)]
pub struct Engine {
    parameters: EngineParameters,
    /// How long decode steps may be decided ahead, so that their tokens come out together, each with its own stamp; 0 for one step.
    ahead: Micros,
    numbers: AnswerTokenIds,
    pool: BlockPool,
    /// The tiers behind the device, the nearest first.
    tiers: Vec<CacheTier>,
    sequences: BTreeMap<EngineRequestId, EngineSequence>,
    /// On their way through the server's own process, by the time at which they reach the scheduler.
    intake: BTreeSet<(Micros, EngineRequestId)>,
    /// When the last of them is through, where they wait for each other.
    intake_end: Micros,
    waiting: BTreeSet<EngineRequestId>,
    running: BTreeSet<EngineRequestId>,
    loading: BTreeSet<EngineRequestId>,
    plan: Option<EngineStepPlan>,
    now: Micros,
    arrivals: u64,
    emissions: Vec<EngineRequestOutput>,
    counters: EngineCounters,
}

impl Engine {
    /// An idle engine with empty caches. `ahead` is how long decode steps may be decided at once: it changes nothing but how often
    /// [`Engine::take_emissions`] has something, since an arrival cuts what was decided.
    #[must_use]
    pub fn new(parameters: &EngineParameters, ahead: Micros) -> Self {
        let tiers = [&parameters.host_tier, &parameters.disk_tier];
        Self {
            parameters: parameters.clone(),
            ahead,
            numbers: AnswerTokenIds::new(),
            pool: BlockPool::new(parameters.blocks),
            tiers: tiers.into_iter().flatten().map(|spec| CacheTier::new(spec, parameters.block_bytes())).collect(),
            sequences: BTreeMap::new(),
            intake: BTreeSet::new(),
            intake_end: Micros::ZERO,
            waiting: BTreeSet::new(),
            running: BTreeSet::new(),
            loading: BTreeSet::new(),
            plan: None,
            now: Micros::ZERO,
            arrivals: 0,
            emissions: Vec::new(),
            counters: EngineCounters::default(),
        }
    }

    #[must_use]
    pub fn parameters(&self) -> &EngineParameters {
        &self.parameters
    }

    /// How far ahead steps are decided from now on.
    pub fn set_ahead(&mut self, ahead: Micros) {
        self.ahead = ahead;
    }

    /// Whether a request of these lengths can be served.
    ///
    /// # Errors
    /// Where prompt and answer together can never fit, and where there is no prompt.
    pub fn check(&self, prompt_tokens: u64, max_tokens: u32) -> Result<(), ContextLimitError> {
        let (max_tokens, context_limit) = (u64::from(max_tokens.max(1)), self.parameters.context_limit);
        let fits = prompt_tokens > 0 && prompt_tokens + max_tokens <= context_limit;
        if fits { Ok(()) } else { Err(ContextLimitError { prompt_tokens, max_tokens, context_limit }) }
    }

    /// Takes in a request that arrives `now`, which is not before any time the engine has seen.
    ///
    /// # Errors
    /// As [`Engine::check`].
    pub fn submit(&mut self, now: Micros, request: EngineRequest) -> Result<EngineRequestId, ContextLimitError> {
        let prompt_tokens = request.prompt.tokens();
        self.check(prompt_tokens, request.max_tokens)?;
        self.cut(now);
        let id = EngineRequestId(self.arrivals);
        self.arrivals += 1;
        self.sequences.insert(id, EngineSequence::new(request, now));
        let begins = match self.parameters.intake {
            IntakeOrder::Parallel => now,
            IntakeOrder::Serial => now.max(self.intake_end),
        };
        self.intake_end = begins + self.parameters.costs.intake(prompt_tokens);
        self.intake.insert((self.intake_end, id));
        Ok(id)
    }

    /// Gives up a request, if it is not over; the step under way goes on without it.
    pub fn cancel(&mut self, now: Micros, id: EngineRequestId) {
        self.cut(now);
        if self.sequences.contains_key(&id) {
            self.counters.aborted += 1;
            self.release(id);
            self.remove(id);
        }
    }

    /// Empties the device's cache and all tiers. Requests under way go on, and leave nothing behind that could be found.
    pub fn reset(&mut self, now: Micros) {
        self.cut(now);
        self.pool.clear();
        self.tiers.iter_mut().for_each(CacheTier::clear);
        for sequence in self.sequences.values_mut() {
            sequence.forgotten |= sequence.computed > 0 || sequence.loads > 0;
        }
    }

    /// When something happens next, if nothing comes from outside: valid behind [`Engine::run_to`].
    #[must_use]
    pub fn deadline(&self) -> Option<Micros> {
        match &self.plan {
            Some(plan) => plan.ends.last().copied(),
            None => self.next_wake(),
        }
    }

    /// Tokens since the last call, in the order in which their steps ended.
    pub fn take_emissions(&mut self) -> Vec<EngineRequestOutput> {
        std::mem::take(&mut self.emissions)
    }

    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "blocks are far fewer than 2^53")]
    pub fn snapshot(&self) -> EngineSnapshot {
        EngineSnapshot {
            running: self.running.len(),
            waiting: self.sequences.len() - self.running.len(),
            kv_usage: self.pool.held() as f64 / self.pool.len() as f64,
            blocks: self.pool.len(),
            block_tokens: self.parameters.block_tokens,
            counters: self.counters.clone(),
        }
    }

    /// Lets time pass up to `now`: ends every step that is over, and decides those that follow.
    pub fn run_to(&mut self, now: Micros) {
        loop {
            self.end_steps(now);
            if self.plan.is_some() {
                break;
            }
            self.wake();
            self.decide();
            if self.plan.is_none() {
                match self.next_wake() {
                    Some(wake) if wake <= now => self.now = wake,
                    _ => break,
                }
            }
        }
        self.now = self.now.max(now);
    }

    /// Lets time pass up to `now`, and takes back what was decided beyond the step that is under way then.
    fn cut(&mut self, now: Micros) {
        if self.plan.is_some() || self.now < now {
            self.run_to(now);
        }
        if let Some(plan) = &mut self.plan {
            // Steps that have ended are no longer in the plan, so its first is the one under way.
            if plan.start >= now {
                self.plan = None;
            } else {
                plan.ends.truncate(1);
            }
        }
    }

    /// The next time at which something comes to the scheduler while nothing is computed.
    fn next_wake(&self) -> Option<Micros> {
        let intake = self.intake.first().map(|(ready, _)| *ready);
        self.tiers.iter().filter_map(|tier| tier.link.next_end()).chain(intake).min()
    }

    /// Brings in what has reached the scheduler by now.
    fn wake(&mut self) {
        while let Some((ready, id)) = self.intake.first().copied().filter(|(ready, _)| *ready <= self.now) {
            self.intake.remove(&(ready, id));
            self.waiting.insert(id);
        }
        for tier in 0..self.tiers.len() {
            for owner in self.tiers[tier].link.take_ended(self.now) {
                self.loaded(EngineRequestId(owner));
            }
        }
    }

    fn loaded(&mut self, id: EngineRequestId) {
        let Some(sequence) = self.sequences.get_mut(&id) else { return };
        sequence.loads -= 1;
        if sequence.loads == 0 {
            sequence.computed = sequence.blocks.len() as u64 * self.parameters.block_tokens;
            self.loading.remove(&id);
            self.waiting.insert(id);
            self.fill(id);
        }
    }
}

fn blocks_of(tokens: u64, block_tokens: u64) -> usize {
    to_usize(tokens.div_ceil(block_tokens))
}

/// Block counts fit: the device has at most 2^26.
fn to_usize(blocks: u64) -> usize {
    usize::try_from(blocks).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
