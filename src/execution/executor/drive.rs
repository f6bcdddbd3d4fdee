//! The one load loop: starts the lanes, arrivals and users of a schedule, and hands on what they report until all have ended.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::backpressure::Backpressure;
use super::early_stop::EarlyStop;
use super::errors::ErrorLimit;
use super::lane_ties::{LaneSignal, RemoteLanes, TiedLanes, tell_others};
use super::load_member::RowSender;
use super::load_party::{LoadParty, PartyNews};
use super::open::OpenLoop;
use super::prefill::prefill;
use super::run_totals::RunTotals;
use super::runtimes::RuntimeHandles;
use super::sequential_loop::{LoadContext, LoadError, RequestResult, RunWindow, SequentialLoop, StartDependencies};
use super::session_loop::SessionLoop;
use super::stop_token::StopToken;
use super::user_pool_loop::UserPoolLoop;
use crate::event::SweepEvent;
use crate::foundation::clock::{CpuTimeSlice, Micros};
use crate::planning::plan::EnvironmentRedactor;
use crate::records::record::RequestPhase;
use crate::workloads::arrival::{RequestSchedule, SerialRequests};

/// How many connections stand before an open loop begins; a closed one has one for each lane.
const OPEN_LOOP_CONNECTIONS: usize = 64;

/// How many requests the sink takes together.
const AT_ONCE: usize = 1024;

/// What becomes of a request that is over: it is counted, passed on without what the environment says, and shown to whoever may end the
/// run by it.
pub(super) struct ResultSink<'a, 'r> {
    pub events: &'a mpsc::UnboundedSender<SweepEvent>,
    pub tally: &'a mut RunTotals,
    /// Of several clients, what this one sent itself.
    pub own: Option<&'a mut RunTotals>,
    /// And its rank, where it leads.
    pub client: Option<u32>,
    /// Where another one leads, the way to it; then everything else is that one's.
    pub forward: Option<&'a mut RowSender>,
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
    party: &mut LoadParty<'_>,
) -> Result<(), LoadError> {
    if !schedule.mid_life.is_empty() {
        sink.enter(RequestPhase::Prefill, load.clock.now());
        party.during(&load.stop, prefill(&load, &schedule.mid_life)).await?;
        while let Ok(request) = done.try_recv() {
            sink.take(request);
        }
    }
    let clock = load.clock;
    let window = RunWindow::of(&schedule);
    let load = Arc::new(load);
    let at_once = schedule.lanes.len()
        + schedule.arrivals.as_ref().map_or(0, |arrivals| OPEN_LOOP_CONNECTIONS.min(arrivals.places as usize))
        + schedule.user_pool.as_ref().map_or(0, |pool| pool.starts().count())
        + schedule.sessions.as_ref().map_or(0, |sessions| OPEN_LOOP_CONNECTIONS.min(sessions.places as usize));
    let preparing = PreparedLoops::prepare(&load, schedule);
    let loops = party.during(&load.stop, preparing).await?;
    let ahead = party.during(&load.stop, connected_ahead(&load, at_once)).await;
    sink.tally.carried.opened_ahead(ahead);
    let (threads, stop) = (load.threads.clone(), load.stop.clone());
    // What the lanes hold of it is what keeps the channel open.
    drop(load);
    let Some(origin) = party.origin(clock, &stop).await? else { return Ok(()) };
    if let Some(forward) = &mut sink.forward {
        forward.begin(origin.shift_us);
    }
    let running = loops.start(window.starting(origin.at), party.lane_teller());
    await_all(running, &mut done, sink, &threads, party, &stop).await
}

/// Opens connections before the load; how many.
async fn connected_ahead(load: &LoadContext, at_once: usize) -> u64 {
    tokio::select! {
        biased;
        () = load.stop.draining() => 0,
        ahead = load.target.connect_ahead(at_once) => ahead as u64,
    }
}

/// The lanes, arrivals and users of a run, with what is due at once made ready.
struct PreparedLoops {
    lanes: Vec<(SequentialLoop, StartDependencies)>,
    /// What ties them to lanes of other clients.
    remote: RemoteLanes,
    open_loop: Option<OpenLoop>,
    pool_loop: Option<UserPoolLoop>,
    session_loop: Option<SessionLoop>,
}

impl PreparedLoops {
    async fn prepare(load: &Arc<LoadContext>, schedule: RequestSchedule) -> Result<Self, LoadError> {
        let TiedLanes { lanes, remote } = TiedLanes::tie(schedule.lanes, schedule.tied_lanes);
        let lanes = prepare(load, lanes).await?;
        let open_loop = match schedule.arrivals {
            Some(arrivals) => Some(OpenLoop::prepare(Arc::clone(load), arrivals).await?),
            None => None,
        };
        let pool_loop = match schedule.user_pool {
            Some(pool) => Some(UserPoolLoop::prepare(Arc::clone(load), pool).await?),
            None => None,
        };
        let session_loop = match schedule.sessions {
            Some(sessions) => Some(SessionLoop::prepare(Arc::clone(load), sessions).await?),
            None => None,
        };
        Ok(Self { lanes, remote, open_loop, pool_loop, session_loop })
    }

    /// Starts all; `say` tells other clients how far lanes have come.
    fn start(mut self, start: RunWindow, say: impl Fn(LaneSignal) + Send + 'static) -> (JoinSet<Result<(), LoadError>>, RemoteLanes) {
        let mut running = JoinSet::new();
        let told = self.remote.take_told();
        if !told.is_empty() {
            running.spawn(async move {
                tell_others(told, say).await;
                Ok(())
            });
        }
        if let Some(open_loop) = self.open_loop {
            running.spawn(open_loop.run(start));
        }
        if let Some(pool_loop) = self.pool_loop {
            running.spawn(pool_loop.run(start));
        }
        if let Some(session_loop) = self.session_loop {
            running.spawn(session_loop.run(start));
        }
        for (runner, neighbours) in self.lanes {
            running.spawn(runner.run(start, neighbours));
        }
        (running, self.remote)
    }
}

/// Hands on what the lanes report, and other clients. The channel closes when the last lane, and with it the last sender, is gone.
async fn await_all(
    (mut running, mut remote): (JoinSet<Result<(), LoadError>>, RemoteLanes),
    done: &mut mpsc::UnboundedReceiver<RequestResult>,
    sink: &mut ResultSink<'_, '_>,
    threads: &RuntimeHandles,
    party: &mut LoadParty<'_>,
    stop: &StopToken,
) -> Result<(), LoadError> {
    let mut ending = Ok(());
    let mut phase = None;
    let mut requests = Vec::new();
    let mut is_sending = true;
    loop {
        tokio::select! {
            biased;
            count = done.recv_many(&mut requests, AT_ONCE), if is_sending => {
                is_sending = count > 0;
                sink.tally.waiting(done.len());
                let mut stretch = threads.stretch();
                for request in requests.drain(..) {
                    if phase.replace(request.record.phase) != Some(request.record.phase) {
                        sink.enter(request.record.phase, request.record.intended_us);
                    }
                    sink.take(request);
                    stretch.as_mut().map(CpuTimeSlice::give_way);
                }
                sink.send();
                if let Some(pause) = threads.pause().filter(|_| is_sending) {
                    tokio::time::sleep(pause).await;
                }
            }
            Some(lane) = running.join_next() => match lane {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    running.abort_all();
                    // What others send counts for nothing any more.
                    stop.abort();
                    ending = Err(error);
                }
                Err(panic) if panic.is_panic() => std::panic::resume_unwind(panic.into_panic()),
                Err(_aborted) => {}
            },
            news = party.news(stop), if party.is_heard(is_sending) => match news {
                PartyNews::Rows(rows) => {
                    let mut stretch = threads.stretch();
                    for request in rows {
                        sink.take(request);
                        stretch.as_mut().map(CpuTimeSlice::give_way);
                    }
                }
                PartyNews::Lane(signal) => remote.release(signal),
                PartyNews::Failed => stop.abort(),
                PartyNews::Nothing => {}
            },
            else => break,
        }
    }
    ending.and_then(|()| party.whole())
}

impl ResultSink<'_, '_> {
    /// Where nobody listens any more, the recorder has failed and stops the sweep by its own means.
    fn take(&mut self, mut request: RequestResult) {
        if let Some(failure) = &mut request.record.failure {
            failure.detail = self.mask.hide(std::mem::take(&mut failure.detail));
        }
        if let Some(own) = self.own.as_mut().filter(|_| request.record.client.is_none()) {
            own.add(&request);
        }
        self.tally.add(&request);
        if let Some(forward) = &mut self.forward {
            if let Some(said) = request.said.take() {
                said.hash(&mut request.record);
            }
            return forward.add(request);
        }
        request.record.client = request.record.client.or(self.client);
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

    /// What was taken goes on its way.
    fn send(&mut self) {
        if let Some(forward) = &mut self.forward {
            forward.send();
        }
    }

    fn enter(&self, phase: RequestPhase, at: Micros) {
        let _ = self.events.send(SweepEvent::PhaseEntered { phase, at });
    }
}

/// Builds the sessions that are due at once, before any lane runs.
async fn prepare(
    load: &Arc<LoadContext>,
    lanes: Vec<(SerialRequests, StartDependencies)>,
) -> Result<Vec<(SequentialLoop, StartDependencies)>, LoadError> {
    load.occupancy.live_lanes.store(u32::try_from(lanes.len()).unwrap_or(u32::MAX), Ordering::Relaxed);
    let mut runners = Vec::with_capacity(lanes.len());
    for (lane, neighbours) in lanes {
        let mut runner = SequentialLoop::new(Arc::clone(load), lane);
        runner.prepare().await?;
        runners.push((runner, neighbours));
    }
    Ok(runners)
}
