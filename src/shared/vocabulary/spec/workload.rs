//! What a scenario may say about its workload: the `[workload]` section, one struct a kind, defaults applied on reading.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use super::documents::{DocumentsSpec, SyntheticDocumentsSpec};
pub use super::leave::LeaveSpec;
use super::lengths::LengthDistribution;
pub use super::requests::{ArrivalPattern, RequestsSpec};
pub use super::sessions::SessionsSpec;
use crate::foundation::units::{Seconds, Tokens};

/// The `[workload]` section: `kind` chooses the struct.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WorkloadSpec {
    DocumentQa(DocumentQaSpec),
    Chat(ChatSpec),
    Requests(RequestsSpec),
    Sessions(SessionsSpec),
}

/// The kinds of workload, named as `workload.kind` names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WorkloadKind {
    DocumentQa,
    Chat,
    Requests,
    Sessions,
}

/// What is done with the struct of a kind of workload, whichever it is.
pub trait WorkloadKindVisitor {
    type Output;

    /// `whole` makes a workload of what was read as the kind's struct.
    fn visit<T: DeserializeOwned + JsonSchema>(self, whole: fn(T) -> WorkloadSpec) -> Self::Output;
}

impl WorkloadKind {
    pub const ALL: [Self; 4] = [Self::DocumentQa, Self::Chat, Self::Requests, Self::Sessions];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DocumentQa => "document_qa",
            Self::Chat => "chat",
            Self::Requests => "requests",
            Self::Sessions => "sessions",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Does something with the struct of this kind.
    pub fn visit<V: WorkloadKindVisitor>(self, visitor: V) -> V::Output {
        match self {
            Self::DocumentQa => visitor.visit(WorkloadSpec::DocumentQa),
            Self::Chat => visitor.visit(WorkloadSpec::Chat),
            Self::Requests => visitor.visit(WorkloadSpec::Requests),
            Self::Sessions => visitor.visit(WorkloadSpec::Sessions),
        }
    }
}

/// Who waits for whom while requests are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadLoop {
    /// A turn waits for the answer before it.
    Closed,
    /// The next request is sent by whichever of so many users is free: nothing else waits for an answer.
    UserPool { users: u32 },
    /// Nothing waits for an answer, but for a place where so many requests are in flight.
    Open { places: u32 },
}

/// Whose prompts have a head in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SharedPromptHead {
    /// The users of a chat share a system prompt.
    Users,
    /// The requests of a trace share prefixes.
    Trace,
    /// Single requests share a system prompt.
    Requests,
    /// What a user wrote or recorded may begin alike, or be the same again.
    Recording,
}

/// What all that rooms further down ask of a workload without caring which it is: a new kind answers here.
impl WorkloadSpec {
    /// Whether requests force the length of their answers, by fields that not every server takes.
    #[must_use]
    pub fn forces_length(&self) -> bool {
        match self {
            Self::DocumentQa(spec) => spec.answers == AnswerPolicy::ForcedLength,
            Self::Chat(spec) => spec.answers == AnswerPolicy::ForcedLength,
            // Nothing comes after the answer that could be scripted.
            Self::Requests(spec) => spec.answers != AnswerPolicy::Live,
            Self::Sessions(spec) => spec.answers == AnswerPolicy::ForcedLength,
        }
    }

    #[must_use]
    pub fn load_loop(&self) -> LoadLoop {
        match self {
            Self::DocumentQa(_) | Self::Chat(_) | Self::Sessions(_) => LoadLoop::Closed,
            Self::Requests(spec) => match spec.users() {
                Some(users) => LoadLoop::UserPool { users },
                None => LoadLoop::Open { places: spec.max_in_flight },
            },
        }
    }

    /// How many users there are at once; `None` where requests come by themselves.
    #[must_use]
    pub fn users(&self) -> Option<u32> {
        match self {
            Self::DocumentQa(spec) => Some(spec.concurrent),
            Self::Chat(spec) => Some(spec.users),
            Self::Requests(spec) => spec.users(),
            Self::Sessions(spec) => spec.concurrency,
        }
    }

    /// The most requests in flight at one moment, and the field that says so.
    #[must_use]
    pub fn most_in_flight(&self) -> (u64, &'static str) {
        match self {
            Self::DocumentQa(spec) => (spec.concurrent.into(), "concurrent"),
            Self::Chat(spec) => (spec.users.into(), "users"),
            Self::Requests(spec) => match spec.users() {
                Some(users) => (users.into(), "concurrency"),
                None => (spec.max_in_flight.into(), "max_in_flight"),
            },
            Self::Sessions(spec) => match spec.concurrency {
                Some(users) => (users.into(), "concurrency"),
                None => (spec.max_sessions.into(), "max_sessions"),
            },
        }
    }

    /// What happens to a session of which a request failed.
    #[must_use]
    pub fn on_error(&self) -> TurnErrorPolicy {
        match self {
            Self::DocumentQa(spec) => spec.on_error,
            Self::Chat(spec) => spec.on_error,
            Self::Sessions(spec) => spec.on_error,
            // A session has no turn behind the one that failed.
            Self::Requests(_) => TurnErrorPolicy::DropTurn,
        }
    }

    /// What stands as answers in the histories of later turns; `None` where no turn is a later one.
    #[must_use]
    pub fn history_answers(&self) -> Option<AnswerPolicy> {
        match self {
            Self::DocumentQa(spec) => Some(spec.answers).filter(|_| spec.rounds > 0),
            Self::Chat(spec) => Some(spec.answers),
            Self::Sessions(spec) => Some(spec.answers),
            Self::Requests(_) => None,
        }
    }

    /// Where sessions have a head of their prompts in common: what their first turns find in a cache then proves nothing. `None` where every
    /// session begins with a text of its own.
    #[must_use]
    pub fn shared_head(&self) -> Option<SharedPromptHead> {
        match self {
            Self::DocumentQa(_) => None,
            Self::Chat(_) => Some(SharedPromptHead::Users),
            Self::Sessions(_) => Some(SharedPromptHead::Recording),
            Self::Requests(spec) if spec.trace_file().is_some() => Some(SharedPromptHead::Trace),
            Self::Requests(spec) if spec.prompts.is_some() => Some(SharedPromptHead::Recording),
            Self::Requests(spec) => (spec.shared_prefix_tokens.0 > 0).then_some(SharedPromptHead::Requests),
        }
    }

    /// What is said of single requests, where that is what is sent.
    #[must_use]
    pub fn single_requests(&self) -> Option<&RequestsSpec> {
        match self {
            Self::Requests(spec) => Some(spec),
            Self::DocumentQa(_) | Self::Chat(_) | Self::Sessions(_) => None,
        }
    }

    /// Whether it is known before the start which of its requests will be measured: of users who ask as fast as they are answered, only where numbers
    /// say so.
    #[must_use]
    pub fn measures_known_requests(&self) -> bool {
        match self {
            Self::DocumentQa(_) | Self::Chat(_) => true,
            Self::Requests(spec) => spec.users().is_none() || (spec.duration.is_none() && spec.unmeasured().0 <= 0.0),
            // What follows an answer may come after any warm-up.
            Self::Sessions(spec) => spec.warmup.0 <= 0.0 && (spec.concurrency.is_none() || spec.duration.is_none()),
        }
    }

    /// How users leave before their answer is over, where some do.
    #[must_use]
    pub fn leave(&self) -> Option<LeaveSpec> {
        match self {
            Self::DocumentQa(_) => None,
            Self::Chat(spec) => spec.leave,
            Self::Requests(spec) => spec.leave,
            Self::Sessions(spec) => spec.leave,
        }
    }

    /// Whether requests carry the number of their user as a header.
    #[must_use]
    pub fn sends_user_header(&self) -> bool {
        matches!(self, Self::Chat(spec) if spec.user_header)
    }
}

/// C×S: C groups in parallel, each going round-robin through its S sessions; every session holds one whole document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentQaSpec {
    /// C: how many groups run in parallel, so the most requests in flight.
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    pub concurrent: u32,
    /// S: how many sessions each group goes through in turn.
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    pub sequential: u32,
    /// Follow-up questions per session; a session sends `rounds + 1` requests.
    #[serde(default = "three")]
    #[schemars(range(min = 1))]
    pub rounds: u32,
    /// The most tokens of an answer (the exact number where `answers = "forced_length"`), one for all or drawn from a distribution.
    #[serde(default = "document_answer")]
    pub answer_tokens: LengthDistribution,
    /// A folder of text files, or `{ synthetic_tokens = N }` for seeded text of exactly N tokens, different for every session.
    #[serde(default)]
    pub documents: DocumentsSpec,
    /// What to do where there are fewer documents than C×S sessions.
    #[serde(default)]
    pub reuse: DocumentReuse,
    /// A text file with one follow-up question a line, in order; the default ones are in `templates/questions.txt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub questions: Option<PathBuf>,
    /// What goes into the history as the server's answer.
    #[serde(default)]
    pub answers: AnswerPolicy,
    /// How the groups send their first request.
    #[serde(default)]
    pub start: GroupStart,
    /// From when on groups ask their follow-up questions.
    #[serde(default)]
    pub follow_ups: FollowUpStart,
    /// What happens to a session of which a request failed.
    #[serde(default)]
    pub on_error: TurnErrorPolicy,
}

impl DocumentQaSpec {
    /// C×S: the sessions of a run, each with a document of its own.
    #[must_use]
    pub fn sessions(&self) -> u64 {
        u64::from(self.concurrent) * u64::from(self.sequential)
    }
}

/// N users at a target rate; a shared system prompt, own histories.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChatSpec {
    /// N: users present at once.
    #[serde(default = "ten")]
    #[schemars(range(min = 1))]
    pub users: u32,
    /// Requests per second over all users; each user sends a turn every `users / qps` seconds.
    #[serde(default = "one_per_second")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub qps: f64,
    /// Turns of a user, after which a new user takes its place.
    #[serde(default = "five")]
    #[schemars(range(min = 1))]
    pub rounds: u32,
    /// Length of the system prompt, the same for all users byte for byte.
    #[serde(default = "thousand")]
    pub system_prompt_tokens: Tokens,
    /// Length of the text that stands in each user's own history before the first turn.
    #[serde(default = "thousand")]
    pub history_tokens: Tokens,
    /// Length of each question.
    #[serde(default = "question")]
    #[schemars(extend("minimum" = 1))]
    pub question_tokens: Tokens,
    /// The most tokens of an answer (the exact number where `answers = "forced_length"`), one for all or drawn from a distribution.
    #[serde(default = "chat_answer")]
    pub answer_tokens: LengthDistribution,
    /// How long turns are sent, warm-up included; what is in flight then is awaited.
    #[serde(default = "minute")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub duration: Seconds,
    /// The first part of `duration`, whose turns are marked as warm-up and left out of every metric.
    #[serde(default = "no_time")]
    pub warmup: Seconds,
    /// How often a block goes into `performance_summary_qps_X.XX.txt`.
    #[serde(default = "half_minute")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub log_interval: Seconds,
    /// Whether a user who is late holds its place.
    #[serde(default)]
    pub population: UserPopulation,
    /// Where the texts come from.
    #[serde(default)]
    pub dataset: ChatDataset,
    /// What goes into the history as the server's answer.
    #[serde(default)]
    pub answers: AnswerPolicy,
    /// A share of requests whose users leave before the answer is over: the connection is closed, and the row says so (`left`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leave: Option<LeaveSpec>,
    /// What happens to a session of which a request failed.
    #[serde(default)]
    pub on_error: TurnErrorPolicy,
    /// Sends the user's number as the header `x-user-id`.
    #[serde(default)]
    pub user_header: bool,
    /// The number of the first user; another one moves to fresh texts, so to a fresh part of the server's cache.
    #[serde(default)]
    pub first_user_id: u64,
}

impl ChatSpec {
    /// The most conversations that are taken of a file, of which a few bytes each are held in memory.
    pub const MOST_CONVERSATIONS: u64 = 1_000_000;
}

/// What to do where there are fewer documents than sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DocumentReuse {
    /// The scenario is refused: sessions with equal documents would share a cache.
    #[default]
    Refuse,
    /// A document used again gets a different first line, so that no prefix is shared.
    Salted,
}

/// What goes into the history as the server's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnswerPolicy {
    /// The server's own words.
    #[default]
    Live,
    /// Seeded text of `answer_tokens` tokens, so that every variant sees equal prompts.
    Scripted,
    /// The server's own words, made exactly `answer_tokens` long by `min_tokens` and `ignore_eos`.
    ForcedLength,
}

/// How the groups of `document_qa` send their first request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupStart {
    /// A group starts when the one before it has its first token: no convoy at the start.
    #[default]
    Staggered,
    /// All groups start at once, as in the published benchmark.
    Burst,
}

/// From when on the groups of `document_qa` ask their follow-up questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FollowUpStart {
    /// When every session of every group has had its first answer, or has failed to get one: no follow-up waits behind another group's document.
    #[default]
    AllAnswered,
    /// Each group as soon as its own sessions have had theirs, as in the published benchmark.
    Original,
}

/// What happens to a session of which a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TurnErrorPolicy {
    /// The failed turn leaves the history as if it had not been asked; the session goes on with the next one, unless that lacks its document.
    #[default]
    DropTurn,
    /// The session sends nothing more; its further turns count as failed.
    EndSession,
}

/// Whether the number of users is a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserPopulation {
    /// At most `users` at once: who comes while all places are taken waits, and the wait is measured.
    #[default]
    Capped,
    /// Users join on schedule even while earlier ones are late.
    Open,
}

/// Where the texts of a chat come from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChatDataset {
    /// Seeded text of exactly the asked lengths.
    #[default]
    Synthetic,
    /// A file of conversations, in the ShareGPT layout or as `messages`; those with too few rounds are left out.
    Sharegpt(PathBuf),
}

fn one() -> u32 {
    1
}
fn three() -> u32 {
    3
}
fn five() -> u32 {
    5
}
fn ten() -> u32 {
    10
}
pub(super) fn one_per_second() -> f64 {
    1.0
}
fn document_answer() -> LengthDistribution {
    LengthDistribution::Fixed(Tokens(512))
}
fn chat_answer() -> LengthDistribution {
    LengthDistribution::Fixed(Tokens(100))
}
fn question() -> Tokens {
    Tokens(32)
}
fn thousand() -> Tokens {
    Tokens(1000)
}
fn minute() -> Seconds {
    Seconds(60.0)
}
fn half_minute() -> Seconds {
    Seconds(30.0)
}
pub(super) fn no_time() -> Seconds {
    Seconds(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_in_the_list_and_read_by_its_name() {
        let schema = schemars::schema_for!(WorkloadSpec).to_value();
        assert_eq!(schema["oneOf"].as_array().map(Vec::len), Some(WorkloadKind::ALL.len()), "{schema}");
        for kind in WorkloadKind::ALL {
            assert_eq!(WorkloadKind::from_name(kind.name()), Some(kind));
            let mut least = serde_json::json!({"kind": kind.name()});
            if kind == WorkloadKind::Sessions {
                least["sessions"] = "sessions.jsonl".into();
            }
            let least: WorkloadSpec = serde_json::from_value(least).unwrap();
            assert_eq!(serde_json::to_value(&least).unwrap()["kind"], kind.name());
        }
    }
}
