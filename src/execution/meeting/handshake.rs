//! How a client is let in: both sides prove that they know the token, then the leader looks whether the client is one of this load's.
//!
//! In: a connection that somebody opened. Out: a member, or why it is none. What a stranger says is read within a small bound and a short time.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;

use super::frames::{FrameError, FrameReader, GREETING_BYTES, write_line};
use super::token::{MeetingToken, ProvingSide, nonce};

/// How long somebody may take to say who it is.
pub(super) const GREETING_WITHIN: Duration = Duration::from_secs(10);

/// By what it is known that two speak alike: raised whenever what clients say to each other changes, also within a version of the program.
pub const MEETING_PROTOCOL: u32 = 2;

/// Who a client is. All but rank and host must be the same everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientIdentity {
    pub version: String,
    /// What is planned, in a text to be compared.
    pub plan: String,
    pub rank: u32,
    pub clients: u32,
    pub host: String,
}

/// What the leader says first.
#[derive(Debug, Serialize, Deserialize)]
struct MeetingGreeting {
    bench_meeting: u32,
    nonce: String,
}

/// What a client answers.
#[derive(Debug, Serialize, Deserialize)]
struct MemberHello {
    nonce: String,
    proof: String,
    #[serde(flatten)]
    identity: ClientIdentity,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LeaderAnswer {
    Welcome { proof: String },
    Refused { reason: String },
}

/// A connection to a client that can take part.
#[derive(Debug)]
pub(super) struct OpenConnection {
    pub identity: ClientIdentity,
    pub reader: FrameReader,
    pub writer: OwnedWriteHalf,
    /// That this is the leader.
    proof: String,
}

/// Why somebody was not let in by the leader.
#[derive(Debug)]
pub(super) enum AdmissionError {
    /// It does not know the token, or is no client at all.
    Stranger(String),
    /// It knows the token, and is not one of this load's clients.
    Unfit { identity: ClientIdentity, reason: String },
}

/// Why a client was not let in, as it sees it.
#[derive(Debug)]
pub(super) enum EntryError {
    /// Trying again may help.
    Passing(String),
    Refused(String),
}

/// The leader's side. `mine` is its own identity.
pub(super) async fn admit(stream: TcpStream, token: &MeetingToken, mine: &ClientIdentity) -> Result<OpenConnection, AdmissionError> {
    let stranger = |error: FrameError| AdmissionError::Stranger(error.to_string());
    // Words are short and not to be waited for.
    stream.set_nodelay(true).map_err(|error| stranger(error.into()))?;
    let (reader, mut writer) = stream.into_split();
    let mut reader = FrameReader::new(reader);
    let own_nonce = nonce().map_err(|error| stranger(error.into()))?;
    write_line(&mut writer, &MeetingGreeting { bench_meeting: MEETING_PROTOCOL, nonce: own_nonce.clone() }).await.map_err(stranger)?;
    let MemberHello { nonce, proof, identity } = reader.next(GREETING_BYTES).await.map_err(stranger)?;
    let is_known = token.is_proof(&proof, ProvingSide::Member, &own_nonce, &nonce);
    let proof = token.proof(ProvingSide::Leader, &own_nonce, &nonce);
    let mut connection = OpenConnection { identity, reader, writer, proof };
    if !is_known {
        let reason = "the token is another one".to_owned();
        connection.refuse(&reason).await;
        return Err(AdmissionError::Stranger(reason));
    }
    match unfitness(mine, &connection.identity) {
        None => Ok(connection),
        Some(reason) => {
            connection.refuse(&reason).await;
            Err(AdmissionError::Unfit { identity: connection.identity, reason })
        }
    }
}

impl OpenConnection {
    /// Tells the client that it is in, and proves that this is the leader that it looks for.
    pub async fn welcome(&mut self) -> Result<(), FrameError> {
        write_line(&mut self.writer, &LeaderAnswer::Welcome { proof: self.proof.clone() }).await
    }

    /// Tells the client why it is not; it may be gone already.
    pub async fn refuse(&mut self, reason: &str) {
        let _ = write_line(&mut self.writer, &LeaderAnswer::Refused { reason: reason.to_owned() }).await;
    }
}

/// A member's side.
pub(super) async fn enter(
    stream: TcpStream,
    token: &MeetingToken,
    mine: &ClientIdentity,
) -> Result<(FrameReader, OwnedWriteHalf), EntryError> {
    // Whoever listens there may be about to leave, or be somebody else's leader.
    let passing = |error: FrameError| EntryError::Passing(error.to_string());
    stream.set_nodelay(true).map_err(|error| passing(error.into()))?;
    let (reader, mut writer) = stream.into_split();
    let mut reader = FrameReader::new(reader);
    let MeetingGreeting { bench_meeting, nonce: leader_nonce } = reader.next(GREETING_BYTES).await.map_err(passing)?;
    if bench_meeting != MEETING_PROTOCOL {
        return Err(EntryError::Refused(format!(
            "it meets in version {bench_meeting} of the protocol, and this client in version {MEETING_PROTOCOL}"
        )));
    }
    let own_nonce = nonce().map_err(|error| passing(error.into()))?;
    let proof = token.proof(ProvingSide::Member, &leader_nonce, &own_nonce);
    let hello = MemberHello { nonce: own_nonce.clone(), proof, identity: mine.clone() };
    write_line(&mut writer, &hello).await.map_err(passing)?;
    match reader.next(GREETING_BYTES).await.map_err(passing)? {
        LeaderAnswer::Refused { reason } => Err(EntryError::Refused(reason)),
        LeaderAnswer::Welcome { proof } if token.is_proof(&proof, ProvingSide::Leader, &leader_nonce, &own_nonce) => Ok((reader, writer)),
        LeaderAnswer::Welcome { .. } => Err(EntryError::Refused("it does not know the token itself".to_owned())),
    }
}

/// Why a client that knows the token is not one of this load's.
fn unfitness(mine: &ClientIdentity, other: &ClientIdentity) -> Option<String> {
    let ClientIdentity { version, plan, rank, clients, .. } = other;
    if *version != mine.version {
        return Some(format!("it is of version {version}, and rank 0 of {}", mine.version));
    }
    if *clients != mine.clients {
        return Some(format!("it was told of {clients} clients, and rank 0 of {}", mine.clients));
    }
    if *plan != mine.plan {
        return Some("it plans other runs than rank 0: give all clients the same scenario, files and flags".to_owned());
    }
    (*rank == 0 || *rank >= mine.clients)
        .then(|| format!("the others of {} clients have the ranks 1 to {}", mine.clients, mine.clients - 1))
}
