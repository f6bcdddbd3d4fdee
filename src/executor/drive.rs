//! The one load loop: starts the lanes and arrivals of a schedule, and hands on what they report until all have ended.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::lane::{Done, LaneError, Load, Neighbours, Runner, Start};
use super::open::OpenLoop;
use super::prefill::prefill;
use super::tally::Tally;
use crate::arrival::{Lane, LaneStart, Schedule};
use crate::clock::Micros;
use crate::event::Event;
use crate::plan::Mask;
use crate::record::Phase;

/// Lays in the histories of users met in mid-life, then runs all lanes to their ends. Every request is told as an event and counted.
pub(super) async fn drive(
    load: Load,
    schedule: Schedule,
    mut done: mpsc::UnboundedReceiver<Done>,
    events: &mpsc::UnboundedSender<Event>,
    tally: &mut Tally,
    mask: &Mask,
) -> Result<(), LaneError> {
    if !schedule.mid_life.is_empty() {
        enter(Phase::Prefill, load.clock.now(), events);
        prefill(&load, &schedule.mid_life).await?;
        while let Ok(request) = done.try_recv() {
            tell(request, events, tally, mask);
        }
    }
    let clock = load.clock;
    let (warmup, end) = (schedule.warmup, schedule.end);
    let load = Arc::new(load);
    let runners = prepare(&load, schedule.lanes).await?;
    let open_loop = match schedule.arrivals {
        Some(arrivals) => Some(OpenLoop::prepare(Arc::clone(&load), arrivals).await?),
        None => None,
    };
    // What the lanes hold of it is what keeps the channel open.
    drop(load);
    let start = Start::new(clock.now(), warmup, end);
    let mut running = JoinSet::new();
    if let Some(open_loop) = open_loop {
        running.spawn(open_loop.run(start));
    }
    for (runner, neighbours) in runners {
        running.spawn(runner.run(start, neighbours));
    }
    await_all(running, &mut done, events, tally, mask).await
}

/// Hands on what the lanes report. The channel closes when the last lane, and with it the last sender, is gone.
async fn await_all(
    mut running: JoinSet<Result<(), LaneError>>,
    done: &mut mpsc::UnboundedReceiver<Done>,
    events: &mpsc::UnboundedSender<Event>,
    tally: &mut Tally,
    mask: &Mask,
) -> Result<(), LaneError> {
    let mut ending = Ok(());
    let mut phase = None;
    loop {
        tokio::select! {
            biased;
            Some(request) = done.recv() => {
                if phase.replace(request.record.phase) != Some(request.record.phase) {
                    enter(request.record.phase, request.record.intended_us, events);
                }
                tell(request, events, tally, mask);
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

/// Counts one request and passes it on, without what a server's or the network's words hold of the environment. Where nobody listens any more, the recorder has failed and stops the sweep by its own means.
fn tell(mut request: Done, events: &mpsc::UnboundedSender<Event>, tally: &mut Tally, mask: &Mask) {
    if let Some(failure) = &mut request.record.failure {
        failure.detail = mask.hide(std::mem::take(&mut failure.detail));
    }
    tally.add(&request);
    let _ = events.send(Event::RequestDone(Box::new(request.record)));
}

fn enter(phase: Phase, at: Micros, events: &mpsc::UnboundedSender<Event>) {
    let _ = events.send(Event::PhaseEntered { phase, at });
}

/// Builds the sessions that are due at once, before any lane runs.
async fn prepare(load: &Arc<Load>, lanes: Vec<Lane>) -> Result<Vec<(Runner, Neighbours)>, LaneError> {
    load.occupancy.live_lanes.store(u32::try_from(lanes.len()).unwrap_or(u32::MAX), Ordering::Relaxed);
    let mut runners = Vec::with_capacity(lanes.len());
    for (lane, neighbours) in with_neighbours(lanes) {
        let mut runner = Runner::new(Arc::clone(load), lane);
        runner.prepare().await?;
        runners.push((runner, neighbours));
    }
    Ok(runners)
}

/// Ties each staggered lane to the one before it.
fn with_neighbours(lanes: Vec<Lane>) -> Vec<(Lane, Neighbours)> {
    let mut tied: Vec<(Lane, Neighbours)> = Vec::with_capacity(lanes.len());
    for lane in lanes {
        let mut neighbours = Neighbours::default();
        if let (LaneStart::AfterFirstTokenOfPrevious, Some((_, before))) = (lane.start, tied.last_mut()) {
            let (fire, wait) = oneshot::channel();
            before.next = Some(fire);
            neighbours.previous = Some(wait);
        }
        tied.push((lane, neighbours));
    }
    tied
}
