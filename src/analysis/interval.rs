//! What a sample tells about the population's percentile: an interval from order statistics, and whether "at most this share lies beyond
//! the limit" is proven, disproven or neither. Exact and free of any assumption on the distribution; rows are taken as independent.
//!
//! The count of rows below the population's percentile is binomial (H. A. David and H. N. Nagaraja, "Order Statistics", 3rd ed. 2003,
//! section 7.1; W. J. Conover, "Practical Nonparametric Statistics", 3rd ed. 1999, section 3.2).

use super::binomial::{at_least, at_most};

/// How sure a verdict or an interval is.
pub const CONFIDENCE: f64 = 0.95;

/// Ranks (from 1) of the order statistics that enclose the percentile with the asked confidence, each end missed by at most half of
/// the rest. `None` where so few rows bound it on no such side.
#[must_use]
pub fn percentile_ranks(n: u64, p: f64, confidence: f64) -> (Option<u64>, Option<u64>) {
    let tail = (1.0 - confidence) / 2.0;
    let share = p / 100.0;
    // The lower end is above the percentile when at most l - 1 rows are at or below it; the upper one is below it when at least u are.
    let lower = partition(n, |l| at_most(l - 1, n, share) <= tail);
    let upper = partition(n, |u| at_least(u, n, share) > tail) + 1;
    ((lower > 0).then_some(lower), (upper <= n).then_some(upper))
}

/// How many of 1..=n from the start fulfil a condition that holds up to some rank and not beyond.
fn partition(n: u64, holds: impl Fn(u64) -> bool) -> u64 {
    let (mut holding, mut failing) = (0, n + 1);
    while failing - holding > 1 {
        let middle = holding.midpoint(failing);
        if holds(middle) { holding = middle } else { failing = middle }
    }
    holding
}

/// What the sample says about a share in the population.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statement {
    /// The share is at most the allowed one.
    Proven,
    /// It is larger.
    Disproven,
    /// The sample is too small, or the share too near.
    Open,
}

/// Whether the population's share of hits is at most `allowed`, of which `k` among `n` were seen; one-sided each way.
#[must_use]
pub fn share_at_most(k: u64, n: u64, allowed: f64, confidence: f64) -> Statement {
    let doubt = 1.0 - confidence;
    if n > 0 && at_most(k, n, allowed) <= doubt {
        Statement::Proven
    } else if n > 0 && at_least(k, n, allowed) <= doubt {
        Statement::Disproven
    } else {
        Statement::Open
    }
}

/// How many rows would settle an open statement if the share of hits stayed as it is; `None` where no number up to 100,000 would.
#[must_use]
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "row counts, at most 100,000")]
pub fn rows_needed(k: u64, n: u64, allowed: f64, confidence: f64) -> Option<u64> {
    let share = if n == 0 { 0.0 } else { k as f64 / n as f64 };
    let mut rows = n.max(1);
    while rows <= 100_000 {
        let hits = (share * rows as f64).round() as u64;
        if share_at_most(hits, rows, allowed, confidence) != Statement::Open {
            return Some(rows);
        }
        // One by one where exactness is of use, in steps of 0.2 % beyond.
        rows += (rows / 500).max(1);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifty_nine_rows_are_the_least_that_certify_a_p95() {
        assert_eq!(share_at_most(0, 58, 0.05, 0.95), Statement::Open);
        assert_eq!(share_at_most(0, 59, 0.05, 0.95), Statement::Proven);
        assert_eq!(share_at_most(1, 92, 0.05, 0.95), Statement::Open);
        assert_eq!(share_at_most(1, 93, 0.05, 0.95), Statement::Proven);
        assert_eq!(rows_needed(0, 9, 0.05, 0.95), Some(59));
        assert_eq!(rows_needed(0, 0, 0.05, 0.95), Some(59));
        assert_eq!(rows_needed(0, 9, 0.01, 0.95), Some(299));
        // A share that equals the allowed one is never settled.
        assert_eq!(rows_needed(1, 20, 0.05, 0.95), None);
    }

    #[test]
    fn a_few_rows_can_disprove_what_they_cannot_prove() {
        // Three of nine beyond the limit: P(X >= 3 | 9, 0.05) = 0.0084.
        assert_eq!(share_at_most(3, 9, 0.05, 0.95), Statement::Disproven);
        // One of nine: P(X >= 1) = 0.37.
        assert_eq!(share_at_most(1, 9, 0.05, 0.95), Statement::Open);
        assert_eq!(share_at_most(0, 0, 0.05, 0.95), Statement::Open);
    }

    #[test]
    fn ranks_are_those_of_the_published_tables() {
        // The median of n = 10 lies between the 2nd and the 9th value with 97.9 %: Conover, table A3.
        assert_eq!(percentile_ranks(10, 50.0, 0.95), (Some(2), Some(9)));
        // A p95 has no upper end below n = 72: 1 - 0.95^72 = 0.9751.
        assert_eq!(percentile_ranks(71, 95.0, 0.95).1, None);
        assert_eq!(percentile_ranks(72, 95.0, 0.95).1, Some(72));
        assert_eq!(percentile_ranks(0, 95.0, 0.95), (None, None));
    }

    #[test]
    fn intervals_cover_as_often_as_they_claim_and_not_much_more() {
        // The coverage of (X_(l), X_(u)) for a continuous distribution is P(l <= B < u) with B binomial: exact, no simulation needed.
        for n in [20, 59, 100, 200, 500, 2000] {
            for p in [50.0, 90.0, 95.0, 99.0] {
                let (low, high) = percentile_ranks(n, p, 0.95);
                let above = high.map_or(0.0, |u| at_least(u, n, p / 100.0));
                let below = low.map_or(0.0, |l| at_most(l - 1, n, p / 100.0));
                let coverage = 1.0 - above - below;
                assert!(coverage >= 0.95, "n {n}, p{p}: {coverage}");
                assert!(n < 200 || p > 98.0 || coverage <= 0.98, "n {n}, p{p}: {coverage}");
            }
        }
    }
}
