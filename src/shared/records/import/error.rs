//! What is wrong with a file that was to be imported. Names the file and the place in it; shows nothing of what was asked or answered.

use crate::foundation::sentence::sentence;

/// One fault of one file, or of several together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{file}`: {what}")]
pub struct ImportError {
    pub file: String,
    /// What was found, what was looked for, and what to do next where there is something to do.
    pub what: String,
}

impl ImportError {
    pub(super) fn new(file: &str, what: impl Into<String>) -> Self {
        Self { file: sentence(file).into_owned(), what: sentence(&what.into()).into_owned() }
    }
}
