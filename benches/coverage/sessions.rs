//! Workloads of sessions on an engine whose steps are noisy: their runs, and their true percentiles by very many of them.

use bench::records::record::{RequestPhase, RequestRecord};
use serde_json::{Value, json};

use crate::executor::simulate;
use crate::judging::MeasuredRun;
use crate::tally::TrueValues;
use crate::truth::{SEEDS, by_long_runs};

/// A cell of a workload with sessions.
pub struct SessionCell {
    pub name: &'static str,
    /// What is judged.
    pub metric: &'static str,
    pub workload: fn(duration_s: f64) -> Value,
    /// Of its replications; nothing where its rounds end it.
    pub durations_s: &'static [f64],
    /// Of the runs behind the true values.
    pub long_duration_s: f64,
    pub long_runs: u32,
    pub load: &'static str,
}

/// Steps take 10 % more or less.
const NOISE: f64 = 0.1;

pub const SESSION_CELLS: [SessionCell; 6] = [
    SessionCell {
        name: "chat",
        metric: "ttft",
        workload: |duration_s| chat(8, duration_s),
        durations_s: &[60.0, 600.0],
        long_duration_s: 7200.0,
        long_runs: 16,
        load: "8/s",
    },
    // 95 and 99 % of the 26.3 that are answered a second when more come.
    SessionCell {
        name: "chat",
        metric: "ttft",
        workload: |duration_s| chat(25, duration_s),
        durations_s: &[60.0],
        long_duration_s: 7200.0,
        long_runs: 16,
        load: "25/s",
    },
    SessionCell {
        name: "chat",
        metric: "ttft",
        workload: |duration_s| chat(26, duration_s),
        durations_s: &[60.0],
        long_duration_s: 7200.0,
        long_runs: 16,
        load: "26/s",
    },
    SessionCell {
        name: "document_qa",
        metric: "ttft where turn >= 1",
        workload: |_| document_qa(4, 2),
        durations_s: &[],
        long_duration_s: 0.0,
        long_runs: 2000,
        load: "4×2",
    },
    SessionCell {
        name: "document_qa",
        metric: "ttft where turn >= 1",
        workload: |_| document_qa(5, 2),
        durations_s: &[],
        long_duration_s: 0.0,
        long_runs: 2000,
        load: "5×2",
    },
    SessionCell {
        name: "document_qa",
        metric: "ttft where turn >= 1",
        workload: |_| document_qa(4, 4),
        durations_s: &[],
        long_duration_s: 0.0,
        long_runs: 2000,
        load: "4×4",
    },
];

/// Users with a history of 1,000 tokens, some of which find it computed.
fn chat(qps: u32, duration_s: f64) -> Value {
    json!({"kind": "chat", "users": 16, "qps": qps, "rounds": 5, "duration": duration_s})
}

/// The pool holds about nine of these documents: sixteen push each other out, ten do so now and then.
fn document_qa(concurrent: u32, sequential: u32) -> Value {
    json!({
        "kind": "document_qa", "documents": {"synthetic_tokens": 2000}, "rounds": 10, "answer_tokens": 16,
        "concurrent": concurrent, "sequential": sequential,
    })
}

impl SessionCell {
    pub fn run(&self, duration_s: f64, seed: u64) -> MeasuredRun {
        simulate(&(self.workload)(duration_s), &json!({"preset": "tiny", "noise": NOISE, "kv_memory": 20_000_000}), seed)
    }

    /// Percentiles of very many runs.
    pub fn true_values(&self) -> TrueValues {
        let condition = |row: &&RequestRecord| row.phase == RequestPhase::Measure && (self.name == "chat" || row.turn >= 1);
        by_long_runs(self.metric, self.long_runs, |number| {
            let run = self.run(self.long_duration_s, SEEDS + u64::from(number));
            run.rows.iter().filter(condition).filter_map(RequestRecord::ttft_s).collect()
        })
    }
}
