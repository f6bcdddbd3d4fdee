//! Before the load: empties the server's caches as the scenario asks, and has a canary prove it.
//!
//! In come the run and its target; out come the salt of its prompts, where that is the way, and what is known of the caches. Nothing of
//! this is a row, and it is over before the schedule's time 0.

use std::hash::{BuildHasher, RandomState};

use super::cache_check::CacheResetOutcome;
use crate::planning::plan::Run;
use crate::records::record::{CacheResetMethod, PromptSalt};
use crate::servers::client::Target;
use crate::servers::server::{Canary, CanaryTexts, ResetError, reset};
use crate::vocabulary::spec::reset::{CachePolicy, ResetMode, ResetSpec, SaltReason};
use crate::workloads::tokens::{TokenCountError, TokenCounter};
use crate::workloads::workload::{RunSalt, canary_text};

/// The length of a canary prompt: long enough for caches that keep large blocks, and for its time to tell.
const CANARY_TOKENS: u64 = 2048;
/// A canary takes at most one part in so many of what the model holds.
const CONTEXT_PARTS: u64 = 4;

/// Why the caches could not be emptied.
#[derive(Debug, thiserror::Error)]
pub(super) enum ColdCacheError {
    #[error(transparent)]
    Reset(#[from] ResetError),
    #[error(transparent)]
    Tokens(#[from] TokenCountError),
}

/// One attempt at a run: what nobody has sent before is made from its name.
#[derive(Debug)]
pub(super) struct RunAttempt<'a> {
    run: &'a Run,
    /// In real time, what no other attempt has.
    nonce: Option<String>,
    /// The run's id and the nonce.
    name: String,
    counter: &'a TokenCounter,
}

impl<'a> RunAttempt<'a> {
    pub fn new(run: &'a Run, counter: &'a TokenCounter) -> Self {
        let nonce = (!run.simulated).then(|| format!("{:016x}", RandomState::new().hash_one(std::process::id())));
        let name = nonce.as_ref().map_or_else(|| run.id.clone(), |nonce| format!("{} {nonce}", run.id));
        Self { run, nonce, name, counter }
    }

    /// The head of every prompt. A simulated engine knows of no other cell, and has one only where the scenario asks for it.
    pub async fn salt(&self) -> Result<Option<RunSalt>, TokenCountError> {
        match self.run.cell.server.cache_policy() {
            CachePolicy::Salted(SaltReason::Unsaid) if self.run.simulated => Ok(None),
            CachePolicy::Salted(_) => Ok(Some(RunSalt::of(&self.name, self.counter).await?)),
            CachePolicy::Emptied(_) | CachePolicy::Restarted | CachePolicy::LeftWarm => Ok(None),
        }
    }

    /// What the salt is made of.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is recorded of the salt.
    pub fn recorded(&self, salt: &RunSalt) -> Option<PromptSalt> {
        let by_default = self.run.cell.server.cache_policy() == CachePolicy::Salted(SaltReason::Unsaid);
        Some(PromptSalt { attempt: self.nonce.clone()?, tokens: salt.tokens(), by_default })
    }

    /// Empties the caches. A server that is to be started anew for each cell has been, and a salt needs nothing done: both are proven.
    pub async fn empty(
        &self,
        target: &Target,
        salt: Option<&RunSalt>,
        context_limit: Option<u64>,
    ) -> Result<CacheResetOutcome, ColdCacheError> {
        let target = match target {
            Target::Http(target) => target,
            Target::Sim(_) => return Ok(CacheResetOutcome { reset: CacheResetMethod::NewEngine, canary: None }),
        };
        let server = &self.run.cell.server;
        let policy = server.cache_policy();
        let method = match policy {
            CachePolicy::LeftWarm => return Ok(CacheResetOutcome { reset: CacheResetMethod::LeftWarm, canary: None }),
            CachePolicy::Salted(_) => CacheResetMethod::Salted,
            CachePolicy::Restarted => CacheResetMethod::Restarted,
            CachePolicy::Emptied(_) => CacheResetMethod::Emptied,
        };
        let reset = async || reset(server, &self.run.cell.target).await;
        if !server.canary {
            reset().await?;
            return Ok(CacheResetOutcome { reset: method, canary: None });
        }
        let texts = self.texts(salt, context_limit).await?;
        let canary = Canary { target, texts };
        let found = match policy {
            CachePolicy::Emptied(_) => canary.after_reset(reset).await?,
            CachePolicy::Restarted => canary.after_restart().await,
            CachePolicy::Salted(_) | CachePolicy::LeftWarm => canary.under_salt().await,
        };
        Ok(CacheResetOutcome { reset: method, canary: Some(found) })
    }

    async fn texts(&self, salt: Option<&RunSalt>, context_limit: Option<u64>) -> Result<CanaryTexts, TokenCountError> {
        let name = match self.run.cell.server.reset {
            // The same in every cell: what an earlier one left in a cache that outlives the server is found.
            ResetSpec::Whole(ResetMode::Restart) => format!("seed {}", self.run.seed),
            ResetSpec::Whole(ResetMode::Salt | ResetMode::None) | ResetSpec::Steps(_) => self.name.clone(),
        };
        let text = self.text(&name, context_limit).await?;
        let other = self.text(&format!("{name}, another"), context_limit).await?;
        Ok(match salt {
            None => CanaryTexts { before: text.clone(), after: text, other },
            Some(salt) => {
                let earlier = RunSalt::of(&format!("{name}, earlier"), self.counter).await?;
                CanaryTexts { before: earlier.before(&text), after: salt.before(&text), other: earlier.before(&other) }
            }
        })
    }

    /// A text of about as many tokens as a canary has, and not more than there is room for.
    async fn text(&self, name: &str, context_limit: Option<u64>) -> Result<String, TokenCountError> {
        let configured = self.run.cell.target.context_limit.map(|limit| limit.0);
        let room = context_limit.or(configured).map_or(CANARY_TOKENS, |limit| CANARY_TOKENS.min(limit / CONTEXT_PARTS));
        let text = canary_text(name, usize::try_from(room).unwrap_or(0));
        let tokens = self.counter.count(&text).await?;
        if tokens <= room {
            return Ok(text);
        }
        // A vocabulary that needs several tokens for a common word.
        Ok(canary_text(name, usize::try_from(room * room / tokens).unwrap_or(0)))
    }
}
