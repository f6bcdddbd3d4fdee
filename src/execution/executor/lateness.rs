//! How late things were, counted and not kept: lateness in, ranks out, in memory that does not grow with how many there were.
//!
//! To the microsecond below 32 ms and to one part in 10,000 above, never told too small (hdrhistogram, four digits); the largest exactly.

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
            // Bounds and digits that the library takes.
            self.seen = Histogram::new_with_bounds(1, MOST, DIGITS).ok();
        }
        if let Some(seen) = &mut self.seen {
            seen.saturating_record(lateness.0);
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
    fn what_is_late_by_much_is_never_told_as_less() {
        let lateness = of((1..=200).map(|value| value * 1_000_000));
        let at = lateness.at_rank(0.5).unwrap();
        assert!((100.0..100.01).contains(&at), "{at}");
        let days = of([1, 2 * 86_400_000_000]);
        assert_eq!(days.at_rank(1.0), Some(172_800.0));
    }
}
