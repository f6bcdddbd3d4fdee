//! How far another client's clock is from the leader's: by questions and answers with the times at which each was sent and came.
//!
//! The other clock was read somewhere between the question and its answer, so it is known to half of the time between. The shortest of several tells most.

use serde::{Deserialize, Serialize};

use crate::foundation::clock::Micros;

/// What has to be added to the leader's time to have a member's, both since each of them came to the meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockOffset {
    pub offset_us: i64,
    /// Half of the shortest time between a question and its answer: the true offset is no further away.
    pub uncertainty_us: u64,
}

impl ClockOffset {
    /// Of a question sent at a time of the leader's, answered at one of the member's, and back at one of the leader's.
    #[must_use]
    pub fn of(sent: Micros, answered: Micros, came: Micros) -> Self {
        let between = came.since(sent).0;
        let middle = sent.0.saturating_add(between / 2);
        // A microsecond for each reading, which is cut off at the last whole one.
        Self { offset_us: answered.0.cast_signed().saturating_sub(middle.cast_signed()), uncertainty_us: between.div_ceil(2) + 1 }
    }

    /// The more certain of two.
    #[must_use]
    pub fn better(self, other: Self) -> Self {
        if other.uncertainty_us < self.uncertainty_us { other } else { self }
    }

    /// The member's time of a time of the leader's.
    #[must_use]
    pub fn theirs(self, leader: Micros) -> Micros {
        Micros(leader.0.saturating_add_signed(self.offset_us))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_true_offset_is_within_the_uncertainty_however_the_way_there_and_back_differ(
            sent in 0..1_000_000_u64, there in 0..50_000_u64, back in 0..50_000_u64, offset in -1_000_000..1_000_000_i64
        ) {
            let answered = Micros((sent + there + 2_000_000).saturating_add_signed(offset));
            let found = ClockOffset::of(Micros(sent), answered, Micros(sent + there + back));
            prop_assert!(found.offset_us.abs_diff(2_000_000 + offset) <= found.uncertainty_us);
        }
    }

    #[test]
    fn the_shortest_question_tells_most() {
        let (long, short) =
            (ClockOffset::of(Micros(0), Micros(9_000), Micros(8_000)), ClockOffset::of(Micros(100), Micros(5_200), Micros(300)));
        assert_eq!(long.better(short), short);
        assert_eq!(short.better(long), ClockOffset { offset_us: 5_000, uncertainty_us: 101 });
        assert_eq!(short.theirs(Micros(1_000)), Micros(6_000));
    }
}
