//! JSON of other programs: a text in, one value of it or all of them out, in the strict sense of JSON.
//!
//! Python writes `NaN` and `Infinity`, which JSON does not know; both mean that there is no number.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

/// Reads a text; a fault says where it stands and nothing of what the text holds.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(&without_nan(text)).map_err(|error| fault(&error))
}

/// The first of the values that a text holds one after the other, as lines of JSON do.
pub(super) fn first<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let plain = without_nan(text);
    let mut values = serde_json::Deserializer::from_str(&plain).into_iter();
    values.next().unwrap_or_else(|| serde_json::from_str("")).map_err(|error| fault(&error))
}

/// All of them; a list counts as its elements.
pub(super) fn all<T: DeserializeOwned>(text: &str) -> Result<Vec<T>, String> {
    let plain = without_nan(text);
    if plain.trim_start().starts_with('[') {
        return serde_json::from_str(&plain).map_err(|error| fault(&error));
    }
    serde_json::Deserializer::from_str(&plain).into_iter().map(|value| value.map_err(|error| fault(&error))).collect()
}

fn fault(error: &serde_json::Error) -> String {
    let place = format!("line {}, column {}", error.line(), error.column());
    match error.classify() {
        serde_json::error::Category::Eof => format!("ends in the midst of its JSON ({place}): was the program stopped while it wrote?"),
        serde_json::error::Category::Syntax if error.to_string().starts_with("trailing") => {
            format!("holds more than one JSON value ({place}): one file a run is needed")
        }
        serde_json::error::Category::Syntax => format!("is not JSON ({place})"),
        _ => format!("is not as expected: {error}"),
    }
}

/// `null` where a bare `NaN` or `Infinity` stands, outside of strings.
fn without_nan(text: &str) -> Cow<'_, str> {
    if !text.contains("NaN") && !text.contains("Infinity") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let (mut in_string, mut escaped, mut from) = (false, false, 0);
    for (at, byte) in text.bytes().enumerate() {
        if at < from {
            continue;
        }
        let word =
            ["NaN", "-Infinity", "Infinity"].into_iter().find(|word| !in_string && text.as_bytes()[at..].starts_with(word.as_bytes()));
        if let Some(word) = word {
            out.push_str(text.get(from..at).unwrap_or_default());
            out.push_str("null");
            from = at + word.len();
        }
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ => {}
        }
    }
    out.push_str(text.get(from..).unwrap_or_default());
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_python_writes_for_no_number_is_null_and_strings_are_left_alone() {
        let text = r#"{"a": NaN, "b": [-Infinity, Infinity], "c": "NaN \" Infinity"}"#;
        assert_eq!(without_nan(text), r#"{"a": null, "b": [null, null], "c": "NaN \" Infinity"}"#);
    }

    #[test]
    fn a_text_that_is_cut_off_or_is_two_says_so() {
        let fault = |text: &str| read::<serde_json::Value>(text).unwrap_err();
        assert!(fault(r#"{"a": [1, 2"#).contains("ends in the midst"));
        assert!(fault("{\"a\": 1}\n{\"a\": 2}").contains("more than one JSON value"));
        assert_eq!(all::<serde_json::Value>("{\"a\": 1}\n{\"a\": 2}").unwrap().len(), 2);
        assert_eq!(all::<u8>("[1, 2, 3]"), Ok(vec![1, 2, 3]));
        assert!(first::<serde_json::Value>("").unwrap_err().contains("ends in the midst"));
        assert!(fault(r#"{"a": secret}"#).starts_with("is not JSON (line 1"));
    }
}
