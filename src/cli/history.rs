//! The flags of `bench history`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::records::bucket::ResultsAddress;

#[derive(Debug, Clone, Args)]
pub struct HistoryArgs {
    /// The folder, or place in a bucket, that holds the nights' sweeps, directly or one level deeper.
    #[arg(value_name = "DIR")]
    pub folder: ResultsAddress,
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
    /// Exit 1 where it is worse than before: where several of the last nights regressed, or by a slow drift.
    #[arg(long)]
    pub gate: bool,
    /// For the gate: how many of the last nights are asked.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = at_least_one, requires = "gate")]
    pub nights: usize,
    /// For the gate: how many of them have to have regressed.
    #[arg(long, value_name = "K", default_value_t = 2, value_parser = at_least_one, requires = "gate")]
    pub regressed: usize,
    /// For the gate: how many nights before the last ones these are compared with, at most; and in how many of the last nights a drift is
    /// looked for.
    #[arg(long, value_name = "N", default_value_t = 14, value_parser = window, requires = "gate")]
    pub window: usize,
    /// For the gate: the largest relative change that counts as none.
    #[arg(long, value_name = "SHARE", default_value = "5%", value_parser = share, requires = "gate")]
    pub margin: f64,
    /// For the gate: a folder of nights, or one sweep, to compare the last nights with instead of those before them.
    #[arg(long, value_name = "DIR", requires = "gate")]
    pub base: Option<ResultsAddress>,
    /// Put nights into one series although these differ: `seed,workload.rounds`, or `all`.
    #[arg(long, value_delimiter = ',', value_name = "PATHS")]
    pub accept: Vec<String>,
    /// Also draw the series into this file, ending in `.png` or `.svg`.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// What is printed on stdout; `junit` needs `--gate`.
    #[arg(long, value_enum, default_value_t = HistoryFormat::Text)]
    pub format: HistoryFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HistoryFormat {
    Text,
    Markdown,
    Json,
    Junit,
}

/// `5%` or `0.05`.
fn share(text: &str) -> Result<f64, String> {
    let (number, factor) = text.strip_suffix('%').map_or((text, 1.0), |number| (number.trim(), 0.01));
    let share = number.parse::<f64>().ok().map(|number| number * factor);
    share.filter(|share| *share > 0.0 && *share < 1.0).ok_or_else(|| "a share above 0 and below 1, as `5%`, is wanted".to_owned())
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| *count >= 1).ok_or_else(|| "a whole number from 1 on is wanted".to_owned())
}

/// So many that the exact chances can be held in floating point.
fn window(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| (2..=100).contains(count)).ok_or_else(|| "a whole number from 2 to 100 is wanted".to_owned())
}
