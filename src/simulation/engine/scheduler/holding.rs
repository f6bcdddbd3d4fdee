//! The blocks of one sequence: how it gets them, fills them, and loses them.

use super::{Engine, EngineRequestId, blocks_of, to_usize};

impl Engine {
    /// Makes sure that the sequence has blocks for `tokens` more. False where there are too few; those it got it keeps.
    pub(super) fn reserve(&mut self, id: EngineRequestId, tokens: u64) -> bool {
        let Some(sequence) = self.sequences.get_mut(&id) else { return false };
        let needed = blocks_of(sequence.computed + tokens, self.parameters.block_tokens);
        while sequence.blocks.len() < needed {
            match self.pool.take() {
                Some(block) => sequence.blocks.push(block),
                None => return false,
            }
        }
        true
    }

    /// Lets others find the blocks that have become full.
    pub(super) fn fill(&mut self, id: EngineRequestId) {
        let Some(sequence) = self.sequences.get_mut(&id) else { return };
        let full = to_usize(sequence.computed / self.parameters.block_tokens);
        if !sequence.forgotten {
            for block in sequence.filled..full {
                self.pool.fill(sequence.blocks[block], sequence.chain.hashes()[block]);
            }
        }
        sequence.filled = full;
    }

    /// Takes all blocks from a sequence; the full ones are written to the tiers. The end of a prefix goes first, so that what is left
    /// of it can be used.
    pub(super) fn release(&mut self, id: EngineRequestId) {
        let Some(sequence) = self.sequences.get_mut(&id) else { return };
        if !sequence.forgotten {
            for hash in sequence.chain.hashes()[..sequence.filled].iter().rev() {
                self.tiers.iter_mut().for_each(|tier| tier.put(*hash));
            }
        }
        for block in std::mem::take(&mut sequence.blocks).into_iter().rev() {
            self.pool.release(block);
        }
        if sequence.loads > 0 {
            sequence.loads = 0;
            self.tiers.iter_mut().for_each(|tier| tier.link.abandon(self.now, id.0));
        }
        sequence.start_over();
    }

    pub(super) fn remove(&mut self, id: EngineRequestId) {
        self.sequences.remove(&id);
        self.intake.retain(|(_, other)| *other != id);
        self.waiting.remove(&id);
        self.running.remove(&id);
        self.loading.remove(&id);
    }

    /// The latest arrival that holds blocks and does not wait for a tier.
    pub(super) fn latest_holder(&self) -> Option<EngineRequestId> {
        let holds = |id: &&EngineRequestId| !self.sequences[*id].blocks.is_empty();
        self.running.last().into_iter().chain(self.waiting.iter().rev().find(holds)).max().copied()
    }

    /// Takes the blocks of the latest arrival that holds any, and sends it back to wait.
    pub(super) fn preempt_latest(&mut self) -> Option<EngineRequestId> {
        let id = self.latest_holder()?;
        self.counters.preemptions += 1;
        self.release(id);
        self.running.remove(&id);
        self.waiting.insert(id);
        Some(id)
    }
}
