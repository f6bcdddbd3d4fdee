//! What an engine that was fitted to measured cells says of others. None of it was measured: it has no verdict and enters no score.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::extended_real::ExtendedReal;
use crate::vocabulary::goal::{Goal, Measure};

/// What is predicted: the median of what the ensemble says, and the interval, of 90 % by name, for what a measurement would show.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PredictedInterval {
    pub value: ExtendedReal,
    pub low: ExtendedReal,
    pub high: ExtendedReal,
}

/// A goal's measure in a cell, predicted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GoalPrediction {
    pub goal: String,
    /// In the measure's unit; missing where no member of the ensemble shows rows that it is about.
    #[serde(flatten)]
    pub interval: Option<PredictedInterval>,
    /// The share of the ensemble that meets the goal.
    pub chance: f64,
}

/// A cell's goals, predicted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PredictedFigures {
    pub goals: Vec<GoalPrediction>,
    /// The share of the ensemble that meets all goals.
    pub chance: f64,
    /// It is one of the cells that the engine was fitted to, or lies between them; otherwise it is a guess beyond what was measured.
    pub is_within: bool,
}

/// A cell, predicted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CellPrediction {
    pub variant: String,
    pub axes: Vec<(String, Value)>,
    #[serde(flatten)]
    pub figures: PredictedFigures,
}

/// The largest C×S among the cells that agree in all other axes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LargestPredictedLoad {
    /// The other axes.
    pub within: Vec<(String, Value)>,
    #[serde(flatten)]
    pub sessions: PredictedInterval,
}

/// What an engine was fitted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FittedServer {
    #[default]
    Real,
    Simulated,
}

/// What is asked of a fitted engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TwinQuestion {
    /// Other cells.
    OtherCells,
    /// Another KV pool.
    OtherPool,
    /// A tier that the fitted server does not have, or another one.
    OtherTier,
    /// Anything else of it.
    OtherEngine,
}

/// What intervals that are called 90 % have held, where that was tried: of so many cells that were not fitted, so many were measured within. The tables of
/// docs/twin.md, which `cargo bench --bench twin` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldCoverage {
    pub held: u32,
    pub cells: u32,
    pub server: FittedServer,
    pub question: TwinQuestion,
}

impl HeldCoverage {
    /// `None` of what was not tried.
    #[must_use]
    pub fn of(server: FittedServer, question: TwinQuestion) -> Option<Self> {
        let (held, cells) = match (server, question) {
            (FittedServer::Simulated, TwinQuestion::OtherCells) => (676, 720),
            (FittedServer::Real, TwinQuestion::OtherCells) => (430, 480),
            (FittedServer::Real, TwinQuestion::OtherPool) => (510, 576),
            (FittedServer::Real, TwinQuestion::OtherTier) => (162, 288),
            (FittedServer::Simulated, _) | (FittedServer::Real, TwinQuestion::OtherEngine) => return None,
        };
        Some(Self { held, cells, server, question })
    }

    /// `69 %`.
    #[must_use]
    pub fn percent(self) -> String {
        format!("{:.0} %", 100.0 * f64::from(self.held) / f64::from(self.cells))
    }

    /// `held 69 % of 480 cells of a real engine that were not fitted`.
    #[must_use]
    pub fn sentence(coverage: Option<Self>) -> String {
        let Some(coverage) = coverage else { return "were not tried on a server that was changed like this".to_owned() };
        let whose = match coverage.server {
            FittedServer::Real => "a real engine",
            FittedServer::Simulated => "simulated engines",
        };
        let which = match coverage.question {
            TwinQuestion::OtherCells => "that were not fitted",
            TwinQuestion::OtherPool => "with another KV pool than the fitted ones",
            TwinQuestion::OtherTier => "with a tier that the fitted ones had not",
            TwinQuestion::OtherEngine => "with another engine",
        };
        format!("held {} of {} cells of {whose} {which}", coverage.percent(), coverage.cells)
    }
}

/// All that is predicted of a sweep's cells, and by what.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SweepForecast {
    pub origin: ForecastOrigin,
    pub cells: Vec<CellPrediction>,
}

/// The fitted engine behind a prediction.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ForecastOrigin {
    /// The variant that was fitted.
    pub fitted: String,
    /// What its intervals have held, of what is asked of it; missing where that was not tried.
    pub coverage: Option<HeldCoverage>,
    /// By how much times of the fitted cells are off, as a root mean square of logarithms: 0.05 for 5 %.
    pub error: f64,
    /// Where it does not fit what it was fitted to, so that nothing of it is to be believed; empty where it does.
    pub misfits: Vec<String>,
    /// What was changed of the fitted engine, as `FIELD=VALUE`.
    pub changes: Vec<String>,
}

impl fmt::Display for ForecastOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fitted, coverage, error, misfits, changes } = self;
        let changed = if changes.is_empty() { String::new() } else { format!(" with {}", changes.join(", ")) };
        write!(
            f,
            "cells that are called predicted were not measured: an engine{changed} says so that was fitted to {fitted}, whose times it meets within {:.1} % \
             (root mean square); they have no verdict and enter no score; intervals that are called 90 % {}; * \
             marks cells beyond the fitted range",
            100.0 * error,
            HeldCoverage::sentence(*coverage)
        )?;
        if misfits.is_empty() {
            return Ok(());
        }
        write!(f, "; it DOES NOT FIT what it was fitted to, so that nothing of it is to be believed: {}", misfits.join("; "))
    }
}

impl ForecastOrigin {
    /// `an engine fitted to vllm, with kv_memory=160GB; its 90 % intervals held 69 %`.
    #[must_use]
    pub fn in_short(&self) -> String {
        let changed = if self.changes.is_empty() { String::new() } else { format!(", with {}", self.changes.join(", ")) };
        let doubt = if self.misfits.is_empty() { "" } else { ", WHICH DOES NOT FIT" };
        let held = self.coverage.map_or_else(|| "were not tried".to_owned(), |coverage| format!("held {}", coverage.percent()));
        format!("an engine fitted to {}{changed}{doubt}; its 90 % intervals {held}", self.fitted)
    }
}

impl PredictedFigures {
    /// What is predicted of a measure that one of the goals judges; `None` of another one.
    #[must_use]
    pub fn of_measure(&self, measure: &Measure, goals: &[Goal]) -> Option<&GoalPrediction> {
        let goal = goals.iter().find(|goal| goal.measure == *measure)?.to_string();
        self.goals.iter().find(|predicted| predicted.goal == goal)
    }
}

impl SweepForecast {
    /// What is said of a cell; its axes may come in any order.
    #[must_use]
    pub fn of_cell(&self, variant: &str, axes: &super::super::axes::Axes) -> Option<&PredictedFigures> {
        let is_it = |cell: &&CellPrediction| {
            cell.variant == variant && cell.axes.len() == axes.len() && cell.axes.iter().all(|(axis, value)| axes.get(axis) == Some(value))
        };
        self.cells.iter().find(is_it).map(|cell| &cell.figures)
    }
}
