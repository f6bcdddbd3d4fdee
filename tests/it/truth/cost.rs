//! What the simulation itself costs. A measurement rather than a test: `cargo test --release --test it -- --ignored --nocapture cost`.

use bench::engine::TokenMemo;
use bench::engine::spec::{EngineSpec, TierSpec};
use bench::units::{Bytes, BytesPerSecond};

use super::groups::{Cell, documents, p95_ttft, run};

#[test]
#[ignore = "a measurement, for a release build"]
fn a_whole_sweep() {
    let tier = TierSpec { capacity: Bytes(500_000_000_000), bandwidth: BytesPerSecond(25e9) };
    let variants = [("vllm", EngineSpec::default()), ("lmcache", EngineSpec { host_tier: Some(tier), ..EngineSpec::default() })];
    let (documents, memo) = (documents(16, 131_072), TokenMemo::default());
    let start = std::time::Instant::now();
    let (mut requests, mut tokens) = (0, 0);
    for repeat in 0..3 {
        for (name, engine) in &variants {
            for concurrent in 1..=4 {
                for sequential in 1..=4 {
                    let cell = Cell { engine, concurrent, sequential, rounds: 20, answer_tokens: 512, documents: &documents, memo: &memo };
                    let (exchanges, snapshot) = run(&cell);
                    requests += snapshot.counters.finished;
                    tokens += snapshot.counters.generation_tokens;
                    if repeat == 0 {
                        println!("{name} C={concurrent} S={sequential}: p95 TTFT {:.3} s", p95_ttft(&exchanges).as_secs_f64());
                    }
                }
            }
        }
    }
    println!("{requests} requests, {tokens} tokens in {:.2} s", start.elapsed().as_secs_f64());
}
