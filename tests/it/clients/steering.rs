//! What steers a sweep goes by the rows of all clients: a cell that ends early ends on all of them, and the search goes on from there.

use bench::records::record::RunOutcome;
use bench::records::store::read_sweep;

use super::{scenario, started};
use crate::stage::{Stage, serving};

/// Ten seconds a cell, unless it ends early.
const LOAD: &str = "kind = \"requests\"\narrival = \"constant\"\nqps = 60\nrequests = 600\nprompt_tokens = 20\nanswer_tokens = 4";

#[test]
fn a_cell_that_cannot_pass_ends_early_on_all_clients_and_ends_the_search() {
    let (_runtime, server) = serving(r#"{"preset": "tiny"}"#);
    let goal = "[matrix]\nqps = [60, 70, 80]\n[[goals]]\nrequire = \"p95(ttft) <= 1us\"\n";
    let stage = Stage::with("shared.toml", &(scenario(&server.url(), LOAD) + goal));
    let mut clients = started(&stage, 3, &["--search", "frontier"]);
    let exit = clients.leader.end();
    assert!(exit.is_some_and(|code| code < 2), "{exit:?}: {:#?}", clients.leader.said);
    for other in &mut clients.others {
        assert_eq!(other.end(), Some(0), "{:#?}", other.said);
    }
    let sweep = read_sweep(&stage.path("out")).unwrap();
    assert!((1..3).contains(&sweep.runs.len()), "what is harder than a cell that fails is not tried: {} runs", sweep.runs.len());
    for run in &sweep.runs {
        assert!(matches!(run.record.outcome, RunOutcome::Curtailed(_)), "{:?}", run.record.outcome);
        assert!(run.record.counts.requests < 600, "it ended early");
        let parts: Vec<u64> = run.record.clients.iter().map(|client| client.requests).collect();
        assert!(parts.len() == 3 && parts.iter().all(|requests| *requests > 0), "{parts:?}");
        assert_eq!(parts.iter().sum::<u64>(), run.record.counts.requests, "the rows of all");
    }
}
