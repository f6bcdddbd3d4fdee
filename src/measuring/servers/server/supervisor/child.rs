//! One process that the supervising process has started: in goes a job, out comes how it ended. It leads a process group, by which it is
//! ended with all that it started.
//!
//! A child that ended is not reaped until its whole group is gone: as long as it is a zombie, nobody else can get its id, and so a signal
//! to its group cannot reach a stranger.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, WaitOptions, kill_process_group, test_kill_process_group};

use super::job::ProcessJob;
use super::log::{self, LogRedactor};
use super::marker::{ProcessMarker, VARIABLE};
use super::process_table::{KILLED_WITHIN, LOOK, ProcessTable};
use crate::vocabulary::spec::server::{StopSignal, StopSpec};

/// How long after a process's end its output is awaited, which others may hold open.
const OUTPUT_WITHIN: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(super) struct SupervisedProcess {
    name: String,
    pid: Pid,
    stop: StopSpec,
    /// Copies its output into its log.
    output: JoinHandle<()>,
    ended: Option<ChildExit>,
}

#[derive(Debug)]
struct ChildExit {
    status: String,
    at: Instant,
    is_told: bool,
}

impl SupervisedProcess {
    /// Starts a job's process; the error says in words why not.
    pub(super) fn start(job: &ProcessJob, marker: &ProcessMarker) -> Result<Self, String> {
        let hides = LogRedactor::new(&job.hide);
        start(job, marker, &hides).map_err(|reason| hides.apply(&reason))
    }

    pub(super) fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Its name and how it ended, once, when it ended and what it wrote is in its log.
    pub(super) fn newly_ended(&mut self) -> Option<(String, String)> {
        if self.ended.is_none() {
            self.ended = self.status().map(|status| ChildExit { status, at: Instant::now(), is_told: false });
        }
        let ended = self.ended.as_mut().filter(|ended| !ended.is_told)?;
        let is_written = self.output.is_finished() || ended.at.elapsed() >= OUTPUT_WITHIN;
        is_written.then(|| {
            ended.is_told = true;
            (self.name.clone(), ended.status.clone())
        })
    }

    /// It ended, and its output is awaited.
    pub(super) fn is_to_be_told(&self) -> bool {
        self.ended.as_ref().is_some_and(|ended| !ended.is_told)
    }

    /// How it ended, without reaping it.
    fn status(&self) -> Option<String> {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        rustix::process::waitid(WaitId::Pid(self.pid), look).ok().flatten().map(|status| words(&status))
    }

    /// Ends its group: the job's signal, its grace, a kill. Blocks until all of it is gone, or cannot be ended. The grace ends as soon as
    /// there is a hurry.
    pub(super) fn end(&self, is_hurried: &AtomicBool) {
        let signal = match self.stop.signal {
            StopSignal::Terminate => Signal::TERM,
            StopSignal::Interrupt => Signal::INT,
            StopSignal::Quit => Signal::QUIT,
        };
        for (signal, patience) in [(signal, grace(&self.stop)), (Signal::KILL, KILLED_WITHIN)] {
            if self.is_gone() {
                break;
            }
            // The group is there as long as its leader is not reaped.
            let _ = kill_process_group(self.pid, signal);
            let begun = Instant::now();
            let waits = || signal == Signal::KILL || !is_hurried.load(Ordering::Relaxed);
            while !self.is_gone() && begun.elapsed() < patience && waits() {
                sleep(LOOK);
            }
        }
        let _ = rustix::process::waitpid(Some(self.pid), WaitOptions::NOHANG);
    }

    fn is_gone(&self) -> bool {
        if self.status().is_none() {
            return false;
        }
        let census = ProcessTable::take();
        if census.is_blind() { test_kill_process_group(self.pid).is_err() } else { census.is_group_gone(self.pid()) }
    }

    /// Whether all that it wrote is in its log.
    pub(super) fn is_written(&self) -> bool {
        self.output.is_finished()
    }
}

/// How long a process may take to end, at most a day.
pub(super) fn grace(stop: &StopSpec) -> Duration {
    Duration::try_from_secs_f64(stop.grace.0.min(86_400.0)).unwrap_or_default()
}

fn start(job: &ProcessJob, marker: &ProcessMarker, hides: &LogRedactor) -> Result<SupervisedProcess, String> {
    let [program, arguments @ ..] = job.command.as_slice() else { return Err("its command is empty".to_owned()) };
    // The operating system would say of either only that something was not found.
    if let Some(folder) = job.working_dir.as_deref().filter(|folder| !folder.is_dir()) {
        return Err(format!("its working directory `{}` is no folder; make it, or change `working_dir`", folder.display()));
    }
    let mut command = if job.shell { Command::new("sh") } else { Command::new(program) };
    if job.shell {
        command.arg("-c").arg(job.command.join(" "));
    } else {
        command.args(arguments);
    }
    if let Some(folder) = &job.working_dir {
        command.current_dir(folder);
    }
    command.envs(&job.env).env(VARIABLE, marker.to_string()).stdin(Stdio::null()).process_group(0);
    let log = log::open(&job.log, &job.command.join(" "), hides).map_err(|error| in_log(&job.log, &error))?;
    let (pipe, writer) = io::pipe().map_err(|error| format!("no pipe for its output: {error}"))?;
    // One pipe for both, so that the log has their lines in the order in which they were written.
    command.stdout(writer.try_clone().map_err(|error| format!("no pipe for its output: {error}"))?).stderr(writer);
    let hides = hides.clone();
    let output = std::thread::Builder::new().name("log".to_owned()).spawn(move || log::copy(pipe, log, hides));
    let output = output.map_err(|error| format!("no thread for its output: {error}"))?;
    // Reaped by its id, when its group is gone.
    let child = command.spawn().map_err(|error| not_started(program, job.shell, &error))?;
    // Ids of processes are positive.
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or("its process id is out of range")?;
    Ok(SupervisedProcess { name: job.name.clone(), pid, stop: job.stop.clone(), output, ended: None })
}

fn in_log(path: &Path, error: &io::Error) -> String {
    format!("its log `{}` cannot be written: {error}", path.display())
}

fn not_started(program: &str, shell: bool, error: &io::Error) -> String {
    match error.kind() {
        _ if shell => format!("`sh`: {error}"),
        io::ErrorKind::NotFound => format!("there is no program `{program}`; is it installed, and its folder in `PATH`?"),
        io::ErrorKind::PermissionDenied => format!("`{program}` may not be run: {error}"),
        _ => format!("`{program}`: {error}"),
    }
}

/// How a process ended, in words.
fn words(status: &WaitIdStatus) -> String {
    let dumped = if status.dumped() { ", core dumped" } else { "" };
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => match signal_name(signal) {
            Some(name) => format!("signal {signal} ({name}{dumped})"),
            None => format!("signal {signal}"),
        },
        (None, None) => "ended".to_owned(),
    }
}

/// The names of signals that end processes.
fn signal_name(number: i32) -> Option<&'static str> {
    let named = [
        (Signal::HUP, "SIGHUP"),
        (Signal::INT, "SIGINT"),
        (Signal::QUIT, "SIGQUIT"),
        (Signal::ILL, "SIGILL"),
        (Signal::TRAP, "SIGTRAP"),
        (Signal::ABORT, "SIGABRT"),
        (Signal::BUS, "SIGBUS"),
        (Signal::FPE, "SIGFPE"),
        (Signal::KILL, "SIGKILL"),
        (Signal::USR1, "SIGUSR1"),
        (Signal::SEGV, "SIGSEGV"),
        (Signal::USR2, "SIGUSR2"),
        (Signal::PIPE, "SIGPIPE"),
        (Signal::ALARM, "SIGALRM"),
        (Signal::TERM, "SIGTERM"),
        (Signal::XCPU, "SIGXCPU"),
        (Signal::XFSZ, "SIGXFSZ"),
        (Signal::SYS, "SIGSYS"),
    ];
    named.iter().find(|(signal, _)| signal.as_raw() == number).map(|(_, name)| *name)
}
