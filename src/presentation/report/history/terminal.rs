//! The history for a terminal of 80 columns: the tables of each variant, then the remarks.

use super::HistoryReport;
use super::gate::{asked, compared_with, finding, headline};
use super::table::{HistoryTable, heading, origins, tables};
use crate::analysis::history::GateResult;
use crate::report::ColourMode;
use crate::report::terminal::{indented, new_table, paragraph, trimmed};

/// All series as text.
#[must_use]
pub fn terminal(histories: &[HistoryReport]) -> String {
    let texts: Vec<String> = histories.iter().map(|told| of_history(told) + &told.gate.as_ref().map(of_gate).unwrap_or_default()).collect();
    texts.join("\n")
}

fn of_history(told: &HistoryReport) -> String {
    let history = &told.history;
    let mut out = String::new();
    for origin in origins(history) {
        paragraph(&mut out, &origin);
    }
    paragraph(&mut out, &heading(history));
    for variant in &history.variants {
        for table in tables(history, variant) {
            out.push('\n');
            paragraph(&mut out, &table.title);
            out.push_str(&laid_out(&table));
            out.push('\n');
        }
    }
    if !history.notes.is_empty() {
        out.push('\n');
    }
    for note in &history.notes {
        paragraph(&mut out, &format!("note: {note}"));
    }
    out
}

/// What the gate says, a question a paragraph.
fn of_gate(gate: &GateResult) -> String {
    let mut out = String::from("\n");
    paragraph(&mut out, &headline(gate));
    paragraph(&mut out, &compared_with(gate));
    for asked in asked(gate) {
        paragraph(&mut out, &format!("{}, {}: {}: {}", asked.variant, asked.what, finding(asked.finding), asked.words));
        for night in &asked.nights {
            indented(&mut out, 2, &night.head);
            night.because.iter().for_each(|why| indented(&mut out, 6, why));
        }
    }
    out
}

fn laid_out(table: &HistoryTable) -> String {
    let mut drawn = new_table(ColourMode::Never);
    drawn.set_header(&table.heads);
    for line in &table.lines {
        drawn.add_row(line);
    }
    trimmed(&drawn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::history::{GateOptions, gate, history};
    use crate::fixtures::nights::{certified, night, nights};

    #[test]
    fn a_history_reads_night_by_night_within_eighty_columns() {
        let text = terminal(&[HistoryReport { history: history(&nights(&[0.5, 0.52, 8.0]), None).unwrap(), gate: None }]);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn the_gate_says_what_regressed_and_why_in_every_format() {
        let slow = [0.5, 0.5, 0.5, 8.0, 8.0];
        let nights: Vec<_> = (1..).zip(slow).map(|(day, p95)| night(day, certified(day, p95))).collect();
        let told = HistoryReport { history: history(&nights, None).unwrap(), gate: Some(gate(&nights, None, &GateOptions::default())) };
        let text = terminal(std::slice::from_ref(&told));
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        insta::assert_snapshot!(text.split_once("gate: ").unwrap().1);
        let fell = "max C×S fell to 2, below the 4 that every night before was certified for";
        assert!(text.split_whitespace().collect::<Vec<_>>().join(" ").contains(fell), "{text}");
        let markdown = crate::report::history::markdown(std::slice::from_ref(&told));
        assert!(markdown.contains("**gate: WORSE**") && markdown.contains(fell), "{markdown}");
        let junit = crate::report::history::junit(std::slice::from_ref(&told)).unwrap();
        let suite = &quick_junit::Report::deserialize_from_str(&junit).unwrap().test_suites[0];
        assert_eq!((suite.tests, suite.failures), (2, 1), "{junit}");
        assert!(junit.contains("<failure message=\"2 of the last 3") && suite.name.contains("SIMULATED"), "{junit}");
        let json: serde_json::Value = serde_json::from_str(&crate::report::history::json(&[told])).unwrap();
        assert_eq!((&json["gate"]["finding"], &json["gate"]["variants"][0]["finding"]), (&"worse".into(), &"worse".into()));
        assert_eq!(json["nights"].as_array().unwrap().len(), 5);
    }
}
