//! Every cell of every variant in one table that can be sorted, filtered and copied. Of a large sweep the first rows stand in the page as
//! a table, and all of them as data that the script shows a window of: ten thousand rows of markup would take seconds to lay out.

use serde::Serialize;

use crate::analysis::{CellState, CellSummary, SweepSummary, VariantSummary, Verdict, axis_label, show_value};
use crate::report::number::{Scale, or_dash, percent, significant};

/// Rows that are written as markup, and that the script shows at once.
const WINDOW: usize = 200;

#[derive(Debug, Serialize)]
pub struct CellTable {
    heads: Vec<Head>,
    /// The first rows.
    rows: Vec<Vec<String>>,
    total: usize,
    window: usize,
    /// All rows as JSON, safe inside a script element; missing where the markup has them all.
    data: Option<String>,
}

#[derive(Debug, Serialize)]
struct Head {
    text: String,
    /// What the script does with the column: `variant` and `verdict` can be chosen by, `axis` is found as `C=4`.
    role: &'static str,
}

#[must_use]
pub fn cell_table(summary: &SweepSummary) -> CellTable {
    let scale = Scale::of_shown(summary);
    let in_order = summary.variants.iter().flat_map(|variant| variant.cells.iter().map(move |cell| (variant, cell)));
    let mut rows: Vec<Vec<String>> = in_order.map(|(variant, cell)| row(summary, variant, cell, scale)).collect();
    let total = rows.len();
    let data = (total > WINDOW).then(|| inside_script(&rows));
    rows.truncate(WINDOW);
    CellTable { heads: heads(summary, scale), rows, total, window: WINDOW, data }
}

fn heads(summary: &SweepSummary, scale: Scale) -> Vec<Head> {
    let head = |text: &str, role| Head { text: text.to_owned(), role };
    let mut heads = vec![head("variant", "variant")];
    heads.extend(summary.axes.iter().map(|axis| head(&axis_label(&axis.name), "axis")));
    heads.push(head("verdict", "verdict"));
    heads.push(head(&format!("{}, {}", summary.shown, scale.unit), ""));
    let rest = [
        "interval",
        "n",
        "state",
        "runs",
        "requests",
        "failed",
        "offered/s",
        "sent/s",
        "completed/s",
        "output tokens/s",
        "from cache",
        "ttft p50 of successes, s",
        "ttft p95 of successes, s",
        "ttft p99 of successes, s",
        "send lag p99, ms",
    ];
    heads.extend(rest.map(|text| head(text, "")));
    heads
}

fn row(summary: &SweepSummary, variant: &VariantSummary, cell: &CellSummary, scale: Scale) -> Vec<String> {
    let (rates, success, shown) = (&cell.rates, &cell.success_only, cell.shown.as_ref());
    let dash = || "-".to_owned();
    let mut texts = vec![variant.name.clone()];
    texts.extend(summary.axes.iter().map(|axis| cell.axes.get(&axis.name).map_or_else(dash, show_value)));
    texts.push(cell.verdict.map_or("-", Verdict::name).to_owned());
    texts.push(shown.map_or_else(dash, |shown| scale.measured(shown, None)));
    texts.push(shown.and_then(|shown| scale.interval(shown)).unwrap_or_else(dash));
    texts.push(shown.map_or_else(dash, |shown| shown.n.to_string()));
    texts.push(state(cell).to_owned());
    texts.push(format!("{} of {}", cell.runs, cell.planned_runs));
    texts.extend([cell.n, cell.failed].map(|count| count.to_string()));
    texts.extend([rates.offered_qps, rates.sent_qps, rates.completed_qps, rates.output_tokens_per_s].map(or_dash));
    texts.push(percent(rates.hit_rate));
    texts.extend([success.ttft_p50_s, success.ttft_p95_s, success.ttft_p99_s].map(or_dash));
    // Files of other programs do not tell it.
    texts.push(if summary.imported.is_some() { dash() } else { significant(cell.client.send_lag_p99_s * 1e3, 3) });
    texts
}

fn state(cell: &CellSummary) -> &'static str {
    match &cell.state {
        CellState::Measured if cell.curtailed.is_some() => "stopped early",
        CellState::Measured => "measured",
        CellState::Invalid { .. } => "invalid",
        CellState::Failed { .. } => "failed",
        CellState::Missing => "missing",
        CellState::Untested { implied } => implied.word(),
    }
}

/// JSON that cannot end the script element it stands in, nor begin a comment there.
fn inside_script(rows: &[Vec<String>]) -> String {
    serde_json::to_string(rows).unwrap_or_default().replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture::{cell, sweep, uniform};
    use crate::analysis::{Question, summarize};

    fn table(cells: u64) -> CellTable {
        let cells: Vec<_> = (1..=cells).map(|concurrent| cell("vllm", concurrent, 1, uniform(1, 1, 0.5))).collect();
        cell_table(&summarize(&sweep(&["max(ttft) <= 10s"], &cells), &Question::default()).unwrap())
    }

    #[test]
    fn every_row_has_a_text_for_every_head() {
        let table = table(2);
        assert!(table.rows.iter().all(|row| row.len() == table.heads.len()));
        assert_eq!(table.heads.iter().map(|head| head.role).take(4).collect::<Vec<_>>(), ["variant", "axis", "axis", "verdict"]);
    }

    #[test]
    fn a_large_sweep_shows_its_first_rows_and_carries_all_as_data() {
        let small = table(200);
        assert_eq!((small.rows.len(), small.data), (200, None));
        let large = table(201);
        assert_eq!((large.rows.len(), large.total), (200, 201));
        let all: Vec<Vec<String>> = serde_json::from_str(&large.data.unwrap()).unwrap();
        assert_eq!(all.len(), 201);
        assert_eq!(all[..200], large.rows);
    }

    #[test]
    fn data_cannot_end_its_script() {
        let text = inside_script(&[vec!["</script><!--".to_owned()]]);
        assert!(!text.contains('<'));
        assert_eq!(serde_json::from_str::<Vec<Vec<String>>>(&text).unwrap(), [["</script><!--"]]);
    }
}
