//! Recorded sessions: begins each at its time, or as soon as a user is free, and sends each of its turns when it is due and the answer that it waits for is
//! over. A turn on whose answer several others wait has them sent side by side.
//!
//! In come arrivals of sessions, the first turn of each built before it is due; every turn is reported. It must not know a workload's kind.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::conversation::ConversationState;
use super::in_flight_limiter::{InFlightLimiter, InFlightPermit};
use super::prepared_queue::outcome;
use super::row::{LoadSnapshot, ScheduledRequest};
use super::sequential_loop::{LoadContext, LoadError, RequestResult, RunWindow, send};
use crate::foundation::clock::Micros;
use crate::records::record::{FailureKind, RequestFailure};
use crate::vocabulary::spec::workload::TurnErrorPolicy;
use crate::workloads::arrival::{SendTrigger, SessionArrivals, SessionStart, SessionTurn, TurnOffset};
use crate::workloads::workload::WorkloadError;

/// How many sessions are built before they begin.
const AHEAD: usize = 64;

/// The sessions of a run, the first of them built.
pub(super) struct SessionLoop {
    load: Arc<LoadContext>,
    sessions: SessionArrivals,
    slots: InFlightLimiter,
    building: JoinSet<Result<(), LoadError>>,
    ready: mpsc::Receiver<PreparedSession>,
}

/// A session whose first turn can be sent.
struct PreparedSession {
    start: SessionStart,
    turns: Arc<[SessionTurn]>,
    conversation: ConversationState,
}

/// A session that has begun.
struct RunningSession {
    load: Arc<LoadContext>,
    window: RunWindow,
    /// When it was to begin.
    begins: Micros,
    session: u64,
    turns: Arc<[SessionTurn]>,
}

/// What comes after a turn.
struct TurnEnd {
    /// The turns that waited for it, each with its conversation.
    next: Vec<(u32, ConversationState)>,
    over: Micros,
    /// No further turn behind this one is sent.
    is_last: bool,
    turn: u32,
}

impl SessionLoop {
    /// Begins to build; comes back when the first session is built, where there is one.
    pub async fn prepare(load: Arc<LoadContext>, sessions: SessionArrivals) -> Result<Self, LoadError> {
        load.occupancy.live_lanes.store(0, Ordering::Relaxed);
        let (hand_over, mut built) = mpsc::channel(1);
        let (queue, ready) = mpsc::channel(AHEAD);
        let mut building = JoinSet::new();
        let (maker, arrivals) = (Arc::clone(&load), sessions.clone());
        load.threads.spawn_in_office(&mut building, async move {
            for start in arrivals.clone() {
                let turns: Arc<[SessionTurn]> = arrivals.turns(start.session).into();
                let conversation = conversation(&maker, start.session, 0).await?;
                if queue.send(PreparedSession { start, turns, conversation }).await.is_err() {
                    break;
                }
                // Only the first is waited for.
                let _ = hand_over.try_send(());
            }
            Ok(())
        });
        tokio::select! { biased; () = load.stop.draining() => {} _ = built.recv() => {} }
        let slots = InFlightLimiter::new(sessions.places, load.clock);
        Ok(Self { load, sessions, slots, building, ready })
    }

    /// Begins all sessions, and awaits their ends.
    pub async fn run(mut self, window: RunWindow) -> Result<(), LoadError> {
        let mut running = JoinSet::new();
        let end = self.sessions.begins_before.map(|end| window.origin() + end);
        while let Some(prepared) = self.ready.recv().await {
            let due = window.intended(prepared.start.due, window.origin());
            self.load.wait_until(due).await;
            let Some((slot, free_since)) = self.slot().await else { break };
            let free_at = due.max(free_since);
            // A user who comes free after the end begins no session; one that was due before it begins late.
            if self.sessions.is_closed() && end.is_some_and(|end| free_at >= end) {
                break;
            }
            let begins = if prepared.start.due == SendTrigger::AfterPrevious { free_at } else { due };
            let PreparedSession { start, turns, conversation } = prepared;
            let session = RunningSession { load: Arc::clone(&self.load), window, begins, session: start.session, turns };
            running.spawn(Arc::new(session).run(conversation, free_at, slot));
            while let Some(ended) = running.try_join_next() {
                outcome(ended)?;
            }
        }
        // Who builds finds that nobody takes any more.
        drop(self.ready);
        while let Some(ended) = self.building.join_next().await {
            outcome(ended)?;
        }
        while let Some(ended) = running.join_next().await {
            outcome(ended)?;
        }
        Ok(())
    }

    /// A place for a session, and since when it is free; `None` where the run is to be stopped.
    async fn slot(&mut self) -> Option<(InFlightPermit, Micros)> {
        if self.load.stop.is_draining() {
            return None;
        }
        tokio::select! { biased; () = self.load.stop.draining() => None, slot = self.slots.take() => Some(slot) }
    }
}

impl RunningSession {
    /// Sends all turns, each behind the one that it waits for.
    async fn run(self: Arc<Self>, first: ConversationState, free_at: Micros, slot: InFlightPermit) -> Result<(), LoadError> {
        self.load.occupancy.live_lanes.fetch_add(1, Ordering::Relaxed);
        let mut running = JoinSet::new();
        running.spawn(Arc::clone(&self).turn(0, first, free_at));
        while let Some(ended) = running.join_next().await {
            let TurnEnd { next, over, is_last, turn } = match ended {
                Ok(end) => end?,
                Err(panic) if panic.is_panic() => std::panic::resume_unwind(panic.into_panic()),
                Err(_aborted) => break,
            };
            if is_last {
                self.report_ended(turn, over);
            }
            for (turn, conversation) in next {
                running.spawn(Arc::clone(&self).turn(turn, conversation, over));
            }
        }
        self.load.occupancy.live_lanes.fetch_sub(1, Ordering::Relaxed);
        drop(slot);
        Ok(())
    }

    /// Sends a turn when it is due, and the answer that it waits for was over at `free_at`.
    async fn turn(self: Arc<Self>, turn: u32, mut conversation: ConversationState, free_at: Micros) -> Result<TurnEnd, LoadError> {
        let load = &self.load;
        let nothing = |over| TurnEnd { next: Vec::new(), over, is_last: false, turn };
        let Some(planned) = self.turns.get(turn as usize) else { return Ok(nothing(free_at)) };
        let intended = self.intended(planned, free_at);
        let prepared =
            conversation.ready(turn, &load.target).ok_or(WorkloadError::FirstTurn { first_turn: turn, turns: load.workload.turns() })?;
        let could_send_at = intended.max(free_at);
        load.wait_until(could_send_at).await;
        if load.stop.is_draining() {
            return Ok(nothing(free_at));
        }
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(failure) => {
                load.report_unsent(self.scheduled(turn, intended, LoadSnapshot::now(&load.occupancy)), failure);
                // Many may follow that take no time; whoever may end the run by them is to hear of each.
                tokio::task::yield_now().await;
                let next = planned.children.first().map(|child| (*child, conversation)).into_iter().collect();
                return Ok(TurnEnd { next, over: free_at, is_last: false, turn });
            }
        };
        let said = load.texts.of(prepared.prompt());
        let authored = conversation.prompt_tokens(turn);
        let sent = self.scheduled(turn, intended, LoadSnapshot::entering(&load.occupancy));
        // While the answer streams, what comes after it is made as far as it can be.
        let (exchange, others) = tokio::join!(send(load, prepared, None), self.others(planned, &mut conversation));
        let over = exchange.done;
        let counts = load.counts(&exchange, Some(authored)).await?;
        conversation.absorb(turn, &exchange, counts.history_tokens(), load.on_error);
        let has_failed = exchange.failure.is_some();
        let said = said.map(|said| said.answered(&exchange));
        // The receiver lives until every session has ended.
        let _ = load.done.send(RequestResult { said, ..RequestResult::sent(sent, exchange, counts, Some(authored), could_send_at) });
        let others = others?;
        if !load.workload.has_whole_prompts() {
            let next = planned.children.first().map(|child| (*child, conversation)).into_iter().collect();
            return Ok(TurnEnd { next, over, is_last: false, turn });
        }
        let is_last = has_failed && load.on_error == TurnErrorPolicy::EndSession;
        Ok(TurnEnd { next: if is_last { Vec::new() } else { others }, over, is_last, turn })
    }

    /// The turns that wait for that one: those of prompts that stand by themselves are made, of another only its question is written.
    async fn others(
        &self,
        planned: &SessionTurn,
        conversation: &mut ConversationState,
    ) -> Result<Vec<(u32, ConversationState)>, LoadError> {
        let mut others = Vec::new();
        for child in &planned.children {
            if self.load.workload.has_whole_prompts() {
                others.push((*child, conversation_of(&self.load, self.session, *child).await?));
            } else {
                conversation.write_ahead(*child);
            }
        }
        Ok(others)
    }

    /// That all turns behind one that failed are not sent.
    fn report_ended(&self, turn: u32, over: Micros) {
        let Some(planned) = self.turns.get(turn as usize) else { return };
        for child in &planned.children {
            if let Some(after) = self.turns.get(*child as usize) {
                let sent = self.scheduled(*child, self.intended(after, over), LoadSnapshot::now(&self.load.occupancy));
                let detail = "not sent: its session had ended with a turn that failed".to_owned();
                self.load.report_unsent(sent, RequestFailure { kind: FailureKind::SessionEnded, detail });
                self.report_ended(*child, over);
            }
        }
    }

    /// When a turn is to be sent whose predecessor was over then.
    fn intended(&self, planned: &SessionTurn, over: Micros) -> Micros {
        match planned.due {
            TurnOffset::SinceStart(offset) => self.begins + offset,
            TurnOffset::SinceParent(delay) => over + delay,
        }
    }

    fn scheduled(&self, turn: u32, intended: Micros, at_send: LoadSnapshot) -> ScheduledRequest {
        let phase = self.window.phase(intended, self.session);
        ScheduledRequest { session: self.session, turn, lane: 0, phase, intended, at_send }
    }
}

/// A session from that turn on, in the background runtime.
async fn conversation_of(load: &Arc<LoadContext>, session: u64, turn: u32) -> Result<ConversationState, LoadError> {
    fitting(load, session, load.conversation(session, turn).await?)
}

/// The same where the caller is.
async fn conversation(load: &Arc<LoadContext>, session: u64, turn: u32) -> Result<ConversationState, LoadError> {
    fitting(load, session, load.make_conversation(session, turn).await?)
}

fn fitting(load: &LoadContext, session: u64, (made, needed): (ConversationState, u64)) -> Result<ConversationState, LoadError> {
    match load.context_limit.filter(|limit| needed > *limit) {
        Some(limit) => Err(LoadError::Recorded { session, needed, limit }),
        None => Ok(made),
    }
}
