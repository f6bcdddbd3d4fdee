//! `bench plot`: one figure of a saved sweep, by any axes and any measure, as PNG or SVG.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::ExitReason;
use super::destination::folder_of;
use super::row_figures::{self, RowFigureError};
use crate::analysis::{SummaryOptions, summarize};
use crate::cli::{PlotArgs, VerbosityArgs};
use crate::presentation::plot::{FigureError, FigureSource, LabelledFigure, PlotOptions, draw, slug, to_png, two_measures};
use crate::records::store::read_sweep;
use crate::vocabulary::goal::{GoalError, Measure, MetricPopulation, SavedGoal};
use crate::vocabulary::spec::plot::{FigureKind, PlotLayout, PlotSubject};

/// Stands for the variant in the file's name.
const VARIANT: &str = "{variant}";

/// Writes the figures and says their paths, a line each.
pub fn run(args: &PlotArgs, _talk: VerbosityArgs) -> anyhow::Result<ExitReason> {
    let pictures = match wanted(args)? {
        Ok(pictures) => pictures,
        Err(fault) => {
            eprintln!("error: {fault}");
            return Ok(ExitReason::Usage);
        }
    };
    for picture in &pictures {
        let path = path_of(&args.output, picture);
        write(&path, picture)?;
        say(&path)?;
    }
    Ok(ExitReason::Success)
}

fn say(path: &Path) -> anyhow::Result<()> {
    match writeln!(std::io::stdout(), "{}", path.display()) {
        // Whoever reads has seen enough; the figures are still wanted.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        said => said.context("the paths of figures could not be printed"),
    }
}

/// What was asked for, or why it cannot be had: a fault of the command line.
fn wanted(args: &PlotArgs) -> anyhow::Result<Result<Vec<LabelledFigure>, String>> {
    if ImageFormat::of(&args.output).is_none() {
        return Ok(Err(format!("`{}` ends in neither `.png` nor `.svg`", args.output.display())));
    }
    if let Some(flag) = without_meaning(args) {
        let kind = args.kind.form().name;
        return Ok(Err(format!("`{flag}` says nothing to a `{kind}`; leave it out, or ask for another `--kind`")));
    }
    let sweep = read_sweep(&folder_of(&args.results)?)?;
    let source = match args.kind {
        FigureKind::OfSweep(kind) => FigureSource::of(kind),
        FigureKind::OfRun(kind) => return of_rows(row_figures::of_chosen_runs(&sweep, args, kind)),
    };
    let figures = match source {
        FigureSource::Summary(figures) => figures,
        FigureSource::Distributions(figure) => {
            let goal = sweep.manifest.goals.iter().filter_map(SavedGoal::goal).find_map(|goal| MetricPopulation::of(&goal.measure));
            let default = goal.map_or_else(|| "ttft".to_owned(), |population| population.to_string());
            return of_rows(row_figures::distribution(&sweep, args, &default, figure));
        }
    };
    let shown = match args.z.as_deref().map(str::parse::<Measure>).transpose() {
        Ok(shown) => shown,
        Err(error) => return Ok(Err(with_hint("-z", &error))),
    };
    let mut view = PlotOptions {
        x: args.x.clone(),
        y: args.y.clone(),
        facet: args.facet.clone(),
        title: args.title.clone(),
        variant: args.variant.clone(),
        without_bands: args.no_bands,
        limit: None,
    };
    let also = match args.kind.form().layout {
        PlotLayout::TwoMeasures => match two_measures(&view) {
            Ok(both) => both.into_iter().flat_map(|(x, y)| [x, y]).collect(),
            Err(fault) => return Ok(Err(fault.to_string())),
        },
        PlotLayout::TwoAxes | PlotLayout::OneAxis | PlotLayout::NoAxis => Vec::new(),
    };
    let summary = summarize(&sweep, &SummaryOptions { shown, also, ..SummaryOptions::default() })?;
    view.limit = match limit(args, &summary.shown) {
        Ok(limit) => limit,
        Err(error) => return Ok(Err(with_hint("--limit", &error))),
    };
    match figures(&summary, &view) {
        Ok(pictures) => Ok(all_have_their_own_file(&args.output, pictures)),
        Err(FigureError::Analysis(error)) => Err(error.into()),
        Err(fault) => Ok(Err(fault.to_string())),
    }
}

/// The first flag that was given and that this kind of figure does not know: it is better refused than not heeded.
fn without_meaning(args: &PlotArgs) -> Option<&'static str> {
    let form = args.kind.form();
    let over_axes = form.layout != PlotLayout::NoAxis;
    let has_subject = form.subject != PlotSubject::Fixed;
    let of_a_run = matches!(args.kind, FigureKind::OfRun(_));
    let flags = [
        ("-x", args.x.is_some(), over_axes),
        ("-y", args.y.is_some(), over_axes),
        ("-z", args.z.is_some(), has_subject),
        ("--facet", args.facet.is_some(), form.has_panels()),
        ("--limit", args.limit.is_some(), has_subject),
        ("--no-bands", args.no_bands, form.has_bands()),
        ("--cell", !args.cell.is_empty(), of_a_run || form.subject == PlotSubject::Population),
        ("--run", args.run.is_some(), of_a_run),
    ];
    flags.into_iter().find(|(_, given, has)| *given && !has).map(|(flag, ..)| flag)
}

fn of_rows(picture: Result<LabelledFigure, RowFigureError>) -> anyhow::Result<Result<Vec<LabelledFigure>, String>> {
    match picture {
        Ok(picture) => Ok(Ok(vec![picture])),
        Err(RowFigureError::Analysis(error)) => Err(error.into()),
        Err(fault) => Ok(Err(fault.to_string())),
    }
}

fn limit(args: &PlotArgs, measure: &Measure) -> Result<Option<f64>, GoalError> {
    args.limit.as_deref().map(|text| measure.parse_limit(text)).transpose()
}

fn with_hint(flag: &str, error: &GoalError) -> String {
    let hint = error.hint.as_ref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    format!("`{flag}`: {error}{hint}")
}

/// Pictures of several variants need the variant in their file's name.
pub(super) fn all_have_their_own_file(output: &Path, pictures: Vec<LabelledFigure>) -> Result<Vec<LabelledFigure>, String> {
    let files: BTreeSet<PathBuf> = pictures.iter().map(|picture| path_of(output, picture)).collect();
    if files.len() == pictures.len() {
        return Ok(pictures);
    }
    let variants: BTreeSet<String> = pictures.iter().filter_map(|picture| Some(format!("`{}`", picture.variant.as_ref()?))).collect();
    let variants = variants.into_iter().collect::<Vec<_>>().join(", ");
    Err(format!("{variants} would be written to the same file; put `{VARIANT}` into its name, or choose one with `--variant`"))
}

/// The picture's own file: the variant where its name says so, and what holds for this picture alone before the ending.
pub(super) fn path_of(output: &Path, picture: &LabelledFigure) -> PathBuf {
    let name = output.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (stem, ending) = name.rsplit_once('.').unwrap_or((&name, ""));
    let facet: Vec<String> = picture.facet.iter().map(|part| format!("-{}", slug(part))).collect();
    let variant = slug(picture.variant.as_deref().unwrap_or("all"));
    let folder = output.parent().map(|folder| folder.to_string_lossy().replace(VARIANT, &variant)).unwrap_or_default();
    Path::new(&folder).join(format!("{}{}.{ending}", stem.replace(VARIANT, &variant), facet.concat()))
}

pub(super) fn write(path: &Path, picture: &LabelledFigure) -> anyhow::Result<()> {
    let svg = draw(&picture.figure)?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs_err::create_dir_all(folder)?;
    }
    match ImageFormat::of(path) {
        Some(ImageFormat::Png) => fs_err::write(path, to_png(&svg)?)?,
        Some(ImageFormat::Svg) | None => fs_err::write(path, svg.text)?,
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ImageFormat {
    Png,
    Svg,
}

impl ImageFormat {
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_string_lossy().to_ascii_lowercase().as_str() {
            "png" => Some(Self::Png),
            "svg" => Some(Self::Svg),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, CliCommand};
    use crate::fixtures::sweeps::{published, save};

    const GOAL: &str = "p95(ttft where turn >= 1) <= 2s";

    fn args(dir: &Path, file: &str, more: &[&str]) -> PlotArgs {
        let results = dir.join("sweep");
        if !results.exists() {
            let mut cells = published("vllm");
            cells.extend(published("lmcache"));
            save(&results, &[GOAL], &cells);
        }
        let output = dir.join(file);
        let words = ["bench", "plot", results.to_str().unwrap(), "-o", output.to_str().unwrap()];
        match Cli::parse_from(words.into_iter().chain(more.iter().copied())).command {
            CliCommand::Plot(args) => args,
            other => panic!("{other:?}"),
        }
    }

    fn fault(dir: &Path, file: &str, more: &[&str]) -> String {
        wanted(&args(dir, file, more)).unwrap().unwrap_err()
    }

    #[test]
    fn a_figure_each_variant_is_written_in_the_form_that_its_ending_asks_for() {
        let dir = tempfile::tempdir().unwrap();
        let talk = VerbosityArgs { verbose: 0, quiet: false, no_color: true };
        assert_eq!(run(&args(dir.path(), "figures/{variant}.svg", &[]), talk).unwrap(), ExitReason::Success);
        for variant in ["vllm", "lmcache"] {
            let text = std::fs::read_to_string(dir.path().join(format!("figures/{variant}.svg"))).unwrap();
            assert!(text.starts_with("<svg") && text.contains(&format!("<title>{variant}: p95")));
        }
        assert_eq!(run(&args(dir.path(), "one.PNG", &["--variant", "vllm", "--limit", "500ms"]), talk).unwrap(), ExitReason::Success);
        assert!(std::fs::read(dir.path().join("one.PNG")).unwrap().starts_with(b"\x89PNG"));
    }

    #[test]
    fn what_holds_for_one_figure_alone_goes_into_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let args = args(dir.path(), "p50.svg", &["--kind", "curve", "-x", "concurrent", "-z", "p50(e2e)"]);
        let pictures = wanted(&args).unwrap().unwrap();
        let names: Vec<PathBuf> = pictures.iter().map(|picture| path_of(Path::new("p50.svg"), picture)).collect();
        assert_eq!(
            names,
            ["p50-sequential=1.svg", "p50-sequential=2.svg", "p50-sequential=3.svg", "p50-sequential=4.svg"].map(PathBuf::from)
        );
    }

    #[test]
    fn faults_say_what_there_is() {
        let dir = tempfile::tempdir().unwrap();
        assert!(fault(dir.path(), "both.png", &[]).contains("put `{variant}` into its name"));
        assert!(fault(dir.path(), "a.pdf", &[]).contains("neither `.png` nor `.svg`"));
        assert!(fault(dir.path(), "{variant}.png", &["-x", "speed"]).contains("`workload.concurrent`"));
        let unknown = fault(dir.path(), "{variant}.png", &["-z", "p95(latency)"]);
        assert!(unknown.contains("`latency` is not a metric") && unknown.contains("`ttft`"), "{unknown}");
        assert!(fault(dir.path(), "{variant}.png", &["--limit", "fast"]).starts_with("`--limit`"));
        let facet = fault(dir.path(), "a.png", &["--kind", "cdf", "--facet", "sequential"]);
        assert!(facet.starts_with("`--facet` says nothing to a `cdf`"), "{facet}");
        assert!(fault(dir.path(), "{variant}.png", &["--cell", "C=1"]).starts_with("`--cell` says nothing to a `heatmap`"));
    }

    #[test]
    fn the_same_sweep_gives_the_same_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let args = args(dir.path(), "{variant}.svg", &[]);
        let drawn = || wanted(&args).unwrap().unwrap().iter().map(|picture| draw(&picture.figure).unwrap().text).collect::<Vec<_>>();
        assert_eq!(drawn(), drawn());
    }
}
