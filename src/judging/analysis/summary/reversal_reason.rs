//! Why a cell may fail although one with as much load passes: the figures that each likely reason rests on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::super::axes::{Axes, named_cell};
use super::client_limit::ClientLimits;
use crate::records::record::FailureKind;

/// A likely reason; no proof. Shown as part of a sentence. `cells` are one of the two or both, the one that fails before the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ReversalReason {
    /// One of the two is undecided, or their intervals overlap.
    FewRows { cells: Vec<UndecidedRows>, intervals_overlap: bool },
    /// All numbers of these cells come from a single run.
    OneRun { cells: Vec<Axes> },
    /// The repeats of these cells do not agree.
    RepeatsDisagree { cells: Vec<RepeatDisagreement> },
    /// It is not proven that the caches of these cells were empty.
    CacheContract { cells: Vec<UnprovenRuns> },
    /// The client was late or busy.
    ClientLimited { cells: Vec<LimitedClient> },
    /// Another start of the server.
    Restarts { fails: CellStarts, passes: CellStarts },
    /// Requests of the cell that fails failed.
    Failures { cell: Axes, failed: u64, n: u64, failures: BTreeMap<FailureKind, u64> },
}

/// A cell with an undecided goal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UndecidedRows {
    pub cell: Axes,
    /// The rows that the goal looked at.
    pub n: u64,
}

/// A cell some of whose repeats fulfil all goals alone, and some not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RepeatDisagreement {
    pub cell: Axes,
    /// Repeats by their numbers, from 0.
    pub passing_repeats: Vec<u32>,
    pub failing_repeats: Vec<u32>,
}

/// A cell with runs whose caches are not proven to have been empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnprovenRuns {
    pub cell: Axes,
    pub unproven: u64,
    /// All of its runs.
    pub runs: u64,
}

/// A cell whose client was in the way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LimitedClient {
    pub cell: Axes,
    #[serde(flatten)]
    pub limits: ClientLimits,
}

/// A cell and the starts of its variant's server that its runs were made on, from 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CellStarts {
    pub cell: Axes,
    pub server_starts: BTreeSet<u32>,
}

impl fmt::Display for ReversalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FewRows { cells, intervals_overlap } => {
                let overlap = intervals_overlap.then(|| "their intervals overlap".to_owned());
                let all: Vec<String> = cells.iter().map(ToString::to_string).chain(overlap).collect();
                write!(f, "few rows: {}", all.join(", "))
            }
            Self::OneRun { cells } => match cells.as_slice() {
                [cell] => write!(f, "only one run of {}", named_cell(cell)),
                _ => f.write_str("one run each, so nobody knows what another would say"),
            },
            Self::RepeatsDisagree { cells } => f.write_str(&list(cells)),
            Self::CacheContract { cells } => f.write_str(&list(cells)),
            Self::ClientLimited { cells } => f.write_str(&list(cells)),
            Self::Restarts { fails, passes } => write!(f, "the server was started again: {fails}, {passes}"),
            Self::Failures { cell, failed, n, failures } => {
                let kinds: Vec<String> = failures.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
                write!(f, "{failed} of {n} requests of {} failed ({})", named_cell(cell), kinds.join(", "))
            }
        }
    }
}

fn list<Item: fmt::Display>(items: &[Item]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for UndecidedRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is undecided with n={}", named_cell(&self.cell), self.n)
    }
}

impl fmt::Display for RepeatDisagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cell, passing_repeats: passing, failing_repeats: failing } = self;
        // The fewer are the odd ones.
        let (does, odd) = if passing.len() <= failing.len() { ("pass", passing) } else { ("fail", failing) };
        let numbers: Vec<String> = odd.iter().map(|repeat| (u64::from(*repeat) + 1).to_string()).collect();
        let all = passing.len() + failing.len();
        let (cell, numbers) = (named_cell(cell), numbers.join(", "));
        write!(f, "the repeats of {cell} disagree: {} of {all} pass alone (those that {does}: {numbers})", passing.len())
    }
}

impl fmt::Display for UnprovenRuns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cold caches are not proven in {} of {} runs of {}", self.unproven, self.runs, named_cell(&self.cell))
    }
}

impl fmt::Display for LimitedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the client itself was slow at {} ({})", named_cell(&self.cell), self.limits)
    }
}

impl fmt::Display for CellStarts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let starts: Vec<String> = self.server_starts.iter().map(u32::to_string).collect();
        write!(f, "{} ran on start {}", named_cell(&self.cell), starts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::analysis::summary::ClientLimit;

    fn cell(concurrent: u64) -> Axes {
        let Value::Object(axes) = json!({ "workload.concurrent": concurrent, "workload.sequential": 2 }) else { panic!() };
        axes
    }

    fn repeats(concurrent: u64, passing: &[u32], failing: &[u32]) -> RepeatDisagreement {
        RepeatDisagreement { cell: cell(concurrent), passing_repeats: passing.to_vec(), failing_repeats: failing.to_vec() }
    }

    #[test]
    fn every_reason_says_its_figures_and_comes_back_from_json() {
        let starts = |concurrent, starts: &[u32]| CellStarts { cell: cell(concurrent), server_starts: starts.iter().copied().collect() };
        let lag = ClientLimits(vec![ClientLimit::SendLag { p99_s: 0.25 }]);
        let reasons = [
            (
                ReversalReason::FewRows { cells: vec![UndecidedRows { cell: cell(2), n: 12 }], intervals_overlap: true },
                "few rows: C=2, S=2 is undecided with n=12, their intervals overlap",
            ),
            (ReversalReason::OneRun { cells: vec![cell(2)] }, "only one run of C=2, S=2"),
            (ReversalReason::OneRun { cells: vec![cell(2), cell(4)] }, "one run each, so nobody knows what another would say"),
            (
                ReversalReason::RepeatsDisagree { cells: vec![repeats(2, &[0], &[1, 2]), repeats(4, &[0, 1], &[2])] },
                "the repeats of C=2, S=2 disagree: 1 of 3 pass alone (those that pass: 1), the repeats of C=4, S=2 disagree: 2 of 3 pass alone \
                 (those that fail: 3)",
            ),
            (
                ReversalReason::CacheContract { cells: vec![UnprovenRuns { cell: cell(2), unproven: 1, runs: 2 }] },
                "cold caches are not proven in 1 of 2 runs of C=2, S=2",
            ),
            (
                ReversalReason::ClientLimited { cells: vec![LimitedClient { cell: cell(2), limits: lag }] },
                "the client itself was slow at C=2, S=2 (send lag p99 250 ms)",
            ),
            (
                ReversalReason::Restarts { fails: starts(2, &[1, 2]), passes: starts(4, &[3]) },
                "the server was started again: C=2, S=2 ran on start 1, 2, C=4, S=2 ran on start 3",
            ),
            (
                ReversalReason::Failures {
                    cell: cell(2),
                    failed: 3,
                    n: 401,
                    failures: BTreeMap::from([(FailureKind::Http(503), 1), (FailureKind::Connect, 2)]),
                },
                "3 of 401 requests of C=2, S=2 failed (2 connect, 1 http_503)",
            ),
        ];
        for (reason, words) in reasons {
            let mut saved = Vec::new();
            super::super::with_words::serialize(std::slice::from_ref(&reason), &mut serde_json::Serializer::new(&mut saved)).unwrap();
            let [saved] = serde_json::from_slice::<[Value; 1]>(&saved).unwrap();
            assert_eq!((reason.to_string().as_str(), &saved["words"]), (words, &json!(words)));
            assert!(saved["kind"].is_string(), "{saved}");
            assert_eq!(serde_json::from_value::<ReversalReason>(saved).unwrap(), reason);
        }
    }
}
