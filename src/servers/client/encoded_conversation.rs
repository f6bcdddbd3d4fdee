//! A conversation as it stands in request bodies: every message written once, as JSON, and shared by all the requests that repeat it.
//!
//! In come messages, out go pieces of bytes. A 128k-token history is half a megabyte: it is extended turn by turn, and no turn copies it.
//! Must not know what stands around the conversation.

use std::io::Write;

use bytes::Bytes;

use crate::vocabulary::session::{ChatMessage, MessageRole};
use crate::vocabulary::spec::target::TargetApi;

/// Pieces below this size are put together, so that a long conversation of short messages is no long list.
const MERGED: usize = 16 * 1024;

/// What has been said so far in one session, as its target writes it; by default, of a target that is sent no bodies. Cloning copies no
/// text.
#[derive(Debug, Clone, Default)]
pub struct EncodedConversation {
    /// None where the target takes messages as they are.
    api: Option<TargetApi>,
    said: Vec<Bytes>,
}

/// One message as a script takes it, written as if another stood before it.
#[derive(Debug, Clone)]
pub struct EncodedMessage(Bytes);

impl EncodedConversation {
    /// Of a target that is sent bodies of this form.
    pub(super) fn written(api: TargetApi) -> Self {
        Self { api: Some(api), said: Vec::new() }
    }

    /// Writes a message that is to be said, or asked, some time.
    #[must_use]
    pub fn line(&self, message: &ChatMessage) -> EncodedMessage {
        let mut bytes = Vec::new();
        if let Some(api) = self.api {
            write(&mut bytes, api, message);
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

    /// Says all these, written in one piece.
    pub fn say_all(&mut self, messages: &[ChatMessage]) {
        let Some(api) = self.api else { return };
        let mut bytes = Vec::with_capacity(messages.iter().map(room).sum());
        for message in messages {
            write(&mut bytes, api, message);
        }
        self.say(&EncodedMessage(bytes.into()));
    }

    /// What has been said, in pieces.
    pub(super) fn pieces(&self) -> &[Bytes] {
        &self.said
    }

    /// The line without what parts it from the message before, where there is none.
    pub(super) fn placed(&self, EncodedMessage(bytes): &EncodedMessage) -> Bytes {
        let parted = self.said.is_empty() && self.api == Some(TargetApi::Chat) && !bytes.is_empty();
        bytes.slice(usize::from(parted)..)
    }
}

/// A message takes about so much: an eighth for line feeds and quotes, which are escaped, and something around it.
fn room(message: &ChatMessage) -> usize {
    message.text.len() + message.text.len() / 8 + 64
}

/// `,{"role":"user","content":"..."}`, or the text and an empty line as they stand in a JSON string.
fn write(bytes: &mut Vec<u8>, api: TargetApi, message: &ChatMessage) {
    bytes.reserve(room(message));
    match api {
        TargetApi::Chat => {
            bytes.extend_from_slice(b",{\"role\":\"");
            bytes.extend_from_slice(role(message.role).as_bytes());
            bytes.extend_from_slice(b"\",\"content\":");
            string(bytes, &message.text);
            bytes.push(b'}');
        }
        // The quotes stand around the whole conversation.
        TargetApi::Completions => {
            let quote = bytes.len();
            string(bytes, &message.text);
            bytes.pop();
            bytes.remove(quote);
            bytes.extend_from_slice(b"\\n\\n");
        }
    }
}

fn role(role: MessageRole) -> &'static str {
    match role {
        MessageRole::System => "system",
        MessageRole::User => "user",
        MessageRole::Assistant => "assistant",
    }
}

/// A JSON string, quotes included.
pub(super) fn string(bytes: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(bytes.by_ref(), text).expect("text into memory cannot fail");
}
