//! A row a request of all runs of some sweeps: where it stands, the record as it is saved, and its metrics. Rows are read and written a row group
//! after the other, so that no table is ever in memory as a whole.

use std::path::Path;

use polars::error::PolarsError;
use polars::prelude::{AnyValue, BooleanChunked, Column, DataFrame, DataType, IntoColumn, NewChunkedArray, PlSmallStr, Scalar, Schema};

use super::axis_columns::AxisColumns;
use crate::analysis::{AnalysisError, RequestMetrics};
use crate::records::record::{RequestPhase, RunOutcome, RunRecord};
use crate::records::store::{ExportedTable, REQUEST_COLUMNS, SavedRun, SavedSweep, StoreError, TableError, TableFormat, to_table};
use crate::vocabulary::metric::{MeasureUnit, Metric};

/// Why saved rows could not be written as one table.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
    #[error("the table cannot be written: {0}")]
    Table(#[from] TableError),
}

impl From<PolarsError> for ExportError {
    fn from(error: PolarsError) -> Self {
        Self::Table(error.into())
    }
}

/// What stands before the axes.
const SWEEP_COLUMNS: [(&str, DataType); 5] = [
    ("sweep", DataType::String),
    ("created_at", DataType::String),
    ("simulated", DataType::Boolean),
    ("imported", DataType::Boolean),
    ("variant", DataType::String),
];

/// What stands between the axes and the record.
const RUN_COLUMNS: [(&str, DataType); 3] = [("repeat", DataType::Int64), ("run", DataType::String), ("run_state", DataType::String)];

/// What stands behind the metrics.
const ROW_COLUMNS: [&str; 2] = ["measured", "successful"];

/// Writes the rows of all whole runs, in the order of the sweeps and of each sweep's plan; how many there are.
pub fn export_requests(path: &Path, format: TableFormat, sweeps: &[SavedSweep]) -> Result<u64, ExportError> {
    let axes = axes_of(sweeps);
    let schema = schema(&axes)?;
    let mut rows = 0;
    ExportedTable::write(path, format, &schema, |table| {
        for (sweep, run) in sweeps.iter().flat_map(|sweep| sweep.runs.iter().map(move |run| (sweep, run))) {
            run.requests.row_groups(|part| {
                rows += part.height() as u64;
                if part.height() > 0 {
                    table.add(&exported(sweep, run, &axes, part)?)?;
                }
                Ok::<_, ExportError>(())
            })?;
        }
        Ok::<_, ExportError>(())
    })?;
    Ok(rows)
}

fn axes_of(sweeps: &[SavedSweep]) -> AxisColumns {
    let fixed = SWEEP_COLUMNS.iter().chain(&RUN_COLUMNS).map(|(name, _)| (*name).to_owned());
    let record = REQUEST_COLUMNS.iter().map(|column| column.name.to_owned());
    let row = metrics().map(metric_name).chain(ROW_COLUMNS.map(str::to_owned));
    let taken: Vec<String> = fixed.chain(record).chain(row).collect();
    let axes = sweeps.iter().flat_map(|sweep| &sweep.manifest.axes).map(|(path, values)| (path.as_str(), values.as_slice()));
    AxisColumns::of(axes, &taken)
}

fn schema(axes: &AxisColumns) -> Result<Schema, ExportError> {
    let fixed = |(name, data_type): &(&'static str, DataType)| (PlSmallStr::from_static(name), data_type.clone());
    let axes = axes.iter().map(|axis| (axis.name.as_str().into(), axis.data_type.clone()));
    let record = to_table(&[])?;
    let saved = record.columns().iter().map(|column| (column.name().clone(), column.dtype().clone()));
    let metrics = metrics().map(|metric| (metric_name(metric).into(), DataType::Float64));
    let row = ROW_COLUMNS.map(|name| (PlSmallStr::from_static(name), DataType::Boolean));
    let before = SWEEP_COLUMNS.iter().map(fixed).chain(axes).chain(RUN_COLUMNS.iter().map(fixed));
    Ok(before.chain(saved).chain(metrics).chain(row).collect())
}

/// The metrics of which a request has one value at most.
fn metrics() -> impl Iterator<Item = Metric> {
    Metric::ALL.into_iter().filter(|metric| metric.formula().span().is_some())
}

/// `ttft_s`; a rate's name says its unit.
fn metric_name(metric: Metric) -> String {
    match metric.unit() {
        MeasureUnit::Seconds | MeasureUnit::SecondsPerToken => format!("{metric}_s"),
        MeasureUnit::TokensPerSecond | MeasureUnit::RequestsPerSecond | MeasureUnit::Share => metric.name().to_owned(),
    }
}

fn exported(sweep: &SavedSweep, run: &SavedRun, axes: &AxisColumns, part: &DataFrame) -> Result<DataFrame, ExportError> {
    let rows = part.height();
    let (manifest, header) = (&sweep.manifest, &run.record.header);
    let text = |text: &str| AnyValue::StringOwned(text.into());
    let same = |(name, data_type): &(&'static str, DataType), value| {
        Column::new_scalar(PlSmallStr::from_static(name), Scalar::new(data_type.clone(), value), rows)
    };
    let of_sweep = [
        text(&manifest.name),
        text(&manifest.created_at.to_string()),
        AnyValue::Boolean(header.simulated),
        AnyValue::Boolean(manifest.imported.is_some()),
        text(&header.variant),
    ];
    let of_run = [AnyValue::Int64(header.repeat.into()), text(&header.id), text(state_of(&run.record))];
    let mut columns: Vec<Column> = SWEEP_COLUMNS.iter().zip(of_sweep).map(|(column, value)| same(column, value)).collect();
    columns.extend(axes.iter().map(|axis| axis.repeated(axis.value(header.axes.iter().map(|(path, value)| (path, value))), rows)));
    columns.extend(RUN_COLUMNS.iter().zip(of_run).map(|(column, value)| same(column, value)));
    columns.extend(part.columns().iter().cloned());
    let values = RequestMetrics::of(part)?;
    for metric in metrics() {
        columns.push(Column::new(metric_name(metric).into(), values.values(metric)?));
    }
    let phases = part.column("phase").map_err(ExportError::from)?.str().map_err(ExportError::from)?;
    let measured = phases.iter().map(|phase| phase == Some(RequestPhase::Measure.name()));
    let successful = values.failed().iter().map(|failed| !failed);
    let [measured_name, successful_name] = ROW_COLUMNS.map(PlSmallStr::from_static);
    columns.push(BooleanChunked::from_iter_values(measured_name, measured).into_column());
    columns.push(BooleanChunked::from_iter_values(successful_name, successful).into_column());
    Ok(DataFrame::new(rows, columns)?)
}

/// Whether reports count the run, in the words of the state of cells in `cells.csv`.
fn state_of(run: &RunRecord) -> &'static str {
    match &run.outcome {
        RunOutcome::Failed(_) => "failed",
        RunOutcome::Interrupted => "interrupted",
        RunOutcome::Completed | RunOutcome::Curtailed(_) if run.invalidity().is_some() => "invalid",
        RunOutcome::Curtailed(_) => "stopped_early",
        RunOutcome::Completed => "measured",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use fs_err::File;
    use polars_io::SerReader;
    use polars_io::prelude::ParquetReader;

    use super::*;
    use crate::analysis::percentile;
    use crate::fixtures::sweeps::{answered, cell, failed, save, sweep, uniform};
    use crate::records::record::{FailureKind, RequestRecord, RunFailure, RunFailureCause};
    use crate::records::store::{from_table, read_sweep};

    fn read(path: &Path) -> DataFrame {
        ParquetReader::new(File::open(path).unwrap().into_file()).finish().unwrap()
    }

    fn texts(table: &DataFrame, name: &str) -> Vec<String> {
        let distinct: BTreeSet<String> = table.column(name).unwrap().str().unwrap().iter().map(|text| text.unwrap().to_owned()).collect();
        distinct.into_iter().collect()
    }

    #[test]
    fn every_row_of_every_run_goes_out_with_its_axes_and_its_record_as_it_was_saved() {
        let folder = tempfile::tempdir().unwrap();
        let warm = RequestRecord { phase: RequestPhase::Warmup, ..answered(9, 0, 0.1) };
        let records: Vec<RequestRecord> = [vec![warm, failed(8, 1, FailureKind::Connect)], uniform(1, 2, 0.5)].concat();
        let mut lost = cell("lmcache", 1, 4, vec![failed(0, 1, FailureKind::Connect)]);
        lost.outcome = RunOutcome::Failed(RunFailure::new(RunFailureCause::Cell, "for the test".into()));
        save(&folder.path().join("sweep"), &[], &[cell("vllm", 1, 2, records.clone()), lost]);
        let path = folder.path().join("all.parquet");
        let sweep = read_sweep(&folder.path().join("sweep")).unwrap();
        assert_eq!(export_requests(&path, TableFormat::Parquet, &[sweep.clone(), sweep]).unwrap(), 2 * (records.len() as u64 + 1));
        let table = read(&path);
        assert_eq!(table.height(), 2 * (records.len() + 1));
        assert_eq!(from_table(&table.slice(0, records.len())).unwrap(), records);
        assert_eq!(texts(&table, "sweep"), ["capacity"]);
        assert_eq!(texts(&table, "variant"), ["lmcache", "vllm"]);
        assert_eq!(texts(&table, "run_state"), ["failed", "measured"]);
        assert!(table.column("simulated").unwrap().bool().unwrap().iter().all(|simulated| simulated == Some(true)));
        let sequential: Vec<i64> = table.column("sequential").unwrap().i64().unwrap().iter().flatten().collect();
        assert_eq!((sequential[0], sequential[records.len()]), (2, 4));
        let flags = |name: &str| table.column(name).unwrap().bool().unwrap().iter().flatten().take(3).collect::<Vec<_>>();
        assert_eq!((flags("measured"), flags("successful")), (vec![false, true, true], vec![true, false, true]));
    }

    #[test]
    fn percentiles_of_a_metric_are_those_of_the_report() {
        let folder = tempfile::tempdir().unwrap();
        let times = (1..=40).map(|number| answered(number, 1, 0.01 * f64::from(u32::try_from(number * number % 37).unwrap())));
        save(&folder.path().join("sweep"), &[], &[cell("vllm", 1, 1, times.collect())]);
        let sweep = read_sweep(&folder.path().join("sweep")).unwrap();
        let path = folder.path().join("all.parquet");
        export_requests(&path, TableFormat::Parquet, std::slice::from_ref(&sweep)).unwrap();
        let mut values: Vec<f64> = read(&path).column("ttft_s").unwrap().f64().unwrap().iter().flatten().collect();
        values.sort_by(f64::total_cmp);
        let options = crate::analysis::SummaryOptions {
            goals: Vec::new(),
            shown: Some("p95(ttft)".parse().unwrap()),
            ..crate::analysis::SummaryOptions::default()
        };
        let summary = crate::analysis::summarize(&sweep, &options).unwrap();
        let shown = summary.variants[0].cells[0].shown.as_ref().unwrap().value.unwrap().get();
        assert_eq!(percentile(&values, 95.0), Some(shown));
    }

    #[test]
    fn a_metric_with_one_value_a_request_is_a_column_by_itself() {
        let schema = schema(&axes_of(&[])).unwrap();
        for metric in Metric::ALL {
            assert_eq!(schema.contains(&metric_name(metric)), metric != Metric::Itl, "{metric}");
        }
        assert_eq!(metric_name(Metric::Tpot), "tpot_s");
        assert_eq!(metric_name(Metric::OutputTps), "output_tps");
    }

    #[test]
    fn an_axis_named_as_a_column_of_requests_keeps_its_path_and_what_a_sweep_lacks_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let mut by_length = cell("vllm", 1, 1, vec![answered(0, 1, 0.5)]);
        by_length.axes = vec![("workload.prompt_tokens".into(), 1000.into()), ("workload.qps".into(), 0.5.into())];
        let sweeps = [sweep(&[], &[by_length]), sweep(&[], &[cell("vllm", 1, 1, vec![answered(0, 1, 0.5)])])];
        let path = folder.path().join("all.csv");
        assert_eq!(export_requests(&path, TableFormat::Csv, &sweeps).unwrap(), 2);
        let mut reader = csv::Reader::from_path(&path).unwrap();
        let heads = reader.headers().unwrap().clone();
        let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
        let of = |name: &str| {
            let place = heads.iter().position(|head| head == name).unwrap();
            rows.iter().map(|row| row[place].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(
            (of("workload.prompt_tokens"), of("prompt_tokens")),
            (vec!["1000".into(), String::new()], vec!["1000".into(), "1000".into()])
        );
        assert_eq!((of("qps"), of("concurrent")), (vec!["0.5".into(), String::new()], vec![String::new(), "1".into()]));
        assert_eq!((of("gaps_us")[0].as_str(), of("simulated")[1].as_str()), ("[10000,10000]", "true"));
    }
}
