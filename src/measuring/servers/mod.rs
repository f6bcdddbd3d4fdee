//! Everything that has to do with a real server: the connections that are measured, its endpoint, the client, its life, and what it
//! tells of itself.

pub mod client;
pub mod discovery;
pub mod endpoint;
pub mod server;
pub(crate) mod wire;
