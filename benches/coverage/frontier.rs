//! How often a frontier over qps certifies more than the truth: the real program with its shortest useful cells, seed by seed.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::asked::AskedRows;
use crate::cases::{ArrivalKind, QueueLoad, SystemKind};
use crate::parallel::on_all_cores;
use crate::rows::timed;
use crate::table::share;
use crate::truth::{LongRuns, true_values};

/// As a user would write it.
const SCENARIO: &str = r#"
name = "frontier"
search = "frontier"
[workload]
kind = "requests"
prompt_tokens = 1000
answer_tokens = 50
duration = "10s"
[target]
kind = "sim"
[engine]
preset = "tiny"
[matrix]
qps = "1.. x2"
[[goals]]
require = "p99(ttft) <= 500ms"
"#;

const LIMIT_S: f64 = 0.5;

/// What one search says, in requests a second.
#[derive(Debug, Clone, Copy)]
struct FoundRate {
    /// The largest that is certified.
    met: Option<f64>,
    /// The largest that passes by its plain value.
    passes: Option<f64>,
    /// The largest that is not excluded.
    not_excluded: Option<f64>,
}

/// Runs so many searches and says how they came out.
pub fn frontier(asked: &AskedRows) -> Vec<String> {
    let seeds = asked.searches;
    let edge = timed("the frontier in the long run", || TrueEdge::find(asked.long_runs()));
    let truth = f64::from(edge.rate);
    let folder = tempfile::tempdir().expect("a folder");
    let search_one = |seed: u32| {
        let dir = folder.path().join(seed.to_string());
        fs_err::create_dir(&dir).expect("a folder");
        let found = search(&dir, seed);
        fs_err::remove_dir_all(&dir).expect("a folder of ours");
        found
    };
    let found = timed("searches", || on_all_cores(seeds, search_one));
    let count = |fits: &dyn Fn(&FoundRate) -> bool| found.iter().filter(|found| fits(found)).count();
    let more = |value: Option<f64>| value.is_some_and(|value| value > truth);
    let say = |what: &str, count: usize| format!("{what:<42} {} %", share(u32::try_from(count).expect("few"), seeds));
    let mut met: Vec<f64> = found.iter().map(|found| found.met.unwrap_or(0.0)).collect();
    met.sort_by(f64::total_cmp);
    let at = |p: f64| bench::analysis::percentile(&met, p).unwrap_or(f64::NAN);
    vec![
        format!(
            "frontier over qps, 10 s a cell, p99(ttft) <= 500 ms, {seeds} seeds; in the long run {:.3} s at {}/s and {:.3} s at {}/s",
            edge.value_s,
            edge.rate,
            edge.beyond_s,
            edge.rate + 1
        ),
        say("certifies more than the truth", count(&|found| more(found.met))),
        say("certifies nothing", count(&|found| found.met.is_none())),
        say("passes more than the truth by plain values", count(&|found| more(found.passes))),
        say("excludes the truth", count(&|found| found.not_excluded.is_some_and(|most| most < truth))),
        format!("certified: p5 {:.0}, median {:.0}, p95 {:.0}, most {:.0} /s", at(5.0), at(50.0), at(95.0), at(100.0)),
    ]
}

/// The largest whole rate whose goal is fulfilled in the long run, with the values there and at the next one.
#[derive(Debug, Clone, Copy)]
struct TrueEdge {
    rate: u32,
    value_s: f64,
    beyond_s: f64,
}

impl TrueEdge {
    fn find(long: LongRuns) -> Self {
        let value = |rate: u32| {
            let load = QueueLoad { system: SystemKind::Engine, arrival: ArrivalKind::Poisson, utilisation: 100, capacity: f64::from(rate) };
            true_values(&load, long).seconds[2]
        };
        // The engine carries 57 requests a second.
        let (mut holds, mut fails) = ((48, value(48)), (57, f64::INFINITY));
        assert!(holds.1 <= LIMIT_S, "the edge lies below 48/s");
        while fails.0 - holds.0 > 1 {
            let middle = u32::midpoint(holds.0, fails.0);
            let found = (middle, value(middle));
            if found.1 <= LIMIT_S { holds = found } else { fails = found }
        }
        Self { rate: holds.0, value_s: holds.1, beyond_s: fails.1 }
    }
}

fn search(dir: &std::path::Path, seed: u32) -> FoundRate {
    fs_err::write(dir.join("frontier.toml"), SCENARIO).expect("a file");
    let seed = format!("seed={seed}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
    command.args(["--quiet", "sweep", "frontier.toml", "--simulate", "--set", &seed, "-o", "out"]).current_dir(dir);
    let done = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).output().expect("the program runs");
    let summary = fs_err::read_to_string(dir.join("out/report/summary.json"));
    let summary = summary.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&done.stderr)));
    let summary: Value = serde_json::from_str(&summary).expect("a summary");
    let score = &summary["variants"][0]["scores"][0];
    let [met, passes, not_excluded] = ["met", "passes", "not_excluded"].map(|name| score[name].as_f64());
    FoundRate { met, passes, not_excluded }
}
