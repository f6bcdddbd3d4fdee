//! Whether this process stood still while a run went on: was stopped, suspended with its machine, or left without a processor. In comes
//! the time of three clocks, out come the longest standstill and remarks for people.
//!
//! The run's own clock is monotonic and stands still while the machine is suspended; the time since the machine's start does not; the wall
//! clock may be set by anybody. What a standstill makes of a run is decided by who reads its record.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::foundation::clock::Clock;

/// How often it is looked whether time has passed unnoticed.
const LOOK: Duration = Duration::from_millis(100);
/// A wall clock that is led gently differs by less.
const CLOCKS_AGREE_S: f64 = 1.0;

/// Looks on while a run goes on.
#[derive(Debug)]
pub(super) struct StallDetector {
    begun: ClockReading,
    look: tokio::task::JoinHandle<()>,
    longest: watch::Receiver<Duration>,
}

/// How long nothing happened, and what the clocks say of it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct StallReport {
    /// The longest of them in seconds; `None` in virtual time.
    pub longest_s: Option<f64>,
    pub notes: Vec<String>,
}

/// The clocks at one moment.
#[derive(Debug, Clone, Copy)]
struct ClockReading {
    monotonic: Instant,
    /// Seconds since the machine was started, times of suspension included; `None` where nobody tells.
    since_boot_s: Option<f64>,
    wall: Timestamp,
}

impl StallDetector {
    /// `None` in virtual time, where nothing can stand still.
    pub fn begin(clock: Clock) -> Option<Self> {
        if clock.is_virtual() {
            return None;
        }
        let (tell, longest) = watch::channel(Duration::ZERO);
        let look = tokio::spawn(async move {
            loop {
                let asleep = Instant::now();
                tokio::time::sleep(LOOK).await;
                let missed = asleep.elapsed().saturating_sub(LOOK);
                tell.send_if_modified(|longest| {
                    let is_longer = missed > *longest;
                    *longest = missed.max(*longest);
                    is_longer
                });
            }
        });
        Some(Self { begun: ClockReading::take(), look, longest })
    }

    pub fn end(self) -> StallReport {
        self.look.abort();
        let missed = *self.longest.borrow();
        judge(missed, &ElapsedTimes::between(&self.begun, &ClockReading::take()))
    }
}

impl ClockReading {
    fn take() -> Self {
        // proc_uptime(5): the first number, in seconds with two digits.
        let uptime = std::fs::read_to_string("/proc/uptime").ok();
        let since_boot_s = uptime.and_then(|text| text.split_whitespace().next()?.parse().ok());
        Self { monotonic: Instant::now(), since_boot_s, wall: Timestamp::now() }
    }
}

/// What has passed by each clock.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_field_names, reason = "each says its unit")]
struct ElapsedTimes {
    monotonic_s: f64,
    since_boot_s: Option<f64>,
    wall_s: f64,
}

impl ElapsedTimes {
    fn between(begun: &ClockReading, ended: &ClockReading) -> Self {
        Self {
            monotonic_s: ended.monotonic.duration_since(begun.monotonic).as_secs_f64(),
            since_boot_s: begun.since_boot_s.zip(ended.since_boot_s).map(|(begun, ended)| ended - begun),
            wall_s: ended.wall.duration_since(begun.wall).as_secs_f64(),
        }
    }
}

fn judge(missed: Duration, passed: &ElapsedTimes) -> StallReport {
    let suspended_s = passed.since_boot_s.map_or(0.0, |since_boot_s| since_boot_s - passed.monotonic_s);
    let is_suspended = suspended_s >= CLOCKS_AGREE_S;
    let mut notes = Vec::new();
    if is_suspended {
        notes.push(format!("the machine was suspended for {suspended_s:.0} s while the run went on"));
    }
    let set_by_s = passed.wall_s - passed.since_boot_s.unwrap_or(passed.monotonic_s);
    if set_by_s.abs() >= CLOCKS_AGREE_S {
        let way = if set_by_s > 0.0 { "forward" } else { "back" };
        notes.push(format!(
            "the wall clock was set {way} by {:.0} s while the run went on; times of requests are by another clock and hold",
            set_by_s.abs()
        ));
    }
    let longest_s = missed.as_secs_f64().max(if is_suspended { suspended_s } else { 0.0 });
    StallReport { longest_s: Some((longest_s * 1e3).round() / 1e3), notes }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(missed_ms: u64, monotonic_s: f64, since_boot_s: Option<f64>, wall_s: f64) -> StallReport {
        judge(Duration::from_millis(missed_ms), &ElapsedTimes { monotonic_s, since_boot_s, wall_s })
    }

    #[test]
    fn clocks_that_agree_say_nothing() {
        assert_eq!(judged(3, 60.0, Some(60.01), 59.99), StallReport { longest_s: Some(0.003), notes: Vec::new() });
    }

    #[test]
    fn a_process_that_was_stopped_missed_its_own_time() {
        assert_eq!(judged(4200, 60.0, Some(60.0), 60.0), StallReport { longest_s: Some(4.2), notes: Vec::new() });
    }

    #[test]
    fn a_suspended_machine_is_told_by_the_time_since_its_start() {
        let seen = judged(3, 60.0, Some(3660.0), 3660.0);
        assert_eq!(
            (seen.longest_s, seen.notes),
            (Some(3600.0), vec!["the machine was suspended for 3600 s while the run went on".to_owned()])
        );
    }

    #[test]
    fn a_wall_clock_that_was_set_is_no_standstill() {
        for (wall_s, way) in [(3660.0, "forward by 3600 s"), (-3540.0, "back by 3600 s")] {
            for since_boot_s in [Some(60.0), None] {
                let seen = judged(3, 60.0, since_boot_s, wall_s);
                assert_eq!((seen.longest_s, seen.notes.len()), (Some(0.003), 1));
                assert!(seen.notes[0].contains(way), "{:?}", seen.notes);
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn time_that_passes_unnoticed_is_a_standstill_and_what_was_slept_is_none() {
        let detector = StallDetector::begin(Clock::real()).unwrap();
        for _ in 0..50 {
            tokio::time::sleep(LOOK).await;
        }
        let longest = detector.longest.clone();
        assert!(*longest.borrow() < LOOK, "{:?}", longest.borrow());
        // It has gone to sleep again and is not let in for four seconds.
        tokio::time::advance(Duration::from_secs(4)).await;
        tokio::time::sleep(LOOK).await;
        let longest_s = detector.end().longest_s.unwrap();
        assert!((3.8..=4.0).contains(&longest_s), "{longest_s}");
    }

    #[tokio::test]
    async fn virtual_time_has_no_lookout_and_real_time_has_clocks_that_agree() {
        assert!(StallDetector::begin(Clock::simulated()).is_none());
        let seen = StallDetector::begin(Clock::real()).unwrap().end();
        assert!(seen.notes.is_empty() && seen.longest_s.is_some_and(|longest_s| longest_s < 60.0), "{seen:?}");
    }
}
