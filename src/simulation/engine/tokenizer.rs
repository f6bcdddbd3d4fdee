//! The simulated engine's own token rule: text in, token counts or token numbers out. It must not know what a token is used for.
//!
//! A token is an optional space with up to eight ASCII letters or digits behind it (longer runs are cut every eight), or else one
//! character of any other kind. So words of at most eight letters, joined by single spaces, are one token each, punctuation is one
//! token a sign, and counts add up wherever a text is cut in front of a space: exact lengths are easy to author.

/// Letters or digits that one token holds at most.
pub const WORD_BYTES: usize = 8;

/// The number of tokens of `text`.
#[must_use]
pub fn count(text: &str) -> u64 {
    let mut rest = text.as_bytes();
    let mut tokens = 0;
    while !rest.is_empty() {
        rest = &rest[token_length(rest)..];
        tokens += 1;
    }
    tokens
}

/// Appends the numbers of the tokens of `text`. Equal tokens have equal numbers; different ones differ but for chance (32 bits).
pub fn encode_into(text: &str, tokens: &mut Vec<u32>) {
    let mut rest = text.as_bytes();
    tokens.reserve(rest.len() / 5);
    while !rest.is_empty() {
        let (token, behind) = rest.split_at(token_length(rest));
        tokens.push(number(token));
        rest = behind;
    }
}

/// The number of one token, from its bytes.
#[must_use]
pub fn number(token: &[u8]) -> u32 {
    // At most nine bytes: the first eight in one word, the ninth (only behind a space) beside the length.
    let mut word = [0; WORD_BYTES];
    let head = token.len().min(WORD_BYTES);
    word[..head].copy_from_slice(&token[..head]);
    let ninth = u64::from(token.get(WORD_BYTES).copied().unwrap_or(0));
    let mixed = mix(u64::from_le_bytes(word) ^ (ninth << 8 | token.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    (mixed >> 32) as u32
}

/// Scrambles 64 bits so that each of them depends on all (the finaliser of `SplitMix64`).
#[must_use]
pub fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Bytes of the first token of `bytes`, which is UTF-8 and not empty.
fn token_length(bytes: &[u8]) -> usize {
    let space = usize::from(bytes[0] == b' ');
    // A loop and no iterators: it sees every byte of every prompt, and builds without optimisation run it too.
    let (mut end, last) = (space, bytes.len().min(space + WORD_BYTES));
    while end < last && bytes[end].is_ascii_alphanumeric() {
        end += 1;
    }
    if end > space {
        return end;
    }
    // One other character: its first byte tells its length. A lone space comes here too.
    match bytes[0] {
        0..0xc0 => 1,
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0.. => 4,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_signs_and_line_ends_count_as_the_rule_says() {
        for (text, tokens) in [
            ("", 0),
            ("word", 1),
            (" word", 1),
            ("  word", 2),
            ("one two three", 3),
            ("eightsix", 1),
            ("ninechars", 2),
            (" ninechars", 2),
            ("It was cold, was it not?", 8),
            ("a\n\nb", 4),
            ("naïve", 3),
            ("日本", 2),
            ("🙂", 1),
            (" ", 1),
        ] {
            assert_eq!(count(text), tokens, "{text:?}");
        }
    }

    #[test]
    fn equal_tokens_have_equal_numbers_and_others_do_not() {
        let mut tokens = Vec::new();
        encode_into("tall tall tall abcdefgh abcdefgi", &mut tokens);
        assert_eq!(tokens[1], tokens[2]);
        let distinct: std::collections::BTreeSet<u32> = tokens.iter().copied().collect();
        assert_eq!(distinct.len(), 4, "`tall` and ` tall` differ, and so does the ninth byte");
    }

    proptest! {
        #[test]
        fn counting_and_encoding_agree_and_add_up_in_front_of_any_space(left in "\\PC{0,40}", right in "\\PC{0,40}") {
            let mut tokens = Vec::new();
            encode_into(&left, &mut tokens);
            prop_assert_eq!(tokens.len() as u64, count(&left));
            let joined = format!("{left}x {right}");
            prop_assert_eq!(count(&joined), count(&format!("{left}x")) + count(&format!(" {right}")));
        }
    }
}
