//! A sweep's blocks as jobs of a cluster.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::ScenarioArgs;
use crate::records::bucket::ResultsAddress;

#[derive(Debug, Clone, Args)]
pub struct SubmitArgs {
    #[command(flatten)]
    pub scenario: ScenarioArgs,
    /// Where the blocks are measured and merged: a folder that all nodes see, a path on a volume of the pods, or a place in a bucket
    /// (`s3://BUCKET/PREFIX`, `gs://`, `az://`).
    #[arg(short, long, value_name = "DIR")]
    pub output: ResultsAddress,
    /// The cluster's scheduler.
    #[arg(long, value_enum)]
    pub to: SchedulerArg,
    /// The site's settings: partition and GPUs, image and volumes.
    #[arg(long, value_name = "FILE")]
    pub cluster: Option<PathBuf>,
    /// A template of the site's own for the jobs that do the blocks.
    #[arg(long, value_name = "FILE")]
    pub template: Option<PathBuf>,
    /// Where the job files are written [default: DIR/submit; of a bucket, and of pods, submit/NAME].
    #[arg(long, value_name = "DIR")]
    pub files: Option<PathBuf>,
    /// Keep prompts and answers: `texts.jsonl` in each run's folder. Without it they are not saved anywhere.
    #[arg(long)]
    pub keep_text: bool,
    /// Submit the jobs. Without it they are only written and shown.
    #[arg(long)]
    pub go: bool,
}

/// Who places the jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchedulerArg {
    Slurm,
    Kubernetes,
}
