//! The figures of `bench plot` that are made of saved rows and not of a summary: distributions, and a run's timeline.

use crate::analysis::{CellSelector, CellSelectorError, CellState, distributions, parse_cell, timeline};
use crate::cli::PlotArgs;
use crate::presentation::plot::{LabelledFigure, PlotFigure, PlotLimit, cdf, timeline as drawn};
use crate::records::store::{SavedRun, SavedSweep};
use crate::vocabulary::goal::{GoalError, MetricPopulation};

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
pub(super) fn distribution(sweep: &SavedSweep, args: &PlotArgs, default: &str) -> Result<LabelledFigure, RowFigureError> {
    let flag = "-z";
    let expression = |flag| move |error| RowFigureError::Expression { flag, error };
    let population: MetricPopulation = match args.z.as_deref() {
        Some(text) => text.parse().map_err(expression(flag))?,
        None => default.parse().or_else(|_| "ttft".parse()).map_err(expression(flag))?,
    };
    let limit = args.limit.as_deref().map(|text| population.largest().parse_limit(text)).transpose().map_err(expression("--limit"))?;
    let chosen = choice(args)?.cells(sweep)?;
    let mut figure = cdf(&distributions(sweep, &chosen, &population, &[])?, args.title.as_deref());
    if let Some(value) = limit {
        // Another limit than the goal's speaks of no share.
        figure.limit = Some(PlotLimit { value, comparison: population.largest().limit_by() });
        figure.share = None;
    }
    Ok(LabelledFigure { figure: PlotFigure::Cdf(figure), variant: args.variant.clone(), facet: Vec::new() })
}

/// The timeline of one run.
pub(super) fn timeline_of(sweep: &SavedSweep, args: &PlotArgs) -> Result<LabelledFigure, RowFigureError> {
    let run = run(sweep, args)?;
    let figure = drawn(&timeline(sweep, run)?, args.title.as_deref());
    Ok(LabelledFigure { figure: PlotFigure::Timeline(figure), variant: Some(run.record.header.variant.clone()), facet: Vec::new() })
}

fn run<'a>(sweep: &'a SavedSweep, args: &PlotArgs) -> Result<&'a SavedRun, RowFigureError> {
    if let Some(name) = &args.run {
        let unknown = || CellSelectorError::UnknownRun { name: name.clone() };
        return Ok(sweep.runs.iter().find(|run| run.record.header.id == *name).ok_or_else(unknown)?);
    }
    let cells = choice(args)?.cells(sweep)?;
    let measured = cells.iter().filter(|cell| cell.state() == CellState::Measured);
    let first = measured.chain(&cells).find_map(|cell| cell.runs.first().copied());
    Ok(first.ok_or(CellSelectorError::NothingMeasured)?)
}

fn choice(args: &PlotArgs) -> Result<CellSelector, CellSelectorError> {
    let cell = args.cell.as_deref().map(parse_cell).transpose()?;
    Ok(CellSelector { variant: args.variant.clone(), cell: cell.unwrap_or_default() })
}
