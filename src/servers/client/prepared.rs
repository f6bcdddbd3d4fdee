//! A prompt with everything done that can be done before it is due.

use super::body::RequestBody;
use crate::vocabulary::session::Prompt;

/// A prompt ready to be sent, by the target that prepared it.
#[derive(Debug, Clone)]
pub struct PreparedRequest {
    pub(super) prompt: Prompt,
    /// The request's body; empty for the simulated engine, which takes the prompt as it is.
    pub(super) body: RequestBody,
}

impl PreparedRequest {
    pub fn prompt(&self) -> &Prompt {
        &self.prompt
    }
}
