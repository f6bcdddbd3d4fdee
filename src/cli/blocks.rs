//! What can be typed for blocks of a sweep: `bench merge` and `bench status`.

use clap::Args;

use super::OutputFormat;
use crate::records::bucket::ResultsAddress;

#[derive(Debug, Clone, Args)]
pub struct MergeArgs {
    /// The folder or the place in a bucket that `bench sweep --block` was given with `-o`.
    #[arg(value_name = "DIR")]
    pub results: ResultsAddress,
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub format: OutputFormat,
}

#[derive(Debug, Clone, Args)]
pub struct StatusArgs {
    /// The folder or the place in a bucket that `bench sweep --block` was given with `-o`.
    #[arg(value_name = "DIR")]
    pub results: ResultsAddress,
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub format: OutputFormat,
}
