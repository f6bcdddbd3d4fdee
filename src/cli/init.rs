//! What can be typed behind `bench init`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Clone, Args)]
pub struct InitArgs {
    /// Base URL of the server, with or without `/v1`.
    #[arg(long, value_name = "URL")]
    pub url: String,
    /// The scenario's file; one that exists is left alone.
    #[arg(short, long, value_name = "FILE", default_value = "scenario.toml")]
    pub output: PathBuf,
    /// Overwrite the file.
    #[arg(long)]
    pub force: bool,
    /// What is sent.
    #[arg(long, value_enum, default_value_t = InitWorkload::Requests)]
    pub workload: InitWorkload,
    /// The model's name as the server knows it [default: the first that the server lists].
    #[arg(long)]
    pub model: Option<String>,
    /// Environment variable that holds the API key.
    #[arg(long, value_name = "NAME")]
    pub api_key_env: Option<String>,
    /// A goal instead of the usual one: `p95(ttft) <= 2s`. Repeatable.
    #[arg(long = "goal", value_name = "GOAL")]
    pub goals: Vec<String>,
}

/// Which workload a new scenario has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InitWorkload {
    /// Single requests by N users, each of whom waits for its answer: the largest N.
    Requests,
    /// Conversations of several turns at a rate: the largest rate.
    Chat,
    /// Whole documents and follow-up questions, C groups of S sessions: the largest C×S.
    #[value(name = "document_qa", alias = "document-qa")]
    DocumentQa,
}
