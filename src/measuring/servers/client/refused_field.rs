//! What to do where a server refuses a field of the request's body: its words in, the cure out.

use crate::vocabulary::spec::target::TargetSpec;

/// Words by which servers say that they do not take a field, in lower case.
const REFUSALS: [&str; 10] = [
    "not permitted",
    "not supported",
    "unsupported",
    "unexpected",
    "unknown",
    "unrecognized",
    "not allowed",
    "extra_forbidden",
    "extra field",
    "additional propert",
];

/// The names of what bodies have beside the conversation, as they are sent.
pub(super) fn sent_fields(spec: &TargetSpec) -> Vec<String> {
    let added = spec.body.keys().map(String::as_str).filter(|name| !spec.api.own_fields().contains(name));
    // Every server takes a model, and many a message names it.
    let names = spec.api.own_fields().iter().copied().filter(|name| *name != "model").chain(added);
    names
        .filter(|name| !spec.omit.iter().any(|path| path == name))
        .map(|name| spec.rename.get(name).map_or(name, String::as_str).to_owned())
        .collect()
}

/// How to send requests that the server takes; `None` where its words do not refuse one of these fields.
pub(super) fn refused_field(status: u16, message: &str, sent: &[String]) -> Option<String> {
    let lower = message.to_lowercase();
    if !matches!(status, 400 | 415 | 422 | 501) || !REFUSALS.iter().any(|words| lower.contains(words)) {
        return None;
    }
    let refused: Vec<&str> = sent.iter().map(String::as_str).filter(|name| names(&lower, name)).collect();
    if refused == ["max_tokens"] && names(&lower, "max_completion_tokens") {
        return Some("`target.rename = { max_tokens = \"max_completion_tokens\" }` sends it by that name".to_owned());
    }
    let list = refused.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    let forced = refused.iter().all(|name| matches!(*name, "min_tokens" | "ignore_eos"));
    let otherwise = if forced { "; so does `answers = \"live\"`, which forces no length" } else { "" };
    (!refused.is_empty())
        .then(|| format!("`target.omit = [{list}]` leaves {} out{otherwise}", if refused.len() > 1 { "them" } else { "it" }))
}

/// Whether a text has this name as a word of its own.
fn names(text: &str, name: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(name).any(|(at, _)| !is_part(text[..at].chars().next_back()) && !is_part(text[at + name.len()..].chars().next()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cure(status: u16, message: &str, spec: serde_json::Value) -> Option<String> {
        refused_field(status, message, &sent_fields(&serde_json::from_value(spec).unwrap()))
    }

    #[test]
    fn a_field_that_is_refused_is_named_with_its_cure() {
        let pydantic = r#"[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"extra inputs are not permitted"}]"#;
        assert_eq!(cure(422, pydantic, json!({})).as_deref(), Some("`target.omit = [\"stream_options\"]` leaves it out"));
        let openai = "'max_tokens' is not supported with this model, use 'max_completion_tokens'";
        let rename = "`target.rename = { max_tokens = \"max_completion_tokens\" }` sends it by that name";
        assert_eq!(cure(400, openai, json!({})).as_deref(), Some(rename));
        let forced = cure(422, "Unexpected fields: ignore_eos, min_tokens", json!({})).unwrap();
        assert_eq!(
            forced,
            "`target.omit = [\"min_tokens\", \"ignore_eos\"]` leaves them out; so does `answers = \"live\"`, which forces no length"
        );
        let added = cure(400, "Unrecognized request argument supplied: top_k", json!({ "body": { "top_k": 1 } }));
        assert_eq!(added.as_deref(), Some("`target.omit = [\"top_k\"]` leaves it out"));
    }

    #[test]
    fn other_words_have_no_such_cure() {
        let long = "'max_tokens' or 'max_completion_tokens' is too large: 5000. This model's maximum context length is 4096 tokens";
        assert_eq!(cure(400, long, json!({})), None);
        assert_eq!(cure(500, "stream_options is not supported", json!({})), None);
        assert_eq!(cure(400, "unknown model; max_tokens_limit is 5", json!({})), None);
        assert_eq!(cure(400, "stream_options is not supported", json!({ "omit": ["stream_options"] })), None);
    }
}
