//! Values in ascending order, and the rank of each: what order statistics and rank correlations are taken from.
//!
//! Times are whole microseconds, and where they crowd (gaps between tokens, the rows of a long run) there are fewer different ones than values: then
//! they are counted, which takes a step a value. Other values are sorted, with their places where their ranks are wanted. All give the same numbers
//! to the last bit. Must not know metrics.

/// Values are counted where their range, in microseconds, has no more places than so many a value, or than this number.
const PLACES_A_VALUE: usize = 2;
const FEW_PLACES: usize = 1 << 16;

/// Of more values than this no place is held: a rank is then looked up by the value.
const MOST_PLACES_HELD: usize = if cfg!(test) { 40 } else { 1 << 23 };

/// Values in ascending order, infinite ones at the end.
#[derive(Debug)]
pub(super) struct ValueOrder {
    pub ascending: Vec<f64>,
    ranks: ValueRanks,
}

/// How the rank of a value is found.
#[derive(Debug)]
enum ValueRanks {
    /// With the microseconds of each value in its place, unless there are too many.
    Counted(MicrosecondCounts, Vec<u32>),
    /// Of each value in its place.
    Known(Vec<f64>),
    Searched,
}

/// How many values there are of each whole number of microseconds.
#[derive(Debug)]
struct MicrosecondCounts {
    least: u32,
    /// Of each number from the least on: how many values are below it; and at last how many are finite.
    below: Vec<u32>,
    infinite: u32,
}

/// The values in ascending order, infinite ones at the end; nothing else is held.
pub(super) fn ascending(mut values: Vec<f64>) -> Vec<f64> {
    if let Some(counts) = MicrosecondCounts::of(values.iter().copied().map(micros_of)) {
        drop(values);
        return counts.ascending();
    }
    values.sort_unstable_by(f64::total_cmp);
    values
}

impl ValueOrder {
    pub fn of(values: &[f64]) -> Self {
        let counted = |counts: MicrosecondCounts| Self { ascending: counts.ascending(), ranks: ValueRanks::Counted(counts, Vec::new()) };
        MicrosecondCounts::of(values.iter().copied().map(micros_of)).map_or_else(|| Self::sorted(values), counted)
    }

    /// The same, where the ranks of all values will be asked for.
    pub fn with_ranks(values: &[f64]) -> Self {
        if values.len() > MOST_PLACES_HELD {
            return Self::of(values);
        }
        let micros: Option<Vec<u32>> = values.iter().copied().map(micros_of).collect();
        micros.map_or_else(|| Self::sorted_with_places(values), Self::of_micros)
    }

    fn of_micros(micros: Vec<u32>) -> Self {
        match MicrosecondCounts::of(micros.iter().copied().map(Some)) {
            Some(counts) => Self { ascending: counts.ascending(), ranks: ValueRanks::Counted(counts, micros) },
            None => Self::sorted_micros(&micros),
        }
    }

    /// Whole numbers are sorted with their places behind them, in one number each.
    #[expect(clippy::cast_possible_truncation, reason = "each half has 32 bits")]
    fn sorted_micros(micros: &[u32]) -> Self {
        let mut places: Vec<u64> = micros.iter().zip(0..).map(|(micros, place)| u64::from(*micros) << 32 | place).collect();
        places.sort_unstable();
        Self::with_known_ranks(places.iter().map(|both| (seconds_of((both >> 32) as u32), *both as u32)))
    }

    fn sorted(values: &[f64]) -> Self {
        let mut ascending = values.to_vec();
        ascending.sort_unstable_by(f64::total_cmp);
        Self { ascending, ranks: ValueRanks::Searched }
    }

    fn sorted_with_places(values: &[f64]) -> Self {
        let mut places: Vec<(f64, u32)> = values.iter().copied().zip(0..).collect();
        places.sort_unstable_by(|left, right| left.0.total_cmp(&right.0));
        Self::with_known_ranks(places.into_iter())
    }

    /// Of values in ascending order, each with its place.
    fn with_known_ranks(places: impl ExactSizeIterator<Item = (f64, u32)>) -> Self {
        let (mut ascending, mut ranks) = (Vec::with_capacity(places.len()), vec![0.0; places.len()]);
        let mut equal: Vec<u32> = Vec::new();
        let mut end_equal = |equal: &mut Vec<u32>, below: usize| {
            let rank = middle_rank(below - equal.len(), equal.len());
            equal.drain(..).for_each(|place| ranks[place as usize] = rank);
        };
        for (value, place) in places {
            if ascending.last().is_some_and(|last: &f64| last.to_bits() != value.to_bits()) {
                end_equal(&mut equal, ascending.len());
            }
            ascending.push(value);
            equal.push(place);
        }
        end_equal(&mut equal, ascending.len());
        Self { ascending, ranks: ValueRanks::Known(ranks) }
    }

    /// Gives back the memory that ranks are looked up in; one that is asked for all the same is looked for among the values.
    pub fn forget_ranks(&mut self) {
        self.ranks = ValueRanks::Searched;
    }

    /// The rank of one of the values among all, from 1, and its place among those that the order was made of; equal ones share theirs.
    pub fn rank_of(&self, place: usize, value: f64) -> f64 {
        let (below, equal) = match &self.ranks {
            ValueRanks::Known(ranks) => return ranks[place],
            ValueRanks::Counted(counts, micros) => counts.places(micros.get(place).copied().or_else(|| micros_of(value))),
            ValueRanks::Searched => self.places(value),
        };
        middle_rank(below, equal)
    }

    /// How many values are smaller, and how many are the same.
    fn places(&self, value: f64) -> (usize, usize) {
        let below = self.ascending.partition_point(|other| other.total_cmp(&value).is_lt());
        (below, self.ascending[below..].partition_point(|other| other.total_cmp(&value).is_le()))
    }
}

/// The middle of the ranks of equal values, of which so many are smaller.
#[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
fn middle_rank(below: usize, equal: usize) -> f64 {
    below as f64 + (equal as f64).midpoint(1.0)
}

impl MicrosecondCounts {
    /// `None` where some value is no such number, or they lie far apart.
    fn of(micros: impl Iterator<Item = Option<u32>> + Clone) -> Option<Self> {
        let (mut least, mut largest, mut count, mut infinite) = (u32::MAX, 0, 0_usize, 0_u32);
        for micros in micros.clone() {
            count += 1;
            match micros? {
                INFINITE => infinite = infinite.checked_add(1)?,
                micros => (least, largest) = (least.min(micros), largest.max(micros)),
            }
        }
        let range = largest.checked_sub(least)? as usize;
        if range >= (PLACES_A_VALUE * count).max(FEW_PLACES) || u32::try_from(count).is_err() {
            return None;
        }
        let mut below = vec![0_u32; range + 2];
        for micros in micros.flatten().filter(|micros| *micros != INFINITE) {
            below[(micros - least) as usize + 1] += 1;
        }
        let mut sum = 0;
        for count in &mut below {
            sum += *count;
            *count = sum;
        }
        Some(Self { least, below, infinite })
    }

    fn ascending(&self) -> Vec<f64> {
        let finite = self.below.last().copied().unwrap_or(0);
        let mut ascending = Vec::with_capacity(finite as usize + self.infinite as usize);
        for (pair, micros) in self.below.windows(2).zip(self.least..) {
            ascending.resize(pair[1] as usize, seconds_of(micros));
        }
        ascending.resize(ascending.len() + self.infinite as usize, f64::INFINITY);
        ascending
    }

    /// Of a value that was counted: how many are smaller, and how many are the same.
    fn places(&self, micros: Option<u32>) -> (usize, usize) {
        match micros {
            Some(micros) if micros != INFINITE => {
                let place = (micros - self.least) as usize;
                (self.below[place] as usize, (self.below[place + 1] - self.below[place]) as usize)
            }
            _ => (self.below.last().map_or(0, |finite| *finite as usize), self.infinite as usize),
        }
    }
}

/// Stands for an infinite time.
const INFINITE: u32 = u32::MAX;

fn seconds_of(micros: u32) -> f64 {
    if micros == INFINITE { f64::INFINITY } else { f64::from(micros) / 1e6 }
}

/// The microseconds that a time in seconds was divided from, where it was.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "compared with what it came from")]
fn micros_of(seconds: f64) -> Option<u32> {
    let micros = (seconds * 1e6 + 0.5) as u32;
    let is_whole = micros < INFINITE && (f64::from(micros) / 1e6).to_bits() == seconds.to_bits();
    if is_whole { Some(micros) } else { (seconds == f64::INFINITY).then_some(INFINITE) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_values() -> impl Strategy<Value = Vec<f64>> {
        let value = prop_oneof![
            (0..300_u32).prop_map(|micros| f64::from(micros) / 1e6),
            (0..90_000_000_u32).prop_map(|micros| f64::from(micros) / 1e6),
            Just(f64::INFINITY),
            Just(0.0)
        ];
        let crowded = (0..300_u32).prop_map(|micros| f64::from(micros) / 1e6);
        let rates = 0.0..1e4_f64;
        prop_oneof![
            prop::collection::vec(value, 0..60),
            prop::collection::vec(crowded, 0..60),
            prop::collection::vec(prop_oneof![rates, Just(f64::INFINITY)], 0..60)
        ]
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_sorting_and_ranks_are_the_middle_of_equal_values(values in any_values()) {
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            for order in [ValueOrder::of(&values), ValueOrder::with_ranks(&values)] {
                prop_assert!(order.ascending.iter().map(|value| value.to_bits()).eq(sorted.iter().map(|value| value.to_bits())));
                for (place, value) in values.iter().enumerate() {
                    let places: Vec<usize> = (0..sorted.len()).filter(|place| sorted[*place].to_bits() == value.to_bits()).collect();
                    #[expect(clippy::cast_precision_loss, reason = "few values")]
                    let middle = (places[0] + places[places.len() - 1]) as f64 / 2.0 + 1.0;
                    prop_assert_eq!(order.rank_of(place, *value).to_bits(), middle.to_bits());
                }
            }
        }
    }

    #[test]
    fn times_that_crowd_are_counted_and_others_sorted() {
        let is_counted = |values: &[f64]| matches!(ValueOrder::with_ranks(values).ranks, ValueRanks::Counted(..));
        assert!(is_counted(&[0.015, 0.016, f64::INFINITY, 0.015]));
        assert!(!is_counted(&[0.015, 0.1 / 3.0]), "no whole microseconds");
        assert!(!is_counted(&[0.015, 90.0]), "far apart");
        assert!(!is_counted(&[-0.0, 0.0]), "the sign of a zero is kept");
    }
}
