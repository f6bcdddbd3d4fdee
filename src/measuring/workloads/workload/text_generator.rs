//! Makes the texts of one run: under its seed and its token rule, through the corpus, so that each is made once.
//!
//! In go kinds, numbers and lengths; out come texts. It must not know which workload asks.

use std::sync::Arc;

use super::WorkloadError;
use super::corpus::{Corpus, CorpusKey, TextOrigin};
use super::prose::{ProseGenerator, ProseKind};
use super::seed::{below, generator};
use super::text::{CountedText, exactly};
use super::titles::SessionTitles;
use crate::vocabulary::session::AnswerMode;
use crate::vocabulary::spec::workload::AnswerPolicy;
use crate::workloads::tokens::TokenCounter;

/// The maker of a run's texts.
#[derive(Debug)]
pub struct TextGenerator {
    seed: u64,
    counter: TokenCounter,
    /// The token rule in words, which stands in every key.
    rule: Arc<str>,
    titles: SessionTitles,
    corpus: Corpus,
}

impl TextGenerator {
    pub fn new(seed: u64, counter: TokenCounter, corpus: Corpus) -> Self {
        let rule = counter.identity().into();
        let titles = SessionTitles::new(corpus.vocabulary(), seed);
        Self { seed, counter, rule, titles, corpus }
    }

    pub fn seed(&self) -> u64 {
        self.seed
    }

    pub fn counter(&self) -> &TokenCounter {
        &self.counter
    }

    /// The title that belongs to a session.
    pub fn title(&self, number: u64) -> String {
        self.titles.of(number)
    }

    /// The text of this origin; made by `make` the first time.
    pub(super) async fn keep(
        &self,
        origin: TextOrigin,
        make: impl Future<Output = Result<CountedText, WorkloadError>>,
    ) -> Result<CountedText, WorkloadError> {
        self.corpus.text(CorpusKey { rule: Arc::clone(&self.rule), origin }, make).await
    }

    /// Seeded text of exactly `tokens` tokens that begins with `head`, not kept.
    pub async fn write(&self, kind: ProseKind, numbers: [u64; 2], tokens: u64, head: &str) -> Result<CountedText, WorkloadError> {
        let mut rng = generator(self.seed, kind.name(), &numbers);
        let taste = below(&mut rng, usize::MAX);
        let prose = ProseGenerator::new(self.corpus.vocabulary(), rng, kind, head);
        Ok(exactly(tokens, prose, taste, &self.counter).await?)
    }

    /// Seeded text of exactly `tokens` tokens that begins with `head`.
    pub async fn made(&self, kind: ProseKind, numbers: [u64; 2], tokens: u64, head: &str) -> Result<CountedText, WorkloadError> {
        self.keep(TextOrigin::Made { kind, seed: self.seed, numbers, tokens }, self.write(kind, numbers, tokens, head)).await
    }

    /// A short text as it stands, counted.
    pub async fn line(&self, line: &str) -> Result<CountedText, WorkloadError> {
        self.keep(TextOrigin::Line(line.to_owned()), async { Ok(CountedText::counted(line, &self.counter).await?) }).await
    }

    /// A text as it stands, counted and not kept.
    pub async fn count(&self, text: &str) -> Result<CountedText, WorkloadError> {
        Ok(CountedText::counted(text, &self.counter).await?)
    }

    /// A seeded answer of exactly `tokens` tokens to a turn of a session.
    pub async fn reply(&self, session: u64, turn: u32, tokens: u32) -> Result<CountedText, WorkloadError> {
        self.made(ProseKind::Answer, [session, turn.into()], tokens.into(), "").await
    }

    /// How a turn of a session is to be answered; `script` makes the words where they are ours.
    pub async fn answer(
        &self,
        answers: AnswerPolicy,
        tokens: u32,
        script: impl Future<Output = Result<CountedText, WorkloadError>>,
    ) -> Result<AnswerMode, WorkloadError> {
        Ok(match answers {
            AnswerPolicy::Live => AnswerMode::Live { max_tokens: tokens },
            AnswerPolicy::ForcedLength => AnswerMode::Forced { tokens },
            AnswerPolicy::Scripted => AnswerMode::Scripted { max_tokens: tokens, text: script.await?.text },
        })
    }
}
