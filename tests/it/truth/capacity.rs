//! The published setup: 7.5 GB of KV cache a session, 112 GB on the card, 14.9 sessions. 12 fit and 16 do not.

use bench::foundation::clock::Micros;
use bench::foundation::units::{Bytes, BytesPerSecond};
use bench::simulation::engine::TokenMemo;
use bench::vocabulary::spec::engine::{EngineSpec, TierSpec};

use super::groups::{Cell, documents, p95_ttft, run};

/// The p95 of time to first token by (C, S).
type Table = Vec<((u64, u64), Micros)>;

const LIMIT: Micros = Micros(2_000_000);

/// The largest C×S over 1..=4 by 1..=4 whose p95 of time to first token is at most 2 s, and all p95s by (C, S).
fn largest(engine: &EngineSpec) -> (u64, Table) {
    let (documents, memo) = (documents(16, 131_072), TokenMemo::default());
    let mut table = Vec::new();
    for concurrent in 1..=4 {
        for sequential in 1..=4 {
            let cell = Cell { engine, concurrent, sequential, rounds: 3, answer_tokens: 64, documents: &documents, memo: &memo };
            table.push(((concurrent, sequential), p95_ttft(&run(&cell).0)));
        }
    }
    let best = table.iter().filter(|(_, p95)| *p95 <= LIMIT).map(|((c, s), _)| c * s).max();
    (best.unwrap_or(0), table)
}

#[test]
fn twelve_sessions_fit_on_the_card_and_sixteen_do_not() {
    let (best, table) = largest(&EngineSpec::default());
    assert_eq!(best, 12, "{table:?}");
    // Everything that fits is fast, and what does not is far off, so that the answer does not hang on a figure.
    for ((concurrent, sequential), p95) in &table {
        assert_eq!(*p95 <= LIMIT, concurrent * sequential <= 14, "{table:?}");
        assert!(p95.0 < 1_000_000 || p95.0 > 8_000_000, "{table:?}");
    }
}

#[test]
fn a_host_tier_holds_sixteen() {
    let tier = TierSpec { capacity: Bytes(500_000_000_000), bandwidth: BytesPerSecond(25e9), latency: None };
    let (best, table) = largest(&EngineSpec { host_tier: Some(tier), ..EngineSpec::default() });
    assert_eq!(best, 16, "{table:?}");
}

#[test]
fn half_the_memory_holds_half_the_sessions() {
    // 56 GB are 7.45 sessions: of the products of 1..=4 and 1..=4, 6 is the largest that fits.
    let (best, table) = largest(&EngineSpec { kv_memory: Some(Bytes(56_000_000_000)), ..EngineSpec::default() });
    assert_eq!(best, 6, "{table:?}");
    for ((concurrent, sequential), p95) in &table {
        assert_eq!(*p95 <= LIMIT, concurrent * sequential <= 7, "{table:?}");
    }
}

#[test]
fn sixteen_sessions_miss_every_time_and_twelve_never() {
    let (documents, memo, engine) = (documents(16, 131_072), TokenMemo::default(), EngineSpec::default());
    for (sequential, fits) in [(3, true), (4, false)] {
        let cell = Cell { engine: &engine, concurrent: 4, sequential, rounds: 3, answer_tokens: 512, documents: &documents, memo: &memo };
        let (exchanges, snapshot) = run(&cell);
        assert_eq!(snapshot.counters.preemptions, 0);
        for exchange in exchanges {
            let usage = exchange.usage.unwrap();
            let cached = usage.cached_tokens.unwrap();
            // A block is 256 tokens: what stands behind the last full one is computed again.
            assert!(if fits { cached + 256 + 64 > usage.prompt_tokens } else { cached < 131_072 / 2 }, "{sequential}: {usage:?}");
        }
    }
}

#[test]
fn the_same_cell_gives_the_same_exchanges_twice() {
    let (documents, engine) = (documents(4, 20_000), EngineSpec { noise: Some(0.1), ..EngineSpec::default() });
    let exchanges = || {
        let memo = TokenMemo::default();
        run(&Cell { engine: &engine, concurrent: 2, sequential: 2, rounds: 2, answer_tokens: 40, documents: &documents, memo: &memo }).0
    };
    assert_eq!(exchanges(), exchanges());
}
