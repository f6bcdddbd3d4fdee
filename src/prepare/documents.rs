//! Documents from sources: each is read, freed of header and licence, measured, cut to its bucket and put on the shelf.
//!
//! In come a job, a counter and sources; out come files and an [`Outcome`]. What concerns one source leaves that one out; only what
//! concerns all ends the work.

use std::collections::BTreeMap;
use std::path::PathBuf;

use fs_err as fs;

use super::buckets::Buckets;
use super::cut::{Cutting, exactly};
use super::error::PrepareError;
use super::folder::Found;
use super::gutenberg::Ids;
use super::library::{Book, BookError, Library};
use super::licence::{Bare, Marks, strip};
use super::manifest::{LeftOut, Manifest, Reason, Recipe, Record, Source};
use super::news::{News, Tell};
use super::plain::{self, NotText};
use super::shelf::Shelf;
use super::whole::hash;
use crate::tokens::{TokenCounter, TokenError};

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Job {
    /// The folder of the buckets and the manifest.
    pub output: PathBuf,
    pub recipe: Recipe,
    /// Larger sources are left out.
    pub max_bytes: u64,
}

/// Where documents come from.
#[derive(Debug)]
pub enum Sources {
    Folder(Vec<Found>),
    Gutenberg(Box<Library>, Ids),
}

/// How it went.
#[derive(Debug)]
pub struct Outcome {
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
    pub manifest: Manifest,
}

/// So many sources that fail one after the other mean that the mirror is at fault: it is left alone then.
const MOST_FAILURES_IN_A_ROW: u32 = 3;
/// Bytes of text looked at for each token of the largest bucket, to begin with: nearly always enough, and a bound on the work for a text
/// that is far longer.
const BYTES_PER_TOKEN: u64 = 8;

/// Prepares the sources, in order.
pub async fn prepare(job: &Job, counter: &TokenCounter, sources: Sources, tell: &mut Tell<'_>) -> Result<Outcome, PrepareError> {
    let (shelf, changed) = Shelf::open(&job.output, job.recipe.clone())?;
    if let Some(what) = changed {
        tell(News::RecipeChanged { what: &what });
    }
    let mut work = Work { job, counter, shelf, made: 0, kept: 0, asked: 0, left_out: BTreeMap::new(), failed: Vec::new(), untried: 0 };
    match sources {
        Sources::Folder(files) => work.folder(&files, tell).await?,
        Sources::Gutenberg(library, ids) => work.gutenberg(*library, &ids, tell).await?,
    }
    work.shelf.save()?;
    work.outcome()
}

struct Work<'j> {
    job: &'j Job,
    counter: &'j TokenCounter,
    shelf: Shelf,
    made: u64,
    kept: u64,
    asked: u64,
    left_out: BTreeMap<&'static str, Vec<String>>,
    failed: Vec<(String, String)>,
    untried: u64,
}

impl Work<'_> {
    async fn folder(&mut self, files: &[Found], tell: &mut Tell<'_>) -> Result<(), PrepareError> {
        tell(News::Began { sources: files.len() });
        for file in files {
            let source = Source::File { path: file.name.clone() };
            tell(News::Source { name: &file.name });
            let bytes = fs::metadata(&file.path)?.len();
            if bytes > self.job.max_bytes {
                self.without_text(source, Reason::TooLarge { bytes, limit: self.job.max_bytes }, tell)?;
            } else {
                self.source(source, &fs::read(&file.path)?, tell).await?;
            }
        }
        Ok(())
    }

    async fn gutenberg(&mut self, mut library: Library, ids: &Ids, tell: &mut Tell<'_>) -> Result<(), PrepareError> {
        tell(News::Began { sources: ids.len() });
        let mut failures = 0;
        for id in ids.iter() {
            if failures == MOST_FAILURES_IN_A_ROW {
                self.untried += 1;
                continue;
            }
            let name = format!("pg{id}");
            tell(News::Source { name: &name });
            let source = |url| Source::Gutenberg { id, url };
            failures = match library.book(id, tell).await {
                Ok(Book::There { bytes, url }) => {
                    self.source(source(url), &bytes, tell).await?;
                    0
                }
                Ok(Book::Missing { mirror }) => {
                    self.without_text(source(None), Reason::Missing { mirror }, tell)?;
                    0
                }
                Err(BookError::Io(error)) => return Err(error.into()),
                Err(error) => {
                    let why = error.to_string();
                    tell(News::Failed { name: &name, why: &why });
                    self.failed.push((name, why));
                    failures + 1
                }
            };
        }
        Ok(())
    }

    /// A source whose text was not even looked at.
    fn without_text(&mut self, source: Source, reason: Reason, tell: &mut Tell<'_>) -> Result<(), PrepareError> {
        self.asked += 1;
        self.shelf.forget(&source)?;
        let mut record = record(source, None);
        self.leave_out(&mut record, None, reason, tell);
        self.shelf.enter(record)
    }

    async fn source(&mut self, source: Source, bytes: &[u8], tell: &mut Tell<'_>) -> Result<(), PrepareError> {
        self.asked += 1;
        let blake3 = hash(bytes);
        let name = source.name();
        if self.shelf.stands(&source, &blake3)? {
            self.kept += 1;
            self.recall(&source);
            tell(News::Kept { name: &name });
            return Ok(());
        }
        self.shelf.forget(&source)?;
        let mut record = record(source, Some(blake3));
        match plain::read(bytes) {
            Err(fault) => self.leave_out(&mut record, None, Reason::NotText { found: fault.to_string() }, tell),
            Ok((text, encoding)) => {
                let Bare { text, title, marks } = strip(&text);
                record.encoding = Some(encoding);
                record.title = title;
                record.marks = Some(marks).filter(|marks| *marks != Marks::None);
                self.cut(&mut record, text, tell).await?;
            }
        }
        self.made += 1;
        self.shelf.enter(record)
    }

    /// Cuts a text for every bucket that it is wanted in.
    async fn cut(&mut self, record: &mut Record, text: &str, tell: &mut Tell<'_>) -> Result<(), PrepareError> {
        if text.trim().is_empty() {
            self.leave_out(record, None, Reason::NotText { found: NotText::Empty.to_string() }, tell);
            return Ok(());
        }
        let recipe = &self.job.recipe;
        let Measured { window, tokens, ends } = measure(text, recipe.buckets.last().copied().unwrap_or_default(), self.counter).await?;
        let wanted = if recipe.all_buckets { usize::MAX } else { 1 };
        let buckets: Vec<u64> = recipe.buckets.iter().rev().copied().filter(|bucket| *bucket < tokens).take(wanted).collect();
        if buckets.is_empty() {
            self.leave_out(record, None, Reason::TooShort { tokens }, tell);
        }
        for bucket in buckets {
            if !self.shelf.has_room(bucket) {
                self.leave_out(record, Some(bucket), Reason::BucketFull, tell);
                continue;
            }
            match exactly(bucket, window, tokens, ends.as_deref(), self.counter).await? {
                Cutting::Nearest(nearest) => self.leave_out(record, Some(bucket), Reason::NotExact { nearest }, tell),
                Cutting::Exact(cut) => match self.shelf.put(&record.source, bucket, cut)? {
                    Err(reason) => self.leave_out(record, Some(bucket), reason, tell),
                    Ok(cut) => {
                        tell(News::Made { name: &record.source.name(), path: &cut.path, tokens: cut.tokens });
                        record.cuts.push(cut);
                    }
                },
            }
        }
        Ok(())
    }

    fn leave_out(&mut self, record: &mut Record, bucket: Option<u64>, reason: Reason, tell: &mut Tell<'_>) {
        let name = record.source.name();
        let named = bucket.map_or_else(|| name.clone(), |bucket| format!("{name} ({})", Buckets::name(bucket)));
        tell(News::LeftOut { name: &named, why: &reason.to_string() });
        self.left_out.entry(reason.name()).or_default().push(name);
        record.left_out.push(LeftOut { bucket, reason });
    }

    /// Counts again what was left out of a source that stands as it was.
    fn recall(&mut self, source: &Source) {
        let record = self.shelf.manifest().documents.iter().find(|record| record.source.is(source));
        for left_out in record.iter().flat_map(|record| &record.left_out) {
            self.left_out.entry(left_out.reason.name()).or_default().push(source.name());
        }
    }

    fn outcome(self) -> Result<Outcome, PrepareError> {
        let (strays, buckets) = (self.shelf.strays()?, self.shelf.count());
        let manifest = self.shelf.manifest().clone();
        let others = (manifest.documents.len() as u64).saturating_sub(self.asked);
        let Self { made, kept, left_out, failed, untried, .. } = self;
        Ok(Outcome { made, kept, others, left_out, failed, untried, strays, buckets, manifest })
    }
}

fn record(source: Source, source_blake3: Option<String>) -> Record {
    Record { source, source_blake3, title: None, encoding: None, marks: None, cuts: Vec::new(), left_out: Vec::new() }
}

/// A text, or as much of its beginning as the largest bucket can need, with its tokens.
struct Measured<'t> {
    window: &'t str,
    tokens: u64,
    ends: Option<Vec<usize>>,
}

async fn measure<'t>(text: &'t str, largest: u64, counter: &TokenCounter) -> Result<Measured<'t>, TokenError> {
    let mut size = usize::try_from(largest.saturating_mul(BYTES_PER_TOKEN)).unwrap_or(usize::MAX).max(4096);
    loop {
        let window = &text[..text.floor_char_boundary(size)];
        let ends = counter.ends(window)?;
        let tokens = match &ends {
            Some(ends) => ends.len() as u64,
            None => counter.count(window).await?,
        };
        if tokens > largest || window.len() == text.len() {
            return Ok(Measured { window, tokens, ends });
        }
        size = size.saturating_mul(2);
    }
}
