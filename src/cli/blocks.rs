//! What can be typed for blocks of a sweep: `bench merge` and `bench status`.

use std::path::PathBuf;

use clap::Args;

use super::OutputFormat;

#[derive(Debug, Clone, Args)]
pub struct MergeArgs {
    /// The folder that `bench sweep --block` was given with `-o`.
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub format: OutputFormat,
}

#[derive(Debug, Clone, Args)]
pub struct StatusArgs {
    /// The folder that `bench sweep --block` was given with `-o`.
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub format: OutputFormat,
}
