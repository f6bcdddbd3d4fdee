//! Percentiles of sorted values by linear interpolation (type 7 of Hyndman and Fan 1996; numpy, pandas and polars `linear`), with
//! +infinity as an ordinary value: what lies between a number and infinity is infinity.

/// The p-th percentile (0 to 100) of ascending values; `None` of none.
#[must_use]
pub fn percentile(ascending: &[f64], p: f64) -> Option<f64> {
    let (low, high, share) = neighbours(ascending.len() as u64, p)?;
    let at = |place: u64| ascending.get(usize::try_from(place).ok()?).copied();
    Some(between(at(low)?, at(high)?, share))
}

/// The places (from 0) of the two ascending values of `rows` that the p-th percentile lies between, and the weight of the second; `None` of
/// none.
#[must_use]
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index below the length")]
pub(super) fn neighbours(rows: u64, p: f64) -> Option<(u64, u64, f64)> {
    let last = rows.checked_sub(1)?;
    let place = last as f64 * (p / 100.0).clamp(0.0, 1.0);
    let below = place.floor();
    Some((below as u64, (below as u64 + 1).min(last), place - below))
}

/// numpy's interpolation: from the nearer end, so that it is exact at both. Equal ends and a share of 0 stand first, since
/// `inf - inf` and `inf * 0` are NaN.
#[expect(clippy::float_cmp, reason = "equal ends need no interpolation")]
pub(super) fn between(low: f64, high: f64, share: f64) -> f64 {
    if share == 0.0 || low == high {
        low
    } else if high.is_infinite() {
        high
    } else if share >= 0.5 {
        high - (high - low) * (1.0 - share)
    } else {
        low + (high - low) * share
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn near(left: Option<f64>, right: f64) {
        let left = left.unwrap();
        assert!((left - right).abs() <= 1e-15 * right.abs(), "{left} is not {right}");
    }

    #[test]
    fn percentiles_are_those_of_numpy() {
        // np.percentile([15, 20, 35, 40, 50], [5, 30, 40, 95, 100])
        let values = [15.0, 20.0, 35.0, 40.0, 50.0];
        for (p, expected) in [(5.0, 16.0), (30.0, 23.0), (40.0, 29.0), (95.0, 48.0), (100.0, 50.0)] {
            near(percentile(&values, p), expected);
        }
        // np.percentile(np.arange(1, 12) ** 2 / 10, [12.5, 50, 99])
        let squares: Vec<f64> = (1..=11).map(|i| f64::from(i * i) / 10.0).collect();
        for (p, expected) in [(12.5, 0.525), (50.0, 3.6), (99.0, 11.89)] {
            near(percentile(&squares, p), expected);
        }
        near(percentile(&[7.0], 95.0), 7.0);
        assert_eq!(percentile(&[], 95.0), None);
    }

    #[test]
    fn infinity_is_reached_exactly_when_a_failed_request_takes_part() {
        let infinite = f64::INFINITY;
        // 21 values: the 95th percentile is the 20th one exactly.
        let mut values: Vec<f64> = (1..=20).map(f64::from).collect();
        values.push(infinite);
        assert_eq!(percentile(&values, 95.0), Some(20.0));
        // 20 values: it lies between the 19th and the 20th.
        let mut values: Vec<f64> = (1..=19).map(f64::from).collect();
        values.push(infinite);
        assert_eq!(percentile(&values, 95.0), Some(infinite));
        assert_eq!(percentile(&values, 50.0), Some(10.5));
        assert_eq!(percentile(&[infinite, infinite, infinite], 50.0), Some(infinite));
    }

    proptest! {
        #[test]
        fn a_percentile_lies_between_its_neighbours_and_grows_with_p(
            mut values in prop::collection::vec(prop_oneof![0.0_f64..1e6, Just(f64::INFINITY)], 1..60), p in 0.0_f64..100.0
        ) {
            values.sort_by(f64::total_cmp);
            let (at, above) = (percentile(&values, p).unwrap(), percentile(&values, p + 0.1).unwrap());
            prop_assert!(!at.is_nan() && values[0] <= at && at <= values[values.len() - 1] && at <= above);
        }
    }
}
