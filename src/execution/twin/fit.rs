//! The fit: the parameters with which the engine's cells are nearest to the measured ones, and how sure they are, by the curvature there (Laplace's
//! approximation).

#![expect(clippy::cast_precision_loss, reason = "counts and tokens are far below 2^53")]

use serde::{Deserialize, Serialize};

use super::cholesky::Cholesky;
use super::ensemble::TwinEnsemble;
use super::least_squares::{LeastSquares, Minimum, PRIOR, curvature, misfit};
use super::observation::ObservedValue;
use super::parameter::{TwinParameter, engine_at};
use super::residuals::{MeasuredCell, residuals, simulated};
use super::sample_values::{deviation, mean};
use super::start::{first_guess, step_noise};
use crate::records::record::RequestRecord;
use crate::vocabulary::spec::engine::{EngineSpec, IntakeOrder};

/// With how many noises the fitted engine serves the fitted cells, to tell how much these make of what is off.
const NOISE_DRAWS: u64 = 8;
/// What data have to make of the prior's standard deviation for a parameter to be known by them.
const KNOWN: f64 = 0.5;

/// A parameter as it was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParameterFit {
    pub parameter: TwinParameter,
    /// In its base unit.
    pub value: f64,
    /// The interval that holds it with a chance of 90 %, by the curvature.
    pub low: f64,
    pub high: f64,
    /// The data tell it; otherwise the first guess stands for most of what is known.
    pub is_told: bool,
}

/// How well a cell is met.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CellFit {
    pub name: String,
    pub values: Vec<FittedValue>,
}

/// A number of a measured cell beside that of the fitted engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FittedValue {
    pub observed: ObservedValue,
    /// `None` where the fitted engine shows none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<f64>,
    /// By how many standard deviations it is off.
    pub off: f64,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct FitOutcome {
    pub engine: EngineSpec,
    pub parameters: Vec<ParameterFit>,
    pub cells: Vec<CellFit>,
    pub ensemble: TwinEnsemble,
    /// The root mean square of the times' logarithmic errors on the fitted cells, less the samples' own: 0.05 for 5 %.
    pub error: f64,
    pub scatter: MeasurementScatter,
}

/// How far measured times lie from those of the fitted engine by more than its own noise: by as much another measurement is expected to be off.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MeasurementScatter {
    /// The standard deviation of logarithms, by the residuals' sum of squares over times less parameters, less what the engine's noise makes of it: 0.05 for 5 %.
    pub deviation: f64,
    /// Of that deviation: the times of a cell move together, so that it is known as by so many cells less one (A. C. Cameron and D. L. Miller, "A practitioner's guide to
    /// cluster-robust inference", J. Human Resources 50, 2015).
    pub freedom: f64,
}

/// Fits the engine's times to cells that were measured. `told` holds what is known of the engine otherwise: its caches, its limits; where it does not say whether
/// prompts wait for each other on their way in, both are tried. `rows` are those of all cells. `None` where no request of them was answered.
#[must_use]
pub fn fit(cells: &[MeasuredCell], rows: &[&RequestRecord], told: &EngineSpec, mut progress: impl FnMut(u32, f64)) -> Option<FitOutcome> {
    let parameters = TwinParameter::of_engine(told);
    let start = first_guess(rows, &parameters, told)?;
    let noise = Some(step_noise(rows));
    let orders = told.intake.map_or_else(|| vec![IntakeOrder::Parallel, IntakeOrder::Serial], |order| vec![order]);
    let mut nearest: Option<(EngineSpec, Minimum)> = None;
    for order in orders {
        let told = EngineSpec { noise, intake: Some(order), ..told.clone() };
        let evaluated = |points: &[Vec<f64>]| {
            let engines: Vec<EngineSpec> = points.iter().map(|logs| engine_at(&told, &parameters, logs)).collect();
            simulated(cells, &engines).into_iter().map(|shown| residuals(cells, &shown)).collect::<Vec<_>>()
        };
        let minimum = LeastSquares { start: &start, residuals: &evaluated }.minimum(&mut progress)?;
        if nearest.as_ref().is_none_or(|(_, known)| minimum.cost < known.cost) {
            nearest = Some((told, minimum));
        }
    }
    nearest.map(|(told, minimum)| outcome(cells, &told, &parameters, &minimum))
}

fn outcome(measured: &[MeasuredCell], told: &EngineSpec, parameters: &[TwinParameter], Minimum { at, slope, .. }: &Minimum) -> FitOutcome {
    let engine = engine_at(told, parameters, at);
    let shown = simulated(measured, std::slice::from_ref(&engine)).remove(0);
    let off = residuals(measured, &shown);
    // Where the model is further off than it should be, what it says of its parameters is as much wider.
    let freedom = (off.len() as f64 - parameters.len() as f64).max(1.0);
    let stretch = (misfit(&off) / freedom).max(1.0);
    let cholesky = Cholesky::of(&curvature(slope, &off, stretch));
    let deviations = cholesky
        .as_ref()
        .map_or_else(|| vec![PRIOR; at.len()], |cholesky| cholesky.inverse_diagonal().iter().map(|variance| variance.sqrt()).collect());
    let found = |(place, parameter): (usize, &TwinParameter)| {
        let within = 1.645 * deviations[place];
        ParameterFit {
            parameter: *parameter,
            value: at[place].exp(),
            low: (at[place] - within).exp(),
            high: (at[place] + within).exp(),
            is_told: deviations[place] < KNOWN,
        }
    };
    let mut off = off.into_iter();
    let of_cell = |(cell, shown): (&MeasuredCell, &Vec<Option<f64>>)| {
        let value = |(observed, shown): (&ObservedValue, &Option<f64>)| FittedValue {
            observed: *observed,
            shown: *shown,
            off: off.next().unwrap_or_default(),
        };
        CellFit { name: cell.name.clone(), values: cell.observed.values.iter().zip(shown).map(value).collect() }
    };
    let cells: Vec<CellFit> = measured.iter().zip(&shown).map(of_cell).collect();
    FitOutcome {
        ensemble: TwinEnsemble::draw(parameters, cholesky.as_ref()),
        parameters: parameters.iter().enumerate().map(found).collect(),
        error: logarithmic_error(&cells),
        scatter: MeasurementScatter::of(&cells, parameters.len(), noise_variance(measured, &engine)),
        engine,
        cells,
    }
}

impl MeasurementScatter {
    /// A residual is what the measurement and what the simulated cell happen to show; as much as the second, a prediction is moved by its members' noise.
    fn of(cells: &[CellFit], parameters: usize, noise_variance: f64) -> Self {
        let squares: Vec<f64> = times_of(cells).filter_map(|value| Some((value.shown? - value.observed.value).powi(2))).collect();
        let unfitted = squares.len().saturating_sub(parameters).max(1) as f64;
        let variance = squares.iter().sum::<f64>() / unfitted - 2.0 * noise_variance;
        Self { deviation: variance.max(0.0).sqrt(), freedom: cells.len().saturating_sub(1).max(1) as f64 }
    }
}

/// How much a time of these cells varies from one noise of the engine to another: the mean of the times' variances on a logarithmic scale.
fn noise_variance(cells: &[MeasuredCell], engine: &EngineSpec) -> f64 {
    let engines: Vec<EngineSpec> = (1..=NOISE_DRAWS).map(|seed| EngineSpec { noise_seed: Some(seed), ..engine.clone() }).collect();
    let drawn = simulated(cells, &engines);
    let variance = |cell: usize, value: usize| {
        let shown: Vec<f64> = drawn.iter().filter_map(|cells| cells[cell][value]).collect();
        deviation(&shown).powi(2) * shown.len() as f64 / (shown.len() as f64 - 1.0).max(1.0)
    };
    let is_time = |cell: usize, value: usize| cells[cell].observed.values[value].statistic.is_time();
    let all = (0..cells.len()).flat_map(|cell| (0..cells[cell].observed.values.len()).map(move |value| (cell, value)));
    mean(&all.filter(|(cell, value)| is_time(*cell, *value)).map(|(cell, value)| variance(cell, value)).collect::<Vec<f64>>())
        .unwrap_or(0.0)
}

fn times_of(cells: &[CellFit]) -> impl Iterator<Item = &FittedValue> {
    cells.iter().flat_map(|cell| &cell.values).filter(|value| value.observed.statistic.is_time())
}

/// The root mean square of the times' errors, without what the samples' own errors explain.
fn logarithmic_error(cells: &[CellFit]) -> f64 {
    let squares: Vec<f64> = times_of(cells)
        .filter_map(|FittedValue { observed, shown, .. }| Some(((*shown)? - observed.value).powi(2) - observed.error.powi(2)))
        .collect();
    if squares.is_empty() { 0.0 } else { (squares.iter().sum::<f64>() / squares.len() as f64).max(0.0).sqrt() }
}
