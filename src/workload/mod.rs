//! WHAT is sent: sessions of turns, made from the seed.
//!
//! In come the `[workload]` section, the seed, the run's token rule and a [`Corpus`]; out come [`Session`]s, one at a time, whole, and
//! the same for the same seed and number. A workload must not know when its turns are sent, to whom, or what came back.

pub mod corpus;
mod error;
pub mod spec;

pub use corpus::Corpus;
pub use error::WorkloadError;

use crate::session::Session;
use crate::tokens::TokenCounter;
use spec::WorkloadSpec;

/// A workload that can make its sessions.
#[derive(Debug)]
pub enum Workload {}

impl Workload {
    /// Checks what the sessions will be made of (documents, questions, conversations). `seed` is the run's: the same in every cell and
    /// variant. Texts are kept in `corpus`: pass a clone of one corpus to every cell of a sweep.
    #[expect(clippy::unused_async, reason = "the signature is agreed first")]
    pub async fn prepare(_spec: &WorkloadSpec, _seed: u64, _counter: TokenCounter, _corpus: Corpus) -> Result<Self, WorkloadError> {
        Err(WorkloadError::NotYet)
    }

    /// Session number `number`, counted from 0 whatever the scenario's `first_user_id`: that is added here, so that `Session::number`
    /// holds the sum. `first_turn` > 0 is a user met in mid-life (`chat`): turns before it stand synthesised in the opening.
    #[expect(clippy::unused_async, reason = "the signature is agreed first")]
    pub async fn session(&self, _number: u64, _first_turn: u32) -> Result<Session, WorkloadError> {
        match *self {}
    }

    /// Turns of a whole session: `rounds + 1` for `document_qa`, `rounds` for `chat`.
    #[must_use]
    pub fn turns(&self) -> u32 {
        match *self {}
    }
}
