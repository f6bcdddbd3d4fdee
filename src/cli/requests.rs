//! `bench run requests`: what can be typed of single requests.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::ServerArgs;
use crate::vocabulary::spec::lengths::LengthDistribution;

#[derive(Debug, Clone, Args)]
pub struct RequestsArgs {
    /// When requests arrive; a trace is named with `--trace`, users with `--concurrency`.
    #[arg(long, value_enum, default_value_t = ArrivalProcess::Poisson, conflicts_with_all = ["trace", "concurrency"])]
    pub arrival: ArrivalProcess,
    /// Users, each of whom sends its next request as soon as its previous one is over: a closed loop instead of a process.
    #[arg(long, value_name = "USERS", conflicts_with_all = ["qps", "burstiness", "trace", "max_in_flight"])]
    pub concurrency: Option<u32>,
    /// How long after the end of its previous request a user's next one is due: `1s`.
    #[arg(long, value_name = "DURATION", requires = "concurrency")]
    pub think_time: Option<String>,
    /// Mean requests per second.
    #[arg(long, default_value_t = 1.0, conflicts_with = "trace")]
    pub qps: f64,
    /// How long the load takes to rise evenly to its full rate or all its users, as part of the warm-up: `30s`.
    #[arg(long, value_name = "DURATION", conflicts_with = "trace")]
    pub ramp: Option<String>,
    /// The shape of gamma gaps: below 1 is burstier than a Poisson process. Makes the arrivals gamma.
    #[arg(long, value_name = "SHAPE", conflicts_with_all = ["arrival", "trace"])]
    pub burstiness: Option<f64>,
    /// Tokens of each prompt: `1000`, `uniform(100..2000)`, `normal(1000, 200)`, `lognormal(1000, 500, 1..8000)`, `file(lengths.txt)`.
    #[arg(long, default_value = "1000", value_name = "TOKENS", conflicts_with = "trace")]
    pub prompt_tokens: LengthDistribution,
    /// Tokens of each answer, in the same forms.
    #[arg(long, default_value = "100", value_name = "TOKENS", conflicts_with = "trace")]
    pub answer_tokens: LengthDistribution,
    /// Tokens of a system prompt that all share.
    #[arg(long, default_value_t = 0, value_name = "TOKENS", conflicts_with = "trace")]
    pub shared_prefix_tokens: u64,
    /// Your own prompts, sent in their order: JSON rows with `prompt`, `text` or `messages`, or a text file with a prompt a line.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["trace", "prompt_tokens", "shared_prefix_tokens"])]
    pub prompts: Option<PathBuf>,
    /// Begin again after the last of them.
    #[arg(long, requires = "prompts")]
    pub repeat_prompts: bool,
    /// A recorded trace, instead of a process: JSON rows or a public table.
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// The times of the trace are divided by this.
    #[arg(long, value_name = "FACTOR", requires = "trace")]
    pub speed_up: Option<f64>,
    /// How long requests are sent: `60s`, `5m` [default: 60s, unless a number, a trace or prompts end the run].
    #[arg(long, value_name = "DURATION")]
    pub duration: Option<String>,
    /// How many requests are sent.
    #[arg(long, value_name = "NUMBER")]
    pub requests: Option<u64>,
    /// How many of them, the first ones, are warm-up and left out of every metric.
    #[arg(long, value_name = "NUMBER")]
    pub warmup_requests: Option<u64>,
    /// The share of requests whose users leave before the answer is over: `0.1`.
    #[arg(long, value_name = "SHARE", requires = "leave_after")]
    pub leave_share: Option<f64>,
    /// How long after a request was sent they leave: `2s`.
    #[arg(long, value_name = "DURATION", requires = "leave_share")]
    pub leave_after: Option<String>,
    /// The most requests in flight.
    #[arg(long, default_value_t = 1000, value_name = "NUMBER")]
    pub max_in_flight: u32,
    #[command(flatten)]
    pub server: ServerArgs,
}

/// A process of arrivals that needs nothing but a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ArrivalProcess {
    Constant,
    Poisson,
}
