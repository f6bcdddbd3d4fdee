//! The history for a terminal of 80 columns: the tables of each variant, then the remarks.

use super::table::{Table, heading, origins, tables};
use crate::analysis::history::History;
use crate::report::Colour;
use crate::report::terminal::{new_table, paragraph, trimmed};

/// All series as text.
#[must_use]
pub fn terminal(histories: &[History]) -> String {
    let texts: Vec<String> = histories.iter().map(of_history).collect();
    texts.join("\n")
}

fn of_history(history: &History) -> String {
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

fn laid_out(table: &Table) -> String {
    let mut drawn = new_table(Colour::Never);
    drawn.set_header(&table.heads);
    for line in &table.lines {
        drawn.add_row(line);
    }
    trimmed(&drawn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::history::history;
    use crate::analysis::history::stage::nights;

    #[test]
    fn a_history_reads_night_by_night_within_eighty_columns() {
        let text = terminal(&[history(&nights(&[0.5, 0.52, 8.0]), None).unwrap()]);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        insta::assert_snapshot!(text);
    }
}
