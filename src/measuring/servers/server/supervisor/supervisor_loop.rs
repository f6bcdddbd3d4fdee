//! What the supervising process does all day: takes orders from stdin, tells on stdout what became of its processes, and ends them all when
//! it is told to, when its stdin ends (then `bench` is gone), or when it is signalled.

use std::io::{self, BufRead, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{WaitOptions, getpid, waitpid};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::interval;

use super::child::SupervisedProcess;
use super::job::ProcessJob;
use super::marker::ProcessMarker;
use super::message::{SupervisorCommand, SupervisorReport, line};
use super::process_table::{LOOK, ProcessEntry, ProcessTable, end};

/// How long the last output of processes that are gone is awaited.
const OUTPUT_WITHIN: Duration = Duration::from_secs(2);
/// How often, at most, orphans that ended are reaped.
const ROUND: Duration = Duration::from_secs(1);

/// Is the supervising process: blocks until all that it started has ended.
///
/// # Errors
/// When the operating system does not let it begin. From then on it does not fail.
pub fn supervise() -> io::Result<()> {
    adopt_orphans();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut office = SupervisorLoop { marker: ProcessMarker::own(), children: Vec::new(), is_hurried: Arc::default() };
    runtime.block_on(office.run())?;
    let survivors = office.close();
    tell(&SupervisorReport::Stopped { survivors });
    Ok(())
}

/// Makes descendants whose parents die our own children: so they are found whatever they did to their environment.
fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    // Without it, the mark in the environment has to do.
    let _ = rustix::process::set_child_subreaper(Some(getpid()));
}

/// Says it to `bench`, if that still listens: when it does not, stdin will have ended, too.
fn tell(report: &SupervisorReport) {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(line(report).as_bytes()).and_then(|()| stdout.flush());
}

struct SupervisorLoop {
    marker: ProcessMarker,
    /// In the order in which they were started.
    children: Vec<SupervisedProcess>,
    /// Nobody is to have any grace.
    is_hurried: Arc<AtomicBool>,
}

impl SupervisorLoop {
    /// Until everything is to end.
    async fn run(&mut self) -> io::Result<()> {
        let mut bells = SupervisorSignals::hang()?;
        let mut orders = read_orders(Arc::clone(&self.is_hurried))?;
        tell(&SupervisorReport::Ready { marker: self.marker.to_string() });
        let mut rounds = interval(ROUND);
        let mut has_rung = false;
        loop {
            let is_awaiting_output = self.children.iter().any(SupervisedProcess::is_to_be_told);
            tokio::select! {
                biased;
                bell = bells.next() => match bell {
                    SupervisorSignal::End => return Ok(()),
                    SupervisorSignal::Child => has_rung = true,
                },
                order = orders.recv() => match order {
                    Some(SupervisorCommand::Start(job)) => self.start(&job),
                    Some(SupervisorCommand::Stop | SupervisorCommand::Kill) | None => return Ok(()),
                },
                // To look at all processes costs the machine time, while it is measured: so only where something ended.
                _ = rounds.tick(), if has_rung => {
                    has_rung = false;
                    self.reap_orphans();
                }
                () = tokio::time::sleep(LOOK), if is_awaiting_output => {}
            }
            for (name, status) in self.children.iter_mut().filter_map(SupervisedProcess::newly_ended) {
                tell(&SupervisorReport::Exited { name, status });
            }
        }
    }

    fn start(&mut self, job: &ProcessJob) {
        let name = job.name.clone();
        match SupervisedProcess::start(job, &self.marker) {
            Ok(child) => {
                tell(&SupervisorReport::Started { name, pid: child.pid() });
                self.children.push(child);
            }
            Err(reason) => tell(&SupervisorReport::Failed { name, reason }),
        }
    }

    /// Takes note of orphans' ends, which nobody else can do; of children's ends only when their groups are gone.
    fn reap_orphans(&self) {
        for pid in ProcessTable::take().zombies_of(own_pid()) {
            if self.children.iter().all(|child| child.pid() != pid) {
                let _ = waitpid(rustix::process::Pid::from_raw(pid), WaitOptions::NOHANG);
            }
        }
    }

    /// Ends everything, the last started first, then what left its process group; says what could not be ended.
    fn close(self) -> Vec<String> {
        for child in self.children.iter().rev() {
            child.end(&self.is_hurried);
        }
        let stragglers = |census: &ProcessTable| {
            // All children are reaped here: their ids are of no more use.
            while let Ok(Some(_)) = waitpid(None, WaitOptions::NOHANG) {}
            let marked = census.marked(|marker| *marker == self.marker);
            census.with_kin(census.children_of(own_pid()).chain(marked))
        };
        let survivors = end(stragglers, Duration::ZERO);
        let begun = Instant::now();
        while !self.children.iter().all(SupervisedProcess::is_written) && begun.elapsed() < OUTPUT_WITHIN {
            std::thread::sleep(LOOK);
        }
        survivors.iter().map(ProcessEntry::shown).collect()
    }
}

fn own_pid() -> i32 {
    getpid().as_raw_nonzero().get()
}

/// What a signal means here.
enum SupervisorSignal {
    /// Everything is to end.
    End,
    /// A process has ended.
    Child,
}

/// The signals that are heard.
struct SupervisorSignals {
    child: Signal,
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    quit: Signal,
}

impl SupervisorSignals {
    /// To be done before anything is started: what is heard here has its usual effect on children, also where it was ignored before, as a
    /// shell does for commands in its background.
    fn hang() -> io::Result<Self> {
        Ok(Self {
            child: signal(SignalKind::child())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            quit: signal(SignalKind::quit())?,
        })
    }

    async fn next(&mut self) -> SupervisorSignal {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => SupervisorSignal::End,
            _ = self.interrupt.recv() => SupervisorSignal::End,
            _ = self.hangup.recv() => SupervisorSignal::End,
            _ = self.quit.recv() => SupervisorSignal::End,
            _ = self.child.recv() => SupervisorSignal::Child,
        }
    }
}

/// The orders on stdin, as they come; they end with stdin, and with what is no order. A thread, since reading a pipe blocks: so it also
/// hears of a hurry while processes are waited for.
fn read_orders(is_hurried: Arc<AtomicBool>) -> io::Result<mpsc::UnboundedReceiver<SupervisorCommand>> {
    let (orders, received) = mpsc::unbounded_channel();
    let read = move || {
        for line in io::stdin().lock().lines() {
            let order = line.ok().and_then(|line| serde_json::from_str(&line).ok());
            let Some(order) = order else { break };
            is_hurried.fetch_or(matches!(order, SupervisorCommand::Kill), Ordering::Relaxed);
            // When everything is being ended, nobody takes orders any more, but there may be a hurry yet.
            let _ = orders.send(order);
        }
    };
    std::thread::Builder::new().name("orders".to_owned()).spawn(read)?;
    Ok(received)
}
