//! A conversation as it stands in request bodies: every message written once, as JSON, and shared by all the requests that repeat it.
//!
//! In come messages, out go pieces of bytes. A 128k-token history is half a megabyte: it is extended turn by turn, and no turn copies it.
//! Must not know what stands around the conversation.

use bytes::Bytes;

use super::api::{ConversationFormat, request_format};
use crate::vocabulary::session::ChatMessage;
use crate::vocabulary::spec::target_api::TargetApi;

/// Pieces below this size are put together, so that a long conversation of short messages is no long list.
const MERGED: usize = 16 * 1024;

/// What has been said so far in one session, as its target writes it; by default, of a target that is sent no bodies. Cloning copies no
/// text.
#[derive(Debug, Clone, Default)]
pub struct EncodedConversation {
    /// None where the target takes messages as they are.
    format: Option<&'static ConversationFormat>,
    /// What the system said first, where the API has a field of its own for it.
    system: Bytes,
    said: Vec<Bytes>,
}

/// One message as a script takes it, written as if another stood before it.
#[derive(Debug, Clone)]
pub struct EncodedMessage(Bytes);

impl EncodedConversation {
    /// Of a target that is sent bodies of this form.
    pub(super) fn written(api: TargetApi) -> Self {
        Self { format: Some(&request_format(api).conversation), ..Self::default() }
    }

    /// Writes a message that is to be said, or asked, some time.
    #[must_use]
    pub fn line(&self, message: &ChatMessage) -> EncodedMessage {
        let mut bytes = Vec::new();
        if let Some(format) = self.format {
            bytes.reserve(room(message));
            format.write(&mut bytes, message);
        }
        EncodedMessage(bytes.into())
    }

    /// From now on the message stands in the conversation.
    pub fn say(&mut self, line: &EncodedMessage) {
        let line = self.placed(line);
        match self.said.last_mut() {
            Some(last) if last.len() + line.len() <= MERGED => *last = [&**last, &*line].concat().into(),
            _ if line.is_empty() => {}
            _ => self.said.push(line),
        }
    }

    /// Says all these, written in one piece. What the system says before anything else stands in a field of its own, where the API has one.
    pub fn say_all(&mut self, messages: &[ChatMessage]) {
        let Some(format) = self.format else { return };
        let opening = messages.split_first().filter(|_| self.said.is_empty() && self.system.is_empty());
        let system = opening.and_then(|(first, _)| format.system(first));
        let messages = &messages[usize::from(system.is_some())..];
        self.system = system.map_or_else(|| std::mem::take(&mut self.system), Bytes::from);
        let mut bytes = Vec::with_capacity(messages.iter().map(room).sum());
        for message in messages {
            format.write(&mut bytes, message);
        }
        self.say(&EncodedMessage(bytes.into()));
    }

    /// The field of what the system said first, with the comma behind it; empty where it has none.
    pub(super) fn system(&self) -> &Bytes {
        &self.system
    }

    /// What has been said, in pieces.
    pub(super) fn pieces(&self) -> &[Bytes] {
        &self.said
    }

    /// The line without what parts it from the message before, where there is none.
    pub(super) fn placed(&self, EncodedMessage(bytes): &EncodedMessage) -> Bytes {
        let is_first = self.said.is_empty() && !bytes.is_empty();
        let parting = self.format.filter(|_| is_first).map_or(0, |format| format.parting);
        bytes.slice(parting..)
    }
}

/// A message takes about so much: an eighth for line feeds and quotes, which are escaped, and something around it.
fn room(message: &ChatMessage) -> usize {
    message.text.len() + message.text.len() / 8 + 64
}
