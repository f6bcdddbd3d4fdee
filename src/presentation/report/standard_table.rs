//! The figures that every load test prints, of each cell: rates, failures, latencies at three percentiles, whatever the goals are. Shared by Markdown and
//! the page; the terminal shows one cell as a block and a few as a narrower table. Summaries in, texts out; no escaping.

use super::cell_columns::{CellColumn, CellView, column};
use super::cell_value::CellValue;
use super::number::DisplayUnit;
use super::panel::cell_head;
use crate::analysis::{CellState, CellSummary, SweepSummary, VariantSummary, axis_label, show_value};

/// Heads and rows, of equal length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandardTable {
    /// First what the cells are told apart by.
    pub heads: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// A column: its head, and the columns of cells whose values stand in it.
type StandardColumn = (&'static str, &'static [&'static CellColumn]);

const TTFT: [&CellColumn; 3] = [column("ttft_p50_s"), column("ttft_p95_s"), column("ttft_p99_s")];
const TPOT: [&CellColumn; 3] = [column("tpot_p50_s"), column("tpot_p95_s"), column("tpot_p99_s")];
const ITL: [&CellColumn; 3] = [column("itl_p50_s"), column("itl_p95_s"), column("itl_p99_s")];
const E2E: [&CellColumn; 3] = [column("e2e_p50_s"), column("e2e_p95_s"), column("e2e_p99_s")];

const COLUMNS: [StandardColumn; 8] = [
    ("requests/s", &[column("requests_per_s")]),
    ("output tokens/s", &[column("output_tokens_per_s")]),
    ("failed", &[column("error_rate")]),
    ("ttft p50 / p95 / p99, ms", &TTFT),
    ("tpot p50 / p95 / p99, ms", &TPOT),
    ("itl p50 / p95 / p99, ms", &ITL),
    ("e2e p50 / p95 / p99, ms", &E2E),
    ("price of 1M output tokens", &[column("price_per_million_output_tokens")]),
];

/// What a terminal has room for.
const NARROW: [StandardColumn; 6] = [
    ("req/s", &[column("requests_per_s")]),
    ("tok/s", &[column("output_tokens_per_s")]),
    ("failed", &[column("error_rate")]),
    ("ttft p50/p99", &[column("ttft_p50_s"), column("ttft_p99_s")]),
    ("tpot p50/p99", &[column("tpot_p50_s"), column("tpot_p99_s")]),
    ("e2e p50/p99", &[column("e2e_p50_s"), column("e2e_p99_s")]),
];

/// More cells than this are no table of a terminal.
const MOST_IN_TERMINAL: usize = 12;

/// The table of a variant; none where it has no cell with a result.
#[must_use]
pub fn standard_table(summary: &SweepSummary, variant: &VariantSummary) -> Option<StandardTable> {
    table(summary, variant, &COLUMNS, " / ")
}

/// The same for a terminal, where there are few cells but more than one.
#[must_use]
pub fn narrow_table(summary: &SweepSummary, variant: &VariantSummary) -> Option<StandardTable> {
    let count = measured(variant).count();
    if (2..=MOST_IN_TERMINAL).contains(&count) { table(summary, variant, &NARROW, "/") } else { None }
}

fn measured(variant: &VariantSummary) -> impl Iterator<Item = &CellSummary> {
    variant.cells.iter().filter(|cell| cell.state == CellState::Measured)
}

fn table(summary: &SweepSummary, variant: &VariantSummary, columns: &[StandardColumn], between: &str) -> Option<StandardTable> {
    let values = |columns: &[&CellColumn], cell: &CellSummary| -> Vec<CellValue> {
        let view = CellView { summary, variant, cell, judgement: None, scale: DisplayUnit::BASE };
        columns.iter().map(|column| (column.value)(&view)).collect()
    };
    let is_missing = |values: &[CellValue]| values.iter().all(|value| *value == CellValue::Missing);
    let is_filled = |(_, columns): &&StandardColumn| measured(variant).any(|cell| !is_missing(&values(columns, cell)));
    let filled: Vec<&StandardColumn> = columns.iter().filter(is_filled).collect();
    let text = |columns: &[&CellColumn], cell: &CellSummary| {
        let values = values(columns, cell);
        if is_missing(&values) { "-".to_owned() } else { values.iter().map(CellValue::shown).collect::<Vec<_>>().join(between) }
    };
    let row = |cell: &CellSummary| {
        let name = match cell.axes.iter().next() {
            Some((_, value)) if cell.axes.len() == 1 => show_value(value),
            Some(_) | None => cell_head(&cell.axes),
        };
        std::iter::once(name).chain(filled.iter().map(|(_, columns)| text(columns, cell))).collect()
    };
    let rows: Vec<Vec<String>> = measured(variant).map(row).collect();
    let first = match summary.axes.as_slice() {
        [only] => axis_label(&only.name),
        _ => "cell".to_owned(),
    };
    let heads = std::iter::once(first).chain(filled.iter().map(|(head, _)| (*head).to_owned())).collect();
    (!rows.is_empty()).then_some(StandardTable { heads, rows })
}

/// The only cell with a result as a block of lines; none where there are several.
#[must_use]
pub fn standard_block(summary: &SweepSummary, variant: &VariantSummary) -> Option<Vec<String>> {
    let mut cells = measured(variant);
    let (cell, None) = (cells.next()?, cells.next()) else { return None };
    let view = CellView { summary, variant, cell, judgement: None, scale: DisplayUnit::BASE };
    let shown = |column: &CellColumn| (column.value)(&view).shown();
    let rate = |name: &str, [value, low, high]: [&CellColumn; 3]| {
        let interval = match (shown(low).as_str(), shown(high).as_str()) {
            ("-", _) | (_, "-") => String::new(),
            (low, high) => format!("  ({low} to {high})"),
        };
        format!("  {name:<16}{:>9}{interval}", shown(value))
    };
    let percentiles = |name: &str, columns: &[&CellColumn; 3]| {
        let [p50, p95, p99] = columns.map(&shown);
        format!("  {name:<16}{p50:>9} {p95:>9} {p99:>9}")
    };
    Some(vec![
        format!("{}: all {} measured requests", variant.name, cell.n),
        rate("requests/s", [column("requests_per_s"), column("requests_per_s_low"), column("requests_per_s_high")]),
        rate("output tokens/s", [column("output_tokens_per_s"), column("output_tokens_per_s_low"), column("output_tokens_per_s_high")]),
        format!("  {:<16}{:>9}", "failed", shown(column("error_rate"))),
        format!("  {:<16}{:>9} {:>9} {:>9}", "", "p50", "p95", "p99"),
        percentiles("ttft, ms", &TTFT),
        percentiles("tpot, ms/token", &TPOT),
        percentiles("itl, ms", &ITL),
        percentiles("e2e, ms", &E2E),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{SummaryOptions, summarize};
    use crate::fixtures::sweeps::{cell, failed, sweep, uniform};
    use crate::records::record::FailureKind;

    fn summary(cells: &[crate::fixtures::sweeps::Cell]) -> SweepSummary {
        summarize(&sweep(&[], cells), &SummaryOptions::default()).unwrap()
    }

    #[test]
    fn one_cell_is_a_block_with_what_every_load_test_prints() {
        // 16 answers of 4 tokens: the first after 0.5 or 9 s, the others 10 ms apart, over the 12.521 s of the window.
        let summary = summary(&[cell("vllm", 2, 2, uniform(2, 2, 0.5))]);
        let block = standard_block(&summary, &summary.variants[0]).unwrap();
        assert_eq!(block[0], "vllm: all 16 measured requests");
        assert!(block[1].starts_with("  requests/s           1.33  (") && block[1].contains(" to "), "{block:?}");
        assert!(block[2].starts_with("  output tokens/s      5.32  ("), "{block:?}");
        assert_eq!(
            block[3..],
            [
                "  failed                0 %",
                "                        p50       p95       p99",
                "  ttft, ms              500      9000      9000",
                "  tpot, ms/token       6.67      6.67      6.67",
                "  itl, ms              10.0      10.0      10.0",
                "  e2e, ms               520      9020      9020",
            ]
        );
        assert_eq!(narrow_table(&summary, &summary.variants[0]), None);
    }

    #[test]
    fn several_cells_are_a_table_and_failures_are_slower_than_any() {
        let broken = (0..4).map(|session| failed(session, 1, FailureKind::Connect)).collect();
        let summary = summary(&[cell("vllm", 1, 1, uniform(1, 1, 0.5)), cell("vllm", 2, 1, broken)]);
        let table = standard_table(&summary, &summary.variants[0]).unwrap();
        assert_eq!(table.heads.len(), 8, "nobody says what it costs: {:?}", table.heads);
        assert_eq!((table.rows[1][0].as_str(), table.rows[1][3].as_str()), ("C=2, S=1", "100 %"));
        assert_eq!(table.rows[1][4], "fail / fail / fail");
        assert_eq!(narrow_table(&summary, &summary.variants[0]).unwrap().rows.len(), 2);
        assert_eq!(standard_block(&summary, &summary.variants[0]), None);
    }
}
