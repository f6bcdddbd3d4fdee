//! Shows goals and measures in the one form that reads back to the same: limits in the unit people use where no digit is lost by it.

use std::fmt;

use super::{Aggregate, ConditionField, Goal, Measure, RowCondition};
use crate::vocabulary::metric::MeasureUnit;

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.measure, self.comparison.symbol(), self.measure.show_limit(self.limit))
    }
}

impl Measure {
    /// A limit with the measure's unit: `2s`, `200ms`, `20 tokens/s`, `1%`. Reads back to the same number.
    #[must_use]
    pub fn show_limit(&self, limit: f64) -> String {
        match self.unit() {
            MeasureUnit::Seconds => seconds(limit),
            MeasureUnit::SecondsPerToken => seconds(limit) + "/token",
            MeasureUnit::TokensPerSecond => format!("{limit} tokens/s"),
            MeasureUnit::Share => scaled(limit, 100.0, "%").unwrap_or_else(|| limit.to_string()),
        }
    }
}

fn seconds(value: f64) -> String {
    let shown = if value > 0.0 && value < 1.0 { scaled(value, 1e3, "ms") } else { None };
    shown.unwrap_or_else(|| format!("{value}s"))
}

/// The value times `factor` with its suffix, where a few digits say it and dividing again gives exactly the same value.
fn scaled(value: f64, factor: f64, suffix: &str) -> Option<String> {
    let shown = format!("{:.9}", value * factor);
    let shown = shown.trim_end_matches('0').trim_end_matches('.');
    let again: f64 = shown.parse().ok()?;
    ((again / factor).to_bits() == value.to_bits()).then(|| format!("{shown}{suffix}"))
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.aggregate {
            Aggregate::Percentile(p, metric) => write!(f, "p{p}({metric}")?,
            Aggregate::Mean(metric) => write!(f, "mean({metric}")?,
            Aggregate::Max(metric) => write!(f, "max({metric}")?,
            Aggregate::Min(metric) => write!(f, "min({metric}")?,
            Aggregate::ErrorRate if self.filter.is_empty() => return f.write_str("error_rate"),
            Aggregate::ErrorRate => f.write_str("error_rate(")?,
        }
        for (i, condition) in self.filter.iter().enumerate() {
            let word = match (i, self.aggregate) {
                (0, Aggregate::ErrorRate) => "where",
                (0, _) => " where",
                _ => " and",
            };
            write!(f, "{word} {condition}")?;
        }
        f.write_str(")")
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
