//! What can be typed behind `bench init`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Clone, Args)]
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
    /// The API that is measured [default: that of the URL's endpoint, else the first of chat, responses, messages and completions that the server has].
    #[arg(long, value_enum)]
    pub api: Option<InitApi>,
    /// Environment variable that holds the API key.
    #[arg(long, value_name = "NAME")]
    pub api_key_env: Option<String>,
    /// A further header of every request, as it then stands in the scenario: `--header 'X-Tenant: ${TENANT}'` takes its value from the
    /// environment. Repeatable.
    #[arg(long = "header", value_name = "NAME: VALUE")]
    pub headers: Vec<String>,
    /// A file of certificates (PEM) that are trusted beside the system's.
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// A file with the certificate (PEM) by which the client says who it is; with `--client-key`.
    #[arg(long, value_name = "FILE", requires = "client_key")]
    pub client_certificate: Option<PathBuf>,
    /// A file with that certificate's private key (PEM).
    #[arg(long, value_name = "FILE", requires = "client_certificate")]
    pub client_key: Option<PathBuf>,
    /// Take any certificate, so that nobody knows who answers.
    #[arg(long)]
    pub insecure: bool,
    /// A goal instead of the usual one: `p95(ttft) <= 2s`. Repeatable.
    #[arg(long = "goal", value_name = "GOAL")]
    pub goals: Vec<String>,
}

/// Shows no header.
impl std::fmt::Debug for InitArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InitArgs").field("url", &self.url).field("output", &self.output).finish_non_exhaustive()
    }
}

/// Which API a new scenario measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InitApi {
    /// OpenAI's `/v1/chat/completions`.
    Chat,
    /// OpenAI's `/v1/completions`.
    Completions,
    /// OpenAI's `/v1/responses`.
    Responses,
    /// Anthropic's `/v1/messages`.
    Messages,
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
