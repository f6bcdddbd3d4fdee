//! The bottleneck of a variant as load grows: judged cells in, one verdict for each combination of the axes that carry no load.
//!
//! The cells that fail and lie next to those that pass are asked one by one (`cell_bottleneck.rs`); here their answers become one.

use serde_json::Value;

use super::axes::{Axes, is_same_place};
use super::cell_bottleneck::{CellBottleneck, diagnose};
use super::scores::by_facet;
use super::summary::{Bottleneck, BottleneckEvidence, CellState, CellSummary, UnknownBottleneck};

/// One verdict a facet; none where there are no goals. Load grows along these axes.
pub fn limits(cells: &[CellSummary], load: &[String]) -> Vec<Bottleneck> {
    if cells.iter().all(|cell| cell.passes.is_none()) {
        return Vec::new();
    }
    let facets = by_facet(cells, |name| load.iter().any(|axis| axis == name));
    facets.into_iter().map(|(within, cells)| limit(within, &cells, load)).collect()
}

fn limit(within: Axes, cells: &[&CellSummary], load: &[String]) -> Bottleneck {
    let judged = |passes: bool| cells.iter().copied().filter(move |cell| cell.passes == Some(passes)).collect::<Vec<_>>();
    let (passing, failing) = (judged(true), judged(false));
    if failing.is_empty() {
        return Bottleneck { within, evidence: nothing_fails(&passing, cells, load) };
    }
    // Those that no other failing cell lies below.
    let first =
        failing.iter().filter(|cell| !failing.iter().any(|other| !is_same_place(&other.axes, &cell.axes) && below(other, cell, load)));
    let diagnoses = first.map(|fails| {
        let neighbours = passing.iter().copied().filter(|cell| below(cell, fails, load));
        diagnose(fails, neighbours.max_by(|left, right| nearness(left, load).total_cmp(&nearness(right, load))))
    });
    Bottleneck { within, evidence: together(diagnoses) }
}

fn nothing_fails(passing: &[&CellSummary], cells: &[&CellSummary], load: &[String]) -> BottleneckEvidence {
    let count = |is_wanted: fn(&CellState) -> bool| cells.iter().filter(|cell| is_wanted(&cell.state)).count() as u64;
    let Some(largest) = passing.iter().max_by(|left, right| nearness(left, load).total_cmp(&nearness(right, load))) else {
        return BottleneckEvidence::Unknown { reason: UnknownBottleneck::NoResult };
    };
    let implied = count(|state| matches!(state, CellState::Untested { implied } if implied.fails()));
    let without_result = count(|state| !matches!(state, CellState::Measured | CellState::Untested { .. }));
    let cells = cells.len() as u64;
    if implied > 0 {
        return BottleneckEvidence::Unknown { reason: UnknownBottleneck::FailureImplied { implied, without_result, cells } };
    }
    BottleneckEvidence::Nothing { largest: largest.axes.clone(), without_result, cells }
}

/// One answer of several. What cannot be told of one cell takes nothing from what another tells.
fn together(diagnoses: impl Iterator<Item = CellBottleneck>) -> BottleneckEvidence {
    let (mut compute, mut memory, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    for diagnosis in diagnoses {
        match diagnosis {
            CellBottleneck::Compute(finding) => compute.push(finding),
            CellBottleneck::KvMemory(finding) => memory.push(finding),
            CellBottleneck::Unknown(finding) => unknown.push(finding),
        }
    }
    match (first_of(compute), first_of(memory), first_of(unknown)) {
        (Some((compute, _)), Some((kv_memory, _)), _) => BottleneckEvidence::Both { compute, kv_memory },
        (Some((finding, alike_cells)), None, _) => BottleneckEvidence::Compute { finding, alike_cells },
        (None, Some((finding, alike_cells)), _) => BottleneckEvidence::KvMemory { finding, alike_cells },
        (None, None, Some((finding, alike_cells))) => {
            BottleneckEvidence::Unknown { reason: UnknownBottleneck::Inconclusive { finding, alike_cells } }
        }
        (None, None, None) => BottleneckEvidence::Unknown { reason: UnknownBottleneck::NoResult },
    }
}

/// The first of several findings, and how many more there are.
fn first_of<Finding>(findings: Vec<Finding>) -> Option<(Finding, u64)> {
    let more = (findings.len() as u64).saturating_sub(1);
    findings.into_iter().next().map(|first| (first, more))
}

/// Whether a cell has no more load than another along any axis.
fn below(cell: &CellSummary, other: &CellSummary, load: &[String]) -> bool {
    load.iter().all(|axis| at(cell, axis) <= at(other, axis))
}

/// The larger the nearer, among cells that lie below another: C×S, then C.
fn nearness(cell: &CellSummary, load: &[String]) -> f64 {
    let product: f64 = load.iter().map(|axis| at(cell, axis)).product();
    let first = load.first().map_or(0.0, |axis| at(cell, axis));
    product + first * 1e-9
}

fn at(cell: &CellSummary, axis: &str) -> f64 {
    cell.axes.get(axis).and_then(Value::as_f64).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{cell, sweep, uniform};
    use super::super::{SummaryOptions, summarize};
    use super::*;
    use crate::analysis::summary::BoundaryFinding;
    use crate::records::record::RequestRecord;

    /// The limits of cells of the capacity benchmark: shape, time of follow-ups, and how many of their 1,000 tokens were cached.
    fn limits_of(cells: &[(u64, u64, f64, u64)]) -> Vec<Bottleneck> {
        let with = |records: Vec<RequestRecord>, cached, concurrent: u64| {
            let row = |record: RequestRecord| RequestRecord {
                cached_tokens: Some(if record.turn == 0 { 0 } else { cached }),
                in_flight: u32::try_from(concurrent).unwrap(),
                ..record
            };
            records.into_iter().map(row).collect::<Vec<_>>()
        };
        let cells: Vec<_> =
            cells.iter().map(|(c, s, ttft, cached)| cell("vllm", *c, *s, with(uniform(*c, *s, *ttft), *cached, *c))).collect();
        summarize(&sweep(&["p95(ttft where turn >= 1) <= 2s"], &cells), &SummaryOptions::default()).unwrap().variants.remove(0).limits
    }

    /// What tells of the only facet.
    fn evidence(cells: &[(u64, u64, f64, u64)]) -> BottleneckEvidence {
        let limits = limits_of(cells);
        let [limit] = limits.as_slice() else { panic!("{limits:?}") };
        limit.evidence.clone()
    }

    /// The cell that passes and the one that fails, each as C and S.
    fn step<Evidence>(finding: &BoundaryFinding<Evidence>) -> (Option<(u64, u64)>, (u64, u64)) {
        let shape = |axes: &Axes| {
            let at = |axis: &str| axes[axis].as_u64().unwrap();
            (at("workload.concurrent"), at("workload.sequential"))
        };
        (finding.passes.as_ref().map(shape), shape(&finding.fails))
    }

    #[test]
    fn only_the_failing_cells_next_to_the_boundary_are_asked() {
        // Beyond (2, 2) everything is lost, in (4, 4) for another reason as well.
        let found = evidence(&[(2, 1, 0.5, 990), (2, 2, 5.0, 10), (4, 2, 50.0, 990), (4, 4, 50.0, 990)]);
        let BottleneckEvidence::KvMemory { finding, alike_cells: 0 } = &found else { panic!("{found:?}") };
        assert_eq!(step(finding), (Some((2, 1)), (2, 2)));
    }

    #[test]
    fn cells_that_tell_the_same_are_counted_beside_the_first() {
        let found = evidence(&[(1, 1, 0.5, 990), (2, 2, 0.5, 990), (1, 4, 5.0, 10), (2, 3, 5.0, 10)]);
        let BottleneckEvidence::KvMemory { finding, alike_cells: 1 } = &found else { panic!("{found:?}") };
        assert_eq!(step(finding), (Some((1, 1)), (1, 4)));
    }

    #[test]
    fn compute_one_way_and_memory_the_other_are_both() {
        let found = evidence(&[(1, 1, 0.5, 990), (8, 1, 5.0, 990), (1, 8, 5.0, 0)]);
        let BottleneckEvidence::Both { compute, kv_memory } = &found else { panic!("{found:?}") };
        assert_eq!((step(compute), step(kv_memory)), ((Some((1, 1)), (8, 1)), (Some((1, 1)), (1, 8))));
    }

    #[test]
    fn the_nearest_passing_cell_is_the_one_compared_with() {
        let found = evidence(&[(1, 1, 0.5, 990), (2, 2, 0.5, 990), (3, 1, 0.5, 990), (3, 2, 5.0, 10)]);
        let BottleneckEvidence::KvMemory { finding, .. } = &found else { panic!("{found:?}") };
        assert_eq!(step(finding), (Some((2, 2)), (3, 2)));
    }

    #[test]
    fn nothing_gives_out_where_all_passes_and_nothing_is_said_without_goals() {
        let BottleneckEvidence::Nothing { largest, without_result: 0, cells: 2 } = evidence(&[(1, 1, 0.5, 990), (1, 2, 0.5, 990)]) else {
            panic!()
        };
        assert_eq!(largest["workload.sequential"].as_u64(), Some(2));
        let saved = sweep(&[], &[cell("vllm", 1, 1, uniform(1, 1, 0.5))]);
        assert_eq!(summarize(&saved, &SummaryOptions::default()).unwrap().variants[0].limits, []);
    }
}
