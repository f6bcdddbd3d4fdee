//! The flags of `bench prepare`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

use super::OutputFormat;
use crate::foundation::units::{Bytes, Seconds, TimeUnit};
use crate::workloads::prepare::{BookIds, LengthBuckets};

#[derive(Debug, Clone, Subcommand)]
pub enum PrepareCommand {
    /// Documents cut to exact numbers of tokens, in a folder a length, from your own texts or from Project Gutenberg.
    Documents(PrepareDocumentsArgs),
    /// A small file of conversations that fit, out of a large one in the public ShareGPT layout.
    Sharegpt(PrepareSharegptArgs),
    /// Check a recorded trace, and show its figures.
    Trace(PrepareTraceArgs),
}

/// Who counts the tokens: the served model's tokenizer, as a file, from a hub, or of a running server.
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("counter").required(true).args(["tokenizer", "hub", "url"]))]
pub struct TokenizerArgs {
    /// The model's `tokenizer.json`.
    #[arg(long, value_name = "FILE")]
    pub tokenizer: Option<PathBuf>,
    /// Fetch the `tokenizer.json` of this model from the hub; `HF_TOKEN` is used where it is set.
    #[arg(long, value_name = "OWNER/MODEL")]
    pub hub: Option<String>,
    /// The hub's base URL.
    #[arg(long, value_name = "URL", default_value = "https://huggingface.co", requires = "hub")]
    pub hub_url: String,
    /// Branch, tag or commit on the hub.
    #[arg(long, value_name = "NAME", default_value = "main", requires = "hub")]
    pub revision: String,
    /// Ask this server's `/tokenize`.
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// The model's name as that server knows it.
    #[arg(long, value_name = "NAME", default_value = "default", requires = "url")]
    pub model: String,
    /// Environment variable that holds that server's API key.
    #[arg(long, value_name = "NAME", requires = "url")]
    pub api_key_env: Option<String>,
}

#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("source").required(true).args(["folder", "gutenberg"]))]
pub struct PrepareDocumentsArgs {
    /// Take all `*.txt` files of this folder and the folders in it.
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// Fetch these books of Project Gutenberg: `1342`, `1..=100`, `1..=100,1342`.
    #[arg(long, value_name = "IDS")]
    pub gutenberg: Option<BookIds>,
    /// Base URL to fetch books from.
    #[arg(long, value_name = "URL", default_value = "https://www.gutenberg.org", requires = "gutenberg")]
    pub mirror: String,
    /// Time between two requests to the mirror.
    #[arg(long, value_name = "DURATION", default_value = "2s", requires = "gutenberg")]
    pub pause: Seconds,
    #[command(flatten)]
    pub counter: TokenizerArgs,
    /// Lengths in tokens; a document goes into the largest one below its own.
    #[arg(long, value_name = "SIZES", default_value_t)]
    pub buckets: LengthBuckets,
    /// Cut a long document for every smaller length too.
    #[arg(long)]
    pub all_buckets: bool,
    /// The most documents of a length.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Leave larger files out.
    #[arg(long, value_name = "BYTES", default_value = "64MiB")]
    pub max_bytes: Bytes,
    /// Where the documents go: a folder a length, and `manifest.json`; one that holds some already is gone on with.
    #[arg(short, long, value_name = "DIR", default_value = "data")]
    pub output: PathBuf,
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub format: OutputFormat,
}

#[derive(Debug, Clone, Args)]
pub struct PrepareSharegptArgs {
    /// The file of conversations; it may be larger than the memory.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    #[command(flatten)]
    pub counter: TokenizerArgs,
    /// Keep exactly so many rounds of question and answer; leave conversations with fewer out [default: all there are].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: Option<u32>,
    /// Stop once so many conversations are kept.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_conversations: Option<u64>,
    /// Leave conversations out of which a message has fewer tokens.
    #[arg(long, value_name = "TOKENS", default_value_t = 1)]
    pub min_tokens: u64,
    /// Leave conversations out whose messages together have more tokens.
    #[arg(long, value_name = "TOKENS")]
    pub max_context: Option<crate::foundation::units::Tokens>,
    /// The file to write; its manifest goes beside it.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub format: OutputFormat,
}

#[derive(Debug, Clone, Args)]
pub struct PrepareTraceArgs {
    /// The trace: one JSON object a line, or a table of the public Azure or `BurstGPT` layout.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The unit of its times: `us`, `ms` or `s`. Without it they are in the unit of the layout, and times that look like another unit are an error.
    #[arg(long, value_name = "UNIT")]
    pub trace_unit: Option<TimeUnit>,
    /// Tokens that a hash id stands for [default: 512; 16 where rows have `chat_id`].
    #[arg(long, value_name = "TOKENS", value_parser = clap::value_parser!(u64).range(1..))]
    pub block_tokens: Option<u64>,
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub format: OutputFormat,
}
