//! Made-up requests: sessions of some turns, times to first token about 0.4 s, tokens every 15 ms with noise, one request in 500 failed. The same
//! numbers each time.

use bench::foundation::clock::Micros;
use bench::records::record::{
    CacheCheck, CacheEvidence, ClientEnvironment, ClientHealth, FailureKind, FirstEventSource, FormatVersion, Manifest, PlannedRun,
    RequestCounts, RequestFailure, RequestPhase, RequestRecord, RunHeader, RunOutcome, RunRecord, TokenRule, TokenSource,
};
use bench::vocabulary::goal::SavedGoal;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use serde_json::{Value, json};

/// How many of what.
#[derive(Clone, Copy)]
pub struct Sizes {
    pub runs: u64,
    /// Of a run.
    pub rows: u64,
    /// Of a session.
    pub turns: u64,
    /// Of an answer.
    pub tokens: u64,
}

pub const GOALS: [&str; 4] =
    ["p95(ttft where turn >= 1) <= 2s", "p99(tpot) <= 50ms/token", "error_rate <= 1%", "mean(e2e where turn >= 1) <= 5s"];

/// How tokens come: their distance, its standard deviation, and how many come at once.
#[derive(Clone, Copy)]
pub struct Pace {
    pub gap_us: f64,
    pub noise_us: f64,
    pub tokens_an_event: u64,
}

pub const STEADY: Pace = Pace { gap_us: 15_000.0, noise_us: 1_000.0, tokens_an_event: 1 };

impl Sizes {
    /// The runs lie on a grid that is about as wide as it is high.
    fn width(&self) -> u64 {
        self.runs.isqrt().max(1)
    }

    fn axes(&self, run: u64) -> Vec<(String, Value)> {
        let value = |name: &str, value: u64| (format!("workload.{name}"), json!(value));
        vec![value("concurrent", 1 + run / self.width()), value("sequential", 1 + run % self.width())]
    }

    pub fn manifest(&self) -> Manifest {
        let along = |last: u64| (1..=last).map(|value| json!(value)).collect();
        let planned = |run: u64| PlannedRun { id: format!("run-{run:06}"), variant: "default".into(), axes: self.axes(run), repeat: 0 };
        Manifest {
            format: FormatVersion::CURRENT,
            name: "bulk".into(),
            seed: 1,
            created_at: jiff::Timestamp::UNIX_EPOCH,
            simulated: true,
            scenario_hash: "0".into(),
            scenario_file: "scenario.toml".into(),
            changes: Vec::new(),
            goals: GOALS.iter().map(|goal| SavedGoal::Read(goal.parse().unwrap())).collect(),
            plots: Vec::new(),
            variants: vec!["default".into()],
            axes: vec![
                ("workload.concurrent".into(), along(self.runs.div_ceil(self.width()))),
                ("workload.sequential".into(), along(self.width())),
            ],
            repeats: 1,
            runs: (0..self.runs).map(planned).collect(),
            client: ClientEnvironment::default(),
            keeps_texts: false,
            imported: None,
            search: None,
            score: None,
            block: None,
            blocks: Vec::new(),
        }
    }

    pub fn record(&self, run: u64, planned: &PlannedRun) -> RunRecord {
        let workload = json!({"kind": "document_qa", "concurrent": 1 + run / self.width(), "sequential": 1 + run % self.width()});
        RunRecord {
            format: FormatVersion::CURRENT,
            header: RunHeader {
                id: planned.id.clone(),
                variant: planned.variant.clone(),
                axes: planned.axes.clone(),
                repeat: 0,
                seed: 1,
                simulated: true,
                cell: json!({ "workload": workload, "target": {"kind": "sim"} }).into(),
            },
            outcome: RunOutcome::Completed,
            started_at: jiff::Timestamp::UNIX_EPOCH,
            duration_us: Micros(self.rows * 5_000),
            token_rule: TokenRule::Simulated,
            cache_contract: CacheCheck::Proven(CacheEvidence::Text("made up".into())),
            salt: None,
            server: None,
            client: ClientHealth::default(),
            clients: Vec::new(),
            counts: RequestCounts {
                requests: self.rows,
                measured: self.rows,
                measured_window_us: Micros(self.rows * 5_000),
                ..RequestCounts::default()
            },
            connections: None,
            offered_qps: None,
            tables: std::collections::BTreeMap::new(),
            notes: Vec::new(),
        }
    }

    /// The requests of a run: 200 a second.
    pub fn requests(self, run: u64, pace: Pace) -> impl Iterator<Item = RequestRecord> {
        let mut rng = Pcg64::seed_from_u64(run);
        (0..self.rows).map(move |request| request_of(request, self, pace, &mut rng))
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "turns and times are small and above 0")]
fn request_of(request: u64, rows: Sizes, pace: Pace, rng: &mut Pcg64) -> RequestRecord {
    let sent = Micros(request * 5_000);
    let (session, turn) = (request / rows.turns, (request % rows.turns) as u32);
    let failed = rng.random_range(0..500) == 0;
    let ttft = Micros((400_000.0 * (0.4 * normal(rng)).exp()) as u64);
    let events = rows.tokens / pace.tokens_an_event;
    let gaps_us: Vec<u32> = (1..events).map(|_| (pace.gap_us + pace.noise_us * normal(rng)).max(0.0) as u32).collect();
    let first_token = sent + ttft;
    let last_token = first_token + Micros(gaps_us.iter().map(|gap| u64::from(*gap)).sum());
    RequestRecord {
        request,
        session,
        lane: (session % 64) as u32,
        turn,
        phase: RequestPhase::Measure,
        intended_us: sent,
        sent_us: sent + Micros(rng.random_range(20..200)),
        headers_us: (!failed).then(|| sent + Micros(ttft.0 / 2)),
        first_event_us: (!failed).then(|| sent + Micros(ttft.0 / 2 + 300)),
        first_token_us: (!failed).then_some(first_token),
        last_token_us: (!failed).then_some(last_token),
        done_us: last_token + Micros(500),
        gaps_us: if failed { Vec::new() } else { gaps_us },
        first_event_tokens: (!failed).then_some(pace.tokens_an_event as u32),
        prompt_tokens: (!failed).then_some(8_000 + u64::from(turn) * 300),
        cached_tokens: (!failed).then_some(u64::from(turn) * 7_900 / 4),
        output_tokens: (!failed).then_some(rows.tokens),
        token_source: if failed { TokenSource::Unknown } else { TokenSource::Usage },
        in_flight: 1 + (request % 64) as u32,
        live_lanes: 64,
        connect_us: None,
        first_answer_us: (!failed).then_some(first_token),
        token_events: (!failed).then_some(events),
        token_reads: (!failed).then_some(events),
        first_event_source: (!failed).then_some(FirstEventSource::Usage),
        reasoning_tokens: (!failed).then_some(0),
        hidden_tokens: None,
        forced_tokens: None,
        prompt_hash: None,
        answer_hashes: None,
        server: None,
        attempts: Some(1),
        client: None,
        failure: failed.then(|| RequestFailure { kind: FailureKind::Http(503), detail: "status 503: overloaded".into() }),
    }
}

/// By Box and Muller.
fn normal(rng: &mut Pcg64) -> f64 {
    let (radius, angle): (f64, f64) = (rng.random_range(1e-12..1.0), rng.random_range(0.0..std::f64::consts::TAU));
    (-2.0 * radius.ln()).sqrt() * angle.cos()
}
