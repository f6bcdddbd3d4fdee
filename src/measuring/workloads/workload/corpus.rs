//! Texts that were made or loaded, kept so that each is made once in a sweep and shared by its cells, repeats and variants.
//!
//! In go a key and how to make the text; out comes the text, the very same allocation every time. Memory grows with the number of
//! different texts: half a megabyte for a document of 131,072 tokens. It must not know what the texts are for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::WorkloadError;
use super::folder::DocumentFolder;
pub use super::folder::{DocumentFile, folder_manifest};
use super::prose::ProseKind;
use super::text::CountedText;
use super::vocabulary::ProseVocabulary;
use crate::foundation::named_file::NamedFile;
use crate::foundation::sentence::sentence;
use crate::vocabulary::recording::{
    ConversationFile, PromptFile, RecordedInput, SessionReadOptions, SessionRecording, Trace, TraceReadOptions,
};
use crate::vocabulary::spec::workload::{ChatSpec, RequestsSpec, SessionsSpec, WorkloadSpec};

/// A handle to the kept texts. Clones share them; pass one to every cell of a sweep. Texts counted under different token rules, or by
/// different servers, are kept apart.
#[derive(Debug, Clone, Default)]
pub struct Corpus {
    kept: Arc<CorpusContents>,
}

#[derive(Debug, Default)]
struct CorpusContents {
    vocabulary: ProseVocabulary,
    // Each lock is held for a look or an insertion, never while a text is made.
    texts: Mutex<BTreeMap<CorpusKey, CountedText>>,
    folders: Mutex<BTreeMap<PathBuf, Arc<DocumentFolder>>>,
    conversations: Mutex<BTreeMap<(PathBuf, u32), Arc<ConversationFile>>>,
    lengths: Mutex<BTreeMap<PathBuf, Arc<[u64]>>>,
    /// Each with how many are read.
    prompts: Mutex<BTreeMap<(PathBuf, u64), Arc<PromptFile>>>,
    /// Each with how far it is read.
    sessions: Mutex<Vec<(PathBuf, SessionReadOptions, Arc<SessionRecording>)>>,
    /// Each with how far it is read.
    traces: Mutex<Vec<(PathBuf, TraceReadOptions, Arc<Trace>)>>,
}

/// What a kept text is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CorpusKey {
    /// The token rule it was counted under.
    pub(super) rule: Arc<str>,
    pub(super) origin: TextOrigin,
}

/// Where a kept text comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TextOrigin {
    /// Made from the seed; `numbers` say which of its kind it is.
    Made { kind: ProseKind, seed: u64, numbers: [u64; 2], tokens: u64 },
    /// A document with the request to read it in front, made from the seed.
    MadeDocument { seed: u64, number: u64, tokens: u64 },
    /// A file's document with the request to read it in front, by content hash; `salt` is the first line that tells a copy apart.
    FileDocument { blake3: String, salt: String },
    /// A message of a conversation in a file, by the byte at which the conversation begins and its place there; cut to at most `limit` tokens.
    Message { file: PathBuf, offset: u64, message: u32, limit: Option<u64> },
    /// A short text as it stands.
    Line(String),
}

impl Corpus {
    pub(super) fn vocabulary(&self) -> &ProseVocabulary {
        &self.kept.vocabulary
    }

    /// The text kept under `key`; made by `make` the first time.
    pub(super) async fn text(
        &self,
        key: CorpusKey,
        make: impl Future<Output = Result<CountedText, WorkloadError>>,
    ) -> Result<CountedText, WorkloadError> {
        if let Some(text) = locked(&self.kept.texts).get(&key) {
            return Ok(text.clone());
        }
        let text = make.await?;
        // Whoever made it first, meanwhile, wins: there is one allocation for a key.
        Ok(locked(&self.kept.texts).entry(key).or_insert(text).clone())
    }

    /// What lies in a folder of documents: names, sizes and content hashes.
    pub fn documents(&self, path: &Path) -> Result<Vec<DocumentFile>, WorkloadError> {
        Ok(self.folder(path)?.files().to_vec())
    }

    /// The documents of a folder, read and checked the first time.
    pub(super) fn folder(&self, path: &Path) -> Result<Arc<DocumentFolder>, WorkloadError> {
        if let Some(folder) = locked(&self.kept.folders).get(path) {
            return Ok(Arc::clone(folder));
        }
        let folder = Arc::new(DocumentFolder::read(path)?);
        Ok(Arc::clone(locked(&self.kept.folders).entry(path.to_owned()).or_insert(folder)))
    }

    /// The conversations of a file that have at least `rounds` rounds, read the first time.
    pub(super) fn conversations(&self, path: &Path, rounds: u32) -> Result<Arc<ConversationFile>, WorkloadError> {
        let key = (path.to_owned(), rounds);
        if let Some(conversations) = locked(&self.kept.conversations).get(&key) {
            return Ok(Arc::clone(conversations));
        }
        let read = Arc::new(ConversationFile::read(path, rounds, ChatSpec::MOST_CONVERSATIONS)?);
        Ok(Arc::clone(locked(&self.kept.conversations).entry(key).or_insert(read)))
    }

    /// The lengths of a file, a whole number of tokens a line, read the first time; there is at least one.
    pub fn lengths(&self, path: &Path) -> Result<Arc<[u64]>, WorkloadError> {
        if let Some(lengths) = locked(&self.kept.lengths).get(path) {
            return Ok(Arc::clone(lengths));
        }
        let lengths = read_lengths(path)?;
        Ok(Arc::clone(locked(&self.kept.lengths).entry(path.to_owned()).or_insert(lengths)))
    }

    /// The recording that a workload sends, as far as it does, read the first time; `None` where it names none.
    pub fn recorded(&self, workload: &WorkloadSpec) -> Result<Option<RecordedInput>, WorkloadError> {
        Ok(match workload {
            WorkloadSpec::Requests(spec) => match self.replayed(spec)? {
                Some(trace) => Some(RecordedInput::Trace(trace)),
                None => self.prompts(spec)?.map(RecordedInput::Prompts),
            },
            WorkloadSpec::Sessions(spec) => Some(RecordedInput::Sessions(self.sessions(spec)?)),
            WorkloadSpec::DocumentQa(_) | WorkloadSpec::Chat(_) => None,
        })
    }

    /// The sessions of a file, read the first time.
    pub(super) fn sessions(&self, spec: &SessionsSpec) -> Result<Arc<SessionRecording>, WorkloadError> {
        let cut = SessionReadOptions {
            unit: spec.time_unit,
            block_tokens: spec.block_tokens.map(|tokens| tokens.0),
            sessions: spec.count.unwrap_or(u64::MAX),
            turns: SessionsSpec::MOST_TURNS,
        };
        let file = &spec.sessions;
        if let Some((.., sessions)) = locked(&self.kept.sessions).iter().find(|(known, at, _)| known == file && *at == cut) {
            return Ok(Arc::clone(sessions));
        }
        let sessions = Arc::new(SessionRecording::read(file, cut)?);
        locked(&self.kept.sessions).push((file.clone(), cut, Arc::clone(&sessions)));
        Ok(sessions)
    }

    /// The prompts of a file, read the first time; `None` where the workload names none.
    pub(super) fn prompts(&self, spec: &RequestsSpec) -> Result<Option<Arc<PromptFile>>, WorkloadError> {
        let Some(file) = &spec.prompts else { return Ok(None) };
        let key = (file.clone(), spec.most().min(RequestsSpec::MOST_OF_A_FILE));
        if let Some(prompts) = locked(&self.kept.prompts).get(&key) {
            return Ok(Some(Arc::clone(prompts)));
        }
        let prompts = Arc::new(PromptFile::read(file, key.1)?);
        Ok(Some(Arc::clone(locked(&self.kept.prompts).entry(key).or_insert(prompts))))
    }

    pub(super) fn replayed(&self, spec: &RequestsSpec) -> Result<Option<Arc<Trace>>, WorkloadError> {
        let Some(file) = spec.trace_file() else { return Ok(None) };
        let until_ms = spec.duration.map(|duration| duration.0 * spec.speed_up * 1e3);
        let cut = TraceReadOptions {
            unit: spec.trace_unit,
            block_tokens: spec.block_tokens.map(|tokens| tokens.0),
            requests: spec.most(),
            until_ms,
        };
        if let Some((.., trace)) = locked(&self.kept.traces).iter().find(|(known, at, _)| known == file && *at == cut) {
            return Ok(Some(Arc::clone(trace)));
        }
        let trace = Arc::new(Trace::read(file, cut)?);
        locked(&self.kept.traces).push((file.to_owned(), cut, Arc::clone(&trace)));
        Ok(Some(trace))
    }
}

fn read_lengths(path: &Path) -> Result<Arc<[u64]>, WorkloadError> {
    let text = NamedFile::Lengths.read_text(path).map_err(std::io::Error::from)?;
    let lines = text.lines().map(str::trim).zip(1..).filter(|(line, _)| !line.is_empty());
    let lengths = lines.map(|(found, line)| {
        let length = found.parse::<u32>().ok().filter(|length| *length > 0);
        length.map(u64::from).ok_or_else(|| WorkloadError::Length { file: path.to_owned(), line, found: sentence(found).into_owned() })
    });
    let lengths: Arc<[u64]> = lengths.collect::<Result<_, _>>()?;
    if lengths.is_empty() { Err(WorkloadError::NoLengths { file: path.to_owned() }) } else { Ok(lengths) }
}

/// A panic elsewhere leaves a map whole: insertions are its only change.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(line: &str) -> CorpusKey {
        CorpusKey { rule: "rule".into(), origin: TextOrigin::Line(line.to_owned()) }
    }

    #[tokio::test]
    async fn a_text_is_made_once_and_shared_by_clones_of_the_handle() {
        let corpus = Corpus::default();
        let made = corpus.text(key("a"), async { Ok(CountedText { text: "a".into(), tokens: 1 }) }).await.unwrap();
        let again = corpus.clone().text(key("a"), async { panic!("made twice") }).await.unwrap();
        assert!(Arc::ptr_eq(&made.text, &again.text));
    }

    #[tokio::test]
    async fn a_failure_is_not_kept() {
        let corpus = Corpus::default();
        let failure = WorkloadError::AnswerTokens { found: 0 };
        assert!(corpus.text(key("a"), async { Err(failure) }).await.is_err());
        assert!(corpus.text(key("a"), async { Ok(CountedText { text: "a".into(), tokens: 1 }) }).await.is_ok());
    }
}
