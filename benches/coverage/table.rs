//! The two tables that are printed, a line a cell: how often intervals hold the true value and how wide they are, and how often verdicts are
//! false and how often they are there at all.

use bench::analysis::binomial::share_interval;

use crate::tally::{CoverageCounts, PercentileCounts, TrueValues};

/// Shares of intervals that hold the true value, and of verdicts that are false, that are wanted.
const COVERED_AT_LEAST: f64 = 0.92;
const FALSE_AT_MOST: f64 = 0.05;

/// A row in the words of its first columns.
#[derive(Debug)]
pub struct RowName {
    pub system: &'static str,
    pub arrivals: &'static str,
    pub load: String,
    /// Nothing where its rounds end a run.
    pub duration_s: Option<f64>,
}

/// Both tables, line by line.
#[derive(Debug, Default)]
pub struct CoverageTable {
    covered: Vec<String>,
    verdicts: Vec<String>,
    /// Shares that are not as wanted, and those of them that are so beyond doubt.
    pub missed: u32,
    pub surely_missed: u32,
}

impl CoverageTable {
    pub fn add(&mut self, name: &RowName, repeats: u32, truth: &TrueValues, counts: &CoverageCounts) {
        let RowName { system, arrivals, load, duration_s } = name;
        let time = duration_s.map_or("-".to_owned(), |duration_s| format!("{duration_s} s"));
        let head = format!("{system:<11}  {arrivals:<7}  {load:>5}  {time:>5}  {repeats:>4}  {:>3}", counts.cells);
        let error = truth.error.map_or("exact".to_owned(), |error| format!("±{:.1} %", 100.0 * error.into_iter().fold(0.0, f64::max)));
        let covered = counts.percentiles.iter().map(|of| self.covered_columns(of, counts.cells)).collect::<Vec<_>>().join("   ");
        self.covered.push(format!("{head}  {:>7.4}  {error:>6}  {covered}", truth.seconds[2]));
        let verdicts = counts.percentiles.iter().map(|of| self.verdict_columns(of, counts.cells)).collect::<Vec<_>>().join("   ");
        self.verdicts.push(format!("{head}  {:>5.1}  {verdicts}", percent(counts.growing, counts.cells)));
        // What has come is shown while more comes.
        eprintln!("{}\n{}", self.covered[self.covered.len() - 1], self.verdicts[self.verdicts.len() - 1]);
    }

    fn covered_columns(&mut self, counts: &PercentileCounts, cells: u32) -> String {
        let mark = self.mark(counts.covered, cells, |share| share < COVERED_AT_LEAST);
        let width = if counts.widths.is_empty() { "-".to_owned() } else { format!("{:.2}", median(&counts.widths)) };
        format!("{}{mark} {:>3.0}  {width:>5}", share(counts.covered, cells), percent(counts.without_high, cells))
    }

    fn verdict_columns(&mut self, counts: &PercentileCounts, cells: u32) -> String {
        let [far_below, below, above, far_above] = counts.limits;
        let met = self.mark(below.met, cells, |share| share > FALSE_AT_MOST);
        let missed = self.mark(above.missed, cells, |share| share > FALSE_AT_MOST);
        format!(
            "{:>5.1}{met} {:>5.1}{missed} {:>4.0} {:>4.0}",
            percent(below.met, cells),
            percent(above.missed, cells),
            percent(far_below.missed, cells),
            percent(far_above.met, cells),
        )
    }

    /// Whether a share is not as wanted: `!`, and `!!` where its whole interval is not.
    fn mark(&mut self, count: u32, of: u32, is_missed: impl Fn(f64) -> bool) -> &'static str {
        let (low, high) = share_interval(count.into(), of.into(), 0.95);
        let is_surely = is_missed(low) && is_missed(high);
        let is_missed = is_missed(f64::from(count) / f64::from(of));
        self.missed += u32::from(is_missed);
        self.surely_missed += u32::from(is_surely);
        match (is_surely, is_missed) {
            (true, _) => "!!",
            (false, true) => "! ",
            (false, false) => "  ",
        }
    }

    pub fn lines(&self) -> Vec<String> {
        let head = "system       arrival   load   time  runs    n";
        let covered = "covered % (95 %)     no end  width";
        let mut lines = vec![format!("{head}   p99 s    error  p50: {covered}  p95: {covered}  p99: {covered}")];
        lines.extend(self.covered.iter().cloned());
        let verdict = "false met, missed; missed, met";
        lines.extend(["", &format!("{head}  grows  p50: {verdict}  p95: {verdict}  p99: {verdict}")].map(str::to_owned));
        lines.extend(self.verdicts.iter().cloned());
        lines
    }
}

/// A share in percent, with its exact interval at 95 %.
pub fn share(count: u32, of: u32) -> String {
    let (low, high) = share_interval(count.into(), of.into(), 0.95);
    format!("{:>5.1} ({:>4.1}-{:>5.1})", percent(count, of), 100.0 * low, 100.0 * high)
}

fn percent(count: u32, of: u32) -> f64 {
    100.0 * f64::from(count) / f64::from(of)
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    bench::analysis::percentile(&values, 50.0).unwrap_or(f64::NAN)
}
