//! What a scenario may say about how its runs are spread over nodes: `spread = "repeats"`, or a list.

use std::fmt;

use schemars::JsonSchema;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// What may be measured on different nodes: `"cells"`, `"repeats"`, `"variants"`, axes by name, or a list of these.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(schema_with = "name_or_names")]
pub struct SpreadSpec(pub Vec<String>);

impl SpreadSpec {
    /// Cells that need other servers.
    pub const CELLS: &'static str = "cells";
    /// Whole repeats, each with every variant once.
    pub const REPEATS: &'static str = "repeats";
    /// What is compared.
    pub const VARIANTS: &'static str = "variants";
}

impl Default for SpreadSpec {
    fn default() -> Self {
        Self(vec![Self::CELLS.to_owned()])
    }
}

fn name_or_names(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": ["string", "array"],
        "items": { "type": "string" },
        "minItems": 1,
        "minLength": 1,
    })
}

/// One name as it is written alone.
impl Serialize for SpreadSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [name] => name.serialize(serializer),
            names => names.serialize(serializer),
        }
    }
}

/// By hand: serde's `untagged` reads into a buffer first and so forgets where in the scenario a fault lies.
impl<'de> Deserialize<'de> for SpreadSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SpreadVisitor;
        impl<'de> Visitor<'de> for SpreadVisitor {
            type Value = SpreadSpec;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`\"cells\"`, `\"repeats\"`, `\"variants\"`, an axis, or a list of these")
            }
            fn visit_str<E>(self, name: &str) -> Result<SpreadSpec, E> {
                Ok(SpreadSpec(vec![name.to_owned()]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, names: A) -> Result<SpreadSpec, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(names)).map(SpreadSpec)
            }
        }
        deserializer.deserialize_any(SpreadVisitor)
    }
}
