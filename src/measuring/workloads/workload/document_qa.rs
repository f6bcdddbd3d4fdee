//! `document_qa`: every session holds one whole document and asks the same questions about it.
//!
//! In come the spec and the author; out come sessions. Which document a session has depends on the seed and the session's number alone,
//! so that it is the same in every cell and variant. It must not know groups or when a turn is sent.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::corpus::{Corpus, TextOrigin};
use super::draft::SessionDraft;
use super::folder::DocumentFolder;
use super::lengths::{LengthPurpose, LengthSampler};
use super::prose::ProseKind;
use super::seed::permutation;
use super::text::CountedText;
use super::text_generator::TextGenerator;
use super::vocabulary::lines;
use super::{WorkloadError, file_hash};
use crate::foundation::named_file::NamedFile;
use crate::vocabulary::session::Session;
use crate::vocabulary::spec::workload::{AnswerPolicy, DocumentQaSpec, DocumentReuse, DocumentsSpec};

/// What turn 0 says before the document.
pub const REQUEST: &str = "Read and summarize this novel.";

/// The turn that brings the document.
const DOCUMENT_TURN: u32 = 0;

const QUESTIONS: &str = include_str!("../../../../templates/questions.txt");

/// The workload, ready to make sessions.
#[derive(Debug)]
pub struct DocumentQaWorkload {
    author: TextGenerator,
    documents: DocumentSource,
    questions: Vec<CountedText>,
    answers: AnswerPolicy,
    answer_lengths: LengthSampler,
}

/// Where the documents come from.
#[derive(Debug)]
enum DocumentSource {
    Made {
        tokens: u64,
    },
    /// `order` is a seeded permutation of the folder's files.
    Folder {
        folder: Arc<DocumentFolder>,
        order: Vec<usize>,
    },
}

/// Whether the documents and questions are there that the sessions need.
pub fn check(spec: &DocumentQaSpec, corpus: &Corpus) -> Result<(), WorkloadError> {
    if let Some(file) = spec.answer_tokens.file() {
        corpus.lengths(file)?;
    }
    questions(spec)?;
    if let DocumentsSpec::Folder(path) = &spec.documents {
        let there = corpus.folder(path)?.files().len() as u64;
        let needed = spec.sessions();
        if there < needed && spec.reuse == DocumentReuse::Refuse {
            return Err(WorkloadError::TooFewDocuments { folder: path.clone(), there, needed });
        }
    }
    Ok(())
}

/// Content hashes of the documents in a folder and of a file of questions; null where the text is made or comes with the program.
pub(super) fn content_hashes(spec: &DocumentQaSpec, corpus: &Corpus) -> Result<Value, WorkloadError> {
    let documents = match &spec.documents {
        DocumentsSpec::Folder(folder) => serde_json::to_value(corpus.documents(folder)?).unwrap_or_default(),
        DocumentsSpec::Synthetic(_) => Value::Null,
    };
    let questions = spec.questions.as_deref().map(|file| file_hash(NamedFile::Questions, file)).transpose()?;
    Ok(json!({ "documents": documents, "questions": questions }))
}

/// The follow-up questions of a session, in order: the first `rounds` of the list.
pub fn questions(spec: &DocumentQaSpec) -> Result<Vec<String>, WorkloadError> {
    let (text, place) = match &spec.questions {
        Some(file) => (read_questions(file)?, format!("`{}`", file.display())),
        None => (QUESTIONS.to_owned(), "the list that comes with the program".to_owned()),
    };
    let mut questions: Vec<String> = lines(&text).map(str::to_owned).collect();
    let there = questions.len();
    questions.truncate(usize::try_from(spec.rounds).unwrap_or(usize::MAX));
    if questions.len() as u64 == u64::from(spec.rounds) {
        Ok(questions)
    } else {
        Err(WorkloadError::TooFewQuestions { rounds: spec.rounds, there, place })
    }
}

fn read_questions(file: &Path) -> Result<String, WorkloadError> {
    String::from_utf8(NamedFile::Questions.read(file).map_err(std::io::Error::from)?)
        .map_err(|_| WorkloadError::NotUtf8 { file: file.to_owned() })
}

impl DocumentQaWorkload {
    pub async fn prepare(spec: &DocumentQaSpec, author: TextGenerator, corpus: &Corpus) -> Result<Self, WorkloadError> {
        check(spec, corpus)?;
        let documents = match &spec.documents {
            DocumentsSpec::Synthetic(synthetic) => DocumentSource::Made { tokens: synthetic.synthetic_tokens.0 },
            DocumentsSpec::Folder(path) => {
                let folder = corpus.folder(path)?;
                let order = permutation(author.seed(), "documents", folder.files().len());
                DocumentSource::Folder { folder, order }
            }
        };
        let mut counted = Vec::new();
        for question in questions(spec)? {
            counted.push(author.line(&question).await?);
        }
        let answer_lengths = LengthSampler::new(&spec.answer_tokens, author.seed(), LengthPurpose::Answer, corpus)?;
        Ok(Self { author, documents, questions: counted, answers: spec.answers, answer_lengths })
    }

    /// Turns of a session: the document, then a question a round.
    pub fn turns(&self) -> u32 {
        u32::try_from(self.questions.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    pub async fn session(&self, number: u64, first_turn: u32) -> Result<Session, WorkloadError> {
        let mut draft = SessionDraft::new(number, first_turn, self.turns())?;
        draft.set_history_turn(DOCUMENT_TURN);
        let asks = std::iter::once(self.document(number).await?).chain(self.questions.iter().cloned());
        for (turn, ask) in (0..).zip(asks) {
            let answer_tokens = self.answer_lengths.answer(&[number, turn.into()])?;
            let reply = self.author.reply(number, turn, answer_tokens);
            if turn < first_turn {
                draft.lived(ask, reply.await?);
            } else {
                draft.ahead(ask, self.author.answer(self.answers, answer_tokens, reply).await?);
            }
        }
        Ok(draft.finish())
    }

    /// What turn 0 of a session asks: to read its document, which stands there whole.
    async fn document(&self, number: u64) -> Result<CountedText, WorkloadError> {
        match &self.documents {
            DocumentSource::Made { tokens } => {
                let origin = TextOrigin::MadeDocument { seed: self.author.seed(), number, tokens: *tokens };
                self.author.keep(origin, self.made_document(number, *tokens)).await
            }
            DocumentSource::Folder { folder, order } => self.file_document(folder, order, number).await,
        }
    }

    async fn made_document(&self, number: u64, tokens: u64) -> Result<CountedText, WorkloadError> {
        let novel = self.author.write(ProseKind::Novel, [number, 0], tokens, &self.author.title(number)).await?;
        self.request("", &novel.text).await
    }

    /// Documents are dealt out without replacement; when all are used, they come again with a first line that tells them apart.
    async fn file_document(&self, folder: &DocumentFolder, order: &[usize], number: u64) -> Result<CountedText, WorkloadError> {
        let documents = order.len() as u64;
        let file = &folder.files()[order[usize::try_from(number % documents).unwrap_or(0)]];
        let salt = match number / documents {
            0 => String::new(),
            copy => format!("{}, copy {copy}\n\n", self.author.title(number)),
        };
        let origin = TextOrigin::FileDocument { blake3: file.blake3.clone(), salt: salt.clone() };
        self.author.keep(origin, async { self.request(&salt, &folder.load(file)?).await }).await
    }

    async fn request(&self, salt: &str, document: &str) -> Result<CountedText, WorkloadError> {
        Ok(CountedText::counted(&format!("{REQUEST}\n\n{salt}{document}"), self.author.counter()).await?)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::{Corpus, Workload};
    use super::*;
    use crate::foundation::units::Tokens;
    use crate::vocabulary::session::{AnswerMode, MessageRole};
    use crate::vocabulary::spec::lengths::LengthDistribution;
    use crate::vocabulary::spec::workload::{SyntheticDocumentsSpec, WorkloadSpec};
    use crate::workloads::tokens::TokenCounter;

    fn spec(json: serde_json::Value) -> DocumentQaSpec {
        serde_json::from_value(json).unwrap()
    }

    fn synthetic(tokens: u64) -> DocumentQaSpec {
        let documents = DocumentsSpec::Synthetic(SyntheticDocumentsSpec { synthetic_tokens: Tokens(tokens) });
        DocumentQaSpec { documents, answer_tokens: LengthDistribution::Fixed(Tokens(20)), ..spec(serde_json::json!({})) }
    }

    async fn prepared(spec: &DocumentQaSpec, seed: u64, corpus: &Corpus) -> Result<Workload, WorkloadError> {
        Workload::prepare(&WorkloadSpec::DocumentQa(spec.clone()), seed, TokenCounter::Simulated, corpus.clone()).await
    }

    async fn session(spec: &DocumentQaSpec, seed: u64, number: u64) -> Session {
        prepared(spec, seed, &Corpus::default()).await.unwrap().session(number, 0).await.unwrap()
    }

    /// A folder of `count` small documents, named so that their order is known.
    fn folder(count: usize) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..count {
            fs_err::write(folder.path().join(format!("{number:03}.txt")), format!("Document {number} tells of its own.")).unwrap();
        }
        folder
    }

    fn over(folder: &tempfile::TempDir, concurrent: u32, sequential: u32, reuse: DocumentReuse) -> DocumentQaSpec {
        DocumentQaSpec { documents: DocumentsSpec::Folder(folder.path().to_owned()), concurrent, sequential, reuse, ..synthetic(1) }
    }

    #[tokio::test]
    async fn a_session_asks_for_a_summary_and_then_the_questions_in_order() {
        let session = session(&synthetic(300), 7, 5).await;
        assert_eq!((session.number, session.first_turn, session.opening.len(), session.opening_tokens), (5, 0, 0, 0));
        assert_eq!(session.turns.len(), 4);
        let (request, document) = session.turns[0].ask.split_once("\n\n").unwrap();
        assert_eq!(request, "Read and summarize this novel.");
        assert_eq!(TokenCounter::Simulated.count(document).await.unwrap(), 300);
        for turn in &session.turns {
            assert_eq!(TokenCounter::Simulated.count(&turn.ask).await.unwrap(), turn.ask_tokens);
            assert_eq!(turn.answer, AnswerMode::Live { max_tokens: 20 });
        }
        assert_eq!(&*session.turns[1].ask, "Who is the main character?");
        assert_eq!(&*session.turns[2].ask, "Where does the story take place?");
        let asks = |turns: usize| session.turns[..turns].iter().map(|turn| turn.ask_tokens).sum::<u64>();
        assert_eq!(session.prompt_tokens(2), asks(3) + 2 * 20);
    }

    #[tokio::test]
    async fn the_seed_and_the_number_alone_make_a_session() {
        let wide = DocumentQaSpec { concurrent: 8, sequential: 9, ..synthetic(200) };
        assert_eq!(session(&synthetic(200), 7, 3).await, session(&wide, 7, 3).await);
        assert_ne!(session(&synthetic(200), 7, 3).await, session(&synthetic(200), 8, 3).await);
    }

    #[tokio::test]
    async fn no_two_sessions_share_a_word_of_their_documents_beginnings() {
        let workload = prepared(&synthetic(100), 7, &Corpus::default()).await.unwrap();
        let mut beginnings = BTreeSet::new();
        for number in 0..64 {
            let session = workload.session(number, 0).await.unwrap();
            beginnings.insert(session.turns[0].ask.split_whitespace().nth(5).unwrap().to_owned());
        }
        assert_eq!(beginnings.len(), 64);
    }

    #[tokio::test]
    async fn cells_of_one_corpus_share_their_documents_in_memory() {
        let corpus = Corpus::default();
        let first = prepared(&synthetic(200), 7, &corpus).await.unwrap().session(3, 0).await.unwrap();
        let scripted = DocumentQaSpec { answers: AnswerPolicy::Scripted, rounds: 5, ..synthetic(200) };
        let second = prepared(&scripted, 7, &corpus).await.unwrap().session(3, 0).await.unwrap();
        assert!(Arc::ptr_eq(&first.turns[0].ask, &second.turns[0].ask));
        assert!(Arc::ptr_eq(&first.turns[1].ask, &second.turns[1].ask));
    }

    #[tokio::test]
    async fn scripted_answers_are_exact_and_forced_ones_have_a_length() {
        let scripted = session(&DocumentQaSpec { answers: AnswerPolicy::Scripted, ..synthetic(50) }, 7, 0).await;
        let mut texts = BTreeSet::new();
        for turn in &scripted.turns {
            let AnswerMode::Scripted { max_tokens: 20, text } = &turn.answer else { panic!("{:?}", turn.answer) };
            assert_eq!(TokenCounter::Simulated.count(text).await.unwrap(), 20);
            texts.insert(text.to_string());
        }
        assert_eq!(texts.len(), 4);
        let forced = session(&DocumentQaSpec { answers: AnswerPolicy::ForcedLength, ..synthetic(50) }, 7, 0).await;
        assert_eq!(forced.turns[3].answer, AnswerMode::Forced { tokens: 20 });
    }

    #[tokio::test]
    async fn documents_of_a_folder_are_dealt_out_without_replacement_and_alike_in_every_cell() {
        let folder = folder(12);
        let corpus = Corpus::default();
        let workload = prepared(&over(&folder, 4, 3, DocumentReuse::Refuse), 7, &corpus).await.unwrap();
        let small = prepared(&over(&folder, 1, 2, DocumentReuse::Refuse), 7, &corpus).await.unwrap();
        let mut documents = Vec::new();
        for number in 0..12 {
            documents.push(workload.session(number, 0).await.unwrap().turns[0].ask.to_string());
        }
        assert_eq!(documents.iter().collect::<BTreeSet<_>>().len(), 12);
        assert!(!documents.is_sorted());
        assert_eq!(&*small.session(1, 0).await.unwrap().turns[0].ask, documents[1]);
    }

    #[tokio::test]
    async fn too_few_documents_are_refused_unless_copies_are_salted() {
        let folder = folder(3);
        let refused = prepared(&over(&folder, 2, 2, DocumentReuse::Refuse), 7, &Corpus::default()).await.unwrap_err().to_string();
        assert!(refused.contains("holds 3 documents, but 4 sessions"), "{refused}");
        let salted = prepared(&over(&folder, 2, 2, DocumentReuse::Salted), 7, &Corpus::default()).await.unwrap();
        let mut asks = Vec::new();
        for number in 0..7 {
            let turn = salted.session(number, 0).await.unwrap().turns.remove(0);
            assert_eq!(TokenCounter::Simulated.count(&turn.ask).await.unwrap(), turn.ask_tokens);
            asks.push(turn.ask);
        }
        assert!(asks[0].starts_with("Read and summarize this novel.\n\nDocument "));
        // Sessions 0, 3 and 6 have the same document; the copies begin with lines of their own.
        let document = asks[0].split_once("\n\n").unwrap().1;
        let salt = |ask: &str| ask.strip_suffix(document).unwrap().split_whitespace().nth(5).unwrap().to_owned();
        assert_ne!(salt(&asks[3]), salt(&asks[6]));
    }

    #[tokio::test]
    async fn questions_can_be_replaced_and_must_suffice() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), "# two\nWhy?\n\n  And then?\n").unwrap();
        let own = DocumentQaSpec { questions: Some(file.path().to_owned()), rounds: 2, ..synthetic(10) };
        let session = session(&own, 7, 0).await;
        assert_eq!([&*session.turns[1].ask, &*session.turns[2].ask], ["Why?", "And then?"]);
        let error = prepared(&DocumentQaSpec { rounds: 3, ..own }, 7, &Corpus::default()).await.unwrap_err().to_string();
        assert!(error.contains("`rounds` is 3") && error.contains("has 2 questions"), "{error}");
        assert!(lines(QUESTIONS).count() >= 45);
    }

    #[tokio::test]
    async fn a_session_can_be_met_in_mid_life() {
        let workload = prepared(&synthetic(50), 7, &Corpus::default()).await.unwrap();
        let whole = workload.session(0, 0).await.unwrap();
        let late = workload.session(0, 2).await.unwrap();
        assert_eq!((late.first_turn, &late.turns[..]), (2, &whole.turns[2..]));
        assert_eq!(
            late.opening.iter().map(|message| message.role).collect::<Vec<_>>(),
            [MessageRole::User, MessageRole::Assistant, MessageRole::User, MessageRole::Assistant]
        );
        assert_eq!(late.prompt_tokens(0), whole.prompt_tokens(2));
        assert!(matches!(workload.session(0, 4).await, Err(WorkloadError::FirstTurn { first_turn: 4, turns: 4 })));
    }
}
