//! A scenario's text to its runs.

use std::hint::black_box;
use std::path::Path;

use bench::planning::plan::Plan;
use bench::planning::scenario::{ScenarioOverrides, load_text};
use criterion::{BenchmarkId, Criterion, Throughput};

/// Along each of two axes.
const SIDES: [u64; 2] = [10, 100];

pub fn expand(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("plans");
    for side in SIDES {
        let text = scenario(side);
        let cells = side * side;
        assert_eq!(runs(&text), cells);
        group.throughput(Throughput::Elements(cells));
        group.sample_size(20);
        group.bench_with_input(BenchmarkId::new("cells", cells), &text, |bencher, text| bencher.iter(|| runs(black_box(text))));
    }
    group.finish();
}

fn runs(text: &str) -> u64 {
    let scenario = load_text(Path::new("plans.toml"), text, &ScenarioOverrides::default()).unwrap();
    Plan::new(&scenario).unwrap().runs.len() as u64
}

fn scenario(side: u64) -> String {
    format!(
        "name = \"plans\"\n[workload]\nkind = \"document_qa\"\n[target]\nkind = \"sim\"\n\
         [matrix]\n\"workload.concurrent\" = \"1..={side}\"\n\"workload.sequential\" = \"1..={side}\"\n\
         [[goals]]\nrequire = \"p95(ttft) <= 2s\"\n"
    )
}
