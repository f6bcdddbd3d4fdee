//! A small whole reply, and the message that a server puts into an error's body.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// A reply that was read to its end, or to the limit of what is read.
#[derive(Debug)]
pub(crate) struct EndpointReply {
    /// The URL as it may be shown.
    pub(crate) url: String,
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl EndpointReply {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as JSON of the expected form.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, super::EndpointError> {
        serde_json::from_slice(&self.body).map_err(|error| super::EndpointError::Reply { url: self.url.clone(), reason: error.to_string() })
    }
}

/// What the body of an error says: the message of the usual JSON forms, else the body itself. Not yet fit to be shown: see
/// [`super::SecretValues::plain`].
pub(crate) fn server_message(body: &[u8]) -> String {
    let Ok(json) = serde_json::from_slice::<Value>(body) else {
        return String::from_utf8_lossy(body).into_owned();
    };
    let places = [json.pointer("/error/message"), json.get("error"), json.get("message"), json.get("detail")];
    match places.into_iter().flatten().next() {
        Some(Value::String(message)) => message.clone(),
        Some(other) => other.to_string(),
        None => json.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_found_in_every_usual_form() {
        assert_eq!(server_message(br#"{"error":{"message":"no such model","code":404}}"#), "no such model");
        assert_eq!(server_message(br#"{"error":"busy"}"#), "busy");
        assert_eq!(server_message(br#"{"object":"error","message":"too long"}"#), "too long");
        assert_eq!(server_message(br#"{"detail":"Not Found"}"#), "Not Found");
        assert_eq!(server_message(br#"{"detail":[{"loc":["body"]}]}"#), r#"[{"loc":["body"]}]"#);
        assert_eq!(server_message(b"<h1>502</h1>"), "<h1>502</h1>");
        assert_eq!(server_message(b"\xff"), "\u{fffd}");
        assert_eq!(server_message(b""), "");
    }
}
