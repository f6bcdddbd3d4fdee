//! The whole history as JSON: every night, variant, score and cell; the object of one series, an array of several.

use super::HistoryReport;

/// Pretty JSON with a final newline.
#[must_use]
pub fn json(histories: &[HistoryReport]) -> String {
    let text = match histories {
        [one] => serde_json::to_string_pretty(one),
        several => serde_json::to_string_pretty(several),
    };
    // Strings, finite numbers and maps with text keys: there is nothing in a history that JSON cannot say.
    text.unwrap_or_default() + "\n"
}
