//! YAML 1.2 to the untyped document. Anchors and merge keys are resolved, a key that comes twice is a fault at its second place, and
//! expansion has a budget, so that no small text becomes a large document.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Error, Location, Spanned, UserMessageFormatter};

use crate::scenario::document::{Entry, Node, Table, Text, Value};
use crate::scenario::fault::{Fault, Faults};
use crate::scenario::source::Place;

/// Tables and lists within each other: each level takes up to 50 kB of a stack of which some threads have 2 MB. A scenario has about six.
const MOST_DEEP: usize = 24;

/// Values and keys, with what anchors repeat: as many as the longest axis would list, and a tenth of a second's work.
const MOST_NODES: usize = 100_000;

/// Reads a whole text.
pub fn document(whole: Place, faults: &mut Faults) -> Option<Node> {
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
    match serde_saphyr::from_str_with_options::<Spanned<Raw>>(&source.text, options) {
        Ok(root) => {
            let mut reader = Reader { whole, text: &source.text, faults };
            let mut node = reader.node(root);
            node.place = whole.at(0, 0);
            if node.value == Value::Null {
                // An empty file, as in TOML.
                node.value = Value::Table(Table::default());
            }
            Some(node)
        }
        Err(error) => {
            let place = error.location().map_or(whole.at(0, 0), |location| place(whole, &source.text, &location));
            let message = message(&error);
            let hint = message.contains("tabs").then(|| "indent with blanks".to_owned());
            faults.push(Fault::at(place, message).maybe_hint(hint));
            None
        }
    }
}

/// A value as the parser hands it over, before its duplicates are looked for.
enum Raw {
    Null,
    Bool(bool),
    Integer(i64),
    /// Beyond what a 64-bit integer holds.
    TooLarge,
    Float(f64),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Table(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }
    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        Raw::deserialize(deserializer)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Integer(value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(i64::try_from(value).map_or(Raw::TooLarge, Raw::Integer))
    }
    fn visit_i128<E>(self, _: i128) -> Result<Raw, E> {
        Ok(Raw::TooLarge)
    }
    fn visit_u128<E>(self, _: u128) -> Result<Raw, E> {
        Ok(Raw::TooLarge)
    }
    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Float(value))
    }
    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut table = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            table.push(entry);
        }
        Ok(Raw::Table(table))
    }
}

struct Reader<'a> {
    whole: Place,
    text: &'a str,
    faults: &'a mut Faults,
}

impl Reader<'_> {
    fn node(&mut self, raw: Spanned<Raw>) -> Node {
        let place = self.place(&raw.defined, &raw.referenced);
        let value = match raw.value {
            Raw::Null => Value::Null,
            Raw::Bool(value) => Value::Bool(value),
            Raw::Integer(value) => Value::Integer(value),
            Raw::TooLarge => {
                self.faults.push(Fault::at(place, "the number is out of range"));
                Value::Integer(0)
            }
            Raw::Float(value) => Value::Float(value),
            Raw::Text(text) => Value::Text(Text::plain(text)),
            Raw::List(items) => Value::List(items.into_iter().map(|item| self.node(item)).collect()),
            Raw::Table(entries) => self.table(entries),
        };
        Node { value, place }
    }

    fn table(&mut self, entries: Vec<(Spanned<String>, Spanned<Raw>)>) -> Value {
        let mut table = Table::default();
        for (key, value) in entries {
            let key_place = self.place(&key.defined, &key.referenced);
            let node = self.node(value);
            match table.entry(&key.value) {
                Some(first) => {
                    let fault = Fault::at(key_place, "the same key twice in one table");
                    self.faults.push(fault.beside(first.key_place, "first here").hint("leave one of them out"));
                }
                None => table.entries.push(Entry { key: key.value, key_place, node }),
            }
        }
        Value::Table(table)
    }

    /// Where a value is written; an alias points at its anchor.
    fn place(&self, defined: &Location, referenced: &Location) -> Place {
        let location = if *defined == Location::UNKNOWN { referenced } else { defined };
        place(self.whole, self.text, location)
    }
}

fn place(whole: Place, text: &str, location: &Location) -> Place {
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
        let mut faults = Faults::default();
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
