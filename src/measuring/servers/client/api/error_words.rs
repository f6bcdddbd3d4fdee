//! The words of an error, however deep a server packs them.

use serde_json::Value;
use serde_json::value::RawValue;

/// The message in an error, or the error as it stands.
pub fn error_message(error: &RawValue) -> String {
    // It was found to be JSON; what is still too deep or too large to be taken apart is told as it stands.
    let error: Value = serde_json::from_str(error.get()).unwrap_or_else(|_| error.get().into());
    let text = error.get("message").unwrap_or(&error);
    text.as_str().map_or_else(|| text.to_string(), str::to_owned)
}
