//! One request: a line of `journal.jsonl` and a row of `requests.parquet`.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::answer_hashes::AnswerHashes;
use crate::foundation::clock::Micros;

/// Which part of a run a request belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestPhase {
    /// Lays the histories of users met in mid-life into the server's cache, before time 0; never part of a metric.
    Prefill,
    /// Sent while the system comes into its steady state; not part of a metric.
    Warmup,
    /// What every metric is about.
    #[default]
    Measure,
}

impl RequestPhase {
    pub const ALL: [Self; 3] = [Self::Prefill, Self::Warmup, Self::Measure];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Prefill => "prefill",
            Self::Warmup => "warmup",
            Self::Measure => "measure",
        }
    }
}

/// Where token counts come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenSource {
    /// The server's `usage`.
    Usage,
    /// The run's token rule, applied to the text after the fact.
    TokenRule,
    /// Nobody told: counts are missing.
    #[default]
    Unknown,
}

impl TokenSource {
    pub const ALL: [Self; 3] = [Self::Usage, Self::TokenRule, Self::Unknown];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::TokenRule => "token_rule",
            Self::Unknown => "unknown",
        }
    }
}

/// How it is known how many tokens the first token-bearing event had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FirstEventSource {
    /// The server told with that event (continuous usage).
    Usage,
    /// There were as many events as tokens, or one event with all of them.
    Events,
    /// The run's token rule counted its text.
    TokenRule,
    /// Estimated: its share of the text of all events.
    TextShare,
}

impl FirstEventSource {
    pub const ALL: [Self; 4] = [Self::Usage, Self::Events, Self::TokenRule, Self::TextShare];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Events => "events",
            Self::TokenRule => "token_rule",
            Self::TextShare => "text_share",
        }
    }
}

/// Token counts as the server reported them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TokenUsage {
    pub prompt_tokens: u64,
    /// All that were generated, hidden reasoning included.
    pub output_tokens: u64,
    /// Those of them that are reasoning; `None` where the server does not tell.
    #[serde(default)]
    pub reasoning_tokens: Option<u64>,
    /// Prompt tokens that came from a cache; `None` where the server does not tell, which is not 0.
    pub cached_tokens: Option<u64>,
}

/// Why a request failed. Exactly one kind a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// No connection: refused, unreachable, no such host, or not within the limit.
    Connect,
    Tls,
    /// The server answered with a status other than 200.
    Http(u16),
    TimeoutFirstToken,
    TimeoutIdle,
    TimeoutTotal,
    /// The connection broke after the request had been sent: in most cases in the midst of the answer.
    ResetMidStream,
    /// Bytes that are no server-sent events, or events that are no JSON of the expected form.
    MalformedStream,
    /// An error object inside a stream that began with status 200.
    ErrorEvent,
    /// The stream ended in order and brought no token.
    NoToken,
    /// The stream closed with neither `[DONE]` nor a `finish_reason`, or what the API has in their place.
    Truncated,
    /// Stopped by us: Ctrl-C or the end of the run.
    Cancelled,
    /// Given up on purpose: its user left before the answer was over, as the scenario asked. No failure of the server.
    Left,
    /// Never sent: a turn that its history cannot do without had failed, so that the prompt would not have been the one that was asked for.
    NoHistory,
    /// Never sent: an earlier turn of its session had failed, and `on_error = "end_session"` ends a session with that.
    SessionEnded,
    /// What another program called a failure in words of its own: only in imported runs.
    Other,
}

impl FailureKind {
    /// The name in files and tables; `http_<status>` for a status.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Connect => "connect".into(),
            Self::Tls => "tls".into(),
            Self::Http(status) => format!("http_{status}"),
            Self::TimeoutFirstToken => "timeout_first_token".into(),
            Self::TimeoutIdle => "timeout_idle".into(),
            Self::TimeoutTotal => "timeout_total".into(),
            Self::ResetMidStream => "reset_mid_stream".into(),
            Self::MalformedStream => "malformed_stream".into(),
            Self::ErrorEvent => "error_event".into(),
            Self::NoToken => "no_token".into(),
            Self::Truncated => "truncated".into(),
            Self::Cancelled => "cancelled".into(),
            Self::Left => "left".into(),
            Self::NoHistory => "no_history".into(),
            Self::SessionEnded => "session_ended".into(),
            Self::Other => "other".into(),
        }
    }

    /// The kinds of requests that we did not send, or gave up.
    pub const UNSENT: [Self; 3] = [Self::Cancelled, Self::NoHistory, Self::SessionEnded];

    /// Whether a failure of this kind may be of a request that was never sent.
    #[must_use]
    pub fn may_be_unsent(self) -> bool {
        Self::UNSENT.contains(&self)
    }

    /// Whether it says that nobody served the request, whatever its prompt: there is no server, or not the one, the path or the key that is
    /// wanted. All others may be a server's answer to its load, or to one prompt.
    #[must_use]
    pub fn is_unserved(self) -> bool {
        match self {
            Self::Connect | Self::Tls | Self::Http(301 | 302 | 303 | 307 | 308 | 401 | 403 | 404 | 405) => true,
            Self::Http(_)
            | Self::TimeoutFirstToken
            | Self::TimeoutIdle
            | Self::TimeoutTotal
            | Self::ResetMidStream
            | Self::MalformedStream
            | Self::ErrorEvent
            | Self::NoToken
            | Self::Truncated
            | Self::Cancelled
            | Self::Left
            | Self::NoHistory
            | Self::SessionEnded
            | Self::Other => false,
        }
    }

    /// The kind of that name; `Other` for one that only a newer version knows.
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        Self::from_name(name).unwrap_or(Self::Other)
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "connect" => Self::Connect,
            "tls" => Self::Tls,
            "timeout_first_token" => Self::TimeoutFirstToken,
            "timeout_idle" => Self::TimeoutIdle,
            "timeout_total" => Self::TimeoutTotal,
            "reset_mid_stream" => Self::ResetMidStream,
            "malformed_stream" => Self::MalformedStream,
            "error_event" => Self::ErrorEvent,
            "no_token" => Self::NoToken,
            "truncated" => Self::Truncated,
            "cancelled" => Self::Cancelled,
            "left" => Self::Left,
            "no_history" => Self::NoHistory,
            "session_ended" => Self::SessionEnded,
            "other" => Self::Other,
            _ => Self::Http(name.strip_prefix("http_")?.parse().ok()?),
        })
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

/// By name, as tables and files list them.
impl Ord for FailureKind {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name().cmp(&other.name())
    }
}

impl PartialOrd for FailureKind {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Serialize for FailureKind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FailureKind {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::from_name(&name).ok_or_else(|| serde::de::Error::custom(format!("`{name}` is not a failure kind")))
    }
}

/// A failure with a sentence for people. The sentence holds no prompt, no answer and no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestFailure {
    pub kind: FailureKind,
    pub detail: String,
}

/// One request, successful or not. The default is a measured one at time 0 of which nothing is known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RequestRecord {
    /// Number in the order of sending within the run, from 0.
    pub request: u64,
    pub session: u64,
    /// The group (`document_qa`) or the user's place (`chat`); 0 for `requests`.
    pub lane: u32,
    /// From 0; turn 0 of `document_qa` carries the document.
    pub turn: u32,
    pub phase: RequestPhase,
    /// When the turn was due.
    pub intended_us: Micros,
    /// When the last byte of the request was handed to the kernel; equal to the moment of failure where it never was.
    pub sent_us: Micros,
    /// When the response's head came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers_us: Option<Micros>,
    /// When the first event of any kind came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_event_us: Option<Micros>,
    /// When the first event came that carries content, reasoning or a tool call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token_us: Option<Micros>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_token_us: Option<Micros>,
    /// When the request was over, in whatever way.
    pub done_us: Micros,
    /// Gaps between token-bearing events, in order: one fewer than there were events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps_us: Vec<u32>,
    /// Tokens in the first token-bearing event; needed for time per output token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_event_tokens: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_tokens: Option<u64>,
    /// Prompt tokens that came from a cache; missing where the server does not tell, which is not 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_tokens: Option<u64>,
    /// Streamed: answer, reasoning and tool calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    pub token_source: TokenSource,
    /// Requests in flight when this one was sent, itself included.
    pub in_flight: u32,
    /// Lanes that still had turns to send when this one was sent.
    pub live_lanes: u32,
    /// How long it took to open a connection for it, before `sent_us`; missing where one stood already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_us: Option<Micros>,
    /// When the first event came that carries a token of the answer: not of the reasoning before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_answer_us: Option<Micros>,
    /// How many events carried tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_events: Option<u64>,
    /// How many reads of the socket brought them; missing in virtual time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_reads: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_event_source: Option<FirstEventSource>,
    /// Those of the output tokens that are reasoning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_tokens: Option<u64>,
    /// Reasoning tokens that the server counted and never streamed: no part of the output tokens. Missing where it does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden_tokens: Option<u64>,
    /// So many tokens the answer was to have; missing where its length was not forced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forced_tokens: Option<u32>,
    /// The hash of its prompt's messages, below 2^53; only where a scenario asks for comparable answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_hash: Option<u64>,
    /// The hashes of its answer, reasoning left out; missing where it failed or nobody asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_hashes: Option<AnswerHashes>,
    /// Of several servers the one that it was sent to: its place in `target.urls`, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<u32>,
    /// How often it was sent; missing where it never was, and in virtual time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// Of several clients the one that sent it, by its rank from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<RequestFailure>,
}

impl RequestRecord {
    /// Whether it was sent at all: a turn that was not, for whatever reason, has a row and failed the moment it was "sent".
    pub fn was_sent(&self) -> bool {
        let is_unsent = self.failure.as_ref().is_some_and(|failure| failure.kind.may_be_unsent());
        !is_unsent || self.sent_us < self.done_us
    }

    /// The same on a clock that shows so much more.
    #[must_use]
    pub fn shifted(mut self, by_us: i64) -> Self {
        let shift = |at: &mut Micros| at.0 = at.0.saturating_add_signed(by_us);
        [&mut self.intended_us, &mut self.sent_us, &mut self.done_us].into_iter().for_each(shift);
        let stamps =
            [&mut self.headers_us, &mut self.first_event_us, &mut self.first_token_us, &mut self.last_token_us, &mut self.first_answer_us];
        stamps.into_iter().flatten().for_each(shift);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_kind_is_read_again_by_its_name() {
        use FailureKind as K;
        let kinds = [
            K::Connect,
            K::Tls,
            K::Http(503),
            K::TimeoutFirstToken,
            K::TimeoutIdle,
            K::TimeoutTotal,
            K::ResetMidStream,
            K::MalformedStream,
            K::ErrorEvent,
            K::NoToken,
            K::Truncated,
            K::Cancelled,
            K::Left,
            K::NoHistory,
            K::SessionEnded,
            K::Other,
        ];
        for kind in kinds {
            assert_eq!(K::from_name(&kind.name()), Some(kind));
        }
        assert_eq!(K::from_name("http_teapot"), None);
    }
}
