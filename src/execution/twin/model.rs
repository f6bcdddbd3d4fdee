//! `twin.toml`: the fitted engine as an `[engine]` section that a person reads and a scenario takes, and beside it what it is worth: the runs it comes
//! from, how well it fits, what the data do not tell, the range that was measured, and the ensemble.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ensemble::TwinEnsemble;
use super::fit::{CellFit, FitOutcome, FittedValue, MeasurementScatter, ParameterFit};
use crate::analysis::FittedServer;
use crate::foundation::named_file::{NamedFile, NamedFileError};
use crate::planning::plan::Run;
use crate::vocabulary::spec::engine::EngineSpec;

/// Raised whenever what is fitted or how it is saved changes.
const VERSION: u32 = 3;

/// A twin as it is saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwinFile {
    pub engine: EngineSpec,
    pub fit: TwinFit,
}

/// What a twin is worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwinFit {
    pub version: u32,
    /// Of all else: a file that was changed by hand is none of a fit any more.
    pub blake3: String,
    /// The variant that was fitted.
    pub variant: String,
    pub server: FittedServer,
    /// The fitted runs' ids.
    pub runs: Vec<String>,
    /// The root mean square of the times' logarithmic errors on the fitted cells: 0.05 for 5 %.
    pub error: f64,
    pub scatter: MeasurementScatter,
    pub parameters: Vec<ParameterFit>,
    pub cells: Vec<CellFit>,
    /// The values that axes of numbers had in the fitted cells: least and largest.
    pub range: Vec<(String, f64, f64)>,
    pub ensemble: TwinEnsemble,
}

/// Why a file is no twin.
#[derive(Debug, thiserror::Error)]
pub enum TwinFileError {
    #[error(transparent)]
    Read(#[from] NamedFileError),
    #[error("the twin cannot be written: {0}")]
    Unwritable(#[from] toml::ser::Error),
    #[error("`{file}` is no twin: {reason}\nhint: `bench fit RESULTS -o {file}` makes one")]
    Unreadable { file: String, reason: String },
    #[error(
        "`{file}` is a twin of version {found}, and this program reads version {VERSION}\nhint: fit it again: `bench fit RESULTS -o {file}`"
    )]
    Version { file: String, found: u32 },
    #[error(
        "`{file}` was changed since it was fitted, so that its intervals are no longer those of a fit\nhint: change the engine by `--set engine.FIELD=VALUE` instead, or fit it again"
    )]
    Edited { file: String },
}

impl TwinFile {
    /// Of a fit on these runs.
    ///
    /// # Errors
    /// Where it cannot be written as TOML.
    pub fn new(outcome: FitOutcome, variant: &str, server: FittedServer, runs: &[&Run]) -> Result<Self, TwinFileError> {
        let FitOutcome { engine, parameters, cells, ensemble, error, scatter } = outcome;
        let fit = TwinFit {
            version: VERSION,
            blake3: String::new(),
            variant: variant.to_owned(),
            server,
            runs: runs.iter().map(|run| run.id.clone()).collect(),
            error,
            scatter,
            parameters,
            cells,
            range: range(runs),
            ensemble,
        };
        let mut file = Self { engine, fit };
        file.fit.blake3 = file.hash()?;
        Ok(file)
    }

    /// Of everything but the hash itself.
    fn hash(&self) -> Result<String, TwinFileError> {
        let mut unsigned = self.clone();
        unsigned.fit.blake3.clear();
        Ok(blake3::hash(unsigned.text()?.as_bytes()).to_hex().to_string())
    }

    /// As it is saved.
    ///
    /// # Errors
    /// Where TOML cannot hold it.
    pub fn text(&self) -> Result<String, TwinFileError> {
        Ok(toml::to_string(self)?)
    }

    /// # Errors
    /// Where the file cannot be read, is of another version, or was changed.
    pub fn read(path: &Path) -> Result<Self, TwinFileError> {
        let file = path.display().to_string();
        let text = NamedFile::Twin.read_text(path)?;
        let document: toml::Table =
            toml::from_str(&text).map_err(|error| TwinFileError::Unreadable { file: file.clone(), reason: error.message().to_owned() })?;
        let found = document.get("fit").and_then(|fit| fit.get("version")).and_then(toml::Value::as_integer);
        if let Some(found) = found.and_then(|found| u32::try_from(found).ok()).filter(|found| *found != VERSION) {
            return Err(TwinFileError::Version { file, found });
        }
        let twin: Self =
            toml::from_str(&text).map_err(|error| TwinFileError::Unreadable { file: file.clone(), reason: error.message().to_owned() })?;
        if twin.hash()? == twin.fit.blake3 { Ok(twin) } else { Err(TwinFileError::Edited { file }) }
    }
}

/// The most that times of the fitted cells may be off for predictions to be believed at all.
const MOST_ERROR: f64 = 0.2;
/// And any one number of them, in standard deviations.
const MOST_OFF: f64 = 8.0;

impl TwinFit {
    /// Where the engine does not fit what it was fitted to; empty where it does.
    #[must_use]
    pub fn misfits(&self) -> Vec<String> {
        let is_far = |value: &&FittedValue| value.off.abs() > MOST_OFF;
        let far = self.cells.iter().filter(|cell| cell.values.iter().any(|value| is_far(&value))).map(|cell| cell.name.clone());
        let far: Vec<String> = far.collect();
        let all = (self.error > MOST_ERROR && far.is_empty()).then(|| "all cells".to_owned());
        far.into_iter().chain(all).collect()
    }

    /// Whether a cell's numbers lie between those that were measured.
    pub(super) fn holds(&self, run: &Run) -> bool {
        let number = |name: &str| run.axes.iter().find(|(axis, _)| axis == name).and_then(|(_, value)| value.as_f64());
        self.range.iter().all(|(axis, least, largest)| number(axis).is_none_or(|value| (*least..=*largest).contains(&value)))
    }
}

fn range(runs: &[&Run]) -> Vec<(String, f64, f64)> {
    let Some(first) = runs.first() else { return Vec::new() };
    let of_axis = |(axis, _): &(String, Value)| {
        let values: Vec<f64> = runs.iter().filter_map(|run| run.axes.iter().find(|(other, _)| other == axis)?.1.as_f64()).collect();
        let ends = (values.iter().copied().reduce(f64::min)?, values.iter().copied().reduce(f64::max)?);
        Some((axis.clone(), ends.0, ends.1))
    };
    first.axes.iter().filter_map(of_axis).collect()
}
