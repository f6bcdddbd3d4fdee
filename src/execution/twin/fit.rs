//! The fit: the parameters with which the engine's cells are nearest to the measured ones, by the method of Levenberg and Marquardt (Marquardt 1963) on
//! logarithms, with a wide normal prior around the first guess; and how sure they are, by the curvature there (Laplace's approximation).

#![expect(clippy::cast_precision_loss, reason = "counts and tokens are far below 2^53")]

use serde::{Deserialize, Serialize};

use super::cholesky::Cholesky;
use super::ensemble::TwinEnsemble;
use super::observation::{CellStatistic, ObservedValue};
use super::parameter::{TwinParameter, engine_at};
use super::residuals::{MeasuredCell, residuals, simulated};
use super::start::{first_guess, step_noise};
use crate::records::record::RequestRecord;
use crate::vocabulary::spec::engine::EngineSpec;

/// The prior's standard deviation: the first guess is right within a factor of e^1.5 = 4.5, or nearly so.
const PRIOR: f64 = 1.5;
/// What data have to make of it for a parameter to be known by them.
const KNOWN: f64 = 0.5;
/// By how much a logarithm is moved to see what changes.
const STRIDE: f64 = 0.04;
const MOST_ROUNDS: u32 = 14;
/// A round that gains less is the last.
const LEAST_GAIN: f64 = 1e-3;

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
    /// The root mean square of the times' logarithmic errors on the fitted cells, corrected for what was fitted: 0.05 for 5 %.
    pub error: f64,
}

/// Fits the engine's times to cells that were measured. `told` holds what is known of the engine otherwise: its caches, its limits. `rows` are those of
/// all cells. `None` where no request of them was answered.
#[must_use]
pub fn fit(cells: &[MeasuredCell], rows: &[&RequestRecord], told: &EngineSpec, mut progress: impl FnMut(u32, f64)) -> Option<FitOutcome> {
    let parameters = TwinParameter::of_engine(told);
    let told = EngineSpec { noise: Some(step_noise(rows)), ..told.clone() };
    let start = first_guess(rows, &parameters, &told)?;
    let evaluated = |points: &[Vec<f64>]| {
        let engines: Vec<EngineSpec> = points.iter().map(|logs| engine_at(&told, &parameters, logs)).collect();
        simulated(cells, &engines).into_iter().map(|shown| residuals(cells, &shown)).collect::<Vec<_>>()
    };
    let prior = |logs: &[f64]| logs.iter().zip(&start).map(|(log, start)| ((log - start) / PRIOR).powi(2)).sum::<f64>();
    let misfit = |residuals: &[f64]| residuals.iter().map(|residual| loss(*residual)).sum::<f64>();

    let mut at = start.clone();
    let mut here = evaluated(std::slice::from_ref(&at)).remove(0);
    let mut damping = 1e-2;
    let mut slope = jacobian(&at, &here, &evaluated);
    for round in 1..=MOST_ROUNDS {
        let now = misfit(&here) + prior(&at);
        progress(round, now);
        let (curvature, downhill) = normal_equations(&slope, &here, &at, &start);
        let tried: Vec<(f64, Vec<f64>)> = [0.1, 1.0, 10.0, 100.0]
            .into_iter()
            .filter_map(|factor| {
                let damping = damping * factor;
                let mut damped = curvature.clone();
                for (place, row) in damped.iter_mut().enumerate() {
                    row[place] *= 1.0 + damping;
                }
                let step = Cholesky::of(&damped)?.solve(&downhill);
                Some((damping, at.iter().zip(&step).map(|(log, step)| log + step.clamp(-2.0, 2.0)).collect()))
            })
            .collect();
        let points: Vec<Vec<f64>> = tried.iter().map(|(_, point)| point.clone()).collect();
        let reached = evaluated(&points);
        let best = (0..points.len()).min_by(|one, other| {
            let of = |place: &usize| misfit(&reached[*place]) + prior(&points[*place]);
            of(one).total_cmp(&of(other))
        })?;
        let gain = now - misfit(&reached[best]) - prior(&points[best]);
        if gain <= 0.0 {
            if damping > 1e4 {
                break;
            }
            damping *= 100.0;
            continue;
        }
        (damping, at) = (tried[best].0.max(1e-6), points[best].clone());
        here.clone_from(&reached[best]);
        slope = jacobian(&at, &here, &evaluated);
        if gain < LEAST_GAIN * now {
            break;
        }
    }
    Some(outcome(cells, &told, &parameters, &start, &at, &slope))
}

/// A residual's part of the misfit: squared near 0, and its size far from it (Huber 1964), so that one number that cannot be met does not rule the rest.
fn loss(residual: f64) -> f64 {
    const FAR: f64 = 3.0;
    if residual.abs() <= FAR { residual.powi(2) } else { 2.0 * FAR * residual.abs() - FAR.powi(2) }
}

/// What a residual counts for where the misfit is taken for a sum of squares.
fn weight(residual: f64) -> f64 {
    if residual == 0.0 { 1.0 } else { loss(residual) / residual.powi(2) }
}

type Residuals = Vec<f64>;

/// Of each residual its change by each parameter's logarithm: a parameter a row.
fn jacobian(at: &[f64], here: &[f64], evaluated: &impl Fn(&[Vec<f64>]) -> Vec<Residuals>) -> Vec<Vec<f64>> {
    let moved = |place: usize| at.iter().enumerate().map(|(other, log)| log + if other == place { STRIDE } else { 0.0 }).collect();
    let points: Vec<Vec<f64>> = (0..at.len()).map(moved).collect();
    let change = |there: Vec<f64>| there.iter().zip(here).map(|(there, here)| (there - here) / STRIDE).collect();
    evaluated(&points).into_iter().map(change).collect()
}

/// The curvature of the misfit with its prior, and the direction downhill.
fn normal_equations(slope: &[Vec<f64>], here: &[f64], at: &[f64], start: &[f64]) -> (Vec<Vec<f64>>, Vec<f64>) {
    let weights: Vec<f64> = here.iter().map(|residual| weight(*residual)).collect();
    let product =
        |one: &[f64], other: &[f64]| one.iter().zip(other).zip(&weights).map(|((one, other), weight)| one * other * weight).sum::<f64>();
    let own = PRIOR.powi(-2);
    let curvature = slope
        .iter()
        .enumerate()
        .map(|(row, one)| {
            slope.iter().enumerate().map(|(column, other)| product(one, other) + if row == column { own } else { 0.0 }).collect()
        })
        .collect();
    let downhill = slope.iter().enumerate().map(|(place, one)| -product(one, here) - (at[place] - start[place]) * own).collect();
    (curvature, downhill)
}

fn outcome(
    cells: &[MeasuredCell],
    told: &EngineSpec,
    parameters: &[TwinParameter],
    start: &[f64],
    at: &[f64],
    slope: &[Vec<f64>],
) -> FitOutcome {
    let engine = engine_at(told, parameters, at);
    let shown = simulated(cells, std::slice::from_ref(&engine)).remove(0);
    let off = residuals(cells, &shown);
    let freedom = (off.len() as f64 - parameters.len() as f64).max(1.0);
    // Where the model is further off than it should be, what it says of its parameters is as much wider.
    let stretch = (off.iter().map(|residual| loss(*residual)).sum::<f64>() / freedom).max(1.0);
    let (mut curvature, _) = normal_equations(slope, &off, at, start);
    for row in &mut curvature {
        for value in row.iter_mut() {
            *value /= stretch;
        }
    }
    for (place, row) in curvature.iter_mut().enumerate() {
        row[place] += PRIOR.powi(-2) * (1.0 - 1.0 / stretch);
    }
    let cholesky = Cholesky::of(&curvature);
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
    let cells: Vec<CellFit> = cells.iter().zip(&shown).map(of_cell).collect();
    FitOutcome {
        ensemble: TwinEnsemble::draw(parameters, at, cholesky.as_ref()),
        parameters: parameters.iter().enumerate().map(found).collect(),
        error: logarithmic_error(&cells),
        engine,
        cells,
    }
}

/// The root mean square of the times' errors, without what the samples' own errors explain.
fn logarithmic_error(cells: &[CellFit]) -> f64 {
    let times = cells.iter().flat_map(|cell| &cell.values).filter(|value| value.observed.statistic != CellStatistic::LaterHitShare);
    let squares: Vec<f64> = times
        .filter_map(|FittedValue { observed, shown, .. }| Some(((*shown)? - observed.value).powi(2) - observed.error.powi(2)))
        .collect();
    if squares.is_empty() { 0.0 } else { (squares.iter().sum::<f64>() / squares.len() as f64).max(0.0).sqrt() }
}
