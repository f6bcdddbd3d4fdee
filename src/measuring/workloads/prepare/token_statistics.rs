//! Token counts in constant memory: exact sums and extremes, percentiles to three digits.

use hdrhistogram::Histogram;

use serde::{Deserialize, Serialize};

/// Token counts, summed up. Percentiles have three digits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TokenStatistics {
    pub count: u64,
    pub total: u64,
    pub min: u64,
    pub mean: f64,
    pub p50: u64,
    pub p95: u64,
    pub max: u64,
}

/// The largest count that is told apart.
const MOST: u64 = 1 << 32;

/// Counts seen so far.
#[derive(Debug)]
pub struct TokenCountRecorder {
    seen: u64,
    total: u64,
    least: u64,
    most: u64,
    spread: Histogram<u64>,
}

impl Default for TokenCountRecorder {
    fn default() -> Self {
        let spread = Histogram::new_with_max(MOST, 3).expect("the bounds are constants that it takes");
        Self { seen: 0, total: 0, least: u64::MAX, most: 0, spread }
    }
}

impl TokenCountRecorder {
    pub fn add(&mut self, tokens: u64) {
        self.seen += 1;
        self.total += tokens;
        self.least = self.least.min(tokens);
        self.most = self.most.max(tokens);
        self.spread.saturating_record(tokens);
    }

    #[expect(clippy::cast_precision_loss, reason = "a mean of counts far below 2^53")]
    pub fn figures(&self) -> TokenStatistics {
        let seen = self.seen.max(1);
        TokenStatistics {
            count: self.seen,
            total: self.total,
            min: self.least.min(self.most),
            mean: self.total as f64 / seen as f64,
            p50: self.spread.value_at_quantile(0.5).min(self.most),
            p95: self.spread.value_at_quantile(0.95).min(self.most),
            max: self.most,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_the_counts() {
        let mut counts = TokenCountRecorder::default();
        assert_eq!(counts.figures(), TokenStatistics { count: 0, total: 0, min: 0, mean: 0.0, p50: 0, p95: 0, max: 0 });
        (1..=100).for_each(|tokens| counts.add(tokens));
        assert_eq!(counts.figures(), TokenStatistics { count: 100, total: 5050, min: 1, mean: 50.5, p50: 50, p95: 95, max: 100 });
    }
}
