//! Words that no other run has: the head of every prompt of a run with `reset = "salt"`, and the text of a canary prompt.
//!
//! In goes what names an attempt at a run; out come texts that follow from it alone. All words have five letters and are common, so that
//! two salts have the same number of characters, and of tokens under nearly every vocabulary.

use std::sync::{Arc, OnceLock};

use crate::vocabulary::session::{ChatMessage, Session};
use crate::workloads::tokens::{TokenCountError, TokenCounter};

/// As many as six bits can tell apart.
const WORDS: [&str; 64] = [
    "apple", "beach", "bread", "brick", "chair", "chest", "clock", "cloud", "coast", "cream", "crown", "dance", "dream", "dress", "earth",
    "field", "flame", "floor", "fruit", "glass", "grain", "grass", "green", "heart", "honey", "horse", "house", "juice", "knife", "lemon",
    "light", "metal", "money", "month", "mouth", "music", "night", "ocean", "olive", "paint", "paper", "party", "peace", "piano", "plant",
    "plate", "queen", "radio", "river", "sheep", "shirt", "smoke", "spoon", "steel", "stone", "storm", "sugar", "table", "tiger", "tower",
    "train", "voice", "water", "wheel",
];

/// 48 bits: enough that no two runs of a server begin alike, and short beside what the sessions of a run may share.
const SALT_WORDS: usize = 8;

/// The head of every prompt of one run.
#[derive(Debug)]
pub struct RunSalt {
    text: String,
    /// Under the run's token rule.
    tokens: u64,
    /// The first text that was salted, and what came of it: the system prompt that all users share stays one allocation.
    shared: OnceLock<(Arc<str>, Arc<str>)>,
}

impl RunSalt {
    /// The salt of an attempt at a run; another attempt, another salt.
    pub async fn of(attempt: &str, counter: &TokenCounter) -> Result<Self, TokenCountError> {
        let text = format!("{}\n\n", words("salt", attempt, SALT_WORDS));
        Ok(Self { tokens: counter.count(&text).await?, text, shared: OnceLock::new() })
    }

    pub fn tokens(&self) -> u64 {
        self.tokens
    }

    /// The text with the salt at its head.
    #[must_use]
    pub fn before(&self, text: &str) -> String {
        format!("{}{text}", self.text)
    }

    /// The session with the salt at the head of its first message, so that it stands first in the prompt of every turn.
    #[must_use]
    pub fn salted(&self, mut session: Session) -> Session {
        if let Some(ChatMessage { text, .. }) = session.opening.first_mut() {
            *text = self.shared_before(text);
            session.opening_tokens += self.tokens;
        } else if let Some(turn) = session.turns.first_mut() {
            turn.ask = self.shared_before(&turn.ask);
            turn.ask_tokens += self.tokens;
        }
        session
    }

    fn shared_before(&self, text: &Arc<str>) -> Arc<str> {
        let (plain, salted) = self.shared.get_or_init(|| (Arc::clone(text), self.before(text).into()));
        if Arc::ptr_eq(plain, text) { Arc::clone(salted) } else { self.before(text).into() }
    }
}

/// A text of so many words that follows from its name alone, and shares its beginning with no other one.
#[must_use]
pub fn canary_text(name: &str, count: usize) -> String {
    words("canary", name, count)
}

fn words(purpose: &str, name: &str, count: usize) -> String {
    let mut bytes = vec![0; count];
    let mut hasher = blake3::Hasher::new_derive_key("bench 1 words of a run");
    hasher.update(&(purpose.len() as u64).to_le_bytes()).update(purpose.as_bytes()).update(name.as_bytes());
    hasher.finalize_xof().fill(&mut bytes);
    bytes.iter().map(|byte| WORDS[usize::from(byte % 64)]).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::vocabulary::session::{AnswerMode, MessageRole, Turn};

    fn session(opening: Vec<ChatMessage>) -> Session {
        let turn = |ask: &str| Turn { ask: ask.into(), answer: AnswerMode::Live { max_tokens: 5 }, ask_tokens: 3 };
        Session {
            number: 0,
            opening_tokens: 4 * opening.len() as u64,
            opening,
            first_turn: 0,
            history_turn: None,
            turns: vec![turn("Read this."), turn("Who?")],
        }
    }

    async fn salt(attempt: &str) -> RunSalt {
        RunSalt::of(attempt, &TokenCounter::Simulated).await.unwrap()
    }

    #[tokio::test]
    async fn every_attempt_has_a_salt_of_its_own_and_all_are_equally_long() {
        assert_eq!(WORDS.iter().filter(|word| word.len() == 5).collect::<BTreeSet<_>>().len(), 64);
        let mut seen = BTreeSet::new();
        for attempt in 0..100 {
            let salt = salt(&format!("run {attempt}")).await;
            // Eight words of one token each, and two line ends.
            assert_eq!((salt.text.len(), salt.tokens), (8 * 5 + 7 + 2, 10));
            seen.insert(salt.text);
        }
        assert_eq!(seen.len(), 100);
        assert_eq!(salt("run 1").await.text, salt("run 1").await.text);
    }

    #[tokio::test]
    async fn the_salt_stands_once_and_first_and_is_counted() {
        let salt = salt("run").await;
        let bare = salt.salted(session(vec![]));
        assert!(bare.turns[0].ask.starts_with(&salt.text) && bare.turns[0].ask.ends_with("\n\nRead this."));
        assert_eq!((bare.turns[0].ask_tokens, bare.opening_tokens, &*bare.turns[1].ask), (13, 0, "Who?"));
        let opened =
            salt.salted(session(vec![ChatMessage::new(MessageRole::System, "Be kind."), ChatMessage::new(MessageRole::User, "I am.")]));
        assert_eq!((&*opened.opening[0].text, &*opened.opening[1].text), (salt.before("Be kind.").as_str(), "I am."));
        assert_eq!((opened.opening_tokens, opened.turns[0].ask_tokens), (18, 3));
    }

    #[tokio::test]
    async fn users_go_on_sharing_their_system_prompt_in_memory() {
        let (salt, system) = (salt("run").await, ChatMessage::new(MessageRole::System, "Be kind."));
        let user = || salt.salted(session(vec![system.clone()])).opening.remove(0).text;
        assert!(Arc::ptr_eq(&user(), &user()));
        let stranger = salt.salted(session(vec![ChatMessage::new(MessageRole::System, "Be brief.")]));
        assert!(stranger.opening[0].text.ends_with("Be brief."));
    }

    #[test]
    fn a_canary_has_as_many_words_as_asked_and_its_own_beginning() {
        let text = canary_text("run", 2048);
        assert_eq!(text.split(' ').count(), 2048);
        assert_ne!(text[..47], canary_text("another run", 2048)[..47]);
    }
}
