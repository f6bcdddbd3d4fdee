//! Why clients do not come together. Each message names the client that is at fault.

use super::address::MeetingAddress;
use crate::foundation::units::Seconds;

#[derive(Debug, thiserror::Error)]
pub enum MeetingError {
    #[error("the operating system gives no resources for the meeting: {0}")]
    System(#[from] std::io::Error),
    /// Of the leader.
    #[error("cannot listen at `{address}`, where the clients are to meet: {source}")]
    Listen { address: MeetingAddress, source: std::io::Error },
    /// Of the leader: not all came in time.
    #[error("{} of {clients} did not come to `{address}` within {within}{}", numbered(missing), refusals(refused))]
    Missing { missing: Vec<u32>, clients: u32, address: MeetingAddress, within: Seconds, refused: Vec<String> },
    /// Of the leader: one that knows the token and is not one of this load's clients.
    #[error("client {rank} on {host} cannot take part: {reason}")]
    Unfit { rank: u32, host: String, reason: String },
    /// Of the leader: one that had come is gone before all had.
    #[error("client {rank} was lost before the load began: {reason}")]
    Lost { rank: u32, reason: String },
    /// Of a member.
    #[error("rank 0 did not let this client in at `{address}` within {within}: {last}")]
    NotReached { address: MeetingAddress, within: Seconds, last: String },
    /// Of a member.
    #[error("rank 0 at `{address}` refused this client: {reason}")]
    Refused { address: MeetingAddress, reason: String },
    /// Of either.
    #[error("stopped while the clients were coming together")]
    Stopped,
}

fn numbered(ranks: &[u32]) -> String {
    let numbers: Vec<String> = ranks.iter().map(ToString::to_string).collect();
    format!("client{} {}", if ranks.len() == 1 { "" } else { "s" }, numbers.join(", "))
}

fn refusals(refused: &[String]) -> String {
    if refused.is_empty() { String::new() } else { format!("; refused meanwhile: {}", refused.join("; ")) }
}
