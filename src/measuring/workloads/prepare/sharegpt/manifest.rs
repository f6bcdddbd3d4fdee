//! The manifest of chosen conversations, `out.manifest.json` beside `out.json`: what they were chosen from, how, and what was left out.
//! Serde types only; no date and no absolute path.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::workloads::prepare::manifest::TokenizerIdentity;
use crate::workloads::prepare::token_statistics::TokenStatistics;

/// The form of this file; another number is another form.
pub const FORMAT: u32 = 1;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SharegptManifest {
    pub format: u32,
    pub source: SharegptSourceFile,
    pub recipe: SharegptRecipe,
    /// Conversations looked at.
    pub read: u64,
    pub kept: u64,
    /// How many were left out, by reason.
    pub left_out: BTreeMap<String, u64>,
    /// Whether reading ended at `max_conversations`, so that the rest of the file was not even looked at.
    pub stopped_early: bool,
    pub question_tokens: TokenStatistics,
    pub answer_tokens: TokenStatistics,
    /// Of all messages of a conversation together.
    pub conversation_tokens: TokenStatistics,
    pub output: SharegptOutputFile,
}

/// The file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharegptSourceFile {
    /// Its name without its folder.
    pub file: String,
    pub bytes: u64,
    pub blake3: String,
}

/// How conversations are chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharegptRecipe {
    pub tokenizer: TokenizerIdentity,
    /// Conversations have exactly so many rounds, longer ones are cut; without it they keep as many as alternate.
    pub rounds: Option<u32>,
    pub max_conversations: Option<u64>,
    /// The least tokens of a message.
    pub min_tokens: u64,
    /// The most tokens of a conversation.
    pub max_context: Option<u64>,
}

impl SharegptRecipe {
    /// Whether both choose the same, counters aside.
    pub fn is_same_choice(&self, other: &Self) -> bool {
        let choice = |recipe: &Self| (recipe.rounds, recipe.max_conversations, recipe.min_tokens, recipe.max_context);
        choice(self) == choice(other)
    }
}

/// The file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharegptOutputFile {
    pub bytes: u64,
    pub blake3: String,
}
