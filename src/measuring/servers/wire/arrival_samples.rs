//! How far a socket was seen to be filled, and when, before anybody read it; purely.

use std::collections::VecDeque;
use std::time::Duration;

/// The most that is noted of one answer.
const MOST: usize = 32;

/// Of one answer, in the order of its bytes. Positions count from the answer's first byte.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct ArrivalSamples {
    /// Bytes that have been read.
    taken: u64,
    unread: VecDeque<ArrivalSample>,
}

/// All bytes before this position had come by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ArrivalSample {
    to: u64,
    /// In wall time.
    stamp: Duration,
}

impl ArrivalSamples {
    /// So many bytes lay unread when the last of them came.
    pub(super) fn note(&mut self, unread: usize, stamp: Duration) {
        let to = self.taken + unread as u64;
        let before = self.unread.back().map_or(self.taken, |last| last.to);
        if before < to && self.unread.len() < MOST {
            self.unread.push_back(ArrivalSample { to, stamp });
        }
    }

    /// How many of the next bytes came first, and when the last of them did, where that is known.
    pub(super) fn next(&self) -> Option<(usize, Duration)> {
        let first = self.unread.front()?;
        Some((usize::try_from(first.to - self.taken).ok()?, first.stamp))
    }

    /// How many are known of bytes that have not been read.
    #[cfg(test)]
    pub(super) fn unread(&self) -> usize {
        self.unread.len()
    }

    /// So many bytes were read.
    pub(super) fn take(&mut self, bytes: usize) {
        self.taken += bytes as u64;
        while self.unread.front().is_some_and(|first| first.to <= self.taken) {
            self.unread.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn bytes_that_came_apart_are_read_apart_with_their_own_stamps() {
        let mut sightings = ArrivalSamples::default();
        sightings.note(100, ms(10));
        sightings.note(250, ms(12));
        assert_eq!(sightings.next(), Some((100, ms(10))));
        sightings.take(60);
        assert_eq!(sightings.next(), Some((40, ms(10))));
        sightings.take(40);
        assert_eq!(sightings.next(), Some((150, ms(12))));
        sightings.take(150);
        assert_eq!(sightings.next(), None);
    }

    #[test]
    fn positions_go_on_where_bytes_are_read_between_two_looks() {
        let mut sightings = ArrivalSamples::default();
        sightings.take(70);
        sightings.note(30, ms(5));
        sightings.take(20);
        sightings.note(50, ms(6));
        assert_eq!(sightings.next(), Some((10, ms(5))));
        sightings.take(10);
        assert_eq!(sightings.next(), Some((40, ms(6))));
    }

    #[test]
    fn a_look_that_finds_nothing_new_notes_nothing() {
        let mut sightings = ArrivalSamples::default();
        sightings.note(0, ms(1));
        sightings.note(100, ms(2));
        sightings.note(100, ms(3));
        sightings.take(100);
        assert_eq!(sightings.next(), None);
        (0..100).for_each(|number| sightings.note(number + 1, ms(number as u64)));
        assert_eq!(sightings.unread.len(), MOST);
    }
}
