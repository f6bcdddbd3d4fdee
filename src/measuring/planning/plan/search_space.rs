//! What is searched of a plan: the lattice of the frontier's axes, and the runs of each of its walks by place.
//!
//! In: a checked scenario, then the plan's runs. Out: a walk for each variant and each value of the other axes. How a walk goes is not known
//! here.

use std::collections::BTreeMap;

use serde_json::Value;

use super::run::Run;
use super::{Plan, PlanError};
use crate::planning::scenario::Scenario;
use crate::records::record::FrontierSweep;
use crate::search::{CellCount, CellIndex, ExpectedCells, FrontierSearch, LatticeAxis, LoadLattice, SearchLimits, SearchObjective};
use crate::vocabulary::spec::search::SearchKind;

/// The frontier of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchSpace {
    /// One axis or two, dotted.
    pub axes: Vec<String>,
    pub lattice: LoadLattice,
    pub aim: SearchObjective,
    /// The values of each axis, in the lattice's order.
    values: Vec<Vec<Value>>,
    /// How cells are expected to come out, where something says so: it orders what is run first.
    pub expected: Vec<CellChance>,
}

/// The chance that a cell meets all goals, as a model of its server has it.
#[derive(Debug, Clone, PartialEq)]
pub struct CellChance {
    pub variant: String,
    pub axes: Vec<(String, Value)>,
    pub chance: f64,
}

/// What is walked by itself: the cells of one variant that agree in all other axes.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedSearch {
    pub variant: String,
    /// The other axes.
    pub within: Vec<(String, Value)>,
    /// The runs of each cell, by repeat.
    pub runs: BTreeMap<CellIndex, Vec<Run>>,
}

impl SearchSpace {
    /// `None` where every cell is run.
    pub(super) fn of(scenario: &Scenario) -> Result<Option<Self>, PlanError> {
        if scenario.search.kind == SearchKind::Grid {
            return Ok(None);
        }
        let axes: Vec<&crate::planning::scenario::MatrixAxis> =
            scenario.search.axes.iter().filter_map(|name| scenario.axes.iter().find(|axis| axis.path == *name)).collect();
        let lattice_axis = |axis: &&crate::planning::scenario::MatrixAxis| {
            let values: Vec<f64> = axis.values.iter().filter_map(Value::as_f64).collect();
            match &axis.rungs {
                Some(rungs) if !rungs.is_empty() => LatticeAxis::climbed(values, rungs.clone()),
                _ => LatticeAxis::listed(values),
            }
        };
        let lattice = LoadLattice::new(axes.iter().map(lattice_axis).collect::<Result<_, _>>()?)?;
        let is_capacity =
            |axis: &&crate::planning::scenario::MatrixAxis| matches!(axis.path.as_str(), "workload.concurrent" | "workload.sequential");
        let aim = if axes.len() == 2 && axes.iter().all(is_capacity) { SearchObjective::Capacity } else { SearchObjective::Boundary };
        let values = axes.iter().map(|axis| axis.values.clone()).collect();
        Ok(Some(Self { axes: axes.iter().map(|axis| axis.path.clone()).collect(), lattice, aim, values, expected: Vec::new() }))
    }

    /// What a manifest says of it.
    pub(super) fn searched(&self) -> FrontierSweep {
        let climbed = self.axes.iter().zip(self.lattice.axes()).filter(|(_, axis)| axis.is_climbed());
        FrontierSweep { axes: self.axes.clone(), climbed: climbed.map(|(name, _)| name.clone()).collect() }
    }

    /// Where a cell lies; `None` where it is not of this frontier.
    #[must_use]
    pub fn place(&self, axes: &[(String, Value)]) -> Option<CellIndex> {
        let along = |number: usize| match self.axes.get(number) {
            None => Some(0),
            Some(name) => {
                let (_, value) = axes.iter().find(|(axis, _)| axis == name)?;
                self.values[number].iter().position(|known| known == value)
            }
        };
        Some(CellIndex(along(0)?, along(1)?))
    }

    /// A search of these cells from its beginning.
    #[must_use]
    pub fn search(&self, planned: &PlannedSearch, limits: SearchLimits) -> FrontierSearch {
        let search = FrontierSearch::new(self.lattice.clone(), self.aim, limits);
        let of_cell = |(place, runs): (&CellIndex, &Vec<Run>)| {
            let axes = &runs.first()?.axes;
            let known = self.expected.iter().find(|known| known.variant == planned.variant && known.axes == *axes)?;
            Some((*place, known.chance))
        };
        let chances: Vec<(CellIndex, f64)> = planned.runs.iter().filter_map(of_cell).collect();
        if chances.is_empty() { search } else { search.expecting(ExpectedCells::new(chances)) }
    }

    /// Whether it has an axis without an end.
    #[must_use]
    pub fn is_climbed(&self) -> bool {
        self.lattice.axes().iter().any(LatticeAxis::is_climbed)
    }

    /// The cells of one walk.
    #[must_use]
    pub fn cell_count(&self, max_cells: Option<u32>) -> CellCount {
        CellCount::of(&self.lattice, self.aim, max_cells.map(|most| most as usize))
    }

    /// Whether a cell stands where the axes are climbed, and not between.
    #[must_use]
    pub fn is_rung(&self, axes: &[(String, Value)]) -> bool {
        self.place(axes).is_some_and(|place| self.lattice.is_rung(place))
    }
}

impl Plan {
    /// The walks of a frontier, in run order; none where every cell is run.
    #[must_use]
    pub fn walks(&self) -> Vec<PlannedSearch> {
        let Some(frontier) = &self.frontier else { return Vec::new() };
        let mut walks: Vec<PlannedSearch> = Vec::new();
        for run in &self.runs {
            let Some(place) = frontier.place(&run.axes) else { continue };
            let within: Vec<(String, Value)> = run.axes.iter().filter(|(name, _)| !frontier.axes.contains(name)).cloned().collect();
            let known = walks.iter().position(|walk| walk.variant == run.variant && walk.within == within);
            let number = known.unwrap_or_else(|| {
                walks.push(PlannedSearch { variant: run.variant.clone(), within, runs: BTreeMap::new() });
                walks.len() - 1
            });
            walks[number].runs.entry(place).or_default().push(run.clone());
        }
        for walk in &mut walks {
            walk.runs.values_mut().for_each(|runs| runs.sort_by_key(|run| run.repeat));
        }
        walks
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::planning::scenario::{ScenarioOverrides, load_text};

    fn plan(text: &str) -> Plan {
        let whole = format!("workload.kind = \"document_qa\"\ntarget.kind = \"sim\"\n{text}\n[[goals]]\nrequire = \"p95(ttft) <= 2s\"\n");
        Plan::new(&load_text(Path::new("test.toml"), &whole, &ScenarioOverrides::default()).unwrap_or_else(|faults| panic!("{faults}")))
            .unwrap()
    }

    #[test]
    fn each_variant_and_each_value_of_the_other_axes_has_a_walk_of_its_own() {
        let plan = plan(
            "search = \"frontier\"\nrepeats = 2\n[matrix]\nconcurrent = [1, 2, 4]\nsequential = [1, 2]\nrounds = [3, 5]\n[variants.a]\n[variants.b]\n",
        );
        let frontier = plan.frontier.as_ref().unwrap();
        assert_eq!((frontier.aim, frontier.lattice.size()), (SearchObjective::Capacity, (3, 2)));
        let walks = plan.walks();
        let names: Vec<String> = walks.iter().map(|walk| format!("{} {}", walk.variant, walk.within[0].1)).collect();
        assert_eq!(names.len(), 4);
        assert!(names[..2].iter().all(|name| name.starts_with('a')) && names[2..].iter().all(|name| name.starts_with('b')), "{names:?}");
        for walk in &walks {
            assert_eq!(walk.runs.len(), 6);
            assert!(walk.runs.values().all(|runs| runs.iter().map(|run| run.repeat).eq([0, 1])));
            assert_eq!(walk.runs[&CellIndex(2, 1)][0].axes[0].1, 4);
        }
    }

    #[test]
    fn an_axis_without_an_end_has_rungs_and_the_values_between() {
        let plan = plan("search = { kind = \"frontier\", largest = 16 }\n[matrix]\nconcurrent = \"1.. x2\"\n");
        let frontier = plan.frontier.as_ref().unwrap();
        assert_eq!((frontier.aim, frontier.is_climbed(), plan.runs.len()), (SearchObjective::Boundary, true, 16));
        let rungs = plan.runs.iter().filter(|run| frontier.is_rung(&run.axes)).count();
        assert_eq!(rungs, 5, "1, 2, 4, 8 and 16");
        let count = frontier.cell_count(None);
        assert!(count.expected >= 3 && count.expected <= count.most && count.most <= 12 && count.grid == 16, "{count:?}");
    }
}
