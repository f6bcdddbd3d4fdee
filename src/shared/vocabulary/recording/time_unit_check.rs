//! Whether the times of a recording look like another unit than they are taken for: in go how many there are and the first and the last of them.

use crate::foundation::units::TimeUnit;

/// Times that look like another unit.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "the times of its first {rows} requests, `timestamp` {first} to {last}, look like {}: as {} they are {:.3} s in all, as {} {:.3} s; write \
     `{field} = \"{}\"`, or `{field} = \"{}\"` if they are {}", likely.noun(), assumed.noun(), (last - first) * assumed.milliseconds() / 1e3,
     likely.noun(), (last - first) * likely.milliseconds() / 1e3, likely.name(), assumed.name(), assumed.noun()
)]
pub struct TimeUnitMismatch {
    pub(super) rows: usize,
    pub(super) first: f64,
    pub(super) last: f64,
    pub(super) assumed: TimeUnit,
    pub(super) likely: TimeUnit,
    /// The field of a scenario that tells the unit.
    pub(super) field: &'static str,
}

/// Fewer requests say too little of how far apart they are.
const FEWEST_FOR_A_DOUBT: usize = 10;
/// On average closer than this, recorded requests are rather told in seconds than in milliseconds: more than a hundred a second.
const CLOSEST_MS: f64 = 10.0;
/// The same where times have decimals, which milliseconds seldom have.
const CLOSEST_WITH_DECIMALS_MS: f64 = 100.0;
/// On average farther apart than this, they are rather told in a smaller unit: less than one in 100 s.
const FARTHEST_MS: f64 = 100_000.0;

/// The times of a recording as they are written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TimeSpread {
    pub rows: usize,
    pub first: f64,
    pub last: f64,
    pub has_decimals: bool,
}

impl TimeSpread {
    /// Takes one more time.
    pub fn add(&mut self, time: f64) {
        if self.rows == 0 {
            (self.first, self.last) = (time, time);
        }
        self.rows += 1;
        (self.first, self.last) = (self.first.min(time), self.last.max(time));
        self.has_decimals |= time.fract() != 0.0;
    }

    /// Whether times that are taken for that unit look like another one.
    pub fn doubt(&self, assumed: TimeUnit, field: &'static str) -> Option<TimeUnitMismatch> {
        let Self { rows, first, last, has_decimals } = *self;
        #[expect(clippy::cast_precision_loss, reason = "a mean")]
        let gap_ms = (last - first) * assumed.milliseconds() / rows.saturating_sub(1).max(1) as f64;
        let closest = if has_decimals { CLOSEST_WITH_DECIMALS_MS } else { CLOSEST_MS };
        let likely = match assumed {
            TimeUnit::Us | TimeUnit::Ms if gap_ms > 0.0 && gap_ms < closest => TimeUnit::S,
            TimeUnit::Ms if gap_ms > FARTHEST_MS => TimeUnit::Us,
            TimeUnit::S if gap_ms > FARTHEST_MS => TimeUnit::Ms,
            TimeUnit::Us | TimeUnit::Ms | TimeUnit::S => return None,
        };
        (rows >= FEWEST_FOR_A_DOUBT).then_some(TimeUnitMismatch { rows, first, last, assumed, likely, field })
    }
}
