//! How cells are laid out on a page: which axis goes down, which goes across, and what stands in each place. Shared by all formats, so
//! that they cannot differ. Summaries in, texts and marks out; no escaping, no colours.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::growth::growth;
use super::number::{DisplayUnit, ValueFormat};
use crate::analysis::{
    Axes, CellState, CellSummary, Estimate, GoalJudgement, GoalVerdict, SweepSummary, VariantSummary, axis_label, short, show_axes,
    show_value,
};
use crate::vocabulary::goal::{Goal, Measure};

/// One table of one variant: one measure, for the cells that agree in all axes but two.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportPanel {
    pub measure: Measure,
    /// The whole goal, where the measure is judged.
    pub goal: Option<Goal>,
    pub unit: &'static str,
    /// The values of the axes that are neither down nor across: `answer_tokens=16`; empty where there are none.
    pub within: String,
    pub down: Option<String>,
    pub across: Option<String>,
    /// Values across; the only one is `value` where there is no such axis.
    pub columns: Vec<String>,
    pub rows: Vec<ReportPanelRow>,
}

/// A value down (`all` where there is no axis), and what stands across. A place that was never planned is `None`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportPanelRow {
    pub head: String,
    pub places: Vec<Option<ReportPanelCell>>,
}

/// What is to be seen of one cell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportPanelCell {
    /// The cell's place in its variant's list.
    pub cell: usize,
    /// A number, `fail`, `failed`, `invalid`, `missing`, `implied ✓`, `implied ✗`, `untested`, `predicted` with its number, or a dash where no request fits the measure.
    pub text: String,
    /// Requests behind the number.
    pub n: Option<u64>,
    pub interval: Option<String>,
    /// That the value grows, and how fast, where it does: `and growing by 3.20 s/min`.
    pub growth: Option<String>,
    /// Whether the plain value fits the limit.
    pub passes: Option<bool>,
    pub verdict: Option<GoalVerdict>,
}

impl ReportPanel {
    /// What stands over the heads of its rows: the axes down and across.
    #[must_use]
    pub fn corner(&self) -> String {
        let axes: Vec<&str> = [&self.down, &self.across].into_iter().flatten().map(String::as_str).collect();
        if axes.is_empty() { "cell".to_owned() } else { axes.join(" \\ ") }
    }

    /// What it shows, as it is written in a scenario: its goal, or its measure where that is not judged.
    #[must_use]
    pub fn subject(&self) -> String {
        self.goal.as_ref().map_or_else(|| self.measure.to_string(), ToString::to_string)
    }
}

impl ReportPanelCell {
    /// The mark behind the number.
    #[must_use]
    pub fn mark(&self) -> &'static str {
        match self.verdict {
            Some(GoalVerdict::Met) => "✓",
            Some(GoalVerdict::Missed) => "✗",
            Some(GoalVerdict::Undecided) => "?",
            None => "",
        }
    }
}

/// What stands at the head of a cell's row: `C=4, S=3`; of a sweep without axes `all`.
#[must_use]
pub fn cell_head(axes: &Axes) -> String {
    if axes.is_empty() { "all".to_owned() } else { show_axes(axes) }
}

/// The tables of one variant: one a goal (or one of the shown measure), times one for each combination of the remaining axes.
#[must_use]
pub fn panels(summary: &SweepSummary, variant: &VariantSummary) -> Vec<ReportPanel> {
    let (down, across) = plane(summary);
    let facets = facets(variant, &[&down, &across]);
    let goals: Vec<Option<usize>> = if summary.goals.is_empty() { vec![None] } else { (0..summary.goals.len()).map(Some).collect() };
    let layout = ReportPanelLayout { summary, variant, down: down.as_deref(), across: across.as_deref() };
    goals.iter().flat_map(|goal| facets.iter().map(|within| layout.panel(*goal, within)).collect::<Vec<_>>()).collect()
}

/// Which axes go down and across: C and S where there are both, else the first two.
fn plane(summary: &SweepSummary) -> (Option<String>, Option<String>) {
    let find = |wanted: &str| summary.axes.iter().map(|axis| &axis.name).find(|name| short(name) == wanted).cloned();
    if let (Some(concurrent), Some(sequential)) = (find("concurrent"), find("sequential")) {
        return (Some(concurrent), Some(sequential));
    }
    let mut names = summary.axes.iter().map(|axis| axis.name.clone());
    (names.next(), names.next())
}

/// Combinations of the axes that are in no plane, in the order of first appearance.
fn facets(variant: &VariantSummary, plane: &[&Option<String>]) -> Vec<Axes> {
    let mut facets: Vec<Axes> = Vec::new();
    for cell in &variant.cells {
        let within = outside(&cell.axes, plane);
        if !facets.contains(&within) {
            facets.push(within);
        }
    }
    facets
}

fn outside(axes: &Axes, plane: &[&Option<String>]) -> Axes {
    let free = |name: &String| !plane.iter().any(|axis| axis.as_ref() == Some(name));
    axes.iter().filter(|(name, _)| free(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

struct ReportPanelLayout<'a> {
    summary: &'a SweepSummary,
    variant: &'a VariantSummary,
    down: Option<&'a str>,
    across: Option<&'a str>,
}

impl ReportPanelLayout<'_> {
    fn panel(&self, goal: Option<usize>, within: &Axes) -> ReportPanel {
        let judged = goal.and_then(|goal| self.variant.cells.iter().find_map(|cell| cell.goals.get(goal)));
        let (measure, unit) = match judged {
            Some(judgement) => (judgement.estimate.measure.clone(), judgement.estimate.unit),
            None => (self.summary.shown.clone(), self.summary.shown_unit),
        };
        let scale = match judged {
            Some(judgement) => unit.display(Some(judgement.limit), None),
            None => DisplayUnit::of_shown(self.summary),
        };
        let plane = [&self.down.map(str::to_owned), &self.across.map(str::to_owned)];
        let cells: Vec<(usize, &CellSummary)> =
            self.variant.cells.iter().enumerate().filter(|(_, cell)| outside(&cell.axes, &plane) == *within).collect();
        let columns = values(&cells, self.summary, self.across);
        let key = |cell: &CellSummary, axis: Option<&str>| axis.and_then(|axis| cell.axes.get(axis)).map(show_value).unwrap_or_default();
        let by_values: BTreeMap<(String, String), (usize, &CellSummary)> =
            cells.iter().map(|(index, cell)| ((key(cell, self.down), key(cell, self.across)), (*index, *cell))).collect();
        let rows = values(&cells, self.summary, self.down).into_iter().map(|head| {
            let at = |column: &String| by_values.get(&(head.clone(), column.clone())).map(|(index, cell)| place(*index, cell, goal, scale));
            let places = columns.iter().map(at).collect();
            ReportPanelRow { places, head: if self.down.is_some() { head } else { cell_head(&Axes::new()) } }
        });
        ReportPanel {
            measure,
            goal: goal.and_then(|goal| self.summary.goals.get(goal)).cloned(),
            unit: scale.unit,
            within: show_axes(within),
            down: self.down.map(axis_label),
            across: self.across.map(axis_label),
            rows: rows.collect(),
            columns: if self.across.is_some() { columns.clone() } else { vec!["value".to_owned()] },
        }
    }
}

/// The values of an axis that some cell has, in the scenario's order; a single empty one where there is no axis.
fn values(cells: &[(usize, &CellSummary)], summary: &SweepSummary, axis: Option<&str>) -> Vec<String> {
    let Some(axis) = axis else { return vec![String::new()] };
    let present: BTreeSet<String> = cells.iter().filter_map(|(_, cell)| cell.axes.get(axis).map(show_value)).collect();
    let all = summary.axes.iter().find(|known| known.name == axis).map(|known| known.values.as_slice()).unwrap_or_default();
    all.iter().map(show_value).filter(|value| present.contains(value)).collect()
}

fn place(index: usize, cell: &CellSummary, goal: Option<usize>, scale: DisplayUnit) -> ReportPanelCell {
    let said = goal.and_then(|goal| Some((cell.predicted.as_ref()?, cell.predicted.as_ref()?.goals.get(goal)?.interval?)));
    if let Some((figures, predicted)) = said {
        let beyond = if figures.is_within { "" } else { " *" };
        return ReportPanelCell {
            cell: index,
            text: format!("predicted {}{beyond}", scale.show(predicted.value, None)),
            n: None,
            interval: Some(format!("{} to {}", scale.show(predicted.low, None), scale.show(predicted.high, None))),
            growth: None,
            passes: None,
            verdict: None,
        };
    }
    let nothing = |word: &str| ReportPanelCell {
        cell: index,
        text: word.to_owned(),
        n: None,
        interval: None,
        growth: None,
        passes: None,
        verdict: None,
    };
    match &cell.state {
        CellState::Failed(_) => return nothing("failed"),
        CellState::Invalid { .. } => return nothing("invalid"),
        CellState::Missing => return nothing("missing"),
        CellState::Untested { implied } => return nothing(implied.word()),
        CellState::Measured => {}
    }
    let judged = goal.and_then(|goal| cell.goals.get(goal));
    let number = |estimate: &Estimate, judgement: Option<&GoalJudgement>| ReportPanelCell {
        cell: index,
        text: scale.measured(estimate, judgement.map(|judgement| judgement.limit)),
        n: Some(estimate.n),
        interval: scale.interval(estimate),
        growth: growth(cell, &estimate.measure, scale),
        passes: judgement.and_then(GoalJudgement::outcome),
        verdict: judgement.map(|judgement| judgement.verdict),
    };
    match (judged, &cell.shown) {
        (Some(judgement), _) => number(&judgement.estimate, Some(judgement)),
        (None, Some(shown)) => number(shown, None),
        (None, None) => nothing("missing"),
    }
}
