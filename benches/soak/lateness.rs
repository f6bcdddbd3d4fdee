//! Lateness by time: rows in, a line a slice of the run and how fast it grows out.
//!
//! A request is sent late by `sent - intended`, and answered late by what its first token took beyond the wait that the server was asked for,
//! which holds the lateness of both processes and what the stamps err.

use crate::scenario::FIRST_US;
use crate::slope::Slope;
use crate::verdict::Verdict;

/// Equal parts of a run's time.
const SLICES: usize = 60;
/// They are shown this many together.
const SHOWN: usize = 6;

/// Lateness in microseconds, of each slice.
pub struct Slices {
    seconds: f64,
    sent: Vec<Vec<u32>>,
    answered: Vec<Vec<u32>>,
}

impl Slices {
    /// Of a run of so many seconds.
    pub fn over(seconds: f64) -> Self {
        Self { seconds, sent: vec![Vec::new(); SLICES], answered: vec![Vec::new(); SLICES] }
    }

    /// Takes a row; of virtual time, where nothing is late, a part would do, but all are taken.
    pub fn add(&mut self, intended: i64, sent: i64, first_token: Option<i64>) {
        let slice = ((intended as f64 / 1e6 / self.seconds * SLICES as f64) as usize).min(SLICES - 1);
        let late = |us: i64| u32::try_from(us.max(0)).unwrap_or(u32::MAX);
        self.sent[slice].push(late(sent - intended));
        self.answered[slice].extend(first_token.map(|first| late(first - sent - FIRST_US as i64)));
    }
}

/// The value at rank q, in milliseconds.
fn rank(values: &[u32], q: f64) -> f64 {
    let mut values = values.to_vec();
    values.sort_unstable();
    let place = (values.len() as f64 * q).ceil() as usize;
    values.get(place.max(1) - 1).map_or(0.0, |us| f64::from(*us) / 1e3)
}

/// A line every few slices.
pub fn table(slices: &Slices) -> Vec<String> {
    let head = "  to s   requests  sent late ms: p50   p99   answered late ms: p50   p99".to_owned();
    let line = |number: usize| {
        let together = |of: &[Vec<u32>]| of[number * SHOWN..(number + 1) * SHOWN].concat();
        let (sent, answered) = (together(&slices.sent), together(&slices.answered));
        let end = slices.seconds * ((number + 1) * SHOWN) as f64 / SLICES as f64;
        let [a, b, c, d] = [(&sent, 0.5), (&sent, 0.99), (&answered, 0.5), (&answered, 0.99)].map(|(of, q)| rank(of, q));
        format!("{end:6.0}  {:9}  {a:18.2}  {b:4.1}  {c:22.2}  {d:4.1}", sent.len())
    };
    std::iter::once(head).chain((0..SLICES / SHOWN).map(line)).collect()
}

/// Whether lateness grows from the first tenth on: by more than 0.1 ms and a tenth of itself, surely.
pub fn growth(slices: &Slices) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for (what, of) in [("requests are sent", &slices.sent), ("answers begin", &slices.answered)] {
        for q in [0.5, 0.99] {
            let ranks: Vec<f64> = of.iter().skip(SLICES / 10).map(|slice| rank(slice, q)).collect();
            let level = crate::samples::median(ranks.clone());
            let Some(slope) = Slope::of(&ranks) else { continue };
            let [low, middle, high] = [slope.low, slope.middle, slope.high].map(|each| each * ranks.len() as f64);
            verdicts.push(Verdict {
                what: format!("how late {what}, p{:.0}, does not grow", q * 100.0),
                found: format!("{level:.2} ms; {middle:+.2} ms over the run, {low:+.2} to {high:+.2} at 95 %"),
                holds: low <= 0.1 + level / 10.0,
            });
        }
    }
    verdicts
}
