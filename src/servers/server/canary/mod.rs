//! Proves that the server's caches are empty: a prompt that was cached must come back as if it had never been sent.
//!
//! In come a target, texts that nobody else sends, and the way the caches are emptied; out comes what was found, for the
//! [cold-cache check](crate::records::record::CacheCheck). It goes over the same wire as the load, before the load, and is none of its rows. A canary
//! that cannot be sent proves nothing and breaks nothing: only caches that are found full fail the check.

mod counters;
mod criterion;

use std::time::Duration;

use self::counters::CacheHitCounters;
use self::criterion::{CanaryAnswer, CanaryCriterion};
use super::ResetError;
use crate::records::record::{CanaryFinding, CanaryReading, FailureKind, InconclusiveCanary, TEMPLATE_TOKENS};
use crate::servers::client::{HttpExchange, HttpTarget};
use crate::vocabulary::session::{ChatMessage, MessageRole, Prompt};

/// How long what is still being stored may take to land before the caches are emptied a second time.
const SETTLE: Duration = Duration::from_secs(1);

/// What a prompt may share with prompts of another beginning: the chat template, and what little salts have in common.
const STRANGERS: u64 = TEMPLATE_TOKENS + 64;

/// The texts of the prompts.
#[derive(Debug, Clone)]
pub struct CanaryTexts {
    /// What is cached before.
    pub before: String,
    /// What must not come from a cache afterwards: the same, or the same under a new salt.
    pub after: String,
    /// One that is as long as `before` and shares nothing with it.
    pub other: String,
}

/// The prompts, and to whom they are sent.
#[derive(Debug)]
pub struct Canary<'a> {
    pub target: &'a HttpTarget,
    pub texts: CanaryTexts,
}

impl Canary<'_> {
    /// Empties the caches by `reset` and proves it. Where something was found nevertheless, both are done once more: caches that store
    /// behind the server's back (LMCache) may have stored after they were emptied.
    ///
    /// # Errors
    /// Those of `reset`, which is called in any case, whatever becomes of the canary.
    pub async fn after_reset(&self, reset: impl AsyncFn() -> Result<(), ResetError>) -> Result<CanaryFinding, ResetError> {
        let judge = self.lay_in().await;
        reset().await?;
        let judge = match judge {
            Ok(judge) => judge,
            Err(reason) => return Ok(CanaryFinding::Inconclusive(reason)),
        };
        let first = self.look(judge, 0).await;
        if !matches!(first, CanaryFinding::Left { .. }) {
            return Ok(first);
        }
        tokio::time::sleep(SETTLE).await;
        reset().await?;
        Ok(match self.look(judge, 0).await {
            CanaryFinding::Gone { reading, .. } => CanaryFinding::Gone { reading, second_reset: true },
            second => second,
        })
    }

    /// Proves that prompts under the new salt share nothing with those under another one but the chat template before it.
    pub async fn under_salt(&self) -> CanaryFinding {
        let judge = match self.lay_in().await {
            Ok(judge) => judge,
            Err(reason) => return CanaryFinding::Inconclusive(reason),
        };
        match self.look(judge, STRANGERS).await {
            // Nobody has sent these words before: times that say otherwise say that they differ for other reasons.
            CanaryFinding::Left { reading: CanaryReading::Times { cold_ttft_s, warm_ttft_s, after_ttft_s } } => {
                CanaryFinding::Inconclusive(InconclusiveCanary::UnreliableTimes { cold_ttft_s, warm_ttft_s, after_ttft_s })
            }
            found => found,
        }
    }

    /// Proves that a server that was started anew knows nothing of the prompt but the chat template, which its readiness may have been
    /// tried with. Where every cell sends the same prompt, a cache that outlives the server is found out.
    pub async fn after_restart(&self) -> CanaryFinding {
        self.restarted().await.unwrap_or_else(CanaryFinding::Inconclusive)
    }

    async fn restarted(&self) -> Result<CanaryFinding, InconclusiveCanary> {
        let first = self.send(&self.texts.after).await?;
        let known = match (first.known_tokens(), first.prompt_tokens) {
            (None, Some(_)) if self.send(&self.texts.after).await?.cached_tokens.is_some() => {
                // The count is told only where it is not 0, as some servers do.
                0
            }
            (None, _) => return Err(InconclusiveCanary::NotReported),
            (Some(known), _) => known,
        };
        let reading = CanaryReading::NewServer { cached_tokens_after: known, tolerated_tokens: STRANGERS };
        Ok(CanaryFinding::of(reading, known <= STRANGERS))
    }

    /// Lays the prompt into the caches, and finds out by what it is told that it is there.
    async fn lay_in(&self) -> Result<CanaryCriterion, InconclusiveCanary> {
        let CanaryTexts { before, other, .. } = &self.texts;
        let mut new = vec![self.send(before).await?];
        let mut again = vec![self.send(before).await?];
        if again[0].known_tokens().is_none() {
            new.push(self.send(other).await?);
            for _ in 0..2 {
                again.push(self.send(before).await?);
            }
        }
        CanaryCriterion::choose(&new, &again)
    }

    async fn look(&self, judge: CanaryCriterion, tolerated_tokens: u64) -> CanaryFinding {
        let found = self.send(&self.texts.after).await.and_then(|after| judge.look(&after, tolerated_tokens));
        found.unwrap_or_else(CanaryFinding::Inconclusive)
    }

    async fn send(&self, text: &str) -> Result<CanaryAnswer, InconclusiveCanary> {
        let endpoint = self.target.endpoint();
        let reading = CacheHitCounters::take(endpoint).await;
        let messages = vec![ChatMessage::new(MessageRole::User, text)];
        let prompt = Prompt { session: 0, turn: 0, messages, max_tokens: 1, exact_length: false, user_id: None };
        let exchange = self.target.send(&self.target.prepare(prompt), None).await;
        let mut echo = echo(&exchange)?;
        if let (None, Some(reading)) = (echo.cached_tokens, reading) {
            echo.hits = reading.hits_since(endpoint).await;
        }
        Ok(echo)
    }
}

/// An answer without a token is as good as any: it is the prompt that matters.
fn echo(exchange: &HttpExchange) -> Result<CanaryAnswer, InconclusiveCanary> {
    if let Some(failure) = exchange.failure.as_ref().filter(|failure| failure.kind != FailureKind::NoToken) {
        return Err(InconclusiveCanary::RequestFailed { failure: failure.clone() });
    }
    Ok(CanaryAnswer {
        prompt_tokens: exchange.usage.map(|usage| usage.prompt_tokens),
        cached_tokens: exchange.usage.and_then(|usage| usage.cached_tokens),
        hits: None,
        ttft_s: exchange.token_events.first().map(|first| first.since(exchange.sent).as_secs_f64()),
    })
}
