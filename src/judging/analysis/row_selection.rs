//! Which rows of a cell's columns a table is of: a range, or the rows of a range whose bit is set. Must not know what rows hold.

use std::ops::Range;

use polars_arrow::bitmap::{Bitmap, BitmapBuilder};

/// Rows, ascending.
#[derive(Debug, Clone)]
pub(super) struct RowSelection {
    within: Range<usize>,
    /// A bit for each row of the range; all of them where there is none.
    picked: Option<Bitmap>,
}

impl RowSelection {
    /// All rows that are set; the first bit is that of row 0.
    pub fn of_bits(picked: Bitmap) -> Self {
        Self { within: 0..picked.len(), picked: Some(picked).filter(|picked| picked.unset_bits() > 0) }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.picked.as_ref().map_or(self.within.len(), Bitmap::set_bits)
    }

    pub fn iter(&self) -> impl Iterator<Item = usize> + Clone + '_ {
        let all = if self.picked.is_none() { self.within.clone() } else { 0..0 };
        let some = self.picked.as_ref().map(Bitmap::true_idx_iter).into_iter().flatten();
        all.chain(some.map(|place| self.within.start + place))
    }

    /// Those that are wanted; `None` where these are all.
    pub fn keeping(&self, wanted: impl Fn(usize) -> bool) -> Option<Self> {
        let mut picked = BitmapBuilder::with_capacity(self.within.len());
        let mut kept = 0;
        for row in self.iter() {
            let is_wanted = wanted(row);
            picked.extend_constant(row - self.within.start - picked.len(), false);
            picked.push(is_wanted);
            kept += usize::from(is_wanted);
        }
        picked.extend_constant(self.within.len() - picked.len(), false);
        (kept < self.len()).then(|| Self { within: self.within.clone(), picked: Some(picked.freeze()) })
    }

    /// Those that lie in a range.
    pub fn inside(&self, range: &Range<usize>) -> Self {
        let start = range.start.clamp(self.within.start, self.within.end);
        let within = start..range.end.clamp(start, self.within.end);
        let picked = self.picked.clone().map(|picked| picked.sliced(start - self.within.start, within.len()));
        Self { within, picked }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rows_are_those_that_are_set_wanted_and_inside(bits in prop::collection::vec(any::<bool>(), 0..200), part in 0..200_usize, of in 1..5_usize) {
            let all: Vec<usize> = (0..bits.len()).filter(|row| bits[*row]).collect();
            let rows = RowSelection::of_bits(bits.iter().copied().collect());
            prop_assert_eq!((rows.iter().collect::<Vec<_>>(), rows.len()), (all.clone(), all.len()));
            let wanted = |row: usize| row.is_multiple_of(of);
            let expected: Vec<usize> = all.iter().copied().filter(|row| wanted(*row)).collect();
            let kept = rows.keeping(wanted);
            prop_assert_eq!(kept.is_none(), expected.len() == all.len());
            let kept = kept.unwrap_or(rows);
            prop_assert_eq!(kept.iter().collect::<Vec<_>>(), expected.clone());
            for range in [0..part, part..part + 50, part / 2..usize::MAX] {
                let inside: Vec<usize> = expected.iter().copied().filter(|row| range.contains(row)).collect();
                let some = kept.inside(&range);
                prop_assert_eq!((some.iter().collect::<Vec<_>>(), some.len()), (inside.clone(), inside.len()));
                let whole = RowSelection::of_bits(bits.iter().map(|_| true).collect()).inside(&range);
                prop_assert!(whole.iter().eq((0..bits.len()).filter(|row| range.contains(row))));
            }
        }
    }
}
