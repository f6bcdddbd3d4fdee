//! The report as metrics, for a Pushgateway or a textfile collector: a gauge for each column of numbers that `cells.csv` has, each goal's values and
//! verdict, and the scores. The text is of the `OpenMetrics` format as well as of the older Prometheus format, without stamps of time. Times in seconds,
//! shares from 0 to 1; what is missing has no sample.

use std::fmt::Write as _;

use super::cell_columns::{CELL_COLUMNS, CellColumn, CellColumnScope, CellColumnType, CellView};
use super::number::DisplayUnit;
use crate::analysis::{Axes, CellSummary, GoalJudgement, Score, SweepSummary, VariantSummary, show_value};

/// Names and values of labels, in their order.
type MetricLabels = Vec<(String, String)>;

/// All samples of one name.
struct MetricFamily {
    name: String,
    help: String,
    samples: Vec<(MetricLabels, String)>,
}

/// The text for one or several sweeps.
#[must_use]
pub fn open_metrics(summaries: &[SweepSummary]) -> String {
    let mut text = String::new();
    let numbers = |column: &&CellColumn| column.kind != CellColumnType::Text;
    let columns = CELL_COLUMNS.iter().filter(numbers).map(|column| of_column(summaries, column));
    for family in sweeps(summaries).into_iter().chain(columns).filter(|family| !family.samples.is_empty()) {
        family.write(&mut text);
    }
    text.push_str("# EOF\n");
    text
}

/// What is known of sweeps as a whole, of their scores, and the verdicts in words.
fn sweeps(summaries: &[SweepSummary]) -> Vec<MetricFamily> {
    let mut info = family("bench_sweep_info", "1 for each sweep, with what its numbers are made from");
    let mut runs = family("bench_sweep_runs", "runs of the sweep by their state");
    let mut score =
        family("bench_score", "the score: the largest load of the matrix that passes all goals; a lower bound where `bound` says so");
    let mut certified = family("bench_score_certified", "the largest load that meets all goals for certain");
    let mut verdict = family("bench_goal_verdict", "1 with the verdict on the goal in that cell: met, missed or undecided");
    for summary in summaries {
        let sweep = || label("sweep", &summary.name);
        let origin = [label("simulated", &summary.simulated.to_string()), label("imported", &summary.imported.is_some().to_string())];
        info.samples.push((std::iter::once(sweep()).chain(origin).collect(), "1".to_owned()));
        let counts = [
            ("planned", summary.runs.planned),
            ("whole", summary.runs.whole),
            ("failed", summary.runs.failed),
            ("invalid", summary.runs.invalid),
        ];
        runs.samples.extend(counts.map(|(state, count)| (vec![sweep(), label("state", state)], count.to_string())));
        for variant in &summary.variants {
            for found in &variant.scores {
                let labels = |bound: Option<&str>| {
                    let mut labels = place(summary, variant, found.within());
                    labels.push(label("score", &found.name()));
                    labels.extend(bound.map(|bound| label("bound", bound)));
                    labels
                };
                score.samples.extend(found.headline().map(|value| (labels(Some(found.bound().name())), number(&value.to_string()))));
                certified.samples.extend(certified_load(found).map(|value| (labels(None), number(&value.to_string()))));
            }
            for cell in &variant.cells {
                verdict.samples.extend(cell.goals.iter().map(|judgement| {
                    let mut labels = of_goal(summary, variant, cell, judgement);
                    labels.push(label("verdict", judgement.verdict.name()));
                    (labels, "1".to_owned())
                }));
            }
        }
    }
    vec![info, runs, score, certified, verdict]
}

#[expect(clippy::cast_precision_loss, reason = "session counts are far below 2^53")]
fn certified_load(score: &Score) -> Option<f64> {
    match score {
        Score::Capacity(score) => score.largest_met.map(|shape| shape.product as f64),
        Score::Largest(score) => score.met,
    }
}

/// A column of the cells' table: a sample a cell, or one for each goal of it.
fn of_column(summaries: &[SweepSummary], column: &CellColumn) -> MetricFamily {
    let is_of_cells = column.scope == CellColumnScope::Cell;
    let name = format!("{}_{}", if is_of_cells { "bench_cell" } else { "bench_goal" }, spelled_out(column.key));
    let about = if is_of_cells { "of the cell" } else { "of the goal in that cell, or of the measure shown where there is none" };
    let mut found = family(&name, &format!("{}, {about}", column.head));
    let cells = summaries.iter().flat_map(|summary| summary.variants.iter().map(move |variant| (summary, variant)));
    for (summary, variant) in cells {
        for cell in &variant.cells {
            let view = |judgement| CellView { summary, variant, cell, judgement, scale: DisplayUnit::BASE };
            let mut take = |labels: MetricLabels, judgement| {
                let saved = (column.value)(&view(judgement)).saved();
                if !saved.is_empty() {
                    found.samples.push((labels, number(&saved)));
                }
            };
            match cell.goals.as_slice() {
                _ if is_of_cells => take(place(summary, variant, &cell.axes), None),
                [] => take(place(summary, variant, &cell.axes), None),
                goals => goals.iter().for_each(|judgement| take(of_goal(summary, variant, cell, judgement), Some(judgement))),
            }
        }
    }
    found
}

/// Sweep, variant and axes.
fn place(summary: &SweepSummary, variant: &VariantSummary, axes: &Axes) -> MetricLabels {
    let names = [label("sweep", &summary.name), label("variant", &variant.name)];
    names.into_iter().chain(axes.iter().map(|(axis, value)| (label_name(axis), show_value(value)))).collect()
}

fn of_goal(summary: &SweepSummary, variant: &VariantSummary, cell: &CellSummary, judgement: &GoalJudgement) -> MetricLabels {
    let mut labels = place(summary, variant, &cell.axes);
    labels.push(label("goal", &judgement.goal.to_string()));
    labels
}

fn family(name: &str, help: &str) -> MetricFamily {
    MetricFamily { name: name.to_owned(), help: help.to_owned(), samples: Vec::new() }
}

fn label(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// The name of a column with its unit in full, as metrics have it: `ttft_p95_s` is `ttft_p95_seconds`.
fn spelled_out(key: &str) -> String {
    let units = [("_per_s", "_per_second"), ("_per_min", "_per_minute"), ("_s", "_seconds"), ("_w", "_watts")];
    let found = units.into_iter().find_map(|(short, long)| key.strip_suffix(short).map(|name| format!("{name}{long}")));
    found.unwrap_or_else(|| key.to_owned())
}

/// An axis as a label's name: `workload.concurrent` is `workload_concurrent`. A letter stands before what begins with none.
fn label_name(axis: &str) -> String {
    let plain: String = axis.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if plain.starts_with(|c: char| c.is_ascii_alphabetic()) { plain } else { format!("axis_{plain}") }
}

/// A value of the table as the format writes it.
fn number(saved: &str) -> String {
    match saved {
        "inf" => "+Inf".to_owned(),
        "-inf" => "-Inf".to_owned(),
        "true" => "1".to_owned(),
        "false" => "0".to_owned(),
        other => other.to_owned(),
    }
}

impl MetricFamily {
    fn write(&self, text: &mut String) {
        let _ = writeln!(text, "# HELP {} {}", self.name, escaped(&self.help));
        let _ = writeln!(text, "# TYPE {} gauge", self.name);
        for (labels, value) in &self.samples {
            let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
            let _ = writeln!(text, "{}{{{}}} {value}", self.name, labels.join(","));
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{SummaryOptions, summarize};
    use crate::fixtures::sweeps::{cell, failed, sweep, uniform};
    use crate::records::record::FailureKind;

    fn text() -> String {
        let mut cells = vec![cell("vllm", 1, 1, uniform(1, 1, 0.5)), cell("vllm", 2, 1, Vec::new())];
        cells[1].records = (0..20).map(|session| failed(session, 1, FailureKind::Connect)).collect();
        let mut saved = sweep(&["p95(ttft where turn >= 1) <= 2s"], &cells);
        saved.manifest.name = "a \"quoted\\\" name".into();
        open_metrics(&[summarize(&saved, &SummaryOptions::default()).unwrap()])
    }

    #[test]
    fn values_stand_under_the_columns_of_the_table_with_their_axes_as_labels() {
        let text = text();
        let place = "sweep=\"a \\\"quoted\\\\\\\" name\",variant=\"vllm\",workload_concurrent=\"1\",workload_sequential=\"1\"";
        for line in [
            format!("bench_goal_value{{{place},goal=\"p95(ttft where turn >= 1) <= 2s\"}} 0.5"),
            format!("bench_goal_passes{{{place},goal=\"p95(ttft where turn >= 1) <= 2s\"}} 1"),
            format!("bench_cell_failed{{{place}}} 0"),
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(
            text.contains("workload_concurrent=\"2\",workload_sequential=\"1\",goal=\"p95(ttft where turn >= 1) <= 2s\"} +Inf\n"),
            "{text}"
        );
        assert!(text.contains("score=\"max C×S\",bound=\"") && text.ends_with("\n# EOF\n"), "{text}");
    }

    #[test]
    fn each_family_stands_together_once_behind_its_type_and_every_line_is_read_as_a_sample() {
        let text = text();
        let mut families = Vec::new();
        for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
            let name = line.strip_suffix(" gauge").unwrap();
            assert!(!families.contains(&name), "{name} comes twice");
            families.push(name);
        }
        let samples: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let mut before = "";
        for sample in &samples {
            let name = sample.split('{').next().unwrap();
            let at = |name: &str| families.iter().position(|family| *family == name).unwrap();
            assert!(before.is_empty() || at(name) >= at(before), "{sample}");
            before = name;
            let value = sample.rsplit(' ').next().unwrap();
            assert!(value == "+Inf" || value.parse::<f64>().is_ok_and(|value| !value.is_nan()), "{sample}");
        }
        assert!(samples.len() > 40);
    }
}
