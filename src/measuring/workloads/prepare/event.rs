//! What is told while data is prepared: people watch it, nothing depends on it.

use std::time::Duration;

/// Something that happened.
#[derive(Debug)]
pub enum PrepareEvent<'a> {
    /// So many sources are looked at.
    Began { sources: usize },
    /// What an earlier run left was made under another recipe and is made again.
    RecipeChanged { what: &'a str },
    /// A source is looked at.
    Source { name: &'a str },
    /// Bytes of a download, and how many there will be where that is known.
    Bytes { done: u64, of: Option<u64> },
    /// A download broke and is tried again after a while.
    Again { url: &'a str, why: &'a str, wait: Duration },
    /// The source is as it was when it was prepared; nothing was done.
    Kept { name: &'a str },
    /// A text was written.
    Made { name: &'a str, path: &'a str, tokens: u64 },
    /// The source, or a cut of it, is left out.
    LeftOut { name: &'a str, why: &'a str },
    /// The source could not be had; another run tries it again.
    Failed { name: &'a str, why: &'a str },
    /// Something to know.
    Note { text: &'a str },
}

/// Who listens.
pub type Tell<'a> = dyn FnMut(PrepareEvent<'_>) + 'a;
