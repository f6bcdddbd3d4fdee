//! Texts that were made or loaded, kept so that each is made once in a sweep.

/// A handle to the kept texts. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Corpus {}
