//! Conversations become chains of block hashes, and no text is read twice. It must not know what the chains are for.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use super::prompt::{BlockHashChain, encode};
use crate::vocabulary::session::ChatMessage;

/// Token numbers of long texts, by the identity of the shared text: a document that many cells send is read once. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct TokenMemo(Arc<Mutex<TokenMemoEntries>>);

#[derive(Debug, Default)]
struct TokenMemoEntries {
    /// By the address of the text, which is nobody else's as long as the entry holds it.
    entries: HashMap<usize, (Arc<str>, Arc<[u32]>)>,
    bytes: usize,
}

/// Shorter texts are read faster than found.
const LONG_TEXT: usize = 4096;
/// When so many bytes are kept, texts that nobody else holds any more are let go.
const MEMO_BYTES: usize = 256 << 20;

impl TokenMemo {
    /// The token numbers of a text.
    #[must_use]
    pub fn tokens(&self, text: &Arc<str>) -> Arc<[u32]> {
        if text.len() < LONG_TEXT {
            return encode(text).into();
        }
        let mut memo = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let address = text.as_ptr() as usize;
        if let Some((_, tokens)) = memo.entries.get(&address) {
            return Arc::clone(tokens);
        }
        let tokens: Arc<[u32]> = encode(text).into();
        memo.bytes += bytes(text, &tokens);
        memo.entries.insert(address, (Arc::clone(text), Arc::clone(&tokens)));
        if memo.bytes > MEMO_BYTES {
            memo.entries.retain(|_, (text, _)| Arc::strong_count(text) > 1);
            memo.bytes = memo.entries.values().map(|(text, tokens)| bytes(text, tokens)).sum();
        }
        tokens
    }
}

fn bytes(text: &str, tokens: &[u32]) -> usize {
    text.len() + size_of_val(tokens)
}

/// What is known of each session: its history is extended turn by turn.
#[derive(Debug)]
pub struct ConversationHasher {
    block_tokens: u64,
    memo: TokenMemo,
    sessions: BTreeMap<u64, HashedConversation>,
    uses: u64,
}

#[derive(Debug)]
struct HashedConversation {
    messages: Vec<ChatMessage>,
    chain: BlockHashChain,
    used: u64,
}

/// When more sessions than twice this are known, those that were used least recently are forgotten down to this many.
const SESSIONS: usize = 2048;

impl ConversationHasher {
    #[must_use]
    pub fn new(block_tokens: u64, memo: TokenMemo) -> Self {
        Self { block_tokens, memo, sessions: BTreeMap::new(), uses: 0 }
    }

    /// The whole prompt of a turn: the messages under the chat template, and the head of the answer.
    pub fn prompt(&mut self, session: u64, messages: &[ChatMessage]) -> BlockHashChain {
        self.uses += 1;
        self.forget_old();
        let block_tokens = self.block_tokens;
        let fresh = || HashedConversation { messages: Vec::new(), chain: BlockHashChain::new(block_tokens), used: 0 };
        let history = self.sessions.entry(session).or_insert_with(fresh);
        if !begins_with(messages, &history.messages) {
            *history = fresh();
        }
        for message in &messages[history.messages.len()..] {
            history.chain.push_message(message.role, &self.memo.tokens(&message.text));
            history.messages.push(message.clone());
        }
        history.used = self.uses;
        let mut prompt = history.chain.clone();
        prompt.push_answer_head();
        prompt
    }

    fn forget_old(&mut self) {
        if self.sessions.len() > 2 * SESSIONS {
            let mut used: Vec<u64> = self.sessions.values().map(|history| history.used).collect();
            let (_, limit, _) = used.select_nth_unstable(self.sessions.len() - SESSIONS);
            let limit = *limit;
            self.sessions.retain(|_, history| history.used >= limit);
        }
    }
}

fn begins_with(messages: &[ChatMessage], known: &[ChatMessage]) -> bool {
    let same = |(left, right): (&ChatMessage, &ChatMessage)| {
        left.role == right.role && (Arc::ptr_eq(&left.text, &right.text) || left.text == right.text)
    };
    known.len() <= messages.len() && known.iter().zip(messages).all(same)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::session::MessageRole;

    fn message(role: MessageRole, text: &str) -> ChatMessage {
        ChatMessage::new(role, text)
    }

    #[test]
    fn a_history_that_grows_has_the_chain_of_the_whole() {
        let document = "one two three ".repeat(1000);
        let turns = [
            message(MessageRole::User, &document),
            message(MessageRole::Assistant, " four five six"),
            message(MessageRole::User, "and seven?"),
        ];
        let mut grown = ConversationHasher::new(16, TokenMemo::default());
        let first = grown.prompt(7, &turns[..1]);
        let second = grown.prompt(7, &turns);
        assert_eq!(ConversationHasher::new(16, TokenMemo::default()).prompt(0, &turns), second);
        let shared = first.hashes().len();
        assert!(shared > 150);
        assert_eq!(first.hashes(), &second.hashes()[..shared]);
    }

    #[test]
    fn a_history_that_was_rewritten_is_read_again() {
        let mut conversations = ConversationHasher::new(4, TokenMemo::default());
        conversations.prompt(1, &[message(MessageRole::User, "left out later"), message(MessageRole::Assistant, "yes")]);
        let kept = [message(MessageRole::User, "another start")];
        assert_eq!(conversations.prompt(1, &kept), ConversationHasher::new(4, TokenMemo::default()).prompt(2, &kept));
    }

    #[test]
    fn many_sessions_do_not_pile_up() {
        let mut conversations = ConversationHasher::new(4, TokenMemo::default());
        for session in 0..10_000 {
            conversations.prompt(session, &[message(MessageRole::User, "hello")]);
        }
        assert!(conversations.sessions.len() <= 2 * SESSIONS + 1);
        assert!(conversations.sessions.contains_key(&9_999));
    }

    #[test]
    fn a_long_text_is_read_once() {
        let memo = TokenMemo::default();
        let text: Arc<str> = "word ".repeat(1000).into();
        assert!(Arc::ptr_eq(&memo.tokens(&text), &memo.clone().tokens(&text)));
    }
}
