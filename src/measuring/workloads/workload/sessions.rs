//! `sessions`: recorded sessions, made again: their own texts, or texts of the recorded lengths; prompts with hash ids share what their ids share.
//!
//! Texts are read from the file, or made, when a session is asked for, and not kept. It must not know when turns are sent.

use std::sync::Arc;

use serde_json::{Value, json};

use super::blocks::TraceBlockTexts;
use super::corpus::Corpus;
use super::draft::SessionDraft;
use super::lengths::{LengthPurpose, LengthSampler};
use super::prose::ProseKind;
use super::text::CountedText;
use super::text_generator::TextGenerator;
use super::{WorkloadError, answer_length, file_hash};
use crate::foundation::named_file::NamedFile;
use crate::foundation::units::Tokens;
use crate::vocabulary::recording::{RecordedAsk, RecordedTurn, SessionRecording};
use crate::vocabulary::session::{AnswerMode, Session};
use crate::vocabulary::spec::sessions::SessionsSpec;
use crate::vocabulary::spec::workload::AnswerPolicy;

/// The workload, ready to make sessions.
#[derive(Debug)]
pub struct SessionsWorkload {
    author: TextGenerator,
    recording: Arc<SessionRecording>,
    blocks: TraceBlockTexts,
    answers: AnswerPolicy,
    /// Where the file does not tell how long an answer is.
    answer_lengths: LengthSampler,
}

/// Whether the file is there, and can be sent again, that the workload names.
pub fn check(spec: &SessionsSpec, corpus: &Corpus) -> Result<(), WorkloadError> {
    let recording = corpus.sessions(spec)?;
    if spec.concurrency.is_none() && !recording.has_times() {
        return Err(WorkloadError::NoSessionTimes { file: spec.sessions.clone() });
    }
    spec.answer_tokens.file().map(|file| corpus.lengths(file)).transpose()?;
    Ok(())
}

/// The content hash of the file.
pub(super) fn content_hashes(spec: &SessionsSpec) -> Result<Value, WorkloadError> {
    let mut hashes = json!({ "sessions": file_hash(NamedFile::Conversations, &spec.sessions)? });
    if let Some(file) = spec.answer_tokens.file() {
        hashes["answer_tokens"] = file_hash(NamedFile::Lengths, file)?.into();
    }
    Ok(hashes)
}

impl SessionsWorkload {
    pub fn prepare(spec: &SessionsSpec, author: TextGenerator, corpus: &Corpus) -> Result<Self, WorkloadError> {
        check(spec, corpus)?;
        let recording = corpus.sessions(spec)?;
        let answer_lengths = LengthSampler::new(&spec.answer_tokens, author.seed(), LengthPurpose::Answer, corpus)?;
        let blocks = TraceBlockTexts::new(recording.block_tokens());
        Ok(Self { author, recording, blocks, answers: spec.answers, answer_lengths })
    }

    /// Whether each prompt stands by itself, so that a session is made turn by turn.
    pub fn has_whole_prompts(&self) -> bool {
        self.recording.has_whole_prompts()
    }

    /// The turns of the session that has most of them.
    pub fn turns(&self) -> u32 {
        let most = (0..self.recording.count()).map(|session| self.recording.turns(session).len()).max();
        u32::try_from(most.unwrap_or(0)).unwrap_or(u32::MAX)
    }

    /// A session: all its turns, or the turn `first_turn` alone where each prompt stands by itself.
    pub async fn session(&self, number: u64, first_turn: u32) -> Result<Session, WorkloadError> {
        let turns = u32::try_from(self.recording.turns(number).len()).unwrap_or(u32::MAX);
        let mut draft = SessionDraft::new(number, first_turn, turns)?;
        let last = if self.has_whole_prompts() { first_turn.saturating_add(1) } else { turns };
        for (turn, recorded) in (0..last).zip(self.recording.turns(number)).skip(first_turn as usize) {
            let numbers = [number, turn.into()];
            let (ask, answer) = match self.recording.ask(number, turn)? {
                RecordedAsk::Text { opening, ask, answer } => {
                    for message in opening {
                        draft.open(message.role, self.author.count(&message.text).await?);
                    }
                    (self.author.count(&ask).await?, answer)
                }
                RecordedAsk::Tokens(tokens) => (self.made(numbers, tokens).await?, None),
                RecordedAsk::Blocks { hash_ids, tokens } if hash_ids.is_empty() => (self.made(numbers, tokens).await?, None),
                RecordedAsk::Blocks { hash_ids, tokens } => (self.blocks.prompt(&self.author, &hash_ids, tokens).await?, None),
            };
            let answer = self.answer(numbers, *recorded, answer).await?;
            draft.ahead(ask, answer);
        }
        Ok(draft.finish())
    }

    async fn made(&self, numbers: [u64; 2], tokens: u64) -> Result<CountedText, WorkloadError> {
        let [session, turn] = numbers;
        let head = self.author.title(session);
        self.author.write(ProseKind::Story, [session, turn + 1], tokens, if turn == 0 { &head } else { "" }).await
    }

    async fn answer(&self, [session, turn]: [u64; 2], recorded: RecordedTurn, text: Option<Arc<str>>) -> Result<AnswerMode, WorkloadError> {
        let said = match &text {
            Some(text) => Some(self.author.count(text).await?),
            None => None,
        };
        let told = recorded.output_tokens.map(u64::from).or(said.as_ref().map(|said| said.tokens));
        let tokens = answer_length(Tokens(told.unwrap_or_else(|| self.answer_lengths.of(&[session, turn])).max(1)))?;
        let script = async {
            match said {
                Some(said) => Ok(said),
                None => self.author.write(ProseKind::Answer, [session, turn], tokens.into(), "").await,
            }
        };
        self.author.answer(self.answers, tokens, script).await
    }
}

#[cfg(test)]
mod tests {
    use super::super::Workload;
    use super::*;
    use crate::vocabulary::spec::workload::WorkloadSpec;
    use crate::workloads::tokens::TokenCounter;

    async fn prepared(text: &str, answers: &str) -> (Workload, tempfile::NamedTempFile) {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), text).unwrap();
        let spec = json!({"kind": "sessions", "sessions": file.path(), "concurrency": 1, "answers": answers, "answer_tokens": 9});
        let spec: WorkloadSpec = serde_json::from_value(spec).unwrap();
        (Workload::prepare(&spec, 7, TokenCounter::Simulated, Corpus::default()).await.unwrap(), file)
    }

    #[tokio::test]
    async fn recorded_texts_are_asked_and_recorded_answers_stand_in_the_history_where_that_is_asked_for() {
        let row = r#"{"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "One?"}, {"role": "assistant", "content": "Two three four."}, {"role": "user", "content": "Five?"}]}"#;
        let (workload, _file) = prepared(row, "scripted").await;
        let session = workload.session(0, 0).await.unwrap();
        assert_eq!((session.opening.len(), session.turns.len(), &*session.turns[1].ask), (1, 2, "Five?"));
        let AnswerMode::Scripted { max_tokens, text } = &session.turns[0].answer else { panic!() };
        assert_eq!((&**text, u64::from(*max_tokens)), ("Two three four.", TokenCounter::Simulated.count("Two three four.").await.unwrap()));
        assert_eq!(session.turns[1].answer.max_tokens(), 9, "where nothing was recorded");
        let (live, _file) = prepared(row, "live").await;
        assert!(matches!(live.session(0, 0).await.unwrap().turns[0].answer, AnswerMode::Live { .. }));
        assert!(matches!(live.session(1, 0).await.unwrap_err(), WorkloadError::FirstTurn { .. }));
    }

    #[tokio::test]
    async fn without_times_and_without_users_nothing_says_when_a_session_begins() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), r#"{"prompt": "One?", "output_tokens": 3}"#).unwrap();
        let checked = |concurrency: Value| {
            let spec: SessionsSpec = serde_json::from_value(json!({"sessions": file.path(), "concurrency": concurrency})).unwrap();
            check(&spec, &Corpus::default()).map_err(|error| error.to_string())
        };
        assert_eq!(checked(json!(2)), Ok(()));
        assert!(checked(Value::Null).unwrap_err().contains("tells no times, so nothing says when its sessions begin: set `concurrency`"));
    }

    #[tokio::test]
    async fn lengths_become_texts_of_that_length_and_whole_prompts_are_made_turn_by_turn() {
        let rows =
            "{\"session_id\": 1, \"input_length\": 40, \"output_length\": 5}\n{\"session_id\": 1, \"delay\": 1, \"input_length\": 7}\n";
        let (workload, _file) = prepared(rows, "forced_length").await;
        let session = workload.session(0, 0).await.unwrap();
        let lengths: Vec<_> = session.turns.iter().map(|turn| (turn.ask_tokens, turn.answer.max_tokens())).collect();
        assert_eq!((lengths, session.turns[0].answer.clone()), (vec![(40, 5), (7, 9)], AnswerMode::Forced { tokens: 5 }));
        let chats = r#"{"chat_id": 0, "parent_chat_id": -1, "timestamp": 1, "input_length": 20, "output_length": 3, "hash_ids": [1, 2]}
{"chat_id": 1, "parent_chat_id": 0, "timestamp": 2, "input_length": 40, "output_length": 4, "hash_ids": [1, 2, 4]}"#;
        let (workload, _file) = prepared(chats, "live").await;
        let (first, second) = (workload.session(0, 0).await.unwrap(), workload.session(0, 1).await.unwrap());
        assert_eq!((first.turns.len(), second.turns.len(), second.first_turn, second.opening_tokens), (1, 1, 1, 0));
        assert_eq!((first.turns[0].ask_tokens, second.turns[0].ask_tokens, second.turns[0].answer.max_tokens()), (20, 40, 4));
        let common = first.turns[0].ask.bytes().zip(second.turns[0].ask.bytes()).take_while(|(one, other)| one == other).count();
        assert!(TokenCounter::Simulated.count(&first.turns[0].ask[..common]).await.unwrap() >= 16, "they share a block");
    }
}
