//! The values of a metric over rows, before anything is made of them: `ttft where turn >= 1`.
//!
//! Text comes in, also as a measure of them (`p95(ttft where turn >= 1)`, whose aggregate is left aside); a [`MetricPopulation`] goes out.

use std::fmt;
use std::str::FromStr;

use super::{Aggregate, GoalError, Measure, RowCondition};
use crate::foundation::sentence::sentence;
use crate::vocabulary::metric::Metric;

/// Which values of which rows.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricPopulation {
    pub metric: Metric,
    /// Conditions on rows, all of which must hold.
    pub filter: Vec<RowCondition>,
}

/// What stands around a population to make a measure of it.
const OPENING: &str = "max(";

impl MetricPopulation {
    /// What a measure is about; `None` for shares of requests and for throughput, which are about no single metric.
    #[must_use]
    pub fn of(measure: &Measure) -> Option<Self> {
        Some(Self { metric: measure.metric()?, filter: measure.filter.clone() })
    }

    /// The largest of the values.
    #[must_use]
    pub fn largest(&self) -> Measure {
        Measure { aggregate: Aggregate::Max(self.metric), filter: self.filter.clone() }
    }
}

impl FromStr for MetricPopulation {
    type Err = GoalError;

    fn from_str(text: &str) -> Result<Self, GoalError> {
        if text.contains('(') || text.trim() == "error_rate" {
            let hint = || Some("name a metric: `ttft where turn >= 1`".to_owned());
            let message = || sentence(&format!("`{}` is one number and has no distribution", text.trim())).into_owned();
            let no_metric = || GoalError { message: message(), offset: 0, hint: hint() };
            return Self::of(&text.parse()?).ok_or_else(no_metric);
        }
        let back = |error: GoalError| GoalError { offset: error.offset.saturating_sub(OPENING.len()).min(text.len()), ..error };
        let measure: Measure = format!("{OPENING}{text})").parse().map_err(back)?;
        Ok(Self { metric: measure.metric().unwrap_or(Metric::Ttft), filter: measure.filter })
    }
}

impl fmt::Display for MetricPopulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let measure = self.largest().to_string();
        f.write_str(measure.trim_start_matches(OPENING).trim_end_matches(')'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_population_is_read_from_its_own_words_and_from_a_measure() {
        let plain: MetricPopulation = "ttft where turn >= 1 and in_flight < 9".parse().unwrap();
        let measure: MetricPopulation = "p95(ttft where turn >= 1 and in_flight < 9)".parse().unwrap();
        assert_eq!(plain, measure);
        assert_eq!(plain.to_string(), "ttft where turn >= 1 and in_flight < 9");
        assert_eq!("e2e".parse::<MetricPopulation>().unwrap().to_string(), "e2e");
    }

    #[test]
    fn what_is_none_is_refused_with_its_place() {
        let unknown = "latency where turn >= 1".parse::<MetricPopulation>().unwrap_err();
        assert_eq!((unknown.message.as_str(), unknown.offset), ("`latency` is not a metric", 0));
        assert!("error_rate".parse::<MetricPopulation>().unwrap_err().message.contains("no distribution"));
        assert!("ttft where".parse::<MetricPopulation>().is_err());
    }
}
