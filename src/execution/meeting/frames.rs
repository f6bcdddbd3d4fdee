//! What goes over a connection of a meeting: JSON objects, a line each, of a bounded length.
//!
//! Stamps are taken when a line is written, not when it is asked for.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;

use crate::foundation::clock::{Clock, Micros};

/// The longest line of somebody who has not proved anything.
pub(super) const GREETING_BYTES: u64 = 16 << 10;
/// The longest line of a client: a request of a million tokens, each with its time, takes a tenth of it.
const FRAME_BYTES: u64 = 64 << 20;

/// From the leader to a member.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum LeaderFrame {
    /// What time is it? The question was sent at that time of the leader's.
    Ping {
        sent: Micros,
    },
    Word(Box<RawValue>),
    /// The meeting is over; with a reason where it should not be.
    Over {
        reason: Option<String>,
    },
}

/// From a member to the leader.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum MemberFrame {
    /// The time of the member's, and the question's.
    Pong {
        sent: Micros,
        at: Micros,
    },
    Word(Box<RawValue>),
}

/// What a connection is asked to write.
#[derive(Debug)]
pub(super) enum OutgoingFrame {
    /// Written with the time of its writing.
    Ping,
    /// The same.
    Pong {
        sent: Micros,
    },
    Word(Box<RawValue>),
    Over {
        reason: Option<String>,
    },
}

/// Why nothing more comes over a connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameError {
    #[error("the connection was closed")]
    Closed,
    #[error("the connection broke: {0}")]
    Broken(#[from] std::io::Error),
    #[error("a message is longer than {0} bytes")]
    TooLong(u64),
    #[error("a message is not of a meeting of this version: {0}")]
    Malformed(#[from] serde_json::Error),
    #[error("nothing was said for {0} s")]
    Silent(u64),
}

/// The reading half of a connection.
#[derive(Debug)]
pub(super) struct FrameReader {
    stream: BufReader<OwnedReadHalf>,
    line: Vec<u8>,
}

impl FrameReader {
    pub fn new(stream: OwnedReadHalf) -> Self {
        Self { stream: BufReader::with_capacity(1 << 16, stream), line: Vec::new() }
    }

    /// The next line of a client that is let in, who is lost when it says nothing for so long.
    pub async fn next_within<T: DeserializeOwned>(&mut self, silence: Duration) -> Result<T, FrameError> {
        let next = tokio::time::timeout(silence, self.next(FRAME_BYTES)).await;
        next.unwrap_or(Err(FrameError::Silent(silence.as_secs())))
    }

    /// The next line. Given up in the middle of one, it goes on with that line.
    pub async fn next<T: DeserializeOwned>(&mut self, most: u64) -> Result<T, FrameError> {
        let left = most.saturating_sub(self.line.len() as u64);
        (&mut self.stream).take(left).read_until(b'\n', &mut self.line).await?;
        if self.line.last() != Some(&b'\n') {
            return Err(if self.line.len() as u64 >= most { FrameError::TooLong(most) } else { FrameError::Closed });
        }
        let frame = serde_json::from_slice(&self.line);
        self.line.clear();
        Ok(frame?)
    }
}

/// Writes a line.
pub(super) async fn write_line(stream: &mut OwnedWriteHalf, frame: &impl Serialize) -> Result<(), FrameError> {
    let mut line = serde_json::to_vec(frame)?;
    line.push(b'\n');
    Ok(stream.write_all(&line).await?)
}

/// Writes what it is asked to until nobody can ask any more, and says then that there is no more.
pub(super) async fn write_all(mut stream: OwnedWriteHalf, mut asked: mpsc::UnboundedReceiver<OutgoingFrame>, clock: Clock) {
    while let Some(frame) = asked.recv().await {
        let written = match frame {
            OutgoingFrame::Ping => write_line(&mut stream, &LeaderFrame::Ping { sent: clock.now() }).await,
            OutgoingFrame::Pong { sent } => write_line(&mut stream, &MemberFrame::Pong { sent, at: clock.now() }).await,
            // Both sides write a word alike.
            OutgoingFrame::Word(word) => write_line(&mut stream, &MemberFrame::Word(word)).await,
            OutgoingFrame::Over { reason } => write_line(&mut stream, &LeaderFrame::Over { reason }).await,
        };
        // Whoever reads hears that the connection broke.
        if written.is_err() {
            return;
        }
    }
    let _ = stream.shutdown().await;
}
