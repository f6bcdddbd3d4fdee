//! What a fitted engine says of cells that need not have been measured: each member of the ensemble serves each cell, and what they differ in is the
//! interval, widened by how far the fit is off on the cells that it knows.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand_pcg::Pcg64;
use serde::Serialize;
use serde_json::Value;

use super::ensemble::standard_normal;
use super::model::TwinFile;
use super::replay::replay;
use crate::analysis::{AnalysisError, ExtendedReal, RequestTable, estimate, percentile};
use crate::planning::plan::{Plan, Run};
use crate::records::record::RequestRecord;
use crate::records::store::{SavedRequests, TableError, to_table};
use crate::vocabulary::goal::{ComparisonOperator, Goal};
use crate::vocabulary::metric::MeasureUnit;
use crate::vocabulary::spec::engine::{EngineChangeError, EngineSpec};

/// Why nothing is predicted.
#[derive(Debug, thiserror::Error)]
pub enum PredictionError {
    #[error("the twin is that of `{fitted}`, and the scenario has the variants {}\nhint: say which one is meant by `--only variant=...`", known.join(", "))]
    Variant { fitted: String, known: Vec<String> },
    #[error(transparent)]
    Engine(#[from] EngineChangeError),
    #[error("the simulated cells cannot be judged: {0}")]
    Analysis(#[from] AnalysisError),
}

/// A goal's measure in a cell, predicted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GoalPrediction {
    pub goal: String,
    /// In the measure's unit: the median of what the ensemble says, and the interval of 90 % for what a measurement would show.
    pub value: f64,
    pub low: f64,
    pub high: f64,
    /// The share of the ensemble that meets the goal.
    pub chance: f64,
}

/// A cell, predicted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CellPrediction {
    pub variant: String,
    pub axes: Vec<(String, Value)>,
    pub goals: Vec<GoalPrediction>,
    /// The share of the ensemble that meets all goals.
    pub chance: f64,
    /// It is one of the cells that the twin was fitted to, or lies between them; otherwise it is a guess beyond what was measured.
    pub is_within: bool,
}

/// All cells of a plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TwinPrediction {
    /// Always: none of it was measured.
    pub predicted: bool,
    /// Where the engine does not fit what it was fitted to, so that nothing of this is to be believed; empty where it does.
    pub misfits: Vec<String>,
    pub cells: Vec<CellPrediction>,
    /// The largest product of the two axes of load whose cell meets all goals, as the members have it: median and interval of 90 %. Missing without
    /// such axes.
    pub largest_product: Option<(f64, f64, f64)>,
}

/// What share of what a measurement would show lies below and above an interval, in percent.
const TAIL: f64 = 5.0;

/// Predicts every cell of a plan with all its repeats. `engine` stands for the fitted one where something of it was changed.
///
/// # Errors
/// Where it is not known which variant is meant, the engine takes no such value of an axis, or simulated rows cannot be judged.
pub fn predict(
    plan: &Plan,
    twin: &TwinFile,
    engine: &EngineSpec,
    mut progress: impl FnMut(usize, usize),
) -> Result<TwinPrediction, PredictionError> {
    let cells = cells_of(plan, twin.fit.variant_of(plan)?);
    let mut random = Pcg64::seed_from_u64(plan.seed);
    let mut predicted = Vec::with_capacity(cells.len());
    // Of each member, the largest product among its cells that meet all goals.
    let mut products = vec![0.0_f64; twin.fit.ensemble.members.len()];
    for (done, runs) in cells.iter().enumerate() {
        progress(done, cells.len());
        let members = twin.fit.ensemble.engines(&placed(engine, runs[0])?);
        let jobs: Vec<(&Run, &EngineSpec)> = members.iter().flat_map(|engine| runs.iter().map(move |run| (*run, engine))).collect();
        let rows = replay(&jobs);
        let mut values: Vec<Vec<f64>> = vec![Vec::new(); plan.goals.len()];
        let mut met = Vec::with_capacity(members.len());
        for rows in rows.chunks(runs.len()) {
            let table = pooled(rows)?;
            let mut all = true;
            for (goal, values) in plan.goals.iter().zip(&mut values) {
                let value = shifted(goal, plain(goal, table.as_ref())?, twin.fit.error, &mut random);
                all &= is_met(goal, value);
                values.push(value);
            }
            met.push(all);
        }
        let run = runs[0];
        if let Some(product) = product(run) {
            for (largest, _) in products.iter_mut().zip(&met).filter(|(_, met)| **met) {
                *largest = largest.max(product);
            }
        }
        predicted.push(CellPrediction {
            variant: run.variant.clone(),
            axes: run.axes.clone(),
            goals: plan.goals.iter().zip(values).map(|(goal, values)| of_goal(goal, values)).collect(),
            chance: share(met.iter().copied()),
            is_within: twin.fit.holds(run),
        });
    }
    let has_product = cells.first().is_some_and(|runs| product(runs[0]).is_some());
    Ok(TwinPrediction {
        predicted: true,
        misfits: twin.fit.misfits(),
        cells: predicted,
        largest_product: has_product.then(|| interval(products)).flatten(),
    })
}

/// The engine with what a cell's axes say of it: a what-if for each value.
fn placed(engine: &EngineSpec, run: &Run) -> Result<EngineSpec, EngineChangeError> {
    engine.with(run.axes.iter().filter_map(|(axis, value)| Some((axis.strip_prefix("engine.")?, value.clone()))))
}

/// The runs of each cell of a variant, in the order of the axes' values.
fn cells_of<'a>(plan: &'a Plan, variant: &str) -> Vec<Vec<&'a Run>> {
    let place = |run: &Run| -> Vec<Option<usize>> {
        let of_axis = |((_, values), (_, value)): (&(String, Vec<Value>), &(String, Value))| values.iter().position(|known| known == value);
        plan.axes.iter().zip(&run.axes).map(of_axis).collect()
    };
    let mut cells: BTreeMap<Vec<Option<usize>>, Vec<&Run>> = BTreeMap::new();
    for run in plan.runs.iter().filter(|run| run.variant == variant) {
        cells.entry(place(run)).or_default().push(run);
    }
    cells.into_values().collect()
}

fn pooled(runs: &[Vec<RequestRecord>]) -> Result<Option<RequestTable>, AnalysisError> {
    if runs.iter().all(Vec::is_empty) {
        return Ok(None);
    }
    let unread = |error: TableError| AnalysisError::Rows { run: "simulated".to_owned(), reason: error.to_string() };
    let held = |rows: &Vec<RequestRecord>| to_table(rows).map(SavedRequests::held).map_err(unread);
    let saved = runs.iter().map(held).collect::<Result<Vec<_>, _>>()?;
    RequestTable::pool(&saved).map(Some)
}

/// A goal's measure by the simulated rows; what cannot be served at all is the worst.
fn plain(goal: &Goal, table: Option<&RequestTable>) -> Result<f64, AnalysisError> {
    let Some(table) = table else {
        let is_ceiling = matches!(goal.comparison, ComparisonOperator::Less | ComparisonOperator::LessOrEqual);
        return Ok(if is_ceiling { f64::INFINITY } else { 0.0 });
    };
    Ok(estimate(&goal.measure, table)?.value.map_or(f64::NAN, ExtendedReal::get))
}

fn is_met(goal: &Goal, value: f64) -> bool {
    goal.comparison.holds(value, goal.limit)
}

/// A time or a rate, moved by as much as the fit may be off.
fn shifted(goal: &Goal, value: f64, error: f64, random: &mut Pcg64) -> f64 {
    let moved = error * standard_normal(random);
    if goal.measure.unit() == MeasureUnit::Share { value } else { value * moved.exp() }
}

fn of_goal(goal: &Goal, values: Vec<f64>) -> GoalPrediction {
    let chance = share(values.iter().map(|value| is_met(goal, *value)));
    let (value, low, high) = interval(values).unwrap_or((f64::NAN, f64::NAN, f64::NAN));
    GoalPrediction { goal: goal.to_string(), value, low, high, chance }
}

/// The median and the ends of the interval.
fn interval(mut values: Vec<f64>) -> Option<(f64, f64, f64)> {
    values.retain(|value| !value.is_nan());
    values.sort_by(f64::total_cmp);
    Some((percentile(&values, 50.0)?, percentile(&values, TAIL)?, percentile(&values, 100.0 - TAIL)?))
}

#[expect(clippy::cast_precision_loss, reason = "a few dozen members")]
fn share(met: impl ExactSizeIterator<Item = bool>) -> f64 {
    let all = met.len().max(1) as f64;
    met.filter(|met| *met).count() as f64 / all
}

/// C×S, where a cell has these axes and no other.
fn product(run: &Run) -> Option<f64> {
    if run.axes.len() != 2 {
        return None;
    }
    let number = |name: &str| {
        let of_axis = |(axis, _): &&(String, Value)| axis == name || axis.ends_with(&format!(".{name}"));
        run.axes.iter().find(of_axis).and_then(|(_, value)| value.as_f64())
    };
    Some(number("concurrent")? * number("sequential")?)
}
