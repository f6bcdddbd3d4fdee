//! Hashes of a prompt and of its answer: whether two prompts are the same, whether two answers are, and where these first differ. A text goes
//! in; nothing but hashes comes out. A short prefix of an answer can be guessed from its hash, so they are made only where that is asked for.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// Bytes of an answer from one prefix that is hashed to the next, about a token.
const PREFIX_STEP: usize = 4;
/// Hexadecimal digits of the hash of the whole answer, and of that of each prefix.
const WHOLE_DIGITS: usize = 16;
const PREFIX_DIGITS: usize = 2;

/// The hash of a prompt: of each message's role and text. Below 2^53, so that every reader of JSON holds it exactly.
#[must_use]
pub fn prompt_hash<'a>(messages: impl IntoIterator<Item = (&'a str, &'a str)>) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for text in messages.into_iter().flat_map(|(role, text)| [role, text]) {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    first_word(&hasher.finalize()) >> 11
}

/// The hashes of one answer as a text: 16 hexadecimal digits for the whole, then 2 for each prefix of 4, 8, 12, ... bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AnswerHashes(Box<str>);

/// Why a text is no hashes of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("hashes of an answer are 16 lower-case hexadecimal digits and 2 more for each prefix")]
pub struct AnswerHashesError;

impl AnswerHashes {
    /// Those of an answer's text.
    #[must_use]
    pub fn of(answer: &str) -> Self {
        let mut text = format!("{:016x}", first_word(&blake3::hash(answer.as_bytes())));
        let mut state = FNV_OFFSET;
        for step in answer.as_bytes().chunks_exact(PREFIX_STEP) {
            state = step.iter().fold(state, |state, byte| (state ^ u64::from(*byte)).wrapping_mul(FNV_PRIME));
            let _ = write!(text, "{:02x}", (state ^ (state >> 32)).wrapping_mul(GOLDEN_RATIO) >> 56);
        }
        Self(text.into())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The bytes of the longest prefix that two answers are seen to share, a multiple of 4; `None` where the answers are equal. Of one pair in
    /// 256 whose answers differ it is one step too long, of one in 65,536 two.
    #[must_use]
    pub fn shared_bytes(&self, other: &Self) -> Option<u64> {
        if self.0[..WHOLE_DIGITS] == other.0[..WHOLE_DIGITS] {
            return None;
        }
        let prefixes = |hashes: &Self| hashes.0.as_bytes()[WHOLE_DIGITS..].to_vec();
        let (ours, theirs) = (prefixes(self), prefixes(other));
        let pairs = ours.chunks_exact(PREFIX_DIGITS).zip(theirs.chunks_exact(PREFIX_DIGITS));
        Some((pairs.take_while(|(ours, theirs)| ours == theirs).count() * PREFIX_STEP) as u64)
    }
}

impl TryFrom<String> for AnswerHashes {
    type Error = AnswerHashesError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let is_whole = text.len() >= WHOLE_DIGITS && (text.len() - WHOLE_DIGITS).is_multiple_of(PREFIX_DIGITS);
        if is_whole && text.bytes().all(is_digit) { Ok(Self(text.into())) } else { Err(AnswerHashesError) }
    }
}

impl From<AnswerHashes> for String {
    fn from(hashes: AnswerHashes) -> Self {
        hashes.0.into()
    }
}

/// FNV-1a of 64 bits (G. Fowler, L. C. Noll, K.-P. Vo, D. Eastlake, RFC 9923): cheap, a byte at a time, and its state goes on from prefix to prefix.
const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;
/// Spreads every bit of a state over the eight highest (D. E. Knuth, "The Art of Computer Programming", volume 3, 6.4: multiplicative hashing).
const GOLDEN_RATIO: u64 = 0x9e37_79b9_7f4a_7c15;

fn first_word(hash: &blake3::Hash) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_answers_have_no_difference_and_others_differ_where_their_texts_do() {
        let answer = "The river walked under the old stone bridge.";
        let shared = |other: &str| AnswerHashes::of(answer).shared_bytes(&AnswerHashes::of(other));
        assert_eq!(shared(answer), None);
        // The first 20 bytes are the same, and the prefix of 24 is not.
        assert_eq!(shared("The river walked und_r the old stone bridge."), Some(20));
        assert_eq!(shared("the river walked under the old stone bridge."), Some(0));
        // What differs only in its end differs as a whole.
        assert_eq!(shared("The river walked under the old stone bridge!"), Some(40));
        assert_eq!(shared("The river walked under the old stone bridge. It"), Some(44));
        assert_eq!((AnswerHashes::of("").as_str().len(), AnswerHashes::of("").shared_bytes(&AnswerHashes::of("a"))), (16, Some(0)));
    }

    #[test]
    fn of_answers_that_differ_somewhere_few_seem_to_share_more_than_they_do() {
        let answer: Vec<u8> = (0..4096).map(|index| b'a' + u8::try_from(index % 23).unwrap_or_default()).collect();
        let hashes = |bytes: &[u8]| AnswerHashes::of(std::str::from_utf8(bytes).unwrap());
        let right = hashes(&answer);
        let seems_longer = |at: &usize| {
            let mut other = answer.clone();
            other[*at] ^= 1;
            right.shared_bytes(&hashes(&other)).unwrap() != (at / 4 * 4) as u64
        };
        // One in 256 of 2,048 is 8; 24 and more of them have a chance below one in 100,000.
        let wrong = (0..4096).step_by(2).filter(seems_longer).count();
        assert!(wrong < 24, "{wrong}");
    }

    #[test]
    fn a_prompt_is_its_messages_in_their_order_and_not_their_joined_text() {
        let hash = |messages: &[(&str, &str)]| prompt_hash(messages.iter().copied());
        assert_eq!(hash(&[("user", "a"), ("assistant", "b")]), hash(&[("user", "a"), ("assistant", "b")]));
        assert_ne!(hash(&[("user", "a"), ("assistant", "b")]), hash(&[("user", "b"), ("assistant", "a")]));
        assert_ne!(hash(&[("user", "ab"), ("user", "c")]), hash(&[("user", "a"), ("user", "bc")]));
        assert!(hash(&[("user", "a")]) < 1 << 53);
    }

    #[test]
    fn only_what_such_hashes_look_like_is_read_as_such() {
        let hashes = AnswerHashes::of("Again a summer night.");
        assert_eq!(AnswerHashes::try_from(hashes.as_str().to_owned()), Ok(hashes));
        for text in ["", "0123456789abcde", "0123456789abcdef0", "0123456789ABCDEF", "0123456789abcdeß"] {
            assert_eq!(AnswerHashes::try_from(text.to_owned()), Err(AnswerHashesError), "{text}");
        }
    }
}
