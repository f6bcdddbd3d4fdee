//! A row a cell of some judged sweeps: what `cells.csv` says of it, with the columns of each goal side by side instead of below each other.

use polars::error::PolarsError;
use polars::prelude::{AnyValue, Column, DataFrame, DataType, Series};

use super::axis_columns::AxisColumns;
use crate::analysis::{CellSummary, GoalJudgement, SweepSummary};
use crate::report::{CELL_COLUMNS, CellColumn, CellColumnScope, CellColumnType, CellValue, CellView};
use crate::vocabulary::metric::DisplayUnit;

/// A sweep's summary and when the sweep was begun, which tells nights of one scenario apart.
#[derive(Debug, Clone)]
pub struct JudgedSweep {
    pub created_at: String,
    pub summary: SweepSummary,
}

/// A value of a cell.
type CellFigure<'a> = dyn Fn(&JudgedSweep, &CellView<'_>) -> AnyValue<'static> + 'a;

/// A column of the table.
struct WideColumn<'a> {
    name: String,
    data_type: DataType,
    value: Box<CellFigure<'a>>,
}

impl<'a> WideColumn<'a> {
    fn new(name: impl Into<String>, data_type: DataType, value: impl Fn(&JudgedSweep, &CellView<'_>) -> AnyValue<'static> + 'a) -> Self {
        Self { name: name.into(), data_type, value: Box::new(value) }
    }

    fn text(name: &str, value: impl Fn(&JudgedSweep, &CellView<'_>) -> String + 'a) -> Self {
        Self::new(name, DataType::String, move |sweep, view| AnyValue::StringOwned(value(sweep, view).into()))
    }

    fn flag(name: &str, value: impl Fn(&CellView<'_>) -> bool + 'a) -> Self {
        Self::new(name, DataType::Boolean, move |_, view| AnyValue::Boolean(value(view)))
    }
}

/// All cells of the sweeps. A goal's columns begin with its number in the order in which the sweeps name their goals: `goal1`, which holds the goal
/// itself, `goal1_value`, `goal1_low` and so on; one that a sweep does not have is missing in its rows.
pub fn cell_table(sweeps: &[JudgedSweep]) -> Result<DataFrame, PolarsError> {
    let mut goals: Vec<String> = Vec::new();
    for goal in sweeps.iter().flat_map(|sweep| &sweep.summary.goals).map(ToString::to_string) {
        if !goals.contains(&goal) {
            goals.push(goal);
        }
    }
    let place = [
        WideColumn::text("sweep", |_, view| view.summary.name.clone()),
        WideColumn::text("created_at", |sweep, _| sweep.created_at.clone()),
        WideColumn::flag("simulated", |view| view.summary.simulated),
        WideColumn::flag("imported", |view| view.summary.imported.is_some()),
        WideColumn::text("variant", |_, view| view.variant.name.clone()),
    ];
    let figures = CELL_COLUMNS.iter().filter(|column| column.scope != CellColumnScope::Goal).map(of_cell);
    let of_goals = (1..).zip(&goals).flat_map(|(number, goal)| {
        let about_goals = CELL_COLUMNS.iter().filter(|column| column.scope != CellColumnScope::Cell);
        about_goals.map(move |column| of_goal(column, number, goal))
    });
    let behind: Vec<WideColumn<'_>> = figures.chain(of_goals).collect();
    let taken: Vec<String> = place.iter().chain(&behind).map(|column| column.name.clone()).collect();
    let known = sweeps.iter().flat_map(|sweep| &sweep.summary.axes);
    let axes = AxisColumns::of(known.map(|axis| (axis.name.as_str(), axis.values.as_slice())), &taken);
    let along = axes.iter().map(|axis| WideColumn::new(&axis.name, axis.data_type.clone(), |_, view| axis.value(&view.cell.axes)));
    let columns: Vec<WideColumn<'_>> = place.into_iter().chain(along).chain(behind).collect();
    let mut values: Vec<Vec<AnyValue<'static>>> = columns.iter().map(|_| Vec::new()).collect();
    for sweep in sweeps {
        for variant in &sweep.summary.variants {
            for cell in &variant.cells {
                let view = CellView { summary: &sweep.summary, variant, cell, judgement: None, scale: DisplayUnit::BASE };
                for (column, values) in columns.iter().zip(&mut values) {
                    values.push((column.value)(sweep, &view));
                }
            }
        }
    }
    let rows = values.first().map_or(0, Vec::len);
    let series = columns.iter().zip(&values).map(|(column, values)| {
        Series::from_any_values_and_dtype(column.name.as_str().into(), values, &column.data_type, true).map(Column::from)
    });
    DataFrame::new(rows, series.collect::<Result<Vec<_>, _>>()?)
}

fn of_cell<'a>(column: &'static CellColumn) -> WideColumn<'a> {
    WideColumn::new(column.key, data_type(column.kind), |_, view| typed((column.value)(view)))
}

fn of_goal<'a>(column: &'static CellColumn, number: usize, goal: &'a str) -> WideColumn<'a> {
    let name = if column.key == "goal" { format!("goal{number}") } else { format!("goal{number}_{}", column.key) };
    WideColumn::new(name, data_type(column.kind), move |_, view| {
        let judgement = judgement_of(view.cell, goal);
        judgement.map_or(AnyValue::Null, |judgement| typed((column.value)(&CellView { judgement: Some(judgement), ..*view })))
    })
}

fn judgement_of<'a>(cell: &'a CellSummary, goal: &str) -> Option<&'a GoalJudgement> {
    cell.goals.iter().find(|judgement| judgement.goal.to_string() == goal)
}

fn data_type(kind: CellColumnType) -> DataType {
    match kind {
        CellColumnType::Text => DataType::String,
        CellColumnType::Flag => DataType::Boolean,
        CellColumnType::Count => DataType::Int64,
        CellColumnType::Number => DataType::Float64,
    }
}

fn typed(value: CellValue) -> AnyValue<'static> {
    match value {
        CellValue::Missing => AnyValue::Null,
        CellValue::Text(text) => AnyValue::StringOwned(text.into()),
        CellValue::Word { saved, .. } => AnyValue::StringOwned(saved.into()),
        CellValue::Flag(flag) => AnyValue::Boolean(flag),
        CellValue::Count(count) | CellValue::Progress(count, _) => i64::try_from(count).map_or(AnyValue::Null, AnyValue::Int64),
        CellValue::Number(value)
        | CellValue::MeanCount(value)
        | CellValue::Tokens(value)
        | CellValue::Share(value)
        | CellValue::Milliseconds(value)
        | CellValue::Bytes(value) => AnyValue::Float64(value),
        CellValue::Measured { saved, .. } => saved.map_or(AnyValue::Null, |value| AnyValue::Float64(value.get())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{SummaryOptions, summarize};
    use crate::fixtures::sweeps::{cell, failed, searched_over_users, sweep, uniform};
    use crate::records::record::FailureKind;

    const GOALS: [&str; 2] = ["p95(ttft where turn >= 1) <= 2s", "error_rate <= 1%"];

    fn judged(summary: SweepSummary) -> JudgedSweep {
        JudgedSweep { created_at: "2026-01-01T00:00:00Z".into(), summary }
    }

    fn measured() -> JudgedSweep {
        let broken = (0..20).map(|session| failed(session, 1, FailureKind::Connect)).collect();
        let cells = [cell("vllm", 1, 1, uniform(1, 1, 0.5)), cell("vllm", 1, 2, broken), cell("vllm", 1, 3, uniform(1, 3, 3.0))];
        judged(summarize(&sweep(&GOALS, &cells), &SummaryOptions::default()).unwrap())
    }

    #[test]
    fn a_cell_is_one_row_with_every_column_of_the_report_and_those_of_each_goal() {
        let table = cell_table(&[measured()]).unwrap();
        assert_eq!(table.height(), 3);
        for column in &CELL_COLUMNS {
            let name = if column.scope == CellColumnScope::Goal { format!("goal1_{}", column.key) } else { column.key.to_owned() };
            let name = if column.key == "goal" { "goal1".to_owned() } else { name };
            assert_eq!(*table.column(&name).unwrap().dtype(), data_type(column.kind), "{name}");
        }
        let numbers = |name: &str| table.column(name).unwrap().f64().unwrap().iter().collect::<Vec<_>>();
        assert_eq!(numbers("goal1_value"), [Some(0.5), Some(f64::INFINITY), Some(3.0)]);
        assert_eq!(numbers("goal2_value"), [Some(0.0), Some(1.0), Some(0.0)]);
        assert_eq!(numbers("goal2_limit"), [Some(0.01); 3]);
        let flags = |name: &str| table.column(name).unwrap().bool().unwrap().iter().collect::<Vec<_>>();
        assert_eq!(
            (flags("passes"), flags("goal2_passes")),
            (vec![Some(true), Some(false), Some(false)], vec![Some(true), Some(false), Some(true)])
        );
        let integers = |name: &str| table.column(name).unwrap().i64().unwrap().iter().collect::<Vec<_>>();
        assert_eq!((integers("requests"), integers("failed")), (vec![Some(4), Some(20), Some(12)], vec![Some(0), Some(20), Some(0)]));
        assert_eq!(integers("sequential"), [Some(1), Some(2), Some(3)]);
        assert!(numbers("goal1_low")[2].is_none_or(|low| low <= 3.0));
    }

    #[test]
    fn a_goal_that_a_sweep_lacks_and_a_cell_without_a_result_are_missing_there() {
        let table = cell_table(&[measured(), judged(searched_over_users(None))]).unwrap();
        let states: Vec<&str> = table.column("state").unwrap().str().unwrap().iter().flatten().collect();
        assert_eq!(states.len(), table.height());
        assert!(states[3..].iter().any(|state| *state != "measured"), "{states:?}");
        // Both have the goal of the first: it is one column. Only one has the second.
        assert_eq!(table.column("goal2").unwrap().null_count(), table.height() - 3);
        assert!(table.column("goal3").is_err());
        assert_eq!(table.column("users").unwrap().null_count(), 3);
    }
}
