//! Times to first token computed by hand, with the figures of the preset `tiny`: a step is 1 ms, a prompt token 10 µs and 2 ns for each
//! token that it attends to, an answer token 100 µs and 10 ns for each token of its context; blocks of 16 tokens.

use bench::foundation::clock::Micros;
use bench::simulation::engine::TokenMemo;
use bench::vocabulary::spec::engine::{EnginePreset, EngineSpec};

use super::groups::{Cell, documents, p95_ttft, run};

fn tiny() -> EngineSpec {
    EngineSpec { preset: EnginePreset::Tiny, ..EngineSpec::default() }
}

/// The times to first token of the follow-up turns, in the order of their sending.
fn follow_ups(concurrent: u64) -> (Vec<u64>, Micros) {
    let (documents, memo, engine) = (documents(2, 993), TokenMemo::default(), tiny());
    let cell = Cell { engine: &engine, concurrent, sequential: 1, rounds: 3, answer_tokens: 24, documents: &documents, memo: &memo };
    let (exchanges, _) = run(&cell);
    (exchanges.iter().map(|exchange| exchange.token_events[0].since(exchange.sent).0).collect(), p95_ttft(&exchanges))
}

#[test]
fn each_turn_of_one_session_computes_what_its_history_has_not_in_full_blocks() {
    let (times, p95) = follow_ups(1);
    // The document is a prompt of 993 + 4 + 3 = 1,000 tokens; each round adds an answer of 24 + 4 and a question of 12 + 4.
    //   round   prompt   computed before   in full blocks   to compute, with pairs        time
    //   1       1,044    1,000 + 23        1,008            36: 36 * 1,008 +  666          1,000 + 360 + 73.9
    //   2       1,088    1,044 + 23        1,056            32: 32 * 1,056 +  528          1,000 + 320 + 68.6
    //   3       1,132    1,088 + 23        1,104            28: 28 * 1,104 +  406          1,000 + 280 + 62.6
    assert_eq!(times, [1434, 1389, 1343]);
    // Between the second and the first, at nine tenths: 1,389 + 0.9 * 45, cut to whole microseconds.
    assert_eq!(p95, Micros(1429));
}

#[test]
#[expect(clippy::cast_precision_loss, reason = "microseconds of a short run")]
fn two_sessions_at_once_slow_each_other_by_what_they_compute_in_the_same_step() {
    let (times, _) = follow_ups(2);
    assert_eq!(times.len(), 6);
    // Each computes its prompt in a step in which the other one's answer goes on: to the times alone, not yet cut, come 100 µs and 10 ns for
    // each token of the other's context, which is its document at least and the last prompt with its answer at most: 1,000 to 1,156.
    for (both, alone) in times.chunks(2).zip([1_433.9, 1_388.6, 1_342.6]) {
        let within = |time: &u64| (alone + 110.0 - 1.0..=alone + 111.6).contains(&(*time as f64));
        assert!(both.iter().all(within), "{both:?} beside {alone}");
    }
}
