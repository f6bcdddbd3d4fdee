//! What a selftest found, and what it is good for.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::machine::{HostMachine, OpenFileLimits};

/// A sweep should stay below this share of a ceiling: beyond it queues grow in the client itself.
pub const GOOD_SHARE: f64 = 0.7;

/// How far times are from the truth. Ranks are nearest ranks: values that were seen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TimingDeviation {
    pub n: u64,
    pub p50_s: f64,
    pub p99_s: f64,
    pub max_s: f64,
}

/// How many a core carries: the inverse of the CPU time that one takes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CoreCapacity {
    /// Streamed events, each read by itself.
    pub events_per_s: f64,
    /// Requests of a single event each, that event included.
    pub requests_per_s: f64,
}

/// What this client can measure on a machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SelftestReport {
    pub at: Timestamp,
    /// The version of this program.
    pub version: String,
    /// Whether it was built with optimisation.
    pub optimised: bool,
    pub machine: HostMachine,
    /// With the limit raised as far as it may be.
    pub open_files: OpenFileLimits,
    /// Lateness of waits.
    pub timer: TimingDeviation,
    /// An event's time against the moment it was written at, the client idle.
    pub stamps_idle: TimingDeviation,
    /// The same with the client's thread held for 5 of every 7 ms.
    pub stamps_busy: TimingDeviation,
    /// How much later than they arrived tokens were read then: what the stamps spare; `n` is 0 where the kernel does not tell.
    pub read_late_busy: TimingDeviation,
    /// Requests a second of the open loop that was tried, and how late they were sent.
    pub send_rate: f64,
    pub send_lag: TimingDeviation,
    pub ceilings: CoreCapacity,
    /// Requests of all parts that failed.
    pub failures: u64,
}

impl TimingDeviation {
    /// Of values in microseconds. None at all are no error of 0 but infinite ones.
    #[must_use]
    pub fn of(us: &mut [i64]) -> Self {
        us.sort_unstable();
        let n = us.len();
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank within the slice")]
        let at = |q: f64| us.get(((q * n as f64).ceil() as usize).max(1) - 1).map_or(f64::INFINITY, |us| *us as f64 / 1e6);
        Self { n: n as u64, p50_s: at(0.5), p99_s: at(0.99), max_s: at(1.0) }
    }
}

impl SelftestReport {
    /// What may be asked of a core, and how exact times are then: `good for 40,000 tokens/s or 2,000 requests/s a core; ...`.
    #[must_use]
    pub fn verdict(&self) -> String {
        let good = |ceiling: f64| thousands(two_digits(GOOD_SHARE * ceiling));
        format!(
            "good for {} tokens/s or {} requests/s on each core, with token times within {} and requests sent within {} (p99)",
            good(self.ceilings.events_per_s),
            good(self.ceilings.requests_per_s),
            millis(self.stamps_busy.p99_s),
            millis(self.send_lag.p99_s),
        )
    }

    /// The figures, a line each.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let HostMachine { processor, cores, system, clock_source } = &self.machine;
        let error = |name: &str, error: &TimingDeviation| {
            let TimingDeviation { n, p50_s, p99_s, max_s } = *error;
            format!("{name:<34} p50 {:>9}  p99 {:>9}  max {:>9}  n {n}", millis(p50_s), millis(p99_s), millis(max_s))
        };
        let limit = |limit: Option<u64>| limit.map_or_else(|| "no limit".to_owned(), |files| files.to_string());
        let cost = |per_s: f64| format!("{:.1} µs", 1e6 / per_s);
        vec![
            format!("machine      {processor}, {cores} cores, {system}, clock {clock_source}"),
            format!("open files   {} (may be raised to {})", limit(self.open_files.soft), limit(self.open_files.hard)),
            String::new(),
            error("a wait is over too late by", &self.timer),
            error(&format!("a request is sent too late by ({}/s)", self.send_rate), &self.send_lag),
            error("a token's time is off by, idle", &self.stamps_idle),
            error("a token's time is off by, busy", &self.stamps_busy),
            match self.read_late_busy.n {
                0 => "the kernel does not tell when tokens arrive: their times are those of reading".to_owned(),
                _ => error("  it is read too late by, busy", &self.read_late_busy),
            },
            String::new(),
            format!(
                "a core carries {:>9} tokens/s   {} of CPU each",
                thousands(two_digits(self.ceilings.events_per_s)),
                cost(self.ceilings.events_per_s)
            ),
            format!(
                "            or {:>9} requests/s {} of CPU each, with one token",
                thousands(two_digits(self.ceilings.requests_per_s)),
                cost(self.ceilings.requests_per_s)
            ),
        ]
    }
}

/// `0.12 ms`.
fn millis(seconds: f64) -> String {
    format!("{:.2} ms", 1e3 * seconds)
}

/// Rounded down to two digits: a promise, and no more exact than it was measured.
fn two_digits(value: f64) -> f64 {
    if !(value.is_finite() && value >= 1.0) {
        return 0.0;
    }
    let unit = 10f64.powf(value.log10().floor() - 1.0).max(1.0);
    (value / unit).floor() * unit
}

/// `40,000`.
fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap_or_default()).collect();
    groups.join(",")
}

#[cfg(test)]
pub(super) fn fixture() -> SelftestReport {
    let error = |p99_s: f64| TimingDeviation { n: 1000, p50_s: p99_s / 2.0, p99_s, max_s: 2.0 * p99_s };
    let machine = HostMachine { processor: "a processor".into(), cores: 64, system: "linux 6.8".into(), clock_source: "tsc".into() };
    SelftestReport {
        at: Timestamp::UNIX_EPOCH,
        version: "0.1.0".into(),
        optimised: true,
        machine,
        open_files: OpenFileLimits { soft: Some(1024), hard: None },
        timer: error(0.0001),
        stamps_idle: error(0.00002),
        stamps_busy: error(0.00003),
        read_late_busy: error(0.005),
        send_rate: 1000.0,
        send_lag: error(0.00015),
        ceilings: CoreCapacity { events_per_s: 77_500.0, requests_per_s: 21_400.0 },
        failures: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_stays_below_the_ceilings() {
        assert_eq!(
            fixture().verdict(),
            "good for 54,000 tokens/s or 14,000 requests/s on each core, with token times within 0.03 ms and requests sent within 0.15 ms (p99)"
        );
    }

    #[test]
    fn errors_are_values_that_were_seen_and_nothing_seen_is_no_small_error() {
        let mut late: Vec<i64> = (1..=200).rev().collect();
        assert_eq!(TimingDeviation::of(&mut late), TimingDeviation { n: 200, p50_s: 1e-4, p99_s: 1.98e-4, max_s: 2e-4 });
        assert!(TimingDeviation::of(&mut []).p50_s.is_infinite());
    }

    #[test]
    fn every_line_fits_a_narrow_terminal() {
        for line in fixture().lines() {
            assert!(line.chars().count() <= 90, "{line}");
        }
    }
}
