//! The disk contract: what is saved of a request, a run and a sweep. Serde types only; `docs/results-format.md` is their specification.
//!
//! Both halves of the program know these types and nothing else of each other. Times are microseconds on the run's clock.

mod answer_hashes;
mod axis_object;
mod block;
mod cache_check;
mod cache_evidence;
mod canary_finding;
mod clock_offset;
mod early_stop;
mod first_turn_finding;
mod invalid_run_reason;
mod load_client;
mod manifest;
mod request;
mod request_values;
mod run;
mod run_failure;
mod run_id;
mod sample;
mod saved_cell;
mod text;
mod version;
mod work;

pub use answer_hashes::{AnswerHashes, AnswerHashesError, prompt_hash};
pub use block::{BlockEnd, BlockPlan, BlockState, MergedBlock, NodeIdentity, PlannedBlock};
pub use cache_check::{CACHED_SHARE, CacheCheck, FirstTurnTokens, OPENING_TOKENS, PromptSalt, TEMPLATE_TOKENS};
pub use cache_evidence::{CacheEvidence, CacheResetMethod};
pub use canary_finding::{CanaryFinding, CanaryReading, CanarySignal, CanarySite, InconclusiveCanary};
pub use clock_offset::ClockOffset;
pub use early_stop::{DecidedGoal, EarlyStopCertainty, EarlyStopReason};
pub use first_turn_finding::{FirstTurnFinding, InconclusiveTurns};
pub use invalid_run_reason::InvalidRunReason;
pub use load_client::LoadClient;
pub use manifest::{ClientCapacity, ClientEnvironment, FrontierSweep, ImportOrigin, Manifest, PlannedRun};
pub use request::{FailureKind, FirstEventSource, RequestFailure, RequestPhase, RequestRecord, TokenSource, TokenUsage};
pub use run::{ClientHealth, ConnectionCounts, RequestCounts, RunHeader, RunOutcome, RunRecord, ServerFacts, StampSource, TokenRule};
pub use run_failure::{LogExcerpt, RunFailure, RunFailureCause};
pub use run_id::plain_run_id;
pub use sample::{SampleKind, ServerSample, TextInterner, label, labels_text};
pub use saved_cell::{CellFieldDifference, SavedCellSpec};
pub use text::{RecordedMessage, RecordedText, RequestText};
pub use version::FormatVersion;
pub use work::{ChatWork, DocumentQaWork, RunWork, RunWorkKind};
