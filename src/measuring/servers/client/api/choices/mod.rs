//! Events that have choices, as those of chat and of completions do.

mod chunk;
mod content;
mod usage;

pub use chunk::CompletionChunk;
