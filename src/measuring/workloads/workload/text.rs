//! Texts of an exact number of tokens, under any token rule.
//!
//! In go prose that can grow (or a finished text to be cut) and a counter; out comes a text with its true count. It must not know what
//! the text is for.

use std::sync::Arc;

use super::fit::{FillerKind, FitSearch, MOST_COUNTS, TextCandidate};
use super::prose::ProseGenerator;
use crate::workloads::tokens::{TokenCountError, TokenCounter};

/// A text and its tokens under the run's rule. Clones share the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedText {
    pub text: Arc<str>,
    pub tokens: u64,
}

impl CountedText {
    /// A text as it is, counted.
    pub async fn counted(text: &str, counter: &TokenCounter) -> Result<Self, TokenCountError> {
        Ok(Self { text: text.into(), tokens: counter.count(text).await? })
    }
}

/// Prose of exactly `target` tokens, or of the nearest number where the rule allows no better: the count is true in any case. `taste`
/// chooses the filling words. Asks the counter at most eight times.
pub async fn exactly(
    target: u64,
    mut prose: ProseGenerator<'_>,
    taste: usize,
    counter: &TokenCounter,
) -> Result<CountedText, TokenCountError> {
    if target == 0 {
        return Ok(CountedText { text: "".into(), tokens: 0 });
    }
    // A sign at the end would be all, or half, of the shortest texts.
    let end_mark = if target > 2 { prose.end_mark() } else { "" };
    let mut cutter = CandidateComposer::default();
    let mut fit = FitSearch::new(target);
    let mut tried = None;
    while let Some(candidate) = fit.next() {
        let text = cutter.compose(&mut prose, candidate, taste, end_mark);
        fit.counted(counter.count(&text).await?);
        tried = Some((candidate, text));
    }
    let Some((best, tokens)) = fit.best() else { return Ok(CountedText { text: "".into(), tokens: 0 }) };
    let text = match tried {
        Some((candidate, text)) if candidate == best => text,
        _ => cutter.compose(&mut prose, best, taste, end_mark),
    };
    Ok(CountedText { text: text.into(), tokens })
}

/// Pairs of short common words; one pair fills up a text.
const FILLING: [[&str; 2]; 8] =
    [["and", "on"], ["so", "on"], ["or", "so"], ["to", "and"], ["up", "and"], ["as", "it"], ["all", "in"], ["now", "and"]];

/// Composes candidates from the beginning of growing prose.
#[derive(Debug, Default)]
struct CandidateComposer {
    /// Byte offsets behind each whole word of what has grown so far.
    ends: Vec<usize>,
    /// Up to where the prose has been looked through.
    seen: usize,
}

impl CandidateComposer {
    fn compose(&mut self, prose: &mut ProseGenerator<'_>, candidate: TextCandidate, taste: usize, end_mark: &str) -> String {
        let beginning = self.words(prose, candidate.words);
        let mut text = String::with_capacity(beginning.len() + 5 * candidate.fill + 1);
        text.push_str(beginning);
        for place in 0..candidate.fill {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(match candidate.filler {
                FillerKind::Words => FILLING[taste % FILLING.len()][place % 2],
                FillerKind::Letters => "a",
            });
        }
        text.push_str(end_mark);
        text
    }

    /// The first `words` words, without the signs behind the last one.
    fn words<'p>(&mut self, prose: &'p mut ProseGenerator<'_>, words: usize) -> &'p str {
        let Some(last) = words.checked_sub(1) else { return "" };
        while self.ends.len() <= last {
            // Six bytes a word is enough nearly always; the loop sees to the rest.
            prose.grow_to(self.seen + 6 * (words - self.ends.len()) + 64);
            self.look_through(prose.text());
        }
        prose.text()[..self.ends[last]].trim_end_matches(|sign: char| sign.is_ascii_punctuation())
    }

    fn look_through(&mut self, text: &str) {
        let bytes = text.as_bytes();
        for end in self.seen.max(1)..bytes.len() {
            if bytes[end].is_ascii_whitespace() && !bytes[end - 1].is_ascii_whitespace() {
                self.ends.push(end);
            }
        }
        self.seen = bytes.len();
    }
}

/// The longest beginning of `text` found that has at most `limit` tokens: whole words where it has words, and never empty, so that a
/// text of one long word may stay above the limit. Asks the counter at most eight times.
pub async fn at_most(limit: u64, text: &str, counter: &TokenCounter) -> Result<CountedText, TokenCountError> {
    let whole = counter.count(text).await?;
    if whole <= limit {
        return Ok(CountedText { text: text.into(), tokens: whole });
    }
    let cuts = cuts(text, whole);
    let (mut low, mut high) = ((0, 0), (cuts.len(), whole));
    let mut best = None;
    for _ in 1..MOST_COUNTS {
        if low.0 + 1 >= high.0 || low.1 == limit {
            break;
        }
        let span = usize::try_from(u128::from(limit - low.1) * (high.0 - low.0) as u128 / u128::from((high.1 - low.1).max(1)));
        let next = (low.0 + span.unwrap_or(1)).clamp(low.0 + 1, high.0 - 1);
        let beginning = text[..cuts[next - 1]].trim_end();
        let tokens = counter.count(beginning).await?;
        if tokens <= limit {
            low = (next, tokens);
        } else {
            high = (next, tokens);
        }
        if tokens <= limit || best.is_none_or(|(_, least)| least > limit && tokens < least) {
            best = Some((beginning, tokens));
        }
    }
    let (text, tokens) = best.unwrap_or((text, whole));
    Ok(CountedText { text: text.into(), tokens })
}

/// Where `text` may be cut: behind its words, or behind any character where it has hardly any words (Chinese, say).
fn cuts(text: &str, tokens: u64) -> Vec<usize> {
    let mut words: Vec<usize> = text.match_indices(char::is_whitespace).map(|(end, _)| end).collect();
    words.push(text.len());
    if words.len() as u64 * 8 >= tokens { words } else { text.char_indices().map(|(start, sign)| start + sign.len_utf8()).collect() }
}

#[cfg(test)]
mod tests {
    use super::super::prose::ProseKind;
    use super::super::seed::generator;
    use super::super::vocabulary::ProseVocabulary;
    use super::*;
    use crate::workloads::tokens::LocalTokenizer;

    async fn novel(target: u64, seed: u64, counter: &TokenCounter) -> CountedText {
        let vocabulary = ProseVocabulary::default();
        let prose = ProseGenerator::new(&vocabulary, generator(seed, "novel", &[0]), ProseKind::Novel, "Amber Lantern");
        exactly(target, prose, 3, counter).await.unwrap()
    }

    /// A byte-level tokenizer whose few merges make single tokens of some common words and leave the others in letters and pieces.
    fn pieces() -> TokenCounter {
        let mut vocabulary: Vec<String> = ('!'..='~').map(String::from).chain(["Ġ".into(), "Ċ".into()]).collect();
        let mut merges = Vec::new();
        for word in ["Ġand", "Ġon", "Ġa", "Ġthe", "Ġof", "Ġwas", "Ġto", "er", "ing", "ed", "Ġso", "Ġit", "Ġor", "Ġup", "Ġall", "Ġin"]
        {
            let mut letters = word.chars();
            let mut piece = letters.next().map(String::from).unwrap_or_default();
            for letter in letters {
                let pair = format!("{piece} {letter}");
                piece.push(letter);
                if !merges.contains(&pair) {
                    merges.push(pair);
                    vocabulary.push(piece.clone());
                }
            }
        }
        let vocabulary: std::collections::BTreeMap<String, usize> = vocabulary.into_iter().zip(0..).collect();
        let json = serde_json::json!({
            "version": "1.0", "added_tokens": [], "normalizer": null, "post_processor": null, "decoder": null,
            "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
            "model": {"type": "BPE", "vocab": vocabulary, "merges": merges},
        });
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), json.to_string()).unwrap();
        TokenCounter::Tokenizer(LocalTokenizer::load(file.path()).unwrap())
    }

    #[tokio::test]
    async fn a_text_has_exactly_the_asked_tokens_under_the_simulated_rule() {
        for target in [0, 1, 2, 3, 7, 32, 100, 1000, 8192, 131_072] {
            let text = novel(target, 7, &TokenCounter::Simulated).await;
            assert_eq!(text.tokens, target);
            assert_eq!(TokenCounter::Simulated.count(&text.text).await.unwrap(), target);
        }
    }

    #[tokio::test]
    async fn a_text_has_exactly_the_asked_tokens_under_a_tokenizer_of_pieces() {
        let counter = pieces();
        for target in [2, 7, 100, 1000, 8192] {
            for seed in [7, 8] {
                let text = novel(target, seed, &counter).await;
                assert_eq!(counter.count(&text.text).await.unwrap(), text.tokens);
                assert_eq!(text.tokens, target);
            }
        }
    }

    #[tokio::test]
    async fn a_text_has_exactly_the_asked_tokens_under_an_estimate() {
        let counter = TokenCounter::Estimate { characters_per_token: 4.0 };
        for target in [1, 7, 100, 8192, 131_072] {
            assert_eq!(novel(target, 7, &counter).await.tokens, target);
        }
    }

    #[tokio::test]
    async fn where_the_rule_allows_no_better_the_count_is_still_true() {
        // Every letter has more than three tokens, so 2 cannot be met.
        let counter = TokenCounter::Estimate { characters_per_token: 0.3 };
        let text = novel(2, 7, &counter).await;
        assert_eq!(counter.count(&text.text).await.unwrap(), text.tokens);
        assert_ne!(text.tokens, 2);
    }

    #[tokio::test]
    async fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
        let counter = TokenCounter::Simulated;
        assert_eq!(novel(500, 7, &counter).await, novel(500, 7, &counter).await);
        assert_ne!(novel(500, 7, &counter).await, novel(500, 8, &counter).await);
    }

    #[tokio::test]
    async fn a_cut_keeps_whole_words_and_goes_up_to_the_limit() {
        let counter = TokenCounter::Simulated;
        let cut = at_most(3, "one two three four five", &counter).await.unwrap();
        assert_eq!((&*cut.text, cut.tokens), ("one two three", 3));
        let whole = at_most(5, "one two three four five", &counter).await.unwrap();
        assert_eq!((&*whole.text, whole.tokens), ("one two three four five", 5));
        // "first" "," "second" " third" " " "," " fourth": a cut text does not end in white space.
        let cut = at_most(8, "first,second third , fourth\n\nfifth", &counter).await.unwrap();
        assert_eq!((&*cut.text, cut.tokens), ("first,second third , fourth", 7));
    }

    #[tokio::test]
    async fn a_cut_of_a_long_text_stays_within_the_limit_and_near_it() {
        let counter = TokenCounter::Simulated;
        let novel = novel(5000, 7, &counter).await;
        let cut = at_most(100, &novel.text, &counter).await.unwrap();
        assert!((97..=100).contains(&cut.tokens), "{}", cut.tokens);
        assert!(novel.text.starts_with(&*cut.text));
    }

    #[tokio::test]
    async fn a_text_without_spaces_is_cut_between_characters() {
        let text = "読書".repeat(50);
        let cut = at_most(10, &text, &TokenCounter::Simulated).await.unwrap();
        assert_eq!((cut.text.chars().count(), cut.tokens), (10, 10));
    }
}
