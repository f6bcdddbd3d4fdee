//! Rank 0 of a meeting: lets the others in, asks them for their time again and again, and notes who is lost.
//!
//! In: words for members. Out: words of members, their clocks, and who is gone and why. Connections have a thread of their own, whatever the load does.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::MeetingLimits;
use super::address::MeetingAddress;
use super::error::MeetingError;
use super::frames::{FrameReader, MemberFrame, OutgoingFrame, write_all};
use super::handshake::{AdmissionError, ClientIdentity, GREETING_WITHIN, OpenConnection, admit};
use super::token::MeetingToken;
use crate::foundation::clock::Clock;
use crate::foundation::units::Seconds;
use crate::records::record::ClockOffset;

/// Strangers that are heard out at one time.
const STRANGERS: usize = 64;
/// Refusals that are told.
const REFUSALS: usize = 5;
/// How many questions a clock is measured by, and for how long they may be asked once one is answered.
const QUESTIONS: u32 = 16;
const MEASURED_WITHIN: Duration = Duration::from_millis(30);
/// How long last words may take.
const LEAVES_WITHIN: Duration = Duration::from_secs(2);

/// What is heard of a member.
#[derive(Debug)]
pub enum MemberNews {
    Word(Box<RawValue>),
    /// Nothing more will come, and why.
    Lost(String),
}

/// A place where clients can come together, before they have.
#[derive(Debug)]
pub struct MeetingListener {
    listener: TcpListener,
    address: MeetingAddress,
    mine: ClientIdentity,
    token: MeetingToken,
    limits: MeetingLimits,
    runtime: Runtime,
}

/// The meeting of all clients, as rank 0 sees it.
#[derive(Debug)]
pub struct MeetingLeader {
    clock: Clock,
    members: BTreeMap<u32, MemberLine>,
    heard: mpsc::UnboundedReceiver<(u32, MemberNews)>,
    lines: ConnectionTasks,
    runtime: Option<Runtime>,
}

/// The line to a member.
#[derive(Debug)]
struct MemberLine {
    host: String,
    outgoing: mpsc::UnboundedSender<OutgoingFrame>,
    probe: watch::Sender<ClockProbe>,
}

/// The ways to all members.
#[derive(Debug, Clone)]
pub struct MemberLines(Vec<mpsc::UnboundedSender<OutgoingFrame>>);

impl MemberLines {
    /// Sends a word to each; of one that is lost is heard elsewhere.
    pub fn send_all(&self, word: &RawValue) {
        for line in &self.0 {
            let _ = line.send(OutgoingFrame::Word(word.to_owned()));
        }
    }
}

/// What is known of a member's clock since it was last to be measured.
#[derive(Debug, Clone, Copy, Default)]
struct ClockProbe {
    best: Option<ClockOffset>,
    /// Questions that are still to be asked.
    left: u32,
}

impl MeetingListener {
    /// Listens at the address, or at every address of this machine where that is not one of them: the others may see it under another.
    ///
    /// # Errors
    /// Where it cannot.
    pub fn listen(
        address: &MeetingAddress,
        mine: ClientIdentity,
        token: MeetingToken,
        limits: MeetingLimits,
    ) -> Result<Self, MeetingError> {
        let runtime = runtime()?;
        let listener = runtime.block_on(bind(address)).map_err(|source| MeetingError::Listen { address: address.clone(), source })?;
        let port = listener.local_addr()?.port();
        Ok(Self { listener, address: address.with_port(port), mine, token, limits, runtime })
    }

    /// With the port that was taken.
    #[must_use]
    pub fn address(&self) -> &MeetingAddress {
        &self.address
    }

    /// Waits until all have come.
    ///
    /// # Errors
    /// Where one does not come in time, is of another version or plans something else, or is gone again; those who came are told.
    pub fn gather(self, stop: &CancellationToken) -> Result<MeetingLeader, MeetingError> {
        let Self { listener, address, mine, token, limits, runtime } = self;
        let (tell, heard) = mpsc::unbounded_channel();
        let (handle, clock) = (runtime.handle().clone(), Clock::real());
        let (members, lines) = (BTreeMap::new(), ConnectionTasks::default());
        let mut leader = MeetingLeader { clock, members, heard, lines, runtime: Some(runtime) };
        let clients = mine.clients;
        let mut refused = Vec::new();
        let gathered = handle.block_on(async {
            tokio::select! {
                biased;
                () = stop.cancelled() => Err(MeetingError::Stopped),
                taken = leader.take_in(&listener, &mine, &token, limits, &tell, &mut refused) => taken,
                () = tokio::time::sleep(limits.gather) => Err(MeetingError::Missing {
                    missing: Vec::new(),
                    clients,
                    address,
                    within: Seconds(limits.gather.as_secs_f64()),
                    refused: Vec::new(),
                }),
            }
        });
        let error = match gathered {
            Ok(()) => return Ok(leader),
            Err(MeetingError::Missing { clients, address, within, .. }) => {
                let missing = (1..clients).filter(|rank| !leader.members.contains_key(rank)).collect();
                MeetingError::Missing { missing, clients, address, within, refused }
            }
            Err(error) => error,
        };
        leader.close(Some(&error.to_string()));
        Err(error)
    }
}

/// The tasks of all connections.
#[derive(Debug, Default)]
struct ConnectionTasks {
    writers: JoinSet<()>,
    readers: JoinSet<()>,
}

impl MeetingLeader {
    /// Lets all in who can take part.
    async fn take_in(
        &mut self,
        listener: &TcpListener,
        mine: &ClientIdentity,
        token: &MeetingToken,
        limits: MeetingLimits,
        tell: &mpsc::UnboundedSender<(u32, MemberNews)>,
        refused: &mut Vec<String>,
    ) -> Result<(), MeetingError> {
        let mut strangers = JoinSet::new();
        while self.members.len() + 1 < mine.clients as usize {
            tokio::select! {
                Some((rank, MemberNews::Lost(reason))) = self.heard.recv() => return Err(MeetingError::Lost { rank, reason }),
                accepted = listener.accept(), if strangers.len() < STRANGERS => {
                    // Of one who is gone already there is nothing to tell.
                    if let Ok((stream, peer)) = accepted {
                        strangers.spawn(heard_out(stream, peer, token.clone(), mine.clone()));
                    }
                }
                Some(Ok((peer, admitted))) = strangers.join_next() => match admitted {
                    Ok(connection) => self.let_in(connection, limits, tell).await?,
                    Err(AdmissionError::Unfit { identity, reason }) => return Err(unfit(&identity, reason)),
                    Err(AdmissionError::Stranger(reason)) if refused.len() < REFUSALS => refused.push(format!("{peer}: {reason}")),
                    Err(AdmissionError::Stranger(_)) => {}
                },
            }
        }
        Ok(())
    }

    async fn let_in(
        &mut self,
        mut connection: OpenConnection,
        limits: MeetingLimits,
        tell: &mpsc::UnboundedSender<(u32, MemberNews)>,
    ) -> Result<(), MeetingError> {
        let rank = connection.identity.rank;
        if self.members.contains_key(&rank) {
            let reason = format!("there is a client of rank {rank} already");
            connection.refuse(&reason).await;
            return Err(unfit(&connection.identity, reason));
        }
        connection.welcome().await.map_err(|error| MeetingError::Lost { rank, reason: error.to_string() })?;
        let OpenConnection { identity, reader, writer, .. } = connection;
        let (outgoing, asked) = mpsc::unbounded_channel();
        let (probe, _) = watch::channel(ClockProbe::default());
        self.lines.writers.spawn(write_all(writer, asked, self.clock));
        let line = LineReader { reader, clock: self.clock, silence: limits.silence, probe: probe.clone(), outgoing: outgoing.downgrade() };
        self.lines.readers.spawn(line.hear(rank, tell.clone()));
        self.lines.readers.spawn(ask(outgoing.downgrade(), limits.heartbeat()));
        self.members.insert(rank, MemberLine { host: identity.host, outgoing, probe });
        Ok(())
    }

    /// The ranks of the members, and the hosts they are on.
    pub fn members(&self) -> impl Iterator<Item = (u32, &str)> {
        self.members.iter().map(|(rank, line)| (*rank, line.host.as_str()))
    }

    /// The clock that offsets are from.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Sends a word to a member. To one that is lost nothing is sent, which is heard of elsewhere.
    pub fn send(&self, rank: u32, word: Box<RawValue>) {
        if let Some(line) = self.members.get(&rank) {
            let _ = line.outgoing.send(OutgoingFrame::Word(word));
        }
    }

    /// The ways to all members, for whoever must not wait. Closing waits until they are dropped.
    #[must_use]
    pub fn lines(&self) -> MemberLines {
        MemberLines(self.members.values().map(|line| line.outgoing.clone()).collect())
    }

    /// What is heard next, of whomever. May be given up and asked again.
    pub async fn heard(&mut self) -> (u32, MemberNews) {
        match self.heard.recv().await {
            Some(heard) => heard,
            // Whoever was heard has been told to be lost before.
            None => std::future::pending().await,
        }
    }

    /// Measures the clocks of all members at this moment; one that does not answer has none.
    pub async fn clocks(&self) -> BTreeMap<u32, ClockOffset> {
        for line in self.members.values() {
            line.probe.send_modify(|probe| *probe = ClockProbe { best: None, left: QUESTIONS - 1 });
            let _ = line.outgoing.send(OutgoingFrame::Ping);
        }
        let until = tokio::time::Instant::now() + MEASURED_WITHIN;
        let mut clocks = BTreeMap::new();
        for (rank, line) in &self.members {
            let mut probe = line.probe.subscribe();
            // However long the way is, one answer is waited for; who is silent is found to be lost meanwhile.
            let first = probe.wait_for(|probe| probe.best.is_some());
            if tokio::time::timeout(MeetingLimits::SILENCE, first).await.is_err() {
                continue;
            }
            let _ = tokio::time::timeout_at(until, probe.wait_for(|probe| probe.left == 0)).await;
            clocks.extend(probe.borrow().best.map(|best| (*rank, best)));
        }
        clocks
    }

    /// Tells all that it is over, and waits until they have been told.
    pub fn close(mut self, reason: Option<&str>) {
        for line in self.members.values() {
            let _ = line.outgoing.send(OutgoingFrame::Over { reason: reason.map(str::to_owned) });
        }
        self.members.clear();
        let Some(runtime) = self.runtime.take() else { return };
        let writers = &mut self.lines.writers;
        let _ =
            runtime.block_on(async { tokio::time::timeout(LEAVES_WITHIN, async { while writers.join_next().await.is_some() {} }).await });
        runtime.shutdown_background();
    }
}

impl Drop for MeetingLeader {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// What a member's line says.
#[derive(Debug)]
struct LineReader {
    reader: FrameReader,
    clock: Clock,
    silence: Duration,
    probe: watch::Sender<ClockProbe>,
    /// Held weakly: when nobody else can ask any more, the line is closed.
    outgoing: mpsc::WeakUnboundedSender<OutgoingFrame>,
}

impl LineReader {
    async fn hear(mut self, rank: u32, tell: mpsc::UnboundedSender<(u32, MemberNews)>) {
        let reason = loop {
            let news = match self.reader.next_within(self.silence).await {
                Ok(MemberFrame::Word(word)) => MemberNews::Word(word),
                Ok(MemberFrame::Pong { sent, at }) => {
                    self.answered(ClockOffset::of(sent, at, self.clock.now()));
                    continue;
                }
                Err(error) => break error,
            };
            if tell.send((rank, news)).is_err() {
                return;
            }
        };
        let _ = tell.send((rank, MemberNews::Lost(reason.to_string())));
    }

    fn answered(&self, offset: ClockOffset) {
        let mut asks_again = false;
        self.probe.send_modify(|probe| {
            probe.best = Some(probe.best.map_or(offset, |best| best.better(offset)));
            asks_again = probe.left > 0;
            probe.left = probe.left.saturating_sub(1);
        });
        if let Some(outgoing) = self.outgoing.upgrade().filter(|_| asks_again) {
            let _ = outgoing.send(OutgoingFrame::Ping);
        }
    }
}

/// Asks again and again, so that neither side takes the other for lost.
async fn ask(outgoing: mpsc::WeakUnboundedSender<OutgoingFrame>, every: Duration) {
    while let Some(outgoing) = outgoing.upgrade() {
        if outgoing.send(OutgoingFrame::Ping).is_err() {
            return;
        }
        drop(outgoing);
        tokio::time::sleep(every).await;
    }
}

async fn heard_out(
    stream: TcpStream,
    peer: SocketAddr,
    token: MeetingToken,
    mine: ClientIdentity,
) -> (SocketAddr, Result<OpenConnection, AdmissionError>) {
    let admitted = tokio::time::timeout(GREETING_WITHIN, admit(stream, &token, &mine)).await;
    (peer, admitted.unwrap_or_else(|_elapsed| Err(AdmissionError::Stranger("it did not say who it is".to_owned()))))
}

fn unfit(identity: &ClientIdentity, reason: String) -> MeetingError {
    MeetingError::Unfit { rank: identity.rank, host: identity.host.clone(), reason }
}

async fn bind(address: &MeetingAddress) -> std::io::Result<TcpListener> {
    let bound = match address.resolved().await {
        Ok(addresses) => TcpListener::bind(addresses.as_slice()).await,
        Err(error) => Err(error),
    };
    match bound {
        Ok(listener) => Ok(listener),
        // Nobody else can listen for this machine alone.
        Err(error) if address.is_loopback() || error.kind() == std::io::ErrorKind::AddrInUse => Err(error),
        Err(_) => TcpListener::bind(("0.0.0.0", address.port())).await,
    }
}

/// Connections have one thread; words are few beside what a load sends.
pub(super) fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("meeting").enable_all().build()
}
