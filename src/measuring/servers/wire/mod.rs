//! Connections of our own to one server: opened ahead or when asked for, checked before they are used again, with a stamp for every read
//! and for the last write. In go the bytes of a request, out come the head and the body of its answer, cut out of HTTP/1.1, and when each
//! read's bytes reached this machine; or HTTP/2, where a scenario asks for it.
//!
//! It knows nothing of prompts, events, records and verdicts. Nothing is retried here: who asks is told, and decides.

#[cfg(target_os = "linux")]
mod arrival_sampler;
#[cfg(not(target_os = "linux"))]
#[path = "no_arrival_sampler.rs"]
mod arrival_sampler;
#[cfg(target_os = "linux")]
mod arrival_samples;
mod body;
mod connection;
mod connector;
mod error;
mod gated_stream;
mod head;
mod http1;
mod http2;
mod pool;
mod race;
mod socket;
mod spare;
mod stamps;
mod stream;
mod system;
mod tls;

pub(crate) use connection::{HttpConnection, RequestHeadEncoder, WireHttpVersion};
pub(crate) use connector::{ServerAddress, ServerConnector};
pub(crate) use error::{WireError, WireErrorKind};
pub(crate) use head::ResponseHead;
pub(crate) use pool::{ConnectionPool, KeepAlivePolicy, PooledConnection, Timer};
