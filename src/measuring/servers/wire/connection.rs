//! An open connection in the version of HTTP that was asked for. One request at a time in either: an answer shares neither a connection's
//! order nor a read's stamp with another.

use bytes::Bytes;

use super::arrival_sampler::SamplerHandle;
use super::error::WireError;
use super::head::ResponseHead;
use super::http1::Http1Connection;
use super::http2::Http2Connection;
use super::stamps::ArrivalStamp;
use crate::foundation::clock::Micros;

/// The version of HTTP that is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WireHttpVersion {
    One,
    Two,
}

/// A request's head, as either version writes it.
pub(crate) trait RequestHeadEncoder {
    /// The lines of HTTP/1.1, up to the empty one behind them, with room for so many bytes more.
    fn lines(&self, room: usize) -> Vec<u8>;

    /// The fields of HTTP/2.
    fn fields(&self) -> http::Request<()>;
}

/// An open connection.
#[derive(Debug)]
pub(crate) enum HttpConnection {
    One(Box<Http1Connection>),
    Two(Box<Http2Connection>),
}

impl HttpConnection {
    /// Whether any byte of the answer has come.
    pub(crate) fn is_answered(&self) -> bool {
        match self {
            Self::One(connection) => connection.is_answered(),
            Self::Two(connection) => connection.is_answered(),
        }
    }

    /// Whether the answer was read to its end and the connection stays.
    pub(super) fn can_serve_again(&self) -> bool {
        match self {
            Self::One(connection) => connection.can_serve_again(),
            Self::Two(connection) => connection.can_serve_again(),
        }
    }

    /// Whether it still stands while nothing is under way on it.
    pub(super) fn stands(&mut self) -> bool {
        match self {
            Self::One(connection) => connection.stands(),
            Self::Two(connection) => connection.stands(),
        }
    }

    /// Writes a request, its body in pieces. Comes back with the moment at which its last byte was handed to the kernel, or earlier where the
    /// server does not want to hear all of it: then its answer says why.
    pub(crate) async fn write(&mut self, head: &impl RequestHeadEncoder, body: &[Bytes]) -> Result<Micros, WireError> {
        self.watch().expect();
        match self {
            Self::One(connection) => connection.write(head, body).await,
            Self::Two(connection) => connection.write(head.fields(), body).await,
        }
    }

    /// What comes from now on may be read together, and share a stamp, where the client is late.
    pub(crate) fn relax(&self) {
        self.watch().relax();
    }

    fn watch(&self) -> &SamplerHandle {
        match self {
            Self::One(connection) => connection.watch(),
            Self::Two(connection) => connection.watch(),
        }
    }

    /// The answer's head and when it came.
    pub(crate) async fn head(&mut self) -> Result<(ResponseHead, ArrivalStamp), WireError> {
        match self {
            Self::One(connection) => connection.head().await,
            Self::Two(connection) => connection.head().await,
        }
    }

    /// Waits for more of the body and says when it came; `None` at the body's end. The pieces are to be taken before it is called again.
    pub(crate) async fn more(&mut self) -> Result<Option<ArrivalStamp>, WireError> {
        match self {
            Self::One(connection) => connection.more().await,
            Self::Two(connection) => connection.more().await,
        }
    }

    /// The next piece of the body among what was read.
    pub(crate) fn piece(&mut self) -> Result<Option<&[u8]>, WireError> {
        match self {
            Self::One(connection) => connection.piece(),
            Self::Two(connection) => Ok(connection.piece()),
        }
    }
}
