//! The load loop on the simulated engine: what was to be sent was sent, when it was due, and every request left a row.

use std::collections::{BTreeMap, BTreeSet};

use bench::execution::event::SweepEvent;
use bench::execution::executor::{PlanScheduler, RunScheduler, ServerLaunchPaths, StopToken, StoppingRule, sweep};
use bench::foundation::clock::Micros;
use bench::planning::plan::{Plan, Run};
use bench::planning::scenario::CellSpec;
use bench::records::record::{
    EarlyStopCertainty, EarlyStopReason, FailureKind, RequestPhase, RequestRecord, RunFailure, RunOutcome, RunRecord, TokenSource,
};
use bench::vocabulary::spec::failure_policy::FailurePolicy;
use bench::vocabulary::spec::scenario::RunOrder;
use bench::vocabulary::spec::search::SearchSpec;
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// What one simulated cell did.
pub struct Done {
    pub rows: Vec<RequestRecord>,
    pub record: RunRecord,
}

/// Runs one cell of that workload on the small engine, changed as said.
pub fn simulate(workload: Value, engine: Value) -> Done {
    done_by(&mut PlanScheduler::new(&plan_of(run_of(workload, engine)), &BTreeSet::new()))
}

/// The only run of that workload.
pub fn run_of(workload: Value, engine: Value) -> Run {
    let cell = CellSpec::new(section_of(workload), section_of(json!({"kind": "sim"})), section_of(engine), section_of(json!({})));
    Run { id: "cell".into(), variant: "default".into(), axes: vec![], repeat: 0, seed: 7, simulated: true, cell }
}

/// What the course's only cell did.
fn done_by(course: &mut dyn RunScheduler) -> Done {
    let (events, mut heard) = mpsc::unbounded_channel();
    let ending = sweep(course, FailurePolicy::default(), &StopToken::new(), &launch(), &events, None).unwrap();
    drop(events);
    assert!(!ending.interrupted);
    let (mut rows, mut record) = (Vec::new(), None);
    while let Some(event) = heard.blocking_recv() {
        match event {
            SweepEvent::RequestDone(row) => rows.push(*row),
            SweepEvent::RunFinished(finished) => record = Some(*finished),
            _ => {}
        }
    }
    Done { rows, record: record.unwrap() }
}

fn section_of<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// Nothing is started here.
fn launch() -> ServerLaunchPaths {
    ServerLaunchPaths { program: "bench".into(), logs: "servers".into() }
}

fn plan_of(run: Run) -> Plan {
    Plan {
        name: "load".into(),
        seed: 7,
        repeats: 1,
        search: SearchSpec::default(),
        policy: FailurePolicy::default(),
        order: RunOrder::default(),
        spread: vec![],
        block: None,
        frontier: None,
        score: None,
        simulated: true,
        variants: vec!["default".into()],
        axes: vec![],
        goals: vec![],
        plots: vec![],
        runs: vec![run],
        scenario_path: "scenario.toml".into(),
        scenario_file: "scenario.toml".into(),
        scenario_text: String::new(),
        scenario_hash: String::new(),
        changes: vec![],
    }
}

fn document_qa(fields: &Value) -> Value {
    let mut workload = json!({"kind": "document_qa", "documents": {"synthetic_tokens": 1000}, "rounds": 2, "answer_tokens": 8});
    workload.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    workload
}

fn chat(fields: &Value) -> Value {
    let mut workload = json!({
        "kind": "chat", "users": 10, "qps": 2.0, "rounds": 5, "system_prompt_tokens": 100, "history_tokens": 100,
        "question_tokens": 20, "answer_tokens": 10, "duration": 60,
    });
    workload.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    workload
}

fn in_order_of_sending(mut rows: Vec<RequestRecord>) -> Vec<RequestRecord> {
    rows.sort_by_key(|row| (row.sent_us, row.request));
    rows
}

fn failures(rows: &[RequestRecord]) -> Vec<FailureKind> {
    rows.iter().filter_map(|row| Some(row.failure.as_ref()?.kind)).collect()
}

#[test]
fn a_closed_loop_never_exceeds_its_concurrency_and_sends_every_turn() {
    let done = simulate(document_qa(&json!({"concurrent": 3, "sequential": 2})), json!({"preset": "tiny"}));
    assert_eq!(done.record.outcome, RunOutcome::Completed);
    assert_eq!(done.rows.len(), 3 * 2 * 3);
    assert!(done.rows.iter().all(|row| row.in_flight <= 3 && row.failure.is_none()));
    assert!(done.rows.iter().any(|row| row.in_flight == 3));
    let turns: BTreeSet<(u64, u32)> = done.rows.iter().map(|row| (row.session, row.turn)).collect();
    assert_eq!(turns, (0..6).flat_map(|session| (0..3).map(move |turn| (session, turn))).collect());
}

#[test]
fn a_group_asks_the_next_session_the_moment_the_answer_before_it_is_whole() {
    let done = simulate(document_qa(&json!({"concurrent": 1, "sequential": 3})), json!({"preset": "tiny"}));
    let rows = in_order_of_sending(done.rows);
    let order: Vec<(u64, u32)> = rows.iter().map(|row| (row.session, row.turn)).collect();
    assert_eq!(order, [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1), (0, 2), (1, 2), (2, 2)]);
    for pair in rows.windows(2) {
        assert_eq!(pair[1].intended_us, pair[0].done_us);
        assert_eq!(pair[1].sent_us, pair[1].intended_us);
    }
}

#[test]
fn staggered_groups_start_at_the_first_token_of_the_one_before() {
    let done = simulate(document_qa(&json!({"concurrent": 3})), json!({"preset": "tiny"}));
    let first_turns: Vec<&RequestRecord> = done.rows.iter().filter(|row| row.turn == 0).collect();
    for pair in 0..2 {
        let before = first_turns.iter().find(|row| row.lane == pair).unwrap();
        let after = first_turns.iter().find(|row| row.lane == pair + 1).unwrap();
        assert_eq!(Some(after.sent_us), before.first_token_us);
    }
    let burst = simulate(document_qa(&json!({"concurrent": 3, "start": "burst"})), json!({"preset": "tiny"}));
    assert!(burst.rows.iter().filter(|row| row.turn == 0).all(|row| row.sent_us == Micros::ZERO));
}

#[test]
fn a_follow_up_finds_its_document_in_the_cache() {
    let done = simulate(document_qa(&json!({"sequential": 2})), json!({"preset": "tiny"}));
    for row in done.rows {
        let cached = row.cached_tokens.unwrap();
        if row.turn == 0 {
            assert!(cached < 16, "a first turn shares at most a block with another document: {cached}");
        } else {
            assert!(cached > 950 && cached < row.prompt_tokens.unwrap());
        }
    }
}

#[test]
fn the_record_says_how_the_tokens_were_counted_and_that_the_caches_were_cold() {
    let record = serde_json::to_value(simulate(document_qa(&json!({})), json!({"preset": "tiny"})).record).unwrap();
    assert_eq!(record["token_rule"], json!({"kind": "simulated"}));
    assert_eq!(record["cache_contract"]["kind"], json!("proven"));
    assert_eq!(record["counts"]["measured"], json!(3));
}

#[test]
fn a_chat_offers_sends_and_completes_the_asked_rate() {
    let done = simulate(chat(&json!({})), json!({"preset": "tiny"}));
    let measured: Vec<&RequestRecord> = done.rows.iter().filter(|row| row.phase == RequestPhase::Measure).collect();
    assert_eq!(done.record.offered_qps, Some(2.0));
    assert!(measured.len().abs_diff(120) <= 1, "{} requests in 60 s at 2 a second", measured.len());
    assert!(measured.iter().all(|row| row.failure.is_none() && row.sent_us == row.intended_us));
}

#[test]
fn a_chat_starts_in_steady_state_with_histories_in_the_cache() {
    let done = simulate(chat(&json!({})), json!({"preset": "tiny"}));
    let laid_in: BTreeMap<u64, u32> =
        done.rows.iter().filter(|row| row.phase == RequestPhase::Prefill).map(|row| (row.session, row.turn)).collect();
    // Of ten users at 5 rounds, those older than a turn and younger than the last one.
    assert!(laid_in.len() >= 7, "{laid_in:?}");
    for (session, turn) in laid_in {
        let first = done.rows.iter().find(|row| row.phase != RequestPhase::Prefill && row.session == session).unwrap();
        assert_eq!(first.turn, turn);
        let (prompt, cached) = (first.prompt_tokens.unwrap(), first.cached_tokens.unwrap());
        assert!(prompt - cached < 20 + 16 + 8, "all but the new question is cached: {cached} of {prompt}");
    }
}

#[test]
fn warm_up_turns_are_marked_and_the_measured_ones_go_on_without_a_gap() {
    let done = simulate(chat(&json!({"warmup": 20})), json!({"preset": "tiny"}));
    let load_starts = done.rows.iter().filter(|row| row.phase == RequestPhase::Prefill).map(|row| row.done_us).max().unwrap();
    for row in done.rows.iter().filter(|row| row.phase != RequestPhase::Prefill) {
        let warm = row.intended_us.since(load_starts) < Micros(20_000_000);
        assert_eq!(row.phase == RequestPhase::Warmup, warm, "{row:?}");
    }
}

#[test]
fn a_late_turn_keeps_its_intended_time_and_what_is_never_sent_is_counted() {
    // One sequence at a time and long answers: far less than the asked rate can be served.
    let done = simulate(chat(&json!({"qps": 20.0, "answer_tokens": 200, "duration": 20})), json!({"preset": "tiny", "max_sequences": 1}));
    let measured: Vec<&RequestRecord> = done.rows.iter().filter(|row| row.phase == RequestPhase::Measure).collect();
    assert!(measured.len().abs_diff(400) <= 1, "every turn that was due leaves a row: {}", measured.len());
    assert!(measured.iter().any(|row| row.failure.is_none() && row.sent_us > row.intended_us + Micros(1_000_000)));
    let unsent = failures(&done.rows).into_iter().filter(|kind| *kind == FailureKind::Cancelled).count();
    assert!(unsent > 100, "{unsent}");
    assert!(done.record.notes.iter().any(|note| note.contains(&unsent.to_string())), "{:?}", done.record.notes);
}

#[test]
fn a_failed_turn_is_a_row_and_the_session_goes_on_or_ends_as_asked() {
    let faulty = json!({"preset": "tiny", "faults": [{"kind": "status", "status": 503, "every": 4}]});
    let dropping = simulate(document_qa(&json!({"rounds": 5, "sequential": 2})), faulty.clone());
    assert_eq!(dropping.rows.len(), 12);
    assert_eq!(failures(&dropping.rows), [FailureKind::Http(503); 3]);
    assert_eq!(dropping.record.counts.failed, 3);
    let ending = simulate(document_qa(&json!({"rounds": 5, "sequential": 2, "on_error": "end_session"})), faulty);
    // The 4th request is turn 1 of session 1, which ends there; turns 2 to 5 of session 0 are requests 5 to 8, of which the last fails.
    assert_eq!(ending.rows.len(), 12, "what a session that ended does not send is failed and not forgotten");
    let unsent = FailureKind::SessionEnded;
    assert_eq!(failures(&ending.rows), [FailureKind::Http(503), unsent, unsent, unsent, FailureKind::Http(503), unsent]);
    assert!(
        ending.rows.iter().filter(|row| !row.was_sent()).all(|row| (row.session, row.phase) == (1, RequestPhase::Measure) && row.turn > 1)
    );
    assert!(ending.record.notes.iter().any(|note| note.starts_with("4 turns were not sent") && note.contains("session_ended")));
}

#[test]
fn a_session_whose_document_was_refused_has_failed_with_all_its_turns_and_sends_none_of_them() {
    for on_error in ["drop_turn", "end_session"] {
        // The second request is the first turn of session 1; the third and last one is turn 1 of session 0.
        let refusing = json!({"preset": "tiny", "faults": [{"kind": "status", "status": 429, "every": 2}]});
        let done = simulate(document_qa(&json!({"sequential": 2, "rounds": 1, "on_error": on_error})), refusing);
        let mut turns: Vec<(u64, u32, Option<FailureKind>)> =
            done.rows.iter().map(|row| (row.session, row.turn, row.failure.as_ref().map(|failure| failure.kind))).collect();
        turns.sort_unstable();
        let refused = [(1, 0, Some(FailureKind::Http(429))), (1, 1, Some(FailureKind::NoHistory))];
        assert_eq!(turns, [(0, 0, None), (0, 1, None), refused[0], refused[1]]);
        assert_eq!((done.record.counts.measured, done.record.counts.failed), (4, 2));
        assert!(done.record.notes.iter().any(|note| note.starts_with("1 turns were not sent") && note.contains("no_history")));
    }
}

#[test]
fn groups_wait_for_the_last_first_answer_before_they_ask_a_follow_up_and_no_row_is_lost() {
    for start in ["staggered", "burst"] {
        let done = simulate(document_qa(&json!({"concurrent": 3, "sequential": 2, "start": start})), json!({"preset": "tiny"}));
        assert_eq!(done.rows.len(), 3 * 2 * 3);
        let answered = done.rows.iter().filter(|row| row.turn == 0).map(|row| row.done_us).max().unwrap();
        let follow_ups = || done.rows.iter().filter(|row| row.turn > 0);
        assert!(follow_ups().all(|row| row.sent_us >= answered && row.intended_us == row.sent_us), "{start}");
        // Then they begin one after the other: no convoy.
        let first = |lane: u32| follow_ups().filter(|row| row.lane == lane).min_by_key(|row| row.sent_us).unwrap();
        assert_eq!(first(0).sent_us, answered, "{start}");
        assert_eq!([1, 2].map(|lane| Some(first(lane).sent_us)), [0, 1].map(|lane| first(lane).first_token_us), "{start}");
        for lane in 0..3 {
            let of_lane = done.rows.iter().filter(|row| row.lane == lane).cloned().collect();
            let order: Vec<(u64, u32)> = in_order_of_sending(of_lane).iter().map(|row| (row.session % 2, row.turn)).collect();
            assert_eq!(order, [(0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (1, 2)], "{start}, group {lane}");
        }
        let original = document_qa(&json!({"concurrent": 3, "sequential": 2, "start": start, "follow_ups": "original"}));
        let original = simulate(original, json!({"preset": "tiny"}));
        let answered = original.rows.iter().filter(|row| row.turn == 0).map(|row| row.done_us).max().unwrap();
        assert!(original.rows.iter().any(|row| row.turn > 0 && row.sent_us < answered), "the original waits for nobody: {start}");
    }
}

#[test]
fn nobody_waits_for_a_first_answer_that_will_not_come() {
    let of = |every: u32| json!({"preset": "tiny", "faults": [{"kind": "status", "status": 413, "every": every}]});
    let groups = document_qa(&json!({"concurrent": 3, "sequential": 2}));
    let nothing = simulate(groups.clone(), of(1));
    assert_eq!((nothing.rows.len(), nothing.record.counts.failed), (18, 18));
    let some = simulate(groups, of(4));
    assert_eq!(some.rows.len(), 18);
    let ended = curtailed(document_qa(&json!({"concurrent": 3, "sequential": 2})), 4);
    assert!(matches!(ended.record.outcome, RunOutcome::Curtailed(_)), "while two groups wait for the third");
}

/// The p95 of time to first token of follow-ups, in microseconds, by linear interpolation.
fn follow_ups_p95(rows: &[RequestRecord]) -> u64 {
    let mut times: Vec<u64> = rows.iter().filter(|row| row.turn > 0).map(|row| row.first_token_us.unwrap().since(row.sent_us).0).collect();
    times.sort_unstable();
    let hundredths = 95 * (times.len() - 1);
    let (low, high) = (times[hundredths / 100], times[hundredths.div_ceil(100)]);
    low + (high - low) * (hundredths % 100) as u64 / 100
}

#[test]
fn starts_agree_where_the_pool_holds_all_sessions_and_only_the_original_holds_cold_prompts() {
    // 6 sessions of 8,000 tokens in a pool of 64,000; a cold prompt takes 32 steps, and holds up whoever comes behind it.
    let rows_of = |fields: Value| {
        let mut workload = document_qa(&json!({"concurrent": 3, "sequential": 2, "rounds": 3, "documents": {"synthetic_tokens": 8000}}));
        workload.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        simulate(workload, json!({"preset": "tiny", "step_tokens": 256})).rows
    };
    let of = |fields: Value| follow_ups_p95(&rows_of(fields));
    let (staggered, burst) = (of(json!({"start": "staggered"})), of(json!({"start": "burst"})));
    println!("staggered {staggered} us, burst {burst} us");
    assert!(staggered.abs_diff(burst) * 50 < burst, "staggered {staggered}, burst {burst}: more than 2 % apart");
    for start in ["staggered", "burst"] {
        let mut rows = rows_of(json!({"start": start, "follow_ups": "original"}));
        let original = follow_ups_p95(&rows);
        let answered = rows.iter().filter(|row| row.turn == 0).map(|row| row.done_us).max().unwrap();
        rows.retain(|row| row.sent_us >= answered);
        println!("{start} in the original's definition: {original} us, from the last first answer on {} us", follow_ups_p95(&rows));
        assert!(original > 10 * burst, "{start}: {original} against {burst}");
        assert!(follow_ups_p95(&rows) < 2 * burst, "{start}: without the cold prompts of others it is of the same order");
    }
    // One group has nobody to wait for: both definitions are the same.
    let alone = |follow_ups: &str| of(json!({"concurrent": 1, "follow_ups": follow_ups}));
    assert_eq!(alone("all_answered"), alone("original"));
}

#[test]
fn a_session_longer_than_the_context_fails_the_cell_and_says_by_how_much() {
    let done = simulate(document_qa(&json!({"documents": {"synthetic_tokens": 3000}})), json!({"preset": "tiny", "context_limit": 2048}));
    let RunOutcome::Failed(RunFailure { reason, .. }) = done.record.outcome else { panic!("{:?}", done.record.outcome) };
    assert!(reason.contains("2048"), "{reason}");
    assert!(done.rows.is_empty());
}

#[test]
fn the_same_cell_gives_the_same_rows_every_time() {
    let of = || simulate(chat(&json!({"answers": "scripted"})), json!({"preset": "tiny", "noise": 0.2}));
    let (once, again) = (of(), of());
    assert_eq!(once.rows, again.rows);
    assert_eq!(once.record, again.record);
}

#[test]
fn what_is_sealed_is_not_run_again() {
    let cell = CellSpec::new(
        section_of(document_qa(&json!({}))),
        section_of(json!({"kind": "sim"})),
        section_of(json!({})),
        section_of(json!({})),
    );
    let run = Run { id: "cell".into(), variant: "default".into(), axes: vec![], repeat: 0, seed: 7, simulated: true, cell };
    let (events, mut heard) = mpsc::unbounded_channel();
    let sealed = BTreeSet::from(["cell".to_owned()]);
    sweep(&mut PlanScheduler::new(&plan_of(run), &sealed), FailurePolicy::default(), &StopToken::new(), &launch(), &events, None).unwrap();
    drop(events);
    let mut told = Vec::new();
    while let Some(event) = heard.blocking_recv() {
        told.push(event);
    }
    assert!(
        matches!(
            told[..],
            [SweepEvent::SweepStarted { planned: 1, sealed: 1, about: false }, SweepEvent::SweepFinished { interrupted: false }]
        ),
        "{told:?}"
    );
}

#[test]
fn a_sweep_in_virtual_time_is_at_most_two_runs_ahead_of_who_listens_and_stops_where_it_is_asked_to() {
    let run = run_of(document_qa(&json!({})), json!({"preset": "tiny"}));
    let mut plan = plan_of(run.clone());
    plan.runs = (0..20).map(|number| Run { id: format!("run-{number}"), ..run.clone() }).collect();
    let (events, mut heard) = mpsc::unbounded_channel();
    let stop = StopToken::new();
    let wish = stop.clone();
    let sweeping = std::thread::spawn(move || {
        sweep(&mut PlanScheduler::new(&plan, &BTreeSet::new()), FailurePolicy::default(), &wish, &launch(), &events, None).unwrap()
    });
    let (mut begun, mut finished) = (0, 0);
    while let Some(event) = heard.blocking_recv() {
        begun += usize::from(matches!(event, SweepEvent::RunStarted { .. }));
        finished += usize::from(matches!(event, SweepEvent::RunFinished(_)));
        if finished == 3 {
            stop.drain();
        }
    }
    assert!(sweeping.join().unwrap().interrupted);
    assert!((3..=6).contains(&begun), "{begun} runs were begun, of which 3 were heard of before it was to stop");
}

/// Ends a run after so many of its requests.
struct After {
    runs: PlanScheduler,
    left: usize,
    /// Interrupted from outside at the same moment.
    interrupted: Option<StopToken>,
}

impl RunScheduler for After {
    fn extent(&self) -> (usize, usize) {
        self.runs.extent()
    }

    fn next(&mut self) -> Option<Run> {
        self.runs.next()
    }

    fn rule(&mut self, _: &Run) -> Option<&mut dyn StoppingRule> {
        Some(self)
    }

    fn ended(&mut self, _: &RunRecord) {}
}

impl StoppingRule for After {
    fn heard(&mut self, _: &RequestRecord) -> Option<EarlyStopReason> {
        self.left = self.left.saturating_sub(1);
        if let (0, Some(stop)) = (self.left, &self.interrupted) {
            stop.drain();
        }
        (self.left == 0).then(|| EarlyStopReason { certainty: EarlyStopCertainty::Exact, settled: vec![] })
    }
}

#[test]
fn a_run_that_is_ended_early_and_interrupted_meanwhile_is_interrupted() {
    let stop = StopToken::new();
    let runs = PlanScheduler::new(&plan_of(run_of(document_qa(&json!({"concurrent": 2})), json!({"preset": "tiny"}))), &BTreeSet::new());
    let mut course = After { runs, left: 2, interrupted: Some(stop.clone()) };
    let (events, mut heard) = mpsc::unbounded_channel();
    assert!(sweep(&mut course, FailurePolicy::default(), &stop, &launch(), &events, None).unwrap().interrupted);
    drop(events);
    let mut outcomes = Vec::new();
    while let Some(event) = heard.blocking_recv() {
        if let SweepEvent::RunFinished(record) = event {
            outcomes.push(record.outcome);
        }
    }
    assert_eq!(outcomes, [RunOutcome::Interrupted]);
}

fn curtailed(workload: Value, left: usize) -> Done {
    let run = run_of(workload, json!({"preset": "tiny"}));
    let runs = PlanScheduler::new(&plan_of(run), &BTreeSet::new());
    done_by(&mut After { runs, left, interrupted: None })
}

#[test]
fn a_run_that_is_ended_early_awaits_what_is_in_flight_and_counts_nothing_else() {
    let groups = document_qa(&json!({"concurrent": 3, "sequential": 4}));
    let whole = simulate(groups.clone(), json!({"preset": "tiny"}));
    let done = curtailed(groups, 10);
    assert!(matches!(done.record.outcome, RunOutcome::Curtailed(_)), "{:?}", done.record.outcome);
    // Two groups were in the midst of a request, and may have begun the next one at that moment.
    assert!((10..=13).contains(&done.rows.len()), "{}", done.rows.len());
    assert_eq!(done.record.counts.requests, done.rows.len() as u64);
    assert_eq!((done.record.counts.failed, done.record.notes), (0, vec![]));
    assert_eq!(done.rows[..10], whole.rows[..10], "until then it went on as ever");
}

#[test]
fn neither_users_nor_arrivals_leave_rows_behind_when_their_run_is_ended_early() {
    let requests = json!({
        "kind": "requests", "arrival": "constant", "qps": 50.0, "requests": 200, "prompt_tokens": 500, "answer_tokens": 10, "max_in_flight": 2,
    });
    for workload in [chat(&json!({"warmup": 5})), requests] {
        let done = curtailed(workload, 30);
        assert!(matches!(done.record.outcome, RunOutcome::Curtailed(_)), "{:?}", done.record.outcome);
        assert!((30..45).contains(&done.rows.len()) && done.rows.iter().all(RequestRecord::was_sent), "{}", done.rows.len());
        assert_eq!(failures(&done.rows), []);
    }
}

#[test]
fn a_server_that_tells_no_usage_is_counted_by_the_token_rule_and_the_row_says_so() {
    let silent = json!({"preset": "tiny", "faults": [{"kind": "no_usage", "every": 1}]});
    let done = simulate(document_qa(&json!({})), silent);
    let told = simulate(document_qa(&json!({})), json!({"preset": "tiny"}));
    for (counted, told) in done.rows.iter().zip(&told.rows) {
        assert_eq!((counted.token_source, told.token_source), (TokenSource::TokenRule, TokenSource::Usage));
        assert_eq!(counted.output_tokens, told.output_tokens);
        assert_eq!(counted.cached_tokens, None);
        // The server also counts its chat template.
        let template = told.prompt_tokens.unwrap() - counted.prompt_tokens.unwrap();
        assert!(template <= 4 * (2 * u64::from(counted.turn) + 2), "{template}");
    }
}

#[test]
fn the_last_answer_of_a_user_is_counted_too_while_the_next_user_is_made_ready() {
    let silent = json!({"preset": "tiny", "faults": [{"kind": "no_usage", "every": 1}]});
    let done = simulate(chat(&json!({})), silent);
    assert!(done.rows.iter().any(|row| row.turn == 4));
    assert!(done.rows.iter().all(|row| row.token_source == TokenSource::TokenRule && row.output_tokens.is_some()));
}
