//! The JSON Schema of a scenario as it is written, for editors; what the types do not say of it is in the files of `schema/`.
//!
//! Draft 7: the newest that both language servers in use understand in full (taplo for TOML, yaml-language-server for YAML).

mod axes;
mod workload_kinds;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::vocabulary::spec::scenario::ScenarioSpec;

/// The schema of a whole document.
pub fn schema() -> Value {
    let mut schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<ScenarioSpec>().to_value();
    tidy(&mut schema);
    // Read by hand: the kind alone stands for a table.
    if let Some(search) = schema.pointer_mut("/properties/search").and_then(Value::as_object_mut) {
        search.remove("allOf");
        search.remove("$ref");
        search.insert("anyOf".to_owned(), json!([{ "$ref": "#/definitions/SearchKind" }, { "$ref": "#/definitions/SearchSpec" }]));
    }
    axes::offer(&mut schema);
    workload_kinds::tell_apart(&mut schema);
    schema
}

/// What serde allows and a scenario does not (`null`), and what says something to Rust only (`format`).
fn tidy(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Object(object) => {
            object.remove("format");
            if object.get("default") == Some(&Value::Null) {
                object.remove("default");
            }
            without_null(object);
            object.values_mut().for_each(tidy);
        }
        _ => {}
    }
}

fn without_null(object: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            object["type"] = only.clone();
        }
    }
    if let Some(Value::Array(alternatives)) = object.get_mut("anyOf") {
        alternatives.retain(|alternative| alternative.get("type") != Some(&json!("null")));
        if alternatives.len() == 1
            && let Some(only) = object.remove("anyOf")
        {
            object.insert("allOf".to_owned(), only);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_says_nothing_of_null_and_keeps_defaults_and_descriptions() {
        let text = schema().to_string();
        assert!(!text.contains("null") && !text.contains("uint32"), "{text}");
        let qps = schema().pointer("/definitions/chat/properties/qps").cloned().unwrap();
        assert_eq!((&qps["default"], &qps["type"]), (&json!(1.0), &json!("number")));
        assert!(qps["description"].as_str().unwrap().starts_with("Requests per second"));
    }
}
