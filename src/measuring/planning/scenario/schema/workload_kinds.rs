//! The kinds of workload in the schema: `kind` chooses whose fields are meant, so that an editor names the field that is wrong, and does not say that
//! the table is none of several.

use serde_json::{Map, Value, json};

const WORKLOAD: &str = "/definitions/WorkloadSpec";

/// Turns "one of these tables" into "the table of this kind". Each kind gets a definition of its name.
///
/// All fields of all kinds stand beside that as well, since some editors offer only what is a property of the table itself. Without a `kind` nothing
/// more is asked: a scenario that `extends` another may say only what differs.
pub(super) fn tell_apart(schema: &mut Value) {
    let Some(Value::Array(tables)) = schema.pointer_mut(WORKLOAD).and_then(|workload| workload.get_mut("oneOf")).map(Value::take) else {
        return;
    };
    let named: Vec<(String, Value)> = tables.into_iter().filter_map(|table| Some((kind_of(&table)?, table))).collect();
    let rules: Vec<Value> = named.iter().map(|(kind, _)| rule(kind)).collect();
    let mut fields = Map::new();
    let kinds: Vec<&String> = named.iter().map(|(kind, _)| kind).collect();
    let described: Vec<String> = named.iter().map(|(kind, table)| format!("`{kind}`: {}", description(table))).collect();
    fields.insert("kind".to_owned(), json!({ "description": described.join(" "), "type": "string", "enum": kinds }));
    for (kind, table) in &named {
        for (name, field) in table["properties"].as_object().into_iter().flatten().filter(|(name, _)| *name != "kind") {
            offer(&mut fields, kind, name, field);
        }
    }
    schema["definitions"]["WorkloadSpec"] = json!({ "description": "What is sent; `kind` says which fields there are.", "type": "object", "properties": fields, "allOf": rules });
    if let Some(definitions) = schema["definitions"].as_object_mut() {
        definitions.extend(named);
    }
}

/// The name that a table's `kind` must have.
fn kind_of(table: &Value) -> Option<String> {
    table.pointer("/properties/kind/const")?.as_str().map(str::to_owned)
}

fn rule(kind: &str) -> Value {
    json!({
        "if": { "properties": { "kind": { "const": kind } }, "required": ["kind"] },
        "then": { "$ref": format!("#/definitions/{kind}") },
    })
}

/// A field by its name and what it says; where several kinds have it, in the words of each.
fn offer(fields: &mut Map<String, Value>, kind: &str, name: &str, field: &Value) {
    let words = format!("`{kind}`: {}", description(field));
    match fields.get_mut(name) {
        Some(known) => known["description"] = format!("{} {words}", description(known)).into(),
        None => {
            fields.insert(name.to_owned(), json!({ "description": words }));
        }
    }
}

fn description(schema: &Value) -> &str {
    schema["description"].as_str().unwrap_or_default()
}
