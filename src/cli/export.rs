//! `bench export`: what can be typed.

use std::path::PathBuf;

use clap::Args;

use crate::records::bucket::ResultsAddress;

#[derive(Debug, Clone, Args)]
pub struct ExportArgs {
    /// Folders of saved sweeps, or their places in buckets.
    #[arg(required = true, value_name = "RESULTS")]
    pub results: Vec<ResultsAddress>,
    /// A row a cell, with its estimates and verdicts, instead of a row a request.
    #[arg(long)]
    pub cells: bool,
    /// The file, ending in `.parquet` or `.csv`.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}
