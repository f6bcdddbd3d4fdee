//! When bytes reached this machine, on the run's clock: the kernel's stamp where there is one, else the moment of reading.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::foundation::clock::{Clock, Micros};

/// The oldest stamp that is believed. An older one, or one from the future, means that the wall clock was set in between.
const OLDEST: Duration = Duration::from_secs(10);

/// Clocks read within this are read together.
const TOGETHER: Micros = Micros(5);
const TRIES: usize = 8;

/// When the last bytes of a read arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct ArrivalStamp {
    pub(crate) at: Micros,
    /// How much later they were read; `None` where only the moment of reading is known, which `at` then is.
    pub(crate) lag: Option<Micros>,
}

impl ArrivalStamp {
    /// Of a read that has just returned, stamped by the kernel in wall time.
    pub(super) fn of(stamp: Option<Duration>, clock: Clock) -> Self {
        let (read_at, wall) = together(clock);
        Self::between(stamp, read_at, wall)
    }

    /// What is between the wall clock and the stamp is the age of the bytes.
    fn between(stamp: Option<Duration>, read_at: Micros, wall: SystemTime) -> Self {
        let age = stamp.and_then(|stamp| wall.duration_since(UNIX_EPOCH.checked_add(stamp)?).ok());
        let lag = age.filter(|age| *age <= OLDEST).and_then(|age| u64::try_from(age.as_micros()).ok()).map(Micros);
        Self { at: read_at.since(lag.unwrap_or_default()), lag }
    }

    /// The same where nothing can have come before that moment.
    #[must_use]
    pub(crate) fn not_before(self, earliest: Micros) -> Self {
        Self { at: self.at.max(earliest), ..self }
    }
}

/// Both clocks at one moment. Whoever is interrupted between the two looks again: the interruption would count as age.
fn together(clock: Clock) -> (Micros, SystemTime) {
    let mut before = clock.now();
    for _ in 0..TRIES {
        let wall = SystemTime::now();
        let after = clock.now();
        if after.since(before) <= TOGETHER {
            return (after, wall);
        }
        before = after;
    }
    (before, SystemTime::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: Duration = Duration::from_secs(1_700_000_000);

    fn read_after(age: Duration) -> ArrivalStamp {
        ArrivalStamp::between(Some(STAMP), Micros(60_000_000), UNIX_EPOCH + STAMP + age)
    }

    #[test]
    fn bytes_arrived_as_long_before_the_read_as_their_stamp_is_old() {
        let arrival = read_after(Duration::from_micros(48_250));
        assert_eq!(arrival, ArrivalStamp { at: Micros(60_000_000 - 48_250), lag: Some(Micros(48_250)) });
        assert_eq!(read_after(Duration::ZERO), ArrivalStamp { at: Micros(60_000_000), lag: Some(Micros(0)) });
    }

    #[test]
    fn a_stamp_that_cannot_be_is_not_believed_and_the_read_counts() {
        let user = ArrivalStamp { at: Micros(60_000_000), lag: None };
        assert_eq!(read_after(Duration::from_secs(11)), user);
        assert_eq!(ArrivalStamp::between(Some(STAMP), Micros(60_000_000), UNIX_EPOCH + STAMP - Duration::from_micros(1)), user);
        assert_eq!(ArrivalStamp::between(None, Micros(60_000_000), UNIX_EPOCH + STAMP), user);
    }

    #[test]
    fn nothing_arrives_before_it_was_asked_for() {
        assert_eq!(read_after(Duration::from_secs(1)).not_before(Micros(59_500_000)).at, Micros(59_500_000));
    }
}
