//! Everything that has to do with a real server: the connections that are measured, its endpoint, the client, and its life.

pub mod client;
pub mod endpoint;
pub mod server;
pub(crate) mod wire;
