//! A request's record: into the journal while load runs, and into the table when its run is sealed.

use bench::records::record::RequestRecord;
use bench::records::store::{RunWriter, SweepWriter};
use criterion::{BatchSize, Criterion, Throughput};
use tempfile::TempDir;

use crate::rows::{STEADY, Sizes};

const SIZES: Sizes = Sizes { runs: 1, rows: 10_000, turns: 4, tokens: 256 };

/// A run that is being written, and the folder it is in.
struct Begun {
    run: RunWriter,
    _sweep: SweepWriter,
    _folder: TempDir,
}

impl Begun {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let manifest = SIZES.manifest();
        let sweep = SweepWriter::open(folder.path(), &manifest, "").unwrap();
        Self { run: sweep.begin(&manifest.runs[0].id).unwrap(), _sweep: sweep, _folder: folder }
    }

    fn journal(mut self, records: &[RequestRecord]) -> Self {
        for record in records {
            self.run.append(record).unwrap();
        }
        self.run.flush().unwrap();
        self
    }
}

pub fn keep(criterion: &mut Criterion) {
    let records: Vec<RequestRecord> = SIZES.requests(0, STEADY).collect();
    let record = SIZES.record(0, &SIZES.manifest().runs[0]);
    let mut group = criterion.benchmark_group("records of 256 tokens");
    group.throughput(Throughput::Elements(SIZES.rows)).sample_size(20);
    group.bench_function("journal", |bencher| bencher.iter_batched(Begun::new, |begun| begun.journal(&records), BatchSize::PerIteration));
    group.bench_function("seal", |bencher| {
        let begun = || Begun::new().journal(&records);
        bencher.iter_batched(begun, |begun| begun.run.seal(&record).unwrap(), BatchSize::PerIteration);
    });
    group.finish();
}
