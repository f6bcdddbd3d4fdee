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
            link: TierLink::new(spec.bandwidth.0, spec.latency.map_or(Micros::ZERO, |latency| Micros::from_secs_f64(latency.0))),
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
    /// What passes from a load's last byte to its end.
    latency: Micros,
    /// Up to when the loads' remainders are right.
    settled: Micros,
    loads: Vec<TierTransfer>,
    /// Loads whose last byte has come, with when they end, in that order.
    ended: Vec<(Micros, u64)>,
}

#[derive(Debug)]
struct TierTransfer {
    owner: u64,
    remaining_bytes: f64,
}

/// Remainders are doubles; what would take less than this is rounding.
const ROUNDING_US: f64 = 1e-4;

impl TierLink {
    fn new(bytes_per_s: f64, latency: Micros) -> Self {
        Self { bytes_per_us: bytes_per_s / 1e6, latency, settled: Micros::ZERO, loads: Vec::new(), ended: Vec::new() }
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
        self.ended.retain(|(_, ended)| *ended != owner);
    }

    /// When there is something to be done next, if no load begins before: one ends, or leaves its share of the link to the others.
    #[must_use]
    pub fn next_end(&self) -> Option<Micros> {
        self.next_free().into_iter().chain(self.ended.first().map(|(end, _)| *end)).min()
    }

    /// When the next load leaves the link, if none begins before: rounded up to a whole microsecond.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float saturates when it becomes an integer")]
    fn next_free(&self) -> Option<Micros> {
        let least = self.loads.iter().map(|load| load.remaining_bytes).min_by(f64::total_cmp)?;
        Some(self.settled + Micros((least / self.share() - ROUNDING_US).ceil().max(0.0) as u64))
    }

    /// Moves all loads on to `now`, and hands out the owners of those that have ended.
    pub fn take_ended(&mut self, now: Micros) -> Vec<u64> {
        self.settle(now);
        let done = self.ended.partition_point(|(end, _)| *end <= now);
        self.ended.drain(..done).map(|(_, owner)| owner).collect()
    }

    #[expect(clippy::cast_precision_loss, reason = "loads are few")]
    fn share(&self) -> f64 {
        self.bytes_per_us / self.loads.len() as f64
    }

    /// An end changes the others' share, so that time is passed from end to end.
    fn settle(&mut self, now: Micros) {
        while let Some(end) = self.next_free().filter(|end| *end <= now) {
            self.pass(end);
            let (share, latency) = (self.share(), self.latency);
            let ended = &mut self.ended;
            self.loads.retain(|load| {
                // The same formula as in `next_free`, so that an end which it names is always taken.
                let under_way = load.remaining_bytes / share - ROUNDING_US > 0.0;
                if !under_way {
                    ended.push((end + latency, load.owner));
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
        CacheTier::new(&TierSpec { capacity: Bytes(capacity), bandwidth: BytesPerSecond(bytes_per_s), latency: None }, 10)
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
        let mut link = TierLink::new(25e9, Micros::ZERO);
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
        let mut link = TierLink::new(1e6, Micros::ZERO);
        link.begin(Micros(0), 1, 200);
        assert_eq!(link.take_ended(Micros(100)), Vec::<u64>::new());
        link.begin(Micros(100), 2, 300);
        assert_eq!(link.next_end(), Some(Micros(300)));
        assert_eq!(link.take_ended(Micros(499)), [1]);
        assert_eq!(link.take_ended(Micros(500)), [2]);
    }

    #[test]
    fn a_latency_comes_behind_the_last_byte_and_holds_the_link_from_nobody() {
        // As above, and each ends 50 us behind its last byte.
        let mut link = TierLink::new(1e6, Micros(50));
        link.begin(Micros(0), 1, 200);
        link.begin(Micros(100), 2, 300);
        assert_eq!((link.next_end(), link.take_ended(Micros(349))), (Some(Micros(300)), Vec::new()));
        assert_eq!((link.next_end(), link.take_ended(Micros(350))), (Some(Micros(350)), vec![1]));
        assert_eq!((link.take_ended(Micros(549)), link.take_ended(Micros(550))), (Vec::new(), vec![2]));
    }
}
