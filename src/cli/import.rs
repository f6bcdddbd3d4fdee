//! `bench import`: what can be typed.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Clone, Args)]
pub struct ImportArgs {
    /// Files with single requests: of the original C×S script, the chat generator (CSV, also our own `summary.csv`), `vllm bench serve`, `vllm bench
    /// sweep`, SGLang's `bench_serving`, `AIPerf`, guidellm, genai-bench, llmperf or inference-perf; several runs of one cell are repeats.
    #[arg(required = true, value_name = "FILES")]
    pub files: Vec<PathBuf>,
    /// The sweep's folder, which must be new.
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// The variant of all files [default: the name of each file's folder].
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,
    /// A goal: `p95(ttft) <= 2s`. Repeatable (default: `p95(ttft where turn >= 1) <= 2s` for the C×S script, else none).
    #[arg(long = "goal", value_name = "GOAL")]
    pub goals: Vec<String>,
}
