//! Whether a process may have as many files open as a sweep has streams: in go the plan and the limit, out comes a warning, before any load.

use crate::execution::selftest::OpenFileLimits;
use crate::planning::plan::Plan;
use crate::vocabulary::spec::workload::WorkloadSpec;

/// Files beside the streams: the journal, pipes of servers, timers, connections for metrics.
const BESIDE: u64 = 100;

/// What is too much for the limit, and what to do.
pub(super) fn warning(plan: &Plan, limit: OpenFileLimits) -> Option<String> {
    let workloads = plan.runs.iter().map(|run| &run.cell.workload);
    let (streams, field) = workloads.map(WorkloadSpec::most_in_flight).max()?;
    too_many(streams, field, limit)
}

fn too_many(streams: u64, field: &str, OpenFileLimits { soft, hard }: OpenFileLimits) -> Option<String> {
    let needed = streams + BESIDE;
    let may = soft.filter(|may| *may < needed)?;
    // A limit that could have been raised was.
    let who = if hard == Some(may) { ", which takes whoever administers this machine" } else { "" };
    Some(format!(
        "`workload.{field}` lets {streams} requests stream at once, which takes {needed} open files, and this process may have {may}: \
         requests beyond that will fail to connect; raise the limit with `ulimit -n {needed}`{who}, or ask for fewer"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_is_too_low_is_named_with_what_is_needed() {
        let hard = OpenFileLimits { soft: Some(4096), hard: Some(4096) };
        let warning = too_many(10_000, "max_in_flight", hard).unwrap();
        for part in ["`workload.max_in_flight`", "10000 requests", "`ulimit -n 10100`", "may have 4096", "administers"] {
            assert!(warning.contains(part), "{part}: {warning}");
        }
        let soft = OpenFileLimits { soft: Some(4096), hard: None };
        assert!(!too_many(10_000, "users", soft).unwrap().contains("administers"));
    }

    #[test]
    fn a_limit_that_suffices_or_is_none_says_nothing() {
        assert_eq!(too_many(3_996, "users", OpenFileLimits { soft: Some(4096), hard: Some(4096) }), None);
        assert_eq!(too_many(1_000_000, "users", OpenFileLimits { soft: None, hard: None }), None);
    }
}
