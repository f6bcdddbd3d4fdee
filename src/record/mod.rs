//! The disk contract: what is saved of a request, a run and a sweep. Serde types only; `docs/results-format.md` is their specification.
//!
//! Both halves of the program know these types and nothing else of each other. Times are microseconds on the run's clock.

mod contract;
mod curtailed;
mod manifest;
mod request;
mod run;
mod sample;
mod text;
mod version;

pub use contract::{CACHED_SHARE, CacheContract, FirstTurnTokens, OPENING_TOKENS, PromptSalt, TEMPLATE_TOKENS};
pub use curtailed::{Certainty, Curtailed, Settled};
pub use manifest::{Client, ClientCeilings, Imported, Manifest, PlannedRun, Searched};
pub use request::{Failure, FailureKind, FirstEventSource, Phase, RequestRecord, TokenSource, Usage};
pub use run::{ClientHonesty, Connections, Counts, Outcome, RunHeader, RunRecord, ServerFacts, StampSource, TokenRule};
pub use sample::{SampleKind, ServerSample, SharedTexts, label, labels_text};
pub use text::{RequestText, SaidMessage, SaidText};
pub use version::FormatVersion;
