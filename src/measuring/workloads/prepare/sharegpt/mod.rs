//! Conversations of a large file in the public ShareGPT layout, chosen and counted into a small one.
//!
//! In go a file of any size and a counter; out come the conversations that fit, in the same layout and in the same order, and a manifest
//! of hashes and counts. At no time is more than one conversation in memory.

mod conversation;
mod manifest;
mod stream;

use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};

use conversation::{ConversationSkipReason, PreparedConversation};
use fs_err as fs;
pub use manifest::{SharegptManifest, SharegptOutputFile, SharegptRecipe, SharegptSourceFile};
use stream::{SharegptStreamError, StreamControl, StreamedConversation, each};

use super::atomic_file::{AtomicFile, hash, read_if_there, write};
use super::error::PrepareError;
use super::event::{PrepareEvent, Tell};
use super::library::json;
use super::token_statistics::TokenCountRecorder;
use crate::foundation::named_file::NamedFile;
use crate::workloads::tokens::TokenCountError;

/// Counts the tokens of a text.
pub type Count<'a> = dyn FnMut(&str) -> Result<u64, TokenCountError> + 'a;

/// What is wanted.
#[derive(Debug, Clone)]
pub struct PrepareSharegptJob {
    pub input: PathBuf,
    pub output: PathBuf,
    pub recipe: SharegptRecipe,
}

/// How it went.
#[derive(Debug)]
pub struct PrepareSharegptOutcome {
    pub manifest: SharegptManifest,
    /// Whether everything was there already, as asked.
    pub stood: bool,
}

/// Told after so many conversations.
const TELL_EVERY: u64 = 256;

/// The manifest's place: beside the file.
#[must_use]
pub fn manifest_path(output: &Path) -> PathBuf {
    output.with_extension("manifest.json")
}

/// Chooses and counts, unless it has been done.
pub fn prepare(job: &PrepareSharegptJob, count: &mut Count<'_>, tell: &mut Tell<'_>) -> Result<PrepareSharegptOutcome, PrepareError> {
    if fs::canonicalize(&job.output).is_ok_and(|output| fs::canonicalize(&job.input).is_ok_and(|input| input == output)) {
        return Err(PrepareError::SameFile { file: job.output.clone() });
    }
    let source = source_file(&job.input)?;
    if let Some(manifest) = standing(job, &source, tell)? {
        return Ok(PrepareSharegptOutcome { manifest, stood: true });
    }
    let mut out = AtomicFile::create(&job.output)?;
    let mut work =
        SharegptPreparation { job, count, tell, out: &mut out, hasher: blake3::Hasher::new(), bytes: 0, tally: SharegptCounts::default() };
    let read = work.read(source.bytes)?;
    let (blake3, bytes, tally) = (work.hasher.finalize().to_hex().to_string(), work.bytes, work.tally);
    if tally.kept == 0 {
        return Err(PrepareError::NoConversations { file: job.input.clone(), read });
    }
    let manifest = tally.manifest(job, source, read, SharegptOutputFile { bytes, blake3 });
    // The manifest first: without its file, or with another one, it is known to be of no use.
    write(&manifest_path(&job.output), &json(&manifest)?)?;
    out.finish()?;
    Ok(PrepareSharegptOutcome { manifest, stood: false })
}

fn source_file(path: &Path) -> Result<SharegptSourceFile, PrepareError> {
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    NamedFile::Conversations.regular(path)?;
    let mut hasher = blake3::Hasher::new();
    let mut reader = fs::File::open(path)?;
    let bytes = std::io::copy(&mut reader, &mut hasher)?;
    Ok(SharegptSourceFile { file, bytes, blake3: hasher.finalize().to_hex().to_string() })
}

/// The manifest of an earlier run, where its file stands and is what is asked for now.
fn standing(job: &PrepareSharegptJob, source: &SharegptSourceFile, tell: &mut Tell<'_>) -> Result<Option<SharegptManifest>, PrepareError> {
    let there = read_if_there(&job.output)?;
    let old = read_if_there(&manifest_path(&job.output))?.and_then(|bytes| serde_json::from_slice::<SharegptManifest>(&bytes).ok());
    let Some(old) = old else {
        return if there.is_some() { Err(PrepareError::InTheWay { path: job.output.clone() }) } else { Ok(None) };
    };
    let Some(there) = there else { return Ok(None) };
    let what = if old.source.blake3 != source.blake3 {
        "the file of conversations"
    } else if !old.recipe.tokenizer.counts_as(&job.recipe.tokenizer) {
        "the tokenizer"
    } else if !old.recipe.is_same_choice(&job.recipe) || old.format != manifest::FORMAT {
        "what is asked for"
    } else if hash(&there) != old.output.blake3 {
        "the output"
    } else {
        return Ok(Some(old));
    };
    tell(PrepareEvent::RecipeChanged { what });
    Ok(None)
}

/// One pass over the file.
struct SharegptPreparation<'w, 'c, 't> {
    job: &'w PrepareSharegptJob,
    count: &'w mut Count<'c>,
    tell: &'w mut Tell<'t>,
    out: &'w mut AtomicFile,
    hasher: blake3::Hasher,
    bytes: u64,
    tally: SharegptCounts,
}

/// What is counted.
#[derive(Default)]
struct SharegptCounts {
    kept: u64,
    left_out: std::collections::BTreeMap<String, u64>,
    stopped_early: bool,
    questions: TokenCountRecorder,
    answers: TokenCountRecorder,
    contexts: TokenCountRecorder,
}

impl SharegptPreparation<'_, '_, '_> {
    /// Reads all conversations; returns how many.
    fn read(&mut self, length: u64) -> Result<u64, PrepareError> {
        let file = &self.job.input;
        let reader = BufReader::with_capacity(1 << 20, fs::File::open(file)?);
        let most = self.job.recipe.max_conversations;
        (self.tell)(PrepareEvent::Began { sources: 1 });
        self.write(b"[")?;
        let read = each(reader, |number, at, written| {
            if number.is_multiple_of(TELL_EVERY) {
                (self.tell)(PrepareEvent::Bytes { done: at, of: Some(length) });
            }
            self.conversation(written)?;
            self.tally.stopped_early = most.is_some_and(|most| self.tally.kept >= most);
            Ok(if self.tally.stopped_early { StreamControl::Stop } else { StreamControl::GoOn })
        });
        let read = read.map_err(|error| match error {
            SharegptStreamError::Use(error) => error,
            SharegptStreamError::Conversation { record, byte, reason } => {
                PrepareError::Conversation { file: file.clone(), record, byte, reason }
            }
            SharegptStreamError::Layout { byte, reason } => PrepareError::Layout { file: file.clone(), byte, reason },
        })?;
        self.write(b"\n]\n")?;
        Ok(read)
    }

    fn conversation(&mut self, written: StreamedConversation) -> Result<(), PrepareError> {
        let chosen = match PreparedConversation::of(written, self.job.recipe.rounds) {
            Ok(chosen) => self.counted(chosen)?,
            Err(unfit) => Err(unfit),
        };
        match chosen {
            Ok(chosen) => self.keep(&chosen),
            Err(unfit) => {
                *self.tally.left_out.entry(unfit.name().to_owned()).or_default() += 1;
                Ok(())
            }
        }
    }

    fn keep(&mut self, chosen: &PreparedConversation) -> Result<(), PrepareError> {
        self.write(if self.tally.kept == 0 { b"\n" } else { b",\n" })?;
        let line = serde_json::to_vec(chosen).map_err(std::io::Error::from)?;
        self.write(&line)?;
        self.tally.kept += 1;
        self.tally.contexts.add(chosen.tokens());
        for (place, message) in chosen.conversations.iter().enumerate() {
            let counts = if place % 2 == 0 { &mut self.tally.questions } else { &mut self.tally.answers };
            counts.add(message.tokens);
        }
        Ok(())
    }

    /// Counts the messages; a conversation of which one is too short, or that is too long as a whole, does not fit.
    fn counted(&mut self, mut chosen: PreparedConversation) -> Result<Result<PreparedConversation, ConversationSkipReason>, PrepareError> {
        let recipe = &self.job.recipe;
        for message in &mut chosen.conversations {
            message.tokens = (self.count)(&message.value)?;
            if message.tokens < recipe.min_tokens {
                return Ok(Err(ConversationSkipReason::MessageTooShort));
            }
        }
        let fits = recipe.max_context.is_none_or(|most| chosen.tokens() <= most);
        Ok(if fits { Ok(chosen) } else { Err(ConversationSkipReason::ContextTooLong) })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), PrepareError> {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(self.out.write_all(bytes)?)
    }
}

impl SharegptCounts {
    fn manifest(self, job: &PrepareSharegptJob, source: SharegptSourceFile, read: u64, output: SharegptOutputFile) -> SharegptManifest {
        SharegptManifest {
            format: manifest::FORMAT,
            source,
            recipe: job.recipe.clone(),
            read,
            kept: self.kept,
            left_out: self.left_out,
            stopped_early: self.stopped_early,
            question_tokens: self.questions.figures(),
            answer_tokens: self.answers.figures(),
            conversation_tokens: self.contexts.figures(),
            output,
        }
    }
}

#[cfg(test)]
mod tests;
