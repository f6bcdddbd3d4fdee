//! Titles: what the texts of one session begin with, so that no two share their beginning.
//!
//! In go a seed and numbers; out comes a title that no other number has under this seed. It differs in its first word for numbers that stand
//! close together, in its second or in its volume otherwise.

use super::seed::permutation;
use super::vocabulary::ProseVocabulary;

/// The titles under one seed.
#[derive(Debug)]
pub struct SessionTitles {
    /// In seeded order.
    adjectives: Vec<&'static str>,
    nouns: Vec<&'static str>,
}

impl SessionTitles {
    pub fn new(vocabulary: &ProseVocabulary, seed: u64) -> Self {
        let ordered =
            |purpose, list: &[&'static str]| permutation(seed, purpose, list.len()).into_iter().map(|place| list[place]).collect();
        Self { adjectives: ordered("title adjective", &vocabulary.adjectives), nouns: ordered("title noun", &vocabulary.nouns) }
    }

    /// The title that belongs to that number.
    pub fn of(&self, number: u64) -> String {
        let (first, rest) = digit(number, &self.adjectives);
        let (second, volume) = digit(rest, &self.nouns);
        let mut title = format!("{} {}", capital(first), capital(second));
        if volume > 0 {
            title.push_str(" Volume ");
            title.push_str(&(volume + 1).to_string());
        }
        title
    }
}

/// The entry that the lowest digit of `number` stands for, and the digits above it.
fn digit(number: u64, list: &[&'static str]) -> (&'static str, u64) {
    let length = list.len() as u64;
    (list[usize::try_from(number % length).unwrap_or(0)], number / length)
}

fn capital(word: &str) -> String {
    let mut word = word.to_owned();
    if let Some(first) = word.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    word
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn titles_differ_and_close_ones_differ_in_their_first_word() {
        let vocabulary = ProseVocabulary::default();
        let titles = SessionTitles::new(&vocabulary, 7);
        let titles: Vec<String> = (0..20_000).map(|number| titles.of(number)).collect();
        assert_eq!(titles.iter().collect::<BTreeSet<_>>().len(), titles.len());
        let first_words: BTreeSet<_> = titles[..90].iter().map(|title| title.split(' ').next()).collect();
        assert_eq!(first_words.len(), 90);
        assert_ne!(titles[0], SessionTitles::new(&vocabulary, 8).of(0));
    }
}
