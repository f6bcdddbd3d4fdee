//! What a client tells of its load, and how it finds out.

use std::time::{Duration, Instant};

use bench::execution::selftest::{TimingDeviation, cpu_time};
use serde::{Deserialize, Serialize};

/// What a load took, from when all its connections stood.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Account {
    pub requests: u64,
    /// Tokens.
    pub events: u64,
    pub failed: u64,
    /// Reads that brought something; 0 where nobody counts them.
    pub reads: u64,
    pub cpu_s: f64,
    pub wall_s: f64,
    /// Memory of the process: before any connection, when all streams had begun, and at the end, in kB.
    pub idle_kb: u64,
    pub begun_kb: u64,
    pub end_kb: u64,
    pub lag: Option<TimingDeviation>,
    pub truth: Option<Truth>,
    /// The most records that waited for being saved, and the run's remarks.
    pub waiting: Option<u64>,
    pub notes: Vec<String>,
    /// Bytes of the journal.
    pub journal: u64,
}

/// Times to first token: ranks over all answers, in milliseconds.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Truth {
    pub n: usize,
    /// From sending to writing, as the server wrote it.
    pub true_p99: f64,
    /// As the client tells it.
    pub told_p99: f64,
    /// As it would be told by the moment of reading.
    pub read_p99: f64,
    /// How far single answers are off, told and by the moment of reading.
    pub off_p99: f64,
    pub read_off_p99: f64,
}

impl Account {
    /// CPU time of an event, in microseconds.
    pub fn per_event(&self) -> f64 {
        self.cpu_s * 1e6 / count(self.events)
    }

    pub fn per_request(&self) -> f64 {
        self.cpu_s * 1e6 / count(self.requests)
    }

    /// How many of the processors it took.
    pub fn cores(&self) -> f64 {
        self.cpu_s / self.wall_s
    }

    pub fn events_a_read(&self) -> f64 {
        if self.reads == 0 { f64::NAN } else { count(self.events) / count(self.reads) }
    }

    pub fn requests_per_s(&self) -> f64 {
        count(self.requests) / self.wall_s
    }

    pub fn events_per_s(&self) -> f64 {
        count(self.events) / self.wall_s
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn count(count: u64) -> f64 {
    count.max(1) as f64
}

/// Runs from when all connections stand to the last answer.
#[derive(Debug)]
pub struct Meter {
    cpu: Duration,
    began: Instant,
}

impl Meter {
    pub fn start() -> Self {
        Self { cpu: cpu_time(), began: Instant::now() }
    }

    pub fn read(&self, account: &mut Account) {
        account.cpu_s = cpu_time().saturating_sub(self.cpu).as_secs_f64();
        account.wall_s = self.began.elapsed().as_secs_f64();
    }
}

/// What this process holds in memory, in kB; 0 where the system does not tell.
pub fn held_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
