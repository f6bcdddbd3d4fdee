//! Gaps between tokens, counted by their length: percentiles of all of them exactly, in one pass and in a few megabytes, however many there are.

use super::ExtendedReal;
use super::percentile::{between, neighbours};
use super::summary::LatencyPercentiles;

/// Up to so many gaps they are held one by one; more are counted.
const HELD: usize = 1 << 20;
/// Gaps below so many microseconds have a counter each; the few that are longer are held.
const COUNTED_MICROS: u32 = 1 << 20;

/// Gaps of any number of answers.
#[derive(Debug, Default)]
pub(super) struct TokenGapCounts {
    /// All of them, or those that have no counter.
    held: Vec<u32>,
    counters: Vec<u64>,
    count: u64,
}

impl TokenGapCounts {
    pub fn add(&mut self, gaps: &[u32]) {
        self.count += gaps.len() as u64;
        if self.counters.is_empty() {
            self.held.extend_from_slice(gaps);
            if self.held.len() > HELD {
                self.counters = vec![0; COUNTED_MICROS as usize];
                let all = std::mem::take(&mut self.held);
                self.count_up(&all);
            }
        } else {
            self.count_up(gaps);
        }
    }

    fn count_up(&mut self, gaps: &[u32]) {
        for gap in gaps {
            match self.counters.get_mut(*gap as usize) {
                Some(counter) => *counter += 1,
                None => self.held.push(*gap),
            }
        }
    }

    /// Percentiles over the gaps of so many successful requests and those that failed ones stand for: as many infinite ones as a successful one has
    /// on average.
    pub fn percentiles(mut self, successes: u64, failed: u64, wanted: [f64; 3]) -> LatencyPercentiles {
        self.held.sort_unstable();
        let infinite = failed * self.count.div_ceil(successes.max(1)).max(1);
        let n = self.count + infinite;
        let [p50_s, p95_s, p99_s] = wanted.map(|p| {
            let (low, high, share) = neighbours(n, p)?;
            ExtendedReal::new(between(self.at(low), self.at(high), share))
        });
        LatencyPercentiles { n, p50_s, p95_s, p99_s }
    }

    /// The value at a place of all of them in ascending order, in seconds.
    fn at(&self, place: u64) -> f64 {
        let mut before = 0;
        for (micros, counter) in (0_u32..).zip(&self.counters) {
            before += counter;
            if place < before {
                return f64::from(micros) / 1e6;
            }
        }
        let held = usize::try_from(place - before).ok().and_then(|place| self.held.get(place));
        held.map_or(f64::INFINITY, |micros| f64::from(*micros) / 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::super::percentile;
    use super::*;

    #[test]
    fn very_many_gaps_are_counted_and_give_the_same_as_sorting_them() {
        // Some longer than a second, in no order.
        let gaps: Vec<u32> =
            (0..1_100_000_u32).map(|i| if i % 1000 == 7 { 2_000_000 + i } else { i.wrapping_mul(7919) % 50_000 }).collect();
        let mut counts = TokenGapCounts::default();
        gaps.chunks(1000).for_each(|answer| counts.add(answer));
        assert!(!counts.counters.is_empty() && counts.held.len() < 2000);
        let mut ascending: Vec<f64> = gaps.iter().map(|gap| f64::from(*gap) / 1e6).collect();
        ascending.sort_by(f64::total_cmp);
        let found = counts.percentiles(1100, 0, [50.0, 95.0, 99.95]);
        let expected = [50.0, 95.0, 99.95].map(|p| percentile(&ascending, p).and_then(ExtendedReal::new));
        assert_eq!(([found.p50_s, found.p95_s, found.p99_s], found.n), (expected, 1_100_000));
    }
}
