//! Files of other programs as an ordinary saved sweep: their texts in, a manifest, run records and requests out.
//!
//! What a file is, is told by its content alone. What it does not tell is said in the manifest's `imported` and never made up; a request
//! that brought no token is a failure, whatever number the file gives it. All faults of all files come at once, before anything is
//! written. Must not know terminals, nor how anything is judged; prompts and answers in the files are not kept.

mod aiperf;
mod chat_csv;
mod csv_table;
mod cxs;
mod error;
mod genai_bench;
mod guidellm;
mod inference_perf;
mod json;
mod llmperf;
mod reading;
mod row;
mod signature;
mod sweep;
mod vllm_serve;

use crate::vocabulary::goal::Goal;
use crate::vocabulary::metric::Metric;

pub use error::ImportError;
pub use reading::ImportFile;
use reading::ParsedRun;
pub use sweep::{ImportOptions, ImportedRun, ImportedSweep, import};

/// The programs whose files can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceProgram {
    /// The script of the capacity benchmark, in both of its generations, and what `bench run document-qa --output` writes.
    CxsScript,
    /// The generator of chats at a target rate.
    ChatGenerator,
    /// `summary.csv` of a chat run of `bench`.
    ChatSummary,
    /// `vllm bench serve --save-result --save-detailed`.
    VllmServe,
    /// `vllm bench sweep` with `--save-detailed` in its command.
    VllmSweep,
    /// SGLang's `bench_serving --output-details`.
    SglangServing,
    /// `profile_export.jsonl` of `aiperf profile`.
    AiperfRecords,
    /// `benchmarks.json` of `guidellm benchmark`.
    Guidellm,
    /// A run's file of genai-bench.
    GenaiBench,
    /// `..._individual_responses.json` of llmperf.
    Llmperf,
    /// `per_request_lifecycle_metrics.json` of inference-perf.
    InferencePerf,
}

impl SourceProgram {
    /// What a text is, by its content, or what was looked for in it.
    fn of(text: &str) -> Result<Self, String> {
        if text.trim_start().starts_with(['{', '[']) { signature::program(text) } else { chat_csv::program(text) }
    }

    /// The runs of a file, in its order.
    fn read(self, source: &ImportFile) -> Result<Vec<ParsedRun>, Vec<String>> {
        let one = |run: ParsedRun| vec![run];
        match self {
            Self::CxsScript => cxs::read(source).map(one),
            Self::ChatGenerator => chat_csv::read_generator(source).map(one),
            Self::ChatSummary => chat_csv::read_summary(source).map(one),
            Self::VllmServe | Self::VllmSweep | Self::SglangServing => vllm_serve::read(source, self),
            Self::AiperfRecords => aiperf::read(source).map(one),
            Self::Guidellm => guidellm::read(source),
            Self::GenaiBench => genai_bench::read(source).map(one),
            Self::Llmperf => llmperf::read(source).map(one),
            Self::InferencePerf => inference_perf::read(source).map(one),
        }
    }

    /// As it stands in a sentence: imported from ...
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::CxsScript => "the original C×S script",
            Self::ChatGenerator => "the original chat generator",
            Self::ChatSummary => "summary.csv of a chat run",
            Self::VllmServe => "vllm bench serve",
            Self::VllmSweep => "vllm bench sweep",
            Self::SglangServing => "SGLang's bench_serving",
            Self::AiperfRecords => "AIPerf",
            Self::Guidellm => "guidellm",
            Self::GenaiBench => "genai-bench",
            Self::Llmperf => "llmperf",
            Self::InferencePerf => "inference-perf",
        }
    }

    /// The goal that its own analysis judges by, where it has one.
    #[must_use]
    pub fn goal(self) -> Option<Goal> {
        use crate::vocabulary::goal::{Aggregate, ComparisonOperator, Measure, RowCondition};
        let measure = Measure { aggregate: Aggregate::Percentile(95.0, Metric::Ttft), filter: vec![RowCondition::FOLLOW_UPS] };
        (self == Self::CxsScript).then_some(Goal { measure, comparison: ComparisonOperator::LessOrEqual, limit: 2.0 })
    }

    /// What none of its files tells.
    fn lacks(self) -> &'static [&'static str] {
        match self {
            Self::CxsScript => cxs::LACKS,
            Self::ChatGenerator => chat_csv::GENERATOR_LACKS,
            Self::ChatSummary => chat_csv::SUMMARY_LACKS,
            Self::VllmServe | Self::VllmSweep | Self::SglangServing => vllm_serve::LACKS,
            Self::AiperfRecords => aiperf::LACKS,
            Self::Guidellm => guidellm::LACKS,
            Self::GenaiBench => genai_bench::LACKS,
            Self::Llmperf => llmperf::LACKS,
            Self::InferencePerf => inference_perf::LACKS,
        }
    }
}
