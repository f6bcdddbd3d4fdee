//! Shows goals and measures in the one form that reads back to the same: limits in the unit people use where no digit is lost by it.

use std::fmt;

use super::limit::{seconds, show_limit};
use super::{Aggregate, ConditionField, Goal, Measure, RowCondition, ServiceLevel, ThroughputAmount, ThroughputScope};

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.measure, self.comparison.symbol(), self.measure.show_limit(self.limit))
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.aggregate {
            Aggregate::Percentile(p, metric) => write!(f, "p{p}({metric}")?,
            Aggregate::Mean(metric) => write!(f, "mean({metric}")?,
            Aggregate::Max(metric) => write!(f, "max({metric}")?,
            Aggregate::Min(metric) => write!(f, "min({metric}")?,
            Aggregate::ErrorRate if self.filter.is_empty() => return f.write_str("error_rate"),
            Aggregate::ErrorRate => f.write_str("error_rate(")?,
            Aggregate::Goodput(levels) => {
                f.write_str("goodput(")?;
                all_of(levels, f)?;
            }
            Aggregate::Throughput(ThroughputAmount::GoodRequests(levels), scope) => {
                f.write_str("goodput_rps(")?;
                all_of(levels, f)?;
                scope.fmt(f)?;
            }
            Aggregate::Throughput(ThroughputAmount::Requests, scope) => write!(f, "throughput(requests{scope}")?,
            Aggregate::Throughput(ThroughputAmount::OutputTokens, scope) => write!(f, "throughput(output_tokens{scope}")?,
        }
        for (i, condition) in self.filter.iter().enumerate() {
            let word = match (i, &self.aggregate) {
                (0, Aggregate::ErrorRate) => "where",
                (0, _) => " where",
                _ => " and",
            };
            write!(f, "{word} {condition}")?;
        }
        f.write_str(")")
    }
}

fn all_of(levels: &[ServiceLevel], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (i, level) in levels.iter().enumerate() {
        write!(f, "{}{level}", if i > 0 { " and " } else { "" })?;
    }
    Ok(())
}

impl fmt::Display for ServiceLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.metric, self.comparison.symbol(), show_limit(self.metric.unit(), self.limit))
    }
}

impl fmt::Display for ThroughputScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cell => "",
            Self::User => " per user",
            Self::Gpu => " per gpu",
        })
    }
}

impl fmt::Display for RowCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.field.name(), self.comparison.symbol())?;
        match self.field {
            ConditionField::Time => f.write_str(&seconds(self.value)),
            _ => write!(f, "{}", self.value),
        }
    }
}
