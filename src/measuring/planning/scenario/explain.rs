//! What to say about a trouble that was found on reading: found, allowed, and what to write instead, in a user's words.

use super::diagnostic::{ScenarioDiagnostic, closest, did_you_mean, listed};
use super::document::{ScenarioNode, ScenarioText, ScenarioValue};
use super::fields::{CellFieldSet, SECTIONS};
use super::typed::{NodeError, NodeErrorKind};
use crate::vocabulary::spec::workload::WorkloadKind;

/// Where the node that was read stands: `workload`, or nothing for the document itself.
#[derive(Debug, Clone, Copy)]
pub struct SectionContext<'a> {
    pub section: &'a str,
    pub kind: Option<WorkloadKind>,
}

impl SectionContext<'_> {
    fn name(&self, path: &[String]) -> String {
        let section = Some(self.section).filter(|section| !section.is_empty());
        section.into_iter().chain(path.iter().map(String::as_str)).collect::<Vec<_>>().join(".")
    }
}

/// The fault that a trouble in `node` is.
pub fn fault(trouble: &NodeError, node: &ScenarioNode, context: SectionContext<'_>) -> ScenarioDiagnostic {
    let place = trouble.place.unwrap_or(node.place);
    let name = context.name(&trouble.path);
    let found = node.find(&trouble.path);
    match &trouble.problem {
        NodeErrorKind::UnknownField { field, allowed } => unknown_field(field, allowed, trouble, context, place),
        NodeErrorKind::UnknownVariant { allowed } => {
            let found = found.map(written_name).unwrap_or_default();
            ScenarioDiagnostic::at(place, format!("`{name}` is {}, not `{found}`", listed(allowed)))
                .maybe_hint(did_you_mean(&found, allowed.iter().map(String::as_str)))
        }
        NodeErrorKind::MissingField { field } => {
            let whole = if name.is_empty() { "the scenario".to_owned() } else { format!("`{name}`") };
            ScenarioDiagnostic::at(place, format!("{whole} needs `{field}`"))
        }
        NodeErrorKind::Invalid { expected } => invalid(&name, expected, found, place),
        NodeErrorKind::Other(message) => {
            let message = match found.and_then(ScenarioNode::as_text) {
                // The message would hold the environment's value.
                Some(ScenarioText { secret: Some(secret), .. }) => {
                    format!("`{name}`: what the environment puts into `{}` does not fit", secret.written)
                }
                _ => format!("`{name}`: {message}"),
            };
            ScenarioDiagnostic::at(place, message)
        }
    }
}

/// The name that was written for one of several, alone or with a value: `{ name = value }`.
fn written_name(node: &ScenarioNode) -> String {
    node.as_table().and_then(|table| table.entries.first()).map_or_else(|| node.shown(), |entry| entry.key.clone())
}

fn unknown_field(
    field: &str,
    allowed: &[String],
    trouble: &NodeError,
    context: SectionContext<'_>,
    place: super::source::SourceSpan,
) -> ScenarioDiagnostic {
    let above = context.name(trouble.path.split_last().map_or(&[], |(_, above)| above));
    let message = match (above.as_str(), context.kind) {
        ("", _) => format!("a scenario has no field `{field}`"),
        ("workload", Some(kind)) => format!("`workload` of kind `{}` has no field `{field}`", kind.name()),
        _ => format!("`{above}` has no field `{field}`"),
    };
    // Other files than scenarios have sections of their own.
    let is_of_scenario = context.section.is_empty() || SECTIONS.contains(&context.section);
    let home =
        || (is_of_scenario && above == context.section).then(|| CellFieldSet::home_of(field, context.section, context.kind)).flatten();
    let matrix = || {
        let within = above.is_empty() && ["zip", "include", "exclude"].contains(&field);
        within.then(|| format!("`{field}` belongs to `[matrix]`"))
    };
    let close = || closest(field, allowed.iter().map(String::as_str)).map(|name| format!("did you mean `{name}`?"));
    let all = || (!allowed.is_empty()).then(|| format!("it has {}", listed(allowed).replace(" or ", " and ")));
    ScenarioDiagnostic::at(place, message).maybe_hint(matrix().or_else(home).or_else(close).or_else(all))
}

fn invalid(name: &str, expected: &str, found: Option<&ScenarioNode>, place: super::source::SourceSpan) -> ScenarioDiagnostic {
    let shown = match found {
        Some(node) if matches!(node.kind(), "a list" | "a table") => node.kind().to_owned(),
        Some(node) if node.as_text().is_some() => format!("the text `\"{}\"`", node.shown()),
        Some(node) => format!("`{}`", node.shown()),
        None => "that".to_owned(),
    };
    let whole = if name.is_empty() { "the scenario".to_owned() } else { format!("`{name}`") };
    let out_of_range = found.is_some_and(|node| matches!(node.value, ScenarioValue::Integer(_)));
    let fault = ScenarioDiagnostic::at(place, format!("{whole} is {}, not {shown}", in_words(expected, out_of_range)));
    match found.map(|node| (node.kind(), node)) {
        Some(("a text", node)) if expected_number(expected) && node.shown().parse::<f64>().is_ok() => {
            fault.hint(format!("write it without quotes: {}", node.shown()))
        }
        Some(("a list", _)) if name.starts_with("workload") || name.starts_with("target") => {
            fault.hint(format!("several values make an axis: put `{name}` into `[matrix]`"))
        }
        Some(_) if name.starts_with("goals") => fault.hint("write `[[goals]]`, and below it `require = \"p95(ttft) <= 2s\"`"),
        Some(("a number" | "a boolean", node)) if expected.contains("string") => {
            fault.hint(format!("texts stand in quotes: \"{}\"", node.shown()))
        }
        _ => fault,
    }
}

fn expected_number(expected: &str) -> bool {
    ["u16", "u32", "u64", "f64", "a nonzero u32"].contains(&expected)
}

/// Serde's names of types in a user's words; the bounds where they matter.
fn in_words(expected: &str, out_of_range: bool) -> String {
    match expected {
        "u16" | "u32" | "u64" if !out_of_range => "a whole number".to_owned(),
        "u16" => "a whole number from 0 to 65,535".to_owned(),
        "u32" => "a whole number from 0 to 4,294,967,295".to_owned(),
        "u64" => "a whole number, 0 or more".to_owned(),
        "f64" => "a number".to_owned(),
        "a boolean" => "`true` or `false`".to_owned(),
        "a string" | "path string" => "a text".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a table".to_owned(),
        other if other.starts_with("struct ") => "a table".to_owned(),
        other => other.to_owned(),
    }
}
