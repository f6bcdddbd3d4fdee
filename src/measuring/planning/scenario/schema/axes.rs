//! The axes of `[matrix]` in the schema: every field of a cell, by its dotted path and by each end of it that names one field alone.

use serde_json::{Map, Value, json};

use crate::planning::scenario::fields::CellFieldSet;
use crate::vocabulary::spec::workload::WorkloadKind;

/// A field or a table of fields, as a tree by the parts of a path.
#[derive(Debug, Default)]
struct AxisTree {
    /// What the field says; none of what is only a table on the way.
    words: Option<String>,
    below: Vec<(String, AxisTree)>,
}

/// Puts the fields into the matrix, and refuses other names. One with a dot in it is a path, which the reader looks up.
pub(super) fn offer(schema: &mut Value) {
    let mut tree = AxisTree::default();
    for kind in WorkloadKind::ALL {
        let fields = CellFieldSet::of(kind);
        for path in fields.paths() {
            let words = words_of(schema, kind, path);
            let ends = (0..path.len()).map(|start| &path[start..]);
            for end in ends.filter(|end| fields.resolve(&end.join(".")).is_ok_and(|full| full == path)) {
                tree.put(end, words.as_deref());
            }
        }
    }
    schema["definitions"]["AxisValues"] = json!({
        "description": "The values of an axis: a list, one value, or a range such as `1..=4`, `256..=4096 +256`, `1..=64 x2` or `1.. x2`.",
        "type": ["array", "string", "number", "boolean", "object"],
        "minItems": 1,
    });
    let matrix = &mut schema["definitions"]["Matrix"];
    if let Some(properties) = matrix["properties"].as_object_mut() {
        properties.extend(tree.properties());
    }
    matrix["patternProperties"] = json!({ "\\.": { "$ref": "#/definitions/AxisValues" } });
    matrix["additionalProperties"] = false.into();
}

impl AxisTree {
    fn put(&mut self, path: &[String], words: Option<&str>) {
        let Some((first, rest)) = path.split_first() else {
            self.words = self.words.take().or_else(|| words.map(str::to_owned));
            return;
        };
        let place = self.below.iter().position(|(name, _)| name == first).unwrap_or_else(|| {
            self.below.push((first.clone(), Self::default()));
            self.below.len() - 1
        });
        self.below[place].1.put(rest, words);
    }

    fn properties(&self) -> Map<String, Value> {
        self.below.iter().map(|(name, below)| (name.clone(), below.schema())).collect()
    }

    fn schema(&self) -> Value {
        let mut schema = json!({ "allOf": [{ "$ref": "#/definitions/AxisValues" }] });
        if let Some(words) = &self.words {
            schema["description"] = words.as_str().into();
        }
        if !self.below.is_empty() {
            schema["properties"] = self.properties().into();
        }
        schema
    }
}

/// What the schema says of a field.
fn words_of(schema: &Value, kind: WorkloadKind, path: &[String]) -> Option<String> {
    let (section, rest) = path.split_first()?;
    let mut found = match section.as_str() {
        "workload" => {
            let tables = schema.pointer("/definitions/WorkloadSpec/oneOf")?.as_array()?;
            tables.iter().find(|table| table.pointer("/properties/kind/const").is_some_and(|name| *name == kind.name()))?
        }
        "target" => schema.pointer("/definitions/TargetSpec")?,
        "engine" => schema.pointer("/definitions/EngineSpec")?,
        _ => schema.pointer("/definitions/ServerSpec")?,
    };
    for part in rest {
        found = property(schema, found, part)?;
    }
    found["description"].as_str().map(str::to_owned)
}

/// A property of a schema, through its references and alternatives.
fn property<'a>(root: &'a Value, schema: &'a Value, name: &str) -> Option<&'a Value> {
    if let Some(found) = schema.get("properties").and_then(|properties| properties.get(name)) {
        return Some(found);
    }
    let referred = schema.get("$ref").and_then(Value::as_str).and_then(|target| root.pointer(target.trim_start_matches('#')));
    let alternatives = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|key| schema.get(key)?.as_array()).flatten();
    referred.into_iter().chain(alternatives).find_map(|inner| property(root, inner, name))
}
