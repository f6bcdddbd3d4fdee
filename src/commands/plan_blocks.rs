//! `bench plan --blocks`: what nodes of a cluster can measure side by side.

use std::fmt::Write as _;

use serde::Serialize;

use crate::foundation::units::{grouped, waiting_time};
use crate::planning::plan::{Plan, PlanSummary, RunCost, SweepBlock};

/// A block, as it is listed.
#[derive(Debug, Serialize)]
struct ListedBlock<'a> {
    /// What `bench sweep --block` takes, and the index of an array of jobs.
    number: usize,
    id: &'a str,
    cells: usize,
    runs: Vec<&'a str>,
    /// `None` where that depends on the answers.
    requests: Option<u64>,
    /// Seconds in which turns are sent, where every run knows it.
    expected_s: Option<f64>,
}

/// The blocks as JSON.
pub(super) fn as_json(plan: &Plan, summary: &PlanSummary) -> anyhow::Result<serde_json::Value> {
    let blocks = plan.blocks();
    let listed: Vec<ListedBlock<'_>> = blocks.iter().map(|block| listed(plan, summary, block)).collect();
    Ok(serde_json::json!({
        "name": plan.name,
        "scenario_hash": plan.scenario_hash,
        "simulated": plan.simulated,
        "blocks": serde_json::to_value(listed)?,
    }))
}

/// The blocks as a table.
pub(super) fn as_text(plan: &Plan, summary: &PlanSummary) -> String {
    let blocks = plan.blocks();
    let mut text = format!("{}: {} in {}\n\n", plan.name, counted(plan.runs.len(), "run"), counted(blocks.len(), "block"));
    let width = blocks.iter().map(|block| block.id.len()).max().unwrap_or(0);
    for block in &blocks {
        let ListedBlock { number, id, cells, runs, requests, expected_s } = listed(plan, summary, block);
        let runs = runs.len();
        let _ = write!(text, "{number:>4}  {id:width$}  {}, {}", counted(cells, "cell"), counted(runs, "run"));
        let _ = requests.map(|requests| write!(text, ", {} requests", grouped(requests)));
        let _ = expected_s.map(|seconds| write!(text, ", {}", waiting_time(seconds)));
        text.push('\n');
    }
    text.push_str("\none of them: `bench sweep SCENARIO -o DIR --block 0`; all together: `bench merge DIR`\n");
    text
}

fn listed<'a>(plan: &'a Plan, summary: &PlanSummary, block: &'a SweepBlock) -> ListedBlock<'a> {
    let costs: Vec<&RunCost> = block.runs.iter().filter_map(|place| summary.costs.get(*place)).collect();
    let runs = || block.runs.iter().filter_map(|place| plan.runs.get(*place));
    let mut cells: Vec<String> = runs().map(|run| serde_json::json!(run.axes).to_string()).collect();
    cells.sort_unstable();
    cells.dedup();
    ListedBlock {
        number: block.number,
        id: &block.id,
        cells: cells.len(),
        runs: runs().map(|run| run.id.as_str()).collect(),
        requests: costs.iter().map(|cost| cost.requests).sum(),
        expected_s: costs.iter().map(|cost| cost.duration_s).sum(),
    }
}

fn counted(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}
