//! Levels of service that single requests are held to, for goodput: `ttft <= 500ms and tpot <= 50ms`.
//!
//! Text comes in; levels go out, which say of a request's value whether it meets them. Knows no rows.

use super::ComparisonOperator;
use super::cursor::{GoalCursor, GoalError};
use super::parse::one_of;
use crate::vocabulary::metric::{Metric, MetricFormula};

/// What a request must keep to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ServiceLevel {
    /// One of which a request has one value at most.
    pub metric: Metric,
    /// One of the four that limit.
    pub comparison: ComparisonOperator,
    /// In the metric's base unit.
    pub limit: f64,
}

impl ServiceLevel {
    /// Whether a successful request meets it, by its value of the metric, NaN where it has none, and the microseconds between the metric's stamps.
    ///
    /// An answer of a single event has no time per token, so that nothing of it was late: it meets any. Whatever else is not known is not met.
    #[must_use]
    pub fn is_met(&self, value: f64, span_micros: f64) -> bool {
        let came_at_once = matches!(self.metric.formula(), MetricFormula::SpanPerToken { .. }) && span_micros <= 0.0;
        if value.is_nan() { came_at_once } else { self.comparison.holds(value, self.limit) }
    }
}

const EXAMPLE: &str = "ttft <= 500ms and tpot <= 50ms";

impl GoalCursor<'_> {
    /// One level or more, with `and` between them.
    pub(super) fn levels(&mut self) -> Result<Vec<ServiceLevel>, GoalError> {
        let offset = self.skip_space();
        if self.rest().is_empty() || self.rest().starts_with(')') {
            return Err(self.fault(offset, "expected what requests must keep to", Some(format!("write `{EXAMPLE}`"))));
        }
        let mut levels = vec![self.level()?];
        while self.eat_word("and") {
            levels.push(self.level()?);
        }
        Ok(levels)
    }

    fn level(&mut self) -> Result<ServiceLevel, GoalError> {
        let offset = self.skip_space();
        let metric = self.metric()?;
        if metric.formula() == MetricFormula::TokenGaps {
            let fitting: Vec<&str> = Metric::ALL.into_iter().filter(|other| *other != metric).map(Metric::name).collect();
            let message = format!("`{metric}` has many values a request, and a level is about one");
            return Err(self.fault(offset, message, Some(format!("use `tpot`, or another of {}", one_of(&fitting)))));
        }
        let offset = self.skip_space();
        let comparison = match self.comparison() {
            Some(ComparisonOperator::Equal | ComparisonOperator::NotEqual) => {
                return Err(self.fault(offset, "a level compares with `<`, `<=`, `>` or `>=`", Some(format!("write `{metric} <= ..`"))));
            }
            Some(comparison) => comparison,
            None => return Err(self.expected("`<`, `<=`, `>` or `>=` and a limit")),
        };
        let limit = self.limit(&metric, metric.unit())?;
        Ok(ServiceLevel { metric, comparison, limit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::goal::{Aggregate, Goal, Measure};

    fn levels(text: &str) -> Vec<ServiceLevel> {
        text.parse::<Measure>().unwrap_or_else(|fault| panic!("{text}: {fault}")).levels().to_vec()
    }

    #[test]
    fn levels_are_read_with_their_units_and_their_filter() {
        let read = levels("goodput( ttft<=500ms and tpot <= 50ms and output_tps >= 20 tokens/s where turn >= 1 and turn < 9)");
        assert_eq!(
            read.iter().map(|level| (level.metric, level.limit)).collect::<Vec<_>>(),
            [(Metric::Ttft, 0.5), (Metric::Tpot, 0.05), (Metric::OutputTps, 20.0)]
        );
        let goal: Goal = "goodput(ttft <= 0 where turn >= 1) >= 95%".parse().unwrap();
        assert_eq!((goal.measure.filter.len(), goal.limit), (1, 0.95));
        assert!(matches!(goal.measure.aggregate, Aggregate::Goodput(levels) if levels[0].limit <= 0.0));
    }

    #[test]
    fn what_is_no_level_is_pointed_at_with_what_is_allowed() {
        for (text, offset, message, hint) in [
            ("goodput >= 95%", 8, "`goodput` needs levels in parentheses", "write `goodput(ttft <= 500ms and tpot <= 50ms)`"),
            ("goodput() >= 95%", 8, "expected what requests must keep to", "write `ttft <= 500ms and tpot <= 50ms`"),
            ("goodput(ttft <= 500) >= 95%", 16, "`500` has no unit, and `ttft` is a time", "write `500ms` or `500s`"),
            ("goodput(ttft == 500ms) >= 95%", 13, "a level compares with `<`, `<=`, `>` or `>=`", "write `ttft <= ..`"),
            ("goodput(tftt <= 500ms) >= 95%", 8, "`tftt` is not a metric", "did you mean `ttft`?"),
            ("goodput_rps(ttft <= 1s) >= 10", 27, "`10` has no unit, and `goodput_rps(ttft <= 1s)` is a rate", "write `10/s` or `10/min`"),
            ("godput(ttft <= 1s) >= 10%", 0, "`godput` is no function", "did you mean `goodput`?"),
        ] {
            let found = text.parse::<Goal>().expect_err(text);
            assert_eq!((found.offset, found.message.as_str(), found.hint.as_deref()), (offset, message, Some(hint)), "{text}");
        }
        let gaps = "goodput(itl <= 50ms) >= 95%".parse::<Goal>().unwrap_err();
        assert!(gaps.offset == 8 && gaps.message.contains("many values a request") && gaps.hint.unwrap().contains("`tpot`"));
        assert_eq!("goodput(ttft <= 1s and) >= 1%".parse::<Goal>().unwrap_err().offset, 22);
        assert!("goodput(ttft <= 1s per gpu) >= 1%".parse::<Goal>().is_err(), "a share is the same of any number of GPUs");
    }

    #[test]
    fn an_answer_of_one_event_has_no_token_that_was_late_and_what_is_not_known_is_not_met() {
        let [ttfat, tpot] = levels("goodput(ttfat <= 1s and tpot <= 50ms)")[..] else { panic!() };
        assert!(tpot.is_met(f64::NAN, 0.0) && !tpot.is_met(f64::NAN, 20_000.0) && !ttfat.is_met(f64::NAN, f64::NAN));
        assert!(tpot.is_met(0.05, 1.0) && !tpot.is_met(0.051, 1.0) && ttfat.is_met(1.0, 1e6));
    }
}
