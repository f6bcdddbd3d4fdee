//! The simulated engine fitted to measured cells: what one costs that behaves as they do, how sure that is, and what it says of cells that were not
//! measured.
//!
//! In: plans whose runs are simulated, and the rows that were measured of some of them. Out: an engine, an ensemble of engines that the data do not tell
//! apart, and predictions with intervals. Must not know files of sweeps, terminals, or how a real server is reached. What is fitted, by which estimator and
//! how well: `docs/twin.md`.

mod cholesky;
mod ensemble;
mod fit;
mod least_squares;
mod measured;
mod model;
mod observation;
mod parameter;
mod prediction;
mod replay;
mod residuals;
mod sample_values;
mod start;

pub use ensemble::{EnsembleMember, TwinEnsemble};
pub use fit::{CellFit, FitOutcome, FittedValue, MeasurementScatter, ParameterFit, fit};
pub use measured::{MeasuredCells, UnfitSweep, measured_cells};
pub use model::{TwinFile, TwinFileError};
pub use observation::{CellObservation, CellStatistic, ObservedValue};
pub use parameter::TwinParameter;
pub use prediction::{PredictionError, TwinPrediction, fitted_variant, predict};
pub use replay::replay;
pub use residuals::MeasuredCell;
