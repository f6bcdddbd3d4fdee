//! The runs of a sweep by cell: variants in the scenario's order, and in each the cells in the order of the axes, whatever order they ran in.

use std::collections::BTreeMap;

use serde_json::Value;

use super::axes::Axes;
use super::summary::CellState;
use crate::records::record::{InvalidRunReason, Manifest, PlannedRun, RunFailure, RunOutcome};
use crate::records::store::{SavedRun, SavedSweep};

/// One cell of one variant, with its runs.
#[derive(Debug)]
pub struct CellRuns<'a> {
    pub variant: &'a str,
    pub axes: Axes,
    /// How many runs the plan has for it.
    pub planned: usize,
    /// Those that are whole. A run that was stopped is none of them.
    pub runs: Vec<&'a SavedRun>,
}

/// All planned cells.
pub fn cells(sweep: &SavedSweep) -> Vec<CellRuns<'_>> {
    let mut cells: Vec<(Place, CellRuns<'_>)> = Vec::new();
    let mut known = BTreeMap::new();
    let order = CellSortOrder::of(&sweep.manifest);
    for planned in &sweep.manifest.runs {
        let place = order.place(planned);
        let index = *known.entry(place.clone()).or_insert_with(|| {
            let axes = planned.axes.iter().cloned().collect();
            cells.push((place, CellRuns { variant: &planned.variant, axes, planned: 0, runs: Vec::new() }));
            cells.len() - 1
        });
        if let Some((_, cell)) = cells.get_mut(index) {
            cell.planned += 1;
        }
    }
    let by_id: BTreeMap<&str, &PlannedRun> = sweep.manifest.runs.iter().map(|run| (run.id.as_str(), run)).collect();
    for run in sweep.runs.iter().filter(|run| run.record.outcome != RunOutcome::Interrupted) {
        let cell = by_id.get(run.record.header.id.as_str()).and_then(|planned| known.get(&order.place(planned)));
        if let Some((_, cell)) = cell.and_then(|index| cells.get_mut(*index)) {
            cell.runs.push(run);
        }
    }
    cells.sort_by(|left, right| left.0.cmp(&right.0));
    for (_, cell) in &mut cells {
        cell.runs.sort_by_key(|run| run.record.header.repeat);
        if sweep.manifest.search.is_some() {
            // A search decides as it goes how many there are.
            cell.planned = cell.runs.len();
        }
    }
    cells.into_iter().map(|(_, cell)| cell).collect()
}

/// Where a cell stands: the variant's place, then each axis value's place; and, so that two never fall together, the texts themselves.
type Place = (usize, Vec<usize>, String);

/// The places of variants and of axis values, by their texts: there may be very many of both.
struct CellSortOrder<'a> {
    variants: BTreeMap<&'a str, usize>,
    axes: BTreeMap<&'a str, BTreeMap<String, usize>>,
}

impl<'a> CellSortOrder<'a> {
    fn of(manifest: &'a Manifest) -> Self {
        // Where a value stands twice, the first place counts.
        let values = |values: &'a [Value]| values.iter().enumerate().rev().map(|(place, value)| (value.to_string(), place)).collect();
        Self {
            variants: manifest.variants.iter().enumerate().rev().map(|(place, name)| (name.as_str(), place)).collect(),
            axes: manifest.axes.iter().rev().map(|(name, along)| (name.as_str(), values(along))).collect(),
        }
    }

    fn place(&self, run: &PlannedRun) -> Place {
        let along = |(name, value): &(String, Value)| {
            let places = self.axes.get(name.as_str());
            places.and_then(|places| places.get(&value.to_string())).copied().unwrap_or(usize::MAX)
        };
        let text = format!("{} {}", run.variant, run.axes.iter().cloned().collect::<Value>());
        (self.variants.get(run.variant.as_str()).copied().unwrap_or(usize::MAX), run.axes.iter().map(along).collect(), text)
    }
}

impl CellRuns<'_> {
    /// Whether it has a result.
    pub fn state(&self) -> CellState {
        match (self.failure(), self.invalidity()) {
            (Some(failure), _) => CellState::Failed(failure.clone()),
            (None, Some(reason)) => CellState::Invalid { reason },
            (None, None) if self.runs.is_empty() => CellState::Missing,
            (None, None) => CellState::Measured,
        }
    }

    /// Why the cell could not be run, where a run of it failed.
    pub fn failure(&self) -> Option<&RunFailure> {
        self.runs.iter().find_map(|run| match &run.record.outcome {
            RunOutcome::Failed(failure) => Some(failure),
            RunOutcome::Completed | RunOutcome::Curtailed(_) | RunOutcome::Interrupted => None,
        })
    }

    /// Why what came of the cell is no result, where a run of it is invalid.
    pub fn invalidity(&self) -> Option<InvalidRunReason> {
        self.runs.iter().find_map(|run| run.record.invalidity())
    }
}
