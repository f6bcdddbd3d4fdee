//! The history as Markdown, for a CI summary. Same words as the terminal; what comes from scenarios is escaped.

use std::fmt::Write as _;

use super::table::{Table, heading, origins, tables};
use crate::analysis::history::History;
use crate::report::markdown::{escaped, items};

/// All series as Markdown.
#[must_use]
pub fn markdown(histories: &[History]) -> String {
    let texts: Vec<String> = histories.iter().map(of_history).collect();
    texts.join("\n")
}

fn of_history(history: &History) -> String {
    let mut out = format!("# {}\n\n", escaped(&heading(history)));
    for origin in origins(history) {
        let _ = writeln!(out, "**{}**\n", escaped(&origin));
    }
    for table in history.variants.iter().flat_map(|variant| tables(history, variant)) {
        laid_out(&mut out, &table);
    }
    if !history.notes.is_empty() {
        items(&mut out, history.notes.iter().cloned());
    }
    out
}

fn laid_out(out: &mut String, table: &Table) {
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
    use crate::analysis::history::stage::nights;

    #[test]
    fn the_tables_are_those_of_the_terminal_and_names_break_none() {
        let mut history = history(&nights(&[0.5, 8.0]), None).unwrap();
        history.variants[0].name = "<b>a|b".into();
        let text = markdown(&[history]);
        assert!(text.contains("| 2026-01-02 | 2 (C=2, S=1) | none | 2 | 1.33 (C=2, S=1) |"), "{text}");
        assert!(text.contains("&lt;b&gt;a\\|b: max C×S") && text.contains("**SIMULATED"), "{text}");
    }
}
