//! The table that is printed.

use super::outcome::Outcome;

pub const HEAD: &str = "grid   engines                    n  same C×S  same mean  in bracket  closed  revealed  reported  cells: median  time: median   90 %  of cheapest: median  90 %  told: median  90 %  fitted: n  median  90 %  same C×S";

pub fn rows(size: u32, outcomes: &[Outcome]) -> Vec<String> {
    let inside: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.boundary_inside).collect();
    let of = |fits: fn(&Outcome) -> bool| inside.iter().copied().filter(|outcome| fits(outcome)).collect::<Vec<_>>();
    vec![
        row(size, "without noise, monotone", &of(|outcome| !outcome.noisy && outcome.monotone)),
        row(size, "noisy", &of(|outcome| outcome.noisy)),
        row(size, "not monotone", &of(|outcome| !outcome.monotone)),
        row(size, "all with a boundary", &inside),
        row(size, "of these, with a fit", &of(|outcome| outcome.fitted_of_cheapest.is_some())),
        row(size, "all", &outcomes.iter().collect::<Vec<_>>()),
    ]
}

fn row(size: u32, name: &str, outcomes: &[&Outcome]) -> String {
    let count = |fits: fn(&Outcome) -> bool| outcomes.iter().filter(|outcome| fits(outcome)).count();
    let of_all = |of: fn(&Outcome) -> f64, p: f64| quantile(outcomes.iter().map(|outcome| of(outcome)).collect(), p);
    let share = |of: fn(&Outcome) -> f64, p: f64| 100.0 * of_all(of, p);
    let fitted: Vec<f64> = outcomes.iter().filter_map(|outcome| outcome.fitted_of_cheapest).collect();
    format!(
        "{:<6} {name:<23} {:>4}  {:>8}  {:>9}  {:>10}  {:>6}  {:>8}  {:>8}  {:>11.1} %  {:>10.1} %  {:>5.1} %  {:>19.2}  {:>4.2}  {:>12.2}  {:>4.2}  {:>9}  {:>6.2}  {:>4.2}  {:>8}",
        format!("{size}×{size}"),
        outcomes.len(),
        count(|outcome| outcome.same_product),
        count(|outcome| outcome.same_harmonic_mean),
        count(|outcome| outcome.in_bracket),
        count(|outcome| outcome.closed_above),
        count(|outcome| outcome.revealed),
        count(|outcome| outcome.revealed && outcome.reported),
        share(|outcome| outcome.cells_share, 50.0),
        share(|outcome| outcome.time_share, 50.0),
        share(|outcome| outcome.time_share, 90.0),
        of_all(|outcome| outcome.of_cheapest, 50.0),
        of_all(|outcome| outcome.of_cheapest, 90.0),
        of_all(|outcome| outcome.told_of_cheapest, 50.0),
        of_all(|outcome| outcome.told_of_cheapest, 90.0),
        fitted.len(),
        quantile(fitted.clone(), 50.0),
        quantile(fitted.clone(), 90.0),
        count(|outcome| outcome.fitted_same),
    )
}

fn quantile(mut values: Vec<f64>, p: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    bench::analysis::percentile(&values, p).unwrap_or(f64::NAN)
}
