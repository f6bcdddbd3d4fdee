//! What a scenario may say about the documents of `document_qa`: `workload.documents`.

use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::foundation::units::Tokens;

/// Where documents come from.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum DocumentsSpec {
    /// A folder of UTF-8 text files, one document a file.
    Folder(PathBuf),
    /// Seeded novel-like text.
    Synthetic(SyntheticDocumentsSpec),
}

/// Seeded novel-like text of a given length.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SyntheticDocumentsSpec {
    /// Length of each document.
    #[schemars(extend("minimum" = 1))]
    pub synthetic_tokens: Tokens,
}

/// By hand: serde's `untagged` reads into a buffer first and so forgets where in the scenario a fault lies.
impl<'de> Deserialize<'de> for DocumentsSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DocumentsVisitor;
        impl<'de> Visitor<'de> for DocumentsVisitor {
            type Value = DocumentsSpec;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a folder of documents, or `{ synthetic_tokens = 131072 }`")
            }
            fn visit_str<E>(self, folder: &str) -> Result<DocumentsSpec, E> {
                Ok(DocumentsSpec::Folder(folder.into()))
            }
            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<DocumentsSpec, A::Error> {
                SyntheticDocumentsSpec::deserialize(MapAccessDeserializer::new(entries)).map(DocumentsSpec::Synthetic)
            }
        }
        deserializer.deserialize_any(DocumentsVisitor)
    }
}

impl Default for DocumentsSpec {
    fn default() -> Self {
        Self::Synthetic(SyntheticDocumentsSpec { synthetic_tokens: Tokens(8192) })
    }
}
