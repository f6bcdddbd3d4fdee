//! `bench predict`: what a fitted engine says of the cells of a scenario.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::engine_section::changed;
use super::plot::{ImageFormat, all_have_their_own_file, path_of, write};
use super::scenarios::{options, plans_with};
use super::{ExitReason, measuring, stdout};
use crate::analysis::{AxisSummary, SummaryOptions, SweepForecast, summarize};
use crate::cli::{PredictArgs, VerbosityArgs};
use crate::execution::twin::{TwinFile, TwinPrediction, predict};
use crate::planning::plan::Plan;
use crate::planning::scenario::ScenarioOverrides;
use crate::prediction::prediction_text;
use crate::presentation::plot::figure::{heatmaps, largest_loads};
use crate::presentation::plot::{LabelledFigure, PlotFigure, PlotOptions};
use crate::records::store::SavedSweep;

pub fn run(args: &PredictArgs, talk: VerbosityArgs) -> anyhow::Result<ExitReason> {
    if let Some(file) = args.output.as_ref().filter(|file| ImageFormat::of(file).is_none()) {
        eprintln!("error: `{}` ends in neither `.png` nor `.svg`", file.display());
        return Ok(ExitReason::Usage);
    }
    let twin = TwinFile::read(&args.twin)?;
    // What is said of the engine is said of the fitted one.
    let (of_engine, of_scenario): (Vec<String>, Vec<String>) =
        args.scenario.set.iter().cloned().partition(|change| change.trim_start().starts_with("engine."));
    let changes: Vec<&str> = of_engine.iter().filter_map(|change| change.trim_start().strip_prefix("engine.")).collect();
    let engine = changed(&twin.engine, &changes)?;
    let overrides = ScenarioOverrides { set: of_scenario, simulate: true, url: None, ..options(&args.scenario) };
    let Some(plans) = plans_with(&args.scenario.scenarios, &overrides, talk)? else { return Ok(ExitReason::Usage) };
    let mut figures = Vec::new();
    for plan in &plans {
        let progress = |done: usize, cells: usize| {
            if talk.verbose > 0 {
                eprintln!("cell {} of {cells}", done + 1);
            }
        };
        let prediction = predict(plan, &twin, &engine, progress)?;
        let text =
            if args.json { serde_json::to_string_pretty(&prediction)? + "\n" } else { prediction_text(plan, &twin, &changes, &prediction) };
        stdout::print(&text)?;
        if args.output.is_some() {
            figures.extend(pictures(plan, &prediction, prediction.forecast(&twin, &changes))?);
        }
    }
    match &args.output {
        Some(output) => written(output, figures),
        None => Ok(ExitReason::Success),
    }
}

/// The heatmaps of a sweep of which nothing was measured, and the largest loads over the axes that ask what if.
fn pictures(plan: &Plan, prediction: &TwinPrediction, forecast: SweepForecast) -> anyhow::Result<Vec<LabelledFigure>> {
    let manifest = plan.manifest(Timestamp::now(), measuring::client(plan));
    let variant = forecast.cells.first().map(|cell| cell.variant.clone()).filter(|_| plan.variants.len() > 1);
    let subtitle = format!("{} · {}", plan.name, forecast.origin.in_short());
    let missing = manifest.runs.clone();
    let unmeasured = SavedSweep { dir: PathBuf::new(), manifest, runs: Vec::new(), missing, notes: Vec::new() };
    let summary = summarize(&unmeasured, &SummaryOptions { forecast: Some(forecast), ..SummaryOptions::default() })?;
    let mut figures = heatmaps(&summary, &PlotOptions { variant: variant.clone(), ..PlotOptions::default() })?;
    let axes: Vec<AxisSummary> =
        plan.axes.iter().map(|(name, values)| AxisSummary { name: name.clone(), values: values.clone() }).collect();
    let title = "largest C×S that meets all goals";
    let largest = largest_loads(title, &subtitle, &axes, &prediction.largest_loads).map(PlotFigure::Heatmap);
    figures.extend(largest.map(|figure| LabelledFigure { figure, variant, facet: vec!["largest".to_owned()] }));
    Ok(figures)
}

fn written(output: &Path, figures: Vec<LabelledFigure>) -> anyhow::Result<ExitReason> {
    let figures = match all_have_their_own_file(output, figures) {
        Ok(figures) => figures,
        Err(fault) => {
            eprintln!("error: {fault}");
            return Ok(ExitReason::Usage);
        }
    };
    for figure in &figures {
        let path = path_of(output, figure);
        write(&path, figure)?;
        stdout::print(&format!("{}\n", path.display()))?;
    }
    Ok(ExitReason::Success)
}
