//! The figures of `bench plot` that are made of saved rows and not of a summary: distributions, and those of one run.

use crate::analysis::{CellSelector, CellSelectorError, CellState, distributions, parse_cell, timeline};
use crate::cli::PlotArgs;
use crate::presentation::plot::{DistributionFigure, LabelledFigure, PlotOptions, of_runs};
use crate::records::store::{SavedRun, SavedSweep};
use crate::vocabulary::goal::{GoalError, MetricPopulation};
use crate::vocabulary::spec::plot::RunPlotKind;

/// Why there is no such figure.
#[derive(Debug, thiserror::Error)]
pub(super) enum RowFigureError {
    #[error(transparent)]
    Choice(#[from] CellSelectorError),
    #[error("`{flag}`: {error}{}", error.hint.as_ref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default())]
    Expression { flag: &'static str, error: GoalError },
    #[error(transparent)]
    Analysis(#[from] crate::analysis::AnalysisError),
}

/// The distribution of a metric in the chosen cells: of what the first goal is about, where nothing else is asked for.
pub(super) fn distribution(
    sweep: &SavedSweep,
    args: &PlotArgs,
    default: &str,
    figure: DistributionFigure,
) -> Result<LabelledFigure, RowFigureError> {
    let flag = "-z";
    let expression = |flag| move |error| RowFigureError::Expression { flag, error };
    let population: MetricPopulation = match args.z.as_deref() {
        Some(text) => text.parse().map_err(expression(flag))?,
        None => default.parse().or_else(|_| "ttft".parse()).map_err(expression(flag))?,
    };
    let limit = args.limit.as_deref().map(|text| population.largest().parse_limit(text)).transpose().map_err(expression("--limit"))?;
    let chosen = choice(args)?.cells(sweep)?;
    let view = PlotOptions { title: args.title.clone(), limit, without_bands: args.no_bands, ..PlotOptions::default() };
    Ok(LabelledFigure::whole(figure(&distributions(sweep, &chosen, &population, &[])?, &view), args.variant.clone()))
}

/// The picture of the chosen run, or of the first run of each chosen cell.
pub(super) fn of_chosen_runs(sweep: &SavedSweep, args: &PlotArgs, kind: RunPlotKind) -> Result<LabelledFigure, RowFigureError> {
    let runs = runs(sweep, args)?;
    let timelines = runs.iter().map(|run| timeline(sweep, run)).collect::<Result<Vec<_>, _>>()?;
    let figure = of_runs(kind, &timelines, args.title.as_deref()).ok_or(CellSelectorError::NothingMeasured)?;
    let variant = runs.first().map(|run| run.record.header.variant.clone());
    Ok(LabelledFigure::whole(figure, variant.filter(|name| runs.iter().all(|run| run.record.header.variant == *name))))
}

fn runs<'a>(sweep: &'a SavedSweep, args: &PlotArgs) -> Result<Vec<&'a SavedRun>, RowFigureError> {
    if let Some(name) = &args.run {
        let unknown = || CellSelectorError::UnknownRun { name: name.clone() };
        return Ok(vec![sweep.runs.iter().find(|run| run.record.header.id == *name).ok_or_else(unknown)?]);
    }
    let cells = choice(args)?.cells(sweep)?;
    let measured = cells.iter().filter(|cell| cell.state() == CellState::Measured);
    if !args.cell.is_empty() {
        let several: Vec<&SavedRun> = measured.filter_map(|cell| cell.runs.first().copied()).collect();
        if !several.is_empty() {
            return Ok(several);
        }
        return Ok(vec![cells.iter().find_map(|cell| cell.runs.first().copied()).ok_or(CellSelectorError::NothingMeasured)?]);
    }
    let first = measured.chain(&cells).find_map(|cell| cell.runs.first().copied());
    Ok(vec![first.ok_or(CellSelectorError::NothingMeasured)?])
}

fn choice(args: &PlotArgs) -> Result<CellSelector, CellSelectorError> {
    let any_of = args.cell.iter().map(|cell| parse_cell(cell)).collect::<Result<_, _>>()?;
    Ok(CellSelector { variant: args.variant.clone(), any_of })
}
