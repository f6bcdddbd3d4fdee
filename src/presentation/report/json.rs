//! The whole summary as JSON: what a program reads. One document a call, an array where there are several sweeps.

use crate::analysis::SweepSummary;

/// Pretty JSON with a final newline: the object of one sweep, an array of several.
#[must_use]
pub fn json(summaries: &[SweepSummary]) -> String {
    let text = match summaries {
        [one] => serde_json::to_string_pretty(one),
        several => serde_json::to_string_pretty(several),
    };
    // Strings, finite numbers and maps with text keys: there is nothing in a summary that JSON cannot say.
    text.unwrap_or_default() + "\n"
}
