//! Data made ready before anything is measured: documents cut to exact numbers of tokens, conversations chosen and counted.
//!
//! In come a token rule and texts (a folder of the user's, books of Project Gutenberg, a file of conversations); out come files that
//! scenarios name, each with a manifest of hashes and counts. What happens on the way is told as [`PrepareEvent`]. It must not know scenarios,
//! servers under load, or terminals.

mod buckets;
mod cut;
mod documents;
mod download;
mod error;
mod figures;
mod folder;
mod gutenberg;
mod hub;
mod library;
mod licence;
mod manifest;
mod news;
mod plain;
pub mod sharegpt;
mod shelf;
pub mod trace;
mod whole;

pub use buckets::LengthBuckets;
pub use documents::{PrepareDocumentsJob, PrepareDocumentsOutcome, PrepareDocumentsSources, prepare};
pub use download::{DownloadError, DownloadPolicy, Downloader};
pub use error::PrepareError;
pub use figures::TokenStatistics;
pub use folder::{FileSkipReason, FolderTextFile, SkippedFile, find};
pub use gutenberg::{BookIds, BookIdsError};
pub use hub::HubTokenizer;
pub use library::GutenbergLibrary;
pub use manifest::{
    BucketDocument, DocumentSkipReason, DocumentsManifest, DocumentsRecipe, SkippedDocument, SourceRecord, TextSource, TokenizerIdentity,
};
pub use news::PrepareEvent;
