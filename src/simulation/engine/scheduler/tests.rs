//! What the engine must answer, computed by hand with the figures of the preset `tiny`: a step is 1 ms, a prompt token 10 µs and 2 ns for
//! each token that it attends to, an answer token 100 µs and 10 ns for each token of its context.

use std::collections::BTreeMap;

use super::*;
use crate::engine::tokenizer::mix;
use crate::engine::{BlockHashChain, EngineAnswer, encode};
use crate::foundation::units::{Bytes, BytesPerSecond, Seconds};
use crate::vocabulary::spec::engine::{EngineCostSpec, EnginePreset, EngineSpec, TierSpec};

/// A tiny engine with that many blocks of 16 tokens and 16 kB.
fn parameters(blocks: u64, change: impl FnOnce(&mut EngineSpec)) -> EngineParameters {
    let mut spec = EngineSpec { preset: EnginePreset::Tiny, kv_memory: Some(Bytes(blocks * 16_000)), ..EngineSpec::default() };
    change(&mut spec);
    EngineParameters::resolve(&spec, 1).unwrap()
}

fn tiny() -> EngineParameters {
    parameters(4000, |_| {})
}

/// A host tier from which a token comes back in a microsecond.
fn with_host_tier(spec: &mut EngineSpec) {
    spec.host_tier = Some(TierSpec { capacity: Bytes(1_000_000_000), bandwidth: BytesPerSecond(1e9), latency: None });
}

/// A prompt of so many tokens that shares nothing with one of another name.
fn prompt(name: u32, tokens: u64) -> BlockHashChain {
    let mut chain = BlockHashChain::new(16);
    (0..tokens).for_each(|_| chain.push(name));
    chain
}

/// Submits the requests at their times and runs to the end: the stamps of each, and what it found in caches.
fn run(engine: &mut Engine, requests: Vec<(u64, BlockHashChain, u32)>) -> Vec<(Vec<u64>, u64)> {
    let mut ids = Vec::new();
    let mut answers: BTreeMap<EngineRequestId, (Vec<u64>, u64)> = BTreeMap::new();
    let mut take = |engine: &mut Engine| {
        for emission in engine.take_emissions() {
            let answer = answers.entry(emission.id).or_default();
            answer.0.extend(emission.stamps.iter().map(|stamp| stamp.0));
            answer.1 = emission.cached_tokens;
        }
    };
    for (at, prompt, max_tokens) in requests {
        ids.push(engine.submit(Micros(at), EngineRequest { prompt, max_tokens }).unwrap());
    }
    let mut now = engine.now;
    loop {
        engine.run_to(now);
        take(engine);
        match engine.deadline() {
            Some(deadline) => now = deadline,
            None => break,
        }
    }
    assert!(engine.sequences.is_empty(), "every request comes to its end");
    assert_eq!(engine.pool.held(), 0, "and leaves no block held");
    ids.iter().map(|id| answers[id].clone()).collect()
}

fn engine(parameters: &EngineParameters) -> Engine {
    Engine::new(parameters, Micros(10_000_000))
}

#[test]
fn the_first_token_comes_when_the_prompt_is_computed_and_the_others_a_step_each() {
    let answers = run(&mut engine(&tiny()), vec![(0, prompt(1, 1000), 3)]);
    // 1 ms + 10 ms + 2 ns * 500,500 pairs = 12,001 µs; then 1 ms + 100 µs + 10 ns * 1,001 and 1,002.
    assert_eq!(answers, [(vec![12_001, 13_111, 14_221], 0)]);
}

#[test]
fn prompts_that_come_together_wait_for_each_other_on_their_way_in_where_one_process_takes_them() {
    let firsts = |intake: IntakeOrder| {
        let costs = EngineCostSpec { request: Some(Seconds(0.02)), ..EngineCostSpec::default() };
        let parameters = parameters(4000, |spec| (spec.costs, spec.intake) = (costs, Some(intake)));
        let answers = run(&mut engine(&parameters), vec![(0, prompt(1, 1000), 1), (0, prompt(2, 1000), 1)]);
        answers.into_iter().map(|(stamps, _)| stamps[0]).collect::<Vec<u64>>()
    };
    // 20 ms each on the way in, then 12,001 µs each, which a step's budget holds one of.
    assert_eq!(firsts(IntakeOrder::Parallel), [32_001, 44_002]);
    assert_eq!(firsts(IntakeOrder::Serial), [32_001, 52_001]);
}

#[test]
fn a_long_prompt_is_computed_in_chunks_of_the_token_budget() {
    let answers = run(&mut engine(&tiny()), vec![(500, prompt(1, 2500), 1)]);
    // 12,001 as above; 1,500,500 pairs: 14,001; 500 tokens with 1,125,250 pairs: 1,000 + 5,000 + 2,250.5, rounded up.
    assert_eq!(answers, [(vec![500 + 12_001 + 14_001 + 8_251], 0)]);
}

#[test]
fn of_two_prompts_at_once_the_second_waits_for_the_first() {
    let answers = run(&mut engine(&tiny()), vec![(0, prompt(1, 1000), 3), (0, prompt(2, 1000), 1)]);
    // Second step: the first decodes (100 + 10.01), which leaves 999 tokens of the budget (9,990 + 2 ns * 499,500): 12,099.
    // Third step: the first decodes (100 + 10.02), the second's last token (10 + 2): 1,122.
    assert_eq!(answers, [(vec![12_001, 24_100, 25_222], 0), (vec![25_222], 0)]);
}

#[test]
fn what_arrives_in_a_step_waits_for_its_end_and_what_arrives_at_its_end_does_not() {
    // With 999 tokens beside one decode: 12,099 from 12,001 on; or behind a lone decode step, from 13,111 on.
    for (at, start) in [(1, 12_001), (12_001, 12_001), (12_002, 13_111), (13_111, 13_111)] {
        let answers = run(&mut engine(&tiny()), vec![(0, prompt(1, 1000), 3), (at, prompt(2, 999), 1)]);
        assert_eq!(answers[1].0, [start + 12_099], "arrival at {at}");
    }
}

#[test]
fn a_second_turn_computes_only_what_is_not_in_full_blocks_yet() {
    let mut engine = engine(&tiny());
    let first = prompt(1, 1000);
    let answer = encode(&EngineAnswer::to(first.fingerprint()).text(24));
    run(&mut engine, vec![(0, first.clone(), 24)]);
    let start = engine.now.0;
    let mut second = first;
    second.extend(&answer);
    second.extend(&[9; 76]);
    // The answer's last token was never computed: 1,023 are, 63 full blocks of them, 1,008 tokens. 92 remain: 1,000 + 920 +
    // 2 ns * (92 * 1,008 + 4,278).
    assert_eq!(run(&mut engine, vec![(start, second, 1)]), [(vec![start + 2114], 1008)]);
    assert_eq!((engine.counters.prefix_queries, engine.counters.prefix_hits), (2100, 1008));
}

#[test]
fn a_prompt_that_is_cached_whole_still_computes_its_last_block() {
    let mut engine = engine(&tiny());
    run(&mut engine, vec![(0, prompt(1, 1600), 1)]);
    let answers = run(&mut engine, vec![(1_000_000, prompt(1, 1600), 1)]);
    // 16 tokens: 1,000 + 160 + 2 ns * (16 * 1,584 + 136).
    assert_eq!(answers, [(vec![1_000_000 + 1211], 1584)]);
}

#[test]
fn over_a_cyclic_order_as_many_sessions_as_fit_always_hit_and_one_more_always_misses() {
    // 1,601 tokens are 101 blocks, the last of which is never full: 505 blocks hold five such sessions, 404 four. A fifth then finds
    // its first four blocks at most, since the others' last blocks are taken before its own.
    for (blocks, found) in [(505, 1600..=1600), (404, 0..=64)] {
        let mut engine = engine(&parameters(blocks, |_| {}));
        for round in 0..4 {
            for session in 0..5 {
                let now = engine.now.0;
                let cached = run(&mut engine, vec![(now, prompt(session, 1601), 1)])[0].1;
                assert!(if round == 0 { cached == 0 } else { found.contains(&cached) }, "{blocks} {round} {session}: {cached}");
            }
        }
    }
}

#[test]
fn what_the_device_has_lost_comes_back_from_the_host_at_its_bandwidth() {
    let mut engine = engine(&parameters(101, with_host_tier));
    run(&mut engine, vec![(0, prompt(1, 1601), 1)]);
    run(&mut engine, vec![(100_000, prompt(2, 1601), 1)]);
    let answers = run(&mut engine, vec![(200_000, prompt(1, 1601), 1)]);
    // 1,600 tokens in 1,600 µs, then the last one: 1,000 + 10 + 2 ns * 1,601.
    assert_eq!(answers, [(vec![200_000 + 1600 + 1013], 1600)]);
    assert_eq!(engine.counters.external_hits, 1600);
}

#[test]
fn loads_at_once_share_the_bandwidth_and_hold_nobody_up() {
    let mut engine = engine(&parameters(400, with_host_tier));
    for session in 1..=8 {
        let now = engine.now.0;
        run(&mut engine, vec![(now, prompt(session, 1601), 1)]);
    }
    let answers = run(&mut engine, vec![(1_000_000, prompt(1, 1601), 1), (1_000_000, prompt(2, 1601), 1), (1_000_000, prompt(9, 100), 1)]);
    // The third computes 100 tokens meanwhile: 1,000 + 1,000 + 2 ns * 5,050. The others load 3,200 tokens together, to 3,200 µs, and
    // compute their last tokens in one step: 1,000 + 20 + 2 ns * 3,202.
    assert_eq!(answers, [(vec![1_004_226], 1600), (vec![1_004_226], 1600), (vec![1_002_010], 0)]);
}

#[test]
fn a_disk_serves_what_the_host_is_too_small_for() {
    let mut engine = engine(&parameters(101, |spec| {
        spec.host_tier = Some(TierSpec { capacity: Bytes(16_000 * 40), bandwidth: BytesPerSecond(1e9), latency: None });
        spec.disk_tier = Some(TierSpec { capacity: Bytes(1_000_000_000), bandwidth: BytesPerSecond(1e8), latency: None });
    }));
    run(&mut engine, vec![(0, prompt(1, 1601), 1)]);
    run(&mut engine, vec![(100_000, prompt(2, 161), 1)]);
    let answers = run(&mut engine, vec![(200_000, prompt(1, 1601), 1)]);
    // The device lost its last 10 blocks but one (which was empty) to the second. The host has the 10 of the second and the first 30 of
    // the first; so 10 blocks, less the empty one, come from the disk at 10 µs a token.
    assert_eq!(answers[0].1, 1600);
    let loaded = engine.counters.external_hits;
    assert_eq!(answers[0].0, [200_000 + loaded * 10 + 1013]);
    assert_eq!(loaded, 160);
}

#[test]
fn the_latest_loses_its_blocks_when_an_earlier_one_needs_them() {
    // Two prompts of 150 tokens take 10 blocks of 20 each; the first answer's 11th token needs an 11th block.
    let mut engine = engine(&parameters(20, |_| {}));
    let answers = run(&mut engine, vec![(0, prompt(1, 150), 40), (0, prompt(2, 150), 40)]);
    assert_eq!(engine.counters.preemptions, 1);
    assert_eq!(answers.iter().map(|answer| answer.0.len()).collect::<Vec<_>>(), [40, 40]);
    let gaps: Vec<u64> = answers[1].0.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let waited = gaps.iter().filter(|gap| **gap > 2_000).count();
    assert_eq!(waited, 1, "the second stands still once, until the first is done: {gaps:?}");
    assert!(answers[1].0[39] > answers[0].0[39]);
    assert_eq!(engine.counters.generation_tokens, 80);
}

#[test]
fn what_can_never_fit_is_refused() {
    let mut engine = engine(&parameters(20, |_| {}));
    let refusal = engine.submit(Micros(0), EngineRequest { prompt: prompt(1, 300), max_tokens: 21 }).unwrap_err();
    assert_eq!(refusal, ContextLimitError { prompt_tokens: 300, max_tokens: 21, context_limit: 320 });
    assert_eq!(run(&mut engine, vec![(0, prompt(1, 300), 20)])[0].0.len(), 20);
}

#[test]
fn nothing_is_found_after_a_reset_not_even_in_a_tier() {
    let mut engine = engine(&parameters(202, with_host_tier));
    run(&mut engine, vec![(0, prompt(1, 1601), 1)]);
    engine.reset(Micros(100_000));
    assert_eq!(run(&mut engine, vec![(100_000, prompt(1, 1601), 1)])[0].1, 0);
}

#[test]
fn a_request_given_up_leaves_no_block_held_and_the_next_goes_on_at_the_step_s_end() {
    let mut engine = engine(&tiny());
    let id = engine.submit(Micros(0), EngineRequest { prompt: prompt(1, 1000), max_tokens: 500 }).unwrap();
    engine.run_to(Micros(20_000));
    let seen = engine.take_emissions();
    engine.cancel(Micros(20_000), id);
    assert_eq!(engine.pool.held(), 0);
    let until_then: usize = seen.iter().chain(&engine.take_emissions()).map(|emission| emission.stamps.len()).sum();
    assert_eq!(until_then, 8, "12,001, and seven more every 1,110 µs until 19,771");
    // 20,881 is the end of the step under way.
    assert_eq!(run(&mut engine, vec![(20_000, prompt(2, 1000), 1)]), [(vec![20_881 + 12_001], 0)]);
}

#[test]
fn deciding_ahead_changes_no_stamp() {
    for case in 0..60 {
        let draw = |number: u64, below: u64| mix(case * 1000 + number) % below;
        let requests = || {
            let mut at = 0;
            let request = |number: u64| {
                at += draw(number, 30_000);
                let tokens = 1 + draw(number + 100, 400);
                let name = u32::try_from(draw(number + 200, 4)).unwrap();
                (at, prompt(name, tokens), 1 + u32::try_from(draw(number + 300, 80)).unwrap())
            };
            (0..20).map(request).collect::<Vec<_>>()
        };
        let parameters = parameters(35 + draw(1, 60), |spec| {
            if case % 2 == 0 {
                with_host_tier(spec);
            }
            spec.noise = (case % 3 == 0).then_some(0.2);
        });
        let together = run(&mut Engine::new(&parameters, Micros(1_000_000)), requests());
        let single = run(&mut Engine::new(&parameters, Micros::ZERO), requests());
        assert_eq!(together, single, "case {case}");
    }
}
