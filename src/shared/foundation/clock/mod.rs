//! The run's clock: one wall-clock anchor, and from there only monotonic offsets in microseconds.
//!
//! Everything that waits or stamps goes through [`Clock`], so that a run can also happen in *virtual time*: inside a paused tokio
//! runtime the clock jumps to the next deadline as soon as every task is idle. Tokio's timers tick in milliseconds, which is too coarse
//! for latencies; in virtual time the clock therefore lets **one tick stand for one microsecond** and stays exact. In real time what
//! decides when a request goes waits on a [`PreciseTimer`] or an [`SharedTimer`]; the clock's own waits are for limits and periods.

#[cfg(target_os = "linux")]
mod kernel;
mod shared_timer;
mod time_slice;
mod timer;

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

pub use shared_timer::SharedTimer;
pub use time_slice::CpuTimeSlice;
pub use timer::PreciseTimer;

/// An offset from the run's start, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Micros(pub u64);

impl Micros {
    pub const ZERO: Self = Self(0);

    /// Rounds to the nearest microsecond; negative and non-finite inputs become 0.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturating float to integer is what is meant")]
    pub fn from_secs_f64(seconds: f64) -> Self {
        Self((seconds * 1e6).round() as u64)
    }

    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "2^53 microseconds are 285 years")]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// `self - earlier`, or zero where `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }
}

impl std::ops::Add for Micros {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// How long one tick of the underlying runtime stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ClockMode {
    /// Wall time.
    Real,
    /// A paused runtime: a millisecond of the runtime is a microsecond of the run.
    Virtual,
}

/// The clock of one run. Cheap to copy; all copies agree.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    anchor: Timestamp,
    start: Instant,
    pace: ClockMode,
}

impl Clock {
    /// A clock in wall time that starts now.
    #[must_use]
    pub fn real() -> Self {
        Self { anchor: Timestamp::now(), start: Instant::now(), pace: ClockMode::Real }
    }

    /// A clock in virtual time that starts now. To be used inside a runtime built by [`virtual_runtime`]: elsewhere a second of the run
    /// would take a thousand.
    #[must_use]
    pub fn simulated() -> Self {
        Self { anchor: Timestamp::UNIX_EPOCH, start: Instant::now(), pace: ClockMode::Virtual }
    }

    /// The wall-clock time of offset 0: the Unix epoch in virtual time, so that simulated runs do not differ by their date.
    #[must_use]
    pub fn anchor(&self) -> Timestamp {
        self.anchor
    }

    #[must_use]
    pub fn is_virtual(&self) -> bool {
        self.pace == ClockMode::Virtual
    }

    /// The time since the run's start.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "u64 microseconds last 584,000 years")]
    pub fn now(&self) -> Micros {
        let elapsed = self.start.elapsed();
        Micros(match self.pace {
            ClockMode::Real => elapsed.as_micros() as u64,
            ClockMode::Virtual => elapsed.as_millis() as u64,
        })
    }

    /// How long after another clock of the same pace this one began; zero where it began before.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "u64 microseconds last 584,000 years")]
    pub fn began_after(&self, other: &Self) -> Micros {
        Micros(self.start.saturating_duration_since(other.start).as_micros() as u64)
    }

    /// Waits until the given offset; returns at once where it has passed. In real time up to 2 ms late.
    pub async fn sleep_until(&self, deadline: Micros) {
        tokio::time::sleep_until(self.start + self.runtime_duration(deadline)).await;
    }

    /// Runs `future` until the deadline; `None` where the deadline came first.
    pub async fn before<F: Future>(&self, deadline: Micros, future: F) -> Option<F::Output> {
        tokio::time::timeout_at(self.start + self.runtime_duration(deadline), future).await.ok()
    }

    /// That offset as the runtime counts.
    #[must_use]
    pub fn instant(&self, offset: Micros) -> Instant {
        self.start + self.runtime_duration(offset)
    }

    fn runtime_duration(&self, offset: Micros) -> Duration {
        match self.pace {
            ClockMode::Real => Duration::from_micros(offset.0),
            ClockMode::Virtual => Duration::from_millis(offset.0),
        }
    }
}

/// A single-threaded runtime whose time stands still while anything can run and jumps to the next deadline when nothing can.
///
/// # Errors
/// Where the operating system gives no runtime its resources.
pub fn virtual_runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn virtual_time_is_exact_to_the_microsecond_and_costs_no_waiting() {
        let seen = virtual_runtime().unwrap().block_on(async {
            let clock = Clock::simulated();
            let mut seen = vec![clock.now()];
            for deadline in [1, 1_234, 3_600_000_007] {
                clock.sleep_until(Micros(deadline)).await;
                seen.push(clock.now());
            }
            seen
        });
        assert_eq!(seen, [Micros(0), Micros(1), Micros(1_234), Micros(3_600_000_007)]);
    }

    #[test]
    fn a_deadline_in_virtual_time_interrupts_what_would_never_end() {
        virtual_runtime().unwrap().block_on(async {
            let clock = Clock::simulated();
            assert!(clock.before(Micros(5), std::future::pending::<()>()).await.is_none());
            assert_eq!(clock.now(), Micros(5));
        });
    }
}
