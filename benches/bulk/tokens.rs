//! Bytes a token: what a run's table takes beyond the same run without its gaps, for several paces of tokens.

use std::path::Path;

use bench::records::store::SweepWriter;

use crate::rows::{Pace, Sizes};

const SIZES: Sizes = Sizes { runs: 1, rows: 20_000, turns: 4, tokens: 256 };

#[expect(clippy::cast_precision_loss, reason = "for people")]
pub fn table(folder: &Path) {
    println!("bytes a token in requests.parquet, {} rows of {} tokens", SIZES.rows, SIZES.tokens);
    let pace = |gap_us, noise_us, tokens_an_event| Pace { gap_us, noise_us, tokens_an_event };
    let paces = [
        pace(15_000.0, 100.0, 1),
        pace(15_000.0, 1_000.0, 1),
        pace(15_000.0, 5_000.0, 1),
        pace(15_000.0, 15_000.0, 1),
        pace(60_000.0, 5_000.0, 4),
    ];
    let bare = size(folder, pace(0.0, 0.0, 256));
    for pace in paces {
        let bytes = size(folder, pace).saturating_sub(bare) as f64 / (SIZES.rows * SIZES.tokens) as f64;
        let Pace { gap_us, noise_us, tokens_an_event } = pace;
        println!("  an event each {:.0} +- {:.1} ms, {tokens_an_event} tokens an event: {bytes:.2}", gap_us / 1e3, noise_us / 1e3);
    }
}

/// The bytes of the run's table.
fn size(folder: &Path, pace: Pace) -> u64 {
    let dir = tempfile::tempdir_in(folder).unwrap();
    let manifest = SIZES.manifest();
    let writer = SweepWriter::open(dir.path(), &manifest, "").unwrap();
    let planned = &manifest.runs[0];
    let mut run = writer.begin(&planned.id).unwrap();
    for record in SIZES.requests(0, pace) {
        run.append(&record).unwrap();
    }
    let path = run.paths().requests();
    run.seal(&SIZES.record(0, planned)).unwrap();
    fs_err::metadata(path).unwrap().len()
}
