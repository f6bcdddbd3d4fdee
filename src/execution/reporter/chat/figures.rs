//! What is counted over many requests: successes, failures by kind, tokens, rates and exact percentiles. Rows in, numbers out.
//!
//! Latencies of requests are kept (eight bytes each); gaps between tokens are kept as counts per microsecond, so that long runs stay small.

use std::collections::BTreeMap;

use crate::foundation::clock::Micros;
use crate::records::record::{FailureKind, RequestRecord};

/// Sent more than this after it was due, a request is late.
pub(super) const LATE: Micros = Micros(10_000);

/// The figures of some requests.
#[derive(Debug, Default)]
pub(super) struct ChatStatistics {
    pub(super) succeeded: u64,
    pub(super) failures: BTreeMap<FailureKind, u64>,
    pub(super) late: u64,
    /// Requests whose token counts nobody told.
    pub(super) uncounted: u64,
    pub(super) prompt_tokens: u64,
    pub(super) output_tokens: u64,
    /// Of successful requests, in seconds.
    pub(super) ttft: Vec<f64>,
    pub(super) tpot: Vec<f64>,
    pub(super) gaps: TokenGapHistogram,
    pub(super) intended: RateCounter,
    pub(super) sent: RateCounter,
    /// Of successful requests.
    pub(super) completed: RateCounter,
}

impl ChatStatistics {
    pub(super) fn add(&mut self, record: &RequestRecord) {
        self.intended.add(record.intended_us);
        if record.was_sent() {
            self.sent.add(record.sent_us);
        }
        self.late += u64::from(record.sent_us.since(record.intended_us) > LATE);
        if let Some(failure) = &record.failure {
            *self.failures.entry(failure.kind).or_default() += 1;
            return;
        }
        self.succeeded += 1;
        self.completed.add(record.done_us);
        self.uncounted += u64::from(record.prompt_tokens.is_none() || record.output_tokens.is_none());
        self.prompt_tokens += record.prompt_tokens.unwrap_or_default();
        self.output_tokens += record.output_tokens.unwrap_or_default();
        self.ttft.extend(record.ttft_s());
        self.tpot.extend(record.tpot_s());
        for gap in &record.gaps_us {
            self.gaps.add(*gap);
        }
    }

    pub(super) fn failed(&self) -> u64 {
        self.failures.values().sum()
    }

    pub(super) fn requests(&self) -> u64 {
        self.succeeded + self.failed()
    }

    /// Times to first token with each failure as +infinity, in rising order.
    pub(super) fn ttft_with_failures(&self) -> Vec<f64> {
        let failures = std::iter::repeat_n(f64::INFINITY, usize::try_from(self.failed()).unwrap_or(usize::MAX));
        let mut all: Vec<f64> = self.ttft.iter().copied().chain(failures).collect();
        all.sort_by(f64::total_cmp);
        all
    }
}

/// How often something happens: from the first to the last time, so that neither a slow start nor the wait for the last answer counts.
#[derive(Debug, Default)]
pub(super) struct RateCounter {
    times: u64,
    first: Option<Micros>,
    last: Micros,
}

impl RateCounter {
    fn add(&mut self, at: Micros) {
        self.times += 1;
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.last = self.last.max(at);
    }

    /// Per second; `None` for fewer than two times.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    pub(super) fn per_second(&self) -> Option<f64> {
        let span = self.last.since(self.first?).as_secs_f64();
        (span > 0.0).then(|| (self.times - 1) as f64 / span)
    }
}

/// Gaps between tokens: how many of each length in microseconds.
#[derive(Debug, Default)]
pub(super) struct TokenGapHistogram {
    counts: BTreeMap<u32, u64>,
    total: u64,
    sum: u64,
}

impl TokenGapHistogram {
    fn add(&mut self, gap: u32) {
        *self.counts.entry(gap).or_default() += 1;
        self.total += 1;
        self.sum += u64::from(gap);
    }

    /// In seconds.
    #[expect(clippy::cast_precision_loss, reason = "counts and microseconds are far below 2^53")]
    pub(super) fn mean(&self) -> Option<f64> {
        (self.total > 0).then(|| self.sum as f64 / 1e6 / self.total as f64)
    }

    /// In seconds, by linear interpolation.
    pub(super) fn percentile(&self, percent: f64) -> Option<f64> {
        let (rank, part) = position(self.total, percent)?;
        let (low, high) = (self.ranked(rank)?, self.ranked(rank + u64::from(part > 0.0))?);
        Some((low + (high - low) * part) / 1e6)
    }

    fn ranked(&self, rank: u64) -> Option<f64> {
        let mut before = 0;
        self.counts.iter().find_map(|(gap, count)| {
            before += count;
            (rank < before).then_some(f64::from(*gap))
        })
    }
}

/// The mean; `None` of nothing.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(super) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The percentile of rising values by linear interpolation (type 7); `None` of nothing.
#[expect(clippy::cast_possible_truncation, reason = "an index below the length")]
pub(super) fn percentile(rising: &[f64], percent: f64) -> Option<f64> {
    let (rank, part) = position(rising.len() as u64, percent)?;
    let low = *rising.get(rank as usize)?;
    if part <= 0.0 {
        return Some(low);
    }
    let high = *rising.get(rank as usize + 1)?;
    // Infinite where one of the two is, and not the NaN of `inf - inf`.
    Some(if high.is_infinite() { high } else { low + (high - low) * part })
}

/// Where a percentile lies among so many values: the rank below it, and the part of the way to the next.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts are far below 2^53")]
fn position(values: u64, percent: f64) -> Option<(u64, f64)> {
    let place = values.checked_sub(1)? as f64 * percent / 100.0;
    Some((place.floor() as u64, place.fract()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: Option<f64>, expected: f64) {
        assert!(found.is_some_and(|found| (found - expected).abs() < 1e-12), "{found:?} is not {expected}");
    }

    #[test]
    fn percentiles_interpolate_as_numpy_does() {
        // numpy.percentile([1, 2, 3, 4], [50, 95, 99]) = 2.5, 3.85, 3.97
        let values = [1.0, 2.0, 3.0, 4.0];
        close(percentile(&values, 50.0), 2.5);
        close(percentile(&values, 95.0), 3.85);
        close(percentile(&values, 99.0), 3.97);
        close(percentile(&values, 100.0), 4.0);
        close(percentile(&[7.0], 99.0), 7.0);
        assert_eq!(percentile(&[], 50.0), None);
    }

    #[test]
    fn a_failure_makes_the_percentile_infinite_as_soon_as_it_is_reached() {
        let values = [1.0, 2.0, f64::INFINITY, f64::INFINITY];
        close(percentile(&values, 100.0 / 3.0), 2.0);
        assert_eq!(percentile(&values, 50.0), Some(f64::INFINITY));
        assert_eq!(percentile(&values, 90.0), Some(f64::INFINITY));
    }

    #[test]
    fn counted_gaps_give_the_same_percentiles_as_the_gaps_themselves() {
        let gaps: Vec<u32> = (0..1000).map(|i| i * 7919 % 251).collect();
        let mut counted = TokenGapHistogram::default();
        for gap in &gaps {
            counted.add(*gap);
        }
        let mut rising: Vec<f64> = gaps.iter().map(|gap| f64::from(*gap) / 1e6).collect();
        rising.sort_by(f64::total_cmp);
        for percent in [0.0, 12.5, 50.0, 95.0, 99.0, 99.9, 100.0] {
            close(counted.percentile(percent), percentile(&rising, percent).unwrap());
        }
        close(counted.mean(), mean(&rising).unwrap());
        assert_eq!(TokenGapHistogram::default().percentile(50.0), None);
    }

    #[test]
    fn a_rate_is_taken_between_the_first_and_the_last_time() {
        let mut rate = RateCounter::default();
        assert_eq!(rate.per_second(), None);
        for at in [3_000_000, 1_000_000, 2_000_000] {
            rate.add(Micros(at));
        }
        close(rate.per_second(), 1.0);
    }
}
