//! Changes of the engine that are typed as `FIELD=VALUE`, laid over an `[engine]` section.

use anyhow::Context;
use serde_json::{Map, Value};

use crate::vocabulary::spec::engine::EngineSpec;

/// The section with those fields replaced that are named, each by its path below `engine`.
pub(super) fn changed<'a>(engine: &EngineSpec, changes: &[&'a str]) -> anyhow::Result<EngineSpec> {
    let split = |change: &&'a str| -> anyhow::Result<(&'a str, Value)> {
        let (path, value) = change.split_once('=').with_context(|| format!("`--set {change}` has no `=`; write `--set FIELD=VALUE`"))?;
        Ok((path.trim(), read_value(value.trim())))
    };
    Ok(engine.with(changes.iter().map(split).collect::<anyhow::Result<Vec<_>>>()?)?)
}

/// A value as TOML has it, or else the text itself: `4`, `"4k"` and `4k` can all be said.
fn read_value(text: &str) -> Value {
    let document: Result<Map<String, Value>, _> = toml::from_str(&format!("value = {text}"));
    document.ok().and_then(|mut document| document.remove("value")).unwrap_or_else(|| Value::String(text.to_owned()))
}
