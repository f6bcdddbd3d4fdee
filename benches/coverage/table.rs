//! The table that is printed: a line a percentile and row.

use bench::analysis::binomial::share_interval;

use crate::tally::{CoverageCounts, PERCENTILES, PercentileCounts, TrueValues};

pub const HEAD: &str = "system       arrivals  load    time  runs     n  p    true s         covered (95 %)         low  no high  width   eff.n/n | \
                        L=0.8T: met  missed | 0.95T: met  missed | 1.05T: met  missed | 1.25T: met  missed";

/// What a row is about, in the words of its first columns.
pub struct RowName {
    pub system: &'static str,
    pub arrivals: &'static str,
    pub load: String,
    /// Nothing where its rounds end a run.
    pub duration_s: Option<f64>,
}

pub fn lines(name: &RowName, repeats: u32, truth: &TrueValues, counts: &CoverageCounts) -> Vec<String> {
    let of = |number: usize| {
        let RowName { system, arrivals, load, duration_s } = name;
        let time = duration_s.map_or("-".to_owned(), |duration_s| format!("{duration_s} s"));
        let head = format!("{system:<11}  {arrivals:<8}  {load:>4}  {time:>6}  {repeats:>4}  {:>4}", counts.cells);
        line(&head, number, truth, counts.cells, &counts.percentiles[number])
    };
    (0..PERCENTILES.len()).map(of).collect()
}

fn line(head: &str, number: usize, truth: &TrueValues, cells: u32, counts: &PercentileCounts) -> String {
    let percent = |count: u32| 100.0 * f64::from(count) / f64::from(cells);
    let error = truth.error.map_or(String::new(), |error| format!("±{:.1}%", 100.0 * error[number]));
    let verdicts: Vec<String> =
        counts.limits.iter().map(|limit| format!("{:>11.1}  {:>6.1}", percent(limit.met), percent(limit.missed))).collect();
    format!(
        "{head}  p{:<2}  {:<7.4} {error:<6}  {}  {:>5.1}  {:>7.1}  {:>5.2}  {:>7.3} | {}",
        PERCENTILES[number],
        truth.seconds[number],
        share(counts.covered, cells),
        percent(counts.too_low),
        percent(counts.without_high),
        median(&counts.widths),
        median(&counts.effective_shares),
        verdicts.join(" | "),
    )
}

/// A share in percent, with its exact interval at 95 %.
pub fn share(count: u32, of: u32) -> String {
    let (low, high) = share_interval(count.into(), of.into(), 0.95);
    let percent = 100.0 * f64::from(count) / f64::from(of);
    format!("{percent:>5.1} ({:>5.1} to {:>5.1})", 100.0 * low, 100.0 * high)
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    bench::analysis::percentile(&values, 50.0).unwrap_or(f64::NAN)
}
