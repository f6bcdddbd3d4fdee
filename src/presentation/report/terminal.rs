//! The report for a terminal of 80 columns: the table of each variant, its scores, what can be said and how surely.

use std::fmt::Write as _;

use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table, presets};

use super::cell_columns::{CellColumn, CellView, column};
use super::certainty::reversal_sentences;
use super::cost::cost_sentences;
use super::failure_text::failures;
use super::number::DisplayUnit;
use super::panel::{ReportPanel, ReportPanelCell, ReportPanelRow, panels};
use super::reconcile::{ReconciliationTable, reconciliation};
use super::score_sentences::verdict_sentences;
use super::server::{compact, compact_sources};
use super::standard_table::{narrow_table, standard_block};
use super::words;
use crate::analysis::{GoalVerdict, SweepSummary, VariantSummary, plain};

/// Whether verdicts are coloured too; marks stand for them in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColourMode {
    Never,
    Always,
}

const WIDTH: usize = 80;

/// Tables of more cells scroll away: the report's files have them.
const MOST_CELLS: usize = 400;
/// The same of sentences of one kind, as of the verdicts of many prompt lengths.
const MOST_SENTENCES: usize = 40;

/// The whole report as text.
#[must_use]
pub fn terminal(summary: &SweepSummary, colour: ColourMode) -> String {
    let mut out = String::new();
    if summary.simulated {
        paragraph(&mut out, words::SIMULATED);
    }
    if let Some(imported) = words::imported(summary) {
        paragraph(&mut out, &imported);
    }
    paragraph(&mut out, &format!("{}: {}", summary.name, words::runs(summary)));
    if let Some(letters) = words::letters(summary) {
        paragraph(&mut out, letters);
    }
    for variant in &summary.variants {
        out.push('\n');
        of_variant(&mut out, summary, variant, colour);
    }
    if !summary.ratios.is_empty() {
        out.push('\n');
    }
    listed(
        &mut out,
        summary.ratios.iter().flat_map(|ratio| {
            let remarks = ratio.remarks.0.iter().map(|remark| format!("note: {remark}"));
            std::iter::once(words::ratio_sentence(summary, ratio)).chain(remarks)
        }),
    );
    out.push('\n');
    paragraph(&mut out, &words::legend());
    for note in summary.notes.words().chain(words::lacks(summary)) {
        paragraph(&mut out, &format!("note: {note}"));
    }
    out
}

fn of_variant(out: &mut String, summary: &SweepSummary, variant: &VariantSummary, colour: ColourMode) {
    let cells = variant.cells.len();
    let is_tabled = cells <= MOST_CELLS;
    if is_tabled {
        cell_tables(out, summary, variant, colour);
    } else {
        paragraph(out, &format!("{}: {cells} cells, too many for a terminal: the report's page, Markdown and CSV have them", variant.name));
    }
    let lines = words::score_lines(variant);
    let width = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    listed(out, lines.into_iter().map(|(name, text)| format!("{name}{}  {text}", " ".repeat(width - name.chars().count()))));
    listed(out, verdict_sentences(variant).into_iter().map(|sentence| format!("verdict: {sentence}")));
    listed(out, reversal_sentences(variant));
    listed(out, words::exposed(variant));
    listed(out, words::limit_sentences(variant));
    standard(out, summary, variant, colour);
    listed(out, cost_sentences(variant));
    if is_tabled {
        server(out, summary, variant, colour);
    }
    let rest = [words::external(variant), words::undecided(variant), failures(variant)];
    for sentence in rest.into_iter().flatten() {
        paragraph(out, &sentence);
    }
    listed(out, words::remarks(variant).into_iter().map(|remark| format!("note: {remark}")));
    if summary.imported.is_none() {
        paragraph(out, &words::client(variant));
    }
    if let Some(found) = reconciliation(variant) {
        reconcile(out, &found);
    }
}

fn cell_tables(out: &mut String, summary: &SweepSummary, variant: &VariantSummary, colour: ColourMode) {
    for panel in panels(summary, variant) {
        paragraph(out, &heading(variant, &panel));
        for table in tables(&panel, summary, variant, colour) {
            out.push_str(&table);
            out.push('\n');
        }
    }
}

/// Sentences of one kind, a paragraph each; of very many the first, and how many more there are.
fn listed(out: &mut String, sentences: impl IntoIterator<Item = String>) {
    let mut sentences = sentences.into_iter();
    for sentence in sentences.by_ref().take(MOST_SENTENCES) {
        paragraph(out, &sentence);
    }
    let more = sentences.count();
    if more > 0 {
        paragraph(out, &format!("and {more} more like these: the report's page and Markdown have them"));
    }
}

/// What every load test prints: one cell as a block, a few over one axis as a table; of others the page, Markdown and CSV have it.
fn standard(out: &mut String, summary: &SweepSummary, variant: &VariantSummary, colour: ColourMode) {
    for line in standard_block(summary, variant).into_iter().flatten() {
        let _ = writeln!(out, "{}", plain(&line));
    }
    let is_list = summary.axes.len() == 1;
    if let Some(found) = narrow_table(summary, variant).filter(|_| is_list) {
        paragraph(out, &format!("{}: all measured requests; latencies in ms", variant.name));
        let mut table = new_table(colour);
        table.set_header(found.heads);
        for row in found.rows {
            table.add_row(row);
        }
        let _ = writeln!(out, "{}", trimmed(&table));
    }
}

/// The definitions themselves are in the other formats: here a line has room for its numbers.
fn reconcile(out: &mut String, found: &ReconciliationTable) {
    paragraph(out, &found.heading);
    for [tool, _, n, p50, p95, p99] in &found.rows {
        let _ = writeln!(out, "  {tool:<21} p50 {p50:<9} p95 {p95:<9} p99 {p99:<9} n={n}");
    }
}

/// What the server told, where it was watched: the first goal's tables once more, with other contents.
fn server(out: &mut String, summary: &SweepSummary, variant: &VariantSummary, colour: ColourMode) {
    if variant.cells.iter().all(|cell| cell.server.samples == 0) {
        return;
    }
    let told = |place: Option<&ReportPanelCell>| {
        let cell = place.and_then(|place| variant.cells.get(place.cell));
        cell.map_or_else(|| "-".to_owned(), |cell| compact(cell).join("\n"))
    };
    let first = summary.goals.first();
    for panel in panels(summary, variant).iter().filter(|panel| first.is_none() || panel.goal.as_ref() == first) {
        let within = if panel.within.is_empty() { String::new() } else { format!(" at {}", panel.within) };
        let name = &variant.name;
        paragraph(
            out,
            &format!("{name}{within}: prompt tokens from device / external cache, computed a run; most waiting; most KV in use"),
        );
        for table in grids(panel, colour, &told) {
            out.push_str(&table);
            out.push('\n');
        }
    }
    if let Some(sources) = compact_sources(variant) {
        paragraph(out, &sources);
    }
}

fn heading(variant: &VariantSummary, panel: &ReportPanel) -> String {
    let what = panel.subject();
    let within = if panel.within.is_empty() { String::new() } else { format!(" at {}", panel.within) };
    format!("{}{within}: {what}, in {}", variant.name, panel.unit)
}

/// A panel as one table, or as several ranges of columns where it is too wide for the page.
fn tables(panel: &ReportPanel, summary: &SweepSummary, variant: &VariantSummary, colour: ColourMode) -> Vec<String> {
    if panel.across.is_none() {
        return vec![list(panel, summary, variant, colour)];
    }
    grids(panel, colour, &content)
}

/// What stands in a place of a table.
type Content<'a> = &'a dyn Fn(Option<&ReportPanelCell>) -> String;

fn grids(panel: &ReportPanel, colour: ColourMode, content: Content<'_>) -> Vec<String> {
    let width = |place: Option<&ReportPanelCell>| content(place).lines().map(|line| line.chars().count()).max().unwrap_or(0);
    let longest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
    let heads = longest(&mut panel.rows.iter().map(|row| row.head.chars().count())).max(panel.corner().chars().count());
    let places = panel.rows.iter().flat_map(|row| &row.places).map(|place| width(place.as_ref()));
    let widest = longest(&mut places.chain(panel.columns.iter().map(|column| column.chars().count())));
    // A column costs a border and a space on either side.
    let fitting = WIDTH.saturating_sub(heads + 4) / (widest + 3);
    let columns: Vec<usize> = (0..panel.columns.len()).collect();
    columns.chunks(fitting.max(1)).map(|columns| grid(panel, columns, colour, content)).collect()
}

/// Value, mark and n, and below them how it grows, and the interval.
fn content(place: Option<&ReportPanelCell>) -> String {
    let Some(place) = place else { return "-".to_owned() };
    let n = place.n.map(|n| format!("n={n}")).unwrap_or_default();
    let words = [place.text.as_str(), place.mark(), n.as_str()];
    let value = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    // In two lines, since columns are narrow.
    let growth = place.growth.as_ref().map(|growth| growth.replacen(" by ", "\nby ", 1));
    growth.iter().chain(&place.interval).fold(value, |value, line| format!("{value}\n{line}"))
}

fn grid(panel: &ReportPanel, columns: &[usize], colour: ColourMode, content: Content<'_>) -> String {
    let mut table = new_table(colour);
    table.set_header(std::iter::once(panel.corner()).chain(columns.iter().filter_map(|column| panel.columns.get(*column).cloned())));
    for row in &panel.rows {
        let places = columns.iter().map(|column| {
            let place = row.places.get(*column).and_then(Option::as_ref);
            coloured(Cell::new(content(place)), place, colour)
        });
        table.add_row(std::iter::once(Cell::new(&row.head)).chain(places));
    }
    trimmed(&table)
}

/// What went through a cell, under heads that 80 columns have room for.
const THROUGHPUT: [(&str, &CellColumn); 3] =
    [("sent/s", column("sent_qps")), ("done/s", column("completed_qps")), ("cached", column("hit_rate"))];

/// One axis or none: a row a cell, with room for what went through.
fn list(panel: &ReportPanel, summary: &SweepSummary, variant: &VariantSummary, colour: ColourMode) -> String {
    let mut table = new_table(colour);
    let corner = panel.corner();
    let heads = [corner.as_str(), panel.unit, "95 % interval", "n", "verdict"];
    table.set_header(heads.into_iter().chain(THROUGHPUT.map(|(head, _)| head)));
    for ReportPanelRow { head, places } in &panel.rows {
        let Some(place) = places.first().and_then(Option::as_ref) else { continue };
        let Some(cell) = variant.cells.get(place.cell) else { continue };
        let view = CellView { summary, variant, cell, judgement: None, scale: DisplayUnit::BASE };
        let place = [
            Cell::new(head),
            coloured(Cell::new(grown(place)), Some(place), colour),
            Cell::new(place.interval.as_deref().unwrap_or("-")),
            Cell::new(place.n.map_or_else(|| "-".to_owned(), |n| n.to_string())),
            Cell::new(place.verdict.map_or("-", GoalVerdict::name)),
        ];
        table.add_row(place.into_iter().chain(THROUGHPUT.map(|(_, column)| Cell::new((column.value)(&view).shown()))));
    }
    trimmed(&table)
}

/// A value, and below it how it grows.
fn grown(place: &ReportPanelCell) -> String {
    place.growth.as_ref().map_or_else(|| place.text.clone(), |growth| format!("{}\n{}", place.text, growth.replacen(" by ", "\nby ", 1)))
}

pub(super) fn new_table(colour: ColourMode) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(WIDTH).unwrap_or(80));
    match colour {
        ColourMode::Never => table.force_no_tty(),
        ColourMode::Always => table.enforce_styling(),
    };
    table
}

fn coloured(cell: Cell, place: Option<&ReportPanelCell>, colour: ColourMode) -> Cell {
    let fits = place.and_then(|place| place.passes);
    match (colour, fits) {
        (ColourMode::Never, _) | (_, None) => cell,
        (ColourMode::Always, Some(true)) => cell.fg(Color::Green),
        (ColourMode::Always, Some(false)) => cell.fg(Color::Red).add_attribute(Attribute::Bold),
    }
}

pub(super) fn trimmed(table: &Table) -> String {
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// A sentence broken at words, so that no line is longer than the page; further lines are set in.
pub fn paragraph(out: &mut String, text: &str) {
    indented(out, 0, text);
}

/// The same, set in by so many columns as a whole.
pub(super) fn indented(out: &mut String, columns: usize, text: &str) {
    let indent = " ".repeat(columns);
    out.push_str(&indent);
    let mut length = 0;
    for word in plain(text).split(' ') {
        let width = word.chars().count();
        if length > 0 && columns + length + 1 + width > WIDTH {
            let _ = write!(out, "\n{indent}  ");
            length = 2;
        } else if length > 0 {
            out.push(' ');
            length += 1;
        }
        out.push_str(word);
        length += width;
    }
    let _ = writeln!(out);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::analysis::{SummaryOptions, summarize};
    use crate::fixtures::sweeps::{answered, cell, failed, published, sweep, told, uniform};
    use crate::records::record::{CacheCheck, CacheEvidence, FailureKind, RunFailure, RunFailureCause, RunOutcome};
    use crate::records::store::SavedSamples;

    const GOAL: &str = "p95(ttft where turn >= 1) <= 2s";

    fn shown(goals: &[&str], cells: &[crate::fixtures::sweeps::Cell]) -> String {
        let text = terminal(&summarize(&sweep(goals, cells), &SummaryOptions::default()).unwrap(), ColourMode::Never);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        text
    }

    #[test]
    fn the_published_tables_read_as_they_were_published() {
        let mut cells = published("vllm");
        cells.extend(published("lmcache"));
        insta::assert_snapshot!(shown(&[GOAL], &cells));
    }

    #[test]
    fn what_has_no_result_is_a_word_with_its_reason() {
        let mut cells: Vec<_> = (1..=4).map(|s| cell("vllm", 2, s, uniform(2, s, 0.5))).collect();
        cells[1].cache_contract = CacheCheck::Failed(CacheEvidence::Text("the canary prompt brought 512 cached tokens".into()));
        cells[2].outcome = RunOutcome::Failed(RunFailure::new(RunFailureCause::Cell, "the server said \u{1b}[31mno\u{1b}[0m".into()));
        cells[3].records = (0..40).map(|session| failed(session, 1, FailureKind::TimeoutFirstToken)).collect();
        insta::assert_snapshot!(shown(&[GOAL, "error_rate <= 1%"], &cells));
    }

    #[test]
    fn one_axis_is_a_list_with_rates() {
        let at = |qps: f64, ttft| {
            let mut cell = cell("vllm", 1, 1, (0..60).map(|session| answered(session, 1, ttft)).collect());
            cell.axes = vec![("workload.qps".into(), json!(qps))];
            cell
        };
        insta::assert_snapshot!(shown(&["p95(ttft) <= 500ms"], &[at(0.5, 0.2), at(2.0, 0.500_4)]));
    }

    #[test]
    fn a_sweep_without_axes_has_a_row_for_all_and_no_empty_head() {
        let mut only = cell("vllm", 1, 1, (0..60).map(|session| answered(session, 1, 0.2)).collect());
        only.axes = Vec::new();
        let mut saved = sweep(&["p95(ttft) <= 500ms"], &[only]);
        saved.runs[0].samples = SavedSamples::Held(told(16_000.0, 0.0, 0.0, 0.0).into());
        insta::assert_snapshot!(terminal(&summarize(&saved, &SummaryOptions::default()).unwrap(), ColourMode::Never));
    }

    #[test]
    fn what_servers_told_stands_below_the_scores_and_a_cache_that_brings_nothing_is_exposed() {
        let mut cells = Vec::new();
        for variant in ["vllm", "lmcache"] {
            cells.extend([cell(variant, 1, 4, uniform(1, 4, 0.5)), cell(variant, 1, 8, uniform(1, 8, 5.0))]);
            for record in cells.last_mut().into_iter().flat_map(|cell| &mut cell.records) {
                record.cached_tokens = Some(0);
            }
        }
        cells.push(cell("lmcache", 2, 8, uniform(2, 8, 5.0)));
        cells[4].cache_contract = CacheCheck::Failed(CacheEvidence::Text("the canary prompt brought 512 cached tokens".into()));
        let mut saved = sweep(&[GOAL], &cells);
        for (run, hits) in saved.runs.iter_mut().zip([10_800.0, 0.0, 10_800.0, 0.0, 0.0]) {
            let asked = if run.record.header.variant == "lmcache" { 16_000.0 - hits } else { 0.0 };
            run.samples = SavedSamples::Held(told(16_000.0 - hits, hits, 0.0, asked).into());
        }
        let summary = summarize(&saved, &SummaryOptions::default()).unwrap();
        let text = terminal(&summary, ColourMode::Never);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        insta::assert_snapshot!(text);
        // The other formats say the same.
        let exposed = "lmcache reused nothing: 0 of 21,200 prompt tokens asked came from the external cache";
        let page = crate::report::html(&summary, &crate::report::PageParts::default()).unwrap();
        for other in [crate::report::markdown(&summary), page.clone(), crate::report::json(std::slice::from_ref(&summary))] {
            assert!(other.contains(exposed) && other.contains("invalid"), "{other}");
        }
        assert_eq!(page.matches(exposed).count(), 3, "at the top, beside the ratio and in its section");
        insta::assert_snapshot!("csv_of_what_servers_told", crate::report::csv(&[summary]).unwrap());
    }

    #[test]
    fn a_wide_matrix_is_split_and_stays_on_the_page() {
        let cells: Vec<_> = (1..=20).map(|s| cell("vllm", 1, s, uniform(1, s, 0.5))).collect();
        let text = shown(&[GOAL], &cells);
        assert_eq!(text.matches("C \\ S").count(), 5, "{text}");
    }

    #[test]
    fn what_would_scroll_away_is_left_to_the_files_and_said() {
        let few: Vec<_> = (1..=20).flat_map(|c| (1..=20).map(move |s| cell("vllm", c, s, uniform(c, s, 0.5)))).collect();
        let text = shown(&[GOAL], &few);
        assert!(text.contains("C \\ S") && !text.contains("too many for a terminal"), "{text}");
        let many: Vec<_> = few.into_iter().chain([cell("vllm", 21, 1, uniform(21, 1, 0.5))]).collect();
        let text = shown(&[GOAL], &many);
        assert!(text.contains("vllm: 401 cells, too many for a terminal") && !text.contains("C \\ S"), "{text}");
        assert!(text.contains("verdict: "), "{text}");

        let mut out = String::new();
        listed(&mut out, (1..=43).map(|number| format!("verdict: {number}")));
        assert!(out.contains("verdict: 40\n") && !out.contains("verdict: 41") && out.contains("and 3 more like these"), "{out}");
    }

    #[test]
    fn without_goals_there_is_a_value_and_no_verdict() {
        let text = shown(&[], &[cell("vllm", 1, 1, uniform(1, 1, 0.5))]);
        assert!(text.contains("p95(ttft where turn >= 1), in ms") && text.contains("500 n=3") && !text.contains("verdict"), "{text}");
    }
}
