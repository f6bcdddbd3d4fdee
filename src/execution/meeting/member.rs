//! A client of a meeting that does not lead: comes to rank 0, answers what time it is, and hands words to and fro.

use std::time::Duration;

use serde_json::value::RawValue;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::MeetingLimits;
use super::address::MeetingAddress;
use super::error::MeetingError;
use super::frames::{FrameReader, LeaderFrame, OutgoingFrame, write_all};
use super::handshake::{ClientIdentity, EntryError, GREETING_WITHIN, enter};
use super::leader::runtime;
use super::token::MeetingToken;
use crate::foundation::clock::Clock;
use crate::foundation::units::Seconds;

/// Between two attempts to come to a leader that is not there yet.
const TRIES_EVERY: Duration = Duration::from_millis(100);
const LEAVES_WITHIN: Duration = Duration::from_secs(2);

/// What is heard of the leader.
#[derive(Debug)]
pub enum LeaderNews {
    Word(Box<RawValue>),
    /// The meeting is over; with a reason where it should not be.
    Over(Option<String>),
    /// Nothing more will come, and why.
    Lost(String),
}

/// The way to the leader.
#[derive(Debug, Clone)]
pub struct LeaderLine(Option<mpsc::UnboundedSender<OutgoingFrame>>);

impl LeaderLine {
    /// Sends a word; where the leader is lost, that is heard of elsewhere.
    pub fn send(&self, word: Box<RawValue>) {
        if let Some(outgoing) = &self.0 {
            let _ = outgoing.send(OutgoingFrame::Word(word));
        }
    }
}

/// The meeting as one of the other clients sees it.
#[derive(Debug)]
pub struct MeetingMember {
    clock: Clock,
    outgoing: Option<mpsc::UnboundedSender<OutgoingFrame>>,
    heard: mpsc::UnboundedReceiver<LeaderNews>,
    writing: JoinSet<()>,
    _reading: JoinSet<()>,
    runtime: Option<Runtime>,
}

impl MeetingMember {
    /// Comes to the leader, and waits for it where it is not there yet.
    ///
    /// # Errors
    /// Where it does not come or does not let this client in.
    pub fn join(
        address: &MeetingAddress,
        mine: &ClientIdentity,
        token: &MeetingToken,
        limits: MeetingLimits,
        stop: &CancellationToken,
    ) -> Result<Self, MeetingError> {
        let runtime = runtime()?;
        let mut last = "nobody listens there".to_owned();
        let entered = runtime.block_on(async {
            tokio::select! {
                biased;
                () = stop.cancelled() => Err(MeetingError::Stopped),
                entered = knock(address, token, mine, &mut last) => {
                    entered.map_err(|reason| MeetingError::Refused { address: address.clone(), reason })
                }
                () = tokio::time::sleep(limits.gather) => {
                    Err(MeetingError::NotReached { address: address.clone(), within: Seconds(limits.gather.as_secs_f64()), last: String::new() })
                }
            }
        });
        let (reader, writer) = entered.map_err(|error| match error {
            MeetingError::NotReached { address, within, .. } => MeetingError::NotReached { address, within, last },
            error => error,
        })?;
        let clock = Clock::real();
        let (outgoing, asked) = mpsc::unbounded_channel();
        let (tell, heard) = mpsc::unbounded_channel();
        let (mut writing, mut reading) = (JoinSet::new(), JoinSet::new());
        writing.spawn_on(write_all(writer, asked, clock), runtime.handle());
        reading.spawn_on(hear(reader, limits.silence, outgoing.downgrade(), tell), runtime.handle());
        Ok(Self { clock, outgoing: Some(outgoing), heard, writing, _reading: reading, runtime: Some(runtime) })
    }

    /// The clock that the leader measures the offset of.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// What words go to the leader by. Leaving waits until it is dropped.
    #[must_use]
    pub fn line(&self) -> LeaderLine {
        LeaderLine(self.outgoing.clone())
    }

    /// What is heard next. May be given up and asked again.
    pub async fn heard(&mut self) -> LeaderNews {
        match self.heard.recv().await {
            Some(news) => news,
            // It has been told before.
            None => std::future::pending().await,
        }
    }

    /// Waits until all has been sent, and leaves.
    pub fn leave(mut self) {
        self.outgoing = None;
        let Some(runtime) = self.runtime.take() else { return };
        let writing = &mut self.writing;
        let _ =
            runtime.block_on(async { tokio::time::timeout(LEAVES_WITHIN, async { while writing.join_next().await.is_some() {} }).await });
        runtime.shutdown_background();
    }
}

impl Drop for MeetingMember {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Tries until it is let in or refused; `last` says what came of the last attempt.
async fn knock(
    address: &MeetingAddress,
    token: &MeetingToken,
    mine: &ClientIdentity,
    last: &mut String,
) -> Result<(FrameReader, OwnedWriteHalf), String> {
    loop {
        let coming = async {
            let addresses = address.resolved().await.map_err(|error| EntryError::Passing(error.to_string()))?;
            let stream = TcpStream::connect(addresses.as_slice()).await.map_err(|error| EntryError::Passing(error.to_string()))?;
            enter(stream, token, mine).await
        };
        match tokio::time::timeout(GREETING_WITHIN, coming).await {
            Ok(Ok(entered)) => return Ok(entered),
            Ok(Err(EntryError::Refused(reason))) => return Err(reason),
            Ok(Err(EntryError::Passing(reason))) => *last = reason,
            Err(_elapsed) => "it does not answer".clone_into(last),
        }
        tokio::time::sleep(TRIES_EVERY).await;
    }
}

/// Hears the leader, and answers what time it is.
async fn hear(
    mut reader: FrameReader,
    silence: Duration,
    outgoing: mpsc::WeakUnboundedSender<OutgoingFrame>,
    tell: mpsc::UnboundedSender<LeaderNews>,
) {
    loop {
        let news = match reader.next_within(silence).await {
            Ok(LeaderFrame::Ping { sent }) => {
                if let Some(outgoing) = outgoing.upgrade() {
                    let _ = outgoing.send(OutgoingFrame::Pong { sent });
                }
                continue;
            }
            Ok(LeaderFrame::Word(word)) => LeaderNews::Word(word),
            Ok(LeaderFrame::Over { reason }) => LeaderNews::Over(reason),
            Err(error) => LeaderNews::Lost(error.to_string()),
        };
        let is_last = !matches!(news, LeaderNews::Word(_));
        if tell.send(news).is_err() || is_last {
            return;
        }
    }
}
