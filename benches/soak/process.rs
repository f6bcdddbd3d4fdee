//! The program under test and its server as processes: started, looked at through `/proc`, and ended by their ids.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use bench::execution::selftest::{CoreCapacity, SelftestReport};

/// The program, built beside this.
pub const BESIDE: &str = env!("CARGO_BIN_EXE_bench");

/// What a process holds at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Held {
    /// In memory, MB: all of it, and what is its own and not of files.
    pub resident_mb: f64,
    pub own_mb: f64,
    /// The most that was in memory since the last look.
    pub peak_mb: f64,
    pub open_files: f64,
    pub threads: f64,
}

/// Looks at a process; nothing where it has ended.
pub fn look(pid: u32) -> Option<Held> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let number = |name: &str| -> Option<f64> {
        let rest = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        rest.split_whitespace().next()?.parse().ok()
    };
    let held = Held {
        resident_mb: number("VmRSS")? / 1024.0,
        own_mb: number("RssAnon")? / 1024.0,
        peak_mb: number("VmHWM")? / 1024.0,
        open_files: std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count() as f64,
        threads: number("Threads")?,
    };
    // proc_pid_clear_refs(5): the peak begins anew.
    let _ = std::fs::write(format!("/proc/{pid}/clear_refs"), "5");
    Some(held)
}

/// User and system time of a process, in seconds.
pub fn cpu_s(pid: u32) -> f64 {
    // proc_pid_stat(5), as ticks of 1/100 s.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<f64> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().filter_map(|field| field.parse().ok()).collect();
    // Without the state, which is a letter, user time is the 11th.
    fields.get(10).zip(fields.get(11)).map_or(0.0, |(user, system)| (user + system) / 100.0)
}

/// What this client carries, by its own selftest, which is kept at `path`.
pub fn ceilings(program: &Path, path: &Path) -> CoreCapacity {
    let output = Command::new(program).args(["selftest", "-q", "--format", "json", "-o"]).arg(path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: SelftestReport = serde_json::from_slice(&output.stdout).unwrap();
    found.ceilings
}

/// The server on loopback. It ends when its stdin does, or is killed.
pub struct Emitter {
    child: Child,
    pub url: String,
}

impl Emitter {
    pub fn start(program: &Path) -> Self {
        let mut child = Command::new(program).arg("emit").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Self { child, url: url.trim().to_owned() }
    }

    pub fn cpu_s(&self) -> f64 {
        cpu_s(self.child.id())
    }
}

impl Drop for Emitter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
