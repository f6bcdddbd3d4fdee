//! Cells that were not fitted, and the table of them.

use std::collections::BTreeSet;

/// A cell that was not fitted.
pub struct HeldOut {
    /// The fit that predicts it.
    pub fit: String,
    /// The fit says that it fits.
    pub fits: bool,
    pub fitted_cells: usize,
    pub measured: f64,
    pub predicted: f64,
    pub low: f64,
    pub high: f64,
    /// Share of the later turns' tokens that came from a cache: measured, and of the fitted engine where that was asked.
    pub hits: f64,
    pub predicted_hits: Option<f64>,
    pub chance: f64,
    pub is_met: bool,
    pub is_within: bool,
}

/// All of them by hits, by range, and what was called certain.
pub fn tell(held: &[&HeldOut]) {
    println!("{:<34} {:>6}  {:>10}  {:>14}  {:>10}  {:>12}", "held-out cells", "n", "in 90 %", "median |error|", "90th", "median width");
    row("all", held, |_| true);
    row("hits above 90 %", held, |cell| cell.hits > 0.9);
    row("between", held, |cell| (0.1..=0.9).contains(&cell.hits));
    row("hits below 10 %", held, |cell| cell.hits < 0.1);
    row("within the fitted range", held, |cell| cell.is_within);
    row("beyond it", held, |cell| !cell.is_within);
    row("3 cells fitted", held, |cell| cell.fitted_cells == 3);
    row("5 cells fitted", held, |cell| cell.fitted_cells == 5);
    row("of fits that are said to fit", held, |cell| cell.fits);
    for name in ["vllm", "lmcache"] {
        if held.iter().any(|cell| cell.fit.starts_with(name)) {
            row(name, held, |cell| cell.fit.starts_with(name));
            row(&format!("{name}, predicted too low"), held, |cell| cell.fit.starts_with(name) && cell.high < cell.measured);
            row(&format!("{name}, predicted too high"), held, |cell| cell.fit.starts_with(name) && cell.measured < cell.low);
        }
    }
    let all: BTreeSet<&str> = held.iter().map(|cell| cell.fit.as_str()).collect();
    let misfits: BTreeSet<&str> = held.iter().filter(|cell| !cell.fits).map(|cell| cell.fit.as_str()).collect();
    println!("fits that are said not to fit, and are not left out above: {} of {}", misfits.len(), all.len());
    let sure: Vec<&HeldOut> = held.iter().copied().filter(|cell| cell.chance < 0.02 || cell.chance > 0.98).collect();
    let wrong = sure.iter().filter(|cell| cell.is_met != (cell.chance > 0.5)).count();
    println!("goals called certain (a chance below 2 % or above 98 %): {}, wrong: {wrong}", sure.len());
    let mut off: Vec<f64> = held.iter().filter_map(|cell| Some((cell.predicted_hits? - cell.hits).abs())).collect();
    off.sort_by(f64::total_cmp);
    if let (Some(median), Some(ninth)) = (bench::analysis::percentile(&off, 50.0), bench::analysis::percentile(&off, 90.0)) {
        println!("hit share off by: median {:.1}, 90th percentile {:.1} points (n = {})", 100.0 * median, 100.0 * ninth, off.len());
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand cells")]
fn row(name: &str, held: &[&HeldOut], fits: impl Fn(&HeldOut) -> bool) {
    let cells: Vec<&HeldOut> = held.iter().copied().filter(|cell| fits(cell)).collect();
    let holds = cells.iter().filter(|cell| cell.low <= cell.measured && cell.measured <= cell.high).count();
    let quantile = |of: &dyn Fn(&HeldOut) -> f64, p: f64| {
        let mut values: Vec<f64> = cells.iter().map(|cell| of(cell)).collect();
        values.sort_by(f64::total_cmp);
        bench::analysis::percentile(&values, p).unwrap_or(f64::NAN)
    };
    let error = |cell: &HeldOut| (cell.predicted / cell.measured).ln().abs();
    println!(
        "{name:<34} {:>6}  {:>8.1} %  {:>12.1} %  {:>8.1} %  {:>10.2} x",
        cells.len(),
        100.0 * holds as f64 / cells.len() as f64,
        100.0 * quantile(&error, 50.0),
        100.0 * quantile(&error, 90.0),
        quantile(&|cell| cell.high / cell.low, 50.0),
    );
}
