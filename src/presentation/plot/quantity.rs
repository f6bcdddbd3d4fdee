//! What a measure is called in a picture, and in which unit its values are shown.

use super::figure::PlotQuantity;
use crate::vocabulary::goal::{
    Aggregate, ComparisonOperator, ConditionField, Measure, MetricPopulation, RowCondition, ServiceLevel, ThroughputAmount,
};
use crate::vocabulary::metric::{DisplayUnit, Metric};

/// A measure with the unit in which tables show it too: by the limit on it, else by the largest of its values.
pub fn quantity(measure: &Measure, limit: Option<f64>, largest: Option<f64>) -> PlotQuantity {
    let DisplayUnit { unit, factor } = measure.unit().display(limit, largest);
    PlotQuantity { name: measure.to_string(), unit: unit.to_owned(), factor }
}

/// A measure as a title: `p95 of time to first token, turn ≥ 1`.
pub fn in_words(measure: &Measure) -> String {
    let aggregate = match &measure.aggregate {
        Aggregate::Max(Metric::OutputTps) => "most output tokens per second of a request".to_owned(),
        Aggregate::Min(Metric::OutputTps) => "fewest output tokens per second of a request".to_owned(),
        Aggregate::Percentile(p, metric) => format!("p{p} of {}", metric.words()),
        Aggregate::Mean(metric) => format!("mean {}", metric.words()),
        Aggregate::Max(metric) => format!("longest {}", metric.words()),
        Aggregate::Min(metric) => format!("shortest {}", metric.words()),
        Aggregate::ErrorRate => "failed requests".to_owned(),
        Aggregate::Goodput(levels) => format!("goodput: requests with {}", all_of(levels)),
        Aggregate::Throughput(ThroughputAmount::Requests, scope) => format!("requests per second{scope}"),
        Aggregate::Throughput(ThroughputAmount::OutputTokens, scope) => format!("output tokens per second{scope}"),
        Aggregate::Throughput(ThroughputAmount::GoodRequests(levels), scope) => {
            format!("goodput: requests per second{scope} with {}", all_of(levels))
        }
    };
    let conditions = measure.filter.iter().map(condition_in_words);
    [aggregate].into_iter().chain(conditions).collect::<Vec<_>>().join(", ")
}

fn all_of(levels: &[ServiceLevel]) -> String {
    levels.iter().map(|level| level.to_string().replace("<=", "≤").replace(">=", "≥")).collect::<Vec<_>>().join(" and ")
}

/// Values before anything is made of them: `time to first token, turn ≥ 1`.
pub fn population_in_words(population: &MetricPopulation) -> String {
    let conditions = population.filter.iter().map(condition_in_words);
    [population.metric.words().to_owned()].into_iter().chain(conditions).collect::<Vec<_>>().join(", ")
}

fn condition_in_words(condition: &RowCondition) -> String {
    let field = match condition.field {
        ConditionField::Turn => "turn",
        ConditionField::Session => "session",
        ConditionField::Lane => "lane",
        ConditionField::PromptTokens => "prompt tokens",
        ConditionField::CachedTokens => "cached tokens",
        ConditionField::OutputTokens => "output tokens",
        ConditionField::InFlight => "in flight",
        ConditionField::LiveLanes => "live lanes",
        ConditionField::Time => "seconds since the start",
    };
    let sign = match condition.comparison {
        ComparisonOperator::Less => "<",
        ComparisonOperator::LessOrEqual => "≤",
        ComparisonOperator::Greater => ">",
        ComparisonOperator::GreaterOrEqual => "≥",
        ComparisonOperator::Equal => "=",
        ComparisonOperator::NotEqual => "≠",
    };
    format!("{field} {sign} {}", super::number::short(condition.value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure(text: &str) -> Measure {
        text.parse().unwrap()
    }

    #[test]
    fn short_times_are_shown_in_milliseconds_and_shares_in_percent() {
        let unit = |text: &str, largest| {
            let quantity = quantity(&measure(text), None, Some(largest));
            (quantity.unit, quantity.factor)
        };
        assert_eq!(unit("p95(ttft)", 42.0), ("s".to_owned(), 1.0));
        assert_eq!(unit("p99(itl)", 0.05), ("ms".to_owned(), 1e3));
        assert_eq!(quantity(&measure("p95(ttft)"), Some(0.5), Some(42.0)).unit, "ms", "as the limit has it");
        assert_eq!(unit("mean(tpot)", 0.02), ("ms/token".to_owned(), 1e3));
        assert_eq!(unit("error_rate", 0.2), ("%".to_owned(), 100.0));
        assert_eq!(unit("p5(output_tps)", 0.05), ("tokens/s".to_owned(), 1.0));
    }

    #[test]
    fn measures_are_said_in_words() {
        assert_eq!(in_words(&measure("p95(ttft where turn >= 1)")), "p95 of time to first token, turn ≥ 1");
        assert_eq!(in_words(&measure("error_rate")), "failed requests");
        let goodput = in_words(&measure("goodput(ttft <= 500ms and tpot <= 50ms where turn >= 1)"));
        assert_eq!(goodput, "goodput: requests with ttft ≤ 500ms and tpot ≤ 50ms/token, turn ≥ 1");
        assert_eq!(in_words(&measure("throughput(output_tokens per gpu)")), "output tokens per second per gpu");
    }
}
