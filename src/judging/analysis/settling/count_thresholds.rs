//! From which counts of rows beyond the limit on a verdict on a share is the same however many independent rows the sample will be worth.
//!
//! Rows of sessions count by an effective number, which depends on values that are not known yet, and lies between the least it can be and
//! the number of rows. For each such number the verdict is monotone in the count beyond the limit; here the counts are found at which all of
//! them agree, by the same test that judges whole cells.

use crate::analysis::interval::{CONFIDENCE, ShareVerdict, scaled_share_at_most};

/// The counts, of so many rows, at which every effective number of rows gives the same answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountThresholds {
    /// Up to here the share is proven, whatever the rows are worth; `None` where not even no hit proves it.
    proven_by_all: Option<u64>,
    /// Up to here some number of rows proves it.
    proven_by_any: Option<u64>,
    /// From here on some number of rows disproves it; more than there are rows where none can.
    disproven_by_any: u64,
    /// From here on all do.
    disproven_by_all: u64,
}

impl CountThresholds {
    /// For `rows` that are worth `least` to `rows` independent ones; `allowed` is the share that may lie beyond.
    pub fn new(rows: u64, least: u64, allowed: f64) -> Self {
        let says = |beyond: u64, effective: u64| statement(beyond, rows, effective, allowed);
        let mut all = Self { proven_by_all: Some(rows), proven_by_any: None, disproven_by_any: rows + 1, disproven_by_all: 0 };
        for effective in least.clamp(1, rows.max(1))..=rows {
            // Each bound only moves one way, so that all of them together take one evaluation a step, and a few more in all.
            while all.proven_by_all.is_some_and(|most| says(most, effective) != ShareVerdict::Proven) {
                all.proven_by_all = all.proven_by_all.and_then(|most| most.checked_sub(1));
            }
            loop {
                let next = all.proven_by_any.map_or(0, |most| most + 1);
                if next > rows || says(next, effective) != ShareVerdict::Proven {
                    break;
                }
                all.proven_by_any = Some(next);
            }
            while all.disproven_by_any > 0 && says(all.disproven_by_any - 1, effective) == ShareVerdict::Disproven {
                all.disproven_by_any -= 1;
            }
            while all.disproven_by_all <= rows && says(all.disproven_by_all, effective) != ShareVerdict::Disproven {
                all.disproven_by_all += 1;
            }
        }
        all
    }

    /// What the whole sample will say, where it has at least `fewest` and at most `most` rows beyond the limit.
    pub fn settled(&self, fewest: u64, most: u64) -> Option<ShareVerdict> {
        if self.proven_by_all.is_some_and(|up_to| most <= up_to) {
            Some(ShareVerdict::Proven)
        } else if fewest >= self.disproven_by_all {
            Some(ShareVerdict::Disproven)
        } else if self.proven_by_any.is_none_or(|up_to| fewest > up_to) && most < self.disproven_by_any {
            Some(ShareVerdict::Open)
        } else {
            None
        }
    }
}

/// What a sample says of a share: `beyond` of its `values`, which are worth `effective` independent rows.
#[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
pub fn statement(beyond: u64, values: u64, effective: u64, allowed: f64) -> ShareVerdict {
    // Shares are those of values, of which a request may bring many; what they are worth is counted in requests, of which sessions may
    // bring many.
    let hits = beyond as f64 * effective as f64 / values.max(1) as f64;
    scaled_share_at_most(hits, effective, allowed, CONFIDENCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_each_session_brings_one_row_it_is_the_test_itself() {
        // 3 of 9 disprove a p95 (P = 0.0084), 2 do not (P = 0.071); fewer than 59 never prove one.
        let shares = CountThresholds::new(9, 9, 0.05);
        assert_eq!((shares.settled(3, 9), shares.settled(2, 9)), (Some(ShareVerdict::Disproven), None));
        assert_eq!((shares.settled(0, 2), shares.settled(0, 3)), (Some(ShareVerdict::Open), None));
        let shares = CountThresholds::new(59, 59, 0.05);
        assert_eq!(
            (shares.settled(0, 0), shares.settled(0, 1), shares.settled(1, 3)),
            (Some(ShareVerdict::Proven), None, Some(ShareVerdict::Open))
        );
    }

    #[test]
    fn every_number_of_effective_rows_agrees_with_what_is_settled() {
        for (rows, least, allowed) in [(36, 12, 0.05), (60, 7, 0.05), (30, 1, 0.5), (64, 16, 0.01), (200, 50, 0.05)] {
            let shares = CountThresholds::new(rows, least, allowed);
            for beyond in 0..=rows {
                let mut said: Vec<ShareVerdict> = (least..=rows).map(|effective| statement(beyond, rows, effective, allowed)).collect();
                said.dedup();
                let expected = if said.len() == 1 { Some(said[0]) } else { None };
                assert_eq!(shares.settled(beyond, beyond), expected, "{beyond} of {rows} worth {least}");
            }
        }
    }
}
