//! Which engine answers: by what `/v1/models` says of the owner, and by the prefixes of its metrics.

use crate::servers::server::PrometheusSample;

/// An engine whose pages and cache controls are known by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerEngine {
    Vllm,
    Sglang,
    LlamaCpp,
    TextGenerationInference,
    Dynamo,
    /// `bench sim`.
    Simulated,
}

impl ServerEngine {
    /// As people call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Vllm => "vLLM",
            Self::Sglang => "SGLang",
            Self::LlamaCpp => "llama.cpp",
            Self::TextGenerationInference => "text-generation-inference",
            Self::Dynamo => "Dynamo",
            Self::Simulated => "the simulated engine",
        }
    }

    /// By the owner of its models.
    pub(super) fn of_owner(owner: &str) -> Option<Self> {
        match owner {
            "vllm" => Some(Self::Vllm),
            "sglang" => Some(Self::Sglang),
            "llamacpp" => Some(Self::LlamaCpp),
            "bench" => Some(Self::Simulated),
            _ => None,
        }
    }

    /// By its metrics. A frontend in front of workers stands before them, since its page may hold theirs as well.
    pub(super) fn of_metrics(samples: &[PrometheusSample]) -> Option<Self> {
        let prefixes = [
            ("dynamo_", Self::Dynamo),
            ("vllm:", Self::Vllm),
            ("sglang:", Self::Sglang),
            ("llamacpp:", Self::LlamaCpp),
            ("tgi_", Self::TextGenerationInference),
        ];
        let holds = |prefix: &str| samples.iter().any(|sample| sample.name.starts_with(prefix));
        prefixes.into_iter().find(|(prefix, _)| holds(prefix)).map(|(_, engine)| engine)
    }

    /// Pages that tell its version and its context, where `/version` and `/v1/models` do not; the first that answers is taken.
    pub(super) fn info_paths(self) -> &'static [&'static str] {
        match self {
            Self::Sglang => &["/server_info", "/get_server_info"],
            Self::LlamaCpp => &["/props"],
            Self::TextGenerationInference => &["/info"],
            Self::Vllm | Self::Dynamo | Self::Simulated => &[],
        }
    }

    /// How it is started so that its caches can be emptied from outside, where it was not.
    #[must_use]
    pub fn reset_advice(self) -> Option<&'static str> {
        match self {
            Self::Vllm => Some("vLLM that is started with VLLM_SERVER_DEV_MODE=1 opens /reset_prefix_cache"),
            Self::Sglang | Self::LlamaCpp | Self::TextGenerationInference | Self::Dynamo | Self::Simulated => None,
        }
    }

    /// How it is started so that it has a page of metrics, where it was not.
    #[must_use]
    pub fn metrics_advice(self) -> Option<&'static str> {
        match self {
            Self::Sglang => Some("SGLang has a page of metrics with --enable-metrics"),
            Self::LlamaCpp => Some("llama.cpp has a page of metrics with --metrics"),
            Self::Vllm | Self::TextGenerationInference | Self::Dynamo | Self::Simulated => None,
        }
    }
}
