//! A fit: what was found, what the data do not tell, and how well each cell is met.

use std::fmt::Write;

use super::quantity::{parameter, time};
use crate::execution::twin::{CellFit, CellStatistic, ParameterFit, TwinFile};
use crate::vocabulary::spec::engine::IntakeOrder;

/// All of it.
#[must_use]
pub fn fit_text(twin: &TwinFile) -> String {
    let fit = &twin.fit;
    let mut text = format!("the simulated engine, fitted to {} cells of {} ({} runs)\n\n", fit.cells.len(), fit.variant, fit.runs.len());
    let _ = writeln!(text, "{:<24} {:>10}  90 % interval by the fit's curvature", "what was found", "");
    for found in &fit.parameters {
        let _ = writeln!(text, "{:<24} {:>10}  {}", found.parameter.path(), parameter(found.parameter, found.value), interval(found));
    }
    let _ =
        writeln!(text, "{:<24} {:>8} %  by the gaps of requests that were alone", "noise", shown_percent(twin.engine.noise.unwrap_or(0.0)));
    let intake = match twin.engine.intake.unwrap_or_default() {
        IntakeOrder::Parallel => "parallel: prompts do not wait for each other",
        IntakeOrder::Serial => "serial: prompts wait for each other on their way in",
    };
    let _ = writeln!(text, "{:<24} {intake}", "intake");
    let _ = writeln!(text, "\n{:<24} measured, and what the fitted engine shows beside it", "how each cell fits");
    for cell in &fit.cells {
        let _ = writeln!(text, "{}", cell.name);
        for line in cell_lines(cell) {
            let _ = writeln!(text, "  {line}");
        }
    }
    let _ = writeln!(
        text,
        "\ntimes of these cells are off by {} % (root mean square of their logarithms' errors, less the samples' own)",
        shown_percent(fit.error)
    );
    match twin.fit.misfits().as_slice() {
        [] => {}
        places => {
            let _ = writeln!(text, "DOES NOT FIT: {}\nwhat this twin says of other cells is not to be believed", places.join("; "));
        }
    }
    text
}

fn interval(found: &ParameterFit) -> String {
    let (low, high) = (parameter(found.parameter, found.low), parameter(found.parameter, found.high));
    if found.is_told { format!("{low} to {high}") } else { format!("{low} to {high}: these cells do not tell") }
}

fn cell_lines(cell: &CellFit) -> Vec<String> {
    let line = |value: &crate::execution::twin::FittedValue| {
        let name = statistic(value.observed.statistic);
        let Some(shown) = value.shown else { return format!("{name:<38} not shown by the fitted engine") };
        if !value.observed.statistic.is_time() {
            let [measured, shown] = [value.observed.value, shown].map(|share| share_of(value.observed.statistic, share));
            return format!("{name:<38} {measured:>8} %  {shown:>8} %");
        }
        let off = 100.0 * ((shown - value.observed.value).exp() - 1.0);
        format!("{name:<38} {:>10}  {:>10}  {off:+.1} %", time(value.observed.value.exp()), time(shown.exp()))
    };
    cell.values.iter().map(line).collect()
}

fn statistic(statistic: CellStatistic) -> &'static str {
    match statistic {
        CellStatistic::FirstTtftMean => "TTFT of first turns, geometric mean",
        CellStatistic::FirstTtftP95 => "TTFT of first turns, p95",
        CellStatistic::LaterTtftMean => "TTFT of later turns, geometric mean",
        CellStatistic::LaterTtftP50 => "TTFT of later turns, p50",
        CellStatistic::LaterTtftP95 => "TTFT of later turns, p95",
        CellStatistic::GapMean => "gap between tokens, geometric mean",
        CellStatistic::GapDrift => "gaps of a run's second half, longer by",
        CellStatistic::FailedShare => "failed requests",
        CellStatistic::LaterHitShare => "later turns' tokens from a cache",
    }
}

/// In percent; a drift is a logarithm.
fn share_of(statistic: CellStatistic, value: f64) -> String {
    shown_percent(if statistic == CellStatistic::GapDrift { value.exp_m1() } else { value })
}

fn shown_percent(share: f64) -> String {
    format!("{:.1}", 100.0 * share)
}
