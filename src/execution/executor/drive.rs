//! The one load loop: starts the lanes, arrivals and users of a schedule, and hands on what they report until all have ended.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::backpressure::Backpressure;
use super::early_stop::EarlyStop;
use super::errors::ErrorLimit;
use super::first_answer_barrier::FirstAnswerWaiter;
use super::open::OpenLoop;
use super::prefill::prefill;
use super::run_totals::RunTotals;
use super::runtimes::RuntimeHandles;
use super::sequential_loop::{FirstTokenLink, LoadContext, LoadError, RequestResult, RunWindow, SequentialLoop, StartDependencies};
use super::session_loop::SessionLoop;
use super::user_pool_loop::UserPoolLoop;
use crate::execution::event::SweepEvent;
use crate::foundation::clock::{CpuTimeSlice, Micros};
use crate::planning::plan::EnvironmentRedactor;
use crate::records::record::RequestPhase;
use crate::workloads::arrival::{RequestSchedule, SerialRequests, StartTrigger};

/// How many connections stand before an open loop begins; a closed one has one for each lane.
const OPEN_LOOP_CONNECTIONS: usize = 64;

/// How many requests the sink takes together.
const AT_ONCE: usize = 1024;

/// What becomes of a request that is over: it is counted, passed on without what the environment says, and shown to whoever may end the
/// run by it.
pub(super) struct ResultSink<'a, 'r> {
    pub events: &'a mpsc::UnboundedSender<SweepEvent>,
    pub tally: &'a mut RunTotals,
    pub mask: EnvironmentRedactor,
    pub early_stop: EarlyStop<'r>,
    pub errors: ErrorLimit,
    pub pace: Backpressure,
}

/// Lays in the histories of users met in mid-life, then runs all lanes to their ends. Every request is told as an event and counted.
pub(super) async fn drive(
    load: LoadContext,
    schedule: RequestSchedule,
    mut done: mpsc::UnboundedReceiver<RequestResult>,
    sink: &mut ResultSink<'_, '_>,
) -> Result<(), LoadError> {
    if !schedule.mid_life.is_empty() {
        sink.enter(RequestPhase::Prefill, load.clock.now());
        prefill(&load, &schedule.mid_life).await?;
        while let Ok(request) = done.try_recv() {
            sink.take(request);
        }
    }
    let clock = load.clock;
    let window = RunWindow::of(&schedule);
    let load = Arc::new(load);
    let at_once = schedule.lanes.len()
        + schedule.arrivals.as_ref().map_or(0, |arrivals| OPEN_LOOP_CONNECTIONS.min(arrivals.places as usize))
        + schedule.user_pool.as_ref().map_or(0, |pool| pool.starts().len())
        + schedule.sessions.as_ref().map_or(0, |sessions| OPEN_LOOP_CONNECTIONS.min(sessions.places as usize));
    let runners = prepare(&load, schedule.lanes).await?;
    let open_loop = match schedule.arrivals {
        Some(arrivals) => Some(OpenLoop::prepare(Arc::clone(&load), arrivals).await?),
        None => None,
    };
    let pool_loop = match schedule.user_pool {
        Some(pool) => Some(UserPoolLoop::prepare(Arc::clone(&load), pool).await?),
        None => None,
    };
    let session_loop = match schedule.sessions {
        Some(sessions) => Some(SessionLoop::prepare(Arc::clone(&load), sessions).await?),
        None => None,
    };
    tokio::select! {
        biased;
        () = load.stop.draining() => {}
        ahead = load.target.connect_ahead(at_once) => sink.tally.carried.opened_ahead(ahead),
    }
    let threads = load.threads.clone();
    // What the lanes hold of it is what keeps the channel open.
    drop(load);
    let start = window.starting(clock.now());
    let mut running = JoinSet::new();
    if let Some(open_loop) = open_loop {
        running.spawn(open_loop.run(start));
    }
    if let Some(pool_loop) = pool_loop {
        running.spawn(pool_loop.run(start));
    }
    if let Some(session_loop) = session_loop {
        running.spawn(session_loop.run(start));
    }
    for (runner, neighbours) in runners {
        running.spawn(runner.run(start, neighbours));
    }
    await_all(running, &mut done, sink, &threads).await
}

/// Hands on what the lanes report. The channel closes when the last lane, and with it the last sender, is gone.
async fn await_all(
    mut running: JoinSet<Result<(), LoadError>>,
    done: &mut mpsc::UnboundedReceiver<RequestResult>,
    sink: &mut ResultSink<'_, '_>,
    threads: &RuntimeHandles,
) -> Result<(), LoadError> {
    let mut ending = Ok(());
    let mut phase = None;
    let mut requests = Vec::new();
    loop {
        tokio::select! {
            biased;
            1.. = done.recv_many(&mut requests, AT_ONCE) => {
                sink.tally.waiting(done.len());
                let mut stretch = threads.stretch();
                for request in requests.drain(..) {
                    if phase.replace(request.record.phase) != Some(request.record.phase) {
                        sink.enter(request.record.phase, request.record.intended_us);
                    }
                    sink.take(request);
                    stretch.as_mut().map(CpuTimeSlice::give_way);
                }
                if let Some(pause) = threads.pause() {
                    tokio::time::sleep(pause).await;
                }
            }
            Some(lane) = running.join_next() => match lane {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    running.abort_all();
                    ending = Err(error);
                }
                Err(panic) if panic.is_panic() => std::panic::resume_unwind(panic.into_panic()),
                Err(_aborted) => {}
            },
            else => return ending,
        }
    }
}

impl ResultSink<'_, '_> {
    /// Where nobody listens any more, the recorder has failed and stops the sweep by its own means.
    fn take(&mut self, mut request: RequestResult) {
        if let Some(failure) = &mut request.record.failure {
            failure.detail = self.mask.hide(std::mem::take(&mut failure.detail));
        }
        self.tally.add(&request);
        self.early_stop.hear(&request.record);
        self.errors.hear(&request.record);
        if let Some(said) = request.said.take() {
            said.hash(&mut request.record);
            if let Some(text) = said.record(&request.record, &self.mask) {
                let _ = self.events.send(SweepEvent::Said(Box::new(text)));
            }
        }
        let _ = self.events.send(SweepEvent::RequestDone(Box::new(request.record)));
        self.pace.told(self.events);
    }

    fn enter(&self, phase: RequestPhase, at: Micros) {
        let _ = self.events.send(SweepEvent::PhaseEntered { phase, at });
    }
}

/// Builds the sessions that are due at once, before any lane runs.
async fn prepare(load: &Arc<LoadContext>, lanes: Vec<SerialRequests>) -> Result<Vec<(SequentialLoop, StartDependencies)>, LoadError> {
    load.occupancy.live_lanes.store(u32::try_from(lanes.len()).unwrap_or(u32::MAX), Ordering::Relaxed);
    let mut runners = Vec::with_capacity(lanes.len());
    for (lane, neighbours) in with_neighbours(lanes) {
        let mut runner = SequentialLoop::new(Arc::clone(load), lane);
        runner.prepare().await?;
        runners.push((runner, neighbours));
    }
    Ok(runners)
}

/// Ties each lane to the one before it: its first follow-up always, its start where that is staggered.
fn with_neighbours(lanes: Vec<SerialRequests>) -> Vec<(SerialRequests, StartDependencies)> {
    let mut tied: Vec<(SerialRequests, StartDependencies)> = Vec::with_capacity(lanes.len());
    let first_answers = FirstAnswerWaiter::among(lanes.len());
    for (lane, first_answers) in lanes.into_iter().zip(first_answers) {
        let mut neighbours = StartDependencies { start: FirstTokenLink::default(), follow_up: FirstTokenLink::default(), first_answers };
        if let Some((_, before)) = tied.last_mut() {
            tie(&mut before.follow_up, &mut neighbours.follow_up);
            if lane.start == StartTrigger::AfterFirstTokenOfPrevious {
                tie(&mut before.start, &mut neighbours.start);
            }
        }
        tied.push((lane, neighbours));
    }
    tied
}

fn tie(before: &mut FirstTokenLink, after: &mut FirstTokenLink) {
    let (fire, wait) = oneshot::channel();
    before.next = Some(fire);
    after.previous = Some(wait);
}
