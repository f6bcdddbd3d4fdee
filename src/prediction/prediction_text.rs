//! A prediction: every cell with its interval, and what lies beyond what was measured.

use comfy_table::{CellAlignment, Table, presets};

use super::quantity::{digits, time};
use crate::analysis::{CellPrediction, ExtendedReal, HeldCoverage, PredictedInterval, short, show_value};
use crate::execution::twin::{TwinFile, TwinPrediction};
use crate::planning::plan::Plan;
use crate::vocabulary::metric::MeasureUnit;

/// All of it; `changes` were made to the fitted engine.
#[must_use]
pub fn prediction_text(plan: &Plan, twin: &TwinFile, changes: &[&str], prediction: &TwinPrediction) -> String {
    let mut lines = vec![format!("{}: PREDICTED, not measured, by an engine fitted to {}", plan.name, twin.fit.variant)];
    if !changes.is_empty() {
        lines.push(format!("with {}", changes.join(", ")));
    }
    let places = &prediction.misfits;
    if !places.is_empty() {
        lines.push(format!(
            "the engine DOES NOT FIT what it was fitted to, so that nothing of this is to be believed: {}",
            places.join("; ")
        ));
    }
    lines.push(table(plan, prediction).to_string());
    lines.push(format!(
        "intervals: of what a measurement would show, 90 % by name; such intervals {}",
        HeldCoverage::sentence(prediction.coverage)
    ));
    lines.push("chance: share of the ensemble that meets all goals".to_owned());
    if prediction.cells.iter().any(|cell| !cell.figures.is_within) {
        lines.push("* beyond the range that was measured".to_owned());
    }
    for load in &prediction.largest_loads {
        let within: Vec<String> = load.within.iter().map(|(axis, value)| format!("{}={}", short(axis), show_value(value))).collect();
        let within = if within.is_empty() { String::new() } else { format!(" at {}", within.join(", ")) };
        let [value, low, high] = [load.sessions.value, load.sessions.low, load.sessions.high].map(ExtendedReal::get);
        lines.push(format!("max C×S{within}: {value:.0} sessions, interval {low:.0} to {high:.0} (predicted)"));
    }
    lines.join("\n") + "\n"
}

fn table(plan: &Plan, prediction: &TwinPrediction) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED).force_no_tty();
    let axes = plan.axes.iter().map(|(axis, _)| axis.rsplit('.').next().unwrap_or(axis).to_owned());
    let goals = plan.goals.iter().flat_map(|goal| [goal.to_string(), "interval".to_owned()]);
    table.set_header(axes.chain(goals).chain(["chance".to_owned(), String::new()]));
    for cell in &prediction.cells {
        table.add_row(row(plan, cell));
    }
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn row(plan: &Plan, cell: &CellPrediction) -> Vec<String> {
    let axes = cell.axes.iter().map(|(_, value)| show_value(value));
    let goals = plan.goals.iter().zip(&cell.figures.goals).flat_map(|(goal, predicted)| {
        let shown = |value: ExtendedReal| shown(goal.measure.unit(), value.get());
        let whole = |interval: PredictedInterval| [shown(interval.value), format!("{} to {}", shown(interval.low), shown(interval.high))];
        predicted.interval.map_or_else(|| ["no rows".to_owned(), String::new()], whole)
    });
    let mark = if cell.figures.is_within { "" } else { "*" };
    let last = [format!("{:.0} %", 100.0 * cell.figures.chance), mark.to_owned()];
    axes.chain(goals).chain(last).collect()
}

fn shown(unit: MeasureUnit, value: f64) -> String {
    match unit {
        MeasureUnit::Seconds | MeasureUnit::SecondsPerToken => time(value),
        MeasureUnit::Share => format!("{:.1} %", 100.0 * value),
        MeasureUnit::TokensPerSecond | MeasureUnit::RequestsPerSecond => digits(value),
    }
}
