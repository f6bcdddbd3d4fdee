//! The command line: clap structs only, no logic. Each command's work is in the file of its name under `commands/`.

mod blocks;
mod clients;
mod compare;
mod export;
mod history;
mod import;
mod init;
mod prepare;
mod push;
mod requests;
mod sessions;
mod submit;
mod target;
mod twin;

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::records::bucket::ResultsAddress;
use crate::vocabulary::spec::plot::{FigureKind, PlotKind};
pub use blocks::{MergeArgs, StatusArgs};
pub use clients::ClientsArgs;
pub use compare::{CompareArgs, CompareFormat, GateArg};
pub use export::ExportArgs;
pub use history::{HistoryArgs, HistoryFormat};
pub use import::ImportArgs;
pub use init::{InitApi, InitArgs, InitWorkload};
pub use prepare::{PrepareCommand, PrepareDocumentsArgs, PrepareSharegptArgs, PrepareTraceArgs, TokenizerArgs};
pub use push::PushArgs;
pub use requests::{ArrivalProcess, RequestsArgs};
pub use sessions::{HistoryAnswers, SessionsArgs};
pub use submit::{SchedulerArg, SubmitArgs};
pub use target::TargetArgs;
pub use twin::{FitArgs, PredictArgs};

/// How many user sessions an LLM server holds while people still get their first token in time.
#[derive(Debug, Parser)]
#[command(name = "bench", version, about, max_term_width = 100, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: CliCommand,
    #[command(flatten)]
    pub talk: VerbosityArgs,
}

/// How much is said, and how.
#[derive(Debug, Clone, Copy, Args)]
pub struct VerbosityArgs {
    /// Say more (on stderr); twice for every request.
    #[arg(short, long, global = true, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    pub verbose: u8,
    /// Say nothing but results and errors.
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// No colours (also: the environment variable `NO_COLOR`).
    #[arg(long, global = true)]
    pub no_color: bool,
}

#[derive(Debug, Subcommand)]
pub enum CliCommand {
    /// Write a scenario for a server that runs, by asking it: its model, context, metrics and cache controls.
    Init(InitArgs),
    /// Run every cell of a scenario's matrix for every variant; resumable; ends with the verdict and the plots.
    Sweep(SweepArgs),
    /// Run one cell without a file.
    #[command(subcommand)]
    Run(RunCommand),
    /// Show what would run: cells, requests, tokens, time, and samples against what the goals need.
    Plan(PlanArgs),
    /// Show all faults of scenario files at once, with line, column and a hint.
    Check(CheckArgs),
    /// The blocks of a sweep that was measured on several nodes as one sweep, with its report.
    Merge(MergeArgs),
    /// How far the blocks of a sweep have come: waiting, running, sealed, failed.
    Status(StatusArgs),
    /// Write a sweep's blocks as jobs of Slurm or Kubernetes, and with `--go` submit them.
    Submit(Box<SubmitArgs>),
    /// Tables, scores, verdict, heatmaps and a page, from saved runs alone.
    Report(ReportArgs),
    /// Two saved sweeps, or variants of one, against each other, session by session; exits with 1 on a regression.
    Compare(CompareArgs),
    /// One figure from saved runs: any axes, any metric, PNG or SVG.
    Plot(PlotArgs),
    /// One table of saved runs for SQL, pandas and spreadsheets: a row a request, or a row a cell.
    Export(ExportArgs),
    /// Fit the simulated engine to a saved sweep: what a request and a step cost there, how sure that is, and how well it fits, cell by cell.
    Fit(FitArgs),
    /// What a fitted engine says of every cell of a scenario, with intervals: predicted, not measured.
    Predict(Box<PredictArgs>),
    /// The same scenario night after night: scores and percentiles as a series, a figure, and a gate against getting worse.
    History(HistoryArgs),
    /// Files of other programs as a saved sweep, which `report` and `plot` read as their own.
    Import(ImportArgs),
    /// Make data ready: documents of exact lengths, conversations that fit; with a manifest of hashes and counts.
    #[command(subcommand)]
    Prepare(PrepareCommand),
    /// A saved sweep into a bucket; what is there already is not sent again.
    Push(PushArgs),
    /// The simulated engine as an OpenAI-compatible server.
    Sim(SimArgs),
    /// What this client can measure on this machine: accuracy and ceiling, kept for the sweeps that follow.
    Selftest(SelftestArgs),
    /// Print the JSON Schema of a scenario, for editors.
    Schema,
    /// Print shell completions or the man page.
    Completions(CompletionsArgs),
    /// Start processes as told on stdin, and end them all when stdin ends; `bench` starts this for itself.
    #[command(hide = true)]
    Supervise,
    /// The server of the selftest; `bench` starts this for itself.
    #[command(hide = true)]
    Emit,
}

/// Which scenarios, and what is changed in them.
#[derive(Debug, Clone, Args)]
pub struct ScenarioArgs {
    /// Scenario files (TOML or YAML), or glob patterns of them.
    #[arg(required = true, value_name = "SCENARIO")]
    pub scenarios: Vec<String>,
    /// Change a field: `workload.rounds=5`. The value is read as TOML, else taken as text. Repeatable.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// Keep only what fits: `variant=lmcache`, `concurrent=4`, `sequential=1,2`. Repeatable; all must fit.
    #[arg(long, value_name = "AXIS=VALUES")]
    pub only: Vec<String>,
    /// Run against the simulated engine, in virtual time.
    #[arg(long, conflicts_with = "url")]
    pub simulate: bool,
    #[command(flatten)]
    pub target: TargetArgs,
    /// Run every cell, or those along the frontier between what passes and what fails, whatever the scenario says.
    #[arg(long, value_enum, value_name = "HOW")]
    pub search: Option<SearchKindArg>,
}

/// How a matrix is gone through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SearchKindArg {
    Grid,
    Frontier,
}

impl SearchKindArg {
    pub fn name(self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::Frontier => "frontier",
        }
    }
}

#[derive(Debug, Clone, Args)]
pub struct SweepArgs {
    #[command(flatten)]
    pub scenario: ScenarioArgs,
    /// The sweep's own folder, or a place in a bucket (`s3://BUCKET/PREFIX`, `gs://`, `az://`); one that holds the same scenario is gone on with
    /// [default: results/NAME-DATE-TIME].
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<ResultsAddress>,
    /// Take what is sealed in the folder or bucket of an earlier sweep of the same scenario: its runs are copied, and not done again.
    #[arg(long, value_name = "DIR")]
    pub from: Option<ResultsAddress>,
    /// Only one block of the sweep, by its number or name (`bench plan --blocks` lists them): into its own folder under DIR/blocks.
    #[arg(long, value_name = "BLOCK", requires = "output")]
    pub block: Option<String>,
    /// With `--block N` the block is the N-th of these, counted from 0: for schedulers whose index has no gaps.
    #[arg(long, value_name = "NUMBERS", requires = "block", value_delimiter = ',')]
    pub among: Vec<usize>,
    /// What `bench fit` wrote. It says where a search (`--search frontier`) looks first, and every verdict is measured; with `--simulate` the fitted engine
    /// is the one that runs, in place of the scenario's.
    #[arg(long, value_name = "FILE")]
    pub twin: Option<PathBuf>,
    #[command(flatten)]
    pub clients: ClientsArgs,
    /// Keep prompts and answers: `texts.jsonl` in each run's folder. Without it they are not saved anywhere.
    #[arg(long)]
    pub keep_text: bool,
    /// Exit with 0 once everything is measured, also where goals are missed or cells failed: for schedulers, to which any other code is a failure.
    #[arg(long)]
    pub exit_zero: bool,
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub format: OutputFormat,
}

#[derive(Debug, Clone, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    pub scenario: ScenarioArgs,
    /// The blocks that nodes of a cluster can measure side by side, instead of the runs.
    #[arg(long)]
    pub blocks: bool,
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub format: OutputFormat,
}

#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    pub scenario: ScenarioArgs,
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub format: OutputFormat,
}

#[derive(Debug, Clone, Args)]
pub struct SelftestArgs {
    /// Where it is kept [default: `$BENCH_SELFTEST`, or bench/selftest.json in `$XDG_STATE_HOME` or ~/.local/state].
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub format: OutputFormat,
}

/// For people or for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, Args)]
pub struct ReportArgs {
    /// Folders of saved sweeps, or their places in buckets.
    #[arg(required = true, value_name = "RESULTS")]
    pub results: Vec<ResultsAddress>,
    /// Judge by these goals instead of the scenario's. Repeatable.
    #[arg(long = "goal", value_name = "GOAL")]
    pub goals: Vec<String>,
    /// What is printed on stdout.
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    /// Where the report's files go [default: RESULTS/report].
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// What `bench fit` wrote: cells that were not measured are predicted by it, and called so wherever they are shown.
    #[arg(long, value_name = "FILE", conflicts_with = "watch")]
    pub twin: Option<PathBuf>,
    /// Open the page in the browser.
    #[arg(long)]
    pub open: bool,
    /// Follow a sweep that still runs: the page is written again whenever a run is sealed, and reloads itself.
    #[arg(long)]
    pub watch: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    Text,
    Markdown,
    Csv,
    Json,
    /// Metrics for a Pushgateway or a textfile collector.
    Openmetrics,
}

#[derive(Debug, Clone, Args)]
pub struct PlotArgs {
    /// The folder of a saved sweep, or its place in a bucket.
    #[arg(value_name = "RESULTS")]
    pub results: ResultsAddress,
    /// Kind of figure.
    #[arg(long, value_parser = figure_kinds(), default_value = PlotKind::Heatmap.form().name)]
    pub kind: FigureKind,
    /// The axis along the page, by name or dotted path, or `variant` [default: C, else the first numeric axis]; of a pareto a measure.
    #[arg(short, value_name = "AXIS")]
    pub x: Option<String>,
    /// The axis up the page, for a heatmap [default: S, else the next numeric axis, else the variants]; of a pareto a measure: `p95(ttft)`.
    #[arg(short, value_name = "AXIS")]
    pub y: Option<String>,
    /// What is shown, as in a goal: `p95(ttft where turn >= 1)`; for a distribution also `ttft where turn >= 1` [default: the first goal's
    /// measure].
    #[arg(short, value_name = "MEASURE")]
    pub z: Option<String>,
    /// The cells of a distribution or a timeline: `C=2,S=3`, or `S=3` for all that have it; repeatable [default: the last one of the matrix that
    /// has a result].
    #[arg(long, value_name = "CELL")]
    pub cell: Vec<String>,
    /// The run of a timeline, by the name of its folder [default: the chosen cell's first repeat].
    #[arg(long, value_name = "RUN", conflicts_with_all = ["cell", "variant"])]
    pub run: Option<String>,
    /// The limit drawn as a step line: `2s` [default: the first goal's, where its measure is the one shown].
    #[arg(long, value_name = "VALUE")]
    pub limit: Option<String>,
    /// Only this variant [default: a figure each].
    #[arg(long)]
    pub variant: Option<String>,
    /// The axis each of whose values gets a panel of one figure, by name or dotted path, or `variant`; of a heatmap,
    /// bars or a curve.
    #[arg(long, value_name = "AXIS")]
    pub facet: Option<String>,
    /// The figure's title [default: what is shown, in words].
    #[arg(long)]
    pub title: Option<String>,
    /// Leave intervals out of a curve, a pareto or a distribution.
    #[arg(long)]
    pub no_bands: bool,
    /// The file, ending in `.png` or `.svg`; `{variant}` stands for the variant's name.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}

/// Each kind of figure by its name.
fn figure_kinds() -> impl TypedValueParser<Value = FigureKind> {
    let offered = FigureKind::ALL.map(|kind| PossibleValue::new(kind.form().name).help(kind.form().help));
    let of_name = |name: String| FigureKind::ALL.into_iter().find(|kind| kind.form().name == name).ok_or("no kind of figure");
    PossibleValuesParser::new(offered).try_map(of_name)
}

#[derive(Debug, Clone, Args)]
pub struct SimArgs {
    /// Address to listen on; another than loopback must be said.
    #[arg(long, default_value = "127.0.0.1")]
    pub host: std::net::IpAddr,
    /// Port to listen on; 0 takes a free one, which is printed.
    #[arg(long, default_value_t = 8000)]
    pub port: u16,
    /// The model's name.
    #[arg(long, default_value = "simulated")]
    pub model: String,
    /// Preset of hardware and model figures.
    #[arg(long, default_value = "tiny")]
    pub preset: String,
    /// Change a field of the engine: `kv_memory=1GB`. Repeatable.
    #[arg(long = "set", value_name = "FIELD=VALUE")]
    pub set: Vec<String>,
}

#[derive(Debug, Clone, Args)]
pub struct CompletionsArgs {
    #[arg(value_enum)]
    pub shell: CompletionsFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CompletionsFormat {
    Bash,
    Zsh,
    Fish,
    Elvish,
    Powershell,
    /// The man page, as roff.
    Man,
}

#[derive(Debug, Clone, Subcommand)]
pub enum RunCommand {
    /// N users at a target rate, shared system prompt, own histories.
    Chat(ChatArgs),
    /// C×S: whole documents, then follow-up questions.
    DocumentQa(DocumentQaArgs),
    /// Single requests whose arrivals follow a process or a recorded trace.
    #[command(mut_arg("results", |results| results.visible_alias("output")))]
    Requests(Box<RequestsArgs>),
    /// A recorded file sent again: sessions of several turns, a trace, or your own prompts.
    #[command(mut_arg("results", |results| results.visible_alias("output")))]
    Sessions(Box<SessionsArgs>),
}

/// What all workloads need of their server.
#[derive(Debug, Clone, Args)]
pub struct ServerArgs {
    #[command(flatten)]
    pub target: TargetArgs,
    /// The model's `tokenizer.json`, for prompts of exactly the asked length.
    #[arg(long, value_name = "FILE")]
    pub tokenizer: Option<PathBuf>,
    /// Keep prompts and answers: `texts.jsonl` in the run's folder. Without it they are not saved anywhere.
    #[arg(long)]
    pub keep_text: bool,
    /// Seed of everything that is made up.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Run against the simulated engine, in virtual time.
    #[arg(long)]
    pub simulate: bool,
    /// A goal: `p95(ttft) <= 2s`. Repeatable.
    #[arg(long = "goal", value_name = "GOAL")]
    pub goals: Vec<String>,
    /// Change any field of the scenario that these flags make: `target.api=completions`. Repeatable.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// The run's own folder, or a place in a bucket [default: results/WORKLOAD-DATE-TIME].
    #[arg(short = 'o', long, value_name = "DIR")]
    pub results: Option<ResultsAddress>,
}

#[derive(Debug, Clone, Args)]
pub struct ChatArgs {
    /// Users present at once.
    #[arg(long, default_value_t = 10)]
    pub num_users: u32,
    /// Tokens of the system prompt that all users share.
    #[arg(long, default_value_t = 1000, value_name = "TOKENS")]
    pub shared_system_prompt: u64,
    /// Tokens of each user's own history.
    #[arg(long, default_value_t = 1000, value_name = "TOKENS")]
    pub user_history_prompt: u64,
    /// The most tokens of an answer.
    #[arg(long, default_value_t = 100, value_name = "TOKENS")]
    pub answer_len: u64,
    /// Turns of a user.
    #[arg(long, default_value_t = 5)]
    pub num_rounds: u32,
    /// Requests per second over all users.
    #[arg(long, default_value_t = 1.0)]
    pub qps: f64,
    /// How long turns are sent, in seconds.
    #[arg(long, default_value_t = 60.0, value_name = "SECONDS")]
    pub time: f64,
    /// Seconds between two blocks of the performance summary.
    #[arg(long, default_value_t = 30.0, value_name = "SECONDS")]
    pub log_interval: f64,
    /// A file of conversations instead of made-up text, in the ShareGPT layout or as `messages`.
    #[arg(long, value_name = "FILE")]
    pub sharegpt: Option<PathBuf>,
    /// Send the user's number as the header `x-user-id`.
    #[arg(long)]
    pub user_id_header: bool,
    /// The number of the first user.
    #[arg(long, default_value_t = 0)]
    pub first_user_id: u64,
    /// Also write a row per request to this CSV file, and the three text files beside it.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub server: ServerArgs,
}

#[derive(Debug, Clone, Args)]
pub struct DocumentQaArgs {
    /// C: groups in parallel; 1 where it is not said.
    #[arg(long, value_name = "C")]
    pub num_users_concurrent: Option<u32>,
    /// S: sessions of each group; 1 where it is not said.
    #[arg(long, value_name = "S")]
    pub num_users_sequential: Option<u32>,
    /// C, as the original script's second generation calls it.
    #[arg(short, long, value_name = "C", conflicts_with = "num_users_concurrent")]
    pub concurrent: Option<u32>,
    /// S, as the original script's second generation calls it.
    #[arg(short, long, value_name = "S", conflicts_with = "num_users_sequential")]
    pub session_depth: Option<u32>,
    /// Follow-up questions a session.
    #[arg(long, default_value_t = 3)]
    pub num_rounds: u32,
    /// The most tokens of an answer.
    #[arg(long, default_value_t = 512, value_name = "TOKENS")]
    pub answer_len: u64,
    /// A folder of documents; made-up ones without it.
    #[arg(long, value_name = "DIR")]
    pub src_dir: Option<PathBuf>,
    /// Tokens of a made-up document.
    #[arg(long, default_value_t = 8192, value_name = "TOKENS", conflicts_with = "src_dir")]
    pub document_tokens: u64,
    /// Also write the result to this JSON file, in the layout of the original script's generation whose flags are used: of the second with
    /// `--concurrent` or `--session-depth`, else of the first.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub server: ServerArgs,
}
