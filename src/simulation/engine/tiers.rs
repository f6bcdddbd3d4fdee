//! Cache tiers behind the device: what they hold, and how long it takes to bring it back. They must not know who waits for it.

use std::collections::HashMap;

use super::order::LruOrder;
use crate::foundation::clock::Micros;
use crate::vocabulary::spec::engine::TierSpec;

/// One tier: blocks by their contents, the least recently used going first, and a link back to the device.
#[derive(Debug)]
pub struct CacheTier {
    capacity: u64,
    slots: Vec<u64>,
    order: LruOrder,
    by_hash: HashMap<u64, u32>,
    pub link: TierLink,
}

impl CacheTier {
    #[must_use]
    pub fn new(spec: &TierSpec, block_bytes: u64) -> Self {
        Self {
            capacity: (spec.capacity.0 / block_bytes.max(1)).min(u64::from(u32::MAX - 1)),
            slots: Vec::new(),
            order: LruOrder::new(),
            by_hash: HashMap::new(),
            link: TierLink::new(spec.bandwidth.0),
        }
    }

    #[must_use]
    pub fn holds(&self, hash: u64) -> bool {
        self.by_hash.contains_key(&hash)
    }

    /// Stores a block, or marks it as just used where it is there.
    pub fn put(&mut self, hash: u64) {
        if let Some(slot) = self.by_hash.get(&hash).copied() {
            self.order.remove(slot);
            self.order.push_last(slot);
            return;
        }
        let slot = match u32::try_from(self.slots.len()) {
            Ok(next) if u64::from(next) < self.capacity => {
                self.slots.push(hash);
                next
            }
            _ => {
                let Some(oldest) = self.order.pop_first() else { return };
                self.by_hash.remove(&self.slots[oldest as usize]);
                self.slots[oldest as usize] = hash;
                oldest
            }
        };
        self.by_hash.insert(hash, slot);
        self.order.push_last(slot);
    }

    /// Forgets all blocks; what is on its way arrives.
    pub fn clear(&mut self) {
        self.slots.clear();
        self.order = LruOrder::new();
        self.by_hash.clear();
    }
}

/// A link that all loads under way share equally.
#[derive(Debug)]
pub struct TierLink {
    bytes_per_us: f64,
    /// Up to when the loads' remainders are right.
    settled: Micros,
    loads: Vec<TierTransfer>,
    /// Loads that have ended, in the order of their ends.
    ended: Vec<u64>,
}

#[derive(Debug)]
struct TierTransfer {
    owner: u64,
    remaining_bytes: f64,
}

/// Remainders are doubles; what would take less than this is rounding.
const ROUNDING_US: f64 = 1e-4;

impl TierLink {
    fn new(bytes_per_s: f64) -> Self {
        Self { bytes_per_us: bytes_per_s / 1e6, settled: Micros::ZERO, loads: Vec::new(), ended: Vec::new() }
    }

    /// Begins a load now.
    #[expect(clippy::cast_precision_loss, reason = "loads are far smaller than 2^53 bytes")]
    pub fn begin(&mut self, now: Micros, owner: u64, bytes: u64) {
        self.settle(now);
        self.loads.push(TierTransfer { owner, remaining_bytes: bytes as f64 });
    }

    /// Gives up all loads of that owner.
    pub fn abandon(&mut self, now: Micros, owner: u64) {
        self.settle(now);
        self.loads.retain(|load| load.owner != owner);
        self.ended.retain(|ended| *ended != owner);
    }

    /// When the next load ends, if none begins before: rounded up to a whole microsecond.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float saturates when it becomes an integer")]
    pub fn next_end(&self) -> Option<Micros> {
        let least = self.loads.iter().map(|load| load.remaining_bytes).min_by(f64::total_cmp)?;
        Some(self.settled + Micros((least / self.share() - ROUNDING_US).ceil().max(0.0) as u64))
    }

    /// Moves all loads on to `now`, and hands out the owners of those that have ended.
    pub fn take_ended(&mut self, now: Micros) -> Vec<u64> {
        self.settle(now);
        std::mem::take(&mut self.ended)
    }

    #[expect(clippy::cast_precision_loss, reason = "loads are few")]
    fn share(&self) -> f64 {
        self.bytes_per_us / self.loads.len() as f64
    }

    /// An end changes the others' share, so that time is passed from end to end.
    fn settle(&mut self, now: Micros) {
        while let Some(end) = self.next_end().filter(|end| *end <= now) {
            self.pass(end);
            let share = self.share();
            let ended = &mut self.ended;
            self.loads.retain(|load| {
                // The same formula as in `next_end`, so that an end which it names is always taken.
                let under_way = load.remaining_bytes / share - ROUNDING_US > 0.0;
                if !under_way {
                    ended.push(load.owner);
                }
                under_way
            });
        }
        self.pass(now);
    }

    #[expect(clippy::cast_precision_loss, reason = "far below 2^53 microseconds")]
    fn pass(&mut self, to: Micros) {
        if !self.loads.is_empty() {
            let moved = self.share() * to.since(self.settled).0 as f64;
            for load in &mut self.loads {
                load.remaining_bytes -= moved;
            }
        }
        self.settled = self.settled.max(to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foundation::units::{Bytes, BytesPerSecond};

    fn tier(capacity: u64, bytes_per_s: f64) -> CacheTier {
        CacheTier::new(&TierSpec { capacity: Bytes(capacity), bandwidth: BytesPerSecond(bytes_per_s) }, 10)
    }

    #[test]
    fn a_tier_keeps_what_was_used_last_within_its_capacity() {
        let mut tier = tier(35, 1.0);
        for hash in [1, 2, 3, 1, 4] {
            tier.put(hash);
        }
        assert_eq!([1, 2, 3, 4].map(|hash| tier.holds(hash)), [true, false, true, true]);
        tier.clear();
        assert_eq!([1, 2, 3, 4].map(|hash| tier.holds(hash)), [false; 4]);
        tier.put(9);
        assert!(tier.holds(9));
    }

    #[test]
    fn a_tier_smaller_than_a_block_holds_nothing() {
        let mut tier = tier(9, 1.0);
        tier.put(1);
        assert!(!tier.holds(1));
    }

    #[test]
    fn one_load_has_the_whole_link_and_four_at_once_have_a_quarter_each() {
        // 131,072 tokens of 57,344 bytes at 25 GB/s: 0.3 s alone, 1.2 s four at once.
        let bytes = 131_072 * 57_344;
        let mut link = TierLink::new(25e9);
        link.begin(Micros(10), 1, bytes);
        assert_eq!(link.next_end(), Some(Micros(10 + 300_648)));
        for owner in 2..=4 {
            link.begin(Micros(10), owner, bytes);
        }
        assert_eq!(link.next_end(), Some(Micros(10 + 1_202_591)));
        assert_eq!(link.take_ended(Micros(1_202_600)), Vec::<u64>::new());
        assert_eq!(link.take_ended(Micros(1_202_601)), [1, 2, 3, 4]);
        assert_eq!(link.next_end(), None);
    }

    #[test]
    fn a_load_that_ends_leaves_its_share_to_the_others() {
        // 1 byte a microsecond: 100 alone by 100; then 100 and 300 share until 300, and the larger one needs 200 more.
        let mut link = TierLink::new(1e6);
        link.begin(Micros(0), 1, 200);
        assert_eq!(link.take_ended(Micros(100)), Vec::<u64>::new());
        link.begin(Micros(100), 2, 300);
        assert_eq!(link.next_end(), Some(Micros(300)));
        assert_eq!(link.take_ended(Micros(499)), [1]);
        assert_eq!(link.take_ended(Micros(500)), [2]);
    }
}
