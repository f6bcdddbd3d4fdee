//! Sweeps of one scenario, night after night: what each of them said, and whether it is getting worse.
//!
//! In: saved sweeps with their summaries. Out: a [`SweepHistory`] (the series of scores and of one measure) and a gate (k of the last n
//! nights, and slow drift). Must not know where sweeps lie, nor how any of this is shown. Rules: `docs/metrics.md`, "Night after night".

mod against;
pub mod drift;
mod gate;
mod night;
mod pool;
mod series;
#[cfg(test)]
pub(crate) mod stage;
mod trend;

pub use against::{NightComparison, ScoreDrop};
pub use gate::{GateOptions, GateResult, GateVerdict, VariantGateResult, gate};
pub use night::{NightSweep, by_work};
pub use series::{CellSeries, NightHeader, ScorePoint, ScoreSeries, SweepHistory, ValuePoint, VariantHistory, history};
pub use trend::DriftTest;
