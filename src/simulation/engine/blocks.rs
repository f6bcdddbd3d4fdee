//! The device's KV cache in blocks: who holds which, and which may be used again. It must not know what is scheduled.
//!
//! A block that nobody holds keeps its contents until it is needed: then the least recently used goes first. Empty blocks go before
//! all others.

use std::collections::HashMap;

use super::order::LruOrder;

#[derive(Debug, Clone, Copy, Default)]
struct KvBlock {
    holders: u32,
    /// The contents, once they are computed and may be found.
    hash: Option<u64>,
}

#[derive(Debug)]
pub struct BlockPool {
    blocks: Vec<KvBlock>,
    /// The blocks that nobody holds.
    free: LruOrder,
    by_hash: HashMap<u64, u32>,
}

impl BlockPool {
    #[must_use]
    pub fn new(blocks: u32) -> Self {
        let mut free = LruOrder::new();
        for block in 0..blocks {
            free.push_last(block);
        }
        Self { blocks: vec![KvBlock::default(); blocks as usize], free, by_hash: HashMap::new() }
    }

    /// Blocks that nobody holds, whether or not they have contents.
    #[must_use]
    pub fn free(&self) -> u32 {
        self.free.len()
    }

    #[must_use]
    pub fn held(&self) -> usize {
        self.blocks.len() - self.free.len() as usize
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.blocks.len()
    }

    /// The block with these contents.
    #[must_use]
    pub fn find(&self, hash: u64) -> Option<u32> {
        self.by_hash.get(&hash).copied()
    }

    #[must_use]
    pub fn is_free(&self, block: u32) -> bool {
        self.blocks[block as usize].holders == 0
    }

    /// Holds a block that was found.
    pub fn hold(&mut self, block: u32) {
        self.free.remove(block);
        self.blocks[block as usize].holders += 1;
    }

    /// Holds an empty block; the contents that were in it are lost. `None` where all are held.
    pub fn take(&mut self) -> Option<u32> {
        let block = self.free.pop_first()?;
        self.forget(block);
        self.blocks[block as usize].holders = 1;
        Some(block)
    }

    /// Makes a block's contents known. Where another block has the same, that one stays the one to be found.
    pub fn fill(&mut self, block: u32, hash: u64) {
        if let std::collections::hash_map::Entry::Vacant(place) = self.by_hash.entry(hash) {
            place.insert(block);
            self.blocks[block as usize].hash = Some(hash);
        }
    }

    /// Lets go of a block.
    pub fn release(&mut self, block: u32) {
        let state = &mut self.blocks[block as usize];
        debug_assert!(state.holders > 0, "block {block} is held by nobody");
        state.holders = state.holders.saturating_sub(1);
        if state.holders == 0 {
            match state.hash {
                Some(_) => self.free.push_last(block),
                None => self.free.push_first(block),
            }
        }
    }

    /// Forgets all contents; who holds a block goes on holding it.
    pub fn clear(&mut self) {
        self.by_hash.clear();
        for block in &mut self.blocks {
            block.hash = None;
        }
    }

    fn forget(&mut self, block: u32) {
        if let Some(hash) = self.blocks[block as usize].hash.take() {
            self.by_hash.remove(&hash);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_let_go_keeps_its_contents_until_it_is_needed_and_the_least_recent_goes_first() {
        let mut pool = BlockPool::new(3);
        for hash in [10, 20, 30] {
            let block = pool.take().unwrap();
            pool.fill(block, hash);
        }
        assert_eq!(pool.take(), None);
        for hash in [20, 10, 30] {
            pool.release(pool.find(hash).unwrap());
        }
        let ten = pool.find(10).unwrap();
        pool.hold(ten);
        pool.release(ten);
        assert_eq!(pool.free(), 3);
        pool.take().unwrap();
        assert_eq!([10, 20, 30].map(|hash| pool.find(hash).is_some()), [true, false, true]);
        pool.take().unwrap();
        assert_eq!([10, 20, 30].map(|hash| pool.find(hash).is_some()), [true, false, false]);
    }

    #[test]
    fn a_block_with_two_holders_is_free_when_both_have_let_go() {
        let mut pool = BlockPool::new(1);
        let block = pool.take().unwrap();
        pool.fill(block, 7);
        pool.hold(block);
        pool.release(block);
        assert_eq!((pool.free(), pool.held()), (0, 1));
        pool.release(block);
        assert_eq!((pool.free(), pool.held()), (1, 0));
    }

    #[test]
    fn nothing_is_found_after_clearing() {
        let mut pool = BlockPool::new(2);
        let block = pool.take().unwrap();
        pool.fill(block, 7);
        pool.clear();
        assert_eq!(pool.find(7), None);
        pool.release(block);
        assert_eq!(pool.free(), 2);
    }
}
