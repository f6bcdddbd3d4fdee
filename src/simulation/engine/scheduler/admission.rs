//! Who takes part in the next step: running sequences first, then waiting ones in the order of their arrival.

use std::ops::Bound;

use super::{CachedPromptTokens, Engine, EngineRequestId, blocks_of, to_usize};

impl Engine {
    /// Gives each running sequence its tokens. True where somebody lost its blocks for that.
    pub(super) fn serve_running(&mut self, batch: &mut Vec<(EngineRequestId, u64)>, budget: &mut u64) -> bool {
        let mut preempted = false;
        let mut served = None;
        loop {
            let next = match served {
                None => self.running.first(),
                Some(id) => self.running.range((Bound::Excluded(id), Bound::Unbounded)).next(),
            };
            let Some(id) = next.copied().filter(|_| *budget > 0) else { return preempted };
            let tokens = self.sequences[&id].remaining().min(*budget);
            while !self.reserve(id, tokens) {
                preempted = true;
                if self.preempt_latest() == Some(id) || !self.running.contains(&id) {
                    // It was the latest itself: nobody behind it is left.
                    return preempted;
                }
            }
            batch.push((id, tokens));
            *budget -= tokens;
            served = Some(id);
        }
    }

    /// Admits waiting sequences in the order of their arrival, up to the first that cannot be.
    pub(super) fn admit(&mut self, batch: &mut Vec<(EngineRequestId, u64)>, budget: &mut u64) {
        while let Some(id) = self.waiting.first().copied() {
            if *budget == 0 || self.running.len() >= self.parameters.max_sequences {
                return;
            }
            if !self.place(id) {
                // With nobody under way, only those who wait behind it can hold what it lacks: loaded from a tier, and not running.
                let stuck = self.running.is_empty() && self.loading.is_empty();
                if stuck && self.latest_holder().is_some_and(|holder| holder > id) {
                    self.preempt_latest();
                    continue;
                }
                return;
            }
            self.waiting.remove(&id);
            if self.sequences[&id].loads > 0 {
                self.loading.insert(id);
                continue;
            }
            let tokens = self.sequences[&id].remaining().min(*budget);
            let reserved = self.reserve(id, tokens);
            debug_assert!(reserved, "the blocks of the whole prompt were there");
            self.running.insert(id);
            batch.push((id, tokens));
            *budget -= tokens;
        }
    }

    /// Finds what the caches have of a waiting sequence, and begins to load what a tier has. False where its prompt does not fit now.
    fn place(&mut self, id: EngineRequestId) -> bool {
        let sequence = &self.sequences[&id];
        let block_tokens = self.parameters.block_tokens;
        let whole = blocks_of(sequence.chain.tokens(), block_tokens);
        if !sequence.blocks.is_empty() {
            // Loaded from a tier before.
            return whole - sequence.blocks.len() <= self.pool.free() as usize;
        }
        // The last token is always computed: it is what the first token of the answer comes from.
        let reusable = to_usize((sequence.chain.tokens() - 1) / block_tokens);
        let hashes = &sequence.chain.hashes()[..reusable];
        let found: Vec<u32> = hashes.iter().map_while(|hash| self.pool.find(*hash)).collect();
        let behind = &hashes[found.len()..];
        let loads: Vec<usize> = behind.iter().map_while(|hash| self.tiers.iter().position(|tier| tier.holds(*hash))).collect();
        let unheld = found.iter().filter(|block| self.pool.is_free(**block)).count();
        if whole - found.len() > self.pool.free() as usize - unheld {
            return false;
        }
        for block in &found {
            self.pool.hold(*block);
        }
        self.note_hits(id, found.len() as u64, loads.len() as u64);
        let Some(sequence) = self.sequences.get_mut(&id) else { return false };
        sequence.computed = found.len() as u64 * block_tokens;
        sequence.filled = found.len();
        sequence.blocks = found;
        sequence.blocks.extend(loads.iter().map_while(|_| self.pool.take()));
        for (number, tier) in self.tiers.iter_mut().enumerate() {
            let blocks = loads.iter().filter(|from| **from == number).count() as u64;
            if blocks > 0 {
                sequence.loads += 1;
                tier.link.begin(self.now, id.0, blocks * self.parameters.token_bytes * block_tokens);
            }
        }
        true
    }

    /// Counts what the caches had, once a request: a preempted one finds its own blocks again.
    fn note_hits(&mut self, id: EngineRequestId, found: u64, loads: u64) {
        let Some(sequence) = self.sequences.get_mut(&id).filter(|sequence| sequence.cached.is_none()) else { return };
        let (found, loads) = (found * self.parameters.block_tokens, loads * self.parameters.block_tokens);
        sequence.cached = Some(CachedPromptTokens { device: found, tiers: loads });
        self.counters.prefix_queries += sequence.prompt_tokens;
        self.counters.prefix_hits += found;
        if !self.tiers.is_empty() {
            self.counters.external_queries += sequence.prompt_tokens - found;
            self.counters.external_hits += loads;
        }
    }
}
