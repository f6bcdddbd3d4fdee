//! `chat`: many users, each with an own history behind a shared system prompt, each asking a question a turn.
//!
//! A session opens with the system prompt (one allocation for all users), then the user's history as a message of its own with a short
//! acknowledgement by the assistant: so the prefix that users share ends with the system prompt, roles alternate as strict chat templates
//! want it, and a failed first turn that is dropped does not take the history with it. A length of 0 leaves a part out. Conversations of a file
//! replace questions and answers; system prompt and history stay seeded text of the asked lengths.
//! It must not know when users join or ask.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::corpus::{Corpus, TextOrigin};
use super::draft::SessionDraft;
use super::lengths::{LengthPurpose, LengthSampler};
use super::prose::ProseKind;
use super::seed::permutation;
use super::text::{CountedText, at_most};
use super::text_generator::TextGenerator;
use super::{WorkloadError, file_hash};
use crate::foundation::named_file::NamedFile;
use crate::vocabulary::recording::ConversationFile;
use crate::vocabulary::session::{MessageRole, Session};
use crate::vocabulary::spec::workload::{AnswerPolicy, ChatDataset, ChatSpec};
use crate::workloads::arrival::user_numbers;

/// What the assistant says to a user's history.
pub const ACKNOWLEDGEMENT: &str = "Thank you, I have read it.";

/// The workload, ready to make sessions.
#[derive(Debug)]
pub struct ChatWorkload {
    author: TextGenerator,
    system: CountedText,
    acknowledgement: CountedText,
    history_tokens: u64,
    dialogue: DialogueSource,
    rounds: u32,
    answers: AnswerPolicy,
    answer_lengths: LengthSampler,
    first_user_id: u64,
}

/// Where questions and answers come from.
#[derive(Debug)]
enum DialogueSource {
    Made {
        question_tokens: u64,
    },
    /// `order` is a seeded permutation of the conversations.
    File {
        conversations: Arc<ConversationFile>,
        order: Vec<usize>,
    },
}

/// Whether the conversations are there that the users need.
pub fn check(spec: &ChatSpec, corpus: &Corpus) -> Result<(), WorkloadError> {
    if let Some(file) = spec.answer_tokens.file() {
        corpus.lengths(file)?;
    }
    if let ChatDataset::Sharegpt(file) = &spec.dataset {
        let there = corpus.conversations(file, spec.rounds)?.count();
        let needed = user_numbers(spec);
        if there < needed {
            return Err(WorkloadError::TooFewConversations { file: file.clone(), rounds: spec.rounds, there, needed });
        }
    }
    Ok(())
}

/// The content hash of the conversations; null where they are made.
pub(super) fn content_hashes(spec: &ChatSpec) -> Result<Value, WorkloadError> {
    match &spec.dataset {
        ChatDataset::Sharegpt(file) => Ok(json!({ "sharegpt": file_hash(NamedFile::Conversations, file)? })),
        ChatDataset::Synthetic => Ok(Value::Null),
    }
}

impl ChatWorkload {
    pub async fn prepare(spec: &ChatSpec, author: TextGenerator, corpus: &Corpus) -> Result<Self, WorkloadError> {
        check(spec, corpus)?;
        let dialogue = match &spec.dataset {
            ChatDataset::Synthetic => DialogueSource::Made { question_tokens: spec.question_tokens.0 },
            ChatDataset::Sharegpt(file) => {
                let conversations = corpus.conversations(file, spec.rounds)?;
                let order = permutation(author.seed(), "conversations", usize::try_from(conversations.count()).unwrap_or(0));
                DialogueSource::File { conversations, order }
            }
        };
        // All users share this one, whatever the number of the first of them.
        let system = author.made(ProseKind::Instructions, [0, 0], spec.system_prompt_tokens.0, &author.title(0)).await?;
        let acknowledgement = author.line(ACKNOWLEDGEMENT).await?;
        Ok(Self {
            system,
            acknowledgement,
            history_tokens: spec.history_tokens.0,
            dialogue,
            rounds: spec.rounds,
            answers: spec.answers,
            answer_lengths: LengthSampler::new(&spec.answer_tokens, author.seed(), LengthPurpose::Answer, corpus)?,
            first_user_id: spec.first_user_id,
            author,
        })
    }

    /// Turns of a user's whole life.
    pub fn turns(&self) -> u32 {
        self.rounds
    }

    pub async fn session(&self, number: u64, first_turn: u32) -> Result<Session, WorkloadError> {
        let user = self.first_user_id.saturating_add(number);
        let mut draft = SessionDraft::new(user, first_turn, self.rounds)?;
        draft.open(MessageRole::System, self.system.clone());
        if self.history_tokens > 0 {
            let title = self.author.title(user);
            draft.open(MessageRole::User, self.author.made(ProseKind::Story, [user, 0], self.history_tokens, &title).await?);
            draft.open(MessageRole::Assistant, self.acknowledgement.clone());
        }
        match &self.dialogue {
            DialogueSource::Made { question_tokens } => self.made_turns(&mut draft, user, first_turn, *question_tokens).await?,
            DialogueSource::File { conversations, order } => {
                // One conversation a user: the check before the run leaves no user without.
                let place = usize::try_from(user % order.len().max(1) as u64).unwrap_or(0);
                self.file_turns(&mut draft, user, conversations, order[place], first_turn).await?;
            }
        }
        Ok(draft.finish())
    }

    async fn made_turns(&self, draft: &mut SessionDraft, user: u64, first_turn: u32, question_tokens: u64) -> Result<(), WorkloadError> {
        let title = self.author.title(user);
        for turn in 0..self.rounds {
            let head = format!("{title}, question {}", turn + 1);
            let ask = self.author.made(ProseKind::Question, [user, turn.into()], question_tokens, &head).await?;
            let answer_tokens = self.answer_lengths.answer(&[user, turn.into()])?;
            let reply = self.author.reply(user, turn, answer_tokens);
            if turn < first_turn {
                draft.lived(ask, reply.await?);
            } else {
                draft.ahead(ask, self.author.answer(self.answers, answer_tokens, reply).await?);
            }
        }
        Ok(())
    }

    async fn file_turns(
        &self,
        draft: &mut SessionDraft,
        user: u64,
        conversations: &ConversationFile,
        conversation: usize,
        first_turn: u32,
    ) -> Result<(), WorkloadError> {
        let place = (conversations.file(), conversations.offset(conversation).unwrap_or(0));
        for (turn, round) in (0..self.rounds).zip(conversations.rounds(conversation)?) {
            let answer_tokens = self.answer_lengths.answer(&[user, turn.into()])?;
            let ask = self.message(place, 2 * turn, &round.question, None).await?;
            let reply = self.message(place, 2 * turn + 1, &round.answer, Some(answer_tokens)).await?;
            if turn < first_turn {
                draft.lived(ask, reply);
            } else {
                let tokens = u32::try_from(reply.tokens).unwrap_or(u32::MAX).clamp(1, answer_tokens);
                draft.ahead(ask, self.author.answer(self.answers, tokens, async { Ok(reply) }).await?);
            }
        }
        Ok(())
    }

    /// A message of a conversation, cut where it is longer than an answer may be: the history then grows as it does with live answers.
    async fn message(
        &self,
        (file, offset): (&Path, u64),
        message: u32,
        text: &str,
        limit: Option<u32>,
    ) -> Result<CountedText, WorkloadError> {
        let limit = limit.map(u64::from);
        let origin = TextOrigin::Message { file: file.to_owned(), offset, message, limit };
        let counter = self.author.counter();
        let make = async { Ok(at_most(limit.unwrap_or(u64::MAX), text, counter).await?) };
        self.author.keep(origin, make).await
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::{Corpus, Workload};
    use super::*;
    use crate::vocabulary::session::AnswerMode;
    use crate::vocabulary::spec::workload::WorkloadSpec;
    use crate::workloads::tokens::TokenCounter;

    /// 10 users, 5 rounds; every length different.
    fn spec(changes: &serde_json::Value) -> ChatSpec {
        let mut whole = serde_json::json!({
            "system_prompt_tokens": 60, "history_tokens": 80, "question_tokens": 16, "answer_tokens": 40, "qps": 2.0, "duration": 60,
        });
        whole.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        serde_json::from_value(whole).unwrap()
    }

    async fn prepared(changes: serde_json::Value) -> Result<Workload, WorkloadError> {
        Workload::prepare(&WorkloadSpec::Chat(spec(&changes)), 7, TokenCounter::Simulated, Corpus::default()).await
    }

    fn sharegpt(conversations: usize, rounds: usize, answer: &str) -> tempfile::NamedTempFile {
        let list: Vec<_> = (0..conversations)
            .map(|number| {
                let messages: Vec<_> = (0..rounds)
                    .flat_map(|round| {
                        let question = format!("Question {round} of conversation {number}");
                        [serde_json::json!({"from": "human", "value": question}), serde_json::json!({"from": "gpt", "value": answer})]
                    })
                    .collect();
                serde_json::json!({"id": number.to_string(), "conversations": messages})
            })
            .collect();
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), serde_json::Value::from(list).to_string()).unwrap();
        file
    }

    async fn count(text: &str) -> u64 {
        TokenCounter::Simulated.count(text).await.unwrap()
    }

    #[tokio::test]
    async fn users_share_the_system_prompt_and_nothing_else() {
        let workload = prepared(serde_json::json!({})).await.unwrap();
        let (first, second) = (workload.session(0, 0).await.unwrap(), workload.session(1, 0).await.unwrap());
        assert!(Arc::ptr_eq(&first.opening[0].text, &second.opening[0].text));
        let roles: Vec<MessageRole> = first.opening.iter().map(|message| message.role).collect();
        assert_eq!(roles, [MessageRole::System, MessageRole::User, MessageRole::Assistant]);
        assert_eq!(count(&first.opening[0].text).await, 60);
        assert_eq!(count(&first.opening[1].text).await, 80);
        assert_ne!(first.opening[1].text.split(' ').next(), second.opening[1].text.split(' ').next());
        assert_eq!(first.opening_tokens, 60 + 80 + count(ACKNOWLEDGEMENT).await);
    }

    #[tokio::test]
    async fn every_question_has_its_length_and_no_other_user_or_turn_asks_it() {
        let workload = prepared(serde_json::json!({})).await.unwrap();
        let mut asked = BTreeSet::new();
        for user in 0..20 {
            for turn in workload.session(user, 0).await.unwrap().turns {
                assert_eq!((count(&turn.ask).await, turn.ask_tokens), (16, 16));
                assert!(turn.ask.ends_with('?') && !turn.ask.contains('\n'), "{}", turn.ask);
                assert_eq!(turn.answer, AnswerMode::Live { max_tokens: 40 });
                asked.insert(turn.ask);
            }
        }
        assert_eq!(asked.len(), 20 * 5);
    }

    #[tokio::test]
    async fn a_user_met_in_mid_life_has_a_history_of_the_same_depth_as_one_who_lived_it() {
        let workload = prepared(serde_json::json!({})).await.unwrap();
        let (whole, late) = (workload.session(4, 0).await.unwrap(), workload.session(4, 3).await.unwrap());
        assert_eq!(late.opening.len(), 3 + 2 * 3);
        assert_eq!(late.opening[3].text, whole.turns[0].ask);
        assert_eq!(count(&late.opening[8].text).await, 40);
        assert_eq!(late.turns, whole.turns[3..]);
        assert_eq!(late.opening_tokens, whole.opening_tokens + 3 * (16 + 40));
        assert_eq!(late.prompt_tokens(1), whole.prompt_tokens(4));
    }

    #[tokio::test]
    async fn the_first_user_id_moves_all_but_the_system_prompt() {
        let base = prepared(serde_json::json!({})).await.unwrap();
        let moved = prepared(serde_json::json!({"first_user_id": 1000})).await.unwrap();
        let (here, there) = (base.session(2, 0).await.unwrap(), moved.session(2, 0).await.unwrap());
        assert_eq!((here.number, there.number), (2, 1002));
        assert_eq!(here.opening[0], there.opening[0]);
        assert_ne!(here.opening[1], there.opening[1]);
        assert_ne!(here.turns[0].ask, there.turns[0].ask);
        assert_eq!(there, base.session(1002, 0).await.unwrap());
    }

    #[tokio::test]
    async fn a_length_of_zero_leaves_the_part_out() {
        let workload = prepared(serde_json::json!({"system_prompt_tokens": 0, "history_tokens": 0})).await.unwrap();
        let session = workload.session(0, 0).await.unwrap();
        assert_eq!((session.opening.len(), session.opening_tokens), (0, 0));
    }

    #[tokio::test]
    async fn conversations_give_questions_and_the_lengths_of_answers() {
        let file = sharegpt(40, 6, "one two three");
        let dataset = serde_json::json!({"sharegpt": file.path()});
        let workload = prepared(serde_json::json!({"dataset": dataset, "answers": "scripted"})).await.unwrap();
        let mut first_questions = BTreeSet::new();
        for user in 0..40 {
            let session = workload.session(user, 0).await.unwrap();
            assert_eq!(session.turns.len(), 5);
            assert!(session.turns[4].ask.starts_with("Question 4 of conversation "));
            assert_eq!(session.turns[4].ask_tokens, count(&session.turns[4].ask).await);
            assert_eq!(session.turns[4].answer, AnswerMode::Scripted { max_tokens: 3, text: "one two three".into() });
            first_questions.insert(session.turns[0].ask.to_string());
        }
        assert_eq!(first_questions.len(), 40, "one conversation a user");
    }

    #[tokio::test]
    async fn reference_answers_longer_than_an_answer_may_be_are_cut() {
        let file = sharegpt(40, 6, &"word ".repeat(50));
        let dataset = serde_json::json!({"sharegpt": file.path()});
        let session = prepared(serde_json::json!({"dataset": dataset})).await.unwrap().session(0, 1).await.unwrap();
        assert_eq!(session.turns[0].answer, AnswerMode::Live { max_tokens: 40 });
        assert_eq!(count(&session.opening[4].text).await, 40);
    }

    #[tokio::test]
    async fn each_turn_s_answer_has_a_length_of_its_own_where_lengths_are_drawn() {
        let workload = prepared(serde_json::json!({"answer_tokens": "uniform(10..500)", "answers": "forced_length"})).await.unwrap();
        let again = prepared(serde_json::json!({"answer_tokens": "uniform(10..500)", "answers": "forced_length"})).await.unwrap();
        let mut lengths = BTreeSet::new();
        for user in (0..10).rev() {
            let session = workload.session(user, 0).await.unwrap();
            assert_eq!(session, again.session(user, 0).await.unwrap());
            lengths.extend(session.turns.iter().map(|turn| turn.answer.max_tokens()));
        }
        assert!(lengths.len() > 40 && lengths.iter().all(|length| (10..=500).contains(length)), "{lengths:?}");
    }

    #[tokio::test]
    async fn too_few_conversations_are_refused_with_both_numbers() {
        // 10 users at once, and 60 s × 2 / s / 5 = 24 who come later: the last four of them are numbers 36 to 39.
        let file = sharegpt(39, 6, "one");
        let error = prepared(serde_json::json!({"dataset": {"sharegpt": file.path()}})).await.unwrap_err().to_string();
        assert!(error.contains("holds 39 conversations of at least 5 rounds, but 40 are needed"), "{error}");
        let error = prepared(serde_json::json!({"answer_tokens": 0})).await.unwrap_err();
        assert!(matches!(error, WorkloadError::AnswerTokens { found: 0 }));
    }
}
