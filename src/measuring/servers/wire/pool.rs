//! The connections to one server that are open and not in use. One is looked at before it is used again: a request is never sent on a
//! connection that is known to be closed.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::StreamExt;
use futures_util::stream;
use tokio::time::Sleep;

use super::connection::HttpConnection;
use super::connector::ServerConnector;
use super::error::WireError;
use crate::foundation::clock::Micros;

/// How long a connection may lie idle and still be used again. Servers close idle connections on their own (uvicorn after 5 s); a
/// request sent in that very moment is lost, and the server would be blamed for it.
const IDLE: Micros = Micros(4_000_000);
/// How many connections are being opened at a time before the load.
const AT_ONCE: usize = 64;

/// Whether connections serve again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeepAlivePolicy {
    /// One whose answer ended in order does.
    Open,
    /// Every request has one of its own.
    Never,
}

/// The open connections to one server.
#[derive(Debug)]
pub(crate) struct ConnectionPool {
    connector: ServerConnector,
    keep: KeepAlivePolicy,
    /// The one used last at the back.
    idle: Mutex<VecDeque<IdleConnection>>,
}

/// A timer of the runtime. It belongs to a connection since either belongs to one runtime.
pub(crate) type Timer = Pin<Box<Sleep>>;

#[derive(Debug)]
struct IdleConnection {
    connection: HttpConnection,
    timer: Option<Timer>,
    since: Micros,
}

/// A connection to be used.
#[derive(Debug)]
pub(crate) struct PooledConnection {
    pub(crate) connection: HttpConnection,
    /// How long it took to open it; `None` where it stood before.
    pub(crate) connect: Option<Micros>,
    /// Open connections that were found closed by the server on the way.
    pub(crate) dead: u32,
    /// Whatever timer it was given back with.
    pub(crate) timer: Option<Timer>,
}

impl ConnectionPool {
    pub(crate) fn new(connector: ServerConnector, keep: KeepAlivePolicy) -> Self {
        Self { connector, keep, idle: Mutex::default() }
    }

    /// The connection used last that still stands, or a new one.
    pub(crate) async fn take(&self) -> Result<PooledConnection, WireError> {
        let mut dead = 0;
        while let Some(IdleConnection { mut connection, timer, since }) = self.newest() {
            if self.now().since(since) > IDLE {
                continue;
            }
            if connection.stands() {
                return Ok(PooledConnection { connection, connect: None, dead, timer });
            }
            dead += 1;
        }
        let begun = self.now();
        let connection = self.connector.open().await?;
        Ok(PooledConnection { connection, connect: Some(self.now().since(begun)), dead, timer: None })
    }

    /// Takes a connection back, with a timer for whoever uses it next; one that cannot serve again is closed.
    pub(crate) fn give_back(&self, connection: HttpConnection, timer: Option<Timer>) {
        if self.keep == KeepAlivePolicy::Never || !connection.can_serve_again() {
            return;
        }
        let now = self.now();
        let mut idle = self.idle();
        while idle.front().is_some_and(|oldest| now.since(oldest.since) > IDLE) {
            idle.pop_front();
        }
        idle.push_back(IdleConnection { connection, timer, since: now });
    }

    /// Opens so many connections ahead of their use, until one cannot be opened, and says how many there are: none where each request
    /// has its own. The requests will find out why one could not.
    pub(crate) async fn open_ahead(&self, count: usize) -> usize {
        if self.keep == KeepAlivePolicy::Never {
            return 0;
        }
        let mut opening = std::pin::pin!(stream::iter(0..count).map(|_| self.connector.open()).buffer_unordered(AT_ONCE));
        let mut opened = 0;
        while let Some(Ok(connection)) = opening.next().await {
            let since = self.now();
            self.idle().push_back(IdleConnection { connection, timer: None, since });
            opened += 1;
        }
        opened
    }

    fn newest(&self) -> Option<IdleConnection> {
        self.idle().pop_back()
    }

    fn idle(&self) -> MutexGuard<'_, VecDeque<IdleConnection>> {
        // Nothing that may panic happens under the lock.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Micros {
        self.connector.clock().now()
    }
}
