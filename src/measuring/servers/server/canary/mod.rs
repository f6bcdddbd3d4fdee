//! Proves that the server's caches are empty: a prompt that was cached must come back as if it had never been sent.
//!
//! In come a target, texts that nobody else sends, and the way the caches are emptied; out comes what was found, for the
//! [cold-cache check](crate::records::record::CacheCheck). It goes over the same wire as the load, before the load, and is none of its rows. A canary
//! that cannot be sent proves nothing and breaks nothing: only caches that are found full fail the check. Of several servers each is sent a
//! canary, and the worst finding counts.

mod counters;
mod criterion;
mod site_finding;

use std::time::Duration;

use self::counters::CacheHitCounters;
use self::criterion::{CanaryAnswer, CanaryCriterion};
pub use self::site_finding::SiteFinding;
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
    pub async fn after_reset(&self, reset: impl AsyncFn() -> Result<(), ResetError>) -> Result<SiteFinding, ResetError> {
        let mut judges = Vec::new();
        for session in self.sessions() {
            judges.push(self.lay_in(session).await);
        }
        reset().await?;
        let first = self.look_everywhere(&judges, 0).await;
        if !matches!(first.finding, CanaryFinding::Left { .. }) {
            return Ok(first);
        }
        tokio::time::sleep(SETTLE).await;
        reset().await?;
        let second = self.look_everywhere(&judges, 0).await;
        Ok(match second.finding {
            CanaryFinding::Gone { reading, .. } => SiteFinding { finding: CanaryFinding::Gone { reading, second_reset: true }, ..second },
            CanaryFinding::Left { .. } | CanaryFinding::Inconclusive(_) => second,
        })
    }

    /// Proves that prompts under the new salt share nothing with those under another one but the chat template before it.
    pub async fn under_salt(&self) -> SiteFinding {
        let mut findings = Vec::new();
        for session in self.sessions() {
            let judge = self.lay_in(session).await;
            findings.push(match self.look(session, &judge, STRANGERS).await {
                // Nobody has sent these words before: times that say otherwise say that they differ for other reasons.
                CanaryFinding::Left { reading: CanaryReading::Times { cold_ttft_s, warm_ttft_s, after_ttft_s } } => {
                    CanaryFinding::Inconclusive(InconclusiveCanary::UnreliableTimes { cold_ttft_s, warm_ttft_s, after_ttft_s })
                }
                found => found,
            });
        }
        SiteFinding::worst(findings, self.target)
    }

    /// Proves that a server that was started anew knows nothing of the prompt but the chat template, which its readiness may have been
    /// tried with. Where every cell sends the same prompt, a cache that outlives the server is found out.
    pub async fn after_restart(&self) -> SiteFinding {
        let mut findings = Vec::new();
        for session in self.sessions() {
            findings.push(self.restarted(session).await.unwrap_or_else(CanaryFinding::Inconclusive));
        }
        SiteFinding::worst(findings, self.target)
    }

    /// A session of each server.
    fn sessions(&self) -> std::ops::Range<u64> {
        0..self.target.site_count()
    }

    async fn restarted(&self, session: u64) -> Result<CanaryFinding, InconclusiveCanary> {
        let first = self.send(session, &self.texts.after).await?;
        let known = match (first.known_tokens(), first.prompt_tokens) {
            (None, Some(_)) if self.send(session, &self.texts.after).await?.cached_tokens.is_some() => {
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
    async fn lay_in(&self, session: u64) -> Result<CanaryCriterion, InconclusiveCanary> {
        let CanaryTexts { before, other, .. } = &self.texts;
        let mut new = vec![self.send(session, before).await?];
        let mut again = vec![self.send(session, before).await?];
        if again[0].known_tokens().is_none() {
            new.push(self.send(session, other).await?);
            for _ in 0..2 {
                again.push(self.send(session, before).await?);
            }
        }
        CanaryCriterion::choose(&new, &again)
    }

    async fn look_everywhere(&self, judges: &[Result<CanaryCriterion, InconclusiveCanary>], tolerated_tokens: u64) -> SiteFinding {
        let mut findings = Vec::new();
        for (session, judge) in self.sessions().zip(judges) {
            findings.push(self.look(session, judge, tolerated_tokens).await);
        }
        SiteFinding::worst(findings, self.target)
    }

    async fn look(&self, session: u64, judge: &Result<CanaryCriterion, InconclusiveCanary>, tolerated_tokens: u64) -> CanaryFinding {
        let judge = match judge {
            Ok(judge) => judge,
            Err(reason) => return CanaryFinding::Inconclusive(reason.clone()),
        };
        let found = self.send(session, &self.texts.after).await.and_then(|after| judge.look(&after, tolerated_tokens));
        found.unwrap_or_else(CanaryFinding::Inconclusive)
    }

    async fn send(&self, session: u64, text: &str) -> Result<CanaryAnswer, InconclusiveCanary> {
        let endpoint = self.target.endpoint(session);
        let reading = CacheHitCounters::take(endpoint).await;
        let messages = vec![ChatMessage::new(MessageRole::User, text)];
        let prompt = Prompt { session, turn: 0, messages, max_tokens: 1, exact_length: false, user_id: None };
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
