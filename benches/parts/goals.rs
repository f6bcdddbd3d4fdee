//! A goal over a cell's rows, from its table in memory to the verdict with its interval.

use std::hint::black_box;

use bench::analysis::{RequestTable, judge as judged};
use bench::records::store::{SavedRequests, to_table};
use bench::vocabulary::goal::Goal;
use criterion::{BenchmarkId, Criterion, Throughput};

use crate::rows::{GOALS, STEADY, Sizes};

const SIZES: Sizes = Sizes { runs: 1, rows: 10_000, turns: 4, tokens: 16 };

pub fn judge(criterion: &mut Criterion) {
    let records: Vec<_> = SIZES.requests(0, STEADY).collect();
    let saved = SavedRequests::held(to_table(&records).unwrap());
    let mut group = criterion.benchmark_group("goals");
    group.throughput(Throughput::Elements(SIZES.rows));
    for text in GOALS {
        let goal: Goal = text.parse().unwrap();
        group.bench_with_input(BenchmarkId::from_parameter(text), &goal, |bencher, goal| {
            // Read anew each time: a table keeps what it has computed.
            bencher.iter(|| judged(black_box(goal), &RequestTable::pool([&saved]).unwrap()).unwrap());
        });
    }
    group.finish();
}
