//! The words and sentence patterns of the seeded texts, from `templates/words.txt` and `templates/sentences.txt`.
//!
//! Out come lists; it must not know how sentences are made of them.

const WORDS: &str = include_str!("../../../../templates/words.txt");
const SENTENCES: &str = include_str!("../../../../templates/sentences.txt");

/// A list of words or patterns, never empty.
pub type List = Vec<&'static str>;

/// All lists. What each holds stands in the template files.
#[derive(Debug)]
pub struct ProseVocabulary {
    pub names: List,
    pub surnames: List,
    pub places: List,
    pub nouns: List,
    pub adjectives: List,
    pub abstracts: List,
    pub occupations: List,
    pub transitive: List,
    pub intransitive: List,
    pub adverbs: List,
    pub times: List,
    pub weather: List,
    pub narration: List,
    pub leads: List,
    pub speech: List,
    pub instructions: List,
    pub questions: List,
}

impl Default for ProseVocabulary {
    fn default() -> Self {
        Self {
            names: section(WORDS, "[names]"),
            surnames: section(WORDS, "[surnames]"),
            places: section(WORDS, "[places]"),
            nouns: section(WORDS, "[nouns]"),
            adjectives: section(WORDS, "[adjectives]"),
            abstracts: section(WORDS, "[abstracts]"),
            occupations: section(WORDS, "[occupations]"),
            transitive: section(WORDS, "[transitive]"),
            intransitive: section(WORDS, "[intransitive]"),
            adverbs: section(WORDS, "[adverbs]"),
            times: section(WORDS, "[times]"),
            weather: section(WORDS, "[weather]"),
            narration: section(SENTENCES, "[narration]"),
            leads: section(SENTENCES, "[leads]"),
            speech: section(SENTENCES, "[speech]"),
            instructions: section(SENTENCES, "[instructions]"),
            questions: section(SENTENCES, "[questions]"),
        }
    }
}

/// The lines that carry something: no blank ones, and none that begin with `#`.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The lines between a heading and the next one.
fn section(text: &'static str, heading: &str) -> List {
    lines(text).skip_while(|line| *line != heading).skip(1).take_while(|line| !line.starts_with('[')).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_list_is_there_with_no_entry_twice() {
        let v = ProseVocabulary::default();
        let lists = [
            (&v.names, 60),
            (&v.surnames, 50),
            (&v.places, 40),
            (&v.nouns, 100),
            (&v.adjectives, 80),
            (&v.abstracts, 50),
            (&v.occupations, 40),
            (&v.transitive, 50),
            (&v.intransitive, 40),
            (&v.adverbs, 40),
            (&v.times, 30),
            (&v.weather, 20),
            (&v.narration, 50),
            (&v.leads, 10),
            (&v.speech, 20),
            (&v.instructions, 20),
            (&v.questions, 20),
        ];
        for (list, least) in lists {
            assert!(list.len() >= least, "{list:?}");
            assert_eq!(list.iter().collect::<BTreeSet<_>>().len(), list.len());
        }
    }

    #[test]
    fn every_slot_of_a_pattern_is_known() {
        let v = ProseVocabulary::default();
        for pattern in [&v.narration, &v.leads, &v.speech, &v.instructions, &v.questions].into_iter().flatten() {
            for after in pattern.split('$').skip(1) {
                assert!(after.starts_with(|slot| "pPsnNaArRbvidtw".contains(slot)), "{pattern}");
            }
        }
    }
}
