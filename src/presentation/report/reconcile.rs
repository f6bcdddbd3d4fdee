//! One cell's numbers as other tools would publish them, as a small table: the cell that gives the score. Shared by terminal and Markdown.
//! Summaries in, texts out; no escaping.

use serde::Serialize;

use super::number::{DisplayUnit, ValueFormat};
use super::scored_cell::scored_cell;
use crate::analysis::{ExtendedReal, ToolTtftSummary, VariantSummary, show_axes};
use crate::vocabulary::metric::{MeasureUnit, Metric};

/// A heading and rows of texts under `HEADS`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReconciliationTable {
    pub heading: String,
    pub rows: Vec<[String; 6]>,
}

pub const HEADS: [&str; 6] = ["as published by", "definition", "n", "p50", "p95", "p99"];

/// The table of the cell that gives the first score; `None` where nothing passes.
#[must_use]
pub fn reconciliation(variant: &VariantSummary) -> Option<ReconciliationTable> {
    let cell = variant.scores.iter().find_map(|score| scored_cell(variant, score))?;
    // The rows of the shown measure come after all rows.
    let rows = cell.renderings.iter().rev().find(|rendering| rendering.tool == "bench").map(|rendering| rendering.rows.as_str())?;
    // A tool that takes the chunk of the role for the first token has nothing to publish where that chunk comes at once, as the simulated
    // engine sends it.
    let is_empty =
        |rendering: &&ToolTtftSummary| [rendering.p50_s, rendering.p95_s, rendering.p99_s].iter().flatten().all(|value| value.get() == 0.0);
    let of_rows = cell.renderings.iter().filter(|rendering| rendering.rows == rows && !is_empty(rendering));
    // In the unit in which the goal on it is shown.
    let limit = cell.goals.iter().find(|goal| goal.estimate.measure.metric() == Some(Metric::Ttft)).map(|goal| goal.limit);
    let largest = cell.renderings.iter().filter_map(|rendering| rendering.p99_s?.finite()).max_by(f64::total_cmp);
    let scale = MeasureUnit::Seconds.display(limit, largest);
    let place = show_axes(&cell.axes);
    let at = if place.is_empty() { String::new() } else { format!(" at {place}") };
    let which = if rows == "all" { "of all turns".to_owned() } else { format!("where {rows}") };
    Some(ReconciliationTable {
        heading: format!("{}{at}: time to first token {which}, in {}, as other tools define it:", variant.name, scale.unit),
        rows: of_rows.map(|rendering| row(rendering, scale)).collect(),
    })
}

fn row(rendering: &ToolTtftSummary, scale: DisplayUnit) -> [String; 6] {
    let number = |value: Option<ExtendedReal>| value.map_or_else(|| "-".to_owned(), |value| scale.show(value, None));
    [
        rendering.tool.clone(),
        rendering.definition.clone(),
        rendering.n.to_string(),
        number(rendering.p50_s),
        number(rendering.p95_s),
        number(rendering.p99_s),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{SummaryOptions, summarize};
    use crate::fixtures::sweeps::{cell, sweep, uniform};

    #[test]
    fn the_cell_that_gives_the_score_is_shown_under_each_definition() {
        let cells = [cell("vllm", 1, 1, uniform(1, 1, 0.5)), cell("vllm", 2, 2, uniform(2, 2, 5.0))];
        let goals = ["p95(ttft where turn >= 1) <= 2s"];
        let summary = summarize(&sweep(&goals, &cells), &SummaryOptions::default()).unwrap();
        let found = reconciliation(&summary.variants[0]).unwrap();
        assert_eq!(found.heading, "vllm at C=1, S=1: time to first token where turn >= 1, in s, as other tools define it:");
        let p95 = |tool: &str| found.rows.iter().find(|row| row[0] == tool).map(|row| (row[2].clone(), row[4].clone()));
        assert_eq!(p95("bench"), Some(("3".to_owned(), "0.500".to_owned())));
        assert_eq!(p95("vllm bench serve"), Some(("3".to_owned(), "0.00500".to_owned())));
        assert_eq!(p95("original C×S script"), Some(("3".to_owned(), "0.500".to_owned())));
        let none = summarize(&sweep(&goals, &cells[1..]), &SummaryOptions::default()).unwrap();
        assert_eq!(reconciliation(&none.variants[0]), None);
    }
}
