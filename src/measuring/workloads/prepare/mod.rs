//! Data made ready before anything is measured: documents cut to exact numbers of tokens, conversations chosen and counted.
//!
//! In come a token rule and texts (a folder of the user's, books of Project Gutenberg, a file of conversations); out come files that
//! scenarios name, each with a manifest of hashes and counts. What happens on the way is told as [`PrepareEvent`]. It must not know scenarios,
//! servers under load, or terminals.

mod atomic_file;
mod buckets;
mod cut;
mod document_store;
mod documents;
mod download;
mod error;
mod event;
mod folder;
mod gutenberg;
mod hub;
mod library;
mod licence;
mod manifest;
mod plain;
mod shared_blocks;
pub mod sharegpt;
mod token_statistics;
pub mod trace;

pub use buckets::LengthBuckets;
pub use documents::{PrepareDocumentsJob, PrepareDocumentsOutcome, PrepareDocumentsSources, prepare};
pub use download::{DownloadError, DownloadPolicy, Downloader};
pub use error::PrepareError;
pub use event::PrepareEvent;
pub use folder::{FileSkipReason, FolderTextFile, SkippedFile, find};
pub use gutenberg::{BookIds, BookIdsError};
pub use hub::HubTokenizer;
pub use library::GutenbergLibrary;
pub use manifest::{
    BucketDocument, DocumentSkipReason, DocumentsManifest, DocumentsRecipe, SkippedDocument, SourceRecord, TextSource, TokenizerIdentity,
};
pub use token_statistics::TokenStatistics;
