//! What can go wrong between `bench` and its supervising process. Texts hold no secret.

use std::path::PathBuf;

/// Why a process was not started, or may not have ended.
#[derive(Debug, thiserror::Error)]
pub enum SupervisorError {
    #[error("cannot start the supervising process `{} supervise`: {source}", program.display())]
    Spawn { program: PathBuf, source: std::io::Error },
    #[error("cannot start `{name}`: {reason}")]
    Start { name: String, reason: String },
    #[error("the supervising process is gone, and what it had started was ended")]
    Gone,
    #[error("the supervising process does not answer within {seconds} s")]
    Silent { seconds: u64 },
    #[error("not ended, though killed: {}; look at them with `ps`", processes.join(", "))]
    Survivors { processes: Vec<String> },
    #[error("processes can be started and ended on Unix only; start the server by hand and leave `server.command` out")]
    Unsupported,
}
