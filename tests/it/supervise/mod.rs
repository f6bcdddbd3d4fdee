//! The supervising process, the real one: what it starts, what it writes down, and above all that nothing is left over, however it ends.
//!
//! The servers are small shell scripts. They would end by themselves within twenty minutes, so that a failing test leaves nothing for long.

mod ends;
mod leftovers;
mod logs;
mod starts;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use bench::foundation::units::Seconds;
use bench::servers::server::supervisor::{ProcessJob, SupervisorHandle};
use bench::vocabulary::spec::server::StopSpec;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

const BENCH: &str = env!("CARGO_BIN_EXE_bench");
/// Only what never happens takes so long.
const PATIENCE: Duration = Duration::from_mins(10);

fn supervisor() -> SupervisorHandle {
    SupervisorHandle::spawn(Path::new(BENCH)).unwrap()
}

/// A folder for logs and for what the scripts write.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A script that runs in this folder and logs to `logs/<name>.log`.
    fn job(&self, name: &str, script: &str) -> ProcessJob {
        ProcessJob {
            name: name.to_owned(),
            command: ["sh", "-c", script].map(str::to_owned).to_vec(),
            shell: false,
            env: BTreeMap::new(),
            working_dir: Some(self.0.path().to_owned()),
            log: self.log_path(name),
            stop: StopSpec { grace: Seconds(600.0), ..StopSpec::default() },
            hide: Vec::new(),
        }
    }

    fn log_path(&self, name: &str) -> PathBuf {
        self.path("logs").join(format!("{name}.log"))
    }

    fn log(&self, name: &str) -> String {
        std::fs::read_to_string(self.log_path(name)).unwrap_or_default()
    }

    /// Awaits that a script says `up`: then its traps are set.
    fn await_up(&self, name: &str) {
        eventually(&format!("`{name}` is up"), || self.log(name).lines().any(|line| line == "up"));
    }

    /// Awaits the process id that a script writes into a file of this folder.
    fn pid(&self, file: &str) -> i32 {
        let read = || std::fs::read_to_string(self.path(file)).ok().filter(|text| text.ends_with('\n'));
        eventually(&format!("`{file}` holds a process id"), || read().is_some());
        read().unwrap().trim().parse().unwrap()
    }
}

/// `bench supervise` as another program would start it: with the bare pipes in hand.
struct Bare {
    process: Child,
    orders: Option<ChildStdin>,
    reports: Option<BufReader<ChildStdout>>,
}

impl Bare {
    fn spawn() -> Self {
        let mut command = Command::new(BENCH);
        let mut process = command.arg("supervise").stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0).spawn().unwrap();
        let (orders, reports) = (process.stdin.take(), process.stdout.take().map(BufReader::new));
        let mut bare = Self { process, orders, reports };
        assert_eq!(bare.report()["report"], "ready");
        bare
    }

    fn order(&mut self, job: &ProcessJob) {
        self.orders.as_mut().unwrap().write_all(order(job).as_bytes()).unwrap();
    }

    fn start(&mut self, job: &ProcessJob) -> i32 {
        self.order(job);
        let report = self.report();
        assert_eq!((&report["report"], &report["name"]), (&"started".into(), &job.name.as_str().into()), "{report}");
        report["pid"].as_i64().unwrap().try_into().unwrap()
    }

    fn report(&mut self) -> serde_json::Value {
        let mut line = String::new();
        self.reports.as_mut().unwrap().read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    fn signal(&self, signal: Signal) {
        send(i32::try_from(self.process.id()).unwrap(), signal);
    }

    /// Awaits its end and says whether it ended well.
    fn ends_well(&mut self) -> bool {
        eventually("the supervising process ends", || self.process.try_wait().unwrap().is_some());
        self.process.wait().unwrap().success()
    }
}

/// The line that starts a job.
fn order(job: &ProcessJob) -> String {
    let mut order = serde_json::to_value(job).unwrap();
    order["order"] = "start".into();
    format!("{order}\n")
}

fn send(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

/// There, and no zombie.
fn lives(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

#[track_caller]
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[track_caller]
fn assert_gone(pids: &[i32]) {
    for pid in pids {
        assert!(!lives(*pid), "process {pid} is left over");
    }
}
