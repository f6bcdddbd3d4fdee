//! What can be typed after `bench compare`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Clone, Args)]
pub struct CompareArgs {
    /// The folder of a saved sweep, or one of its variants: `results/lab:vllm`.
    #[arg(value_name = "BASE")]
    pub base: String,
    /// What is compared with it; without it, the other variants of the same sweep.
    #[arg(value_name = "NEW")]
    pub new: Option<String>,
    /// Only this variant [default: every variant that both have].
    #[arg(long)]
    pub variant: Option<String>,
    /// The largest relative change that counts as none.
    #[arg(long, default_value = "5%", value_name = "SHARE")]
    pub margin: String,
    /// Compare although these differ: `seed,workload.rounds`, or `all`.
    #[arg(long, value_delimiter = ',', value_name = "PATHS")]
    pub accept: Vec<String>,
    /// Goals whose measures are compared first, instead of the scenario's. Repeatable.
    #[arg(long = "goal", value_name = "GOAL")]
    pub goals: Vec<String>,
    #[arg(long, value_enum, default_value_t = CompareFormat::Text)]
    pub format: CompareFormat,
    /// Write to this file instead of stdout.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CompareFormat {
    Text,
    Markdown,
    Json,
    /// XML of test cases, as CI systems read it.
    Junit,
}
