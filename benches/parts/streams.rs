//! An answer's bytes: how long an event takes from the read to its place in the exchange, without the socket.

use std::hint::black_box;

use bench::servers::client::replay;
use bench::vocabulary::spec::target_api::TargetApi;
use criterion::{BenchmarkId, Criterion, Throughput};

/// What a vLLM server sent.
const RECORDED: &str = include_str!("../../tests/fixtures/engine/vllm_stream.sse");
const EVENTS: u64 = 1_000;

/// An answer of many events: the recorded ones over and over, with the recorded end.
pub fn scan(criterion: &mut Criterion) {
    let answer = answer();
    let mut group = criterion.benchmark_group("streams");
    group.throughput(Throughput::Elements(EVENTS));
    for (name, length) in [("an event a read", 0), ("64 bytes a read", 64), ("8 KiB a read", 8 * 1024)] {
        let pieces: Vec<&[u8]> = match length {
            0 => answer.split_inclusive("\n\n").map(str::as_bytes).collect(),
            length => answer.as_bytes().chunks(length).collect(),
        };
        assert_eq!(replay(TargetApi::Chat, pieces.iter().copied()).failure, None);
        group.bench_with_input(BenchmarkId::from_parameter(name), &pieces, |bencher, pieces| {
            bencher.iter(|| replay(TargetApi::Chat, black_box(pieces).iter().copied()));
        });
    }
    group.finish();
}

fn answer() -> String {
    let events: Vec<&str> = RECORDED.split_inclusive("\n\n").collect();
    let is_token = |event: &&&str| event.contains("\"delta\":{\"content\":\"") && event.contains("\"finish_reason\":null");
    let tokens: Vec<&str> = events.iter().filter(is_token).copied().collect();
    let end: Vec<&str> = events.iter().skip_while(|event| !event.contains("\"finish_reason\":\"")).copied().collect();
    let many = tokens.iter().cycle().take(usize::try_from(EVENTS).unwrap());
    many.chain(&end).copied().collect()
}
