//! WHAT is sent: sessions of turns, made from the seed.
//!
//! In come the `[workload]` section, the seed, the run's token rule and a [`Corpus`]; out come [`Session`]s, one at a time, whole, and
//! the same for the same seed and number. A workload must not know when its turns are sent, to whom, or what came back.

mod blocks;
pub mod chat;
pub mod corpus;
pub mod document_qa;
mod draft;
mod error;
mod fit;
mod folder;
pub mod leave;
pub mod lengths;
mod prose;
pub mod requests;
mod salt;
pub mod seed;
pub mod sessions;
mod text;
mod text_generator;
mod titles;
mod vocabulary;

use std::path::Path;

use serde_json::{Value, json};

use crate::foundation::named_file::NamedFile;
use crate::vocabulary::spec::lengths::LengthDistribution;
use crate::vocabulary::spec::workload::WorkloadSpec;
pub use chat::ChatWorkload;
pub use corpus::Corpus;
pub use document_qa::DocumentQaWorkload;
pub use error::WorkloadError;
pub use requests::RequestsWorkload;
pub use salt::{RunSalt, canary_text};
pub use sessions::SessionsWorkload;
use text_generator::TextGenerator;

use crate::foundation::units::Tokens;
use crate::vocabulary::session::Session;
use crate::workloads::tokens::TokenCounter;

/// A workload that can make its sessions.
#[derive(Debug)]
pub enum Workload {
    DocumentQa(DocumentQaWorkload),
    Chat(ChatWorkload),
    Requests(RequestsWorkload),
    Sessions(SessionsWorkload),
}

impl Workload {
    /// Whether the documents, questions and conversations are there that the workload needs: what can be known before the run's token
    /// rule is. Reads the files that it names, once for one `corpus`.
    pub fn check(spec: &WorkloadSpec, corpus: &Corpus) -> Result<(), WorkloadError> {
        match spec {
            WorkloadSpec::DocumentQa(spec) => document_qa::check(spec, corpus),
            WorkloadSpec::Chat(spec) => chat::check(spec, corpus),
            WorkloadSpec::Requests(spec) => requests::check(spec, corpus),
            WorkloadSpec::Sessions(spec) => sessions::check(spec, corpus),
        }
    }

    /// Content hashes of the files that a workload is made of: another text under the same name is another run. Null where it names none.
    pub fn content_hashes(spec: &WorkloadSpec, corpus: &Corpus) -> Result<Value, WorkloadError> {
        match spec {
            WorkloadSpec::DocumentQa(spec) => with_lengths(document_qa::content_hashes(spec, corpus)?, &spec.answer_tokens),
            WorkloadSpec::Chat(spec) => with_lengths(chat::content_hashes(spec)?, &spec.answer_tokens),
            WorkloadSpec::Requests(spec) => requests::content_hashes(spec),
            WorkloadSpec::Sessions(spec) => sessions::content_hashes(spec),
        }
    }

    /// Checks, and makes ready what all sessions share. `seed` is the run's: the same in every cell and variant. Texts are kept in
    /// `corpus`: pass a clone of one corpus to every cell of a sweep, and each text is made once and is one allocation.
    pub async fn prepare(spec: &WorkloadSpec, seed: u64, counter: TokenCounter, corpus: Corpus) -> Result<Self, WorkloadError> {
        let author = TextGenerator::new(seed, counter, corpus.clone());
        Ok(match spec {
            WorkloadSpec::DocumentQa(spec) => Self::DocumentQa(DocumentQaWorkload::prepare(spec, author, &corpus).await?),
            WorkloadSpec::Chat(spec) => Self::Chat(ChatWorkload::prepare(spec, author, &corpus).await?),
            WorkloadSpec::Requests(spec) => Self::Requests(RequestsWorkload::prepare(spec, author, &corpus).await?),
            WorkloadSpec::Sessions(spec) => Self::Sessions(SessionsWorkload::prepare(spec, author, &corpus)?),
        })
    }

    /// Session number `number`, counted from 0 whatever the scenario's `first_user_id`: that is added here, so that `Session::number`
    /// holds the sum. `first_turn` > 0 is a user met in mid-life: turns before it stand in the opening, with seeded answers.
    pub async fn session(&self, number: u64, first_turn: u32) -> Result<Session, WorkloadError> {
        match self {
            Self::DocumentQa(workload) => workload.session(number, first_turn).await,
            Self::Chat(workload) => workload.session(number, first_turn).await,
            Self::Requests(workload) => workload.session(number, first_turn).await,
            Self::Sessions(workload) => workload.session(number, first_turn).await,
        }
    }

    /// Whether each prompt of a session stands by itself, so that a session is made turn by turn.
    #[must_use]
    pub fn has_whole_prompts(&self) -> bool {
        matches!(self, Self::Sessions(workload) if workload.has_whole_prompts())
    }

    /// Turns of a whole session: `rounds + 1` for `document_qa`, `rounds` for `chat`, one for `requests`; of recorded sessions, those of the longest.
    #[must_use]
    pub fn turns(&self) -> u32 {
        match self {
            Self::DocumentQa(workload) => workload.turns(),
            Self::Chat(workload) => workload.turns(),
            Self::Requests(_) => 1,
            Self::Sessions(workload) => workload.turns(),
        }
    }

    /// The longest session of a workload whose sessions differ in length by design: its number, and its tokens with the answer.
    #[must_use]
    pub fn longest(&self) -> Option<(u64, u64)> {
        match self {
            Self::DocumentQa(_) | Self::Chat(_) | Self::Sessions(_) => None,
            Self::Requests(workload) => workload.longest(),
        }
    }
}

/// The content hash of a file, in hexadecimal.
fn file_hash(what: NamedFile, path: &Path) -> Result<String, WorkloadError> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(what.open(path).map_err(std::io::Error::from)?)?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// Content hashes with that of the file from which lengths of answers are drawn, where there is one.
fn with_lengths(hashes: Value, answers: &LengthDistribution) -> Result<Value, WorkloadError> {
    let Some(file) = answers.file() else { return Ok(hashes) };
    Ok(json!({ "texts": hashes, "answer_tokens": file_hash(NamedFile::Lengths, file)? }))
}

/// The length of an answer as servers take it.
fn answer_length(tokens: Tokens) -> Result<u32, WorkloadError> {
    u32::try_from(tokens.0).ok().filter(|tokens| *tokens > 0).ok_or(WorkloadError::AnswerTokens { found: tokens.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sessions_can_be_made_by_another_task() {
        let spec: WorkloadSpec = serde_json::from_value(serde_json::json!({"kind": "chat"})).unwrap();
        let workload = tokio::spawn(async move { Workload::prepare(&spec, 7, TokenCounter::Simulated, Corpus::default()).await });
        let workload = workload.await.unwrap().unwrap();
        let here = workload.session(3, 2).await.unwrap();
        assert_eq!(workload.turns(), 5);
        let there = tokio::spawn(async move { workload.session(3, 2).await }).await.unwrap().unwrap();
        assert_eq!(here, there);
    }
}
