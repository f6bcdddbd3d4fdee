//! The clients that are compared: three bare readers, which count events and keep nothing, and ours, which listens.

mod hyper;
mod ours;
mod sockets;

pub use hyper::Hyper;
pub use ours::{Listening, Unheard};
pub use sockets::Sockets;

use crate::task::Load;

/// What a bare reader asks for.
fn body(load: &Load, events: u32) -> String {
    let emission = serde_json::to_string(&load.emission()).unwrap();
    format!(
        "{{\"model\":\"emitter\",\"stream\":true,\"max_tokens\":{events},\"emit\":{emission},\
         \"messages\":[{{\"role\":\"user\",\"content\":\"What time is it?\"}}]}}"
    )
}

/// Counts events by how their lines begin.
#[derive(Debug, Clone)]
struct Counter(memchr::memmem::Finder<'static>);

impl Counter {
    fn new() -> Self {
        Self(memchr::memmem::Finder::new(b"data: "))
    }

    fn count(&self, bytes: &[u8]) -> u64 {
        self.0.find_iter(bytes).count() as u64
    }
}

/// The end of an answer takes two events more, of which neither is a token.
const ENDING: u64 = 2;
