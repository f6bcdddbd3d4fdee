//! The server's life: it is bound to an address, serves until it is told to stop, and ends its connections.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::AtomicU64;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::breakable_connection::{BreakableListener, ConnectionBreaker};
use super::routes::{EngineServerState, now_s, router};
use crate::engine::driver::{TokenDelivery, drive};
use crate::engine::{EngineParameters, TokenMemo};
use crate::foundation::clock::{Clock, Micros};

/// Where to listen, and what to serve.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    pub host: IpAddr,
    /// 0 takes a free one.
    pub port: u16,
    /// The model's name, as requests must give it.
    pub model: String,
    pub parameters: EngineParameters,
}

/// The address could not be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}; choose another `--port`, or 0 for a free one")]
pub struct ServeError {
    address: SocketAddr,
    source: io::Error,
}

/// A server at work; dropping it ends it at once.
#[derive(Debug)]
pub struct EngineServer {
    address: SocketAddr,
    stop: CancellationToken,
    /// The engine's task and the server's.
    tasks: JoinSet<()>,
}

/// How long answers under way may go on when the server is told to stop.
const GRACE: Micros = Micros(500_000);

/// Starts an engine with empty caches and a server in front of it on the current runtime.
///
/// # Errors
/// Where the address cannot be had.
pub async fn bind(options: ServeOptions) -> Result<EngineServer, ServeError> {
    let address = SocketAddr::new(options.host, options.port);
    let fault = |source| ServeError { address, source };
    let listener = TcpListener::bind(address).await.map_err(fault)?;
    let address = listener.local_addr().map_err(fault)?;
    let (engine, driving) = drive(&options.parameters, Clock::real(), TokenDelivery::EachStep, TokenMemo::default());
    let endpoints = EngineServerState {
        engine,
        model: options.model.into(),
        block_tokens: options.parameters.block_tokens,
        context_limit: options.parameters.context_limit,
        started: now_s(),
        answers: AtomicU64::new(0),
    };
    let stop = CancellationToken::new();
    let service = router(endpoints).into_make_service_with_connect_info::<ConnectionBreaker>();
    let serving = axum::serve(BreakableListener(listener), service).with_graceful_shutdown(stop.clone().cancelled_owned());
    let mut tasks = JoinSet::new();
    tasks.spawn(driving);
    tasks.spawn(async move {
        // It ends only by the token: a listener that fails to accept tries again.
        let _ = serving.await;
    });
    Ok(EngineServer { address, stop, tasks })
}

impl EngineServer {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL, as clients take it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Takes no more connections, lets answers under way go on for a moment, and ends.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let clock = Clock::real();
        // The engine's task ends by itself when the last connection that could ask it has gone.
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        let _ = clock.before(clock.now() + GRACE, ended).await;
        self.tasks.shutdown().await;
    }
}
