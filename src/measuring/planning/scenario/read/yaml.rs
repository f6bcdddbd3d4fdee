//! YAML 1.2 to the untyped document. Anchors and merge keys are resolved, a key that comes twice is a fault at its second place, and
//! expansion has a budget, so that no small text becomes a large document.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Error, Location, Spanned, UserMessageFormatter};

use crate::planning::scenario::diagnostic::{ScenarioDiagnostic, ScenarioError};
use crate::planning::scenario::document::{ScenarioEntry, ScenarioNode, ScenarioTable, ScenarioText, ScenarioValue};
use crate::planning::scenario::source::SourceSpan;

/// Tables and lists within each other: each level takes up to 50 kB of a stack of which some threads have 2 MB. A scenario has about six.
const MOST_DEEP: usize = 24;

/// Values and keys, with what anchors repeat: as many as the longest axis would list, and a tenth of a second's work.
const MOST_NODES: usize = 100_000;

/// Reads a whole text.
pub fn document(whole: SourceSpan, faults: &mut ScenarioError) -> Option<ScenarioNode> {
    let source = faults.sources.get(whole).clone();
    let options = serde_saphyr::options! {
        // YAML 1.2: `no` is a text.
        strict_booleans: true,
        with_snippet: false,
        // The visitor below sees every duplicate, so that all of them are told at once.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        // As in TOML, where it is refused: a number with leading zeros is none.
        leading_zero_numbers_as_strings: true,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        budget: serde_saphyr::budget! { max_depth: MOST_DEEP, max_nodes: MOST_NODES, max_events: 2 * MOST_NODES },
    };
    match serde_saphyr::from_str_with_options::<Spanned<YamlValue>>(&source.text, options) {
        Ok(root) => {
            let mut reader = YamlReader { whole, text: &source.text, faults };
            let mut node = reader.node(root);
            node.place = whole.at(0, 0);
            if node.value == ScenarioValue::Null {
                // An empty file, as in TOML.
                node.value = ScenarioValue::Table(ScenarioTable::default());
            }
            Some(node)
        }
        Err(error) => {
            let place = error.location().map_or(whole.at(0, 0), |location| place(whole, &source.text, &location));
            let message = message(&error);
            let hint = message.contains("tabs").then(|| "indent with blanks".to_owned());
            faults.push(ScenarioDiagnostic::at(place, message).maybe_hint(hint));
            None
        }
    }
}

/// A value as the parser hands it over, before its duplicates are looked for.
enum YamlValue {
    Null,
    Bool(bool),
    Integer(i64),
    /// Beyond what a 64-bit integer holds.
    TooLarge,
    Float(f64),
    Text(String),
    List(Vec<Spanned<YamlValue>>),
    Table(Vec<(Spanned<String>, Spanned<YamlValue>)>),
}

impl<'de> Deserialize<'de> for YamlValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(YamlValueVisitor)
    }
}

struct YamlValueVisitor;

impl<'de> Visitor<'de> for YamlValueVisitor {
    type Value = YamlValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_unit<E>(self) -> Result<YamlValue, E> {
        Ok(YamlValue::Null)
    }
    fn visit_none<E>(self) -> Result<YamlValue, E> {
        Ok(YamlValue::Null)
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<YamlValue, D::Error> {
        YamlValue::deserialize(deserializer)
    }
    fn visit_bool<E>(self, value: bool) -> Result<YamlValue, E> {
        Ok(YamlValue::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<YamlValue, E> {
        Ok(YamlValue::Integer(value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<YamlValue, E> {
        Ok(i64::try_from(value).map_or(YamlValue::TooLarge, YamlValue::Integer))
    }
    fn visit_i128<E>(self, _: i128) -> Result<YamlValue, E> {
        Ok(YamlValue::TooLarge)
    }
    fn visit_u128<E>(self, _: u128) -> Result<YamlValue, E> {
        Ok(YamlValue::TooLarge)
    }
    fn visit_f64<E>(self, value: f64) -> Result<YamlValue, E> {
        Ok(YamlValue::Float(value))
    }
    fn visit_str<E>(self, value: &str) -> Result<YamlValue, E> {
        Ok(YamlValue::Text(value.to_owned()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<YamlValue, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(YamlValue::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<YamlValue, A::Error> {
        let mut table = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            table.push(entry);
        }
        Ok(YamlValue::Table(table))
    }
}

struct YamlReader<'a> {
    whole: SourceSpan,
    text: &'a str,
    faults: &'a mut ScenarioError,
}

impl YamlReader<'_> {
    fn node(&mut self, raw: Spanned<YamlValue>) -> ScenarioNode {
        let place = self.place(&raw.defined, &raw.referenced);
        let value = match raw.value {
            YamlValue::Null => ScenarioValue::Null,
            YamlValue::Bool(value) => ScenarioValue::Bool(value),
            YamlValue::Integer(value) => ScenarioValue::Integer(value),
            YamlValue::TooLarge => {
                self.faults.push(ScenarioDiagnostic::at(place, "the number is out of range"));
                ScenarioValue::Integer(0)
            }
            YamlValue::Float(value) => ScenarioValue::Float(value),
            YamlValue::Text(text) => ScenarioValue::Text(ScenarioText::plain(text)),
            YamlValue::List(items) => ScenarioValue::List(items.into_iter().map(|item| self.node(item)).collect()),
            YamlValue::Table(entries) => self.table(entries),
        };
        ScenarioNode { value, place }
    }

    fn table(&mut self, entries: Vec<(Spanned<String>, Spanned<YamlValue>)>) -> ScenarioValue {
        let mut table = ScenarioTable::default();
        for (key, value) in entries {
            let key_place = self.place(&key.defined, &key.referenced);
            let node = self.node(value);
            match table.entry(&key.value) {
                Some(first) => {
                    let fault = ScenarioDiagnostic::at(key_place, "the same key twice in one table");
                    self.faults.push(fault.beside(first.key_place, "first here").hint("leave one of them out"));
                }
                None => table.entries.push(ScenarioEntry { key: key.value, key_place, node }),
            }
        }
        ScenarioValue::Table(table)
    }

    /// Where a value is written; an alias points at its anchor.
    fn place(&self, defined: &Location, referenced: &Location) -> SourceSpan {
        let location = if *defined == Location::UNKNOWN { referenced } else { defined };
        place(self.whole, self.text, location)
    }
}

fn place(whole: SourceSpan, text: &str, location: &Location) -> SourceSpan {
    let span = location.span();
    let bytes = span.byte_offset().zip(span.byte_len()).or_else(|| {
        // Faults of syntax come with offsets in characters only.
        let byte = |characters: u64| text.char_indices().nth(usize::try_from(characters).ok()?).map(|(byte, _)| byte as u64);
        let start = byte(span.offset())?;
        Some((start, byte(span.offset().saturating_add(span.len())).unwrap_or(start) - start))
    });
    let Some((start, length)) = bytes else { return whole.at(0, 0) };
    let start = usize::try_from(start).unwrap_or(usize::MAX).min(text.len());
    let end = start.saturating_add(usize::try_from(length).unwrap_or(usize::MAX)).min(text.len());
    whole.at(start, end)
}

/// The parser's message without the position that it ends with.
fn message(error: &Error) -> String {
    let text = error.render_with_formatter(&UserMessageFormatter);
    let text = text.split(" at line ").next().unwrap_or(&text);
    let mut characters = text.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<String> {
        let mut faults = ScenarioError::default();
        let whole = faults.sources.add("deep.yaml", text);
        document(whole, &mut faults);
        faults.iter().map(|fault| fault.message.clone()).collect()
    }

    #[test]
    fn what_is_nested_without_end_is_refused_before_the_stack_ends() {
        let nested = |levels: usize| (0..levels).map(|level| " ".repeat(level) + "a:\n").collect::<String>();
        assert_eq!(faults(&nested(12)), Vec::<String>::new());
        for text in [nested(400), "[".repeat(5_000), "- ".repeat(5_000), "{a: ".repeat(5_000)] {
            assert_eq!(faults(&text).len(), 1);
        }
    }

    #[test]
    fn anchors_that_multiply_are_refused_soon() {
        let mut lines = vec!["a: &a [x, x, x, x, x, x, x, x, x]".to_owned()];
        for (name, before) in ('b'..='i').zip('a'..) {
            lines.push(format!("{name}: &{name} [{}]", vec![format!("*{before}"); 9].join(", ")));
        }
        assert_eq!(faults(&lines.join("\n")).len(), 1);
    }
}
