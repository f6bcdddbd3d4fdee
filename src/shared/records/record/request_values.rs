//! What metrics and conditions of goals are of one request: a record in, values out. The analysis computes the same of the columns of saved rows; a test
//! holds the two to each other.

use super::{FailureKind, RequestRecord};
use crate::foundation::clock::Micros;
use crate::vocabulary::goal::{ConditionField, RowCondition, ServiceLevel};
use crate::vocabulary::metric::{Metric, RequestStamp};

impl RequestRecord {
    /// Whether it counts as failed: also where it brought no token and does not say why. What a user left has not failed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        !self.was_left() && (self.failure.is_some() || self.first_token_us.is_none())
    }

    /// Whether its user left before the answer was over.
    #[must_use]
    pub fn was_left(&self) -> bool {
        self.failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::Left)
    }

    #[must_use]
    pub fn stamp(&self, stamp: RequestStamp) -> Option<Micros> {
        match stamp {
            RequestStamp::Intended => Some(self.intended_us),
            RequestStamp::Sent => Some(self.sent_us),
            RequestStamp::FirstEvent => self.first_event_us,
            RequestStamp::FirstToken => self.first_token_us,
            RequestStamp::FirstAnswer => self.first_answer_us,
            RequestStamp::LastToken => self.last_token_us,
        }
    }

    /// A metric in its unit: the worst where the request failed or was left before what is measured came, NaN where it is undefined, and for the gaps between tokens, of which there are many.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "stamps and token counts are far below 2^53")]
    pub fn value(&self, metric: Metric) -> f64 {
        if self.has_failed() {
            return metric.worst();
        }
        let output_tokens = self.output_tokens.map_or(f64::NAN, |tokens| tokens as f64);
        let value = metric.formula().value(self.span_micros(metric), output_tokens, self.first_event_tokens.map_or(f64::NAN, f64::from));
        if self.was_left() { metric.of_left(value) } else { value }
    }

    /// The microseconds between a metric's stamps; NaN where one is missing.
    #[expect(clippy::cast_precision_loss, reason = "stamps are far below 2^53")]
    fn span_micros(&self, metric: Metric) -> f64 {
        let at = |stamp| self.stamp(stamp).map_or(f64::NAN, |at| at.0 as f64);
        metric.formula().span().map_or(f64::NAN, |(from, to)| at(to) - at(from))
    }

    /// Whether it meets every level of service, which a failed one never does.
    #[must_use]
    pub fn meets(&self, levels: &[ServiceLevel]) -> bool {
        !self.has_failed() && levels.iter().all(|level| level.is_met(self.value(level.metric), self.span_micros(level.metric)))
    }

    /// Time to first token in seconds; `None` where the request failed.
    #[must_use]
    pub fn ttft_s(&self) -> Option<f64> {
        Some(self.value(Metric::Ttft)).filter(|seconds| seconds.is_finite())
    }

    /// Time per output token in seconds; `None` where the request failed, and for a single event.
    #[must_use]
    pub fn tpot_s(&self) -> Option<f64> {
        // Where nobody tells how many tokens an event has, a single one must not look like many at once.
        (!self.gaps_us.is_empty()).then(|| self.value(Metric::Tpot)).filter(|seconds| seconds.is_finite())
    }

    /// What a condition may speak of; `None` where the request lacks it.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "sessions and token counts are far below 2^53")]
    pub fn field(&self, field: ConditionField) -> Option<f64> {
        match field {
            ConditionField::Turn => Some(f64::from(self.turn)),
            ConditionField::Session => Some(self.session as f64),
            ConditionField::Lane => Some(f64::from(self.lane)),
            ConditionField::PromptTokens => self.prompt_tokens.map(|tokens| tokens as f64),
            ConditionField::CachedTokens => self.cached_tokens.map(|tokens| tokens as f64),
            ConditionField::OutputTokens => self.output_tokens.map(|tokens| tokens as f64),
            ConditionField::InFlight => Some(f64::from(self.in_flight)),
            ConditionField::LiveLanes => Some(f64::from(self.live_lanes)),
            ConditionField::Time => Some(self.intended_us.as_secs_f64()),
        }
    }

    /// Whether it fulfils all conditions.
    #[must_use]
    pub fn fulfils(&self, conditions: &[RowCondition]) -> bool {
        conditions.iter().all(|condition| condition.keeps(self.field(condition.field), || self.has_failed()))
    }
}
