//! The bottleneck of a variant as load grows: judged cells in, one verdict for each combination of the axes that carry no load.
//!
//! The cells that fail and lie next to those that pass are asked one by one (`cause.rs`); here their answers become one.

use serde_json::Value;

use super::axes::{Axes, named};
use super::cell_bottleneck::{CellBottleneck, CellBottleneckKind, diagnose};
use super::scores::by_facet;
use super::summary::{Bottleneck, BottleneckKind, CellState, CellSummary};

impl BottleneckKind {
    /// As it stands in a sentence.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Compute => "compute",
            Self::KvMemory => "KV memory",
            Self::Both => "compute and KV memory, each in its way",
            Self::Nothing => "nothing within the matrix",
            Self::Unknown => "the figures do not tell",
        }
    }
}

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
        let (kind, words) = nothing_fails(&passing, cells, load);
        return Bottleneck { within, kind, words };
    }
    // Those that no other failing cell lies below.
    let first = failing.iter().filter(|cell| !failing.iter().any(|other| other.axes != cell.axes && below(other, cell, load)));
    let diagnoses = first.map(|fails| {
        let neighbours = passing.iter().copied().filter(|cell| below(cell, fails, load));
        diagnose(fails, neighbours.max_by(|left, right| nearness(left, load).total_cmp(&nearness(right, load))))
    });
    let (kind, words) = together(&diagnoses.collect::<Vec<_>>());
    Bottleneck { within, kind, words }
}

fn nothing_fails(passing: &[&CellSummary], cells: &[&CellSummary], load: &[String]) -> (BottleneckKind, String) {
    let is_without = |cell: &&&CellSummary| !matches!(cell.state, CellState::Measured | CellState::Untested { .. });
    let without = cells.iter().filter(is_without).count();
    let Some(largest) = passing.iter().max_by(|left, right| nearness(left, load).total_cmp(&nearness(right, load))) else {
        return (BottleneckKind::Unknown, "no cell has a result".to_owned());
    };
    let aside = if without == 0 { String::new() } else { format!("; {without} of {} cells have no result", cells.len()) };
    let implied = cells.iter().filter(|cell| matches!(cell.state, CellState::Untested { implied } if implied.fails())).count();
    if implied > 0 {
        let words = format!("no cell that fails was run here: {implied} of {} are implied to fail{aside}", cells.len());
        return (BottleneckKind::Unknown, words);
    }
    (BottleneckKind::Nothing, format!("every cell with a result passes, up to {}{aside}", named(&largest.axes)))
}

/// One answer of several. What cannot be told of one cell takes nothing from what another tells.
fn together(diagnoses: &[CellBottleneck]) -> (BottleneckKind, String) {
    let first_of = |cause: CellBottleneckKind| diagnoses.iter().find(|diagnosis| diagnosis.cause == cause);
    let alike = |cause: CellBottleneckKind, words: &str| match diagnoses.iter().filter(|diagnosis| diagnosis.cause == cause).count() {
        0 | 1 => words.to_owned(),
        count => format!("{words} (the same at {} more)", count - 1),
    };
    match (first_of(CellBottleneckKind::Compute), first_of(CellBottleneckKind::KvMemory), first_of(CellBottleneckKind::Unknown)) {
        (Some(compute), Some(memory), _) => (BottleneckKind::Both, format!("compute: {}; KV memory: {}", compute.words, memory.words)),
        (Some(compute), None, _) => (BottleneckKind::Compute, alike(CellBottleneckKind::Compute, &compute.words)),
        (None, Some(memory), _) => (BottleneckKind::KvMemory, alike(CellBottleneckKind::KvMemory, &memory.words)),
        (None, None, Some(open)) => (BottleneckKind::Unknown, alike(CellBottleneckKind::Unknown, &open.words)),
        (None, None, None) => (BottleneckKind::Unknown, "no cell has a result".to_owned()),
    }
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

    #[track_caller]
    fn is(kind: BottleneckKind, cells: &[(u64, u64, f64, u64)]) -> String {
        let mut limits = limits_of(cells);
        let limit = limits.remove(0);
        assert_eq!((limit.kind, limits.len()), (kind, 0), "{}", limit.words);
        limit.words
    }

    #[test]
    fn only_the_failing_cells_next_to_the_boundary_are_asked() {
        // Beyond (2, 2) everything is lost, in (4, 4) for another reason as well.
        let words = is(BottleneckKind::KvMemory, &[(2, 1, 0.5, 990), (2, 2, 5.0, 10), (4, 2, 50.0, 990), (4, 4, 50.0, 990)]);
        assert!(words.starts_with("from C=2, S=1, which passes, to C=2, S=2, which fails"), "{words}");
    }

    #[test]
    fn compute_one_way_and_memory_the_other_are_both() {
        let words = is(BottleneckKind::Both, &[(1, 1, 0.5, 990), (8, 1, 5.0, 990), (1, 8, 5.0, 0)]);
        assert!(words.starts_with("compute: from C=1, S=1") && words.contains("; KV memory: from C=1, S=1"), "{words}");
    }

    #[test]
    fn the_nearest_passing_cell_is_the_one_compared_with() {
        let words = is(BottleneckKind::KvMemory, &[(1, 1, 0.5, 990), (2, 2, 0.5, 990), (3, 1, 0.5, 990), (3, 2, 5.0, 10)]);
        assert!(words.starts_with("from C=2, S=2,"), "{words}");
    }

    #[test]
    fn nothing_gives_out_where_all_passes_and_nothing_is_said_without_goals() {
        assert_eq!(is(BottleneckKind::Nothing, &[(1, 1, 0.5, 990), (1, 2, 0.5, 990)]), "every cell with a result passes, up to C=1, S=2");
        let saved = sweep(&[], &[cell("vllm", 1, 1, uniform(1, 1, 0.5))]);
        assert_eq!(summarize(&saved, &SummaryOptions::default()).unwrap().variants[0].limits, []);
    }
}
