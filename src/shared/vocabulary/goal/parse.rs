//! Reads goals and measures. A fault says where it is, what was found, what is allowed, and what was probably meant.

use std::str::FromStr;

use super::cursor::{GoalCursor, GoalError};
use super::limit::limit_examples;
use super::{Aggregate, ComparisonOperator, ConditionField, Goal, Measure, RowCondition};
use crate::foundation::units::Tokens;
use crate::vocabulary::metric::Metric;

const AGGREGATES: &str = "`p95(metric)` (any percentile), `mean(metric)`, `max(metric)`, `min(metric)`, `error_rate`, `goodput(levels)`, \
                          `goodput_rps(levels)` or `throughput(requests)`";

impl FromStr for Goal {
    type Err = GoalError;

    fn from_str(text: &str) -> Result<Self, GoalError> {
        let mut cursor = GoalCursor { text, at: 0 };
        let measure = cursor.measure()?;
        let offset = cursor.skip_space();
        let comparison = match cursor.comparison() {
            Some(ComparisonOperator::Equal | ComparisonOperator::NotEqual) => {
                let message = "a goal compares with `<`, `<=`, `>` or `>=`".to_owned();
                return Err(GoalError { message, offset, hint: Some(format!("write `{measure} <= ..`")) });
            }
            Some(comparison) => comparison,
            None => return Err(cursor.goes_on_badly(&measure)),
        };
        let limit = cursor.limit(&measure, measure.unit())?;
        cursor.end()?;
        Ok(Self { measure, comparison, limit })
    }
}

impl FromStr for Measure {
    type Err = GoalError;

    fn from_str(text: &str) -> Result<Self, GoalError> {
        let mut cursor = GoalCursor { text, at: 0 };
        let measure = cursor.measure()?;
        cursor.end()?;
        Ok(measure)
    }
}

impl Measure {
    /// Reads a limit for this measure: `2s` or `200ms` for times, `20 tokens/s`, `1%` or a share. Only a share, and 0, may be a bare number.
    ///
    /// # Errors
    /// Where the text is no number of zero or more, or its unit is not one of this measure.
    pub fn parse_limit(&self, text: &str) -> Result<f64, GoalError> {
        let mut cursor = GoalCursor { text, at: 0 };
        let limit = cursor.limit(self, self.unit())?;
        cursor.end()?;
        Ok(limit)
    }
}

impl GoalCursor<'_> {
    fn measure(&mut self) -> Result<Measure, GoalError> {
        let offset = self.skip_space();
        let name = self.word();
        if name.is_empty() {
            return Err(self.expected(AGGREGATES));
        }
        if name == "error_rate" {
            let filter = if self.eat("(") { self.error_rate_filter()? } else { Vec::new() };
            return Ok(Measure { aggregate: Aggregate::ErrorRate, filter });
        }
        if let Some(aggregate) = self.share_or_throughput(name)? {
            let filter = self.filter()?;
            self.close()?;
            return Ok(Measure { aggregate, filter });
        }
        let make = self.aggregate(name, offset)?;
        if !self.eat("(") {
            let hint = Some(format!("write `{name}(ttft)`"));
            return Err(self.fault(self.at, format!("`{name}` needs a metric in parentheses"), hint));
        }
        let metric = self.metric()?;
        let filter = self.filter()?;
        self.close()?;
        Ok(Measure { aggregate: make.of(metric), filter })
    }

    /// After `error_rate(`: a filter, as the error rate has no metric.
    fn error_rate_filter(&mut self) -> Result<Vec<RowCondition>, GoalError> {
        let offset = self.skip_space();
        let filter = self.filter()?;
        if filter.is_empty() && !self.rest().starts_with(')') {
            let hint = Some("write `error_rate` or `error_rate(where turn >= 1)`".to_owned());
            return Err(self.fault(offset, "`error_rate` takes no metric", hint));
        }
        self.close()?;
        Ok(filter)
    }

    fn close(&mut self) -> Result<(), GoalError> {
        if self.eat(")") { Ok(()) } else { Err(self.expected("`where`, `and` or `)`")) }
    }

    fn aggregate(&self, name: &str, offset: usize) -> Result<AggregateFunction, GoalError> {
        let percent = name.strip_prefix('p').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit() || c == '.'));
        if let Some(percent) = percent {
            let p: f64 = percent.parse().map_err(|_| self.fault(offset, format!("`{name}` is not a percentile"), None))?;
            if !(p > 0.0 && p < 100.0) {
                let hint = Some("use `min(..)` or `max(..)` for the ends".to_owned());
                return Err(self.fault(offset, format!("`{name}` is not a percentile: it must lie between 0 and 100"), hint));
            }
            return Ok(AggregateFunction::Percentile(p));
        }
        match name {
            "mean" => Ok(AggregateFunction::Mean),
            "max" => Ok(AggregateFunction::Max),
            "min" => Ok(AggregateFunction::Min),
            _ => {
                let names = ["mean", "max", "min", "error_rate", "goodput", "goodput_rps", "throughput", "p50", "p90", "p95", "p99"];
                let hint = did_you_mean(name, &names).or_else(|| Some(format!("use {AGGREGATES}")));
                Err(self.fault(offset, format!("`{name}` is no function"), hint))
            }
        }
    }

    pub(super) fn metric(&mut self) -> Result<Metric, GoalError> {
        let offset = self.skip_space();
        let name = self.word();
        if name.is_empty() {
            return Err(self.expected("a metric"));
        }
        name.parse().map_err(|message: String| {
            let names = Metric::ALL.map(Metric::name);
            self.fault(offset, message, did_you_mean(name, &names).or_else(|| Some(format!("use {}", one_of(&names)))))
        })
    }

    fn filter(&mut self) -> Result<Vec<RowCondition>, GoalError> {
        let mut conditions = Vec::new();
        let mut more = self.eat_word("where");
        while more {
            conditions.push(self.condition()?);
            more = self.eat_word("and");
        }
        Ok(conditions)
    }

    fn condition(&mut self) -> Result<RowCondition, GoalError> {
        let offset = self.skip_space();
        let name = self.word();
        if name.is_empty() {
            return Err(self.expected("a field such as `turn`"));
        }
        let Some(field) = ConditionField::ALL.into_iter().find(|field| field.name() == name) else {
            let names = ConditionField::ALL.map(ConditionField::name);
            let hint = did_you_mean(name, &names).or_else(|| Some(format!("use {}", one_of(&names))));
            return Err(self.fault(offset, format!("`{name}` is no field of a request"), hint));
        };
        let Some(comparison) = self.comparison() else { return Err(self.expected("`<`, `<=`, `>`, `>=`, `==` or `!=`")) };
        let value = self.condition_value(field)?;
        Ok(RowCondition { field, comparison, value })
    }

    fn condition_value(&mut self, field: ConditionField) -> Result<f64, GoalError> {
        let offset = self.skip_space();
        let (number, unit) = self.quantity()?;
        let written = self.text[offset..self.at].trim_end();
        if field == ConditionField::Time && unit.is_empty() && number != 0.0 {
            let hint = format!("write `{number}s` or `{number}min`");
            return Err(self.fault(offset, format!("`{written}` has no unit, and `time` is a time"), Some(hint)));
        }
        let value = match (field, unit) {
            (ConditionField::Time, "" | "s") => Some(number),
            (ConditionField::Time, "ms") => Some(number / 1e3),
            (ConditionField::Time, "us") => Some(number / 1e6),
            (ConditionField::Time, "m" | "min") => Some(number * 60.0),
            (ConditionField::Time, "h") => Some(number * 3600.0),
            (ConditionField::PromptTokens | ConditionField::CachedTokens | ConditionField::OutputTokens, "k" | "m") =>
            {
                #[expect(clippy::cast_precision_loss, reason = "token counts are below 2^53")]
                written.parse::<Tokens>().ok().map(|tokens| tokens.0 as f64)
            }
            (_, "") if number.fract() == 0.0 => Some(number),
            _ => None,
        };
        value.ok_or_else(|| {
            let allowed = match field {
                ConditionField::Time => "a time such as `30s`",
                ConditionField::PromptTokens | ConditionField::CachedTokens | ConditionField::OutputTokens => {
                    "a number of tokens such as `512` or `8k`"
                }
                _ => "a whole number",
            };
            self.fault(offset, format!("`{written}` does not fit `{}`, which is {allowed}", field.name()), None)
        })
    }

    /// A measure is not followed by a comparison.
    fn goes_on_badly(&mut self, measure: &Measure) -> GoalError {
        if measure.aggregate == Aggregate::ErrorRate && self.rest().starts_with("where") {
            let hint = Some("write `error_rate(where turn >= 1) <= 1%`".to_owned());
            return self.fault(self.at, "conditions of `error_rate` stand in parentheses", hint);
        }
        let mut fault = self.expected("`<`, `<=`, `>` or `>=` and a limit");
        fault.hint = Some(format!("write {} behind it", limit_examples(measure.unit())));
        fault
    }
}

/// An aggregate that still lacks its metric.
enum AggregateFunction {
    Percentile(f64),
    Mean,
    Max,
    Min,
}

impl AggregateFunction {
    fn of(self, metric: Metric) -> Aggregate {
        match self {
            Self::Percentile(p) => Aggregate::Percentile(p, metric),
            Self::Mean => Aggregate::Mean(metric),
            Self::Max => Aggregate::Max(metric),
            Self::Min => Aggregate::Min(metric),
        }
    }
}

pub(super) fn did_you_mean(found: &str, names: &[&str]) -> Option<String> {
    let found = found.to_lowercase();
    let near = names.iter().map(|name| (strsim::damerau_levenshtein(&found, name), name)).min()?;
    (near.0 <= 1 + found.len() / 5).then(|| format!("did you mean `{}`?", near.1))
}

pub(super) fn one_of(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "limits are read exactly")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::vocabulary::goal::{ServiceLevel, ThroughputAmount, ThroughputScope};
    use crate::vocabulary::metric::MeasureUnit;

    fn goal(text: &str) -> Goal {
        text.parse().unwrap_or_else(|fault: GoalError| panic!("{text}: {fault}"))
    }

    fn fault(text: &str) -> GoalError {
        text.parse::<Goal>().expect_err(text)
    }

    #[test]
    fn the_published_goal_is_read_as_what_it_says() {
        let condition = RowCondition { field: ConditionField::Turn, comparison: ComparisonOperator::GreaterOrEqual, value: 1.0 };
        let measure = Measure { aggregate: Aggregate::Percentile(95.0, Metric::Ttft), filter: vec![condition] };
        let expected = Goal { measure, comparison: ComparisonOperator::LessOrEqual, limit: 2.0 };
        assert_eq!(goal("p95(ttft where turn >= 1) <= 2s"), expected);
        assert_eq!(goal("  p95 ( ttft\twhere turn>=1 )<=2000 ms "), expected);
        assert_eq!(goal("p95(ttft where turn>=1)<=2s"), expected);
    }

    #[test]
    fn a_time_or_a_rate_without_a_unit_is_a_fault_with_its_readings() {
        for (text, offset, message, hint) in [
            ("p99(ttft) < 500", 12, "`500` has no unit, and `p99(ttft)` is a time", "write `500ms` or `500s`"),
            ("max(tpot) <= 35", 13, "`35` has no unit, and `max(tpot)` is a time a token", "write `35ms/token` or `35s/token`"),
            (
                "p5(output_tps) >= 20",
                18,
                "`20` has no unit, and `p5(output_tps)` is a rate",
                "write `20 tokens/s`, or limit `tpot` if `20ms/token` is meant",
            ),
            ("p95(ttft where time >= 30) <= 2s", 23, "`30` has no unit, and `time` is a time", "write `30s` or `30min`"),
        ] {
            let found = fault(text);
            assert_eq!((found.offset, found.message.as_str(), found.hint.as_deref()), (offset, message, Some(hint)), "{text}");
        }
        // A share needs none, and nothing is nothing in every unit.
        assert_eq!([goal("error_rate <= 0.01").limit, goal("mean(send_lag where time >= 0) <= 0").limit], [0.01, 0.0]);
    }

    #[test]
    fn every_aggregate_and_several_conditions_are_read() {
        assert_eq!(goal("p99.9(itl)<200ms").measure.aggregate, Aggregate::Percentile(99.9, Metric::Itl));
        assert_eq!(goal("mean(e2e) <= 1m").limit, 60.0);
        assert_eq!(goal("min(output_tps) >= 20 tokens/s").measure.aggregate, Aggregate::Min(Metric::OutputTps));
        assert_eq!(goal("max(tpot) <= 35ms/token").limit, 0.035);
        let filter = goal("p95(ttft where turn >= 1 and in_flight <= 4and time < 30s and prompt_tokens > 8k) <= 2s").measure.filter;
        assert_eq!(filter.iter().map(|c| c.value).collect::<Vec<_>>(), [1.0, 4.0, 30.0, 8192.0]);
    }

    #[test]
    fn an_error_rate_is_a_share_and_may_be_filtered() {
        assert_eq!(goal("error_rate <= 1%").limit, 0.01);
        assert_eq!(goal("error_rate() <= 0.01"), goal("error_rate <= 1%"));
        assert_eq!(goal("error_rate(where turn == 0) <= 1%").measure.filter.len(), 1);
        let fault = fault("error_rate where turn >= 1 <= 1%");
        assert_eq!((fault.offset, fault.hint.as_deref()), (11, Some("write `error_rate(where turn >= 1) <= 1%`")));
    }

    #[test]
    fn a_unit_that_does_not_fit_the_measure_is_a_fault() {
        let found = fault("p95(ttft) <= 2%");
        assert_eq!(found.message, "`2%` is no limit for `p95(ttft)`: `%` does not fit");
        assert_eq!(found.offset, 13);
        assert_eq!(found.hint.as_deref(), Some("write a time such as `2s` or `200ms`"));
        assert_eq!(fault("error_rate <= 1s").hint.as_deref(), Some("write a share such as `1%` or `0.01`"));
        assert_eq!(fault("mean(output_tps) >= 20ms").hint.as_deref(), Some("write a rate such as `20 tokens/s`"));
        assert_eq!(fault("error_rate <= 5").hint.as_deref(), Some("write `5%` or a share from 0 to 1"));
    }

    #[test]
    fn a_misspelt_name_is_met_with_what_was_probably_meant() {
        for (text, offset, hint) in [
            ("p95(tftt) <= 2s", 4, "did you mean `ttft`?"),
            ("p95(TTFT) <= 2s", 4, "did you mean `ttft`?"),
            ("p95(ttft where turns >= 1) <= 2s", 15, "did you mean `turn`?"),
            ("maen(ttft) <= 2s", 0, "did you mean `mean`?"),
            ("eror_rate <= 1%", 0, "did you mean `error_rate`?"),
        ] {
            let fault = fault(text);
            assert_eq!((fault.offset, fault.hint.as_deref()), (offset, Some(hint)), "{text}");
        }
    }

    #[test]
    fn what_is_missing_or_too_much_is_pointed_at() {
        for (text, offset) in [
            ("", 0),
            ("p95", 3),
            ("p95(ttft", 8),
            ("p95(ttft)", 9),
            ("p95(ttft) <=", 12),
            ("p95(ttft) <= -2s", 13),
            ("p95(ttft) <= inf", 13),
            ("p95(ttft) <= 2s or so", 16),
            ("p95(ttft) == 2s", 10),
            ("p0(ttft) <= 2s", 0),
            ("p100(ttft) <= 2s", 0),
            ("p95(ttft where) <= 2s", 14),
            ("p95(ttft where turn >= 1.5) <= 2s", 23),
            ("p95(ttft where turn 1) <= 2s", 20),
            ("error_rate(ttft) <= 1%", 11),
            ("p95(ttft) <= 2é", 13),
        ] {
            assert_eq!(fault(text).offset, offset, "{text}: {}", fault(text));
        }
    }

    fn any_levels() -> impl Strategy<Value = Vec<ServiceLevel>> {
        let metrics: Vec<Metric> = Metric::ALL.into_iter().filter(|metric| *metric != Metric::Itl).collect();
        let level = (prop::sample::select(metrics), 0..4_usize, 0.0_f64..100.0);
        let level = level.prop_map(|(metric, comparison, limit)| ServiceLevel { metric, comparison: LIMITING[comparison], limit });
        prop::collection::vec(level, 1..4)
    }

    const LIMITING: [ComparisonOperator; 4] =
        [ComparisonOperator::Less, ComparisonOperator::LessOrEqual, ComparisonOperator::Greater, ComparisonOperator::GreaterOrEqual];

    fn any_measure() -> impl Strategy<Value = Measure> {
        let metric = prop::sample::select(Metric::ALL.to_vec());
        let scope = prop::sample::select(ThroughputScope::ALL.to_vec());
        let aggregate = (0..9_u8, metric, 0.001_f64..99.999, any_levels(), scope).prop_map(|(kind, metric, p, levels, scope)| match kind {
            0 => Aggregate::Percentile(p, metric),
            1 => Aggregate::Mean(metric),
            2 => Aggregate::Max(metric),
            3 => Aggregate::Min(metric),
            4 => Aggregate::Goodput(levels),
            5 => Aggregate::Throughput(ThroughputAmount::GoodRequests(levels), scope),
            6 => Aggregate::Throughput(ThroughputAmount::Requests, scope),
            7 => Aggregate::Throughput(ThroughputAmount::OutputTokens, scope),
            _ => Aggregate::ErrorRate,
        });
        let condition =
            (prop::sample::select(ConditionField::ALL.to_vec()), prop::sample::select(ComparisonOperator::ALL.to_vec()), 0..1_000_000_u32)
                .prop_map(|(field, comparison, value)| RowCondition { field, comparison, value: f64::from(value) });
        (aggregate, prop::collection::vec(condition, 0..4)).prop_map(|(aggregate, filter)| Measure { aggregate, filter })
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back_to_the_same(measure in any_measure(), comparison in 0..4_usize, limit in 0.0_f64..1.0) {
            let scale = if measure.unit() == MeasureUnit::Share { 1.0 } else { 100.0 };
            let goal = Goal { measure, comparison: LIMITING[comparison], limit: limit * scale };
            prop_assert_eq!(goal.to_string().parse::<Goal>(), Ok(goal.clone()));
            prop_assert_eq!(goal.measure.to_string().parse::<Measure>(), Ok(goal.measure.clone()));
            prop_assert_eq!(goal.measure.parse_limit(&goal.measure.show_limit(goal.limit)), Ok(goal.limit));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,60}|[a-z0-9()<>=%. ]{0,40}|p95\\(ttft where [a-z]{0,6} \\PC{0,9}|goodput(_rps)?\\([a-z<>=0-9 ]{0,30}\\PC{0,9}") {
            if let Err(fault) = text.parse::<Goal>() {
                prop_assert!(text.is_char_boundary(fault.offset));
            }
        }
    }

    #[test]
    fn goals_are_shown_as_people_write_them() {
        for text in [
            "p95(ttft where turn >= 1) <= 2s",
            "p99.9(itl) < 200ms",
            "error_rate <= 1%",
            "error_rate(where turn >= 1 and lane != 0) <= 0.5%",
            "mean(output_tps) >= 20 tokens/s",
            "max(tpot) <= 35ms/token",
            "goodput(ttft <= 500ms and tpot <= 50ms/token) >= 95%",
            "goodput(e2e < 4s where turn >= 1 and lane != 0) >= 99%",
            "goodput_rps(ttft <= 500ms per gpu) >= 10/s",
            "throughput(requests) >= 2.5/s",
            "throughput(output_tokens per user where turn >= 1) >= 20 tokens/s",
        ] {
            assert_eq!(goal(text).to_string(), text);
        }
    }
}
