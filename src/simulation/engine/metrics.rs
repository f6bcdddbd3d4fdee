//! What the engine counts while it works, in the terms of a real server's metrics. It must not know how they are shown.

use crate::foundation::clock::Micros;

/// Totals since the engine's start.
#[derive(Debug, Clone, Default)]
pub struct EngineCounters {
    /// Tokens of prompts that were looked up in the device's cache, and of those the ones that were found.
    pub prefix_queries: u64,
    pub prefix_hits: u64,
    /// Tokens that were looked up in the tiers behind the device, and of those the ones that were found.
    pub external_queries: u64,
    pub external_hits: u64,
    /// Tokens of prompts whose first answer token is there, and of those the ones from the device's cache and from the tiers.
    pub prompt_tokens: u64,
    pub prompt_tokens_device: u64,
    pub prompt_tokens_tiers: u64,
    pub generation_tokens: u64,
    /// Sequences whose blocks were taken away so that an earlier one could go on.
    pub preemptions: u64,
    pub finished: u64,
    /// Given up by who asked.
    pub aborted: u64,
    pub steps: u64,
    pub ttft_seconds: EngineLatencyHistogram,
    pub e2e_seconds: EngineLatencyHistogram,
}

/// What the engine holds now, beside its totals.
#[derive(Debug, Clone, Default)]
pub struct EngineSnapshot {
    pub running: usize,
    /// Waiting for their turn, for blocks or for a tier.
    pub waiting: usize,
    /// Blocks that sequences hold, over all blocks.
    pub kv_usage: f64,
    pub blocks: usize,
    pub block_tokens: u64,
    pub counters: EngineCounters,
}

/// Upper bounds in seconds, those of vLLM's time-to-first-token histogram.
pub const BOUNDS_S: [f64; 22] =
    [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0, 160.0, 640.0, 2560.0];

/// A histogram in seconds.
#[derive(Debug, Clone, Default)]
pub struct EngineLatencyHistogram {
    /// Not cumulated; what is above the last bound is only in `count`.
    buckets: [u64; BOUNDS_S.len()],
    count: u64,
    sum_us: u64,
}

impl EngineLatencyHistogram {
    pub fn add(&mut self, duration: Micros) {
        if let Some(bucket) = BOUNDS_S.iter().position(|bound| duration.as_secs_f64() <= *bound) {
            self.buckets[bucket] += 1;
        }
        self.count += 1;
        self.sum_us += duration.0;
    }

    /// Each bound with the number of values up to it.
    pub fn cumulated(&self) -> impl Iterator<Item = (f64, u64)> {
        BOUNDS_S.iter().zip(self.buckets).scan(0, |sum, (bound, count)| {
            *sum += count;
            Some((*bound, *sum))
        })
    }

    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    #[must_use]
    pub fn sum_s(&self) -> f64 {
        Micros(self.sum_us).as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_cumulates_and_keeps_what_is_above_every_bound() {
        let mut histogram = EngineLatencyHistogram::default();
        for micros in [1_000, 1_001, 3_000_000_000] {
            histogram.add(Micros(micros));
        }
        let cumulated: Vec<_> = histogram.cumulated().collect();
        assert_eq!(cumulated[..2], [(0.001, 1), (0.005, 2)]);
        assert_eq!(cumulated.last(), Some(&(2560.0, 2)));
        assert_eq!(histogram.count(), 3);
    }
}
