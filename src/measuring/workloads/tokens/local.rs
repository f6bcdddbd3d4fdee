//! A local `tokenizer.json`: loaded once, counts without special tokens. The only file that knows the tokenizers crate.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::Value;

use super::TokenCountError;
use crate::foundation::named_file::NamedFile;
use crate::foundation::sentence::sentence;
use crate::records::record::TokenRule;

/// A tokenizer read from a file, with the file's name and content hash for the record.
#[derive(Clone)]
pub struct LocalTokenizer {
    tokenizer: Arc<tokenizers::Tokenizer>,
    file: String,
    blake3: String,
}

impl LocalTokenizer {
    pub fn load(path: &Path) -> Result<Self, TokenCountError> {
        let bytes = NamedFile::Tokenizer.read(path);
        let bytes = bytes.map_err(|error| TokenCountError::File { path: path.to_owned(), source: error.reason.into() })?;
        let broken = |error: tokenizers::Error| {
            let reason = sentence(&error.to_string()).into_owned();
            TokenCountError::Tokenizer { path: path.to_owned(), reason }
        };
        refuse_a_map_larger_than_itself(&bytes).map_err(broken)?;
        let mut tokenizer = caught(|| tokenizers::Tokenizer::from_bytes(&bytes)).map_err(broken)?;
        // Both are stored in some files, for training; either would make every long text "exactly 512 tokens".
        tokenizer.with_truncation(None).map_err(broken)?;
        tokenizer.with_padding(None);
        Ok(Self { tokenizer: Arc::new(tokenizer), file: path.display().to_string(), blake3: blake3::hash(&bytes).to_hex().to_string() })
    }

    pub(super) fn count(&self, text: &str) -> Result<u64, TokenCountError> {
        let encoding = caught(|| self.tokenizer.encode_fast(text, false)).map_err(not_encoded)?;
        Ok(encoding.len() as u64)
    }

    /// Where each token of `text` ends, in bytes: as many as there are tokens. A token that is a part of a character ends where the
    /// character does.
    pub(super) fn ends(&self, text: &str) -> Result<Vec<usize>, TokenCountError> {
        let encoding = caught(|| self.tokenizer.encode(text, false)).map_err(not_encoded)?;
        Ok(encoding.get_offsets().iter().map(|(_, end)| *end).collect())
    }

    pub(super) fn rule(&self) -> TokenRule {
        TokenRule::Tokenizer { file: self.file.clone(), blake3: self.blake3.clone() }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "as `map_err` gives it")]
fn not_encoded(error: tokenizers::Error) -> TokenCountError {
    TokenCountError::Encode { reason: sentence(&error.to_string()).into_owned() }
}

/// The library takes files for well-formed and panics over some that are not, on loading or on the first text.
fn caught<T>(work: impl FnOnce() -> tokenizers::Result<T>) -> tokenizers::Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err("it contradicts itself".into()))
}

/// A normalizer's map begins with its length, for which the library makes room before it looks how much there is.
fn refuse_a_map_larger_than_itself(bytes: &[u8]) -> tokenizers::Result<()> {
    #[derive(Deserialize)]
    struct File {
        normalizer: Option<Value>,
    }
    if memchr::memmem::find(bytes, b"precompiled_charsmap").is_none() {
        return Ok(());
    }
    let mut left: Vec<Value> = serde_json::from_slice::<File>(bytes)?.normalizer.into_iter().collect();
    while let Some(value) = left.pop() {
        match value {
            Value::Object(fields) => {
                let map = fields.get("precompiled_charsmap").and_then(Value::as_str);
                if map.is_some_and(is_larger_than_itself) {
                    return Err("its `precompiled_charsmap` says that it is longer than it is".into());
                }
                left.extend(fields.into_iter().map(|(_, value)| value));
            }
            Value::Array(items) => left.extend(items),
            _ => {}
        }
    }
    Ok(())
}

/// Base64 of a length in bytes, in four bytes with the lowest first, of as many bytes, and of more.
fn is_larger_than_itself(map: &str) -> bool {
    let head = map.get(..8).and_then(|head| BASE64_STANDARD.decode(head).ok());
    let Some([a, b, c, d]) = head.as_deref().and_then(|head| head.first_chunk()) else { return true };
    u64::from(u32::from_le_bytes([*a, *b, *c, *d])) > map.len() as u64
}

impl std::fmt::Debug for LocalTokenizer {
    // The vocabulary would be megabytes.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalTokenizer").field("file", &self.file).field("blake3", &self.blake3).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// Four words, split at white space; truncation to one token and padding to eight stored beside it.
    const WORDS: &str = r#"{
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": 1, "strategy": "LongestFirst", "stride": 0},
        "padding": {"strategy": {"Fixed": 8}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0, "pad_token": "?"},
        "added_tokens": [{"id": 4, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
        "normalizer": null,
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": {"type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [4], "tokens": ["<s>"]}}},
        "decoder": null,
        "model": {"type": "WordLevel", "vocab": {"?": 0, "read": 1, "this": 2, "novel": 3}, "unk_token": "?"}
    }"#;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    #[test]
    fn a_tokenizer_file_counts_without_special_tokens_padding_or_truncation() {
        let file = file(WORDS);
        let tokenizer = LocalTokenizer::load(file.path()).unwrap();
        assert_eq!(tokenizer.count("read this novel now").unwrap(), 4);
        assert_eq!(tokenizer.count("").unwrap(), 0);
        assert_eq!(tokenizer.ends("read  this nový").unwrap(), [4, 10, 16]);
        let expected = blake3::hash(WORDS.as_bytes()).to_hex().to_string();
        assert_eq!(tokenizer.rule(), TokenRule::Tokenizer { file: file.path().display().to_string(), blake3: expected });
    }

    #[test]
    fn files_over_which_the_library_panics_are_refused() {
        let with = |part: &str, instead: &str| {
            assert!(WORDS.contains(part));
            LocalTokenizer::load(file(&WORDS.replace(part, instead)).path()).map(|tokenizer| tokenizer.count("read this").unwrap_err())
        };
        // A prefix that is longer than the merged token.
        let model = r#""model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"], "continuing_subword_prefix": "@@@@", "unk_token": "#;
        let error = with(r#""model": {"type": "WordLevel", "vocab": {"?": 0, "read": 1, "this": 2, "novel": 3}, "unk_token": "#, model);
        assert!(error.unwrap_err().to_string().contains("contradicts itself"));
        let map = |base64: &str| format!(r#""normalizer": {{"type": "Precompiled", "precompiled_charsmap": "{base64}"}}"#);
        // A map of 4 GiB in four bytes, and one of nothing, which is missed at the first text.
        assert!(with(r#""normalizer": null"#, &map("/////w==")).unwrap_err().to_string().contains("longer than it is"));
        assert!(with(r#""normalizer": null"#, &map("AAAAAA==")).unwrap().to_string().contains("contradicts itself"));
    }

    #[test]
    fn a_file_that_is_missing_or_no_tokenizer_is_an_error_that_names_it() {
        let missing = LocalTokenizer::load(Path::new("no/such/tokenizer.json")).unwrap_err();
        assert!(matches!(missing, TokenCountError::File { .. }));
        assert!(missing.to_string().contains("no/such/tokenizer.json"));
        let broken = LocalTokenizer::load(file("{}").path()).unwrap_err();
        assert!(matches!(broken, TokenCountError::Tokenizer { .. }), "{broken}");
    }
}
