//! The flags of `bench history`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Clone, Args)]
pub struct HistoryArgs {
    /// The folder that holds the nights' sweeps, directly or one level deeper.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Only the scenario of this name [default: a series each].
    #[arg(long)]
    pub name: Option<String>,
    /// The cell that is shown: `C=4,S=3` [default: the one that carries the first night's score, else the largest that all measured].
    #[arg(long, value_name = "AXIS=VALUE,...")]
    pub cell: Option<String>,
    /// What is shown, as in a goal: `p95(ttft where turn >= 1)` [default: the first goal's measure].
    #[arg(short, value_name = "MEASURE")]
    pub z: Option<String>,
    /// Judge all nights by these goals instead of the scenario's. Repeatable.
    #[arg(long = "goal", value_name = "GOAL")]
    pub goals: Vec<String>,
    /// What is printed on stdout.
    #[arg(long, value_enum, default_value_t = HistoryFormat::Text)]
    pub format: HistoryFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HistoryFormat {
    Text,
    Markdown,
    Json,
}
