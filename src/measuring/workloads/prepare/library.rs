//! Books fetched once: the cache of a mirror's texts, exactly as they came.
//!
//! In goes a book's number; out come its bytes, from the cache or else from the mirror. `pg1342.txt` is the book, always whole;
//! `pg1342.json` says where it came from, or that the mirror has none.

use std::path::PathBuf;

use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::atomic_file::{hash, read_if_there, write};
use super::download::{DownloadError, Downloader};
use super::error::PrepareError;
use super::event::Tell;
use super::gutenberg::places;
use super::licence::{LicenceMarks, strip};
use super::plain::{self, PlainTextError};
use crate::servers::endpoint::{shown, without_secrets};

/// A mirror of Project Gutenberg, with the books that were fetched already.
#[derive(Debug)]
pub struct GutenbergLibrary {
    base: Url,
    cache: PathBuf,
    downloader: Downloader,
}

/// What a library has of a book.
#[derive(Debug, PartialEq, Eq)]
pub enum BookLookup {
    /// Its bytes, and where they were fetched, unless somebody put them into the cache by hand.
    There { bytes: Vec<u8>, url: Option<String> },
    /// There is none at this mirror.
    Missing { mirror: String },
}

/// Why a book could not be had now.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Download(#[from] DownloadError),
    #[error("`{url}` is an HTML page, not a plain text")]
    Html { url: String },
    #[error("`{url}` has the mark of a book's start but not of its end, so it is not taken for whole")]
    NotWhole { url: String },
}

/// What is known of a book in the cache.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum BookCacheEntry {
    Whole { url: String, blake3: String },
    Missing { mirror: String },
}

impl GutenbergLibrary {
    /// A mirror by its base URL, cached in a folder.
    pub fn open(base: &str, cache: PathBuf, downloader: Downloader) -> Result<Self, PrepareError> {
        let base = base_url(base)?;
        Ok(Self { base, cache, downloader })
    }

    /// The mirror's address as it may be shown.
    pub fn mirror(&self) -> String {
        shown(&self.base)
    }

    /// A book, fetched if it is not in the cache yet.
    pub async fn book(&mut self, id: u32, tell: &mut Tell<'_>) -> Result<BookLookup, BookError> {
        let card = self.card(id)?;
        if let Some(bytes) = read_if_there(&self.file(id))? {
            let url = card.and_then(|card| match card {
                BookCacheEntry::Whole { url, blake3 } if blake3 == hash(&bytes) => Some(url),
                _ => None,
            });
            return Ok(BookLookup::There { bytes, url });
        }
        match card {
            Some(BookCacheEntry::Missing { mirror }) if mirror == self.mirror() => Ok(BookLookup::Missing { mirror }),
            _ => self.fetch(id, tell).await,
        }
    }

    async fn fetch(&mut self, id: u32, tell: &mut Tell<'_>) -> Result<BookLookup, BookError> {
        let mut fault = None;
        for place in places(&self.base, id) {
            let Some(bytes) = self.downloader.fetch(&place, None, tell).await? else { continue };
            match check(&bytes, &place) {
                Ok(()) => {
                    let url = shown(&place);
                    // The card first: without the book it says nothing, and with it the book is known from the start.
                    self.put_card(id, &BookCacheEntry::Whole { url: url.clone(), blake3: hash(&bytes) })?;
                    write(&self.file(id), &bytes)?;
                    return Ok(BookLookup::There { bytes, url: Some(url) });
                }
                Err(error) => fault = fault.or(Some(error)),
            }
        }
        if let Some(fault) = fault {
            return Err(fault);
        }
        let mirror = self.mirror();
        self.put_card(id, &BookCacheEntry::Missing { mirror: mirror.clone() })?;
        Ok(BookLookup::Missing { mirror })
    }

    fn file(&self, id: u32) -> PathBuf {
        self.cache.join(format!("pg{id}.txt"))
    }

    /// A card that cannot be read is as good as none.
    fn card(&self, id: u32) -> std::io::Result<Option<BookCacheEntry>> {
        let bytes = read_if_there(&self.cache.join(format!("pg{id}.json")))?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    fn put_card(&self, id: u32, card: &BookCacheEntry) -> std::io::Result<()> {
        write(&self.cache.join(format!("pg{id}.json")), &json(card)?)
    }
}

/// A base URL as people write it.
pub(super) fn base_url(text: &str) -> Result<Url, PrepareError> {
    let url = Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| PrepareError::Base { url: without_secrets(text) })
}

/// JSON for people, with an end of line.
pub(super) fn json(value: &impl Serialize) -> std::io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Whether what came is a book. Mirrors send pages with status 200 too, and a server that gives a wrong length cuts a book unnoticed.
fn check(bytes: &[u8], place: &Url) -> Result<(), BookError> {
    match plain::read(bytes) {
        Err(PlainTextError::Html) => Err(BookError::Html { url: shown(place) }),
        Ok((text, _)) if strip(&text).marks == LicenceMarks::StartOnly => Err(BookError::NotWhole { url: shown(place) }),
        _ => Ok(()),
    }
}
