//! Seeded prose: a book, a system prompt, a user's own story, a question or an answer, as long as one asks it to grow.
//!
//! In go a generator and what is to be written; out comes a growing text. It must not know tokens: its length is brought to an exact
//! number of them in `text`.

use rand_pcg::Pcg64;

use super::seed::{below, pick};
use super::vocabulary::ProseVocabulary;

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProseKind {
    /// A book in chapters, with a title of its own.
    Novel,
    /// What an assistant is told about its task.
    Instructions,
    /// What a user tells about themselves.
    Story,
    /// A passage of a longer text.
    Passage,
    /// One line of questions.
    Question,
    /// What an assistant says.
    Answer,
}

impl ProseKind {
    /// The name that keeps the randomness of one kind apart from that of the others.
    pub fn name(self) -> &'static str {
        match self {
            Self::Novel => "novel",
            Self::Instructions => "instructions",
            Self::Story => "story",
            Self::Passage => "passage",
            Self::Question => "question",
            Self::Answer => "answer",
        }
    }
}

/// A text that grows. What it says depends on the generator alone, not on how it was made to grow.
#[derive(Debug)]
pub struct ProseGenerator<'a> {
    vocabulary: &'a ProseVocabulary,
    rng: Pcg64,
    kind: ProseKind,
    /// The few people and places that the text is about.
    people: Vec<(&'static str, &'static str)>,
    places: Vec<&'static str>,
    chapter: u32,
    paragraphs_left: usize,
    text: String,
}

impl<'a> ProseGenerator<'a> {
    /// `head` stands at the very beginning.
    pub fn new(vocabulary: &'a ProseVocabulary, mut rng: Pcg64, kind: ProseKind, head: &str) -> Self {
        let people = (0..8).map(|_| (pick(&mut rng, &vocabulary.names), pick(&mut rng, &vocabulary.surnames))).collect();
        let places = (0..5).map(|_| pick(&mut rng, &vocabulary.places)).collect();
        let mut prose = Self { vocabulary, rng, kind, people, places, chapter: 0, paragraphs_left: 0, text: String::new() };
        prose.begin(head);
        prose
    }

    /// What a text of this kind ends with.
    pub fn end_mark(&self) -> &'static str {
        if self.kind == ProseKind::Question { "?" } else { "." }
    }

    /// The text so far.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Grows by whole paragraphs until the text has at least so many bytes.
    pub fn grow_to(&mut self, bytes: usize) {
        self.text.reserve(bytes.saturating_sub(self.text.len()) + 1024);
        while self.text.len() < bytes {
            match self.kind {
                ProseKind::Question => self.question(),
                ProseKind::Instructions => {
                    self.space();
                    self.one_of(&self.vocabulary.instructions);
                }
                ProseKind::Novel | ProseKind::Story | ProseKind::Passage | ProseKind::Answer => self.paragraph(),
            }
        }
    }

    fn begin(&mut self, head: &str) {
        self.text.push_str(head);
        match self.kind {
            ProseKind::Novel => self.sentence_of("\nby $P"),
            ProseKind::Instructions => self.sentence_of(" is what you are called. You are the assistant of $P, $R in $s."),
            ProseKind::Story => self.sentence_of(" is the name I go by here. I am $R from $s, and this is what I remember."),
            ProseKind::Passage => self.sentence_of(", as $P tells it."),
            ProseKind::Question => self.text.push(':'),
            ProseKind::Answer => {}
        }
    }

    fn question(&mut self) {
        let first = self.text.ends_with(':');
        self.text.push_str(if first { " " } else { ", and " });
        let pattern = pick(&mut self.rng, &self.vocabulary.questions);
        self.fill(pattern);
    }

    fn paragraph(&mut self) {
        if self.kind == ProseKind::Novel && self.paragraphs_left == 0 {
            self.chapter += 1;
            self.paragraphs_left = 18 + below(&mut self.rng, 20);
            self.text.push_str("\n\nChapter ");
            self.text.push_str(&self.chapter.to_string());
        }
        self.paragraphs_left = self.paragraphs_left.saturating_sub(1);
        if !self.text.is_empty() {
            self.text.push_str("\n\n");
        }
        if below(&mut self.rng, 4) == 0 {
            self.one_of(&self.vocabulary.speech);
            if below(&mut self.rng, 2) == 0 {
                return;
            }
        }
        for _ in 0..3 + below(&mut self.rng, 5) {
            self.space();
            self.narrate();
        }
    }

    fn narrate(&mut self) {
        let begin = self.text.len();
        if below(&mut self.rng, 5) < 2 {
            let lead = pick(&mut self.rng, &self.vocabulary.leads);
            self.fill(lead);
            self.text.push(' ');
        }
        let pattern = pick(&mut self.rng, &self.vocabulary.narration);
        self.fill(pattern);
        self.capitalise(begin);
    }

    fn one_of(&mut self, patterns: &[&'static str]) {
        let pattern = pick(&mut self.rng, patterns);
        self.sentence_of(pattern);
    }

    fn sentence_of(&mut self, pattern: &str) {
        let begin = self.text.len();
        self.fill(pattern);
        // What goes on after a head is no sentence of its own.
        if !pattern.starts_with([' ', '\n']) {
            self.capitalise(begin);
        }
    }

    /// A space, unless a line begins here.
    fn space(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push(' ');
        }
    }

    fn capitalise(&mut self, begin: usize) {
        // A sentence may begin with a quotation mark.
        let letter = begin + usize::from(self.text[begin..].starts_with('"'));
        if let Some(first) = self.text.get_mut(letter..=letter) {
            first.make_ascii_uppercase();
        }
    }

    /// Appends a pattern with its slots filled.
    fn fill(&mut self, pattern: &str) {
        let mut parts = pattern.split('$');
        self.text.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let (slot, rest) = part.split_at_checked(1).unwrap_or(("", part));
            self.slot(slot);
            self.text.push_str(rest);
        }
    }

    fn slot(&mut self, slot: &str) {
        let vocabulary = self.vocabulary;
        let list = match slot {
            "p" | "P" => return self.person(slot),
            "s" => &self.places,
            "n" | "N" => &vocabulary.nouns,
            "a" | "A" => &vocabulary.adjectives,
            "r" | "R" => &vocabulary.occupations,
            "b" => &vocabulary.abstracts,
            "v" => &vocabulary.transitive,
            "i" => &vocabulary.intransitive,
            "d" => &vocabulary.adverbs,
            "t" => &vocabulary.times,
            _ => &vocabulary.weather,
        };
        let word = pick(&mut self.rng, list);
        if matches!(slot, "N" | "A" | "R") {
            self.text.push_str(article(word));
        }
        self.text.push_str(word);
    }

    fn person(&mut self, slot: &str) {
        let (name, surname) = self.people[below(&mut self.rng, self.people.len())];
        self.text.push_str(name);
        if slot == "P" {
            self.text.push(' ');
            self.text.push_str(surname);
        }
    }
}

/// The indefinite article before `word`, with its space.
fn article(word: &str) -> &'static str {
    // The `h` of "honest" is silent.
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) || word.starts_with("hon") { "an " } else { "a " }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::seed::generator;
    use super::*;

    fn novel(seed: u64, bytes: usize) -> String {
        let vocabulary = ProseVocabulary::default();
        let mut prose = ProseGenerator::new(&vocabulary, generator(seed, "novel", &[0]), ProseKind::Novel, "Amber Lantern");
        prose.grow_to(bytes);
        prose.text().to_owned()
    }

    #[test]
    fn a_text_says_the_same_however_it_was_made_to_grow() {
        let vocabulary = ProseVocabulary::default();
        let mut prose = ProseGenerator::new(&vocabulary, generator(7, "novel", &[0]), ProseKind::Novel, "Amber Lantern");
        for bytes in [1, 100, 101, 5_000, 20_000] {
            prose.grow_to(bytes);
        }
        let whole = novel(7, 20_000);
        assert!(whole.len() >= 20_000);
        assert_eq!(prose.text(), whole);
        assert_ne!(prose.text(), novel(8, 20_000));
    }

    #[test]
    fn prose_is_sentences_in_paragraphs_in_chapters() {
        let text = novel(7, 50_000);
        assert!(text.starts_with("Amber Lantern\nby "), "{}", &text[..80]);
        assert!(text.contains("\n\nChapter 1\n\n") && text.contains("\n\nChapter 3\n\n"));
        assert!(!text.contains('$') && !text.contains("  ") && text.is_ascii());
        for paragraph in text.split("\n\n").skip(1).filter(|paragraph| !paragraph.starts_with("Chapter")) {
            assert!(paragraph.starts_with(|c: char| c.is_ascii_uppercase() || c == '"'), "{paragraph}");
            assert!(paragraph.ends_with(['.', '"', '?']), "{paragraph}");
        }
        let words: BTreeSet<&str> = text.split(|c: char| !c.is_ascii_alphabetic()).collect();
        assert!(words.len() > 500, "only {} different words", words.len());
    }

    #[test]
    fn articles_fit_the_word_behind_them() {
        assert_eq!(["anchor", "honest", "humble", "old", "tall"].map(article), ["an ", "an ", "a ", "an ", "a "]);
    }
}
