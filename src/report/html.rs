//! The report as one page that needs nothing else: no script, no network, styles and figures inside. Everything that comes from a
//! scenario or a server is escaped by the template; figures are SVG of our own making and stand as they are.

use serde::Serialize;

use super::number::{or_dash, percent, significant};
use super::panel::{Panel, PanelRow, Place, panels};
use super::server::server_table;
use super::words::{self, Line};
use crate::analysis::{CellState, CellSummary, Ratio, SweepSummary, VariantSummary, Verdict, show_axes};

/// A picture on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageFigure {
    /// The variant it belongs to; none where it shows several.
    pub variant: Option<String>,
    /// A whole `<svg>` element.
    pub svg: String,
}

/// Why the page could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the page could not be made from its template: {0}")]
pub struct PageError(#[from] minijinja::Error);

const TEMPLATE: &str = include_str!("../../templates/report.html");

/// The whole page.
pub fn html(summary: &SweepSummary, figures: &[PageFigure]) -> Result<String, PageError> {
    let mut environment = minijinja::Environment::new();
    // The name's ending is what turns escaping on.
    environment.add_template("report.html", TEMPLATE)?;
    Ok(environment.get_template("report.html")?.render(minijinja::value::Serde(page(summary, figures)))?)
}

#[derive(Serialize)]
struct Page<'a> {
    name: &'a str,
    simulated: bool,
    simulated_words: &'a str,
    runs: String,
    variants: Vec<Section<'a>>,
    ratios: Vec<RatioLine<'a>>,
    figures: Vec<&'a str>,
    cell_heads: [&'static str; 15],
    legend: String,
    notes: &'a [String],
}

#[derive(Serialize)]
struct Section<'a> {
    name: &'a str,
    verdicts: Vec<String>,
    /// That its external cache reused nothing.
    exposed: Option<String>,
    limits: Vec<String>,
    server: Option<ServerGrid>,
    scores: Vec<Line>,
    figures: Vec<&'a str>,
    panels: Vec<Grid>,
    sentences: Vec<String>,
    cells: Vec<[String; 15]>,
}

#[derive(Serialize)]
struct RatioLine<'a> {
    sentence: String,
    remarks: &'a [String],
}

/// What the server told, a row a cell.
#[derive(Serialize)]
struct ServerGrid {
    heads: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    measured_by: Option<String>,
}

#[derive(Serialize)]
struct Grid {
    caption: String,
    corner: String,
    columns: Vec<String>,
    rows: Vec<GridRow>,
}

#[derive(Serialize)]
struct GridRow {
    head: String,
    places: Vec<Option<GridPlace>>,
}

#[derive(Serialize)]
struct GridPlace {
    class: &'static str,
    text: String,
    mark: &'static str,
    /// The verdict in a word, for those who cannot see its mark.
    word: Option<&'static str>,
    n: Option<u64>,
    interval: Option<String>,
}

fn page<'a>(summary: &'a SweepSummary, figures: &'a [PageFigure]) -> Page<'a> {
    let of = |variant: Option<&str>| -> Vec<&'a str> {
        figures.iter().filter(|figure| figure.variant.as_deref() == variant).map(|figure| figure.svg.as_str()).collect()
    };
    let section = |variant: &'a VariantSummary| Section {
        name: &variant.name,
        verdicts: words::verdict_sentences(variant),
        exposed: words::exposed(variant),
        limits: words::limit_sentences(variant),
        server: server_table(variant).map(|table| ServerGrid {
            heads: table.heads,
            rows: table.rows,
            measured_by: words::measured_by(variant),
        }),
        scores: words::score_lines(variant),
        figures: of(Some(&variant.name)),
        panels: panels(summary, variant).into_iter().map(grid).collect(),
        sentences: sentences(variant),
        cells: variant.cells.iter().map(row_of_cell).collect(),
    };
    let ratio_line = |ratio: &'a Ratio| RatioLine { sentence: words::ratio_sentence(summary, ratio), remarks: &ratio.remarks };
    Page {
        name: &summary.name,
        simulated: summary.simulated,
        simulated_words: words::SIMULATED,
        runs: format!("{} of {} runs, seed {}", summary.runs.whole, summary.runs.planned, summary.seed),
        variants: summary.variants.iter().map(section).collect(),
        ratios: summary.ratios.iter().map(ratio_line).collect(),
        figures: of(None),
        cell_heads: CELL_HEADS,
        legend: words::legend(),
        notes: &summary.notes,
    }
}

fn sentences(variant: &VariantSummary) -> Vec<String> {
    let first = [words::undecided(variant), words::failures(variant), words::external(variant)].into_iter().flatten();
    first.chain(words::remarks(variant)).chain([words::client(variant)]).collect()
}

fn grid(panel: Panel) -> Grid {
    let what = panel.goal.unwrap_or(panel.measure);
    let within = if panel.within.is_empty() { String::new() } else { format!(" at {}", panel.within) };
    let corner = [panel.down, panel.across].into_iter().flatten().collect::<Vec<_>>().join(" \\ ");
    let place = |place: Place| GridPlace {
        class: match (place.n, place.passes) {
            (None, _) => "without",
            (Some(_), Some(true)) => "passes",
            (Some(_), Some(false)) => "fails",
            (Some(_), None) => "",
        },
        mark: place.mark(),
        word: place.verdict.map(Verdict::name),
        text: place.text,
        n: place.n,
        interval: place.interval,
    };
    let row = |row: PanelRow| GridRow { head: row.head, places: row.places.into_iter().map(|at| at.map(place)).collect() };
    Grid {
        caption: format!("{what}{within}, in {}", panel.unit),
        corner: if corner.is_empty() { "cell".to_owned() } else { corner },
        columns: panel.columns,
        rows: panel.rows.into_iter().map(row).collect(),
    }
}

const CELL_HEADS: [&str; 15] = [
    "cell",
    "state",
    "runs",
    "requests",
    "failed",
    "verdict",
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

fn row_of_cell(cell: &CellSummary) -> [String; 15] {
    let state = match &cell.state {
        CellState::Measured => "measured",
        CellState::Invalid { .. } => "invalid",
        CellState::Failed { .. } => "failed",
        CellState::Missing => "missing",
    };
    let (rates, success) = (&cell.rates, &cell.success_only);
    [
        show_axes(&cell.axes),
        state.to_owned(),
        format!("{} of {}", cell.runs, cell.planned_runs),
        cell.n.to_string(),
        cell.failed.to_string(),
        cell.verdict.map_or("-", Verdict::name).to_owned(),
        or_dash(rates.offered_qps),
        or_dash(rates.sent_qps),
        or_dash(rates.completed_qps),
        or_dash(rates.output_tokens_per_s),
        percent(rates.hit_rate),
        or_dash(success.ttft_p50_s),
        or_dash(success.ttft_p95_s),
        or_dash(success.ttft_p99_s),
        significant(cell.client.send_lag_p99_s * 1e3, 3),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture::{cell, published, sweep, uniform};
    use crate::analysis::{Question, summarize};
    use crate::record::Outcome;

    const GOAL: &str = "p95(ttft where turn >= 1) <= 2s";

    #[test]
    fn what_comes_from_outside_is_escaped_and_figures_are_not() {
        let mut saved = sweep(&[GOAL], &[cell("vllm", 1, 1, uniform(1, 1, 0.5))]);
        saved.manifest.name = "<script>alert(1)</script>".into();
        saved.runs[0].record.outcome = Outcome::Failed { reason: "\"><img src=x onerror=alert(2)>".into() };
        let summary = summarize(&saved, &Question::default()).unwrap();
        let figure = PageFigure { variant: Some("vllm".into()), svg: "<svg id=\"drawn\"></svg>".into() };
        let page = html(&summary, &[figure]).unwrap();
        assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
        assert!(page.contains("&lt;script&gt;") && page.contains("<svg id=\"drawn\"></svg>"));
    }

    #[test]
    fn the_page_says_what_the_terminal_says_and_needs_nothing_from_outside() {
        let cells: Vec<_> = published("vllm").into_iter().chain(published("lmcache")).collect();
        let page = html(&summarize(&sweep(&[GOAL], &cells), &Question::default()).unwrap(), &[]).unwrap();
        for text in ["SIMULATED", "vllm holds 12 sessions (C=4, S=3)", "lmcache holds 16 sessions (C=4, S=4)", "ratio 1.33", "42.5"] {
            assert!(page.contains(text), "{text}");
        }
        for outside in ["http://", "https://", "<link", "url(", "@import", "src="] {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}
