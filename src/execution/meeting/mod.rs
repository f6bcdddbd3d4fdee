//! Where the clients of one load meet: TCP connections between rank 0, which leads, and every other client.
//!
//! In: an address, a token, and who a client is. Out: words from the leader to the members and back, how far their clocks are apart, and who was lost.
//! Must not know: plans, runs and rows; words are handed on as they are.

mod address;
mod error;
mod frames;
mod handshake;
mod leader;
mod member;
mod seat;
#[cfg(test)]
mod tests;
mod token;

pub use address::{AddressError, MeetingAddress};
pub use error::MeetingError;
pub use handshake::{ClientIdentity, MEETING_PROTOCOL};
pub use leader::{MeetingLeader, MeetingListener, MemberLines, MemberNews};
pub use member::{LeaderLine, LeaderNews, MeetingMember};
pub use seat::{ClientCount, ClientSeat, SeatError, SeatFlags};
pub use token::MeetingToken;

use std::time::Duration;

/// How long is waited for what.
#[derive(Debug, Clone, Copy)]
pub struct MeetingLimits {
    /// Until all clients have come.
    pub gather: Duration,
    /// Whoever says nothing for so long is lost; each asks the other more often.
    pub silence: Duration,
}

impl MeetingLimits {
    /// How long a client may say nothing.
    pub const SILENCE: Duration = Duration::from_secs(10);

    /// How often the leader asks each member.
    fn heartbeat(self) -> Duration {
        self.silence / 8
    }
}
