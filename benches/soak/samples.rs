//! What was seen at equal steps: samples in, tables for people out, and the tenths of the load that verdicts go by.

use std::path::Path;

use crate::process::Held;
use crate::sweep::Soaked;

/// What the program was doing, by its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Load,
    Seal,
    Report,
}

impl Phase {
    pub fn of(results: &Path) -> Self {
        let Some(run) = std::fs::read_dir(results.join("runs")).ok().and_then(|mut runs| runs.next()?.ok()) else { return Self::Load };
        let is_there = |name: &str| run.path().join(name).exists();
        match () {
            () if is_there("run.json") => Self::Report,
            () if is_there("requests.parquet") || is_there("requests.parquet.partial") => Self::Seal,
            () => Self::Load,
        }
    }
}

/// One look.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    pub at_s: f64,
    /// Requests that had ended, as the program said last.
    pub done: u64,
    pub phase: Phase,
    pub held: Held,
    pub disk_mb: f64,
}

/// A tenth of the load's time.
#[derive(Debug, Clone, Copy)]
pub struct Tenth {
    pub end_s: f64,
    pub done: u64,
    /// In the middle, and the most.
    pub resident_mb: f64,
    pub own_mb: f64,
    pub peak_mb: f64,
    pub open_files: f64,
    pub threads: f64,
    pub disk_mb: f64,
}

/// The samples of the load, without the one in which it began.
pub fn of_load(samples: &[Sample]) -> Vec<Sample> {
    samples.iter().copied().filter(|sample| sample.phase == Phase::Load).skip(1).collect()
}

/// The load in ten parts; fewer where there are too few samples.
pub fn tenths(samples: &[Sample]) -> Vec<Tenth> {
    let load = of_load(samples);
    let each = load.len().div_ceil(10).max(1);
    load.chunks(each).map(tenth).collect()
}

fn tenth(part: &[Sample]) -> Tenth {
    let most = |of: fn(&Sample) -> f64| part.iter().map(of).fold(0.0, f64::max);
    Tenth {
        end_s: most(|sample| sample.at_s),
        done: part.iter().map(|sample| sample.done).max().unwrap_or(0),
        resident_mb: median(part.iter().map(|sample| sample.held.resident_mb).collect()),
        own_mb: median(part.iter().map(|sample| sample.held.own_mb).collect()),
        peak_mb: most(|sample| sample.held.peak_mb),
        open_files: most(|sample| sample.held.open_files),
        threads: most(|sample| sample.held.threads),
        disk_mb: most(|sample| sample.disk_mb),
    }
}

/// The middle value; 0 of none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// A line a tenth.
pub fn table(samples: &[Sample]) -> Vec<String> {
    let head = "  to s      requests   MB  own  peak  files  threads  disk MB".to_owned();
    let line = |tenth: &Tenth| {
        format!(
            "{:6.0}  {:12}  {:3.0}  {:3.0}  {:4.0}  {:5.0}  {:7.0}  {:7.0}",
            tenth.end_s, tenth.done, tenth.resident_mb, tenth.own_mb, tenth.peak_mb, tenth.open_files, tenth.threads, tenth.disk_mb
        )
    };
    std::iter::once(head).chain(tenths(samples).iter().map(line)).collect()
}

/// How long each phase took, and what it held at most.
pub fn phases(soaked: &Soaked) -> Vec<String> {
    let mut before_s = 0.0;
    let mut lines = Vec::new();
    for (phase, name) in [(Phase::Load, "load"), (Phase::Seal, "sealing"), (Phase::Report, "report")] {
        let of: Vec<&Sample> = soaked.samples.iter().filter(|sample| sample.phase == phase).collect();
        let Some(last) = of.last() else { continue };
        let most = |get: fn(&Sample) -> f64| of.iter().map(|sample| get(sample)).fold(0.0, f64::max);
        let (peak, disk) = (most(|sample| sample.held.peak_mb), most(|sample| sample.disk_mb));
        lines.push(format!("{name}: {:.0} s, at most {peak:.0} MB of memory and {disk:.0} MB on disk", last.at_s - before_s));
        before_s = last.at_s;
    }
    lines.push(format!("whole: {:.0} s, {:.0} s of CPU", soaked.wall_s, soaked.cpu_s));
    lines
}
