//! Whether both sides were asked to do the same work, and how the servers that did it differ. Saved runs in; differences, which refuse a
//! comparison, and notes, which are what is compared.

use serde_json::Value;

use super::comparison::SettingDifference;
use super::comparison_note::ComparisonNote;
use super::judged::SavedVariant;
use super::pairs::CellPair;
use crate::analysis::axes::plain;
use crate::records::record::{CellFieldDifference, TokenRule};
use crate::vocabulary::goal::SavedGoal;

/// Longer values are cut where people read them.
const MOST_CHARACTERS: usize = 60;

/// What is not the same work, each once, in the order of the run's fields.
pub(super) fn differences(
    base: &SavedVariant<'_>,
    new: &SavedVariant<'_>,
    cells: &[CellPair<'_>],
    goals_given: bool,
) -> Vec<SettingDifference> {
    let mut found = Vec::new();
    let (left, right) = (&base.sweep.manifest, &new.sweep.manifest);
    let mut told = |what: &str, base: String, new: String| push(&mut found, what, base, new);
    told("seed", left.seed.to_string(), right.seed.to_string());
    told("simulated", left.simulated.to_string(), right.simulated.to_string());
    let imported = |manifest: &crate::records::record::Manifest| {
        let words = manifest.imported.as_ref().map(|imported| format!("from {}: {}", imported.program, imported.lacks.join(", ")));
        words.unwrap_or_else(|| "measured".to_owned())
    };
    told("imported", imported(left), imported(right));
    if !goals_given {
        told("goals", measures(&left.goals), measures(&right.goals));
    }
    for cell in cells {
        let (Some(base), Some(new)) = (cell.base.runs.first(), cell.new.runs.first()) else { continue };
        let (base, new) = (&base.record, &new.record);
        for field in base.header.cell.work_differences(&new.header.cell) {
            // An axis is what cells are paired by; where it could not be, it is no field that differs.
            if !cell.axes.contains_key(&field.path) {
                push(&mut found, &field.path, shown(field.base.as_ref()), shown(field.new.as_ref()));
            }
        }
    }
    found
}

/// How the servers differ, and by what lengths were counted: all that is not the same, each once.
pub(super) fn notes(cells: &[CellPair<'_>]) -> Vec<ComparisonNote> {
    let mut fields: Vec<SettingDifference> = Vec::new();
    for cell in cells {
        let (Some(base), Some(new)) = (cell.base.runs.first(), cell.new.runs.first()) else { continue };
        let differing = base.record.header.cell.server_differences(&new.record.header.cell);
        let difference = |field: CellFieldDifference| SettingDifference {
            what: field.path,
            base: shown(field.base.as_ref()),
            new: shown(field.new.as_ref()),
        };
        let mut here: Vec<SettingDifference> = differing.into_iter().map(difference).collect();
        let (base, new) = (rule(&base.record.token_rule), rule(&new.record.token_rule));
        if base != new {
            here.push(SettingDifference { what: "token rule".to_owned(), base: base.to_owned(), new: new.to_owned() });
        }
        for field in here {
            if !cell.axes.contains_key(&field.what) && !fields.iter().any(|known| known.what == field.what) {
                fields.push(field);
            }
        }
    }
    fields.into_iter().map(ComparisonNote::ServerDifference).collect()
}

fn rule(rule: &TokenRule) -> &'static str {
    match rule {
        TokenRule::Simulated => "the simulated engine's",
        TokenRule::Tokenizer { .. } => "a tokenizer's",
        TokenRule::Server => "the server's",
        TokenRule::Estimate { .. } => "an estimate",
    }
}

/// The measures of goals, without their limits.
fn measures(goals: &[SavedGoal]) -> String {
    let measure = |saved: &SavedGoal| saved.goal().map_or_else(|| saved.to_string(), |goal| goal.measure.to_string());
    let all: Vec<String> = goals.iter().map(measure).collect();
    if all.is_empty() { "none".to_owned() } else { all.join("; ") }
}

fn push(found: &mut Vec<SettingDifference>, what: &str, base: String, new: String) {
    if base != new && !found.iter().any(|known| known.what == what) {
        found.push(SettingDifference { what: what.to_owned(), base, new });
    }
}

fn shown(value: Option<&Value>) -> String {
    let Some(value) = value else { return "missing".to_owned() };
    let text = plain(&value.to_string());
    if text.chars().count() <= MOST_CHARACTERS { text } else { text.chars().take(MOST_CHARACTERS - 3).chain("...".chars()).collect() }
}
