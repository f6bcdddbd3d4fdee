//! `requests`: single requests, each a session of one turn with a text that no other has, with the prefix pattern of a trace, or with a user's own text.
//!
//! A request may open with a system prompt that all share (one allocation); its own text begins with a title of its own, so nothing
//! else is shared. Texts of single requests are made when they are asked for and not kept: a run may have a hundred thousand. It must
//! not know when requests are sent.

use std::sync::Arc;

use serde_json::{Map, Value, json};

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
use crate::vocabulary::recording::{PromptFile, Trace};
use crate::vocabulary::session::{AnswerMode, MessageRole, Session};
use crate::vocabulary::spec::workload::{AnswerPolicy, RequestsSpec};

/// The workload, ready to make sessions.
#[derive(Debug)]
pub struct RequestsWorkload {
    author: TextGenerator,
    system: CountedText,
    texts: RequestTextSource,
    answers: AnswerPolicy,
}

/// Where the texts of requests and the lengths of answers come from.
#[derive(Debug)]
enum RequestTextSource {
    Made {
        prompts: LengthSampler,
        answers: LengthSampler,
    },
    Trace {
        trace: Arc<Trace>,
        blocks: TraceBlockTexts,
    },
    /// Where a prompt does not say how long its answer is to be, that is drawn.
    Own {
        prompts: Arc<PromptFile>,
        answers: LengthSampler,
    },
}

/// Whether the trace is there, and can be sent again, that the workload names.
pub fn check(spec: &RequestsSpec, corpus: &Corpus) -> Result<(), WorkloadError> {
    corpus.replayed(spec)?;
    corpus.prompts(spec)?;
    for lengths in [&spec.prompt_tokens, &spec.answer_tokens] {
        lengths.file().map(|file| corpus.lengths(file)).transpose()?;
    }
    Ok(())
}

/// The content hashes of the trace, of own prompts and of files of lengths; null where there are none.
pub(super) fn content_hashes(spec: &RequestsSpec) -> Result<Value, WorkloadError> {
    if let Some(file) = spec.trace_file() {
        return Ok(json!({ "trace": file_hash(NamedFile::Trace, file)? }));
    }
    let mut hashes = Map::new();
    if let Some(file) = &spec.prompts {
        hashes.insert("prompts".to_owned(), file_hash(NamedFile::Prompts, file)?.into());
    }
    for (name, lengths) in [("prompt_tokens", &spec.prompt_tokens), ("answer_tokens", &spec.answer_tokens)] {
        if let Some(file) = lengths.file() {
            hashes.insert(name.to_owned(), file_hash(NamedFile::Lengths, file)?.into());
        }
    }
    Ok(if hashes.is_empty() { Value::Null } else { hashes.into() })
}

impl RequestsWorkload {
    pub async fn prepare(spec: &RequestsSpec, author: TextGenerator, corpus: &Corpus) -> Result<Self, WorkloadError> {
        check(spec, corpus)?;
        let sampler = |lengths, purpose| LengthSampler::new(lengths, author.seed(), purpose, corpus);
        let texts = match (corpus.replayed(spec)?, corpus.prompts(spec)?) {
            (Some(trace), _) => RequestTextSource::Trace { blocks: TraceBlockTexts::new(trace.block_tokens()), trace },
            (None, Some(prompts)) => RequestTextSource::Own { prompts, answers: sampler(&spec.answer_tokens, LengthPurpose::Answer)? },
            (None, None) => RequestTextSource::Made {
                prompts: sampler(&spec.prompt_tokens, LengthPurpose::Prompt)?,
                answers: sampler(&spec.answer_tokens, LengthPurpose::Answer)?,
            },
        };
        let system = author.made(ProseKind::Instructions, [0, 0], spec.shared_prefix_tokens.0, &author.title(0)).await?;
        Ok(Self { author, system, texts, answers: spec.answers })
    }

    /// The longest request of a trace, and its tokens with the answer; of other texts none is known before it is made.
    pub fn longest(&self) -> Option<(u64, u64)> {
        let RequestTextSource::Trace { trace, .. } = &self.texts else { return None };
        trace.longest().map(|(number, tokens)| (number as u64, tokens))
    }

    pub async fn session(&self, number: u64, first_turn: u32) -> Result<Session, WorkloadError> {
        let mut draft = SessionDraft::new(number, first_turn, 1)?;
        draft.open(MessageRole::System, self.system.clone());
        let (ask, answer_tokens) = match &self.texts {
            RequestTextSource::Made { prompts, answers } => (self.made(number, prompts.of(&[number])).await?, answers.answer(&[number])?),
            RequestTextSource::Trace { trace, blocks } => self.recorded(trace, blocks, number).await?,
            RequestTextSource::Own { prompts, answers } => {
                let prompt = prompts.prompt(number)?;
                for message in prompt.opening {
                    draft.open(message.role, self.author.count(&message.text).await?);
                }
                let answer_tokens = prompt.output_tokens.map_or_else(|| answers.of(&[number]), u64::from);
                (self.author.count(&prompt.ask).await?, answer_length(Tokens(answer_tokens))?)
            }
        };
        let answer = match self.answers {
            AnswerPolicy::Live => AnswerMode::Live { max_tokens: answer_tokens },
            // Nothing comes after the answer, so there is no history to script.
            AnswerPolicy::ForcedLength | AnswerPolicy::Scripted => AnswerMode::Forced { tokens: answer_tokens },
        };
        draft.ahead(ask, answer);
        Ok(draft.finish())
    }

    async fn made(&self, number: u64, tokens: u64) -> Result<CountedText, WorkloadError> {
        self.author.write(ProseKind::Story, [number, 1], tokens, &self.author.title(number)).await
    }

    /// A request of a trace; one without hash ids shares nothing.
    async fn recorded(&self, trace: &Trace, blocks: &TraceBlockTexts, number: u64) -> Result<(CountedText, u32), WorkloadError> {
        let place = usize::try_from(number).unwrap_or(usize::MAX);
        let Some(request) = trace.request(place) else {
            return Err(WorkloadError::NotInTrace { number, requests: trace.len() });
        };
        let text = if request.blocks == 0 {
            self.made(number, request.input_tokens).await?
        } else {
            blocks.prompt(&self.author, &trace.hash_ids(place)?, request.input_tokens).await?
        };
        Ok((text, request.output_tokens))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::super::{Corpus, Workload};
    use super::*;
    use crate::vocabulary::spec::workload::WorkloadSpec;
    use crate::workloads::tokens::TokenCounter;

    async fn prepared(fields: &serde_json::Value, seed: u64) -> Workload {
        let mut whole = serde_json::json!({"kind": "requests", "requests": 10});
        whole.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let spec: WorkloadSpec = serde_json::from_value(whole).unwrap();
        Workload::prepare(&spec, seed, TokenCounter::Simulated, Corpus::default()).await.unwrap()
    }

    /// The workload of a trace of these requests: tokens and hash ids; and its file, from which ids are read.
    async fn of_trace(requests: &[(u64, &[u64])], block_tokens: u64, seed: u64) -> (Workload, tempfile::NamedTempFile) {
        let line = |(tokens, ids): &(u64, &[u64])| {
            format!("{{\"timestamp\": 0, \"input_length\": {tokens}, \"output_length\": 7, \"hash_ids\": {ids:?}}}\n")
        };
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), requests.iter().map(line).collect::<String>()).unwrap();
        let fields = serde_json::json!({"arrival": "trace", "trace": file.path(), "block_tokens": block_tokens});
        (prepared(&fields, seed).await, file)
    }

    async fn ask(workload: &Workload, number: u64) -> Arc<str> {
        workload.session(number, 0).await.unwrap().turns[0].ask.clone()
    }

    async fn count(text: &str) -> u64 {
        TokenCounter::Simulated.count(text).await.unwrap()
    }

    /// Tokens at the beginning of two texts that are the same; both end and go on in front of a space.
    async fn common_tokens(left: &str, right: &str) -> u64 {
        let (left, right) = (format!("{left} "), format!("{right} "));
        let common = left.bytes().zip(right.bytes()).take_while(|(left, right)| left == right).count();
        count(&left[..left[..common].rfind(' ').unwrap_or(0)]).await
    }

    #[tokio::test]
    async fn every_request_has_its_length_and_shares_its_system_prompt_alone() {
        let fields = serde_json::json!({"prompt_tokens": 300, "answer_tokens": 20, "shared_prefix_tokens": 50});
        let workload = prepared(&fields, 7).await;
        let mut beginnings = BTreeSet::new();
        let first = workload.session(0, 0).await.unwrap();
        for number in 0..200 {
            let session = workload.session(number, 0).await.unwrap();
            assert!(Arc::ptr_eq(&session.opening[0].text, &first.opening[0].text));
            assert_eq!((session.opening_tokens, session.turns.len()), (50, 1));
            let turn = &session.turns[0];
            assert_eq!((count(&turn.ask).await, turn.ask_tokens, &turn.answer), (300, 300, &AnswerMode::Forced { tokens: 20 }));
            beginnings.insert(turn.ask.split(' ').take(3).collect::<Vec<_>>().join(" "));
        }
        assert_eq!(beginnings.len(), 200);
        assert!(prepared(&serde_json::json!({}), 7).await.session(0, 0).await.unwrap().opening.is_empty());
        let live = prepared(&serde_json::json!({"answers": "live"}), 7).await.session(0, 0).await.unwrap();
        assert_eq!(live.turns[0].answer, AnswerMode::Live { max_tokens: 100 });
    }

    #[tokio::test]
    async fn a_seed_gives_the_same_bytes_whatever_was_made_before_and_another_seed_others() {
        let requests: [(u64, &[u64]); 2] = [(1000, &[0, 5]), (1100, &[0, 6, 9])];
        let ((forwards, _file), (backwards, _other)) = (of_trace(&requests, 512, 7).await, of_trace(&requests, 512, 7).await);
        let one = (ask(&forwards, 0).await, ask(&forwards, 1).await);
        let other = (ask(&backwards, 1).await, ask(&backwards, 0).await);
        assert_eq!(one, (other.1, other.0));
        let (of_another_seed, _file) = of_trace(&requests, 512, 8).await;
        assert_ne!(one.0, ask(&of_another_seed, 0).await);
        let made = prepared(&serde_json::json!({}), 7).await;
        assert_eq!(ask(&made, 3).await, ask(&prepared(&serde_json::json!({}), 7).await, 3).await);
        assert_ne!(ask(&made, 3).await, ask(&prepared(&serde_json::json!({}), 8).await, 3).await);
    }

    #[tokio::test]
    async fn prompts_of_a_trace_share_512_tokens_for_each_leading_id_they_have_in_common() {
        let requests: [(u64, &[u64]); 6] =
            [(915, &[0, 462]), (1536, &[0, 773, 774]), (1300, &[0, 773, 9]), (1537, &[0, 773, 774, 1]), (600, &[90, 0]), (20, &[91])];
        let (workload, _file) = of_trace(&requests, 512, 7).await;
        for (left, (tokens, left_ids)) in requests.iter().enumerate() {
            let left_text = ask(&workload, left as u64).await;
            assert_eq!(count(&left_text).await, *tokens);
            for (right, (_, right_ids)) in requests.iter().enumerate().filter(|(right, _)| *right != left) {
                let ids = left_ids.iter().zip(*right_ids).take_while(|(left, right)| left == right).count() as u64;
                let shared = common_tokens(&left_text, &ask(&workload, right as u64).await).await;
                // Blocks of different ids may begin with the same adjective.
                assert!((512 * ids..=512 * ids + 1).contains(&shared), "{left} and {right}: {shared} tokens for {ids} ids");
            }
        }
    }

    #[tokio::test]
    async fn lengths_are_drawn_for_each_request_by_its_number() {
        let fields = serde_json::json!({"prompt_tokens": "uniform(100..400)", "answer_tokens": "normal(50, 10, 20..80)"});
        let (workload, again) = (prepared(&fields, 7).await, prepared(&fields, 7).await);
        let mut lengths = BTreeSet::new();
        for number in (0..40).rev() {
            let turn = workload.session(number, 0).await.unwrap().turns.remove(0);
            assert_eq!((count(&turn.ask).await, again.session(number, 0).await.unwrap().turns[0].clone()), (turn.ask_tokens, turn.clone()));
            assert!((100..=400).contains(&turn.ask_tokens) && (20..=80).contains(&turn.answer.max_tokens()));
            lengths.insert((turn.ask_tokens, turn.answer.max_tokens()));
        }
        assert!(lengths.len() > 35, "{lengths:?}");
    }

    #[tokio::test]
    async fn own_prompts_are_sent_as_they_are_in_their_order() {
        let file = tempfile::Builder::new().suffix(".jsonl").tempfile().unwrap();
        let rows = r#"{"prompt": "One two", "output_tokens": 7}
{"messages": [{"role": "user", "content": "Three"}, {"role": "assistant", "content": "Four"}, {"role": "user", "content": "Five"}]}"#;
        fs_err::write(file.path(), rows).unwrap();
        let workload = prepared(&serde_json::json!({"prompts": file.path(), "answer_tokens": 9, "repeat_prompts": true}), 7).await;
        let (first, second) = (workload.session(0, 0).await.unwrap(), workload.session(1, 0).await.unwrap());
        assert_eq!(
            (&*first.turns[0].ask, first.turns[0].ask_tokens, first.turns[0].answer.clone()),
            ("One two", 2, AnswerMode::Forced { tokens: 7 })
        );
        assert_eq!((&*second.turns[0].ask, second.opening.len(), second.turns[0].answer.max_tokens()), ("Five", 2, 9));
        assert_eq!(second.opening_tokens, count("Three").await + count("Four").await);
        assert_eq!(workload.session(2, 0).await.unwrap().turns, first.turns);
    }

    #[tokio::test]
    async fn the_longest_request_of_a_trace_is_known_before_it_is_made() {
        let (workload, _file) = of_trace(&[(10, &[1]), (700, &[2, 3]), (20, &[])], 512, 7).await;
        assert_eq!(workload.longest(), Some((1, 707)));
        assert_eq!(workload.session(2, 0).await.unwrap().turns[0].ask_tokens, 20);
        assert!(matches!(workload.session(3, 0).await.unwrap_err(), WorkloadError::NotInTrace { number: 3, requests: 3 }));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn no_lengths_and_ids_panic_and_every_prompt_has_its_length(
            ids in proptest::collection::vec(any::<u64>(), 1..5), block_tokens in 1_u64..80, cut in any::<u64>(),
        ) {
            let tokens = block_tokens * ids.len() as u64 - cut % block_tokens;
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let asked = runtime.block_on(async {
                let (workload, _file) = of_trace(&[(tokens, &ids)], block_tokens, 7).await;
                workload.session(0, 0).await.unwrap()
            });
            let counted = runtime.block_on(count(&asked.turns[0].ask));
            prop_assert_eq!(asked.turns[0].ask_tokens, counted);
            // A block of one or two tokens may have to be a word of three.
            prop_assert!(counted == tokens || block_tokens < 4, "{} tokens instead of {}", counted, tokens);
        }
    }
}
