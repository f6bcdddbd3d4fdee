//! The cut of a document to an exact number of tokens: the beginning of the text that counts as exactly so many.
//!
//! In go a text, where its tokens end (if the rule tells) and a counter; out comes a beginning that has been counted by itself, since a
//! beginning need not have the tokens that it had as a part of the whole. It must not know where the text is from.

use crate::workloads::tokens::{TokenCountError, TokenCounter};

/// The most counts that one cut may cost. Two are usual with a tokenizer at hand, six to ten with a server that only counts.
const MOST_COUNTS: u32 = 64;
/// Every so many guesses one halves the bracket, so that a rule far from even cannot stall the search.
const HALVE_EVERY: u32 = 3;

/// What came of a cut.
#[derive(Debug, PartialEq, Eq)]
pub enum CutResult<'t> {
    /// The beginning that has exactly the asked tokens.
    Exact(&'t str),
    /// No beginning was found that has; this number comes nearest.
    Nearest(u64),
}

/// Cuts `text`, which has `whole` tokens and more than `target`, to exactly `target` tokens. `ends` are the ends of its tokens in bytes.
pub async fn exactly<'t>(
    target: u64,
    text: &'t str,
    whole: u64,
    ends: Option<&[usize]>,
    counter: &TokenCounter,
) -> Result<CutResult<'t>, TokenCountError> {
    let guess = usize::try_from(target).ok().and_then(|target| ends?.get(target.checked_sub(1)?).copied());
    let mut seek = CutSearch::new(target, text, whole, guess);
    while let Some(end) = seek.next() {
        let tokens = counter.count(&text[..end]).await?;
        if tokens == target {
            return Ok(CutResult::Exact(&text[..end]));
        }
        seek.counted(end, tokens);
    }
    Ok(CutResult::Nearest(seek.nearest))
}

/// The search for one cut: which beginning to count next, given what the earlier ones counted.
#[derive(Debug)]
struct CutSearch<'t> {
    text: &'t str,
    target: u64,
    counts: u32,
    nearest: u64,
    /// A beginning that is too short and one that is too long, nearer to each other with every count.
    low: CutPoint,
    high: CutPoint,
    guess: Option<usize>,
    /// Counts of beginnings are not quite monotone: where no character lies between the two, their neighbours are tried, outwards.
    around: Option<CutNeighbours>,
}

/// The end of a beginning in bytes, and its tokens.
#[derive(Debug, Clone, Copy)]
struct CutPoint {
    end: usize,
    tokens: u64,
}

#[derive(Debug, Clone, Copy)]
struct CutNeighbours {
    down: usize,
    up: usize,
    upwards: bool,
}

impl<'t> CutSearch<'t> {
    fn new(target: u64, text: &'t str, whole: u64, guess: Option<usize>) -> Self {
        let (low, high) = (CutPoint { end: 0, tokens: 0 }, CutPoint { end: text.len(), tokens: whole });
        Self { text, target, counts: 0, nearest: whole, low, high, guess, around: None }
    }

    fn next(&mut self) -> Option<usize> {
        if self.counts == MOST_COUNTS || self.target == 0 {
            return None;
        }
        if self.around.is_none() {
            if let Some(end) = self.between() {
                return Some(end);
            }
            self.around = Some(CutNeighbours { down: self.low.end, up: self.high.end, upwards: true });
        }
        self.beside()
    }

    fn counted(&mut self, end: usize, tokens: u64) {
        self.counts += 1;
        if tokens.abs_diff(self.target) < self.nearest.abs_diff(self.target) {
            self.nearest = tokens;
        }
        if self.around.is_none() {
            *(if tokens < self.target { &mut self.low } else { &mut self.high }) = CutPoint { end, tokens };
        }
    }

    /// A character boundary strictly between the two ends: the guess, else where the target lies if tokens are even.
    fn between(&mut self) -> Option<usize> {
        let span = self.high.end - self.low.end;
        let even = || {
            let tokens = u128::from(self.high.tokens.saturating_sub(self.low.tokens).max(1));
            let offset = u128::from(self.target - self.low.tokens) * span as u128 / tokens;
            self.low.end + usize::try_from(offset).unwrap_or(span)
        };
        let halves = self.counts % HALVE_EVERY == HALVE_EVERY - 1;
        let wanted = self.guess.take().unwrap_or_else(|| if halves { self.low.end + span / 2 } else { even() });
        let end = self.text.floor_char_boundary(wanted);
        let end = if end <= self.low.end { self.text.ceil_char_boundary(self.low.end + 1) } else { end };
        let end = if end >= self.high.end { self.text.floor_char_boundary(self.high.end - 1) } else { end };
        (end > self.low.end).then_some(end)
    }

    /// The next neighbour outwards, by turns above and below; never the empty text.
    fn beside(&mut self) -> Option<usize> {
        let CutNeighbours { down, up, upwards } = self.around?;
        let above = (up < self.text.len()).then(|| self.text.ceil_char_boundary(up + 1));
        let below = (down > 1).then(|| self.text.floor_char_boundary(down - 1)).filter(|end| *end > 0);
        let goes_up = match (above, below) {
            (None, None) => return None,
            (Some(_), Some(_)) => upwards,
            (above, None) => above.is_some(),
            (None, Some(_)) => false,
        };
        let end = if goes_up { above? } else { below? };
        self.around =
            Some(if goes_up { CutNeighbours { down, up: end, upwards: false } } else { CutNeighbours { down: end, up, upwards: true } });
        Some(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a search against a rule; the beginning where one fits, and how many counts it took.
    fn search(target: u64, text: &str, guess: Option<usize>, rule: impl Fn(&str) -> u64) -> (Result<&str, u64>, u32) {
        let mut seek = CutSearch::new(target, text, rule(text), guess);
        while let Some(end) = seek.next() {
            let tokens = rule(&text[..end]);
            if tokens == target {
                return (Ok(&text[..end]), seek.counts + 1);
            }
            seek.counted(end, tokens);
        }
        (Err(seek.nearest), seek.counts)
    }

    fn words(text: &str) -> u64 {
        text.split_whitespace().count() as u64
    }

    #[test]
    fn a_right_guess_costs_one_count() {
        let text = "one two three four five";
        assert_eq!(search(3, text, Some(13), words), (Ok("one two three"), 1));
    }

    #[test]
    fn without_a_guess_an_uneven_text_takes_a_few_counts() {
        // Short words first, long ones later: tokens are anything but even over bytes.
        let text = format!("{}{}", "a ".repeat(10_000), "incomprehensibilities ".repeat(10_000));
        for target in [1, 2, 999, 10_000, 10_001, 19_999] {
            let (found, counts) = search(target, &text, None, words);
            assert_eq!(found.map(words), Ok(target));
            assert!(counts <= 40, "{counts} counts for {target}");
        }
        let even = "word ".repeat(20_000);
        assert!(search(9999, &even, None, words).1 <= 3);
    }

    #[test]
    fn where_a_count_is_jumped_over_its_neighbours_are_tried() {
        // A cut behind `x` counts one more than it should, as an unfinished word does: behind `xx` it is right again.
        let rule = |text: &str| text.len() as u64 / 4 * 2 + u64::from(text.len() % 4 >= 2) * 3 - u64::from(text.len() % 4 == 3) * 2;
        let text = "abcd".repeat(50);
        let (found, _) = search(51, &text, None, rule);
        assert_eq!(found.map(rule), Ok(51));
    }

    #[test]
    fn a_wrong_guess_and_characters_of_many_bytes_do_no_harm() {
        let text = "読書は楽しい。".repeat(100);
        let characters = |text: &str| text.chars().count() as u64;
        for guess in [None, Some(1), Some(0), Some(text.len()), Some(usize::MAX)] {
            let (found, _) = search(100, &text, guess, characters);
            assert_eq!(found.map(characters), Ok(100), "{guess:?}");
        }
    }

    #[test]
    fn where_no_beginning_fits_the_nearest_count_is_told_within_the_limit() {
        let text = "a".repeat(1000);
        let (found, counts) = search(100, &text, None, |text| 7 * (text.len() as u64));
        assert_eq!(found, Err(98));
        assert!(counts <= MOST_COUNTS);
        assert_eq!(search(1, "ab", None, |text| 2 * text.len() as u64).0, Err(2));
    }

    #[tokio::test]
    async fn a_cut_counted_by_itself_has_the_asked_tokens() {
        let text = "Call me Ishmael. Some years ago, never mind how long precisely, having little money. ".repeat(200);
        let counter = TokenCounter::Simulated;
        let whole = counter.count(&text).await.unwrap();
        for target in [1, 2, 100, 1000] {
            let CutResult::Exact(cut) = exactly(target, &text, whole, None, &counter).await.unwrap() else { panic!("{target}") };
            assert_eq!(counter.count(cut).await.unwrap(), target);
            assert!(text.starts_with(cut));
        }
    }
}
