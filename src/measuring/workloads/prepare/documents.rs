//! Documents from sources: each is read, freed of header and licence, measured, cut to its bucket and put on the shelf.
//!
//! In come a job, a counter and sources; out come files and an [`PrepareDocumentsOutcome`]. What concerns one source leaves that one out; only what
//! concerns all ends the work.

use std::collections::BTreeMap;
use std::path::PathBuf;

use fs_err as fs;

use super::atomic_file::hash;
use super::buckets::LengthBuckets;
use super::cut::{CutResult, exactly};
use super::document_store::DocumentStore;
use super::error::PrepareError;
use super::event::{PrepareEvent, Tell};
use super::folder::FolderTextFile;
use super::gutenberg::BookIds;
use super::library::{BookError, BookLookup, GutenbergLibrary};
use super::licence::{LicenceMarks, StrippedText, strip};
use super::manifest::{DocumentSkipReason, DocumentsManifest, DocumentsRecipe, SkippedDocument, SourceRecord, TextSource};
use super::plain::{self, PlainTextError};
use crate::workloads::tokens::{TokenCountError, TokenCounter};

/// What is wanted.
#[derive(Debug, Clone)]
pub struct PrepareDocumentsJob {
    /// The folder of the buckets and the manifest.
    pub output: PathBuf,
    pub recipe: DocumentsRecipe,
    /// Larger sources are left out.
    pub max_bytes: u64,
}

/// Where documents come from.
#[derive(Debug)]
pub enum PrepareDocumentsSources {
    Folder(Vec<FolderTextFile>),
    Gutenberg(Box<GutenbergLibrary>, BookIds),
}

/// How it went.
#[derive(Debug)]
pub struct PrepareDocumentsOutcome {
    /// Sources prepared now.
    pub made: u64,
    /// Sources that stood as they were.
    pub kept: u64,
    /// Sources in the manifest that were not asked for this time.
    pub others: u64,
    /// What was asked for and left out, by the reason's name.
    pub left_out: BTreeMap<&'static str, Vec<String>>,
    /// Sources that could not be had; another run tries them again.
    pub failed: Vec<(String, String)>,
    /// Sources that were not tried, since the mirror serves nothing.
    pub untried: u64,
    /// Text files among the documents that are not of this preparation.
    pub strays: Vec<String>,
    /// Documents of each bucket.
    pub buckets: BTreeMap<u64, u64>,
    pub manifest: DocumentsManifest,
}

/// So many sources that fail one after the other mean that the mirror is at fault: it is left alone then.
const MOST_FAILURES_IN_A_ROW: u32 = 3;
/// Bytes of text looked at for each token of the largest bucket, to begin with: nearly always enough, and a bound on the work for a text
/// that is far longer.
const BYTES_PER_TOKEN: u64 = 8;

/// Prepares the sources, in order.
pub async fn prepare(
    job: &PrepareDocumentsJob,
    counter: &TokenCounter,
    sources: PrepareDocumentsSources,
    tell: &mut Tell<'_>,
) -> Result<PrepareDocumentsOutcome, PrepareError> {
    let (shelf, changed) = DocumentStore::open(&job.output, job.recipe.clone())?;
    if let Some(what) = changed {
        tell(PrepareEvent::RecipeChanged { what: &what });
    }
    let mut work =
        DocumentPreparation { job, counter, shelf, made: 0, kept: 0, asked: 0, left_out: BTreeMap::new(), failed: Vec::new(), untried: 0 };
    match sources {
        PrepareDocumentsSources::Folder(files) => work.folder(&files, tell).await?,
        PrepareDocumentsSources::Gutenberg(library, ids) => work.gutenberg(*library, &ids, tell).await?,
    }
    work.shelf.save()?;
    work.outcome()
}

struct DocumentPreparation<'j> {
    job: &'j PrepareDocumentsJob,
    counter: &'j TokenCounter,
    shelf: DocumentStore,
    made: u64,
    kept: u64,
    asked: u64,
    left_out: BTreeMap<&'static str, Vec<String>>,
    failed: Vec<(String, String)>,
    untried: u64,
}

impl DocumentPreparation<'_> {
    async fn folder(&mut self, files: &[FolderTextFile], tell: &mut Tell<'_>) -> Result<(), PrepareError> {
        tell(PrepareEvent::Began { sources: files.len() });
        for file in files {
            let source = TextSource::File { path: file.name.clone() };
            tell(PrepareEvent::Source { name: &file.name });
            let bytes = fs::metadata(&file.path)?.len();
            if bytes > self.job.max_bytes {
                self.without_text(source, DocumentSkipReason::TooLarge { bytes, limit: self.job.max_bytes }, tell)?;
            } else {
                self.source(source, &fs::read(&file.path)?, tell).await?;
            }
        }
        Ok(())
    }

    async fn gutenberg(&mut self, mut library: GutenbergLibrary, ids: &BookIds, tell: &mut Tell<'_>) -> Result<(), PrepareError> {
        tell(PrepareEvent::Began { sources: ids.len() });
        let mut failures = 0;
        for id in ids.iter() {
            if failures == MOST_FAILURES_IN_A_ROW {
                self.untried += 1;
                continue;
            }
            let name = format!("pg{id}");
            tell(PrepareEvent::Source { name: &name });
            let source = |url| TextSource::Gutenberg { id, url };
            failures = match library.book(id, tell).await {
                Ok(BookLookup::There { bytes, url }) => {
                    self.source(source(url), &bytes, tell).await?;
                    0
                }
                Ok(BookLookup::Missing { mirror }) => {
                    self.without_text(source(None), DocumentSkipReason::Missing { mirror }, tell)?;
                    0
                }
                Err(BookError::Io(error)) => return Err(error.into()),
                Err(error) => {
                    let why = error.to_string();
                    tell(PrepareEvent::Failed { name: &name, why: &why });
                    self.failed.push((name, why));
                    failures + 1
                }
            };
        }
        Ok(())
    }

    /// A source whose text was not even looked at.
    fn without_text(&mut self, source: TextSource, reason: DocumentSkipReason, tell: &mut Tell<'_>) -> Result<(), PrepareError> {
        self.asked += 1;
        self.shelf.forget(&source)?;
        let mut record = record(source, None);
        self.leave_out(&mut record, None, reason, tell);
        self.shelf.enter(record)
    }

    async fn source(&mut self, source: TextSource, bytes: &[u8], tell: &mut Tell<'_>) -> Result<(), PrepareError> {
        self.asked += 1;
        let blake3 = hash(bytes);
        let name = source.name();
        if self.shelf.stands(&source, &blake3)? {
            self.kept += 1;
            self.recall(&source);
            tell(PrepareEvent::Kept { name: &name });
            return Ok(());
        }
        self.shelf.forget(&source)?;
        let mut record = record(source, Some(blake3));
        match plain::read(bytes) {
            Err(fault) => self.leave_out(&mut record, None, DocumentSkipReason::NotText { found: fault.to_string() }, tell),
            Ok((text, encoding)) => {
                let StrippedText { text, title, marks } = strip(&text);
                record.encoding = Some(encoding);
                record.title = title;
                record.marks = Some(marks).filter(|marks| *marks != LicenceMarks::None);
                self.cut(&mut record, text, tell).await?;
            }
        }
        self.made += 1;
        self.shelf.enter(record)
    }

    /// Cuts a text for every bucket that it is wanted in.
    async fn cut(&mut self, record: &mut SourceRecord, text: &str, tell: &mut Tell<'_>) -> Result<(), PrepareError> {
        if text.trim().is_empty() {
            self.leave_out(record, None, DocumentSkipReason::NotText { found: PlainTextError::Empty.to_string() }, tell);
            return Ok(());
        }
        let recipe = &self.job.recipe;
        let TextWindow { window, tokens, ends } = measure(text, recipe.buckets.last().copied().unwrap_or_default(), self.counter).await?;
        let wanted = if recipe.all_buckets { usize::MAX } else { 1 };
        let buckets: Vec<u64> = recipe.buckets.iter().rev().copied().filter(|bucket| *bucket < tokens).take(wanted).collect();
        if buckets.is_empty() {
            self.leave_out(record, None, DocumentSkipReason::TooShort { tokens }, tell);
        }
        for bucket in buckets {
            if !self.shelf.has_room(bucket) {
                self.leave_out(record, Some(bucket), DocumentSkipReason::BucketFull, tell);
                continue;
            }
            match exactly(bucket, window, tokens, ends.as_deref(), self.counter).await? {
                CutResult::Nearest(nearest) => self.leave_out(record, Some(bucket), DocumentSkipReason::NotExact { nearest }, tell),
                CutResult::Exact(cut) => match self.shelf.put(&record.source, bucket, cut)? {
                    Err(reason) => self.leave_out(record, Some(bucket), reason, tell),
                    Ok(cut) => {
                        tell(PrepareEvent::Made { name: &record.source.name(), path: &cut.path, tokens: cut.tokens });
                        record.cuts.push(cut);
                    }
                },
            }
        }
        Ok(())
    }

    fn leave_out(&mut self, record: &mut SourceRecord, bucket: Option<u64>, reason: DocumentSkipReason, tell: &mut Tell<'_>) {
        let name = record.source.name();
        let named = bucket.map_or_else(|| name.clone(), |bucket| format!("{name} ({})", LengthBuckets::name(bucket)));
        tell(PrepareEvent::LeftOut { name: &named, why: &reason.to_string() });
        self.left_out.entry(reason.name()).or_default().push(name);
        record.left_out.push(SkippedDocument { bucket, reason });
    }

    /// Counts again what was left out of a source that stands as it was.
    fn recall(&mut self, source: &TextSource) {
        let record = self.shelf.manifest().documents.iter().find(|record| record.source.is(source));
        for left_out in record.iter().flat_map(|record| &record.left_out) {
            self.left_out.entry(left_out.reason.name()).or_default().push(source.name());
        }
    }

    fn outcome(self) -> Result<PrepareDocumentsOutcome, PrepareError> {
        let (strays, buckets) = (self.shelf.strays()?, self.shelf.count());
        let manifest = self.shelf.manifest().clone();
        let others = (manifest.documents.len() as u64).saturating_sub(self.asked);
        let Self { made, kept, left_out, failed, untried, .. } = self;
        Ok(PrepareDocumentsOutcome { made, kept, others, left_out, failed, untried, strays, buckets, manifest })
    }
}

fn record(source: TextSource, source_blake3: Option<String>) -> SourceRecord {
    SourceRecord { source, source_blake3, title: None, encoding: None, marks: None, cuts: Vec::new(), left_out: Vec::new() }
}

/// A text, or as much of its beginning as the largest bucket can need, with its tokens.
struct TextWindow<'t> {
    window: &'t str,
    tokens: u64,
    ends: Option<Vec<usize>>,
}

async fn measure<'t>(text: &'t str, largest: u64, counter: &TokenCounter) -> Result<TextWindow<'t>, TokenCountError> {
    let mut size = usize::try_from(largest.saturating_mul(BYTES_PER_TOKEN)).unwrap_or(usize::MAX).max(4096);
    loop {
        let window = &text[..text.floor_char_boundary(size)];
        let ends = counter.ends(window)?;
        let tokens = match &ends {
            Some(ends) => ends.len() as u64,
            None => counter.count(window).await?,
        };
        if tokens > largest || window.len() == text.len() {
            return Ok(TextWindow { window, tokens, ends });
        }
        size = size.saturating_mul(2);
    }
}
