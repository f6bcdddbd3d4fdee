//! Names of runs: a slug that people can read, and a short hash of everything that the run's result depends on.
//!
//! The same cell on the same documents has the same id wherever and whenever it is planned, so that what is sealed need not be run again.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

use crate::records::record::plain_run_id;

/// Everything that tells one run from another.
#[derive(Serialize)]
pub struct RunIdentity<'a> {
    pub variant: &'a str,
    pub cell: &'a Value,
    pub axes: &'a [(String, Value)],
    pub repeat: u32,
    pub seed: u64,
    /// Content hashes of the files that the workload reads.
    pub corpus: &'a Value,
}

impl RunIdentity<'_> {
    /// `vllm-concurrent4-sequential3-r0-1a2b3c4d`.
    pub fn id(&self) -> String {
        let mut slug = cleaned(self.variant, 24);
        for (path, value) in self.axes {
            let _ = write!(slug, "-{}{}", cleaned(short_name(path), 16), cleaned(&value_text(value), 16));
        }
        // File systems allow 255 bytes; the hash tells apart what is cut off here.
        let slug = cut(&slug, 120);
        format!("{}-r{}-{}", slug.trim_end_matches(['-', '_']), self.repeat, self.hash())
    }

    fn hash(&self) -> String {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        // Keys in alphabetical order: the order in which a file lists the fields of a request's body means nothing.
        value.sort_all_objects();
        blake3::hash(value.to_string().as_bytes()).to_hex()[..8].to_owned()
    }
}

/// The hash by which a folder knows whether it holds this plan: of what is run, in whatever order, and not of how it is judged. It is of the ids
/// without underscores, so that it is that of older folders too.
pub fn plan_hash<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    let mut ids: Vec<String> = ids.map(plain_run_id).collect();
    ids.sort_unstable();
    let mut hasher = blake3::Hasher::new();
    for id in ids {
        hasher.update(id.as_bytes());
        hasher.update(b"\n");
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

/// The last part of an axis's path.
pub fn short_name(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// An axis value as people read it.
pub fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => {
            number.as_f64().filter(|number| number.fract() == 0.0).map_or_else(|| number.to_string(), |number| format!("{number:.0}"))
        }
        other => other.to_string(),
    }
}

/// A name of at most so many characters that may stand in a folder's name everywhere.
pub fn cleaned_id(text: &str, longest: usize) -> String {
    cleaned(text, longest)
}

/// What may stand in a folder's name everywhere, in lower case since some file systems do not tell cases apart. Without its underscores, which
/// do not count as characters, it is what older programs made of the text.
fn cleaned(text: &str, longest: usize) -> String {
    let mut clean = String::new();
    for character in text.chars() {
        match character {
            'a'..='z' | '0'..='9' | '.' => clean.push(character),
            'A'..='Z' => clean.push(character.to_ascii_lowercase()),
            _ if clean.is_empty() => {}
            '_' => clean.push('_'),
            _ if clean.trim_end_matches('_').ends_with('-') => {}
            _ => clean.push('-'),
        }
    }
    cut(&clean, longest).trim_end_matches(['-', '.', '_']).to_owned()
}

/// The beginning of a plain text, up to so many characters other than underscores.
fn cut(text: &str, longest: usize) -> &str {
    let end = text.char_indices().filter(|(_, character)| *character != '_').nth(longest);
    end.map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn id(variant: &str, cell: &Value, axes: &[(String, Value)]) -> String {
        RunIdentity { variant, cell, axes, repeat: 2, seed: 5, corpus: &Value::Null }.id()
    }

    #[test]
    fn an_id_is_a_readable_slug_and_a_hash_of_all_that_matters() {
        let axes = [("workload.concurrent".to_owned(), json!(4)), ("target.model".to_owned(), json!("Qwen/Qwen2.5 7B"))];
        let cell = json!({"a": 1, "b": {"c": 2, "d": 3}});
        let one = id("vLLM", &cell, &axes);
        assert!(one.starts_with("vllm-concurrent4-modelqwen-qwen2.5-7b-r2-"), "{one}");
        assert_eq!(one.len() - one.rfind('-').unwrap(), 9);
        assert_eq!(one, id("vLLM", &json!({"b": {"d": 3, "c": 2}, "a": 1}), &axes));
        assert_ne!(one, id("vLLM", &json!({"a": 1, "b": {"c": 2, "d": 4}}), &axes));
    }

    #[test]
    fn an_id_keeps_underscores_and_without_them_is_that_of_older_folders() {
        let axes =
            [("workload.answer_tokens".to_owned(), json!(64)), ("target.body._top_k_/x".to_owned(), json!("_a_/_b__long_long_long_long"))];
        let id = id("vllm_fp8", &Value::Null, &axes);
        assert!(id.starts_with("vllm_fp8-answer_tokens64-top_k_-xa_-_b__long_long_long_l-r2-"), "{id}");
        assert!(plain_run_id(&id).starts_with("vllmfp8-answertokens64-topk-xa-blonglonglongl-r2-"), "{id}");
    }

    #[test]
    fn no_value_makes_a_name_that_a_file_system_refuses() {
        let axes = [
            ("target.body.x".to_owned(), json!({"../..": ["\\", "\0", ":"]})),
            ("workload.documents".to_owned(), json!("/a/b".repeat(99))),
        ];
        let id = id("v", &Value::Null, &axes);
        assert!(id.len() < 160 && id.chars().all(|sign| sign.is_ascii_alphanumeric() || ".-_".contains(sign)), "{id}");
    }
}
