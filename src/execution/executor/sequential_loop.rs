//! One lane: takes its steps one after the other, each prompt built before it is due, and reports every request it was to send.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use super::conversation::ConversationState;
use super::first_answer_barrier::FirstAnswerWaiter;
use super::row::{LoadSnapshot, ScheduledRequest};
use super::runtimes::RuntimeHandles;
use super::stop_token::StopToken;
use super::token_counts::{TokenCounts, TokenRuleCounts};
use super::unredacted_text::{TextRetention, UnredactedText};
use super::wake_filter::{WakeFilter, WakeSignal};
use crate::foundation::clock::{Clock, Micros, SharedTimer};
use crate::records::record::{FailureKind, RequestFailure, RequestPhase, RequestRecord};
use crate::servers::client::{HttpExchange, PreparedRequest, Target, TransportStats};
use crate::vocabulary::session::Session;
use crate::vocabulary::spec::workload::TurnErrorPolicy;
use crate::workloads::arrival::{RequestSchedule, ScheduledTurn, SendTrigger, SerialRequestSource, SerialRequests};
use crate::workloads::tokens::{TokenCountError, TokenCounter};
use crate::workloads::workload::leave::LeavePolicy;
use crate::workloads::workload::{RunSalt, Workload, WorkloadError};

/// How long before its first step a lane builds its first session.
const LEAD: Micros = Micros(2_000_000);

/// What all lanes of a run share.
#[derive(Debug)]
pub(super) struct LoadContext {
    pub workload: Workload,
    /// What every prompt begins with, where the caches are kept away by it.
    pub salt: Option<RunSalt>,
    pub target: Target,
    pub clock: Clock,
    /// Wakes lanes when they are due.
    pub alarm: SharedTimer,
    pub threads: RuntimeHandles,
    /// The most tokens of a conversation, where the target tells.
    pub context_limit: Option<u64>,
    pub on_error: TurnErrorPolicy,
    pub user_header: bool,
    /// How users leave before an answer is over.
    pub leave: Option<LeavePolicy>,
    /// Counts what the server does not.
    pub counter: TokenCounter,
    pub stop: StopToken,
    /// Rings when requests in flight are to be given up.
    pub aborting: WakeSignal,
    pub texts: TextRetention,
    pub occupancy: InFlightCounters,
    pub done: mpsc::UnboundedSender<RequestResult>,
}

impl LoadContext {
    /// The session as it is sent.
    pub async fn session(&self, number: u64, first_turn: u32) -> Result<Session, WorkloadError> {
        let session = self.workload.session(number, first_turn).await?;
        Ok(match &self.salt {
            Some(salt) => salt.salted(session),
            None => session,
        })
    }

    /// The session as it is sent, its first question written, and the tokens that it grows to; made in the background runtime.
    pub async fn conversation(self: &Arc<Self>, number: u64, first_turn: u32) -> Result<(ConversationState, u64), WorkloadError> {
        let load = Arc::clone(self);
        self.threads.have_done(async move { load.make_conversation(number, first_turn).await }).await
    }

    /// The same where the caller is.
    pub async fn make_conversation(&self, number: u64, first_turn: u32) -> Result<(ConversationState, u64), WorkloadError> {
        let session = self.session(number, first_turn).await?;
        let turns = session.turns.iter().map(|turn| turn.ask_tokens + u64::from(turn.answer.max_tokens()));
        let needed = session.opening_tokens + turns.sum::<u64>();
        let mut conversation = ConversationState::new(session, self.user_header, self.target.script()).leaving(self.leave);
        conversation.write_ahead(first_turn);
        Ok((conversation, needed))
    }

    /// The token counts of an answer, in the background runtime where they must be counted.
    pub async fn counts(&self, exchange: &HttpExchange, authored: Option<u64>) -> Result<TokenCounts, TokenCountError> {
        // Of what a user left, the server had no occasion to tell.
        let failure = exchange.failure.as_ref().filter(|failure| failure.kind != FailureKind::Left);
        let (None, None, Some(authored)) = (exchange.usage, failure, authored) else { return Ok(TokenCounts::told(exchange)) };
        let counter = self.counter.clone();
        let texts = [&exchange.answer, &exchange.reasoning, &exchange.tool_calls, &exchange.first_event_text].map(String::clone);
        let counting = async move {
            let mut counts = [0; 4];
            for (count, text) in counts.iter_mut().zip(&texts).filter(|(_, text)| !text.is_empty()) {
                *count = counter.count(text).await?;
            }
            Ok::<_, TokenCountError>(counts)
        };
        let [answer, reasoning, tool_calls, first_event] = self.threads.have_done(counting).await?;
        let is_estimate = matches!(self.counter, TokenCounter::Estimate { .. });
        Ok(TokenCounts::counted(authored, exchange, TokenRuleCounts { answer, reasoning, tool_calls, first_event, is_estimate }))
    }

    /// Waits for that moment, or until the run is to be stopped.
    pub async fn wait_until(&self, at: Micros) {
        if self.clock.now() < at {
            tokio::select! { biased; () = self.stop.draining() => {} () = self.alarm.sleep_until(at) => {} }
        }
    }

    /// What came due and is not sent: it is counted, not forgotten.
    pub fn report_unsent(&self, sent: ScheduledRequest, failure: RequestFailure) {
        let now = self.clock.now();
        let exchange = HttpExchange { sent: now, done: now, failure: Some(failure), ..HttpExchange::default() };
        // The receiver lives until every lane has ended.
        let _ = self.done.send(RequestResult::of(sent, exchange, TokenCounts::default()));
    }
}

/// The schedule's landmarks on the run's clock.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RunWindow {
    /// Offset 0 of the schedule.
    origin: Micros,
    /// Requests intended before are warm-up.
    measured_from: Micros,
    /// And so are those of so many sessions, the first ones.
    warmup_requests: u64,
    /// No request is sent from here on.
    end: Option<Micros>,
}

impl RunWindow {
    /// The landmarks of a schedule, as offsets from its start.
    pub fn of(schedule: &RequestSchedule) -> Self {
        Self { origin: Micros::ZERO, measured_from: schedule.warmup, warmup_requests: schedule.warmup_requests, end: schedule.end }
    }

    /// The same of a schedule that starts at `origin`.
    pub fn starting(self, origin: Micros) -> Self {
        Self { origin, measured_from: origin + self.measured_from, end: self.end.map(|end| origin + end), ..self }
    }

    pub fn origin(&self) -> Micros {
        self.origin
    }

    /// When what is due then is intended to be sent: `free_at` where it only follows what was before.
    pub fn intended(&self, due: SendTrigger, free_at: Micros) -> Micros {
        match due {
            SendTrigger::AfterPrevious | SendTrigger::AfterFirstAnswers => free_at,
            SendTrigger::At(offset) => self.origin + offset,
        }
    }

    pub fn end(&self) -> Option<Micros> {
        self.end
    }

    /// What a request of that session belongs to that is intended then.
    pub fn phase(&self, intended: Micros, session: u64) -> RequestPhase {
        if intended < self.measured_from || session < self.warmup_requests { RequestPhase::Warmup } else { RequestPhase::Measure }
    }
}

/// Why a lane, and with it the run, cannot go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoadError {
    #[error(transparent)]
    Workload(#[from] WorkloadError),
    #[error(transparent)]
    Tokens(#[from] TokenCountError),
    #[error(
        "session {session} grows to {needed} tokens and the model holds {limit}; ask for shorter documents, fewer rounds or shorter answers"
    )]
    Context { session: u64, needed: u64, limit: u64 },
    #[error(
        "request {session} takes {needed} tokens and the model holds {limit}; ask for shorter prompts or answers, or leave such requests out of the trace"
    )]
    Request { session: u64, needed: u64, limit: u64 },
    #[error(
        "recorded session {session} takes {needed} tokens and the model holds {limit}; lower `answer_tokens`, or leave such sessions out of the file"
    )]
    Recorded { session: u64, needed: u64, limit: u64 },
    /// One of several clients did not do its part; the message names it.
    #[error("{0}")]
    Client(String),
    /// Of a client that does not lead.
    #[error("the time that was announced for the start had passed by {late_ms} ms when it was heard of")]
    LateStart { late_ms: u64 },
}

/// Counters of what is going on at this moment.
#[derive(Debug, Default)]
pub(super) struct InFlightCounters {
    pub requests: AtomicU64,
    pub in_flight: AtomicU32,
    pub live_lanes: AtomicU32,
}

/// One request is over.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RequestResult {
    pub record: RequestRecord,
    /// Prompt tokens as they were authored under the token rule, without the server's chat template; missing for what was not sent.
    pub authored: Option<u64>,
    /// How late the client turned to it after it could have; nothing where it was never sent. What a connection took that had to be opened,
    /// and the writing of the request, is not the client's lateness.
    pub lag: Option<Micros>,
    /// It was due before it could be sent: an answer or a place had to be waited for.
    pub held_back: bool,
    /// It succeeded and its answer had no text: nothing for a history.
    pub is_without_text: bool,
    pub carriage: TransportStats,
    /// What was said, where that is kept; it never leaves this client.
    #[serde(skip)]
    pub said: Option<UnredactedText>,
}

impl RequestResult {
    /// Of what was not sent by the schedule.
    pub fn of(sent: ScheduledRequest, mut exchange: HttpExchange, counts: TokenCounts) -> Self {
        let reads = std::mem::take(&mut exchange.carriage.reads);
        let token_reads = Some(reads.count()).filter(|reads| *reads > 0);
        let carriage = TransportStats { reads, ..exchange.carriage };
        let is_without_text = exchange.failure.is_none() && exchange.answer.is_empty();
        let record = RequestRecord { token_reads, ..sent.record(exchange, counts) };
        Self { record, authored: None, lag: None, held_back: false, is_without_text, carriage, said: None }
    }

    /// Of what could have been sent at that moment, its prompt of so many tokens as authored.
    pub fn sent(sent: ScheduledRequest, exchange: HttpExchange, counts: TokenCounts, authored: Option<u64>, could_send_at: Micros) -> Self {
        let lag = exchange.sent.since(could_send_at + exchange.carriage.handover);
        let held_back = could_send_at > sent.intended;
        Self { authored, lag: Some(lag), held_back, ..Self::of(sent, exchange, counts) }
    }
}

/// What ties a lane to its neighbours.
#[derive(Debug)]
pub(super) struct StartDependencies {
    /// Of the lane's first request, where its start waits for that of the lane before.
    pub start: FirstTokenLink,
    /// Of its first request that waits for all first answers.
    pub follow_up: FirstTokenLink,
    pub first_answers: FirstAnswerWaiter,
}

/// Ties a request of a lane to the same one of its neighbours, so that they come one after the other.
#[derive(Debug, Default)]
pub(super) struct FirstTokenLink {
    /// Comes when the previous lane has its first token, or is dropped when that lane failed to get one.
    pub previous: Option<oneshot::Receiver<()>>,
    /// Fired at this lane's first token.
    pub next: Option<oneshot::Sender<()>>,
}

/// A step with everything made that can be made before it is due.
struct PreparedTurn {
    step: ScheduledTurn,
    /// The session's number in the run's records.
    session: u64,
    /// What is sent, or why nothing is.
    prepared: Result<PreparedRequest, RequestFailure>,
}

pub(super) struct SequentialLoop {
    load: Arc<LoadContext>,
    lane: SerialRequests,
    conversations: BTreeMap<u64, ConversationState>,
    start: RunWindow,
    /// When the previous request was over; the lane's start before the first.
    free_at: Micros,
}

impl SequentialLoop {
    pub fn new(load: Arc<LoadContext>, lane: SerialRequests) -> Self {
        Self { load, lane, conversations: BTreeMap::new(), start: RunWindow::default(), free_at: Micros::ZERO }
    }

    /// Builds what is due at once before the load starts: the sessions of a closed group, and a user whose first turn is near. A user who
    /// joins later is built shortly before.
    pub async fn prepare(&mut self) -> Result<(), LoadError> {
        match self.lane.steps.clone() {
            SerialRequestSource::Group(group) => {
                for session in group.sessions() {
                    self.open(session, 0).await?;
                }
            }
            SerialRequestSource::Place(mut place) => match place.next() {
                Some(ScheduledTurn { session, turn, due: SendTrigger::At(at) }) if at < LEAD => self.open(session, turn).await?,
                _ => {}
            },
        }
        Ok(())
    }

    /// Takes all steps.
    pub async fn run(mut self, start: RunWindow, mut neighbours: StartDependencies) -> Result<(), LoadError> {
        self.start = start;
        self.free_at = start.origin;
        self.wait_for_previous(&mut neighbours.start).await;
        let mut steps = self.lane.steps.clone().peekable();
        if let Some(ScheduledTurn { due: SendTrigger::At(at), .. }) = steps.peek() {
            self.load.wait_until((self.start.origin + *at).since(LEAD)).await;
        }
        let mut ready = self.next_ready(&mut steps, None).await?;
        while let Some(PreparedTurn { step, session, prepared }) = ready.take() {
            let mut first_token = neighbours.start.next.take();
            if step.due == SendTrigger::AfterFirstAnswers {
                self.wait_for_first_answers(&mut neighbours.first_answers).await;
                self.wait_for_previous(&mut neighbours.follow_up).await;
                first_token = neighbours.follow_up.next.take();
            }
            let intended = self.start.intended(step.due, self.free_at);
            self.load.wait_until(intended).await;
            if self.load.stop.is_draining() {
                break;
            }
            let prepared = match self.in_time(prepared) {
                Ok(prepared) => prepared,
                Err(failure) => {
                    let sent = self.sent(step, session, intended, LoadSnapshot::now(&self.load.occupancy));
                    self.load.report_unsent(sent, failure);
                    // Many may follow that take no time; whoever may end the run by them is to hear of each.
                    tokio::task::yield_now().await;
                    ready = self.next_ready(&mut steps, None).await?;
                    continue;
                }
            };
            let load = Arc::clone(&self.load);
            let said = load.texts.of(prepared.prompt());
            let sent = self.sent(step, session, intended, LoadSnapshot::entering(&load.occupancy));
            let sending = send(&load, prepared, first_token);
            // While the answer streams, the next step is made ready where it is another session's: it does not need this answer.
            let (exchange, next) = tokio::join!(sending, self.next_ready(&mut steps, Some(step.session)));
            ready = next?;
            self.finish(sent, step, exchange, said).await?;
            if ready.is_none() {
                ready = self.next_ready(&mut steps, None).await?;
            }
        }
        self.load.occupancy.live_lanes.fetch_sub(1, Ordering::Relaxed);
        Ok(())
    }

    /// Until the lane before has its first token, where this one is tied to it; what waited is free as of now.
    async fn wait_for_previous(&mut self, tie: &mut FirstTokenLink) {
        if let Some(previous) = tie.previous.take() {
            tokio::select! { biased; () = self.load.stop.draining() => {} _ = previous => {} }
            self.free_at = self.load.clock.now();
        }
    }

    /// Until every lane has come so far; until the run is to be stopped at the latest.
    async fn wait_for_first_answers(&mut self, first_answers: &mut FirstAnswerWaiter) {
        let waited = tokio::select! { biased; () = self.load.stop.draining() => true, waited = first_answers.wait() => waited };
        if waited {
            self.free_at = self.load.clock.now();
        }
    }

    /// What is sent at this moment, or why it is not.
    fn in_time(&self, prepared: Result<PreparedRequest, RequestFailure>) -> Result<PreparedRequest, RequestFailure> {
        let is_over = self.start.end.is_some_and(|end| self.load.clock.now() >= end);
        prepared.and_then(|prepared| {
            let detail = "not sent: the answer before it was still streaming when the run ended";
            if is_over { Err(RequestFailure { kind: FailureKind::Cancelled, detail: detail.to_owned() }) } else { Ok(prepared) }
        })
    }

    /// The next step that can be made ready now: none where it belongs to the session that is being answered, and then all but what that
    /// answer adds is made.
    async fn next_ready<I>(&mut self, steps: &mut std::iter::Peekable<I>, busy_with: Option<u64>) -> Result<Option<PreparedTurn>, LoadError>
    where
        I: Iterator<Item = ScheduledTurn> + Send,
    {
        while let Some(step) = steps.peek().copied() {
            if busy_with == Some(step.session) {
                if let Some(conversation) = self.conversations.get_mut(&step.session) {
                    conversation.write_ahead(step.turn);
                }
                return Ok(None);
            }
            steps.next();
            if !self.conversations.contains_key(&step.session) {
                self.open(step.session, step.turn).await?;
            }
            if let Some(conversation) = self.conversations.get_mut(&step.session)
                && let Some(prepared) = conversation.ready(step.turn, &self.load.target)
            {
                return Ok(Some(PreparedTurn { step, session: conversation.number(), prepared }));
            }
        }
        Ok(None)
    }

    async fn open(&mut self, session: u64, first_turn: u32) -> Result<(), LoadError> {
        let (made, needed) = self.load.conversation(session, first_turn).await?;
        if let Some(limit) = self.load.context_limit.filter(|limit| needed > *limit) {
            return Err(LoadError::Context { session, needed, limit });
        }
        // Only closed groups hold all their sessions: in a rate-driven lane, the user before may still be waiting for its last answer.
        if matches!(self.lane.steps, SerialRequestSource::Place(_)) && self.conversations.len() > 1 {
            self.conversations.pop_first();
        }
        self.conversations.insert(session, made);
        Ok(())
    }

    /// Takes the answer in and reports the request.
    async fn finish(
        &mut self,
        sent: ScheduledRequest,
        turn: ScheduledTurn,
        exchange: HttpExchange,
        said: Option<UnredactedText>,
    ) -> Result<(), LoadError> {
        let could_send_at = sent.intended.max(self.free_at);
        self.free_at = exchange.done;
        let authored = self.conversations.get(&turn.session).map(|conversation| conversation.prompt_tokens(turn.turn));
        let counts = self.load.counts(&exchange, authored).await?;
        if let Some(conversation) = self.conversations.get_mut(&turn.session) {
            conversation.absorb(turn.turn, &exchange, counts.history_tokens(), self.load.on_error);
        }
        let said = said.map(|said| said.answered(&exchange));
        // The receiver lives until every lane has ended.
        let _ = self.load.done.send(RequestResult { said, ..RequestResult::sent(sent, exchange, counts, authored, could_send_at) });
        Ok(())
    }

    fn sent(&self, step: ScheduledTurn, session: u64, intended: Micros, at_send: LoadSnapshot) -> ScheduledRequest {
        let phase = self.start.phase(intended, step.session);
        ScheduledRequest { session, turn: step.turn, lane: self.lane.number, phase, intended, at_send }
    }
}

/// Sends one prompt and awaits its whole answer, or gives it up when asked to.
pub(super) async fn send(load: &LoadContext, prepared: PreparedRequest, first_token: Option<oneshot::Sender<()>>) -> HttpExchange {
    let started = load.clock.now();
    let exchange = tokio::select! {
        biased;
        exchange = load.target.send(prepared, first_token) => exchange,
        () = WakeFilter::new(load.stop.aborted(), &load.aborting) => HttpExchange {
            sent: started,
            done: load.clock.now(),
            failure: Some(RequestFailure { kind: FailureKind::Cancelled, detail: "given up when the run was stopped".to_owned() }),
            ..HttpExchange::default()
        },
    };
    load.occupancy.in_flight.fetch_sub(1, Ordering::Relaxed);
    exchange
}
