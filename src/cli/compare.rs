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
    /// What decides, for the first line and the exit code: what the goals speak of, failures and scores, or all measures. What does not
    /// decide is said beside it. Without goals all measures decide.
    #[arg(long, value_enum, default_value_t = GateArg::Goals, value_name = "WHAT")]
    pub gate: GateArg,
    /// Compare although these differ: `seed,workload.rounds`, or `all`.
    #[arg(long, value_delimiter = ',', value_name = "PATHS")]
    pub accept: Vec<String>,
    /// Goals whose measures are compared first, instead of the scenario's. Repeatable.
    #[arg(long = "goal", value_name = "GOAL")]
    pub goals: Vec<String>,
    #[arg(long, value_enum, default_value_t = CompareFormat::Text)]
    pub format: CompareFormat,
    /// Also draw what became of one measure in every cell, as PNG or SVG. Where several variants are compared, `{variant}` in its name
    /// stands for the new one.
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
    /// What is drawn: `p95(ttft where turn >= 1)` [default: the first measure that decides].
    #[arg(long, value_name = "MEASURE", requires = "plot")]
    pub measure: Option<String>,
    /// The picture's axis along the page, by name or dotted path [default: C, else the first axis].
    #[arg(short, value_name = "AXIS", requires = "plot")]
    pub x: Option<String>,
    /// The picture's axis up the page [default: S, else the next axis].
    #[arg(short, value_name = "AXIS", requires = "plot")]
    pub y: Option<String>,
    /// Write to this file instead of stdout.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GateArg {
    /// The measures of the goals, the error rate and the scores.
    Goals,
    /// Every measure that is compared.
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CompareFormat {
    Text,
    Markdown,
    Json,
    /// XML of test cases, as CI systems read it.
    Junit,
}
