//! The report as Markdown, for a pull request or a CI summary. Same words as the terminal. What comes from scenarios or servers is
//! escaped, so that it can neither break a table nor bring HTML.

use std::fmt::Write as _;

use super::certainty::reversal_sentences;
use super::cost::cost_sentences;
use super::failure_text::failures;
use super::panel::{ReportPanel, ReportPanelCell, panels};
use super::reconcile::{HEADS, ReconciliationTable, reconciliation};
use super::score_sentences::verdict_sentences;
use super::server::server_table;
use super::standard_table::standard_table;
use super::words;
use crate::analysis::{SweepSummary, VariantSummary};

/// The whole report as Markdown.
#[must_use]
pub fn markdown(summary: &SweepSummary) -> String {
    let mut out = format!("# {}\n\n", escaped(&summary.name));
    if summary.simulated {
        let _ = writeln!(out, "**{}**\n", words::SIMULATED);
    }
    if let Some(imported) = words::imported(summary) {
        let _ = writeln!(out, "**{}**\n", escaped(&imported));
    }
    let _ = writeln!(out, "{}.\n", words::runs(summary));
    if let Some(letters) = words::letters(summary) {
        let _ = writeln!(out, "{letters}.\n");
    }
    for ratio in &summary.ratios {
        let _ = writeln!(out, "**{}**\n", escaped(&words::ratio_sentence(summary, ratio)));
        if !ratio.remarks.0.is_empty() {
            items(&mut out, ratio.remarks.0.iter().map(ToString::to_string));
        }
    }
    for variant in &summary.variants {
        of_variant(&mut out, summary, variant);
    }
    let _ = writeln!(out, "{}", words::legend());
    items(&mut out, summary.notes.words().chain(words::lacks(summary)));
    out
}

fn of_variant(out: &mut String, summary: &SweepSummary, variant: &VariantSummary) {
    let _ = writeln!(out, "## {}\n", escaped(&variant.name));
    for sentence in verdict_sentences(variant) {
        let _ = writeln!(out, "**{}**\n", escaped(&sentence));
    }
    for sentence in words::exposed(variant).into_iter().chain(words::limit_sentences(variant)) {
        let _ = writeln!(out, "**{}**\n", escaped(&sentence));
    }
    let lines = words::score_lines(variant);
    if !lines.is_empty() {
        items(out, lines.iter().map(|(name, text)| format!("{name}: {text}")));
    }
    let reversals = reversal_sentences(variant);
    if !reversals.is_empty() {
        items(out, reversals);
    }
    for panel in panels(summary, variant) {
        table(out, &panel);
    }
    if let Some(table) = standard_table(summary, variant) {
        rows(out, "All measured requests of each cell:", &table.heads, &table.rows);
    }
    items(out, cost_sentences(variant));
    if let Some(table) = server_table(summary, variant) {
        rows(out, "What the server and the rows tell of each cell:", &table.heads, &table.rows);
    }
    let sentences = [words::undecided(variant), failures(variant), words::external(variant), words::measured_by(variant)];
    let sentences = sentences.into_iter().flatten();
    let client = summary.imported.is_none().then(|| words::client(variant));
    items(out, sentences.chain(words::remarks(variant)).chain(client));
    if let Some(found) = reconciliation(variant) {
        reconcile(out, &found);
    }
}

fn reconcile(out: &mut String, found: &ReconciliationTable) {
    let _ = writeln!(out, "{}\n", escaped(&found.heading));
    let _ = writeln!(out, "| {} |", HEADS.join(" | "));
    let _ = writeln!(out, "|---|---{}", "|---:".repeat(HEADS.len() - 2) + "|");
    for row in &found.rows {
        let _ = writeln!(out, "| {} |", row.iter().map(|text| escaped(text)).collect::<Vec<_>>().join(" | "));
    }
    out.push('\n');
}

fn table(out: &mut String, panel: &ReportPanel) {
    let what = panel.subject();
    let within = if panel.within.is_empty() { String::new() } else { format!(" at {}", panel.within) };
    let _ = writeln!(out, "{}, in {}:\n", escaped(&format!("{what}{within}")), panel.unit);
    let heads: Vec<String> = std::iter::once(&panel.corner()).chain(&panel.columns).map(|head| escaped(head)).collect();
    let _ = writeln!(out, "| {} |", heads.join(" | "));
    let _ = writeln!(out, "|{}", "---:|".repeat(heads.len()));
    for row in &panel.rows {
        let places: Vec<String> = row.places.iter().map(|place| content(place.as_ref())).collect();
        let _ = writeln!(out, "| {} | {} |", escaped(&row.head), places.join(" | "));
    }
    out.push('\n');
}

fn rows<S: AsRef<str>>(out: &mut String, what: &str, heads: &[S], rows: &[Vec<String>]) {
    let _ = writeln!(out, "{what}\n");
    let _ = writeln!(out, "| {} |", heads.iter().map(|head| escaped(head.as_ref())).collect::<Vec<_>>().join(" | "));
    let _ = writeln!(out, "|{}", "---:|".repeat(heads.len()));
    for row in rows {
        let _ = writeln!(out, "| {} |", row.iter().map(|text| escaped(text)).collect::<Vec<_>>().join(" | "));
    }
    out.push('\n');
}

fn content(place: Option<&ReportPanelCell>) -> String {
    let Some(place) = place else { return "-".to_owned() };
    let n = place.n.map(|n| format!(" (n={n})")).unwrap_or_default();
    let interval = place.interval.as_ref().map(|interval| format!(" [{interval}]")).unwrap_or_default();
    let growth = place.growth.as_ref().map(|growth| format!(" {growth}")).unwrap_or_default();
    format!("{} {}{growth}{interval}{n}", place.text, place.mark()).replace("  ", " ").trim().to_owned()
}

pub(super) fn items(out: &mut String, lines: impl IntoIterator<Item = String>) {
    for line in lines {
        let _ = writeln!(out, "- {}", escaped(&line));
    }
    out.push('\n');
}

/// Plain text as Markdown: what would be markup is escaped, line ends become spaces.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' => out.extend(['\\', c]),
            '\n' | '\r' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{SummaryOptions, summarize};
    use crate::fixtures::sweeps::{cell, sweep, uniform};
    use crate::records::record::{RunFailure, RunFailureCause, RunOutcome};

    #[test]
    fn a_sweep_without_axes_has_a_row_for_all_and_no_empty_head() {
        let mut only = cell("vllm", 1, 1, uniform(1, 1, 0.5));
        only.axes = Vec::new();
        let text = markdown(&summarize(&sweep(&["p95(ttft where turn >= 1) <= 2s"], &[only]), &SummaryOptions::default()).unwrap());
        assert!(text.contains("| cell | value |\n|---:|---:|\n| all | 0.500 ? [0.500 or more] (n=3) |"), "{text}");
    }

    #[test]
    fn what_comes_from_outside_breaks_no_table_and_brings_no_html() {
        let mut cells = vec![cell("vllm", 1, 1, uniform(1, 1, 0.5)), cell("vllm", 1, 2, Vec::new())];
        cells[1].outcome = RunOutcome::Failed(RunFailure::new(RunFailureCause::Cell, "<b>no</b> | `rm`\n# heading".into()));
        let text = markdown(&summarize(&sweep(&["p95(ttft where turn >= 1) <= 2s"], &cells), &SummaryOptions::default()).unwrap());
        assert!(text.contains("&lt;b&gt;no&lt;/b&gt; \\| \\`rm\\` \\# heading"), "{text}");
        assert!(text.contains("| C \\\\ S | 1 | 2 |\n|---:|---:|---:|\n| 1 | 0.500 ? [0.500 or more] (n=3) | failed |"), "{text}");
        assert!(text.contains("**vllm holds at least 1 session (C=1, S=1) by its measured values; 3 requests are too few"), "{text}");
    }
}
