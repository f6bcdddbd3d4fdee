//! The simulated engine, in memory and as a server.

pub mod engine;
pub mod serve;
