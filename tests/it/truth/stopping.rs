//! Cells that are ended early say what they would have said in the end: the same matrix, once run to its end and once with `stop`.

use serde_json::json;

use crate::load::{run_of, simulate};
use crate::stage::{Stage, stderr};
use bench::analysis::{CellSummary, SummaryOptions, SweepSummary, summarize};
use bench::execution::steering::{CellRows, PlannedRepeat, PlannedRows};
use bench::planning::plan::Run;
use bench::records::record::{RequestPhase, RequestRecord, RunOutcome};
use bench::records::store::{SavedSweep, read_sweep};
use bench::vocabulary::goal::Goal;
use bench::workloads::workload::Corpus;

const MATRIX: &str = r#"
seed = 5
[workload]
kind = "document_qa"
documents = { synthetic_tokens = 3000 }
rounds = 3
answer_tokens = 16
[matrix]
concurrent = [2, 4, 8]
sequential = [2, 4, 8]
[engine]
preset = "tiny"
noise = 0.3
[[goals]]
require = "p95(ttft where turn >= 1) <= LIMIT"
[[goals]]
require = "error_rate <= 5%"
"#;

fn sweep(stage: &Stage, scenario: &str, out: &str) -> SavedSweep {
    stage.write("scenario.toml", scenario);
    let output = stage.run(&["sweep", "scenario.toml", "--simulate", "-q", "-o", out]);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", stderr(&output));
    read_sweep(&stage.path(out)).unwrap()
}

fn judged(sweep: &SavedSweep) -> SweepSummary {
    summarize(sweep, &SummaryOptions::default()).unwrap()
}

fn cells(summary: &SweepSummary) -> Vec<(String, Option<bool>, Option<bench::analysis::GoalVerdict>)> {
    let of = |cell: &CellSummary| (bench::analysis::show_axes(&cell.axes), cell.passes, cell.verdict);
    summary.variants.iter().flat_map(|variant| variant.cells.iter().map(of)).collect()
}

fn requests(sweep: &SavedSweep) -> u64 {
    sweep.runs.iter().map(|run| run.record.counts.requests).sum()
}

fn curtailed(sweep: &SavedSweep) -> usize {
    sweep.runs.iter().filter(|run| matches!(run.record.outcome, RunOutcome::Curtailed(_))).count()
}

/// The matrix whose p95 is that of its cells in the middle, with some of them passing.
fn scenario(repeats: u32, limit: &str, stop: &str) -> String {
    format!("repeats = {repeats}\nsearch = {{ kind = \"grid\", stop = \"{stop}\" }}\n{}", MATRIX.replace("LIMIT", limit))
}

#[test]
fn a_matrix_with_cells_ended_early_has_the_same_verdicts_for_fewer_requests() {
    let stage = Stage::new();
    for (repeats, limit) in [(1, "50ms"), (3, "50ms")] {
        let whole = sweep(&stage, &scenario(repeats, limit, "never"), &format!("never-{repeats}-{limit}"));
        let early = sweep(&stage, &scenario(repeats, limit, "certain"), &format!("certain-{repeats}-{limit}"));
        let (judged_whole, judged_early) = (judged(&whole), judged(&early));
        assert_eq!(cells(&judged_whole), cells(&judged_early), "{repeats} repeats, {limit}");
        assert_eq!(curtailed(&whole), 0);
        println!(
            "{repeats} repeats, p95 <= {limit}: {} of {} requests, {} of {} runs, {} of them ended early",
            requests(&early),
            requests(&whole),
            early.runs.len(),
            whole.runs.len(),
            curtailed(&early)
        );
        assert!(curtailed(&early) > 0 && requests(&early) * 20 < requests(&whole) * 19, "{} of {}", requests(&early), requests(&whole));
        assert!(judged_early.variants[0].cells.iter().any(|cell| cell.passes == Some(true)), "{limit} lets nothing pass");
        assert_eq!(judged_early.runs.not_needed, u64::try_from(whole.runs.len() - early.runs.len()).unwrap());
    }
}

#[test]
fn a_sweep_that_ended_cells_early_has_nothing_left_to_do() {
    let stage = Stage::new();
    let scenario = scenario(3, "50ms", "certain");
    let first = sweep(&stage, &scenario, "out");
    assert!(first.runs.len() < 27, "further repeats of a settled cell are not run");
    let again = sweep(&stage, &scenario, "out");
    assert_eq!(first.runs.len(), again.runs.len());
    // What is missing is done, with what was settled before in mind.
    let completed = first.runs.iter().find(|run| run.record.header.repeat == 1).unwrap();
    std::fs::remove_dir_all(stage.path("out/runs").join(&completed.record.header.id)).unwrap();
    let mended = sweep(&stage, &scenario, "out");
    assert_eq!(cells(&judged(&mended)), cells(&judged(&first)));
    assert_eq!(mended.runs.len(), first.runs.len());
    let rows = |sweep: &SavedSweep| sweep.runs.iter().map(|run| (run.record.header.id.clone(), run.requests.rows())).collect::<Vec<_>>();
    assert_eq!(rows(&mended), rows(&first));
}

#[test]
fn a_test_at_a_risk_ends_cells_sooner() {
    let stage = Stage::new();
    let certain = sweep(&stage, &scenario(2, "50ms", "certain"), "certain");
    let at_risk = sweep(&stage, &scenario(2, "50ms", "sequential"), "sequential");
    println!("certain: {} requests, at a risk: {}", requests(&certain), requests(&at_risk));
    assert!(requests(&at_risk) < requests(&certain));
    // What it calls lost is lost in the end, here; that it may be wrong once in twenty is held elsewhere.
    for (certain, at_risk) in cells(&judged(&certain)).iter().zip(&cells(&judged(&at_risk))) {
        assert_eq!((&certain.0, certain.1), (&at_risk.0, at_risk.1));
    }
}

#[test]
fn rows_that_are_counted_before_a_run_are_those_that_it_leaves() {
    let goals = ["p95(ttft where turn >= 1) <= 2s", "error_rate <= 1%", "p50(ttft where session >= 3 and lane < 2) <= 1s"];
    let goals: Vec<Goal> = goals.iter().map(|goal| goal.parse().unwrap()).collect();
    let workloads = [
        json!({"kind": "document_qa", "documents": {"synthetic_tokens": 500}, "concurrent": 3, "sequential": 2, "rounds": 2, "answer_tokens": 4}),
        json!({"kind": "chat", "users": 6, "qps": 2.0, "rounds": 4, "duration": 30, "warmup": 5, "population": "open", "answer_tokens": 8,
            "system_prompt_tokens": 50, "history_tokens": 50, "question_tokens": 10, "first_user_id": 2}),
        // So slow that answers are still streaming when the run ends, and turns are never sent.
        json!({"kind": "chat", "users": 4, "qps": 4.0, "rounds": 5, "duration": 10, "answer_tokens": 2000, "answers": "forced_length",
            "system_prompt_tokens": 50, "history_tokens": 50, "question_tokens": 10}),
        json!({"kind": "requests", "arrival": "poisson", "qps": 20.0, "duration": 10, "warmup": 2, "prompt_tokens": 100, "answer_tokens": 400,
            "max_in_flight": 2}),
        json!({"kind": "requests", "arrival": "constant", "qps": 20.0, "duration": 10, "ramp": 4, "warmup_requests": 90, "prompt_tokens": 100}),
        json!({"kind": "requests", "arrival": "closed", "concurrency": 3, "requests": 50, "warmup_requests": 7, "prompt_tokens": 100}),
        // Of which requests fail, so that sessions end.
        json!({"kind": "document_qa", "documents": {"synthetic_tokens": 500}, "concurrent": 2, "sequential": 4, "rounds": 3, "answer_tokens": 5,
            "on_error": "end_session"}),
        json!({"kind": "chat", "users": 6, "qps": 2.0, "rounds": 4, "duration": 30, "answer_tokens": 5, "on_error": "end_session",
            "system_prompt_tokens": 50, "history_tokens": 50, "question_tokens": 10}),
    ];
    for workload in workloads {
        let engine = match workload["on_error"].as_str() {
            Some("end_session") => json!({"preset": "tiny", "faults": [{"kind": "status", "status": 503, "every": 3}]}),
            _ => json!({"preset": "tiny"}),
        };
        let Run { seed, repeat: number, cell, .. } = run_of(workload.clone(), json!({"preset": "tiny"}));
        let rows = CellRows::of(&[PlannedRepeat { number, seed, workload: cell.workload }], &goals, &Corpus::default()).unwrap();
        let done = simulate(workload.clone(), engine);
        assert_eq!(rows.requests, done.rows.len() as u64, "{workload}");
        let left = |fits: &dyn Fn(&RequestRecord) -> bool| {
            done.rows.iter().filter(|row| row.phase == RequestPhase::Measure && fits(row)).count() as u64
        };
        let counted: Vec<u64> = rows.of_goals.iter().map(PlannedRows::rows).collect();
        assert_eq!(counted, [left(&|row| row.turn >= 1), left(&|_| true), left(&|row| row.session >= 3 && row.lane < 2)], "{workload}");
    }
}
