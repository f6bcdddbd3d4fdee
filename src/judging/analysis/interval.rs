//! What a sample tells about the population's percentile: an interval from order statistics, and whether "at most this share lies beyond
//! the limit" is proven, disproven or neither. Exact and free of any assumption on the distribution; rows are taken as independent, and where
//! they are not, there are effectively fewer of them (`clusters`).
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
pub enum ShareVerdict {
    /// The share is at most the allowed one.
    Proven,
    /// It is larger.
    Disproven,
    /// The sample is too small, or the share too near.
    Open,
}

impl ShareVerdict {
    /// The same of the opposite claim.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Proven => Self::Disproven,
            Self::Disproven => Self::Proven,
            Self::Open => Self::Open,
        }
    }
}

/// Whether the population's share of hits is at most `allowed`, of which `k` among `n` were seen; one-sided each way.
#[must_use]
pub fn share_at_most(k: u64, n: u64, allowed: f64, confidence: f64) -> ShareVerdict {
    let doubt = 1.0 - confidence;
    if n > 0 && at_most(k, n, allowed) <= doubt {
        ShareVerdict::Proven
    } else if n > 0 && at_least(k, n, allowed) <= doubt {
        ShareVerdict::Disproven
    } else {
        ShareVerdict::Open
    }
}

/// The same of hits that are no whole number, as shares of values scaled to fewer rows are: rounded against what is to be shown.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "row counts are far below 2^53")]
pub fn scaled_share_at_most(hits: f64, n: u64, allowed: f64, confidence: f64) -> ShareVerdict {
    // A product of whole numbers may miss its own by a last bit.
    let whole = hits.round();
    let (fewest, most) = if (hits - whole).abs() < 1e-9 * whole.max(1.0) { (whole, whole) } else { (hits.floor(), hits.ceil()) };
    if share_at_most(most as u64, n, allowed, confidence) == ShareVerdict::Proven {
        return ShareVerdict::Proven;
    }
    match share_at_most(fewest as u64, n, allowed, confidence) {
        ShareVerdict::Disproven => ShareVerdict::Disproven,
        ShareVerdict::Proven | ShareVerdict::Open => ShareVerdict::Open,
    }
}

/// The values at the ends of a percentile's interval: the order statistics of `n` rows that say as much as these values do. With fewer rows
/// than values, a row stands for as many neighbouring values as come to one, and the end is the outermost of them (R. S. Woodruff,
/// "Confidence Intervals for Medians and Other Position Measures", Journal of the American Statistical Association 47, 1952).
#[must_use]
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index below the length")]
pub fn percentile_interval(ascending: &[f64], n: u64, p: f64, confidence: f64) -> (Option<f64>, Option<f64>) {
    let (low, high) = percentile_ranks(n, p, confidence);
    let values_per_row = ascending.len() as f64 / n.max(1) as f64;
    let place = |rows: u64| rows as f64 * values_per_row;
    let low = low.and_then(|rank| ascending.get(place(rank - 1).floor() as usize).copied());
    let high = high.and_then(|rank| ascending.get((place(rank).ceil() as usize).clamp(1, ascending.len()) - 1).copied());
    (low, high)
}

/// How many rows would settle an open statement if the share of hits stayed as it is; `None` where no number up to 100,000 would.
#[must_use]
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "row counts, at most 100,000")]
pub fn rows_needed(k: u64, n: u64, allowed: f64, confidence: f64) -> Option<u64> {
    let share = if n == 0 { 0.0 } else { k as f64 / n as f64 };
    let mut rows = n.max(1);
    while rows <= MOST_ROWS {
        let hits = (share * rows as f64).round() as u64;
        if share_at_most(hits, rows, allowed, confidence) != ShareVerdict::Open {
            return Some(rows);
        }
        rows = next(rows);
    }
    None
}

/// The same where `n` rows are worth only `effective`, and more of them would be worth as much each: in rows.
#[must_use]
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "row counts, at most 100,000")]
pub fn clustered_rows_needed(share: f64, n: u64, effective: u64, allowed: f64, confidence: f64) -> Option<u64> {
    let rows_each = n as f64 / effective.max(1) as f64;
    let mut rows = effective.max(1);
    while rows as f64 * rows_each <= MOST_ROWS as f64 {
        if scaled_share_at_most(share * rows as f64, rows, allowed, confidence) != ShareVerdict::Open {
            return Some((rows as f64 * rows_each).ceil() as u64);
        }
        rows = next(rows);
    }
    None
}

/// More rows than this no sample is asked for.
pub const MOST_ROWS: u64 = 100_000;

/// One by one where exactness is of use, in steps of 0.2 % beyond.
fn next(rows: u64) -> u64 {
    rows + (rows / 500).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifty_nine_rows_are_the_least_that_certify_a_p95() {
        assert_eq!(share_at_most(0, 58, 0.05, 0.95), ShareVerdict::Open);
        assert_eq!(share_at_most(0, 59, 0.05, 0.95), ShareVerdict::Proven);
        assert_eq!(share_at_most(1, 92, 0.05, 0.95), ShareVerdict::Open);
        assert_eq!(share_at_most(1, 93, 0.05, 0.95), ShareVerdict::Proven);
        assert_eq!(rows_needed(0, 9, 0.05, 0.95), Some(59));
        assert_eq!(rows_needed(0, 0, 0.05, 0.95), Some(59));
        assert_eq!(rows_needed(0, 9, 0.01, 0.95), Some(299));
        // A share that equals the allowed one is never settled.
        assert_eq!(rows_needed(1, 20, 0.05, 0.95), None);
    }

    #[test]
    fn a_few_rows_can_disprove_what_they_cannot_prove() {
        // Three of nine beyond the limit: P(X >= 3 | 9, 0.05) = 0.0084.
        assert_eq!(share_at_most(3, 9, 0.05, 0.95), ShareVerdict::Disproven);
        // One of nine: P(X >= 1) = 0.37.
        assert_eq!(share_at_most(1, 9, 0.05, 0.95), ShareVerdict::Open);
        assert_eq!(share_at_most(0, 0, 0.05, 0.95), ShareVerdict::Open);
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

    #[test]
    fn scaled_hits_are_rounded_against_what_is_to_be_shown() {
        // 0.3 of 59 rows is one for a proof and none for the contrary; three are three, whatever the last bit says.
        assert_eq!(scaled_share_at_most(0.3, 59, 0.05, 0.95), ShareVerdict::Open);
        assert_eq!(scaled_share_at_most(0.0, 59, 0.05, 0.95), ShareVerdict::Proven);
        assert_eq!(scaled_share_at_most(2.999_999_999_999, 9, 0.05, 0.95), ShareVerdict::Disproven);
        assert_eq!(scaled_share_at_most(1.9, 9, 0.05, 0.95), ShareVerdict::Open);
    }

    #[test]
    fn rows_needed_are_rows_and_not_effective_ones() {
        // Ten rows are worth one: 590 in place of 59.
        assert_eq!(clustered_rows_needed(0.0, 100, 10, 0.05, 0.95), Some(590));
        assert_eq!(clustered_rows_needed(0.05, 100, 10, 0.05, 0.95), None);
        assert_eq!(clustered_rows_needed(0.0, 19, 0, 0.05, 0.95), Some(59 * 19));
    }

    #[test]
    fn the_ends_of_fewer_rows_are_the_outermost_values_of_theirs() {
        // Ten rows of two values each: the median is between the 2nd and the 9th row, so the 3rd and the 18th value.
        let values: Vec<f64> = (1..=20).map(f64::from).collect();
        assert_eq!(percentile_interval(&values, 10, 50.0, 0.95), (Some(3.0), Some(18.0)));
        assert_eq!(percentile_interval(&values, 0, 50.0, 0.95), (None, None));
    }
}
