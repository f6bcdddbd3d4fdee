//! Comparisons as JSON: what a program reads.

use crate::analysis::compare::VariantComparison;

/// Pretty JSON with a final newline: the object of one comparison, an array of several.
#[must_use]
pub fn json(comparisons: &[VariantComparison]) -> String {
    let text = match comparisons {
        [one] => serde_json::to_string_pretty(one),
        several => serde_json::to_string_pretty(several),
    };
    // Strings, finite numbers and maps with text keys: there is nothing in a comparison that JSON cannot say.
    text.unwrap_or_default() + "\n"
}
