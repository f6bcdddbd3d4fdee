//! How many blocks at the beginning of a trace's prompts an earlier prompt had too, within a bound of memory.
//!
//! In go the hash ids of all requests in order, in as many passes as are asked for; out comes the number. Kept are the ids that were seen, 64 neighbours in
//! a word, and 4 bytes for each request that has ids. Where a pass meets more words than are kept, it finishes the smallest ids, and the next pass goes on
//! with the ids above them. It must not know where the ids come from.

use std::collections::BTreeMap;
use std::ops::Range;

/// Words that are kept at once: less than 400 MB, and enough for 500 million ids that are numbered one after the other.
const MOST_WORDS: usize = 1 << 23;
/// Ids are divided by 64: the quotient says which word, the remainder which bit of it.
const IDS_OF_A_WORD: u64 = 64;

/// Counts shared blocks.
#[derive(Debug)]
pub(super) struct SharedBlockCounter {
    most_words: usize,
    seen: BTreeMap<u64, u64>,
    /// The words that this pass finishes.
    words: Range<u64>,
    /// Of each request with ids: at which place stands the first id that no request before it has, as far as is known.
    first_new: Vec<u32>,
    /// Which of them comes next in this pass.
    next: usize,
}

impl Default for SharedBlockCounter {
    fn default() -> Self {
        Self::of_words(MOST_WORDS)
    }
}

impl SharedBlockCounter {
    fn of_words(most_words: usize) -> Self {
        Self { most_words, seen: BTreeMap::new(), words: 0..u64::MAX, first_new: Vec::new(), next: 0 }
    }

    /// Takes the ids of the next request of this pass.
    pub fn add(&mut self, hash_ids: &[u64]) {
        if hash_ids.is_empty() {
            return;
        }
        let is_first_pass = self.words.start == 0;
        if is_first_pass {
            self.first_new.push(u32::try_from(hash_ids.len()).unwrap_or(u32::MAX));
        }
        for (place, id) in (0..).zip(hash_ids) {
            let (word, bit) = (id / IDS_OF_A_WORD, 1 << (id % IDS_OF_A_WORD));
            if !self.words.contains(&word) {
                continue;
            }
            let seen = self.seen.entry(word).or_default();
            if *seen & bit == 0
                && let Some(first_new) = self.first_new.get_mut(self.next)
            {
                *first_new = place.min(*first_new);
            }
            *seen |= bit;
            if self.seen.len() > self.most_words
                && let Some((last, _)) = self.seen.pop_last()
            {
                self.words.end = last;
            }
        }
        self.next += 1;
    }

    /// Ends a pass. Whether another one is needed, over the same requests.
    pub fn needs_another_pass(&mut self) -> bool {
        let is_done = self.words.end == u64::MAX;
        self.words = self.words.end..u64::MAX;
        self.seen.clear();
        self.next = 0;
        !is_done
    }

    /// The blocks in front of the first new one, of all requests; known after the last pass.
    pub fn shared_blocks(&self) -> u64 {
        self.first_new.iter().copied().map(u64::from).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn counted(requests: &[Vec<u64>], most_words: usize) -> (u64, usize) {
        let mut counter = SharedBlockCounter::of_words(most_words);
        let mut passes = 0;
        loop {
            for ids in requests {
                counter.add(ids);
            }
            passes += 1;
            if !counter.needs_another_pass() {
                return (counter.shared_blocks(), passes);
            }
        }
    }

    #[test]
    fn sharing_ends_at_the_first_block_that_is_new() {
        let requests = [vec![1, 2, 3], vec![], vec![1, 2, 9], vec![8, 2], vec![9, 8, 1]];
        assert_eq!(counted(&requests, 100), (2 + 3, 1));
    }

    #[test]
    fn more_ids_than_are_kept_at_once_take_another_pass_each_time_they_are_full() {
        let requests: Vec<Vec<u64>> = [0, 64, 128, 192, 0, 192].map(|id| vec![id, u64::MAX - id]).into();
        assert_eq!(counted(&requests, 100), (4, 1));
        assert_eq!(counted(&requests, 4), (4, 2), "of eight words");
        assert_eq!(counted(&requests, 3), (4, 3));
    }

    proptest! {
        #[test]
        fn the_number_is_that_of_a_set_of_all_ids_however_few_are_kept(
            requests in proptest::collection::vec(proptest::collection::vec(0_u64..600, 0..6), 0..30),
            most_words in 1_usize..12,
        ) {
            let mut seen = BTreeSet::<u64>::new();
            let mut expected = 0;
            for ids in &requests {
                expected += ids.iter().take_while(|id| seen.contains(*id)).count() as u64;
                seen.extend(ids);
            }
            prop_assert_eq!(counted(&requests, most_words).0, expected);
        }
    }
}
