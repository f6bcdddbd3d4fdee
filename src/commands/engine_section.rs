//! Changes of the engine that are typed as `FIELD=VALUE`, laid over an `[engine]` section.

use anyhow::Context;
use serde_json::{Map, Value};

use crate::vocabulary::spec::engine::EngineSpec;

/// The section with those fields replaced that are named, each by its path below `engine`.
pub(super) fn changed(engine: &EngineSpec, changes: &[&str]) -> anyhow::Result<EngineSpec> {
    let mut section = match serde_json::to_value(engine)? {
        Value::Object(section) => section,
        _ => Map::new(),
    };
    for change in changes {
        let (path, value) = change.split_once('=').with_context(|| format!("`--set {change}` has no `=`; write `--set FIELD=VALUE`"))?;
        insert(&mut section, path.trim(), read_value(value.trim()))
            .with_context(|| format!("`--set {change}`: a part of the path is no section"))?;
    }
    serde_json::from_value(Value::Object(section)).context("the engine's figures cannot be read")
}

/// A value as TOML has it, or else the text itself: `4`, `"4k"` and `4k` can all be said.
fn read_value(text: &str) -> Value {
    let document: Result<Map<String, Value>, _> = toml::from_str(&format!("value = {text}"));
    document.ok().and_then(|mut document| document.remove("value")).unwrap_or_else(|| Value::String(text.to_owned()))
}

/// Puts a value at a dotted path.
fn insert(section: &mut Map<String, Value>, path: &str, value: Value) -> Option<()> {
    match path.split_once('.') {
        None => {
            section.insert(path.to_owned(), value);
            Some(())
        }
        Some((head, rest)) => {
            let inner = section.entry(head).or_insert_with(|| Value::Object(Map::new()));
            insert(inner.as_object_mut()?, rest, value)
        }
    }
}
