//! A local `tokenizer.json`: loaded once, counts without special tokens. The only file that knows the tokenizers crate.

use std::path::Path;
use std::sync::Arc;

use super::TokenError;
use crate::record::TokenRule;

/// A tokenizer read from a file, with the file's name and content hash for the record.
#[derive(Clone)]
pub struct LocalTokenizer {
    tokenizer: Arc<tokenizers::Tokenizer>,
    file: String,
    blake3: String,
}

impl LocalTokenizer {
    pub fn load(path: &Path) -> Result<Self, TokenError> {
        let bytes = std::fs::read(path).map_err(|source| TokenError::File { path: path.to_owned(), source })?;
        let broken = |error: tokenizers::Error| TokenError::Tokenizer { path: path.to_owned(), reason: error.to_string() };
        let mut tokenizer = tokenizers::Tokenizer::from_bytes(&bytes).map_err(broken)?;
        // Both are stored in some files, for training; either would make every long text "exactly 512 tokens".
        tokenizer.with_truncation(None).map_err(broken)?;
        tokenizer.with_padding(None);
        Ok(Self { tokenizer: Arc::new(tokenizer), file: path.display().to_string(), blake3: blake3::hash(&bytes).to_hex().to_string() })
    }

    pub(super) fn count(&self, text: &str) -> Result<u64, TokenError> {
        let encoding = self.tokenizer.encode_fast(text, false).map_err(|error| TokenError::Encode { reason: error.to_string() })?;
        Ok(encoding.len() as u64)
    }

    /// Where each token of `text` ends, in bytes: as many as there are tokens. A token that is a part of a character ends where the
    /// character does.
    pub(super) fn ends(&self, text: &str) -> Result<Vec<usize>, TokenError> {
        let encoding = self.tokenizer.encode(text, false).map_err(|error| TokenError::Encode { reason: error.to_string() })?;
        Ok(encoding.get_offsets().iter().map(|(_, end)| *end).collect())
    }

    pub(super) fn rule(&self) -> TokenRule {
        TokenRule::Tokenizer { file: self.file.clone(), blake3: self.blake3.clone() }
    }
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
    fn a_file_that_is_missing_or_no_tokenizer_is_an_error_that_names_it() {
        let missing = LocalTokenizer::load(Path::new("no/such/tokenizer.json")).unwrap_err();
        assert!(matches!(missing, TokenError::File { .. }));
        assert!(missing.to_string().contains("no/such/tokenizer.json"));
        let broken = LocalTokenizer::load(file("{}").path()).unwrap_err();
        assert!(matches!(broken, TokenError::Tokenizer { .. }), "{broken}");
    }
}
