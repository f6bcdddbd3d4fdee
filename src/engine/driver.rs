//! The one part of the engine that waits: a task that lets the engine's time pass with a [`Clock`], takes requests on a channel, and
//! sends each asker its tokens with their exact times. It must not know whether an asker is a socket.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{mpsc, oneshot};

use super::answer::Answer;
use super::conversation::{Conversations, TokenMemo};
use super::faults::{Fault, Faults};
use super::metrics::Snapshot;
use super::presets::EngineParameters;
use super::prompt::Chain;
use super::scheduler::{Emission, Engine, RequestId, TooLong};
use super::sequence::Request;
use super::spec::FaultKind;
use crate::clock::{Clock, Micros};
use crate::session::Message;

/// When tokens are handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Each at its time: for real time.
    EachStep,
    /// An answer's tokens come in batches that span at most this, each token with its own stamp; the first token and the end of an answer
    /// always come at their time. For virtual time, where waking for each token would be most of the work.
    Together(Micros),
}

/// What is asked.
#[derive(Debug)]
pub enum Question {
    /// A session's whole conversation so far.
    Conversation { session: u64, messages: Vec<Message> },
    /// Tokens, whole, in blocks of the engine's size.
    Tokens(Chain),
}

/// What comes back for one question: `Refused`, or `Accepted` and then `Tokens` until the last.
#[derive(Debug)]
pub enum Reply {
    Refused(TooLong),
    Accepted {
        prompt_tokens: u64,
        answer: Answer,
        /// What the carrier of the answer is to do wrong. With [`FaultKind::Status`] and [`FaultKind::NoToken`] no tokens come.
        fault: Option<Fault>,
    },
    Tokens {
        /// When each of them was there.
        stamps: Arc<[Micros]>,
        cached_tokens: u64,
        last: bool,
    },
}

#[derive(Debug)]
enum Command {
    Ask { ticket: u64, question: Question, max_tokens: u32, replies: mpsc::UnboundedSender<Reply> },
    GiveUp { ticket: u64 },
    Reset(oneshot::Sender<()>),
    Observe(oneshot::Sender<Snapshot>),
}

/// The way to an engine that is driven by a task. Clones reach the same engine.
#[derive(Debug, Clone)]
pub struct EngineHandle {
    commands: mpsc::UnboundedSender<Command>,
    tickets: Arc<AtomicU64>,
}

impl EngineHandle {
    /// Asks; the replies come one by one. Dropping the [`Replies`] gives the question up.
    #[must_use]
    pub fn ask(&self, question: Question, max_tokens: u32) -> Replies {
        let ticket = self.tickets.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = mpsc::unbounded_channel();
        // Where the driver has ended, the sender is dropped with the command, and the replies end at once.
        let _ = self.commands.send(Command::Ask { ticket, question, max_tokens, replies: sender });
        Replies { ticket, receiver, commands: self.commands.clone() }
    }

    /// Empties all caches. False where the driver has ended.
    pub async fn reset(&self) -> bool {
        let (sender, done) = oneshot::channel();
        self.commands.send(Command::Reset(sender)).is_ok() && done.await.is_ok()
    }

    /// What the engine holds now. `None` where the driver has ended.
    pub async fn observe(&self) -> Option<Snapshot> {
        let (sender, snapshot) = oneshot::channel();
        self.commands.send(Command::Observe(sender)).ok()?;
        snapshot.await.ok()
    }
}

/// The replies to one question.
#[derive(Debug)]
pub struct Replies {
    ticket: u64,
    receiver: mpsc::UnboundedReceiver<Reply>,
    commands: mpsc::UnboundedSender<Command>,
}

impl Replies {
    /// The next reply; `None` behind the last, and where the driver has ended.
    pub async fn next(&mut self) -> Option<Reply> {
        self.receiver.recv().await
    }

    /// Gives the question up now. What the engine did until now still comes.
    pub fn give_up(&self) {
        let _ = self.commands.send(Command::GiveUp { ticket: self.ticket });
    }
}

impl Drop for Replies {
    fn drop(&mut self) {
        self.give_up();
    }
}

/// An engine and the future that drives it: it ends when the last handle and the last [`Replies`] are gone. The caller owns the task.
pub fn drive(
    parameters: &EngineParameters,
    clock: Clock,
    delivery: Delivery,
    memo: TokenMemo,
) -> (EngineHandle, impl Future<Output = ()> + Send + use<>) {
    let ahead = match delivery {
        Delivery::EachStep => Micros::ZERO,
        Delivery::Together(span) => span,
    };
    let (commands, receiver) = mpsc::unbounded_channel();
    let driver = Driver {
        engine: Engine::new(parameters, ahead),
        clock,
        ahead,
        faults: Faults::new(&parameters.faults),
        conversations: Conversations::new(parameters.block_tokens, memo),
        askers: BTreeMap::new(),
        tickets: BTreeMap::new(),
    };
    (EngineHandle { commands, tickets: Arc::default() }, driver.run(receiver))
}

struct Driver {
    engine: Engine,
    clock: Clock,
    ahead: Micros,
    faults: Faults,
    conversations: Conversations,
    askers: BTreeMap<RequestId, Asker>,
    tickets: BTreeMap<u64, RequestId>,
}

struct Asker {
    ticket: u64,
    replies: mpsc::UnboundedSender<Reply>,
    /// Something goes wrong after some token, whose time must not be missed.
    step_by_step: bool,
}

impl Driver {
    async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
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

    fn obey(&mut self, command: Command) {
        let now = self.clock.now();
        match command {
            Command::Ask { ticket, question, max_tokens, replies } => self.take_in(now, ticket, question, max_tokens, replies),
            Command::GiveUp { ticket } => {
                if let Some(id) = self.tickets.get(&ticket).copied() {
                    self.engine.cancel(now, id);
                    self.deliver();
                    self.forget(id);
                }
            }
            Command::Reset(done) => {
                self.engine.reset(now);
                let _ = done.send(());
            }
            Command::Observe(snapshot) => {
                self.engine.run_to(now);
                let _ = snapshot.send(self.engine.snapshot());
            }
        }
    }

    fn take_in(&mut self, now: Micros, ticket: u64, question: Question, max_tokens: u32, replies: mpsc::UnboundedSender<Reply>) {
        let prompt = match question {
            Question::Conversation { session, messages } => self.conversations.prompt(session, &messages),
            Question::Tokens(chain) => chain,
        };
        let (prompt_tokens, answer) = (prompt.tokens(), Answer::to(prompt.fingerprint()));
        if let Err(refusal) = self.engine.check(prompt_tokens, max_tokens) {
            let _ = replies.send(Reply::Refused(refusal));
            return;
        }
        let fault = self.faults.strike();
        let _ = replies.send(Reply::Accepted { prompt_tokens, answer, fault });
        let kind = fault.map(|fault| fault.kind);
        if matches!(kind, Some(FaultKind::Status | FaultKind::NoToken)) {
            return;
        }
        if let Ok(id) = self.engine.submit(now, Request { prompt, max_tokens }) {
            let step_by_step = matches!(kind, Some(FaultKind::Stall | FaultKind::Reset | FaultKind::MalformedEvent));
            self.askers.insert(id, Asker { ticket, replies, step_by_step });
            self.tickets.insert(ticket, id);
            self.look_ahead();
        }
    }

    fn deliver(&mut self) {
        for Emission { id, stamps, cached_tokens, last } in self.engine.take_emissions() {
            if let Some(asker) = self.askers.get(&id) {
                // Where nobody listens any more, a `GiveUp` is on its way.
                let _ = asker.replies.send(Reply::Tokens { stamps, cached_tokens, last });
                if last {
                    self.forget(id);
                }
            }
        }
    }

    fn forget(&mut self, id: RequestId) {
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
