//! The side of `bench`: starts the supervising process, gives it orders, hears what becomes of the processes. When the supervising process
//! is itself killed, what it had started is ended from here.
//!
//! A thread listens, so that nothing here is bound to the runtime it was made in: a server outlives the cells that it serves.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::child::grace;
use super::error::SupervisorError;
use super::job::{ProcessExit, ProcessJob};
use super::leftover::GRACE;
use super::marker::ProcessMarker;
use super::message::{SupervisorCommand, SupervisorReport, line};
use super::process_table::{KILLED_WITHIN, ProcessEntry, ProcessTable, end};

/// How long the supervising process may take to answer that a process was started, or to be gone beyond what its processes take.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);
/// This program, also when its file was replaced meanwhile.
const OWN_PROGRAM: &str = "/proc/self/exe";

/// A supervising process, and with it one life of a server. Dropped without [`SupervisorHandle::stop`], it ends everything by itself.
#[derive(Debug)]
pub struct SupervisorHandle {
    id: u32,
    /// Its stdin: closed, everything ends.
    orders: Option<ChildStdin>,
    news: mpsc::UnboundedReceiver<SupervisorEvent>,
    listener: Option<JoinHandle<()>>,
    /// What ended by itself and was not asked for yet.
    exited: VecDeque<ProcessExit>,
    /// How long the processes may take to end, and to be killed, taken together.
    patience: Duration,
}

#[derive(Debug)]
enum SupervisorEvent {
    Report(SupervisorReport),
    /// The supervising process is gone, and what it left was ended but for these.
    Gone {
        survivors: Vec<String>,
    },
}

impl SupervisorHandle {
    /// The program to give to [`SupervisorHandle::spawn`]: this one.
    ///
    /// # Errors
    /// When the operating system does not tell.
    pub fn own_program() -> io::Result<PathBuf> {
        let link = Path::new(OWN_PROGRAM);
        if link.exists() { Ok(link.to_owned()) } else { std::env::current_exe() }
    }

    /// Starts `program supervise` in a process group of its own.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(program: &Path) -> Result<Self, SupervisorError> {
        let mut command = Command::new(program);
        command.arg("supervise").stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        if program == Path::new(OWN_PROGRAM) {
            command.arg0("bench");
        }
        let fault = |source| SupervisorError::Spawn { program: program.to_owned(), source };
        let mut child = command.spawn().map_err(fault)?;
        let (id, orders, reports) = (child.id(), child.stdin.take(), child.stdout.take());
        let (tell, news) = mpsc::unbounded_channel();
        let listen = move || {
            let survivors = listen(reports, &tell, || child.wait());
            // Nobody listens any more where the supervisor was dropped.
            let _ = tell.send(SupervisorEvent::Gone { survivors });
        };
        let listener = std::thread::Builder::new().name("supervisor".to_owned()).spawn(listen).map_err(fault)?;
        Ok(Self { id, orders, news, listener: Some(listener), exited: VecDeque::new(), patience: Duration::ZERO })
    }

    /// The process id of the supervising process.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Starts a process, and gives back its id, which is also that of its process group. To be awaited to its end.
    ///
    /// # Errors
    /// When it cannot be started (with the reason in words), or when the supervising process is gone.
    pub async fn start(&mut self, job: ProcessJob) -> Result<u32, SupervisorError> {
        let asked = job.name.clone();
        self.patience += grace(&job.stop) + KILLED_WITHIN;
        self.order(&SupervisorCommand::Start(Box::new(job)));
        let answer = async {
            loop {
                match self.news.recv().await {
                    Some(SupervisorEvent::Report(SupervisorReport::Started { name, pid })) if name == asked => {
                        return Ok(pid.unsigned_abs());
                    }
                    Some(SupervisorEvent::Report(SupervisorReport::Failed { name, reason })) if name == asked => {
                        return Err(SupervisorError::Start { name, reason });
                    }
                    Some(SupervisorEvent::Report(SupervisorReport::Exited { name, status })) => {
                        self.exited.push_back(ProcessExit { name, status });
                    }
                    Some(SupervisorEvent::Report(_)) => {}
                    Some(SupervisorEvent::Gone { .. }) | None => return Err(SupervisorError::Gone),
                }
            }
        };
        let silent = SupervisorError::Silent { seconds: ANSWERS_WITHIN.as_secs() };
        timeout(ANSWERS_WITHIN, answer).await.unwrap_or(Err(silent))
    }

    /// The next process that ended by itself, its last output being in its log. May be given up and asked again. After the supervising
    /// process itself is gone, it says so each time.
    pub async fn exited(&mut self) -> ProcessExit {
        if let Some(exited) = self.exited.pop_front() {
            return exited;
        }
        loop {
            match self.news.recv().await {
                Some(SupervisorEvent::Report(SupervisorReport::Exited { name, status })) => return ProcessExit { name, status },
                Some(SupervisorEvent::Report(_)) => {}
                Some(SupervisorEvent::Gone { .. }) | None => {
                    let status = "the supervising process is gone".to_owned();
                    return ProcessExit { name: ProcessExit::SUPERVISOR.to_owned(), status };
                }
            }
        }
    }

    /// Ends all processes, the last started first: each one's signal, grace and kill. Given up half-way, they end all the same.
    ///
    /// # Errors
    /// When something could not be ended even so.
    pub async fn stop(self) -> Result<(), SupervisorError> {
        self.stop_or_kill(&CancellationToken::new()).await
    }

    /// The same, but once `hurry` is cancelled, what still has grace is killed.
    ///
    /// # Errors
    /// When something could not be ended even so.
    pub async fn stop_or_kill(mut self, hurry: &CancellationToken) -> Result<(), SupervisorError> {
        self.order(&SupervisorCommand::Stop);
        let patience = self.patience + ANSWERS_WITHIN;
        let asked = tokio::select! {
            biased;
            ended = timeout(patience, self.gone()) => Some(ended),
            () = hurry.cancelled() => None,
        };
        let ended = if let Some(ended) = asked {
            ended
        } else {
            self.order(&SupervisorCommand::Kill);
            timeout(patience, self.gone()).await
        };
        self.orders = None;
        if let Ok(ended) = ended {
            return ended;
        }
        // It hangs, which it never should. Once it is dead, the listener ends what it left.
        if let Some(pid) = i32::try_from(self.id).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::KILL);
        }
        timeout(GRACE + 2 * KILLED_WITHIN, self.gone()).await.unwrap_or(Err(SupervisorError::Silent { seconds: patience.as_secs() }))
    }

    /// Until the supervising process is gone.
    async fn gone(&mut self) -> Result<(), SupervisorError> {
        let mut processes = Vec::new();
        while let Some(news) = self.news.recv().await {
            if let SupervisorEvent::Report(SupervisorReport::Stopped { survivors }) | SupervisorEvent::Gone { survivors } = news {
                processes.extend(survivors);
            }
        }
        // Its last word was said: it has ended or is about to.
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
        if processes.is_empty() { Ok(()) } else { Err(SupervisorError::Survivors { processes }) }
    }

    /// Blocks only where the pipe is full, which orders never make it. That nobody reads it is heard from the listener.
    fn order(&mut self, order: &SupervisorCommand) {
        if let Some(orders) = &mut self.orders {
            let _ = orders.write_all(line(order).as_bytes()).and_then(|()| orders.flush());
        }
    }
}

/// Passes on what the supervising process says until it is dead; then ends what it left, if it did not end everything itself.
fn listen<T>(reports: Option<ChildStdout>, tell: &mpsc::UnboundedSender<SupervisorEvent>, wait: impl FnOnce() -> T) -> Vec<String> {
    let mut orphans = OrphanedProcesses::default();
    let mut has_stopped = false;
    for line in reports.into_iter().flat_map(|reports| BufReader::new(reports).lines()).map_while(Result::ok) {
        let Ok(report) = serde_json::from_str(&line) else { continue };
        match &report {
            SupervisorReport::Ready { marker } => orphans.marker = marker.parse().ok(),
            SupervisorReport::Started { pid, .. } => orphans.add(*pid),
            SupervisorReport::Stopped { .. } => has_stopped = true,
            SupervisorReport::Failed { .. } | SupervisorReport::Exited { .. } => {}
        }
        let _ = tell.send(SupervisorEvent::Report(report));
    }
    wait();
    if has_stopped { Vec::new() } else { orphans.end().iter().map(ProcessEntry::shown).collect() }
}

/// What a supervising process leaves when it dies.
#[derive(Default)]
struct OrphanedProcesses {
    marker: Option<ProcessMarker>,
    /// The processes that it started, as they were then.
    started: Vec<ProcessEntry>,
    /// Those of them of which nothing more than their ids can be known here.
    unseen: Vec<Pid>,
}

impl OrphanedProcesses {
    fn add(&mut self, pid: i32) {
        match ProcessEntry::read(pid) {
            Some(process) => self.started.push(process),
            None if ProcessTable::take().is_blind() => self.unseen.extend(Pid::from_raw(pid)),
            None => {}
        }
    }

    /// Ends the processes and their kin; says what could not be ended.
    fn end(&self) -> Vec<ProcessEntry> {
        for group in &self.unseen {
            let _ = kill_process_group(*group, Signal::KILL);
        }
        let find = |census: &ProcessTable| {
            let started = self.started.iter().filter(|process| process.lives()).map(|process| process.pid);
            let marked = census.marked(|marker| Some(marker) == self.marker.as_ref());
            census.with_kin(started.chain(marked))
        };
        end(find, GRACE)
    }
}
