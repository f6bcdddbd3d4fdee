//! Why a workload cannot be made.

use std::path::PathBuf;

use crate::vocabulary::recording::RecordingError;
use crate::workloads::tokens::TokenCountError;

/// A fault of what the scenario names, or of the token rule.
#[derive(Debug, thiserror::Error)]
pub enum WorkloadError {
    /// The message holds the path.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("`{}` is not UTF-8 text: convert it, for example with `iconv -t UTF-8`", file.display())]
    NotUtf8 { file: PathBuf },
    #[error("`{}` is empty: remove it or fill it", file.display())]
    EmptyDocument { file: PathBuf },
    #[error("`{}` holds no `*.txt` file: name a folder of documents, or use `{{ synthetic_tokens = 131072 }}`", folder.display())]
    NoDocuments { folder: PathBuf },
    #[error("`{}` and `{}` are the same document: remove one, since sessions with equal documents share a cache", first.display(), second.display())]
    SameDocument { first: PathBuf, second: PathBuf },
    #[error(
        "`{}` holds {there} documents, but {needed} sessions (concurrent × sequential) need one each: add documents, or set `reuse = \"salted\"`",
        folder.display()
    )]
    TooFewDocuments { folder: PathBuf, there: u64, needed: u64 },
    #[error("`{}` has changed since the workload was prepared: start again", file.display())]
    DocumentChanged { file: PathBuf },
    #[error("`rounds` is {rounds}, but {place} has {there} questions: add questions or ask fewer")]
    TooFewQuestions { rounds: u32, there: usize, place: String },
    #[error(
        "`{}` holds {there} conversations of at least {rounds} rounds, but {needed} are needed so that no two users of the run have the same: lower `users`, `qps`, `rounds` or `duration`",
        file.display()
    )]
    TooFewConversations { file: PathBuf, rounds: u32, there: u64, needed: u64 },
    #[error("`{}` tells no times, so nothing says when its sessions begin: set `concurrency` to the number of users who go through them", file.display())]
    NoSessionTimes { file: PathBuf },
    #[error("`{}:{line}`: `{found}` is no length: a line is a whole number of tokens from 1 to 4294967295", file.display())]
    Length { file: PathBuf, line: usize, found: String },
    #[error("`{}` holds no length: write a whole number of tokens a line", file.display())]
    NoLengths { file: PathBuf },
    #[error("`answer_tokens` is {found}: it must be between 1 and 4294967295")]
    AnswerTokens { found: u64 },
    #[error("a session of {turns} turns cannot begin with turn {first_turn}")]
    FirstTurn { first_turn: u32, turns: u32 },
    #[error("the trace has {requests} requests, and there is no number {number}")]
    NotInTrace { number: u64, requests: usize },
    #[error(transparent)]
    Recording(#[from] RecordingError),
    #[error(transparent)]
    Tokens(#[from] TokenCountError),
}
