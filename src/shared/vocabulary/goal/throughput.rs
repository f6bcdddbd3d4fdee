//! What goes through a cell a second: `throughput(output_tokens per gpu)`, `goodput_rps(ttft <= 500ms)`.
//!
//! Text comes in; what is counted, and what it is divided among, go out. What a second is, `analysis` says.

use super::cursor::{GoalCursor, GoalError};
use super::parse::did_you_mean;
use super::{Aggregate, ServiceLevel};
use crate::vocabulary::metric::MeasureUnit;

/// What is counted.
#[derive(Debug, Clone, PartialEq)]
pub enum ThroughputAmount {
    /// Successful requests.
    Requests,
    /// Tokens that were streamed.
    OutputTokens,
    /// Requests that meet every level.
    GoodRequests(Vec<ServiceLevel>),
}

/// Of whom it is the throughput.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThroughputScope {
    /// Of all that is measured together.
    Cell,
    /// Of each of the users that the workload has at once: C of `document_qa`, `users` of `chat`, `concurrency` of a closed loop.
    User,
    /// Of each GPU that the scenario says the target has.
    Gpu,
}

impl ThroughputScope {
    pub const ALL: [Self; 3] = [Self::Cell, Self::User, Self::Gpu];
}

impl ThroughputAmount {
    /// Of so much a second.
    #[must_use]
    pub fn unit(&self) -> MeasureUnit {
        match self {
            Self::Requests | Self::GoodRequests(_) => MeasureUnit::RequestsPerSecond,
            Self::OutputTokens => MeasureUnit::TokensPerSecond,
        }
    }
}

impl GoalCursor<'_> {
    /// Behind one of the names `goodput`, `goodput_rps` and `throughput`: all up to its filter. `None` behind any other.
    pub(super) fn share_or_throughput(&mut self, name: &str) -> Result<Option<Aggregate>, GoalError> {
        let (needs, example) = match name {
            "goodput" | "goodput_rps" => ("levels", "ttft <= 500ms and tpot <= 50ms"),
            "throughput" => ("`requests` or `output_tokens`", "output_tokens"),
            _ => return Ok(None),
        };
        if !self.eat("(") {
            return Err(self.fault(self.at, format!("`{name}` needs {needs} in parentheses"), Some(format!("write `{name}({example})`"))));
        }
        Ok(Some(match name {
            "goodput" => Aggregate::Goodput(self.levels()?),
            "goodput_rps" => Aggregate::Throughput(ThroughputAmount::GoodRequests(self.levels()?), self.scope()?),
            _ => Aggregate::Throughput(self.amount()?, self.scope()?),
        }))
    }

    fn amount(&mut self) -> Result<ThroughputAmount, GoalError> {
        let offset = self.skip_space();
        match self.word() {
            "requests" => Ok(ThroughputAmount::Requests),
            "output_tokens" => Ok(ThroughputAmount::OutputTokens),
            "" => Err(self.expected("`requests` or `output_tokens`")),
            other => {
                let hint = did_you_mean(other, &["requests", "output_tokens"]);
                let hint = hint.or_else(|| Some("use `requests` or `output_tokens`".to_owned()));
                Err(self.fault(offset, format!("`{other}` is nothing that throughput counts"), hint))
            }
        }
    }

    fn scope(&mut self) -> Result<ThroughputScope, GoalError> {
        if !self.eat_word("per") {
            return Ok(ThroughputScope::Cell);
        }
        let offset = self.skip_space();
        match self.word() {
            "user" => Ok(ThroughputScope::User),
            "gpu" => Ok(ThroughputScope::Gpu),
            "" => Err(self.expected("`user` or `gpu`")),
            other => Err(self.fault(offset, format!("`per {other}` is not known"), Some("write `per user` or `per gpu`".to_owned()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::goal::{Goal, Measure};
    use crate::vocabulary::metric::MetricDirection;

    #[test]
    fn throughput_is_so_much_a_second_of_all_of_a_user_or_of_a_gpu() {
        let goal: Goal = "throughput( output_tokens per gpu where turn>=1 ) >= 500 tokens/s".parse().unwrap();
        assert_eq!(goal.measure.aggregate, Aggregate::Throughput(ThroughputAmount::OutputTokens, ThroughputScope::Gpu));
        assert_eq!((goal.measure.unit(), goal.measure.better()), (MeasureUnit::TokensPerSecond, MetricDirection::Higher));
        let limits = ["10/s", "600/min", "10 requests/s"].map(|limit| format!("throughput(requests) >= {limit}").parse::<Goal>().unwrap());
        assert!(limits.iter().all(|goal| *goal == limits[0]), "{limits:?}");
        let measure: Measure = "goodput_rps(ttft <= 500ms per user where turn >= 1)".parse().unwrap();
        assert_eq!((measure.levels().len(), measure.filter.len(), measure.unit()), (1, 1, MeasureUnit::RequestsPerSecond));
    }

    #[test]
    fn what_is_not_counted_is_pointed_at_with_what_is() {
        for (text, offset, hint) in [
            ("throughput >= 1/s", 11, "write `throughput(output_tokens)`"),
            ("throughput(request) >= 1/s", 11, "did you mean `requests`?"),
            ("throughput(ttft) >= 1/s", 11, "use `requests` or `output_tokens`"),
            ("throughput(requests per node) >= 1/s", 24, "write `per user` or `per gpu`"),
            ("throughput(output_tokens) >= 1/s", 29, "write a rate such as `20 tokens/s`"),
            ("throughput(requests) >= 20 tokens/s", 24, "write a rate such as `10/s`"),
        ] {
            let found = text.parse::<Goal>().expect_err(text);
            assert_eq!((found.offset, found.hint.as_deref()), (offset, Some(hint)), "{text}: {found}");
        }
    }
}
