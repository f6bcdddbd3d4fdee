//! `bench report`: tables, scores, verdicts, pictures and a page, from saved runs alone. Also how `bench sweep` and `bench run` end.
//!
//! Exit codes go by the plain values, as the published scores do: 1 where some variant has no cell that passes all goals. Whether that is
//! sure at 95 % stands in the report; a nightly run of few requests must not fail for being short. 3 comes before 1: where cells failed
//! or were invalid, a missed goal may be their doing. It is also 3 where not one request succeeded.

use std::io::{ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use fs_err as fs;

use super::destination::{SweepDestination, folder_of, send_report};
use super::page_opener::open_page;
use super::report_watch::{WatchedReport, watch};
use super::twin_guidance::forecast;
use super::{ExitReason, figures, worst};
use crate::analysis::compare::{CompareOptions, SavedVariant, VariantComparison, compare};
use crate::analysis::{SummaryOptions, SweepSummary, summarize};
use crate::cli::{OutputFormat, ReportArgs, ReportFormat, VerbosityArgs};
use crate::presentation::plot::measures_of_plots;
use crate::presentation::report::{ColourMode, PageParts, csv, environment, html, json, markdown, open_metrics, terminal};
use crate::records::bucket::ResultsAddress;
use crate::records::store::{SavedSweep, read_sweep, report_folder, scenario_text, write_derived};
use crate::vocabulary::goal::Goal;

/// The page's file among those of a report.
const PAGE: &str = "report.html";

/// What a report is to be.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportOptions {
    /// Goals that replace the scenario's.
    pub goals: Vec<Goal>,
    /// What is printed on stdout.
    pub format: ReportFormat,
    /// Where the files go; `report/` in the sweep's folder where it is missing.
    pub output: Option<PathBuf>,
    /// How often the page reloads itself, where it is watched.
    pub reload: Option<Duration>,
    /// What predicts the cells that were not measured.
    pub twin: Option<PathBuf>,
}

impl Default for ReportOptions {
    fn default() -> Self {
        Self { goals: Vec::new(), format: ReportFormat::Text, output: None, reload: None, twin: None }
    }
}

impl From<OutputFormat> for ReportFormat {
    fn from(format: OutputFormat) -> Self {
        match format {
            OutputFormat::Text => Self::Text,
            OutputFormat::Json => Self::Json,
        }
    }
}

pub fn run(args: &ReportArgs, talk: VerbosityArgs) -> anyhow::Result<ExitReason> {
    let Some(goals) = goals(&args.goals) else { return Ok(ExitReason::Usage) };
    let options = |dir: &Path| ReportOptions {
        goals: goals.clone(),
        format: args.format,
        output: folder(args, dir),
        twin: args.twin.clone(),
        ..ReportOptions::default()
    };
    if args.watch {
        let [ResultsAddress::Folder(dir)] = args.results.as_slice() else {
            eprintln!("error: `--watch` follows one sweep in a folder of this machine; name its folder alone");
            return Ok(ExitReason::Usage);
        };
        let WatchedReport { summary, interrupted } = watch(dir, &options(dir), args.open, talk.quiet)?;
        let reason = if interrupted { ExitReason::Interrupted } else { exit(&summary) };
        print(&[summary], args.format, talk)?;
        return Ok(reason);
    }
    let folders = args.results.iter().map(folder_of).collect::<anyhow::Result<Vec<PathBuf>>>()?;
    let mut summaries = Vec::new();
    for dir in &folders {
        summaries.push(report_sweep(dir, &options(dir))?);
    }
    print(&summaries, args.format, talk)?;
    if args.open {
        for dir in &folders {
            open_page(&report_page(dir, &options(dir))?);
        }
    }
    // Beside the runs, as in a folder, unless another place was named.
    let beside = args.results.iter().zip(&folders).filter(|_| args.output.is_none());
    let sent = beside.map(|(address, dir)| send_report(address, dir));
    Ok(worst(summaries.iter().map(exit).chain(sent)))
}

/// Reports a sweep that has just been run: its files, its text on stdout, and how the command is to end.
pub(super) fn finish(destination: &SweepDestination, options: &ReportOptions, talk: VerbosityArgs) -> anyhow::Result<ExitReason> {
    let summary = report_sweep(destination.dir(), options)?;
    let exit = exit(&summary);
    print(&[summary], options.format, talk)?;
    if !talk.quiet {
        eprintln!("report and pictures: {}", destination.address().join("report"));
    }
    Ok(exit)
}

/// Judges a saved sweep and writes its report's files.
pub fn report_sweep(dir: &Path, options: &ReportOptions) -> anyhow::Result<SweepSummary> {
    let sweep = read_sweep(dir)?;
    let also = measures_of_plots(&sweep.manifest.plots);
    let forecast = options.twin.as_deref().map(|twin| forecast(&sweep, twin, &options.goals)).transpose()?;
    let question = SummaryOptions { goals: options.goals.clone(), also, forecast, ..SummaryOptions::default() };
    let summary = summarize(&sweep, &question).with_context(|| format!("`{}` cannot be judged", dir.display()))?;
    let folder = files_folder(dir, options)?;
    fs::create_dir_all(&folder)?;
    let figures = figures::write(&sweep, &summary, &question, &folder)?;
    let (scenario, environment) = (scenario_text(dir, &sweep.manifest)?, environment(&sweep));
    let comparisons = against_the_first(&sweep, &options.goals);
    let comparisons = (!comparisons.is_empty()).then_some(comparisons.as_slice());
    let parts =
        PageParts { figures: &figures, comparisons, scenario: scenario.as_deref(), environment: &environment, reload: options.reload };
    write_derived(&folder.join(PAGE), html(&summary, &parts)?)?;
    write_derived(&folder.join("report.md"), markdown(&summary))?;
    write_derived(&folder.join("cells.csv"), csv(std::slice::from_ref(&summary))?)?;
    write_derived(&folder.join("summary.json"), json(std::slice::from_ref(&summary)))?;
    Ok(summary)
}

fn files_folder(dir: &Path, options: &ReportOptions) -> anyhow::Result<PathBuf> {
    Ok(match &options.output {
        Some(folder) => folder.clone(),
        None => report_folder(dir)?,
    })
}

/// Where the page of a report lies, by its full path.
pub(super) fn report_page(dir: &Path, options: &ReportOptions) -> anyhow::Result<PathBuf> {
    Ok(fs::canonicalize(files_folder(dir, options)?.join(PAGE))?)
}

/// Each variant against the first. What cannot be compared is said, and the report goes on without it.
fn against_the_first(sweep: &SavedSweep, goals: &[Goal]) -> Vec<VariantComparison> {
    let options = CompareOptions { goals: goals.to_vec(), ..CompareOptions::default() };
    let Some((first, others)) = sweep.manifest.variants.split_first() else { return Vec::new() };
    let against = |other: &String| match compare(&SavedVariant { sweep, variant: first }, &SavedVariant { sweep, variant: other }, &options)
    {
        Ok(comparison) => Some(comparison),
        Err(fault) => {
            eprintln!("warning: `{other}` is not compared with `{first}`: {fault}");
            None
        }
    };
    others.iter().filter_map(against).collect()
}

/// How a command ends that has made this summary.
pub fn exit(summary: &SweepSummary) -> ExitReason {
    let passes = |variant: &crate::analysis::VariantSummary| variant.cells.iter().any(|cell| cell.passes == Some(true));
    if summary.runs.failed + summary.runs.invalid > 0 || nothing_succeeded(summary) {
        ExitReason::CellsFailed
    } else if !summary.goals.is_empty() && !summary.variants.iter().all(passes) {
        ExitReason::GoalsMissed
    } else {
        ExitReason::Success
    }
}

/// Whether every request of the sweep failed.
fn nothing_succeeded(summary: &SweepSummary) -> bool {
    let cells = || summary.variants.iter().flat_map(|variant| &variant.cells);
    cells().any(|cell| cell.n > 0) && cells().all(|cell| cell.failed == cell.n)
}

/// The goals of the command line; all faults are told at once.
pub(super) fn goals(texts: &[String]) -> Option<Vec<Goal>> {
    let mut goals = Vec::new();
    for text in texts {
        match text.parse::<Goal>() {
            Ok(goal) => goals.push(goal),
            Err(fault) => {
                let place = " ".repeat(text.get(..fault.offset).map_or(0, |before| before.chars().count()));
                eprintln!("error: {fault}\n  {text}\n  {place}^");
                if let Some(hint) = fault.hint {
                    eprintln!("hint: {hint}");
                }
            }
        }
    }
    (goals.len() == texts.len()).then_some(goals)
}

/// The folder that `--output` asks for: its own where there is one sweep, one for each in it where there are several.
fn folder(args: &ReportArgs, dir: &Path) -> Option<PathBuf> {
    let output = args.output.as_ref()?;
    let name = dir.file_name().filter(|_| args.results.len() > 1);
    Some(name.map_or_else(|| output.clone(), |name| output.join(name)))
}

fn print(summaries: &[SweepSummary], format: ReportFormat, talk: VerbosityArgs) -> anyhow::Result<()> {
    let joined = |text: &dyn Fn(&SweepSummary) -> String| summaries.iter().map(text).collect::<Vec<_>>().join("\n");
    let text = match format {
        ReportFormat::Text => joined(&|summary| terminal(summary, colour(talk))),
        ReportFormat::Markdown => joined(&markdown),
        ReportFormat::Csv => csv(summaries)?,
        ReportFormat::Json => json(summaries),
        ReportFormat::Openmetrics => open_metrics(summaries),
    };
    match std::io::stdout().write_all(text.as_bytes()) {
        // Whoever reads has seen enough: `bench report X | head`.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("the report could not be printed; its files are written"),
    }
}

fn colour(talk: VerbosityArgs) -> ColourMode {
    let unwanted = talk.no_color || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if unwanted || !std::io::stdout().is_terminal() { ColourMode::Never } else { ColourMode::Always }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::sweeps::{Cell, cell, save, uniform};
    use crate::records::record::{CacheCheck, CacheEvidence, RunFailure, RunFailureCause, RunOutcome};

    const GOAL: &str = "p95(ttft where turn >= 1) <= 2s";

    fn reported(cells: &[Cell]) -> (tempfile::TempDir, SweepSummary) {
        let dir = tempfile::tempdir().unwrap();
        save(dir.path(), &[GOAL], cells);
        let summary = report_sweep(dir.path(), &ReportOptions::default()).unwrap();
        (dir, summary)
    }

    fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files: Vec<_> = std::fs::read_dir(dir.join("report")).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.into_iter().map(|file| (file.clone(), std::fs::read(file).unwrap())).collect()
    }

    #[test]
    fn a_deleted_report_is_made_again_byte_for_byte() {
        let (dir, _) = reported(&[cell("vllm", 1, 1, uniform(1, 1, 0.5)), cell("vllm", 1, 2, uniform(1, 2, 3.0))]);
        let first = files(dir.path());
        assert!(first.len() >= 4);
        std::fs::remove_dir_all(dir.path().join("report")).unwrap();
        report_sweep(dir.path(), &ReportOptions::default()).unwrap();
        assert!(first == files(dir.path()));
    }

    #[test]
    fn pictures_stand_beside_the_page_and_on_it() {
        let (dir, _) = reported(&[cell("vllm", 1, 1, uniform(1, 1, 0.5)), cell("vllm", 1, 2, uniform(1, 2, 3.0))]);
        let report = dir.path().join("report");
        assert!(std::fs::read(report.join("heatmap-vllm.png")).unwrap().starts_with(b"\x89PNG"));
        let svg = std::fs::read_to_string(report.join("heatmap-vllm.svg")).unwrap();
        assert!(std::fs::read_to_string(report.join("report.html")).unwrap().contains(svg.trim()));
    }

    #[test]
    fn the_exit_code_says_whether_every_variant_has_a_passing_cell() {
        let fine = || cell("vllm", 1, 1, uniform(1, 1, 0.5));
        let slow = || cell("lmcache", 1, 1, uniform(1, 1, 3.0));
        assert_eq!(exit(&reported(&[fine(), cell("vllm", 1, 2, uniform(1, 2, 3.0))]).1), ExitReason::Success);
        assert_eq!(exit(&reported(&[fine(), slow()]).1), ExitReason::GoalsMissed);
        let mut failed = cell("lmcache", 1, 1, Vec::new());
        failed.outcome = RunOutcome::Failed(RunFailure::new(RunFailureCause::Cell, "the server did not become ready".into()));
        assert_eq!(exit(&reported(&[fine(), failed]).1), ExitReason::CellsFailed);
        let mut warm = slow();
        warm.cache_contract = CacheCheck::Failed(CacheEvidence::Text("the canary prompt brought 512 cached tokens".into()));
        assert_eq!(exit(&reported(&[fine(), warm]).1), ExitReason::CellsFailed);
    }

    #[test]
    fn other_goals_judge_again_what_is_saved() {
        let (dir, summary) = reported(&[cell("vllm", 1, 1, uniform(1, 1, 0.5))]);
        assert_eq!(exit(&summary), ExitReason::Success);
        let strict = ReportOptions { goals: vec!["max(ttft) <= 1ms".parse().unwrap()], ..ReportOptions::default() };
        assert_eq!(exit(&report_sweep(dir.path(), &strict).unwrap()), ExitReason::GoalsMissed);
    }
}
