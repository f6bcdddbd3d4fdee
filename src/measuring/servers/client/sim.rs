//! The simulated engine as a target, in memory: no sockets, so that it works in virtual time. Stamps are the engine's own.
//!
//! The engine has the request at the moment it is sent, and answers with a role-only event at once: `headers` and `first_event` equal
//! `sent`. Every token is an event of its own. Prompts are counted under the simulated chat template, whatever the target's `api`.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::HttpExchange;
use super::body::RequestBody;
use super::deadline::{RequestDeadline, RequestTimeouts};
use super::prepared::PreparedRequest;
use crate::foundation::clock::{Clock, Micros};
use crate::records::record::{FailureKind, RequestFailure, TokenUsage};
use crate::simulation::engine::driver::{EngineHandle, EnginePrompt, EngineReply, EngineReplyReceiver, TokenDelivery, drive};
use crate::simulation::engine::{EngineAnswer, EngineFault, EngineParameters, EngineSnapshot, TokenMemo};
use crate::vocabulary::session::Prompt;
use crate::vocabulary::spec::engine::EngineFaultKind;
use crate::vocabulary::spec::target::TargetSpec;

/// A simulated engine, which begins with empty caches and lives as long as the last clone of this.
#[derive(Debug, Clone)]
pub struct SimTarget {
    clock: Clock,
    engine: EngineHandle,
    limits: RequestTimeouts,
    /// Owns the engine's task: dropping it ends the task.
    _driver: Arc<JoinSet<()>>,
}

impl SimTarget {
    /// Starts an engine on the current runtime. `memo` may be shared between the cells of a sweep, which saves reading the same
    /// documents again.
    #[must_use]
    pub fn start(spec: &TargetSpec, parameters: &EngineParameters, clock: Clock, memo: TokenMemo) -> Self {
        // Tokens that come together must not look like a stall.
        let span = Micros::from_secs_f64(spec.idle_timeout.0 / 2.0);
        let delivery = if clock.is_virtual() { TokenDelivery::Together(span) } else { TokenDelivery::EachStep };
        let (engine, driving) = drive(parameters, clock, delivery, memo);
        let mut driver = JoinSet::new();
        driver.spawn(driving);
        Self { clock, engine, limits: RequestTimeouts::new(spec), _driver: Arc::new(driver) }
    }

    /// Empties all caches.
    pub async fn reset(&self) {
        self.engine.reset().await;
    }

    /// What the engine holds now, and its counters.
    pub async fn observe(&self) -> EngineSnapshot {
        self.engine.observe().await.unwrap_or_default()
    }

    /// There is nothing to do before a prompt is due: the engine takes it as it is.
    pub(super) fn prepare(prompt: Prompt) -> PreparedRequest {
        PreparedRequest { prompt, body: RequestBody::default(), leaves_after: None }
    }

    /// Sends one prompt and brings back what came of it. `first_token` is told at the first token, and dropped where none comes.
    pub(super) async fn send(&self, prepared: PreparedRequest, first_token: Option<oneshot::Sender<()>>) -> HttpExchange {
        let prompt = prepared.prompt;
        let sent = self.clock.now();
        let question = EnginePrompt::Conversation { session: prompt.session, messages: prompt.messages };
        let mut hearing = SimExchange {
            clock: self.clock,
            limits: self.limits.leaving(prepared.leaves_after),
            replies: self.engine.ask(question, prompt.max_tokens),
            first_token,
            exchange: HttpExchange { sent, ..HttpExchange::default() },
        };
        let failure = hearing.listen().await.err();
        let mut exchange = hearing.exchange;
        exchange.first_event_tokens = (!exchange.token_events.is_empty()).then_some(1);
        exchange.first_answer = exchange.token_events.first().copied();
        exchange.done = match (&failure, exchange.token_events.last()) {
            (None, Some(last)) => *last,
            _ => self.clock.now(),
        };
        exchange.failure = failure;
        exchange
    }
}

/// One exchange while it lasts.
struct SimExchange {
    clock: Clock,
    limits: RequestTimeouts,
    replies: EngineReplyReceiver,
    first_token: Option<oneshot::Sender<()>>,
    exchange: HttpExchange,
}

impl SimExchange {
    async fn listen(&mut self) -> Result<(), RequestFailure> {
        let (prompt_tokens, answer, fault) = self.acceptance().await?;
        let end = self.tokens(fault).await;
        let tokens = self.exchange.token_events.len() as u64;
        self.exchange.answer = answer.with_fault(fault, end.as_ref().copied().unwrap_or(0)).text(tokens);
        // A stream that ends in order tells its usage, tokens or not.
        let cached_tokens = match &end {
            Ok(cached_tokens) => Some(*cached_tokens),
            Err(failure) => (failure.kind == FailureKind::NoToken).then_some(0),
        };
        self.exchange.usage = cached_tokens
            .filter(|_| fault.is_none_or(|fault| fault.kind != EngineFaultKind::NoUsage))
            .map(|cached| TokenUsage { prompt_tokens, output_tokens: tokens, reasoning_tokens: None, cached_tokens: Some(cached) });
        end.map(|_| ())
    }

    async fn acceptance(&mut self) -> Result<(u64, EngineAnswer, Option<EngineFault>), RequestFailure> {
        let sent = self.exchange.sent;
        match self.replies.next().await {
            Some(EngineReply::Accepted { prompt_tokens, answer, fault }) => {
                self.exchange.headers = Some(sent);
                if let Some(EngineFault { kind: EngineFaultKind::Status, status, .. }) = fault {
                    return Err(failure(FailureKind::Http(status), "a fault made on purpose"));
                }
                self.exchange.first_event = Some(sent);
                Ok((prompt_tokens, answer, fault))
            }
            Some(EngineReply::Refused(refusal)) => {
                self.exchange.headers = Some(sent);
                Err(failure(FailureKind::Http(400), &refusal.to_string()))
            }
            Some(EngineReply::Tokens { .. }) | None => Err(stopped()),
        }
    }

    /// Takes tokens up to the last, or up to what goes wrong. The tokens that came from a cache.
    async fn tokens(&mut self, fault: Option<EngineFault>) -> Result<u64, RequestFailure> {
        let strikes = |tokens: u64, kind| fault.is_some_and(|fault| fault.kind == kind && tokens >= fault.after_tokens);
        loop {
            let tokens = self.exchange.token_events.len() as u64;
            if strikes(0, EngineFaultKind::NoToken) {
                return Err(failure(FailureKind::NoToken, "the stream ended in order and brought no token"));
            }
            if strikes(tokens, EngineFaultKind::Reset) {
                return Err(failure(FailureKind::ResetMidStream, "the connection was reset"));
            }
            if strikes(tokens, EngineFaultKind::MalformedEvent) {
                return Err(failure(FailureKind::MalformedStream, "an event is no JSON"));
            }
            let deadline = self.deadline();
            if strikes(tokens, EngineFaultKind::Stall) {
                self.clock.sleep_until(deadline.at).await;
                return Err(deadline.missed());
            }
            match self.clock.before(deadline.at, self.replies.next()).await {
                Some(Some(EngineReply::Tokens { stamps, cached_tokens, last })) => {
                    self.note(&stamps);
                    if last {
                        return Ok(cached_tokens);
                    }
                }
                Some(_) => return Err(stopped()),
                None => {
                    self.take_what_is_left().await;
                    return Err(deadline.missed());
                }
            }
        }
    }

    fn note(&mut self, stamps: &[Micros]) {
        if let Some(first_token) = self.first_token.take() {
            // Whoever wanted to know may have gone.
            let _ = first_token.send(());
        }
        self.exchange.token_events.extend_from_slice(stamps);
    }

    /// Tokens that were there before the limit, but not handed over yet.
    async fn take_what_is_left(&mut self) {
        self.replies.give_up();
        while let Some(reply) = self.replies.next().await {
            if let EngineReply::Tokens { stamps, .. } = reply {
                self.note(&stamps);
            }
        }
    }

    fn deadline(&self) -> RequestDeadline {
        let sent = self.exchange.sent;
        match self.exchange.token_events.last() {
            None => self.limits.before_first_token(sent),
            Some(last) => self.limits.after_event(sent, *last),
        }
    }
}

fn failure(kind: FailureKind, detail: &str) -> RequestFailure {
    RequestFailure { kind, detail: detail.to_owned() }
}

fn stopped() -> RequestFailure {
    failure(FailureKind::Cancelled, "the simulated engine has been stopped")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foundation::clock::virtual_runtime;
    use crate::servers::client::Target;
    use crate::vocabulary::session::{ChatMessage, MessageRole};
    use crate::vocabulary::spec::engine::{EnginePreset, EngineSpec, FaultSpec};

    fn prompt(session: u64, messages: Vec<ChatMessage>, max_tokens: u32) -> Prompt {
        Prompt { session, turn: 0, messages, max_tokens, exact_length: false, user_id: None }
    }

    /// 993 words: with the template, a prompt of 1,000 tokens.
    fn thousand(session: u64, max_tokens: u32) -> Prompt {
        let text = format!("session {session}{}", " word".repeat(991));
        prompt(session, vec![ChatMessage::new(MessageRole::User, text)], max_tokens)
    }

    /// Runs in virtual time against a tiny engine with these faults and limits.
    fn meet<F: Future>(faults: Vec<FaultSpec>, limits: &str, body: impl FnOnce(Target) -> F) -> F::Output {
        let parameters = EngineParameters::resolve(&EngineSpec { preset: EnginePreset::Tiny, faults, ..EngineSpec::default() }, 0).unwrap();
        let spec: TargetSpec = toml::from_str(limits).unwrap();
        virtual_runtime().unwrap().block_on(async {
            let target = SimTarget::start(&spec, &parameters, Clock::simulated(), TokenMemo::default());
            body(Target::Sim(target)).await
        })
    }

    fn failing(kind: EngineFaultKind, after_tokens: u32) -> HttpExchange {
        let fault = FaultSpec { kind, every: 1, status: (kind == EngineFaultKind::Status).then_some(503), after_tokens };
        meet(vec![fault], "idle_timeout = '1s'", |target| async move { target.exchange(thousand(1, 10), None).await })
    }

    #[test]
    fn an_exchange_has_the_engine_s_own_stamps_and_counts() {
        let exchange = meet(vec![], "", |target| async move { target.exchange(thousand(1, 3), None).await });
        assert_eq!((exchange.sent, exchange.first_event), (Micros(0), Some(Micros(0))));
        assert_eq!(exchange.token_events, [Micros(12_001), Micros(13_111), Micros(14_221)]);
        assert_eq!((exchange.done, exchange.first_event_tokens), (Micros(14_221), Some(1)));
        assert_eq!(
            exchange.usage,
            Some(TokenUsage { prompt_tokens: 1000, output_tokens: 3, reasoning_tokens: None, cached_tokens: Some(0) })
        );
        assert_eq!(crate::simulation::engine::tokenizer::count(&exchange.answer), 3);
        assert_eq!(exchange.failure, None);
    }

    #[test]
    fn the_second_turn_finds_the_first_and_its_answer_in_the_cache() {
        let second = meet(vec![], "", |target| async move {
            let first = thousand(1, 24);
            let mut messages = first.messages.clone();
            let answer = target.exchange(first, None).await.answer;
            messages.extend([ChatMessage::new(MessageRole::Assistant, answer), ChatMessage::new(MessageRole::User, "why?")]);
            target.exchange(prompt(1, messages, 1), None).await
        });
        // The prompt's 1,000 tokens and 23 of the answer's 24 were computed: 63 blocks of 16.
        let usage = second.usage.unwrap();
        assert_eq!((usage.prompt_tokens, usage.cached_tokens), (1000 - 3 + 28 + 6 + 3, Some(1008)));
    }

    #[test]
    fn the_first_token_is_told_at_its_time_though_tokens_come_together() {
        let (told, exchange) = meet(vec![], "", |target| async move {
            let (sender, told) = oneshot::channel();
            let clock = match &target {
                Target::Sim(sim) => sim.clock,
                Target::Http(_) => unreachable!(),
            };
            let told = async { told.await.map(|()| clock.now()) };
            tokio::join!(told, target.exchange(thousand(1, 500), Some(sender)))
        });
        assert_eq!(told, Ok(Micros(12_001)));
        assert_eq!(exchange.token_events.len(), 500);
    }

    #[test]
    fn every_fault_on_request_is_the_failure_it_stands_for() {
        for (kind, after_tokens, failure, tokens, done) in [
            (EngineFaultKind::Status, 0, FailureKind::Http(503), 0, 0),
            (EngineFaultKind::NoToken, 0, FailureKind::NoToken, 0, 0),
            (EngineFaultKind::Reset, 3, FailureKind::ResetMidStream, 3, 14_221),
            (EngineFaultKind::MalformedEvent, 1, FailureKind::MalformedStream, 1, 12_001),
            (EngineFaultKind::Stall, 2, FailureKind::TimeoutIdle, 2, 1_013_111),
            (EngineFaultKind::Stall, 0, FailureKind::TimeoutFirstToken, 0, 300_000_000),
        ] {
            let exchange = failing(kind, after_tokens);
            assert_eq!(exchange.failure.map(|failure| failure.kind), Some(failure));
            assert_eq!((exchange.token_events.len(), exchange.done), (tokens, Micros(done)), "{kind:?}");
            assert_eq!(exchange.usage.is_some(), kind == EngineFaultKind::NoToken, "a stream that ends in order tells its usage");
        }
        let exchange = failing(EngineFaultKind::NoUsage, 0);
        assert_eq!((exchange.failure, exchange.usage, exchange.token_events.len()), (None, None, 10));
    }

    #[test]
    fn limits_end_an_exchange_at_their_time_with_the_tokens_that_were_there() {
        let limits = "total_timeout = '20ms'";
        let exchange = meet(vec![], limits, |target| async move { target.exchange(thousand(1, 100), None).await });
        assert_eq!(exchange.failure.map(|failure| failure.kind), Some(FailureKind::TimeoutTotal));
        assert_eq!((exchange.done, exchange.token_events.len()), (Micros(20_000), 8));
        let limits = "first_token_timeout = '12ms'";
        let exchange = meet(vec![], limits, |target| async move { target.exchange(thousand(1, 100), None).await });
        assert_eq!(exchange.failure.map(|failure| failure.kind), Some(FailureKind::TimeoutFirstToken));
    }

    #[test]
    fn tokens_that_come_together_are_never_taken_for_a_stall() {
        let limits = "idle_timeout = '3ms'";
        let exchange = meet(vec![], limits, |target| async move { target.exchange(thousand(1, 300), None).await });
        assert_eq!((exchange.failure, exchange.token_events.len()), (None, 300));
    }

    #[test]
    fn a_prompt_too_long_for_the_engine_is_status_400() {
        let exchange = meet(vec![], "", |target| async move { target.exchange(thousand(1, 40_000), None).await });
        assert_eq!(exchange.failure.map(|failure| failure.kind), Some(FailureKind::Http(400)));
    }

    #[test]
    fn an_exchange_that_is_dropped_frees_the_engine() {
        let (snapshot, exchange) = meet(vec![], "", |target| async move {
            let Target::Sim(sim) = &target else { unreachable!() };
            assert!(sim.clock.before(Micros(15_000), target.exchange(thousand(1, 5000), None)).await.is_none());
            (sim.observe().await, target.exchange(thousand(2, 1), None).await)
        });
        assert_eq!((snapshot.running, snapshot.counters.aborted), (0, 1));
        // The step under way when the first was given up ends at 15,331.
        assert_eq!(exchange.token_events, [Micros(15_331 + 12_001)]);
    }
}
