//! Work beside threads that measure: now and then it lets them have the processor, so that a batch does not delay what is due.

use std::time::{Duration, Instant};

/// How long work goes on where a thread that measures may be waiting. To give way costs a microsecond or two where one is, so that after each
/// record it would be most of what a record costs.
const AT_MOST: Duration = Duration::from_micros(50);

/// A stretch of work, in wall time.
#[derive(Debug)]
pub struct CpuTimeSlice(Instant);

impl CpuTimeSlice {
    /// Of work that begins now.
    #[must_use]
    pub fn begin() -> Self {
        Self(Instant::now())
    }

    /// A piece of the work is done: where it was the last of a stretch, other threads go first.
    pub fn give_way(&mut self) {
        if self.0.elapsed() >= AT_MOST {
            std::thread::yield_now();
            *self = Self::begin();
        }
    }
}
