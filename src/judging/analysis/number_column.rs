//! A column of whole numbers, of which some may be missing: any of them as a floating-point number, NaN where it is missing.
//!
//! The numbers of very many rows take as few bytes as they need: the column is cut into blocks of rows, and a block holds its least value and, for
//! each row, how much more it is, in one, two, four or eight bytes. Stamps of requests that end near each other take four, turns and tokens one or
//! two. Of fewer rows they stand as they are, which is faster to read. Must not know what they mean.

/// From so many rows on they are very many.
pub(super) fn many_rows() -> usize {
    #[cfg(test)]
    let rows = tests::MANY_ROWS.get();
    #[cfg(not(test))]
    let rows = 1 << 22;
    rows
}

/// Rows of a block.
const BLOCK: usize = 1 << 16;

/// A column of whole numbers.
#[derive(Debug)]
pub(super) enum NumberColumn {
    Plain(Vec<f64>),
    Packed { blocks: Vec<PackedBlock>, rows: usize },
}

#[derive(Debug)]
pub(super) struct PackedBlock {
    least: i64,
    offsets: PackedOffsets,
}

/// How much more than the block's least value each row has; the largest number of the type stands for a missing value.
#[derive(Debug)]
enum PackedOffsets {
    /// Every row has the least value.
    Same,
    /// Every row lacks one.
    Missing,
    OneByte(Box<[u8]>),
    TwoBytes(Box<[u16]>),
    FourBytes(Box<[u32]>),
    EightBytes(Box<[u64]>),
}

/// Takes a column's numbers, one row after the other.
#[derive(Debug)]
pub(super) enum NumberColumnBuilder {
    Plain(Vec<f64>),
    Packed { blocks: Vec<PackedBlock>, open: Vec<Option<i64>>, rows: usize },
}

impl NumberColumnBuilder {
    /// For about so many rows.
    pub fn for_rows(rows: usize) -> Self {
        if rows >= many_rows() {
            Self::Packed { blocks: Vec::new(), open: Vec::new(), rows: 0 }
        } else {
            Self::Plain(Vec::with_capacity(rows))
        }
    }

    pub fn push(&mut self, value: Option<i64>) {
        match self {
            Self::Plain(values) => values.push(number(value)),
            Self::Packed { blocks, open, rows } => {
                *rows += 1;
                open.push(value);
                if open.len() == BLOCK {
                    blocks.push(PackedBlock::of(open));
                    open.clear();
                }
            }
        }
    }

    pub fn extend(&mut self, more: impl Iterator<Item = Option<i64>>) {
        match self {
            Self::Plain(values) => values.extend(more.map(number)),
            Self::Packed { .. } => more.for_each(|value| self.push(value)),
        }
    }

    pub fn finish(self) -> NumberColumn {
        match self {
            Self::Plain(values) => NumberColumn::Plain(values),
            Self::Packed { mut blocks, open, rows } => {
                if !open.is_empty() {
                    blocks.push(PackedBlock::of(&open));
                }
                NumberColumn::Packed { blocks, rows }
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts and stamps are far below 2^53")]
fn number(value: Option<i64>) -> f64 {
    value.map_or(f64::NAN, |value| value as f64)
}

impl Default for NumberColumn {
    fn default() -> Self {
        Self::Plain(Vec::new())
    }
}

impl PackedBlock {
    fn of(values: &[Option<i64>]) -> Self {
        let known = || values.iter().flatten().copied();
        let (Some(least), Some(largest)) = (known().min(), known().max()) else {
            return Self { least: 0, offsets: PackedOffsets::Missing };
        };
        let span = largest.abs_diff(least);
        let offsets = if span == 0 && values.iter().all(Option::is_some) {
            PackedOffsets::Same
        } else if span < u64::from(u8::MAX) {
            PackedOffsets::OneByte(offsets(values, least, u8::MAX))
        } else if span < u64::from(u16::MAX) {
            PackedOffsets::TwoBytes(offsets(values, least, u16::MAX))
        } else if span < u64::from(u32::MAX) {
            PackedOffsets::FourBytes(offsets(values, least, u32::MAX))
        } else {
            PackedOffsets::EightBytes(offsets(values, least, u64::MAX))
        };
        Self { least, offsets }
    }

    fn plus(&self, offset: u64) -> f64 {
        number(Some(self.least.wrapping_add_unsigned(offset)))
    }

    fn of_row(&self, row: usize) -> f64 {
        let known = |offset: u64, missing: bool| if missing { f64::NAN } else { self.plus(offset) };
        match &self.offsets {
            PackedOffsets::Same => self.plus(0),
            PackedOffsets::Missing => f64::NAN,
            PackedOffsets::OneByte(offsets) => known(offsets[row].into(), offsets[row] == u8::MAX),
            PackedOffsets::TwoBytes(offsets) => known(offsets[row].into(), offsets[row] == u16::MAX),
            PackedOffsets::FourBytes(offsets) => known(offsets[row].into(), offsets[row] == u32::MAX),
            PackedOffsets::EightBytes(offsets) => known(offsets[row], offsets[row] == u64::MAX),
        }
    }
}

/// Each value less the least, which fits, since the largest does.
fn offsets<N: TryFrom<u64> + Copy>(values: &[Option<i64>], least: i64, missing: N) -> Box<[N]> {
    values.iter().map(|value| value.and_then(|value| N::try_from(value.abs_diff(least)).ok()).unwrap_or(missing)).collect()
}

impl NumberColumn {
    /// The number of a row; NaN where it has none.
    ///
    /// # Panics
    /// Where there is no such row.
    #[inline]
    pub fn of(&self, row: usize) -> f64 {
        match self {
            Self::Plain(values) => values[row],
            Self::Packed { blocks, .. } => blocks[row / BLOCK].of_row(row % BLOCK),
        }
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        match self {
            Self::Plain(values) => values.len(),
            Self::Packed { rows, .. } => *rows,
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = f64> + '_ {
        (0..self.rows()).map(|row| self.of(row))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::*;

    thread_local! {
        /// What this thread takes for very many rows.
        pub static MANY_ROWS: Cell<usize> = const { Cell::new(300) };
    }

    fn any_value() -> impl Strategy<Value = Option<i64>> {
        prop_oneof![
            Just(None),
            (0..200_i64).prop_map(Some),
            (0..60_000_i64).prop_map(Some),
            (0..4_000_000_000_i64).prop_map(Some),
            any::<i64>().prop_map(Some)
        ]
    }

    proptest! {
        #[test]
        fn every_number_comes_back_and_a_missing_one_is_nan(
            parts in prop::collection::vec((any_value(), 1..70_000_usize), 1..5), salt in 0..7_i64
        ) {
            let spread = |(value, rows): &(Option<i64>, usize)| {
                let (value, rows) = (*value, i64::try_from(*rows).unwrap());
                (0..rows).map(move |row| value.map(|value| value.saturating_add(row % (1 + salt))))
            };
            let values: Vec<Option<i64>> = parts.iter().flat_map(spread).collect();
            for expected_rows in [0, usize::MAX] {
                let mut builder = NumberColumnBuilder::for_rows(expected_rows);
                builder.extend(values.iter().copied());
                let column = builder.finish();
                prop_assert_eq!(column.rows(), values.len());
                let expected = values.iter().map(|value| number(*value).to_bits());
                prop_assert!(column.iter().map(f64::to_bits).eq(expected));
            }
        }
    }

    #[test]
    fn stamps_that_lie_near_each_other_take_four_bytes_and_turns_one() {
        let blocks = |value: fn(i64) -> i64| {
            let mut builder = NumberColumnBuilder::for_rows(usize::MAX);
            builder.extend((0..70_000).map(|row| Some(value(row))));
            let NumberColumn::Packed { blocks, .. } = builder.finish() else { panic!("as many rows are packed") };
            blocks
        };
        let stamps = blocks(|row| 86_400_000_000 + row * 2_000);
        assert!(stamps.iter().all(|block| matches!(block.offsets, PackedOffsets::FourBytes(_))));
        assert!(blocks(|row| row % 5).iter().all(|block| matches!(block.offsets, PackedOffsets::OneByte(_))));
        assert!(blocks(|_| 8).iter().all(|block| matches!(block.offsets, PackedOffsets::Same)));
    }
}
