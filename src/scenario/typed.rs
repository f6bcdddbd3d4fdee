//! The untyped document to a typed section. Where serde stops at the first fault, this goes on: the fault's node is taken out of a copy
//! and the rest is read again, until nothing is wrong with it.
//!
//! It finds faults and their places; what to say about them is in `explain`.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{self, DeserializeOwned, DeserializeSeed, EnumAccess, Expected, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor};

use super::document::{Node, Table, Value};
use super::fault::closest;
use super::source::Place;

/// What is wrong with a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    UnknownField {
        field: String,
        allowed: Vec<String>,
    },
    UnknownVariant {
        allowed: Vec<String>,
    },
    MissingField {
        field: String,
    },
    /// Another type, or out of range; `expected` as serde says it.
    Invalid {
        expected: String,
    },
    /// In the type's own words.
    Other(String),
}

/// A problem, where, and by which path from the node that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    pub problem: Problem,
    pub place: Option<Place>,
    pub path: Vec<String>,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.path.join("."), self.problem)
    }
}

impl std::error::Error for Trouble {}

impl Trouble {
    fn new(problem: Problem) -> Self {
        Self { problem, place: None, path: Vec::new() }
    }

    /// The innermost place is the one that counts.
    fn at(self, place: Place) -> Self {
        Self { place: self.place.or(Some(place)), ..self }
    }

    fn within(mut self, key: &str) -> Self {
        self.path.insert(0, key.to_owned());
        self
    }
}

impl de::Error for Trouble {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(Problem::Other(message.to_string()))
    }
    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(Problem::Invalid { expected: expected.to_string() })
    }
    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(Problem::Invalid { expected: expected.to_string() })
    }
    fn unknown_variant(_: &str, allowed: &'static [&'static str]) -> Self {
        Self::new(Problem::UnknownVariant { allowed: owned(allowed) })
    }
    fn unknown_field(field: &str, allowed: &'static [&'static str]) -> Self {
        Self::new(Problem::UnknownField { field: field.to_owned(), allowed: owned(allowed) })
    }
    fn missing_field(field: &'static str) -> Self {
        Self::new(Problem::MissingField { field: field.to_owned() })
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// What a node was read as.
#[derive(Debug)]
pub struct Reading<T> {
    /// Of what is left without the troubles; `None` where too little is.
    pub value: Option<T>,
    pub troubles: Vec<Trouble>,
    /// The paths that were left out, one after the other.
    pub left_out: Vec<Vec<String>>,
}

/// Reads a node as `T`, and finds everything that keeps it from being one. `beside` is a key of the node that is not part of `T`.
pub fn read<T: DeserializeOwned>(node: &Node, beside: Option<&'static str>) -> Reading<T> {
    let first = match T::deserialize(Typed { node, beside }) {
        Ok(value) => return Reading { value: Some(value), troubles: Vec::new(), left_out: Vec::new() },
        Err(trouble) => trouble,
    };
    let mut rest = node.clone();
    let mut found: Vec<Trouble> = Vec::new();
    let mut left_out = Vec::new();
    let mut next = Err(first);
    while let Err(trouble) = next {
        let path = trouble.path.clone();
        if !follows_from(&trouble, &found) {
            found.push(trouble);
        }
        if path.is_empty() {
            return Reading { value: None, troubles: found, left_out };
        }
        rest.remove(&path);
        left_out.push(path);
        next = T::deserialize(Typed { node: &rest, beside });
    }
    Reading { value: next.ok(), troubles: found, left_out }
}

/// A field that was taken out because it was wrong, or whose name was mistyped, is not missing as well.
fn follows_from(trouble: &Trouble, found: &[Trouble]) -> bool {
    let Problem::MissingField { field: missing } = &trouble.problem else { return false };
    found.iter().any(|known| {
        let Some((last, above)) = known.path.split_last() else { return false };
        let meant = match &known.problem {
            Problem::UnknownField { field, allowed } => closest(field, allowed.iter().map(String::as_str)),
            _ => Some(last.as_str()),
        };
        above == trouble.path && meant == Some(missing)
    })
}

/// A node as serde reads it.
struct Typed<'a> {
    node: &'a Node,
    beside: Option<&'static str>,
}

impl<'a> Typed<'a> {
    fn of(node: &'a Node) -> Self {
        Self { node, beside: None }
    }
}

impl<'de> de::Deserializer<'de> for Typed<'_> {
    type Error = Trouble;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trouble> {
        match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Integer(value) => visitor.visit_i64(*value),
            Value::Float(value) => visitor.visit_f64(*value),
            Value::Text(text) => visitor.visit_str(&text.value),
            Value::List(items) => visitor.visit_seq(Items(items.iter().enumerate())),
            Value::Table(table) => visitor.visit_map(Entries { beside: self.beside, ..Entries::of(table) }),
        }
        .map_err(|trouble| trouble.at(self.node.place))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trouble> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Trouble> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, Trouble> {
        match &self.node.value {
            Value::Text(text) => visitor.visit_enum(StrDeserializer::new(&text.value)),
            Value::Table(table) if table.entries.len() == 1 => visitor.visit_enum(Entries::of(table)),
            _ => Err(de::Error::invalid_type(Unexpected::Other(self.node.kind()), &"one name")),
        }
        .map_err(|trouble: Trouble| trouble.at(self.node.place))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trouble> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct
        map struct identifier
    }
}

struct Items<'a>(std::iter::Enumerate<std::slice::Iter<'a, Node>>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Trouble;
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Trouble> {
        let Some((index, item)) = self.0.next() else { return Ok(None) };
        seed.deserialize(Typed::of(item)).map(Some).map_err(|trouble| trouble.within(&index.to_string()))
    }
}

struct Entries<'a> {
    rest: std::slice::Iter<'a, super::document::Entry>,
    value: Option<(&'a str, &'a Node)>,
    beside: Option<&'static str>,
}

impl<'a> Entries<'a> {
    fn of(table: &'a Table) -> Self {
        Self { rest: table.entries.iter(), value: None, beside: None }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Trouble;
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Trouble> {
        let beside = self.beside;
        let Some(entry) = self.rest.find(|entry| beside != Some(&entry.key)) else { return Ok(None) };
        self.value = Some((&entry.key, &entry.node));
        let key: StrDeserializer<'_, Trouble> = StrDeserializer::new(&entry.key);
        seed.deserialize(key).map(Some).map_err(|trouble| trouble.at(entry.key_place).within(&entry.key))
    }
    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Trouble> {
        let (key, node) = self.value.take().ok_or_else(|| de::Error::custom("a value without a key"))?;
        seed.deserialize(Typed::of(node)).map_err(|trouble| trouble.within(key))
    }
}

/// A table with one entry as a variant with its content: `{ sharegpt = "file.json" }`.
impl<'de> EnumAccess<'de> for Entries<'_> {
    type Error = Trouble;
    type Variant = Self;
    fn variant_seed<V: DeserializeSeed<'de>>(mut self, seed: V) -> Result<(V::Value, Self), Trouble> {
        let name = self.next_key_seed(seed)?.ok_or_else(|| de::Error::custom("a table without an entry"))?;
        Ok((name, self))
    }
}

impl<'de> VariantAccess<'de> for Entries<'_> {
    type Error = Trouble;
    fn unit_variant(self) -> Result<(), Trouble> {
        Err(de::Error::custom("this name takes no value"))
    }
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(mut self, seed: T) -> Result<T::Value, Trouble> {
        self.next_value_seed(seed)
    }
    fn tuple_variant<V: Visitor<'de>>(mut self, _: usize, visitor: V) -> Result<V::Value, Trouble> {
        let (key, node) = self.value.take().ok_or_else(|| de::Error::custom("a value without a key"))?;
        de::Deserializer::deserialize_any(Typed::of(node), visitor).map_err(|trouble| trouble.within(key))
    }
    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Trouble> {
        de::Deserializer::deserialize_any(MapAccessDeserializer::new(self), visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fault::Faults;
    use super::super::read::{self, Notation};
    use super::*;
    use crate::workload::spec::{ChatSpec, Dataset, DocumentQaSpec};

    fn node(text: &str) -> (Node, Faults) {
        let mut faults = Faults::default();
        let whole = faults.sources.add("test.toml", text);
        (read::document(Notation::Toml, whole, &mut faults).unwrap(), faults)
    }

    #[test]
    fn every_fault_of_a_section_is_found_at_its_own_place() {
        let (node, faults) =
            node("concurrent = \"x\"\nroundz = 3\nsequential = -1\ndocuments = { synthetic_token = 5 }\nanswers = \"life\"\n");
        let reading = super::read::<DocumentQaSpec>(&node, None);
        let found = reading.troubles;
        assert_eq!(reading.value.map(|spec| spec.concurrent), Some(1));
        let places: Vec<&str> = found.iter().map(|trouble| faults.sources.text(trouble.place.unwrap())).collect();
        assert_eq!(places, ["\"x\"", "roundz", "-1", "synthetic_token", "\"life\""]);
    }

    #[test]
    fn variants_with_and_without_content_are_read() {
        let dataset = |text| super::read::<ChatSpec>(&node(text).0, None).value.map(|spec| spec.dataset);
        assert_eq!(dataset("dataset = \"synthetic\""), Some(Dataset::Synthetic));
        assert_eq!(dataset("dataset = { sharegpt = \"a.json\" }"), Some(Dataset::Sharegpt("a.json".into())));
        assert_eq!(super::read::<ChatSpec>(&node("dataset = \"sharegtp\"").0, None).troubles[0].path, ["dataset"]);
    }
}
