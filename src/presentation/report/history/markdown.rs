//! The history as Markdown, for a CI summary. Same words as the terminal; what comes from scenarios is escaped.

use std::fmt::Write as _;

use super::HistoryReport;
use super::gate::{asked, compared_with, finding, headline};
use super::table::{HistoryTable, heading, origins, tables};
use crate::analysis::history::GateResult;
use crate::report::markdown::{escaped, items};

/// All series as Markdown.
#[must_use]
pub fn markdown(histories: &[HistoryReport]) -> String {
    let texts: Vec<String> = histories.iter().map(of_history).collect();
    texts.join("\n")
}

fn of_history(told: &HistoryReport) -> String {
    let history = &told.history;
    let mut out = format!("# {}\n\n", escaped(&heading(history)));
    for origin in origins(history) {
        let _ = writeln!(out, "**{}**\n", escaped(&origin));
    }
    // The verdict comes before the tables: a CI summary is read from the top.
    out += &told.gate.as_ref().map(of_gate).unwrap_or_default();
    for table in history.variants.iter().flat_map(|variant| tables(history, variant)) {
        laid_out(&mut out, &table);
    }
    if !history.notes.is_empty() {
        items(&mut out, history.notes.iter().cloned());
    }
    out
}

/// A list of questions, and below each a list of nights.
fn of_gate(gate: &GateResult) -> String {
    let mut out = format!("**{}**: {}\n\n", escaped(&headline(gate)), escaped(&compared_with(gate)));
    for asked in asked(gate) {
        let _ = writeln!(out, "- {}, {}: **{}**: {}", escaped(&asked.variant), asked.what, finding(asked.finding), escaped(&asked.words));
        for night in &asked.nights {
            let _ = writeln!(out, "  - {}", escaped(&night.head));
            for why in &night.because {
                let _ = writeln!(out, "    - {}", escaped(why));
            }
        }
    }
    out.push('\n');
    out
}

fn laid_out(out: &mut String, table: &HistoryTable) {
    let row = |texts: &[String]| texts.iter().map(|text| escaped(text)).collect::<Vec<_>>().join(" | ");
    let _ = writeln!(out, "{}:\n", escaped(&table.title));
    let _ = writeln!(out, "| {} |", row(&table.heads));
    let _ = writeln!(out, "|{}", "---:|".repeat(table.heads.len()));
    for line in &table.lines {
        let _ = writeln!(out, "| {} |", row(line));
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::history::history;
    use crate::fixtures::nights::nights;

    #[test]
    fn the_tables_are_those_of_the_terminal_and_names_break_none() {
        let mut history = history(&nights(&[0.5, 8.0]), None).unwrap();
        history.variants[0].name = "<b>a|b".into();
        let text = markdown(&[HistoryReport { history, gate: None }]);
        assert!(text.contains("| 2026-01-02 | 2 (C=2, S=1) | none | 2 | 1.33 (C=2, S=1) |"), "{text}");
        assert!(text.contains("&lt;b&gt;a\\|b: max C×S") && text.contains("**SIMULATED"), "{text}");
    }
}
