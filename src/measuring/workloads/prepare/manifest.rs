//! The manifest of prepared documents: what each text was made from, by which tokenizer, and what was left out. Serde types only; no
//! date and no absolute path, so that the same texts give the same bytes.

use serde::{Deserialize, Serialize};

use super::licence::LicenceMarks;
use super::plain::TextEncoding;

/// The form of this file; another number is another form.
pub const FORMAT: u32 = 1;

/// `manifest.json`, beside the folders of the buckets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentsManifest {
    pub format: u32,
    pub recipe: DocumentsRecipe,
    /// A record a source, by the name of the source.
    pub documents: Vec<SourceRecord>,
}

/// How texts are made. Texts of different recipes never lie side by side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentsRecipe {
    pub tokenizer: TokenizerIdentity,
    /// Lengths in tokens, ascending.
    pub buckets: Vec<u64>,
    /// Whether a long document fills the smaller buckets too.
    pub all_buckets: bool,
    /// The most documents of a bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// Who counted the tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TokenizerIdentity {
    /// A `tokenizer.json`: the file's name, and its content hash.
    File { file: String, blake3: String },
    /// The same, fetched from a model hub.
    Hub { repo: String, revision: String, blake3: String },
    /// A server's `/tokenize`: its address without credentials, and the model asked for.
    Server { url: String, model: String },
}

impl TokenizerIdentity {
    /// Whether both count alike for sure: a file is known by its content, wherever it came from.
    pub fn counts_as(&self, other: &Self) -> bool {
        let content = |facts: &Self| match facts {
            Self::File { blake3, .. } | Self::Hub { blake3, .. } => Some(blake3.clone()),
            Self::Server { .. } => None,
        };
        self == other || content(self).is_some_and(|blake3| content(other) == Some(blake3))
    }
}

/// A source and what was made of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRecord {
    pub source: TextSource,
    /// Content hash of the source as it was fetched or found.
    pub source_blake3: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<TextEncoding>,
    /// Which of Project Gutenberg's marks were found, and what is outside of them taken off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marks: Option<LicenceMarks>,
    pub cuts: Vec<BucketDocument>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<SkippedDocument>,
}

/// Where a text comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TextSource {
    /// A book of Project Gutenberg; `url` is where it was fetched, unless it was put into the cache by hand.
    Gutenberg { id: u32, url: Option<String> },
    /// A file, by its path in the user's folder.
    File { path: String },
}

impl TextSource {
    /// What the source is called, and ordered by.
    pub fn name(&self) -> String {
        match self {
            Self::Gutenberg { id, .. } => format!("pg{id}"),
            Self::File { path } => path.clone(),
        }
    }

    /// Whether both are the same source, wherever it was fetched.
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Gutenberg { id, .. }, Self::Gutenberg { id: other, .. }) => id == other,
            (Self::File { path }, Self::File { path: other }) => path == other,
            _ => false,
        }
    }

    /// Books by number, then files by path.
    pub(super) fn order(&self) -> (u32, String) {
        match self {
            Self::Gutenberg { id, .. } => (*id, String::new()),
            Self::File { path } => (u32::MAX, path.clone()),
        }
    }
}

/// A text of exactly `bucket` tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketDocument {
    /// The same as the bucket's size: counted, not assumed.
    pub tokens: u64,
    /// Relative to the manifest's folder.
    pub path: String,
    pub bytes: u64,
    pub blake3: String,
}

/// Something that was not made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedDocument {
    /// The bucket it would have been for, where one was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<u64>,
    #[serde(flatten)]
    pub reason: DocumentSkipReason,
}

/// Why it was not made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum DocumentSkipReason {
    /// No mirror place has it; asked of this mirror.
    Missing { mirror: String },
    /// Empty, binary, in UTF-16, or a page of HTML.
    NotText { found: String },
    /// The file has more bytes than `--max-bytes` allows.
    TooLarge { bytes: u64, limit: u64 },
    /// It has no more tokens than the smallest bucket.
    TooShort { tokens: u64 },
    /// No beginning of it has exactly the bucket's tokens.
    NotExact { nearest: u64 },
    /// The bucket holds as many documents as were asked for.
    BucketFull,
    /// Another text of the bucket is the same, byte for byte: sessions with equal documents would share a cache.
    Duplicate { of: String },
}

impl DocumentSkipReason {
    /// The name under which it is counted.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "missing",
            Self::NotText { .. } => "not_text",
            Self::TooLarge { .. } => "too_large",
            Self::TooShort { .. } => "too_short",
            Self::NotExact { .. } => "not_exact",
            Self::BucketFull => "bucket_full",
            Self::Duplicate { .. } => "duplicate",
        }
    }
}

impl std::fmt::Display for DocumentSkipReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing { mirror } => write!(f, "there is none at `{mirror}`"),
            Self::NotText { found } => f.write_str(found),
            Self::TooLarge { bytes, limit } => write!(f, "has {bytes} bytes, and `--max-bytes` allows {limit}"),
            Self::TooShort { tokens } => write!(f, "has {tokens} tokens, no more than the smallest bucket"),
            Self::NotExact { nearest } => write!(f, "cannot be cut exactly: {nearest} tokens come nearest"),
            Self::BucketFull => f.write_str("the bucket is full (`--limit`)"),
            Self::Duplicate { of } => write!(f, "is the same text as `{of}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tokenizer_is_known_by_its_content_wherever_it_came_from() {
        let file = |file: &str, blake3: &str| TokenizerIdentity::File { file: file.into(), blake3: blake3.into() };
        let hub = TokenizerIdentity::Hub { repo: "a/b".into(), revision: "main".into(), blake3: "1".into() };
        let server = |model: &str| TokenizerIdentity::Server { url: "http://h".into(), model: model.into() };
        assert!(file("a.json", "1").counts_as(&file("b.json", "1")));
        assert!(file("a.json", "1").counts_as(&hub));
        assert!(!file("a.json", "1").counts_as(&file("a.json", "2")));
        assert!(server("m").counts_as(&server("m")) && !server("m").counts_as(&server("n")) && !server("m").counts_as(&hub));
    }
}
