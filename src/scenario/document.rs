//! The untyped document: what TOML and YAML have in common, every value and every key with its place in the text.
//!
//! Patches, axes and `--set` work on it by path; only afterwards is it given types. It knows no field by name.

use super::secret::Secret;
use super::source::Place;

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub value: Value,
    pub place: Place,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(Text),
    List(Vec<Node>),
    Table(Table),
}

/// A text, and what to show instead where something from the environment has been put in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    pub value: String,
    pub secret: Option<Secret>,
}

impl Text {
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
pub struct Table {
    pub entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub key: String,
    pub key_place: Place,
    pub node: Node,
}

impl Table {
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    pub fn remove(&mut self, key: &str) -> Option<Entry> {
        let index = self.entries.iter().position(|entry| entry.key == key)?;
        Some(self.entries.remove(index))
    }

    /// Lays a patch over this table: tables are merged key by key, anything else is replaced.
    pub fn merge(&mut self, patch: Table) {
        for entry in patch.entries {
            let Some(mine) = self.entries.iter_mut().find(|mine| mine.key == entry.key) else {
                self.entries.push(entry);
                continue;
            };
            match (&mut mine.node.value, entry.node.value) {
                (Value::Table(table), Value::Table(patch)) => table.merge(patch),
                (_, value) => *mine = Entry { node: Node { value, place: entry.node.place }, ..entry },
            }
        }
    }
}

impl Node {
    pub fn text(value: impl Into<String>, place: Place) -> Self {
        Self { value: Value::Text(Text::plain(value)), place }
    }

    pub fn as_table(&self) -> Option<&Table> {
        if let Value::Table(table) = &self.value { Some(table) } else { None }
    }

    pub fn as_text(&self) -> Option<&Text> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    /// The node at a path of keys (list items by their number).
    pub fn find<S: AsRef<str>>(&self, path: &[S]) -> Option<&Node> {
        let Some((first, rest)) = path.split_first() else { return Some(self) };
        match &self.value {
            Value::Table(table) => table.get(first.as_ref())?.find(rest),
            Value::List(items) => items.get(first.as_ref().parse::<usize>().ok()?)?.find(rest),
            _ => None,
        }
    }

    /// The node at a path, or the nearest one above it that exists.
    pub fn nearest<S: AsRef<str>>(&self, path: &[S]) -> &Node {
        (0..=path.len()).rev().find_map(|length| self.find(&path[..length])).unwrap_or(self)
    }

    /// Puts `node` at a path of keys, making tables on the way, also in place of what is no table.
    pub fn set<S: AsRef<str>>(&mut self, path: &[S], node: Node) {
        let Some((first, rest)) = path.split_first() else {
            *self = node;
            return;
        };
        if !matches!(self.value, Value::Table(_)) {
            self.value = Value::Table(Table::default());
        }
        let Value::Table(table) = &mut self.value else { return };
        let key = first.as_ref();
        if let Some(entry) = table.entries.iter_mut().find(|entry| entry.key == key) {
            entry.node.set(rest, node);
            return;
        }
        let place = node.place;
        let mut fresh = Node { value: Value::Table(Table::default()), place };
        fresh.set(rest, node);
        table.entries.push(Entry { key: key.to_owned(), key_place: place, node: fresh });
    }

    /// Takes away the node at a path of keys or list item numbers.
    pub fn remove<S: AsRef<str>>(&mut self, path: &[S]) {
        let Some((first, rest)) = path.split_first() else { return };
        let key = first.as_ref();
        match &mut self.value {
            Value::Table(table) if rest.is_empty() => drop(table.remove(key)),
            Value::Table(table) => {
                if let Some(entry) = table.entries.iter_mut().find(|entry| entry.key == key) {
                    entry.node.remove(rest);
                }
            }
            Value::List(items) => match key.parse::<usize>() {
                Ok(index) if index < items.len() && rest.is_empty() => drop(items.remove(index)),
                Ok(index) if index < items.len() => items[index].remove(rest),
                _ => {}
            },
            _ => {}
        }
    }

    /// Visits every text below this node, with its path.
    pub fn texts<'a>(&'a self, path: &mut Vec<String>, visit: &mut impl FnMut(&[String], &'a Text)) {
        match &self.value {
            Value::Text(text) => visit(path, text),
            Value::Table(table) => {
                for entry in &table.entries {
                    path.push(entry.key.clone());
                    entry.node.texts(path, visit);
                    path.pop();
                }
            }
            Value::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    path.push(index.to_string());
                    item.texts(path, visit);
                    path.pop();
                }
            }
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) => {}
        }
    }

    /// What kind of value it is, for people.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Integer(_) | Value::Float(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }

    /// The value as JSON, with what may be shown of texts.
    pub fn json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Integer(value) => (*value).into(),
            Value::Float(value) => (*value).into(),
            Value::Text(text) => text.shown().into(),
            Value::List(items) => items.iter().map(Node::json).collect(),
            Value::Table(table) => {
                serde_json::Value::Object(table.entries.iter().map(|entry| (entry.key.clone(), entry.node.json())).collect())
            }
        }
    }

    /// The value in one short line for a message.
    pub fn shown(&self) -> String {
        match &self.value {
            Value::Text(text) => shorten(text.shown()),
            Value::List(_) | Value::Table(_) => self.kind().to_owned(),
            Value::Float(value) => format!("{value:?}"),
            _ => shorten(&self.json().to_string()),
        }
    }
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= 60 { text.to_owned() } else { text.chars().take(57).chain("...".chars()).collect() }
}

#[cfg(test)]
mod tests {
    use super::super::source::Sources;
    use super::*;

    fn table(entries: &[(&str, Node)], place: Place) -> Node {
        let entries = entries.iter().map(|(key, node)| Entry { key: (*key).to_owned(), key_place: place, node: node.clone() }).collect();
        Node { value: Value::Table(Table { entries }), place }
    }

    #[test]
    fn a_patch_merges_tables_and_replaces_everything_else() {
        let place = Sources::default().add("a", "");
        let one = Node { value: Value::Integer(1), place };
        let two = Node { value: Value::List(vec![one.clone()]), place };
        let mut base = table(&[("a", table(&[("x", one.clone()), ("y", one.clone())], place)), ("b", two.clone())], place);
        let patch = table(&[("a", table(&[("y", two.clone())], place)), ("b", one.clone()), ("c", one.clone())], place);
        let (Value::Table(mine), Value::Table(patch)) = (&mut base.value, patch.value) else { panic!() };
        mine.merge(patch);
        let expected = serde_json::json!({"a": {"x": 1, "y": [1]}, "b": 1, "c": 1});
        assert_eq!(base.json(), expected);
    }

    #[test]
    fn values_are_set_found_and_removed_by_path() {
        let place = Sources::default().add("a", "");
        let mut root = table(&[("a", Node::text("leaf", place))], place);
        root.set(&["a", "b", "c"], Node { value: Value::Integer(5), place });
        assert_eq!(root.json(), serde_json::json!({"a": {"b": {"c": 5}}}));
        assert_eq!(root.find(&["a", "b", "c"]).map(Node::shown), Some("5".to_owned()));
        assert_eq!(root.nearest(&["a", "b", "nothing"]).json(), serde_json::json!({"c": 5}));
        root.remove(&["a", "b"]);
        assert_eq!(root.json(), serde_json::json!({"a": {}}));
    }
}
