//! Every cell of every variant in one table that can be sorted, filtered and copied.
//!
//! Of a large sweep nothing is laid out but what is looked at: its leading columns stand as a plain table for where no scripts run, which is
//! mere text where they do, and the other columns as data; the script reads both and makes the rows that come into view.

use serde::Serialize;

use crate::analysis::{SweepSummary, axis_label, show_value};
use crate::report::cell_columns::{CellColumn, CellView, INTERVAL, column};
use crate::report::number::{DisplayUnit, ValueFormat};

/// Rows that are laid out all at once.
const WINDOW: usize = 200;
/// Columns beside the axes that say the most, and come first: variant, verdict, value, interval, n.
const LEADING: usize = 5;

#[derive(Debug, Serialize)]
pub struct CellTable {
    heads: Vec<CellTableHeader>,
    /// All rows; of a large sweep their leading columns alone.
    rows: Vec<Vec<String>>,
    total: usize,
    window: usize,
    /// How many columns are in the rows.
    leading: usize,
    /// The other columns as JSON, safe inside a script element; missing where the rows have all.
    data: Option<String>,
}

impl CellTable {
    /// What the rows and the data take of a page's bytes, about.
    pub fn weight(&self) -> usize {
        let of_row = |row: &Vec<String>| row.iter().map(|text| text.len() + "<td>".len()).sum::<usize>();
        self.rows.iter().map(of_row).sum::<usize>() + self.data.as_ref().map_or(0, String::len)
    }
}

#[derive(Debug, Serialize)]
struct CellTableHeader {
    text: String,
    /// What the script does with the column: `variant` and `verdict` can be chosen by, `axis` is found as `C=4`.
    role: &'static str,
}

#[must_use]
pub fn cell_table(summary: &SweepSummary) -> CellTable {
    let scale = DisplayUnit::of_shown(summary);
    let in_order = summary.variants.iter().flat_map(|variant| variant.cells.iter().map(move |cell| (variant, cell)));
    let view = |(variant, cell)| CellView { summary, variant, cell, judgement: None, scale };
    let mut rows: Vec<Vec<String>> = in_order.map(|place| row(&view(place))).collect();
    let (heads, total) = (heads(summary, scale), rows.len());
    let leading = if total > WINDOW { summary.axes.len() + LEADING } else { heads.len() };
    let data = (leading < heads.len()).then(|| inside_script(&other_columns(&mut rows, leading)));
    CellTable { heads, rows, total, window: WINDOW, leading, data }
}

/// The columns behind the axes and their verdict and value, in their order.
const COLUMNS: [&CellColumn; 15] = [
    &INTERVAL,
    column("n"),
    column("state"),
    column("runs"),
    column("requests"),
    column("failed"),
    column("offered_qps"),
    column("sent_qps"),
    column("completed_qps"),
    column("output_tokens_per_s"),
    column("hit_rate"),
    column("success_only_ttft_p50_s"),
    column("success_only_ttft_p95_s"),
    column("success_only_ttft_p99_s"),
    column("send_lag_p99_s"),
];
const VERDICT: &CellColumn = column("verdict");
const VALUE: &CellColumn = column("value");

fn heads(summary: &SweepSummary, scale: DisplayUnit) -> Vec<CellTableHeader> {
    let head = |text: &str, role| CellTableHeader { text: text.to_owned(), role };
    let mut heads = vec![head("variant", "variant")];
    heads.extend(summary.axes.iter().map(|axis| head(&axis_label(&axis.name), "axis")));
    heads.push(head(VERDICT.head, "verdict"));
    heads.push(head(&format!("{}, {}", summary.shown, scale.unit), ""));
    heads.extend(COLUMNS.iter().map(|column| head(column.head, "")));
    heads
}

fn row(view: &CellView<'_>) -> Vec<String> {
    let axis = |name: &String| view.cell.axes.get(name).map_or_else(|| "-".to_owned(), show_value);
    let mut texts = vec![view.variant.name.clone()];
    texts.extend(view.summary.axes.iter().map(|known| axis(&known.name)));
    texts.extend([VERDICT, VALUE].into_iter().chain(COLUMNS).map(|column| (column.value)(view).shown()));
    texts
}

/// Takes the columns behind the leading ones out of the rows: each as one text with `|` between its values, which are our own words and
/// numbers; an empty one is the same as the one above.
fn other_columns(rows: &mut [Vec<String>], leading: usize) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    let mut above: Vec<String> = Vec::new();
    for row in rows {
        let others = row.split_off(leading);
        columns.resize(others.len(), String::new());
        for (n, (column, value)) in columns.iter_mut().zip(&others).enumerate() {
            if !above.is_empty() {
                column.push('|');
            }
            if above.get(n) != Some(value) {
                column.push_str(value);
            }
        }
        above = others;
    }
    columns
}

/// JSON that cannot end the script element it stands in, nor begin a comment there.
fn inside_script(columns: &[String]) -> String {
    serde_json::to_string(columns).unwrap_or_default().replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{SummaryOptions, summarize};
    use crate::fixtures::sweeps::{cell, sweep, uniform};

    fn table(cells: u64) -> CellTable {
        let cells: Vec<_> = (1..=cells).map(|concurrent| cell("vllm", concurrent, 1, uniform(1, 1, 0.5))).collect();
        cell_table(&summarize(&sweep(&["max(ttft) <= 10s"], &cells), &SummaryOptions::default()).unwrap())
    }

    #[test]
    fn every_row_has_a_text_for_every_head() {
        let table = table(2);
        assert!(table.rows.iter().all(|row| row.len() == table.heads.len()));
        assert_eq!(table.heads.iter().map(|head| head.role).take(4).collect::<Vec<_>>(), ["variant", "axis", "axis", "verdict"]);
    }

    #[test]
    fn a_large_sweep_has_its_leading_columns_as_rows_and_the_others_as_data() {
        let (small, large) = (table(200), table(201));
        assert_eq!((small.rows.len(), small.leading, &small.data), (200, small.heads.len(), &None));
        assert_eq!((large.rows.len(), large.total, large.leading), (201, 201, 7));
        let heads: Vec<&str> = large.heads.iter().map(|head| head.text.as_str()).collect();
        assert_eq!((&heads[..4], &heads[5..8]), (["variant", "C", "S", "verdict"].as_slice(), ["interval", "n", "state"].as_slice()));
        let columns: Vec<String> = serde_json::from_str(&large.data.unwrap()).unwrap();
        assert_eq!(columns.len() + large.leading, large.heads.len());
        let mut whole = small.rows;
        let expected = other_columns(&mut whole, 7);
        assert!(whole == large.rows[..200]);
        assert!(columns.iter().zip(expected).all(|(column, first)| column.starts_with(&first)));
    }

    #[test]
    fn a_value_that_is_the_one_above_is_left_empty() {
        let row = |texts: [&str; 3]| texts.map(str::to_owned).to_vec();
        let mut rows = [row(["a", "3 of 3", "1"]), row(["b", "3 of 3", "2"]), row(["c", "-", "2"])];
        assert_eq!(other_columns(&mut rows, 1), ["3 of 3||-", "1|2|"]);
        assert_eq!(rows, [["a"], ["b"], ["c"]]);
    }

    #[test]
    fn data_cannot_end_its_script() {
        let text = inside_script(&["</script><!--".to_owned()]);
        assert!(!text.contains('<'));
        assert_eq!(serde_json::from_str::<Vec<String>>(&text).unwrap(), ["</script><!--"]);
    }
}
