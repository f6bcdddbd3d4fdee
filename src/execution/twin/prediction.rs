//! What a fitted engine says of cells that need not have been measured: each member of the ensemble serves each cell, and what they differ in is the
//! interval, widened by how far the fit is off on the cells that it knows.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;
use serde::Serialize;
use serde_json::Value;

use super::fit::MeasurementScatter;
use super::model::TwinFile;
use super::replay::replay;
use crate::analysis::{
    AnalysisError, CellPrediction, ExtendedReal, ForecastOrigin, GoalPrediction, HeldCoverage, LargestPredictedLoad, PredictedFigures,
    PredictedInterval, RequestTable, SweepForecast, TwinQuestion, estimate, percentile,
};
use crate::foundation::student::student_quantile;
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

/// All cells of a plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TwinPrediction {
    /// Always: none of it was measured.
    pub predicted: bool,
    /// What its intervals, which are called 90 %, have held where that was tried; missing where it was not.
    pub coverage: Option<HeldCoverage>,
    /// Where the engine does not fit what it was fitted to, so that nothing of this is to be believed; empty where it does.
    pub misfits: Vec<String>,
    pub cells: Vec<CellPrediction>,
    /// The largest C×S whose cell meets all goals, as the members have it: one for each combination of the other axes; none without C and S.
    pub largest_loads: Vec<LargestPredictedLoad>,
}

impl TwinPrediction {
    /// As reports show it beside measured cells; `changes` were made to the fitted engine.
    #[must_use]
    pub fn forecast(&self, twin: &TwinFile, changes: &[&str]) -> SweepForecast {
        let changes = changes.iter().map(|change| (*change).to_owned()).collect();
        let origin = ForecastOrigin {
            fitted: twin.fit.variant.clone(),
            coverage: self.coverage,
            error: twin.fit.error,
            misfits: self.misfits.clone(),
            changes,
        };
        SweepForecast { origin, cells: self.cells.clone() }
    }
}

/// What share of what a measurement would show lies below and above an interval, in percent.
const TAIL: f64 = 5.0;
/// A member with as many rows in a cell serves no further repeat of it: that would take its time again, and show the same engine.
const ENOUGH_ROWS: usize = 300;
/// How many runs' rows are held at a time, or those of one engine if they are more.
const MOST_RUNS: usize = 160;

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
    let cells = cells_of(plan, fitted_variant(plan, &twin.fit.variant)?);
    let factors = scatter_factors(plan, twin.fit.ensemble.members.len(), twin.fit.scatter);
    let mut predicted = Vec::with_capacity(cells.len());
    let mut largest = LargestLoads::default();
    let mut question = TwinQuestion::OtherCells;
    for (done, runs) in cells.iter().enumerate() {
        progress(done, cells.len());
        let run = runs[0];
        let engine = placed(engine, run)?;
        question = question.max(question_of(&engine, &twin.engine));
        let values = ensemble_values(&plan.goals, runs, &twin.fit.ensemble.engines(&engine))?;
        let values: Vec<Vec<f64>> = values.iter().zip(&factors).map(|(values, factors)| moved(&plan.goals, values, factors)).collect();
        let met: Vec<bool> =
            values.iter().map(|of_member| plan.goals.iter().zip(of_member).all(|(goal, value)| is_met(goal, *value))).collect();
        largest.add(&run.axes, &met);
        let of_goal = |(place, goal): (usize, &Goal)| of_goal(goal, values.iter().map(|of_member| of_member[place]).collect());
        predicted.push(CellPrediction {
            variant: run.variant.clone(),
            axes: run.axes.clone(),
            figures: PredictedFigures {
                goals: plan.goals.iter().enumerate().map(of_goal).collect(),
                chance: share(met.iter().copied()),
                is_within: twin.fit.holds(run),
            },
        });
    }
    Ok(TwinPrediction {
        predicted: true,
        coverage: HeldCoverage::of(twin.fit.server, question),
        misfits: twin.fit.misfits(),
        cells: predicted,
        largest_loads: largest.intervals(),
    })
}

/// The variant of a plan that is meant: the fitted one, or the only one there is.
///
/// # Errors
/// Where it is neither.
pub fn fitted_variant<'a>(plan: &'a Plan, fitted: &str) -> Result<&'a str, PredictionError> {
    match (plan.variants.iter().find(|variant| *variant == fitted), plan.variants.as_slice()) {
        (Some(variant), _) | (None, [variant]) => Ok(variant),
        (None, known) => Err(PredictionError::Variant { fitted: fitted.to_owned(), known: known.to_vec() }),
    }
}

/// What each goal's measure is with each engine, which serves the runs of a cell: an engine a row. The first serves all repeats, and the others as many as
/// have rows enough by that, beginning with another one each. The rows of a few engines are held at a time.
fn ensemble_values(goals: &[Goal], runs: &[&Run], engines: &[EngineSpec]) -> Result<Vec<Vec<f64>>, PredictionError> {
    let Some((first, others)) = engines.split_first() else { return Ok(Vec::new()) };
    let whole = replay(&runs.iter().map(|run| (*run, first)).collect::<Vec<_>>());
    let of_engine = |rows: &[Vec<RequestRecord>]| {
        let table = pooled(rows)?;
        goals.iter().map(|goal| plain(goal, table.as_ref())).collect::<Result<Vec<f64>, AnalysisError>>()
    };
    let mut values = vec![of_engine(&whole)?];
    let rows = whole.iter().map(Vec::len).sum::<usize>();
    drop(whole);
    let served = if rows == 0 { runs.len() } else { (ENOUGH_ROWS * runs.len()).div_ceil(rows).min(runs.len()) };
    let numbered: Vec<(usize, &EngineSpec)> = others.iter().enumerate().collect();
    for together in numbered.chunks(MOST_RUNS.div_ceil(served)) {
        let of_member = |(number, engine)| (0..served).map(move |repeat| (runs[(number + repeat) % runs.len()], engine));
        let jobs: Vec<(&Run, &EngineSpec)> = together.iter().copied().flat_map(of_member).collect();
        for rows in replay(&jobs).chunks(served) {
            values.push(of_engine(rows)?);
        }
    }
    Ok(values)
}

/// The engine with what a cell's axes say of it: a what-if for each value.
fn placed(engine: &EngineSpec, run: &Run) -> Result<EngineSpec, EngineChangeError> {
    engine.with(run.axes.iter().filter_map(|(axis, value)| Some((axis.strip_prefix("engine.")?, value.clone()))))
}

/// In what an engine differs from the fitted one.
fn question_of(engine: &EngineSpec, fitted: &EngineSpec) -> TwinQuestion {
    let with_pool = EngineSpec { kv_memory: engine.kv_memory, ..fitted.clone() };
    let with_tier = EngineSpec { host_tier: engine.host_tier.clone(), ..with_pool.clone() };
    match engine {
        same if same == fitted => TwinQuestion::OtherCells,
        same if *same == with_pool => TwinQuestion::OtherPool,
        same if *same == with_tier => TwinQuestion::OtherTier,
        _ => TwinQuestion::OtherEngine,
    }
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

/// By what each member's goals are multiplied in every cell, as measurements lie apart from the fitted engine on the cells that it knows: on a logarithmic
/// scale Student's t times their standard deviation, evenly spread over the members, in an order of its own for each goal. Where the engine is too quick in one cell it is
/// so in others, which matters for the largest load.
#[expect(clippy::cast_precision_loss, reason = "a few dozen members")]
fn scatter_factors(plan: &Plan, members: usize, MeasurementScatter { deviation, freedom }: MeasurementScatter) -> Vec<Vec<f64>> {
    let random = &mut Pcg64::seed_from_u64(plan.seed);
    let mut factors = vec![Vec::with_capacity(plan.goals.len()); members];
    for _ in &plan.goals {
        let at = |member: usize| (deviation * student_quantile((member as f64 + 0.5) / members as f64, freedom)).exp();
        let mut spread: Vec<f64> = (0..members).map(at).collect();
        spread.shuffle(random);
        factors.iter_mut().zip(spread).for_each(|(of_member, factor)| of_member.push(factor));
    }
    factors
}

/// Times and rates of a member, each by its factor; shares as they are.
fn moved(goals: &[Goal], values: &[f64], factors: &[f64]) -> Vec<f64> {
    let of_goal =
        |((goal, value), factor): ((&Goal, &f64), &f64)| if goal.measure.unit() == MeasureUnit::Share { *value } else { value * factor };
    goals.iter().zip(values).zip(factors).map(of_goal).collect()
}

fn of_goal(goal: &Goal, values: Vec<f64>) -> GoalPrediction {
    let chance = share(values.iter().map(|value| is_met(goal, *value)));
    GoalPrediction { goal: goal.to_string(), interval: interval(values), chance }
}

#[expect(clippy::cast_precision_loss, reason = "a few dozen members")]
fn share(met: impl ExactSizeIterator<Item = bool>) -> f64 {
    let all = met.len().max(1) as f64;
    met.filter(|met| *met).count() as f64 / all
}

/// The median and the ends of the interval of 90 %; `None` of no value.
fn interval(values: impl IntoIterator<Item = f64>) -> Option<PredictedInterval> {
    let mut values: Vec<f64> = values.into_iter().filter(|value| !value.is_nan()).collect();
    values.sort_by(f64::total_cmp);
    let at = |p: f64| ExtendedReal::new(percentile(&values, p)?);
    Some(PredictedInterval { value: at(50.0)?, low: at(TAIL)?, high: at(100.0 - TAIL)? })
}

/// The largest C×S by the other axes.
#[derive(Default)]
struct LargestLoads(Vec<MemberLoads>);

/// Of each member, the largest C×S among the cells that agree in the other axes and meet all goals.
struct MemberLoads {
    within: Vec<(String, Value)>,
    products: Vec<f64>,
}

impl LargestLoads {
    /// A cell, and which members meet all goals in it.
    fn add(&mut self, axes: &[(String, Value)], met: &[bool]) {
        let Some((product, within)) = product(axes) else { return };
        let place = self.0.iter().position(|known| known.within == within).unwrap_or_else(|| {
            self.0.push(MemberLoads { within, products: vec![0.0; met.len()] });
            self.0.len() - 1
        });
        for (largest, _) in self.0[place].products.iter_mut().zip(met).filter(|(_, met)| **met) {
            *largest = largest.max(product);
        }
    }

    fn intervals(self) -> Vec<LargestPredictedLoad> {
        let of_group = |MemberLoads { within, products }| Some(LargestPredictedLoad { within, sessions: interval(products)? });
        self.0.into_iter().filter_map(of_group).collect()
    }
}

/// C×S, and the other axes; `None` of a cell without C or S.
fn product(axes: &[(String, Value)]) -> Option<(f64, Vec<(String, Value)>)> {
    const LOADS: [&str; 2] = ["workload.concurrent", "workload.sequential"];
    let (loads, within): (Vec<_>, Vec<_>) = axes.iter().cloned().partition(|(axis, _)| LOADS.contains(&axis.as_str()));
    let numbers: Vec<f64> = loads.iter().filter_map(|(_, value)| value.as_f64()).collect();
    (numbers.len() == LOADS.len()).then(|| (numbers.iter().product(), within))
}
