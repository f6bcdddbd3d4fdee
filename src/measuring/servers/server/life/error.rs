//! Why a server did not come to serve, and how one ended that did: with the last lines of its log, for people.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use super::launch::SERVER;
use crate::foundation::units::Seconds;
use crate::records::record::{LogExcerpt, RunFailure, RunFailureCause};
use crate::servers::endpoint::EndpointError;
use crate::servers::server::supervisor::{ProcessExit, SupervisorError, last_lines};
use crate::vocabulary::template::UnknownFieldError;

/// How many lines of a log are shown.
const LINES: usize = 20;

/// Why a server does not serve. Texts may hold values from the environment: who shows them hides these.
#[derive(Debug, thiserror::Error)]
pub enum ServerLaunchError {
    #[error(
        "`{place}` is taken already{by}; end what listens there, write another port in `target.url` (0 takes a free one), or leave \
         `server.command` out to measure it as it is"
    )]
    Occupied { place: String, by: String },
    #[error("`{url}` names no host and port on which a server could be started")]
    Url { url: String },
    #[error("no free port on `{host}`: {source}")]
    Port { host: String, source: std::io::Error },
    #[error("{0}; see `bench check`")]
    Field(#[from] UnknownFieldError),
    #[error("{0}")]
    Place(String),
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error(transparent)]
    Supervisor(#[from] SupervisorError),
    /// It ended before it served.
    #[error("{0}")]
    Died(ServerFailure),
    #[error("`{name}` was not ready within {limit} (`server.start_timeout`): {last}")]
    NotReady { name: String, limit: Seconds, last: String, log: LogExcerpt },
    /// The user wants no more of it.
    #[error("stopped while the server was starting")]
    Stopped,
}

/// A process that ended by itself, or does not serve any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFailure {
    pub name: String,
    /// In words: `ended by itself: exit status 1`.
    pub how: String,
    pub log: Option<LogExcerpt>,
}

impl ServerLaunchError {
    /// The failure of the runs for which the server was started.
    #[must_use]
    pub fn failure(&self) -> RunFailure {
        let log = match self {
            Self::Died(death) => death.log.clone(),
            Self::NotReady { log, .. } => Some(log.clone()),
            _ => None,
        };
        RunFailure { log, ..RunFailure::new(RunFailureCause::NotStarted, self.to_string()) }
    }
}

impl ServerFailure {
    /// The failure of the run that it ended.
    #[must_use]
    pub fn failure(&self) -> RunFailure {
        RunFailure { log: self.log.clone(), ..RunFailure::new(RunFailureCause::ServerDied, self.to_string()) }
    }

    pub(super) fn new(exited: ProcessExit, log: Option<&Path>) -> Self {
        let how = if exited.name == ProcessExit::SUPERVISOR { exited.status } else { format!("ended by itself: {}", exited.status) };
        Self { name: exited.name, how, log: log.map(excerpt) }
    }

    /// The server's process is there, but was not ready again after failures; `last` is what it said last.
    pub(super) fn silent(limit: Duration, last: &str, log: Option<&Path>) -> Self {
        let how = format!("does not serve any more, {} s after requests failed: {last}", limit.as_secs());
        Self { name: SERVER.to_owned(), how, log: log.map(excerpt) }
    }
}

impl fmt::Display for ServerFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name == ProcessExit::SUPERVISOR {
            return f.write_str(&self.how);
        }
        write!(f, "`{}` {}", self.name, self.how)
    }
}

/// The last lines of a log.
pub(super) fn excerpt(log: &Path) -> LogExcerpt {
    LogExcerpt { file: log.display().to_string(), lines: last_lines(log, LINES) }
}
