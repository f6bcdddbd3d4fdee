//! The vocabulary of what is measured per request: a metric's name and its formula, from which its unit and its direction follow. Definitions:
//! `docs/metrics.md`. In: times between stamps and token counts, from whoever holds a request; out: a value. Must not know rows, files nor goals.

mod unit;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use unit::{DisplayUnit, MeasureUnit};

/// An enum whose `ALL` holds each of its variants, in their order.
macro_rules! enumerated {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$words:meta])* $variant:ident,)+ }) => {
        $(#[$meta])*
        pub enum $name {
            $($(#[$words])* $variant,)+
        }

        impl $name {
            pub const ALL: [Self; [$(stringify!($variant)),+].len()] = [$(Self::$variant),+];
        }
    };
}

enumerated! {
    /// What can be measured of a request.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Metric {
        /// Time to first token: first token-bearing event - sent.
        Ttft,
        /// Time to first answer token: first event with a token of the answer, not of the reasoning before it - sent.
        Ttfat,
        /// First token-bearing event - intended: free of coordinated omission.
        TtftIntended,
        /// Time to first event of any kind: what tools that count the role-only chunk publish as time to first token.
        Ttfe,
        /// Last token-bearing event - sent.
        E2e,
        /// Time per output token after the first event.
        Tpot,
        /// Gaps between token-bearing events, pooled over requests.
        Itl,
        /// Output tokens per second of a request.
        OutputTps,
        /// Sent - intended: the client's own lateness and the wait for an answer that was still streaming.
        SendLag,
    }
}

/// A moment of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestStamp {
    Intended,
    Sent,
    FirstEvent,
    FirstToken,
    FirstAnswer,
    LastToken,
}

/// How a metric follows from a request's stamps and token counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricFormula {
    /// The time from one stamp to another.
    Span { from: RequestStamp, to: RequestStamp },
    /// That time over the output tokens after the first event, which has one where nobody tells.
    SpanPerToken { from: RequestStamp, to: RequestStamp },
    /// All output tokens over that time.
    TokensPerSpan { from: RequestStamp, to: RequestStamp },
    /// The times between token-bearing events: as many values as a request has gaps, and none of it as a whole.
    TokenGaps,
}

/// Which direction is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricDirection {
    Lower,
    Higher,
}

impl Metric {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ttft => "ttft",
            Self::Ttfat => "ttfat",
            Self::TtftIntended => "ttft_intended",
            Self::Ttfe => "ttfe",
            Self::E2e => "e2e",
            Self::Tpot => "tpot",
            Self::Itl => "itl",
            Self::OutputTps => "output_tps",
            Self::SendLag => "send_lag",
        }
    }

    /// As titles and axes say it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Ttft => "time to first token",
            Self::Ttfat => "time to first answer token",
            Self::TtftIntended => "time from when it was due to first token",
            Self::Ttfe => "time to first event",
            Self::E2e => "time to last token",
            Self::Tpot => "time per output token",
            Self::Itl => "time between tokens",
            Self::OutputTps => "output tokens per second of a request",
            Self::SendLag => "send lag",
        }
    }

    #[must_use]
    pub fn formula(self) -> MetricFormula {
        use RequestStamp::{FirstAnswer, FirstEvent, FirstToken, Intended, LastToken, Sent};
        match self {
            Self::Ttft => MetricFormula::Span { from: Sent, to: FirstToken },
            Self::Ttfat => MetricFormula::Span { from: Sent, to: FirstAnswer },
            Self::TtftIntended => MetricFormula::Span { from: Intended, to: FirstToken },
            Self::Ttfe => MetricFormula::Span { from: Sent, to: FirstEvent },
            Self::E2e => MetricFormula::Span { from: Sent, to: LastToken },
            Self::Tpot => MetricFormula::SpanPerToken { from: FirstToken, to: LastToken },
            Self::Itl => MetricFormula::TokenGaps,
            Self::OutputTps => MetricFormula::TokensPerSpan { from: Sent, to: LastToken },
            Self::SendLag => MetricFormula::Span { from: Intended, to: Sent },
        }
    }

    /// The unit of a value as it is computed and saved.
    #[must_use]
    pub fn unit(self) -> MeasureUnit {
        match self.formula() {
            MetricFormula::Span { .. } | MetricFormula::TokenGaps => MeasureUnit::Seconds,
            MetricFormula::SpanPerToken { .. } => MeasureUnit::SecondsPerToken,
            MetricFormula::TokensPerSpan { .. } => MeasureUnit::TokensPerSecond,
        }
    }

    /// Whether every successful request has exactly one value: an answer may be all reasoning, or have a single token.
    #[must_use]
    pub fn is_one_a_request(self) -> bool {
        matches!(self.formula(), MetricFormula::Span { to, .. } if to != RequestStamp::FirstAnswer)
    }

    #[must_use]
    pub fn better(self) -> MetricDirection {
        match self.formula() {
            MetricFormula::TokensPerSpan { .. } => MetricDirection::Higher,
            MetricFormula::Span { .. } | MetricFormula::SpanPerToken { .. } | MetricFormula::TokenGaps => MetricDirection::Lower,
        }
    }

    /// Whether it tells when tokens came, and not only when an answer ended: of answers that came whole it says nothing.
    #[must_use]
    pub fn times_tokens(self) -> bool {
        use RequestStamp::{FirstAnswer, FirstEvent, FirstToken};
        let is_early = |stamp| matches!(stamp, FirstEvent | FirstToken | FirstAnswer);
        self.formula().span().is_none_or(|(from, to)| is_early(from) || is_early(to))
    }

    /// Whether its value is known before an answer is over, so that an answer that was given up has one.
    #[must_use]
    pub fn is_known_before_the_end(self) -> bool {
        self.formula().span().is_some_and(|(_, to)| to != RequestStamp::LastToken)
    }

    /// What a request counts as that its user left, where its stamps give this value: the worst where what is measured had not come by then, since
    /// nobody knows when it would have; NaN where whole answers are measured.
    #[must_use]
    pub fn of_left(self, value: f64) -> f64 {
        match (self.is_known_before_the_end(), value.is_nan()) {
            (true, true) => self.worst(),
            (true, false) => value,
            (false, _) => f64::NAN,
        }
    }

    /// What a failed request counts as: worse than any other.
    #[must_use]
    pub fn worst(self) -> f64 {
        match self.better() {
            MetricDirection::Lower => f64::INFINITY,
            MetricDirection::Higher => 0.0,
        }
    }
}

impl MetricFormula {
    /// The stamps between which the time lies; `None` for what has many values a request.
    #[must_use]
    pub fn span(self) -> Option<(RequestStamp, RequestStamp)> {
        match self {
            Self::Span { from, to } | Self::SpanPerToken { from, to } | Self::TokensPerSpan { from, to } => Some((from, to)),
            Self::TokenGaps => None,
        }
    }

    /// Of a successful request: from the microseconds between its stamps, its output tokens, and those of its first event. What is missing is NaN,
    /// and so is what is undefined.
    #[must_use]
    pub fn value(self, micros: f64, output_tokens: f64, first_event_tokens: f64) -> f64 {
        let seconds = micros / 1e6;
        match self {
            Self::Span { .. } => seconds,
            Self::SpanPerToken { .. } => {
                let first = if first_event_tokens.is_nan() { 1.0 } else { first_event_tokens };
                positive_quotient(seconds, output_tokens - first)
            }
            Self::TokensPerSpan { .. } => positive_quotient(output_tokens, seconds),
            Self::TokenGaps => f64::NAN,
        }
    }
}

/// a / b; NaN where b is not above 0.
fn positive_quotient(a: f64, b: f64) -> f64 {
    if b > 0.0 { a / b } else { f64::NAN }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Metric {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|metric| metric.name() == text).ok_or_else(|| format!("`{text}` is not a metric"))
    }
}
