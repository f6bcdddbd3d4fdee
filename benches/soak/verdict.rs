//! What must hold of a long run, and whether it does: samples and rows in, sentences out.

use crate::rows::Rows;
use crate::samples::{Tenth, tenths};
use crate::slope::Slope;
use crate::sweep::Soaked;

/// One thing that must hold.
pub struct Verdict {
    pub what: String,
    pub found: String,
    pub holds: bool,
}

impl Verdict {
    /// Shows it; whether it holds.
    pub fn tell(&self) -> bool {
        println!("{} {}: {}", if self.holds { "✓" } else { "✗" }, self.what, self.found);
        self.holds
    }
}

/// The share by which memory may differ after the first tenth.
const FLAT: f64 = 0.05;
/// Two journals of 32 MiB, one that grows and one that is being made a table of, each with its last row group; and what a run's other files take.
const JOURNALS_MB: f64 = 2.0 * (33.6 + 45.0) + 50.0;
/// A row of a table.
const MOST_BYTES_A_ROW: f64 = 250.0;

pub fn all(soaked: &Soaked, rows: &Rows) -> Vec<Verdict> {
    let tenths = tenths(&soaked.samples);
    let mut verdicts = counted(soaked, rows);
    verdicts.extend([
        flat("memory", &tenths, |tenth| tenth.resident_mb),
        flat("memory of its own", &tenths, |tenth| tenth.own_mb),
        flat("peak memory", &tenths, |tenth| tenth.peak_mb),
        steady("open files", &tenths, |tenth| tenth.open_files),
        steady("threads", &tenths, |tenth| tenth.threads),
    ]);
    verdicts.push(bounded(&tenths, rows.saved));
    verdicts
}

fn counted(soaked: &Soaked, rows: &Rows) -> Vec<Verdict> {
    let (planned, counts) = (soaked.planned.unwrap_or(0), &rows.counts);
    let failures: u64 = counts.failures.values().sum();
    let is_exact = planned == counts.requests && counts.requests == rows.saved && failures == rows.failed && counts.failed <= failures;
    vec![
        Verdict {
            what: "the run ended in order".to_owned(),
            found: if soaked.succeeded { "it did".to_owned() } else { soaked.said.join("\n") },
            holds: soaked.succeeded && rows.is_complete,
        },
        Verdict {
            what: "counters are exact".to_owned(),
            found: format!(
                "planned {planned}, counted {}, saved {}; failed {failures} counted, {} saved; each number once: {}",
                counts.requests, rows.saved, rows.failed, rows.is_each_once
            ),
            holds: is_exact && rows.is_each_once,
        },
    ]
}

/// Within the bound after the first tenth, against its end: the second tenth.
fn flat(what: &str, tenths: &[Tenth], of: fn(&Tenth) -> f64) -> Verdict {
    let values: Vec<f64> = tenths.iter().skip(1).map(of).collect();
    let level = values.first().copied().unwrap_or(0.0);
    let (least, most) = values.iter().fold((f64::INFINITY, 0.0_f64), |(least, most), value| (least.min(*value), most.max(*value)));
    let slope = Slope::of(&values).map_or_else(String::new, |slope| {
        let [low, middle, high] = [slope.low, slope.middle, slope.high].map(|each| each * values.len() as f64);
        format!("; {middle:+.1} MB over the run, {low:+.1} to {high:+.1} at 95 %")
    });
    Verdict {
        what: format!("{what} is flat within 5 % after the first tenth"),
        found: format!("{least:.1} to {most:.1} MB{slope}"),
        holds: values.len() > 2 && most <= level * (1.0 + FLAT),
    }
}

/// No more at the end than in the first tenths.
fn steady(what: &str, tenths: &[Tenth], of: fn(&Tenth) -> f64) -> Verdict {
    let most = |part: &[Tenth]| part.iter().map(of).fold(0.0, f64::max);
    let (first, later) = tenths.split_at(tenths.len().min(3));
    let (first, later) = (most(first), most(later));
    Verdict {
        what: format!("{what} do not grow"),
        found: format!("{first} in the first tenths, {later} later"),
        holds: later <= first * (1.0 + FLAT),
    }
}

fn bounded(tenths: &[Tenth], rows: u64) -> Verdict {
    let most = tenths.iter().map(|tenth| tenth.disk_mb).fold(0.0, f64::max);
    let bound = JOURNALS_MB + rows as f64 * MOST_BYTES_A_ROW / 1e6;
    Verdict {
        what: "files under load are bounded".to_owned(),
        found: format!("{most:.0} MB at most, where two journals and {MOST_BYTES_A_ROW:.0} bytes a row are {bound:.0} MB"),
        holds: most <= bound,
    }
}
