//! Times to first token as plain text, for trying out estimators: a file a replication, a line a request in the order of their times.

use std::fmt::Write;
use std::path::Path;

use crate::judging::MeasuredRun;
use crate::tally::{PERCENTILES, TrueValues};

/// The true percentiles of the series in a folder.
pub fn write_truth(folder: &Path, truth: &TrueValues) {
    fs_err::create_dir_all(folder).expect("a folder");
    let line = |(p, seconds): (f64, f64)| format!("p{p} {seconds:.6}\n");
    let text: String = PERCENTILES.into_iter().zip(truth.seconds).map(line).collect();
    fs_err::write(folder.join("truth.txt"), text).expect("a file");
}

/// Intended time and time to first token of each request, in seconds.
pub fn write_series(folder: &Path, replication: u32, run: &MeasuredRun) {
    let mut text = String::new();
    let mut rows: Vec<_> = run.rows.iter().collect();
    rows.sort_by_key(|row| row.intended_us);
    for row in rows {
        if let Some(ttft) = row.ttft_s() {
            writeln!(text, "{:.6} {ttft:.6}", row.intended_us.as_secs_f64()).expect("a text");
        }
    }
    fs_err::write(folder.join(format!("{replication:04}.txt")), text).expect("a file");
}
