//! Why a server did not come to serve, and how one ended that did: with the last lines of its log, for people.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::startup::SERVER;
use crate::endpoint::EndpointError;
use crate::server::supervisor::{Exited, SupervisorError, last_lines};
use crate::template::UnknownField;
use crate::units::Seconds;

/// How many lines of a log are shown.
const LINES: usize = 20;

/// Why a server does not serve. Texts may hold values from the environment: who shows them hides these.
#[derive(Debug, thiserror::Error)]
pub enum LifeError {
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
    Field(#[from] UnknownField),
    #[error("{0}")]
    Place(String),
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error(transparent)]
    Supervisor(#[from] SupervisorError),
    /// It ended before it served.
    #[error("{0}")]
    Died(Death),
    #[error("`{name}` was not ready within {limit} (`server.start_timeout`): {last}{tail}")]
    NotReady { name: String, limit: Seconds, last: String, tail: Tail },
    /// The user wants no more of it.
    #[error("stopped while the server was starting")]
    Stopped,
}

/// A process that ended by itself, or does not serve any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Death {
    pub name: String,
    /// In words: `ended by itself: exit status 1`.
    pub how: String,
    pub tail: Tail,
}

impl Death {
    pub(super) fn new(exited: Exited, log: Option<&Path>) -> Self {
        let how = if exited.name == Exited::SUPERVISOR { exited.status } else { format!("ended by itself: {}", exited.status) };
        Self { name: exited.name, how, tail: Tail::of(log) }
    }

    /// The server's process is there, but was not ready again after failures; `last` is what it said last.
    pub(super) fn silent(limit: Duration, last: &str, log: Option<&Path>) -> Self {
        let how = format!("does not serve any more, {} s after requests failed: {last}", limit.as_secs());
        Self { name: SERVER.to_owned(), how, tail: Tail::of(log) }
    }
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name == Exited::SUPERVISOR {
            return f.write_str(&self.how);
        }
        write!(f, "`{}` {}{}", self.name, self.how, self.tail)
    }
}

/// The last lines of a log, after what they explain.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tail {
    log: Option<PathBuf>,
    lines: Vec<String>,
}

impl Tail {
    pub(super) fn of(log: Option<&Path>) -> Self {
        Self { log: log.map(Path::to_owned), lines: log.map(|log| last_lines(log, LINES)).unwrap_or_default() }
    }
}

impl fmt::Display for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(log) = &self.log else { return Ok(()) };
        if self.lines.is_empty() {
            return write!(f, "; it wrote nothing to `{}`", log.display());
        }
        write!(f, "; the last lines of `{}`:", log.display())?;
        self.lines.iter().try_for_each(|line| write!(f, "\n  {line}"))
    }
}
