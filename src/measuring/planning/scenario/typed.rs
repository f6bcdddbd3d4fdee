//! The untyped document to a typed section. Where serde stops at the first fault, this goes on: the fault's node is taken out of a copy
//! and the rest is read again, until nothing is wrong with it.
//!
//! It finds faults and their places; what to say about them is in `explain`.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{self, DeserializeOwned, DeserializeSeed, EnumAccess, Expected, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor};

use super::diagnostic::closest;
use super::document::{ScenarioNode, ScenarioTable, ScenarioValue};
use super::source::SourceSpan;

/// What is wrong with a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeErrorKind {
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
pub struct NodeError {
    pub problem: NodeErrorKind,
    pub place: Option<SourceSpan>,
    pub path: Vec<String>,
}

impl fmt::Display for NodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.path.join("."), self.problem)
    }
}

impl std::error::Error for NodeError {}

impl NodeError {
    fn new(problem: NodeErrorKind) -> Self {
        Self { problem, place: None, path: Vec::new() }
    }

    /// The innermost place is the one that counts.
    fn at(self, place: SourceSpan) -> Self {
        Self { place: self.place.or(Some(place)), ..self }
    }

    fn within(mut self, key: &str) -> Self {
        self.path.insert(0, key.to_owned());
        self
    }
}

impl de::Error for NodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(NodeErrorKind::Other(message.to_string()))
    }
    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(NodeErrorKind::Invalid { expected: expected.to_string() })
    }
    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(NodeErrorKind::Invalid { expected: expected.to_string() })
    }
    fn unknown_variant(_: &str, allowed: &'static [&'static str]) -> Self {
        Self::new(NodeErrorKind::UnknownVariant { allowed: owned(allowed) })
    }
    fn unknown_field(field: &str, allowed: &'static [&'static str]) -> Self {
        Self::new(NodeErrorKind::UnknownField { field: field.to_owned(), allowed: owned(allowed) })
    }
    fn missing_field(field: &'static str) -> Self {
        Self::new(NodeErrorKind::MissingField { field: field.to_owned() })
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// What a node was read as.
#[derive(Debug)]
pub struct ParsedNode<T> {
    /// Of what is left without the troubles; `None` where too little is.
    pub value: Option<T>,
    pub troubles: Vec<NodeError>,
    /// The paths that were left out, one after the other.
    pub left_out: Vec<Vec<String>>,
}

/// Reads a node as `T`, and finds everything that keeps it from being one. `beside` is a key of the node that is not part of `T`.
pub fn read<T: DeserializeOwned>(node: &ScenarioNode, beside: Option<&'static str>) -> ParsedNode<T> {
    let first = match T::deserialize(NodeDeserializer { node, beside }) {
        Ok(value) => return ParsedNode { value: Some(value), troubles: Vec::new(), left_out: Vec::new() },
        Err(trouble) => trouble,
    };
    let mut rest = node.clone();
    let mut found: Vec<NodeError> = Vec::new();
    let mut left_out = Vec::new();
    let mut next = Err(first);
    while let Err(trouble) = next {
        let path = trouble.path.clone();
        if !follows_from(&trouble, &found) {
            found.push(trouble);
        }
        if path.is_empty() {
            return ParsedNode { value: None, troubles: found, left_out };
        }
        rest.remove(&path);
        left_out.push(path);
        next = T::deserialize(NodeDeserializer { node: &rest, beside });
    }
    ParsedNode { value: next.ok(), troubles: found, left_out }
}

/// A field that was taken out because it was wrong, or whose name was mistyped, is not missing as well; nor is the only one that a table may have,
/// where it has another.
fn follows_from(trouble: &NodeError, found: &[NodeError]) -> bool {
    let NodeErrorKind::MissingField { field: missing } = &trouble.problem else { return false };
    found.iter().any(|known| {
        let Some((last, above)) = known.path.split_last() else { return false };
        let meant = match &known.problem {
            NodeErrorKind::UnknownField { allowed, .. } if allowed.len() == 1 => allowed.first().map(String::as_str),
            NodeErrorKind::UnknownField { field, allowed } => closest(field, allowed.iter().map(String::as_str)),
            _ => Some(last.as_str()),
        };
        above == trouble.path && meant == Some(missing)
    })
}

/// A node as serde reads it.
struct NodeDeserializer<'a> {
    node: &'a ScenarioNode,
    beside: Option<&'static str>,
}

impl<'a> NodeDeserializer<'a> {
    fn of(node: &'a ScenarioNode) -> Self {
        Self { node, beside: None }
    }
}

impl<'de> de::Deserializer<'de> for NodeDeserializer<'_> {
    type Error = NodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NodeError> {
        match &self.node.value {
            ScenarioValue::Null => visitor.visit_unit(),
            ScenarioValue::Bool(value) => visitor.visit_bool(*value),
            ScenarioValue::Integer(value) => visitor.visit_i64(*value),
            ScenarioValue::Float(value) => visitor.visit_f64(*value),
            ScenarioValue::Text(text) => visitor.visit_str(&text.value),
            ScenarioValue::List(items) => visitor.visit_seq(NodeListAccess(items.iter().enumerate())),
            ScenarioValue::Table(table) => visitor.visit_map(NodeTableAccess { beside: self.beside, ..NodeTableAccess::of(table) }),
        }
        .map_err(|trouble| trouble.at(self.node.place))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NodeError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, NodeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, NodeError> {
        match &self.node.value {
            ScenarioValue::Text(text) => visitor.visit_enum(StrDeserializer::new(&text.value)),
            ScenarioValue::Table(table) if table.entries.len() == 1 => visitor.visit_enum(NodeTableAccess::of(table)),
            _ => Err(de::Error::invalid_type(Unexpected::Other(self.node.kind()), &"one name")),
        }
        .map_err(|trouble: NodeError| trouble.at(self.node.place))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NodeError> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct
        map struct identifier
    }
}

struct NodeListAccess<'a>(std::iter::Enumerate<std::slice::Iter<'a, ScenarioNode>>);

impl<'de> SeqAccess<'de> for NodeListAccess<'_> {
    type Error = NodeError;
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, NodeError> {
        let Some((index, item)) = self.0.next() else { return Ok(None) };
        seed.deserialize(NodeDeserializer::of(item)).map(Some).map_err(|trouble| trouble.within(&index.to_string()))
    }
}

struct NodeTableAccess<'a> {
    rest: std::slice::Iter<'a, super::document::ScenarioEntry>,
    value: Option<(&'a str, &'a ScenarioNode)>,
    beside: Option<&'static str>,
}

impl<'a> NodeTableAccess<'a> {
    fn of(table: &'a ScenarioTable) -> Self {
        Self { rest: table.entries.iter(), value: None, beside: None }
    }
}

impl<'de> MapAccess<'de> for NodeTableAccess<'_> {
    type Error = NodeError;
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, NodeError> {
        let beside = self.beside;
        let Some(entry) = self.rest.find(|entry| beside != Some(&entry.key)) else { return Ok(None) };
        self.value = Some((&entry.key, &entry.node));
        let key: StrDeserializer<'_, NodeError> = StrDeserializer::new(&entry.key);
        seed.deserialize(key).map(Some).map_err(|trouble| trouble.at(entry.key_place).within(&entry.key))
    }
    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, NodeError> {
        let (key, node) = self.value.take().ok_or_else(|| de::Error::custom("a value without a key"))?;
        seed.deserialize(NodeDeserializer::of(node)).map_err(|trouble| trouble.within(key))
    }
}

/// A table with one entry as a variant with its content: `{ sharegpt = "file.json" }`.
impl<'de> EnumAccess<'de> for NodeTableAccess<'_> {
    type Error = NodeError;
    type Variant = Self;
    fn variant_seed<V: DeserializeSeed<'de>>(mut self, seed: V) -> Result<(V::Value, Self), NodeError> {
        let name = self.next_key_seed(seed)?.ok_or_else(|| de::Error::custom("a table without an entry"))?;
        Ok((name, self))
    }
}

impl<'de> VariantAccess<'de> for NodeTableAccess<'_> {
    type Error = NodeError;
    fn unit_variant(self) -> Result<(), NodeError> {
        Err(de::Error::custom("this name takes no value"))
    }
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(mut self, seed: T) -> Result<T::Value, NodeError> {
        self.next_value_seed(seed)
    }
    fn tuple_variant<V: Visitor<'de>>(mut self, _: usize, visitor: V) -> Result<V::Value, NodeError> {
        let (key, node) = self.value.take().ok_or_else(|| de::Error::custom("a value without a key"))?;
        de::Deserializer::deserialize_any(NodeDeserializer::of(node), visitor).map_err(|trouble| trouble.within(key))
    }
    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, NodeError> {
        de::Deserializer::deserialize_any(MapAccessDeserializer::new(self), visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::super::diagnostic::ScenarioError;
    use super::super::read::{self, ScenarioFormat};
    use super::*;
    use crate::vocabulary::spec::workload::{ChatDataset, ChatSpec, DocumentQaSpec};

    fn node(text: &str) -> (ScenarioNode, ScenarioError) {
        let mut faults = ScenarioError::default();
        let whole = faults.sources.add("test.toml", text);
        (read::document(ScenarioFormat::Toml, whole, &mut faults).unwrap(), faults)
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
        assert_eq!(dataset("dataset = \"synthetic\""), Some(ChatDataset::Synthetic));
        assert_eq!(dataset("dataset = { sharegpt = \"a.json\" }"), Some(ChatDataset::Sharegpt("a.json".into())));
        assert_eq!(super::read::<ChatSpec>(&node("dataset = \"sharegtp\"").0, None).troubles[0].path, ["dataset"]);
    }
}
