//! One step on a folder, in a process that does nothing else: what it took, in words.

use std::path::Path;
use std::time::{Duration, Instant};

use bench::analysis::{SummaryOptions, SweepSummary, summarize};
use bench::commands::report::{ReportOptions, report_sweep};
use bench::records::record::RunRecord;
use bench::records::store::{SweepWriter, read_sweep};

use crate::rows::{STEADY, Sizes};

/// Does the step and tells its time and the most memory it held.
pub fn run(step: &str, dir: &Path, rows: &Sizes) -> String {
    let began = Instant::now();
    let told = match step {
        "write" => return write(dir, rows),
        "copies" => copies(dir, rows),
        "open" => format!("{} runs", read_sweep(dir).unwrap().runs.len()),
        "summary" => judged(&summary(dir, &SummaryOptions::default())),
        "itl" => judged(&summary(dir, &SummaryOptions { goals: vec!["p99(itl) <= 50ms".parse().unwrap()], ..SummaryOptions::default() })),
        "heatmap" => judged(&report_sweep(dir, &ReportOptions::default()).unwrap()),
        "resume" => resume(dir, rows),
        other => panic!("`{other}` is no step"),
    };
    format!("{:8.2} s  {}  {told}", began.elapsed().as_secs_f64(), peak())
}

fn summary(dir: &Path, question: &SummaryOptions) -> SweepSummary {
    summarize(&read_sweep(dir).unwrap(), question).unwrap()
}

fn judged(summary: &SweepSummary) -> String {
    let cells: Vec<_> = summary.variants.iter().flat_map(|variant| &variant.cells).collect();
    let rows: u64 = cells.iter().map(|cell| cell.n).sum();
    let passing = cells.iter().filter(|cell| cell.passes == Some(true)).count();
    format!("{rows} rows judged, {passing} of {} cells pass", cells.len())
}

/// Every run through the journal and sealed. Making up the records is not counted.
#[expect(clippy::cast_precision_loss, reason = "for people")]
fn write(dir: &Path, rows: &Sizes) -> String {
    let manifest = rows.manifest();
    let began = Instant::now();
    let mut writer = SweepWriter::open(dir, &manifest, "").unwrap();
    let opened = began.elapsed();
    let (mut journal, mut seal) = (Duration::ZERO, Duration::ZERO);
    for (number, planned) in (0..).zip(&manifest.runs) {
        let records: Vec<_> = rows.requests(number, STEADY).collect();
        let began = Instant::now();
        writer.reach(&planned.id).unwrap();
        let mut run = writer.begin(&planned.id).unwrap();
        for record in &records {
            run.append(record).unwrap();
        }
        journal += began.elapsed();
        let began = Instant::now();
        run.seal(&rows.record(number, planned)).unwrap();
        seal += began.elapsed();
    }
    let total = (rows.rows * rows.runs) as f64;
    let each = |time: Duration| time.as_secs_f64() / total * 1e6;
    format!(
        "{:8.2} s  {}  folder {:.2} s, journal {:.2} s ({:.2} us a record), seal {:.2} s ({:.2} us a record)",
        (opened + journal + seal).as_secs_f64(),
        peak(),
        opened.as_secs_f64(),
        journal.as_secs_f64(),
        each(journal),
        seal.as_secs_f64(),
        each(seal)
    )
}

/// As many runs as there are to be, all of them the first one but for their names: saving each would mostly wait for the disk.
fn copies(dir: &Path, rows: &Sizes) -> String {
    let manifest = rows.manifest();
    let writer = SweepWriter::open(dir, &manifest, "").unwrap();
    let mut run = writer.begin(&manifest.runs[0].id).unwrap();
    rows.requests(0, STEADY).for_each(|record| run.append(&record).unwrap());
    run.seal(&rows.record(0, &manifest.runs[0])).unwrap();
    let first = writer.paths().run(&manifest.runs[0].id).unwrap();
    let (table, record) = (fs_err::read(first.requests()).unwrap(), fs_err::read_to_string(first.record()).unwrap());
    let sealed: RunRecord = serde_json::from_str(&record).unwrap();
    for (number, planned) in (0..).zip(&manifest.runs).skip(1) {
        let paths = writer.paths().run(&planned.id).unwrap();
        fs_err::create_dir(paths.dir()).unwrap();
        fs_err::write(paths.requests(), &table).unwrap();
        let record = RunRecord { tables: sealed.tables.clone(), ..rows.record(number, planned) };
        fs_err::write(paths.record(), serde_json::to_vec_pretty(&record).unwrap()).unwrap();
    }
    format!("{} runs", manifest.runs.len())
}

/// Goes on with a folder in which everything is sealed.
fn resume(dir: &Path, rows: &Sizes) -> String {
    let writer = SweepWriter::open(dir, &rows.manifest(), "").unwrap();
    format!("{} sealed", writer.sealed_ids().unwrap().len())
}

/// The most memory that this process had, where the operating system tells.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.map_or("     ? MB".to_owned(), |kib| format!("{:6} MB", kib / 1024))
}
