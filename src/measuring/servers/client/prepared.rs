//! A prompt with everything done that can be done before it is due.

use super::body::RequestBody;
use crate::foundation::clock::Micros;
use crate::vocabulary::session::Prompt;

/// A prompt ready to be sent, by the target that prepared it.
#[derive(Debug, Clone)]
pub struct PreparedRequest {
    pub(super) prompt: Prompt,
    /// The request's body; empty for the simulated engine, which takes the prompt as it is.
    pub(super) body: RequestBody,
    /// How long after it was sent its user leaves.
    pub(super) leaves_after: Option<Micros>,
}

impl PreparedRequest {
    /// The same of a user who leaves so long after it was sent, unless the answer is over before.
    #[must_use]
    pub fn leaving(self, leaves_after: Option<Micros>) -> Self {
        Self { leaves_after, ..self }
    }

    pub fn prompt(&self) -> &Prompt {
        &self.prompt
    }
}
