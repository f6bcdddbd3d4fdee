//! How late things were, counted and not kept: lateness in, ranks out, in memory that does not grow with how many there were.
//!
//! To the microsecond below 32 ms and to one part in 10,000 above, never told too small (hdrhistogram, four digits); the largest exactly. A quarter of a megabyte,
//! until something is later than 32 ms.

use hdrhistogram::Histogram;

use crate::foundation::clock::Micros;

/// Lateness of so many things.
#[derive(Debug, Clone, Default)]
pub(super) struct LatenessHistogram {
    /// From the first on.
    seen: Option<Histogram<u64>>,
    largest: Micros,
}

/// An hour; what was later stands at its end, and is still told as the largest.
const MOST: u64 = 3_600_000_000;
const DIGITS: u8 = 4;

impl LatenessHistogram {
    pub fn add(&mut self, lateness: Micros) {
        self.largest = self.largest.max(lateness);
        if self.seen.is_none() {
            // Digits that the library takes; it grows with the largest.
            self.seen = Histogram::new(DIGITS).ok();
        }
        if let Some(seen) = &mut self.seen {
            // What is below the most that it may grow to is always taken.
            let _ = seen.record(lateness.0.min(MOST));
        }
    }

    /// The value at rank ⌈q n⌉, in seconds; `None` of none.
    pub fn at_rank(&self, q: f64) -> Option<f64> {
        let seen = self.seen.as_ref()?;
        let value = if q >= 1.0 { self.largest } else { Micros(seen.value_at_quantile(q)).min(self.largest) };
        Some(value.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = u64>) -> LatenessHistogram {
        let mut lateness = LatenessHistogram::default();
        values.into_iter().for_each(|value| lateness.add(Micros(value)));
        lateness
    }

    #[test]
    fn ranks_are_values_that_were_seen() {
        let lateness = of((1..=200).rev().map(|value| value * 100));
        assert_eq!([0.5, 0.99, 1.0].map(|q| lateness.at_rank(q)), [Some(0.01), Some(0.0198), Some(0.02)]);
        assert_eq!(of([]).at_rank(0.5), None);
        assert_eq!(of([0; 9]).at_rank(0.99), Some(0.0));
    }

    #[test]
    fn what_comes_later_and_later_is_still_at_its_rank() {
        let lateness = of((0..32).map(|power| 1 << power));
        // 2^31 us are 35.8 minutes; ranks are told to one part in 10,000 at most too large.
        for (rank, power) in [(1, 0), (16, 15), (20, 19), (31, 30), (32, 31)] {
            let (at, exact) = (lateness.at_rank(f64::from(rank) / 32.0).unwrap(), f64::from(1_u32 << power) / 1e6);
            assert!((exact..exact * 1.0001).contains(&at), "{at} for {exact}");
        }
    }

    #[test]
    fn what_is_late_by_much_is_never_told_as_less() {
        let lateness = of((1..=200).map(|value| value * 1_000_000));
        let at = lateness.at_rank(0.5).unwrap();
        assert!((100.0..100.01).contains(&at), "{at}");
        let days = of([1, 2 * 86_400_000_000]);
        assert_eq!(days.at_rank(1.0), Some(172_800.0));
    }
}
