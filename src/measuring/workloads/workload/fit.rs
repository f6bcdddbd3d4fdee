//! The search for a text of an exact number of tokens: which candidate to count next, given what the earlier ones counted.
//!
//! In go counts, out come candidates (so many words of the prose, then so many short filling words). It must not know how words are
//! made or who counts them; since counting may cost a request, it asks seldom.

/// The most counts that one text may cost.
pub const MOST_COUNTS: u32 = 8;

/// How many tokens are made up by filling words rather than by more prose.
const FILL_REACH: u64 = 8;
/// Tokens per word of English prose, to begin with.
const USUAL_RATE: f64 = 1.3;

/// A text to be counted: the first `words` words of the prose and `fill` filling words of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextCandidate {
    pub words: usize,
    pub fill: usize,
    pub filler: FillerKind,
}

/// Which words fill up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FillerKind {
    /// Short common words: one token each under nearly every rule.
    Words,
    /// Single letters, for rules under which a word is several tokens.
    Letters,
}

/// The search for one text.
#[derive(Debug)]
pub struct FitSearch {
    target: u64,
    counts: u32,
    /// What comes nearest so far, and its count.
    best: Option<(TextCandidate, u64)>,
    stage: FitStage,
}

#[derive(Debug)]
enum FitStage {
    /// Looking for the most prose that is not too long.
    Prose {
        next: usize,
        bracket: FitBracket,
    },
    /// The prose is fixed at `base`; looking for what fills up the rest.
    Filling {
        base: FitPoint,
        filler: FillerKind,
        next: usize,
        bracket: FitBracket,
    },
    Over,
}

/// A size (words or filling words) and the tokens that it counted.
#[derive(Debug, Clone, Copy)]
struct FitPoint {
    size: usize,
    tokens: u64,
}

/// The largest size that is too short and the smallest that is too long.
#[derive(Debug, Clone, Copy)]
struct FitBracket {
    low: FitPoint,
    high: Option<FitPoint>,
}

impl FitSearch {
    /// A search for `target` tokens, at least 1.
    pub fn new(target: u64) -> Self {
        let mut fit = Self { target, counts: 0, best: None, stage: FitStage::Over };
        let bracket = FitBracket { low: FitPoint { size: 0, tokens: 0 }, high: None };
        fit.stage = fit.prose(bracket, words_of(fit.aim(), USUAL_RATE));
        fit
    }

    /// What to count next; `None` where the search is over.
    pub fn next(&self) -> Option<TextCandidate> {
        match self.stage {
            FitStage::Prose { next, .. } => Some(TextCandidate { words: next, fill: 0, filler: FillerKind::Words }),
            FitStage::Filling { base, filler, next, .. } => Some(TextCandidate { words: base.size, fill: next, filler }),
            FitStage::Over => None,
        }
    }

    /// The candidate that came nearest, and its count.
    pub fn best(&self) -> Option<(TextCandidate, u64)> {
        self.best
    }

    /// Takes the count of the candidate that [`FitSearch::next`] gave.
    pub fn counted(&mut self, tokens: u64) {
        let Some(candidate) = self.next() else { return };
        self.counts += 1;
        if self.best.is_none_or(|(_, best)| tokens.abs_diff(self.target) < best.abs_diff(self.target)) {
            self.best = Some((candidate, tokens));
        }
        self.stage = if tokens == self.target || self.counts == MOST_COUNTS {
            FitStage::Over
        } else {
            match self.stage {
                FitStage::Prose { next, bracket } => self.after_prose(FitPoint { size: next, tokens }, bracket),
                FitStage::Filling { base, filler, next, bracket } => {
                    let gained = tokens.saturating_sub(base.tokens).max(1);
                    self.filling(base, filler, self.narrowed(bracket, FitPoint { size: next, tokens }), rate(gained, next))
                }
                FitStage::Over => FitStage::Over,
            }
        };
    }

    /// Prose is brought a little below the target, since adding filling words is surer than taking words away.
    fn aim(&self) -> u64 {
        self.target - (self.target / 16).min(3)
    }

    fn after_prose(&self, seen: FitPoint, bracket: FitBracket) -> FitStage {
        if seen.tokens < self.target && self.target - seen.tokens <= FILL_REACH {
            return self.begin_filling(seen, FillerKind::Words);
        }
        let per_word = rate(seen.tokens, seen.size);
        let longer = words_of(self.aim().saturating_sub(seen.tokens), per_word);
        let shorter = words_of(seen.tokens.saturating_sub(self.aim()), per_word);
        self.prose(self.narrowed(bracket, seen), (seen.size + longer).saturating_sub(shorter))
    }

    /// Counts `guess` words next, inside the bracket; goes on to filling where the bracket has no room left.
    fn prose(&self, bracket: FitBracket, guess: usize) -> FitStage {
        let FitBracket { low, .. } = bracket;
        match bracket.room() {
            Some(_) if guess == 0 && low.size == 0 => self.begin_filling(low, FillerKind::Words),
            Some((least, most)) => FitStage::Prose { next: guess.clamp(least, most), bracket },
            None => self.begin_filling(low, FillerKind::Words),
        }
    }

    fn begin_filling(&self, base: FitPoint, filler: FillerKind) -> FitStage {
        self.filling(base, filler, FitBracket { low: FitPoint { size: 0, tokens: base.tokens }, high: None }, 1.0)
    }

    /// Counts another number of filling words next, inside the bracket.
    fn filling(&self, base: FitPoint, filler: FillerKind, bracket: FitBracket, per_word: f64) -> FitStage {
        match bracket.room() {
            Some((least, most)) => {
                let next = words_of(self.target - base.tokens, per_word).clamp(least, most);
                FitStage::Filling { base, filler, next, bracket }
            }
            // One word too few and one too many: only smaller steps can meet the target.
            None if filler == FillerKind::Words => self.begin_filling(base, FillerKind::Letters),
            None => FitStage::Over,
        }
    }

    fn narrowed(&self, bracket: FitBracket, seen: FitPoint) -> FitBracket {
        if seen.tokens < self.target { FitBracket { low: seen, ..bracket } } else { FitBracket { high: Some(seen), ..bracket } }
    }
}

impl FitBracket {
    /// The sizes between the two ends.
    fn room(&self) -> Option<(usize, usize)> {
        let most = self.high.map_or(usize::MAX, |high| high.size - 1);
        (self.low.size < most).then_some((self.low.size + 1, most))
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate of texts that fit in memory")]
fn rate(tokens: u64, words: usize) -> f64 {
    tokens as f64 / words as f64
}

/// How many words so many tokens are.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a guess, in range")]
fn words_of(tokens: u64, per_word: f64) -> usize {
    (tokens as f64 / per_word.max(1e-3)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a search against a rule; returns the best count and how many counts it took.
    fn search(target: u64, rule: impl Fn(TextCandidate) -> u64) -> (u64, u32) {
        let mut fit = FitSearch::new(target);
        while let Some(candidate) = fit.next() {
            fit.counted(rule(candidate));
        }
        (fit.best().unwrap().1, fit.counts)
    }

    fn size(candidate: TextCandidate) -> u64 {
        (candidate.words + candidate.fill) as u64
    }

    const TARGETS: [u64; 9] = [1, 2, 3, 7, 32, 100, 1000, 8192, 1_048_576];

    #[test]
    fn a_rule_of_a_token_a_word_is_met_in_a_few_counts() {
        for target in TARGETS {
            let (tokens, counts) = search(target, size);
            assert_eq!(tokens, target);
            assert!(counts <= 5, "{counts} counts for {target}");
        }
    }

    #[test]
    fn an_uneven_rule_is_met_within_the_limit() {
        // Every third word of the prose has three tokens, every seventh two; filling words have one.
        let prose = |words: usize| (words + 2 * (words / 3) + words / 7) as u64;
        for target in TARGETS {
            let (tokens, counts) = search(target, |c| prose(c.words) + c.fill as u64);
            assert_eq!(tokens, target);
            assert!(counts <= MOST_COUNTS);
        }
    }

    #[test]
    fn a_rule_that_counts_far_more_or_far_less_than_usual_is_met_too() {
        for target in TARGETS {
            let letters = |c: TextCandidate| if c.filler == FillerKind::Letters { c.fill as u64 } else { 2 * c.fill as u64 };
            assert_eq!(search(target, |c| 6 * c.words as u64 + letters(c)).0, target);
            assert_eq!(search(target, |c| size(c).div_ceil(4)).0, target);
        }
    }

    #[test]
    fn where_a_target_cannot_be_met_the_nearest_count_is_told() {
        let (tokens, counts) = search(100, |c| 7 * size(c));
        assert_eq!(tokens, 98);
        assert!(counts <= MOST_COUNTS);
        assert_eq!(search(100, |_| 3).0, 3);
    }
}
