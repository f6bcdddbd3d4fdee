//! TOML to the untyped document. All syntax faults of a text come at once.

use ::toml::Spanned;
use ::toml::de::{DeTable, DeValue};

use crate::planning::scenario::diagnostic::{ScenarioDiagnostic, ScenarioError};
use crate::planning::scenario::document::{ScenarioEntry, ScenarioNode, ScenarioTable, ScenarioText, ScenarioValue};
use crate::planning::scenario::source::SourceSpan;

/// Reads a whole text.
pub fn document(whole: SourceSpan, faults: &mut ScenarioError) -> Option<ScenarioNode> {
    let source = faults.sources.get(whole).clone();
    let (root, errors) = DeTable::parse_recoverable(&source.text);
    let mut reader = TomlReader { whole, faults };
    if errors.is_empty() {
        return Some(ScenarioNode { value: reader.table(root.get_ref()), place: whole.at(0, 0) });
    }
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let place = whole.at(span.start, span.end);
        let found = source.text.get(span).unwrap_or_default();
        reader.faults.push_first(ScenarioDiagnostic::at(place, message(error.message())).maybe_hint(hint(error.message(), found)));
    }
    None
}

/// Reads one value; what is no TOML value is a text.
pub fn value(place: SourceSpan, text: &str) -> ScenarioNode {
    let mut faults = ScenarioError::default();
    let parsed = DeValue::parse(text).ok().and_then(|value| TomlReader { whole: place, faults: &mut faults }.value(&value));
    match parsed {
        Some(mut node) if faults.is_empty() => {
            move_to(&mut node, place);
            node
        }
        _ => ScenarioNode::text(text, place),
    }
}

/// Values inside a flag are shown with the whole value underlined.
fn move_to(node: &mut ScenarioNode, place: SourceSpan) {
    node.place = place;
    match &mut node.value {
        ScenarioValue::List(items) => items.iter_mut().for_each(|item| move_to(item, place)),
        ScenarioValue::Table(table) => {
            for entry in &mut table.entries {
                entry.key_place = place;
                move_to(&mut entry.node, place);
            }
        }
        _ => {}
    }
}

struct TomlReader<'a> {
    whole: SourceSpan,
    faults: &'a mut ScenarioError,
}

impl TomlReader<'_> {
    fn table(&mut self, table: &DeTable<'_>) -> ScenarioValue {
        let mut entries: Vec<ScenarioEntry> = table
            .iter()
            .filter_map(|(key, value)| {
                let span = key.span();
                let key_place = self.whole.at(span.start, span.end);
                Some(ScenarioEntry { key: key.get_ref().clone().into_owned(), key_place, node: self.value(value)? })
            })
            .collect();
        // The parser hands them over by name; axes and variants keep the order in which they were written.
        entries.sort_by_key(|entry| entry.key_place.start);
        ScenarioValue::Table(ScenarioTable { entries })
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>) -> Option<ScenarioNode> {
        let span = value.span();
        let place = self.whole.at(span.start, span.end);
        let value = match value.get_ref() {
            DeValue::String(text) => ScenarioValue::Text(ScenarioText::plain(text.clone().into_owned())),
            DeValue::Boolean(value) => ScenarioValue::Bool(*value),
            // Dates have no meaning in a scenario: a text, as in YAML.
            DeValue::Datetime(date) => ScenarioValue::Text(ScenarioText::plain(date.to_string())),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => ScenarioValue::Integer(number),
                Err(_) => return self.unreadable(place),
            },
            DeValue::Float(number) => match number.as_str().parse() {
                Ok(number) => ScenarioValue::Float(number),
                Err(_) => return self.unreadable(place),
            },
            DeValue::Array(items) => ScenarioValue::List(items.iter().filter_map(|item| self.value(item)).collect()),
            DeValue::Table(table) => self.table(table),
        };
        Some(ScenarioNode { value, place })
    }

    fn unreadable(&mut self, place: SourceSpan) -> Option<ScenarioNode> {
        self.faults.push(ScenarioDiagnostic::at(place, "the number is out of range"));
        None
    }
}

fn message(parser: &str) -> String {
    match parser {
        "duplicate key" => "the same key twice in one table".to_owned(),
        // The parser goes on with which kind of quotes it would take.
        text if text.starts_with("string values must be quoted") => "a text without quotes".to_owned(),
        other => other.to_owned(),
    }
}

fn hint(parser: &str, found: &str) -> Option<String> {
    match parser {
        "duplicate key" => Some("leave one of them out".to_owned()),
        text if text.starts_with("string values must be quoted") => Some(format!("texts stand in quotes: `\"{found}\"`")),
        _ => None,
    }
}
