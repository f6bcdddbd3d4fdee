//! A server's life: for now, emptying its caches before a cell. In come the `[server]` section and the server's address.

mod reset;
pub mod spec;

pub use reset::{ResetError, reset};
