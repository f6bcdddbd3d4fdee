//! A row per cell and goal, for spreadsheets and data frames. Times in seconds, shares from 0 to 1; an infinite value is `inf`, a missing
//! one is empty. RFC 4180.

use std::io;

use ::csv::{IntoInnerError, Writer};

use super::cell_columns::{CELL_COLUMNS, CellView};
use super::number::DisplayUnit;
use crate::analysis::{CellSummary, GoalJudgement, SweepSummary, show_value};

/// What stands before the axes.
const PLACE: [&str; 4] = ["sweep", "simulated", "imported", "variant"];

/// The table of one or several sweeps; axes that a sweep does not have are empty in its rows.
pub fn csv(summaries: &[SweepSummary]) -> io::Result<String> {
    let mut axes: Vec<&str> = Vec::new();
    for axis in summaries.iter().flat_map(|summary| &summary.axes) {
        if !axes.contains(&axis.name.as_str()) {
            axes.push(&axis.name);
        }
    }
    let heads = PLACE.into_iter().chain(axes.iter().copied()).chain(CELL_COLUMNS.iter().map(|column| column.key));
    let mut table = Writer::from_writer(Vec::new());
    table.write_record(heads)?;
    for summary in summaries {
        for variant in &summary.variants {
            for cell in &variant.cells {
                for judgement in rows_of(cell) {
                    let view = CellView { summary, variant, cell, judgement, scale: DisplayUnit::BASE };
                    table.write_record(place(&view, &axes).chain(CELL_COLUMNS.iter().map(|column| (column.value)(&view).saved())))?;
                }
            }
        }
    }
    let text = table.into_inner().map_err(IntoInnerError::into_error)?;
    String::from_utf8(text).map_err(io::Error::other)
}

/// A row for each goal, or one where there are none.
fn rows_of(cell: &CellSummary) -> Vec<Option<&GoalJudgement>> {
    if cell.goals.is_empty() { vec![None] } else { cell.goals.iter().map(Some).collect() }
}

fn place<'a>(view: &CellView<'a>, axes: &'a [&str]) -> impl Iterator<Item = String> + use<'a> {
    let CellView { summary, variant, cell, .. } = *view;
    let names = [summary.name.clone(), summary.simulated.to_string(), summary.imported.is_some().to_string(), variant.name.clone()];
    names.into_iter().chain(axes.iter().map(|axis| cell.axes.get(*axis).map(show_value).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{SummaryOptions, summarize};
    use crate::fixtures::sweeps::{cell, failed, sweep, uniform};
    use crate::records::record::{FailureKind, RunFailure, RunFailureCause, RunOutcome};

    #[test]
    fn every_row_has_a_field_for_each_column_whatever_stands_in_it() {
        let mut cells = vec![cell("vllm", 1, 1, uniform(1, 1, 0.5)), cell("vllm", 1, 2, Vec::new()), cell("vllm", 1, 3, Vec::new())];
        cells[1].outcome = RunOutcome::Failed(RunFailure::new(RunFailureCause::Cell, "said \"no\",\nand closed".into()));
        cells[2].records = (0..20).map(|session| failed(session, 1, FailureKind::Connect)).collect();
        let mut saved = sweep(&["p95(ttft where turn >= 1) <= 2s", "error_rate <= 1%"], &cells);
        saved.manifest.name = "a \"quoted\", name".into();
        let text = csv(&[summarize(&saved, &SummaryOptions::default()).unwrap()]).unwrap();
        let rows: Vec<::csv::StringRecord> =
            ::csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes()).into_records().collect::<Result<_, _>>().unwrap();
        // Two goals in each of the two measured cells, and the failed one.
        assert_eq!(rows.len(), 1 + 2 + 1 + 2);
        assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{text}");
        let value = rows[0].iter().position(|head| head == "value").unwrap();
        let values: Vec<&str> = rows[1..].iter().map(|row| &row[value]).collect();
        assert_eq!(values, ["0.5", "0", "", "inf", "1"]);
        assert_eq!(&rows[1][0], "a \"quoted\", name");
    }
}
