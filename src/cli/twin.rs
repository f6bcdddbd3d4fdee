//! The twin: the simulated engine fitted to a saved sweep, and what it says of other cells.

use std::path::PathBuf;

use clap::Args;

use super::ScenarioArgs;
use crate::records::bucket::ResultsAddress;

#[derive(Debug, Clone, Args)]
pub struct FitArgs {
    /// The folder of a saved sweep, or its place in a bucket.
    #[arg(value_name = "RESULTS")]
    pub results: ResultsAddress,
    /// The variant whose server is fitted; needed where there are several.
    #[arg(long)]
    pub variant: Option<String>,
    /// Fit only these cells: `concurrent=1,4`. Repeatable; all must fit.
    #[arg(long, value_name = "AXIS=VALUES")]
    pub only: Vec<String>,
    /// What is known of the engine and its server does not tell: `engine.host_tier={capacity="2GB",bandwidth="1GB/s"}`. Repeatable.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// Where the twin is written.
    #[arg(short, long, value_name = "FILE", default_value = "twin.toml")]
    pub output: PathBuf,
}

#[derive(Debug, Clone, Args)]
pub struct PredictArgs {
    /// The scenario whose cells are predicted. `--set engine.FIELD=VALUE` changes the fitted engine: what if?
    #[command(flatten)]
    pub scenario: ScenarioArgs,
    /// What `bench fit` wrote.
    #[arg(long, value_name = "FILE")]
    pub twin: PathBuf,
    /// All of it as JSON.
    #[arg(long)]
    pub json: bool,
    /// A picture as well, PNG or SVG by its ending: a heatmap of the predicted cells, and of axes of `engine.` one of the largest C×S over them.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}
