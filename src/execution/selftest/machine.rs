//! What the operating system says of this machine and this process.

use std::fs::read_to_string;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// The machine that was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostMachine {
    /// The processor's name; empty where the system does not tell.
    pub processor: String,
    /// Cores that this process may use.
    pub cores: u32,
    /// Kernel and its version.
    pub system: String,
    /// What the kernel reads the time from: `tsc`, `kvm-clock`, `hpet`; empty where it does not tell.
    pub clock_source: String,
}

/// How many files, sockets among them, this process may have open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenFileLimits {
    /// Now; `None` for no limit.
    pub soft: Option<u64>,
    /// What it may be raised to.
    pub hard: Option<u64>,
}

impl HostMachine {
    /// This one.
    #[must_use]
    pub fn here() -> Self {
        let line = |path: &str| read_to_string(path).unwrap_or_default().trim().to_owned();
        let processors = read_to_string("/proc/cpuinfo").unwrap_or_default();
        let named = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
        Self {
            processor: named.map_or_else(String::new, |(_, name)| name.trim().to_owned()),
            cores: std::thread::available_parallelism().map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(u32::MAX)),
            system: format!("{} {}", std::env::consts::OS, line("/proc/sys/kernel/osrelease")).trim().to_owned(),
            clock_source: line("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        }
    }
}

impl OpenFileLimits {
    #[must_use]
    pub fn here() -> Self {
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        Self { soft: current, hard: maximum }
    }
}

/// Raises the limit of open files as far as this process may, and says what holds then.
pub fn raise_open_files() -> OpenFileLimits {
    let limits = getrlimit(Resource::Nofile);
    // Refused, the limit stays what it was, and that is what is told.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limits.maximum, maximum: limits.maximum });
    OpenFileLimits::here()
}

/// User and system time of all threads of this process.
#[must_use]
pub fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_that_is_used_grows_with_work() {
        let before = cpu_time();
        let mut sum = 0u64;
        while cpu_time() < before + Duration::from_millis(2) {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(sum > 0);
    }

    #[test]
    fn the_limit_of_open_files_is_raised_to_what_is_allowed() {
        let raised = raise_open_files();
        assert_eq!(raised.soft, raised.hard);
    }
}
