//! The one part of the engine that waits: a task that lets the engine's time pass with a [`Clock`], takes requests on a channel, and
//! sends each asker its tokens with their exact times. It must not know whether an asker is a socket.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{mpsc, oneshot};

use super::answer::EngineAnswer;
use super::conversation::{ConversationHasher, TokenMemo};
use super::faults::{EngineFault, FaultInjector};
use super::metrics::EngineSnapshot;
use super::presets::EngineParameters;
use super::prompt::BlockHashChain;
use super::scheduler::{ContextLimitError, Engine, EngineRequestId, EngineRequestOutput};
use super::sequence::EngineRequest;
use crate::foundation::clock::{Clock, Micros};
use crate::vocabulary::session::ChatMessage;
use crate::vocabulary::spec::engine::EngineFaultKind;

/// When tokens are handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenDelivery {
    /// Each at its time: for real time.
    EachStep,
    /// An answer's tokens come in batches that span at most this, each token with its own stamp; the first token and the end of an answer
    /// always come at their time. For virtual time, where waking for each token would be most of the work.
    Together(Micros),
}

/// What is asked.
#[derive(Debug)]
pub enum EnginePrompt {
    /// A session's whole conversation so far.
    Conversation { session: u64, messages: Vec<ChatMessage> },
    /// Tokens, whole, in blocks of the engine's size.
    Tokens(BlockHashChain),
}

/// What comes back for one question: `Refused`, or `Accepted` and then `Tokens` until the last.
#[derive(Debug)]
pub enum EngineReply {
    Refused(ContextLimitError),
    Accepted {
        prompt_tokens: u64,
        answer: EngineAnswer,
        /// What the carrier of the answer is to do wrong. With [`EngineFaultKind::Status`] and [`EngineFaultKind::NoToken`] no tokens come.
        fault: Option<EngineFault>,
    },
    Tokens {
        /// When each of them was there.
        stamps: Arc<[Micros]>,
        cached_tokens: u64,
        last: bool,
    },
}

#[derive(Debug)]
enum EngineCommand {
    Ask { ticket: u64, question: EnginePrompt, max_tokens: u32, replies: mpsc::UnboundedSender<EngineReply> },
    GiveUp { ticket: u64 },
    Reset(oneshot::Sender<()>),
    Observe(oneshot::Sender<EngineSnapshot>),
}

/// The way to an engine that is driven by a task. Clones reach the same engine.
#[derive(Debug, Clone)]
pub struct EngineHandle {
    commands: mpsc::UnboundedSender<EngineCommand>,
    tickets: Arc<AtomicU64>,
}

impl EngineHandle {
    /// Asks; the replies come one by one. Dropping the [`EngineReplyReceiver`] gives the question up.
    #[must_use]
    pub fn ask(&self, question: EnginePrompt, max_tokens: u32) -> EngineReplyReceiver {
        let ticket = self.tickets.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = mpsc::unbounded_channel();
        // Where the driver has ended, the sender is dropped with the command, and the replies end at once.
        let _ = self.commands.send(EngineCommand::Ask { ticket, question, max_tokens, replies: sender });
        EngineReplyReceiver { ticket, receiver, commands: self.commands.clone() }
    }

    /// Empties all caches. False where the driver has ended.
    pub async fn reset(&self) -> bool {
        let (sender, done) = oneshot::channel();
        self.commands.send(EngineCommand::Reset(sender)).is_ok() && done.await.is_ok()
    }

    /// What the engine holds now. `None` where the driver has ended.
    pub async fn observe(&self) -> Option<EngineSnapshot> {
        let (sender, snapshot) = oneshot::channel();
        self.commands.send(EngineCommand::Observe(sender)).ok()?;
        snapshot.await.ok()
    }
}

/// The replies to one question.
#[derive(Debug)]
pub struct EngineReplyReceiver {
    ticket: u64,
    receiver: mpsc::UnboundedReceiver<EngineReply>,
    commands: mpsc::UnboundedSender<EngineCommand>,
}

impl EngineReplyReceiver {
    /// The next reply; `None` behind the last, and where the driver has ended.
    pub async fn next(&mut self) -> Option<EngineReply> {
        self.receiver.recv().await
    }

    /// Gives the question up now. What the engine did until now still comes.
    pub fn give_up(&self) {
        let _ = self.commands.send(EngineCommand::GiveUp { ticket: self.ticket });
    }
}

impl Drop for EngineReplyReceiver {
    fn drop(&mut self) {
        self.give_up();
    }
}

/// An engine and the future that drives it: it ends when the last handle and the last [`EngineReplyReceiver`] are gone. The caller owns the task.
pub fn drive(
    parameters: &EngineParameters,
    clock: Clock,
    delivery: TokenDelivery,
    memo: TokenMemo,
) -> (EngineHandle, impl Future<Output = ()> + Send + use<>) {
    let ahead = match delivery {
        TokenDelivery::EachStep => Micros::ZERO,
        TokenDelivery::Together(span) => span,
    };
    let (commands, receiver) = mpsc::unbounded_channel();
    let driver = EngineDriver {
        engine: Engine::new(parameters, ahead),
        clock,
        ahead,
        faults: FaultInjector::new(&parameters.faults),
        conversations: ConversationHasher::new(parameters.block_tokens, memo),
        askers: BTreeMap::new(),
        tickets: BTreeMap::new(),
    };
    (EngineHandle { commands, tickets: Arc::default() }, driver.run(receiver))
}

struct EngineDriver {
    engine: Engine,
    clock: Clock,
    ahead: Micros,
    faults: FaultInjector,
    conversations: ConversationHasher,
    askers: BTreeMap<EngineRequestId, EngineReplySender>,
    tickets: BTreeMap<u64, EngineRequestId>,
}

struct EngineReplySender {
    ticket: u64,
    replies: mpsc::UnboundedSender<EngineReply>,
    /// Something goes wrong after some token, whose time must not be missed.
    step_by_step: bool,
}

impl EngineDriver {
    async fn run(mut self, mut commands: mpsc::UnboundedReceiver<EngineCommand>) {
        loop {
            self.engine.run_to(self.clock.now());
            self.deliver();
            let deadline = self.engine.deadline();
            tokio::select! {
                biased;
                command = commands.recv() => match command {
                    Some(command) => {
                        self.obey(command);
                        while let Ok(command) = commands.try_recv() {
                            self.obey(command);
                        }
                    }
                    None => return,
                },
                () = wait(self.clock, deadline) => {}
            }
        }
    }

    fn obey(&mut self, command: EngineCommand) {
        let now = self.clock.now();
        match command {
            EngineCommand::Ask { ticket, question, max_tokens, replies } => self.take_in(now, ticket, question, max_tokens, replies),
            EngineCommand::GiveUp { ticket } => {
                if let Some(id) = self.tickets.get(&ticket).copied() {
                    self.engine.cancel(now, id);
                    self.deliver();
                    self.forget(id);
                }
            }
            EngineCommand::Reset(done) => {
                self.engine.reset(now);
                let _ = done.send(());
            }
            EngineCommand::Observe(snapshot) => {
                self.engine.run_to(now);
                let _ = snapshot.send(self.engine.snapshot());
            }
        }
    }

    fn take_in(&mut self, now: Micros, ticket: u64, question: EnginePrompt, max_tokens: u32, replies: mpsc::UnboundedSender<EngineReply>) {
        let prompt = match question {
            EnginePrompt::Conversation { session, messages } => self.conversations.prompt(session, &messages),
            EnginePrompt::Tokens(chain) => chain,
        };
        let (prompt_tokens, answer) = (prompt.tokens(), EngineAnswer::to(prompt.fingerprint()));
        if let Err(refusal) = self.engine.check(prompt_tokens, max_tokens) {
            let _ = replies.send(EngineReply::Refused(refusal));
            return;
        }
        let fault = self.faults.strike();
        let _ = replies.send(EngineReply::Accepted { prompt_tokens, answer, fault });
        let kind = fault.map(|fault| fault.kind);
        if matches!(kind, Some(EngineFaultKind::Status | EngineFaultKind::NoToken)) {
            return;
        }
        if let Ok(id) = self.engine.submit(now, EngineRequest { prompt, max_tokens }) {
            let step_by_step = matches!(kind, Some(EngineFaultKind::Stall | EngineFaultKind::Reset | EngineFaultKind::MalformedEvent));
            self.askers.insert(id, EngineReplySender { ticket, replies, step_by_step });
            self.tickets.insert(ticket, id);
            self.look_ahead();
        }
    }

    fn deliver(&mut self) {
        for EngineRequestOutput { id, stamps, cached_tokens, last } in self.engine.take_emissions() {
            if let Some(asker) = self.askers.get(&id) {
                // Where nobody listens any more, a `GiveUp` is on its way.
                let _ = asker.replies.send(EngineReply::Tokens { stamps, cached_tokens, last });
                if last {
                    self.forget(id);
                }
            }
        }
    }

    fn forget(&mut self, id: EngineRequestId) {
        if let Some(asker) = self.askers.remove(&id) {
            self.tickets.remove(&asker.ticket);
            self.look_ahead();
        }
    }

    fn look_ahead(&mut self) {
        let step_by_step = self.askers.values().any(|asker| asker.step_by_step);
        self.engine.set_ahead(if step_by_step { Micros::ZERO } else { self.ahead });
    }
}

async fn wait(clock: Clock, deadline: Option<Micros>) {
    match deadline {
        Some(deadline) => clock.sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
