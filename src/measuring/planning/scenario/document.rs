//! The untyped document: what TOML and YAML have in common, every value and every key with its place in the text.
//!
//! Patches, axes and `--set` work on it by path; only afterwards is it given types. It knows no field by name.

use super::secret::EnvironmentSecret;
use super::source::SourceSpan;

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct ScenarioNode {
    pub value: ScenarioValue,
    pub place: SourceSpan,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ScenarioValue {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(ScenarioText),
    List(Vec<ScenarioNode>),
    Table(ScenarioTable),
}

/// A text, and what to show instead where something from the environment has been put in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioText {
    pub value: String,
    pub secret: Option<EnvironmentSecret>,
}

impl ScenarioText {
    pub fn plain(value: impl Into<String>) -> Self {
        Self { value: value.into(), secret: None }
    }

    /// What may be shown and saved.
    pub fn shown(&self) -> &str {
        self.secret.as_ref().map_or(&self.value, |secret| &secret.written)
    }
}

/// Entries in the order of the text, each key once.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScenarioTable {
    pub entries: Vec<ScenarioEntry>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ScenarioEntry {
    pub key: String,
    pub key_place: SourceSpan,
    pub node: ScenarioNode,
}

impl ScenarioTable {
    pub fn get(&self, key: &str) -> Option<&ScenarioNode> {
        self.entry(key).map(|entry| &entry.node)
    }

    pub fn entry(&self, key: &str) -> Option<&ScenarioEntry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    pub fn remove(&mut self, key: &str) -> Option<ScenarioEntry> {
        let index = self.entries.iter().position(|entry| entry.key == key)?;
        Some(self.entries.remove(index))
    }

    /// Lays a patch over this table: tables are merged key by key, anything else is replaced.
    pub fn merge(&mut self, patch: ScenarioTable) {
        for entry in patch.entries {
            let Some(mine) = self.entries.iter_mut().find(|mine| mine.key == entry.key) else {
                self.entries.push(entry);
                continue;
            };
            match (&mut mine.node.value, entry.node.value) {
                (ScenarioValue::Table(table), ScenarioValue::Table(patch)) => table.merge(patch),
                (_, value) => *mine = ScenarioEntry { node: ScenarioNode { value, place: entry.node.place }, ..entry },
            }
        }
    }
}

impl ScenarioNode {
    pub fn text(value: impl Into<String>, place: SourceSpan) -> Self {
        Self { value: ScenarioValue::Text(ScenarioText::plain(value)), place }
    }

    pub fn as_table(&self) -> Option<&ScenarioTable> {
        if let ScenarioValue::Table(table) = &self.value { Some(table) } else { None }
    }

    pub fn as_text(&self) -> Option<&ScenarioText> {
        if let ScenarioValue::Text(text) = &self.value { Some(text) } else { None }
    }

    /// The node at a path of keys (list items by their number).
    pub fn find<S: AsRef<str>>(&self, path: &[S]) -> Option<&ScenarioNode> {
        let Some((first, rest)) = path.split_first() else { return Some(self) };
        match &self.value {
            ScenarioValue::Table(table) => table.get(first.as_ref())?.find(rest),
            ScenarioValue::List(items) => items.get(first.as_ref().parse::<usize>().ok()?)?.find(rest),
            _ => None,
        }
    }

    /// The node at a path, or the nearest one above it that exists.
    pub fn nearest<S: AsRef<str>>(&self, path: &[S]) -> &ScenarioNode {
        (0..=path.len()).rev().find_map(|length| self.find(&path[..length])).unwrap_or(self)
    }

    /// Puts `node` at a path of keys, making tables on the way, also in place of what is no table.
    pub fn set<S: AsRef<str>>(&mut self, path: &[S], node: ScenarioNode) {
        let Some((first, rest)) = path.split_first() else {
            *self = node;
            return;
        };
        if !matches!(self.value, ScenarioValue::Table(_)) {
            self.value = ScenarioValue::Table(ScenarioTable::default());
        }
        let ScenarioValue::Table(table) = &mut self.value else { return };
        let key = first.as_ref();
        if let Some(entry) = table.entries.iter_mut().find(|entry| entry.key == key) {
            entry.node.set(rest, node);
            return;
        }
        let place = node.place;
        let mut fresh = ScenarioNode { value: ScenarioValue::Table(ScenarioTable::default()), place };
        fresh.set(rest, node);
        table.entries.push(ScenarioEntry { key: key.to_owned(), key_place: place, node: fresh });
    }

    /// Takes away the node at a path of keys or list item numbers.
    pub fn remove<S: AsRef<str>>(&mut self, path: &[S]) {
        let Some((first, rest)) = path.split_first() else { return };
        let key = first.as_ref();
        match &mut self.value {
            ScenarioValue::Table(table) if rest.is_empty() => drop(table.remove(key)),
            ScenarioValue::Table(table) => {
                if let Some(entry) = table.entries.iter_mut().find(|entry| entry.key == key) {
                    entry.node.remove(rest);
                }
            }
            ScenarioValue::List(items) => match key.parse::<usize>() {
                Ok(index) if index < items.len() && rest.is_empty() => drop(items.remove(index)),
                Ok(index) if index < items.len() => items[index].remove(rest),
                _ => {}
            },
            _ => {}
        }
    }

    /// Visits every text below this node, with its path.
    pub fn texts<'a>(&'a self, path: &mut Vec<String>, visit: &mut impl FnMut(&[String], &'a ScenarioText)) {
        match &self.value {
            ScenarioValue::Text(text) => visit(path, text),
            ScenarioValue::Table(table) => {
                for entry in &table.entries {
                    path.push(entry.key.clone());
                    entry.node.texts(path, visit);
                    path.pop();
                }
            }
            ScenarioValue::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    path.push(index.to_string());
                    item.texts(path, visit);
                    path.pop();
                }
            }
            ScenarioValue::Null | ScenarioValue::Bool(_) | ScenarioValue::Integer(_) | ScenarioValue::Float(_) => {}
        }
    }

    /// What kind of value it is, for people.
    pub fn kind(&self) -> &'static str {
        match self.value {
            ScenarioValue::Null => "nothing",
            ScenarioValue::Bool(_) => "a boolean",
            ScenarioValue::Integer(_) | ScenarioValue::Float(_) => "a number",
            ScenarioValue::Text(_) => "a text",
            ScenarioValue::List(_) => "a list",
            ScenarioValue::Table(_) => "a table",
        }
    }

    /// The value as JSON, with what may be shown of texts.
    pub fn json(&self) -> serde_json::Value {
        match &self.value {
            ScenarioValue::Null => serde_json::Value::Null,
            ScenarioValue::Bool(value) => (*value).into(),
            ScenarioValue::Integer(value) => (*value).into(),
            ScenarioValue::Float(value) => (*value).into(),
            ScenarioValue::Text(text) => text.shown().into(),
            ScenarioValue::List(items) => items.iter().map(ScenarioNode::json).collect(),
            ScenarioValue::Table(table) => {
                serde_json::Value::Object(table.entries.iter().map(|entry| (entry.key.clone(), entry.node.json())).collect())
            }
        }
    }

    /// The value in one short line for a message.
    pub fn shown(&self) -> String {
        match &self.value {
            ScenarioValue::Text(text) => shorten(text.shown()),
            ScenarioValue::List(_) | ScenarioValue::Table(_) => self.kind().to_owned(),
            ScenarioValue::Float(value) => format!("{value:?}"),
            _ => shorten(&self.json().to_string()),
        }
    }
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= 60 { text.to_owned() } else { text.chars().take(57).chain("...".chars()).collect() }
}

#[cfg(test)]
mod tests {
    use super::super::source::SourceMap;
    use super::*;

    fn table(entries: &[(&str, ScenarioNode)], place: SourceSpan) -> ScenarioNode {
        let entries =
            entries.iter().map(|(key, node)| ScenarioEntry { key: (*key).to_owned(), key_place: place, node: node.clone() }).collect();
        ScenarioNode { value: ScenarioValue::Table(ScenarioTable { entries }), place }
    }

    #[test]
    fn a_patch_merges_tables_and_replaces_everything_else() {
        let place = SourceMap::default().add("a", "");
        let one = ScenarioNode { value: ScenarioValue::Integer(1), place };
        let two = ScenarioNode { value: ScenarioValue::List(vec![one.clone()]), place };
        let mut base = table(&[("a", table(&[("x", one.clone()), ("y", one.clone())], place)), ("b", two.clone())], place);
        let patch = table(&[("a", table(&[("y", two.clone())], place)), ("b", one.clone()), ("c", one.clone())], place);
        let (ScenarioValue::Table(mine), ScenarioValue::Table(patch)) = (&mut base.value, patch.value) else { panic!() };
        mine.merge(patch);
        let expected = serde_json::json!({"a": {"x": 1, "y": [1]}, "b": 1, "c": 1});
        assert_eq!(base.json(), expected);
    }

    #[test]
    fn values_are_set_found_and_removed_by_path() {
        let place = SourceMap::default().add("a", "");
        let mut root = table(&[("a", ScenarioNode::text("leaf", place))], place);
        root.set(&["a", "b", "c"], ScenarioNode { value: ScenarioValue::Integer(5), place });
        assert_eq!(root.json(), serde_json::json!({"a": {"b": {"c": 5}}}));
        assert_eq!(root.find(&["a", "b", "c"]).map(ScenarioNode::shown), Some("5".to_owned()));
        assert_eq!(root.nearest(&["a", "b", "nothing"]).json(), serde_json::json!({"c": 5}));
        root.remove(&["a", "b"]);
        assert_eq!(root.json(), serde_json::json!({"a": {}}));
    }
}
