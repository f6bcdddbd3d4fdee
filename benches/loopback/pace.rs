//! When a stream asks for its answers: at exact moments, which the same timer tells to every client. Tokio's own timer would have streams that
//! are due within a millisecond wake a client together, which takes less of it than single ones.

use bench::foundation::clock::{Clock, Micros, SharedTimer};

use crate::task::Load;

/// Wakes the streams of a load.
#[derive(Debug, Clone)]
pub struct Pace {
    load: Load,
    clock: Clock,
    alarm: SharedTimer,
}

/// The moments of one stream.
#[derive(Debug)]
pub struct Moments {
    pace: Pace,
    start: Micros,
}

impl Pace {
    /// To be made on the runtime of the streams.
    pub fn start(load: Load) -> Self {
        let clock = Clock::real();
        Self { load, clock, alarm: SharedTimer::start(clock) }
    }

    /// Of that stream, from now on.
    pub fn moments(self, stream: u32) -> Moments {
        let after = self.load.spread_us() * u64::from(stream) / u64::from(self.load.streams);
        Moments { start: self.clock.now() + Micros(after), pace: self }
    }
}

impl Moments {
    /// Waits until that answer is to be asked for; not at all where the load has no pace.
    pub async fn until(&self, answer: u32) {
        if self.pace.load.spread_us() > 0 {
            self.pace.alarm.sleep_until(self.start + Micros(self.pace.load.every_us * u64::from(answer))).await;
        }
    }
}
