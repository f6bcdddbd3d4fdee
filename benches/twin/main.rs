//! Recovery: random simulated engines are measured in a few cells, fitted, and their other cells predicted. How often the 90 % interval of a held-out cell's
//! p95 holds what was measured there, and how far the prediction is off. Everything here is simulated.
//!
//! `cargo bench --bench twin` tries 500 engines on grids of 4×4 of which 3 to 5 cells are fitted; `-- --engines 20` fewer.

mod engine;
mod recovery;

use recovery::{HeldOut, recover};

fn main() {
    let engines = std::env::args().skip_while(|word| word != "--engines").nth(1).map_or(500, |count| count.parse().unwrap());
    println!("simulated; seed of an engine: its number; 2 repeats a cell; of 4×4 cells 3 to 5 are fitted and all others predicted");
    let held: Vec<HeldOut> = (0..engines).flat_map(recover).collect();
    println!("{:<34} {:>6}  {:>10}  {:>14}  {:>10}  {:>12}", "held-out cells", "n", "in 90 %", "median |error|", "90th", "median width");
    row("all", &held, |_| true);
    row("hits above 90 %", &held, |cell| cell.hits > 0.9);
    row("between", &held, |cell| (0.1..=0.9).contains(&cell.hits));
    row("hits below 10 %", &held, |cell| cell.hits < 0.1);
    row("within the fitted range", &held, |cell| cell.is_within);
    row("beyond it", &held, |cell| !cell.is_within);
    row("3 cells fitted", &held, |cell| cell.fitted == 3);
    row("5 cells fitted", &held, |cell| cell.fitted == 5);
    let sure: Vec<&HeldOut> = held.iter().filter(|cell| cell.chance < 0.02 || cell.chance > 0.98).collect();
    let wrong = sure.iter().filter(|cell| cell.is_met != (cell.chance > 0.5)).count();
    println!("goals called certain (a chance below 2 % or above 98 %): {}, wrong: {wrong}", sure.len());
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand cells and millions of tokens")]
fn row(name: &str, held: &[HeldOut], fits: impl Fn(&HeldOut) -> bool) {
    let cells: Vec<&HeldOut> = held.iter().filter(|cell| fits(cell)).collect();
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
