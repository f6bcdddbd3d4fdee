//! `bench run sessions`: what can be typed of recorded sessions.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::ServerArgs;
use crate::foundation::units::TimeUnit;
use crate::vocabulary::spec::lengths::LengthDistribution;

#[derive(Debug, Clone, Args)]
pub struct SessionsArgs {
    /// JSON rows: conversations (`messages`, or the ShareGPT layout), turns with `session_id`, chats with `parent_chat_id`, a trace, or own prompts
    /// (`prompt` or `text`).
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Users, each of whom begins the next session as soon as its previous one is over [default: sessions begin at their recorded times].
    #[arg(long, value_name = "USERS", conflicts_with = "max_sessions")]
    pub concurrency: Option<u32>,
    /// The most sessions at once where they begin at their recorded times [default: 1000].
    #[arg(long, value_name = "NUMBER")]
    pub max_sessions: Option<u32>,
    /// Recorded times and delays are divided by this.
    #[arg(long, value_name = "FACTOR")]
    pub speed_up: Option<f64>,
    /// No recorded delay between two turns is longer: `30s`.
    #[arg(long, value_name = "DURATION")]
    pub max_delay: Option<String>,
    /// The unit of times and delays: `us`, `ms` or `s` [default: that of the layout].
    #[arg(long, value_name = "UNIT")]
    pub time_unit: Option<TimeUnit>,
    /// How many tokens a hash id stands for [default: 512; 16 where rows have `chat_id`].
    #[arg(long, value_name = "TOKENS")]
    pub block_tokens: Option<u64>,
    /// How many sessions are sent, the first ones of the file.
    #[arg(long, value_name = "NUMBER")]
    pub count: Option<u64>,
    /// No session begins from this time on: `5m`.
    #[arg(long, value_name = "DURATION")]
    pub duration: Option<String>,
    /// What goes into the history as the server's answer.
    #[arg(long, value_enum, default_value_t = HistoryAnswers::Live)]
    pub answers: HistoryAnswers,
    /// Tokens of an answer of which the file tells no length: `100`, `uniform(50..200)`.
    #[arg(long, default_value = "100", value_name = "TOKENS")]
    pub answer_tokens: LengthDistribution,
    #[command(flatten)]
    pub server: ServerArgs,
}

/// What goes into the history as the server's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HistoryAnswers {
    /// The server's own words.
    Live,
    /// The recorded words, so that every server sees equal prompts.
    Scripted,
    /// The server's own words, exactly as many as were recorded.
    ForcedLength,
}

impl HistoryAnswers {
    pub fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Scripted => "scripted",
            Self::ForcedLength => "forced_length",
        }
    }
}
