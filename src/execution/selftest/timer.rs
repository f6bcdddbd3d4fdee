//! How late the client wakes when it waits for a moment, on an idle machine.

use super::report::TimingDeviation;
use crate::foundation::clock::{Clock, Micros, PreciseTimer};

/// Waits; of 0.5 to 1.5 ms each, so that they fall on no tick.
const WAITS: u64 = 2_000;

pub(super) async fn timer() -> TimingDeviation {
    let clock = Clock::real();
    let mut late = Vec::new();
    let (mut timer, mut due) = (PreciseTimer::new(clock), clock.now());
    for wait in 0..WAITS {
        due = due.max(clock.now()) + Micros(500 + wait * 617 % 1_000);
        timer.sleep_until(due).await;
        late.push(clock.now().0.cast_signed() - due.0.cast_signed());
    }
    TimingDeviation::of(&mut late)
}
