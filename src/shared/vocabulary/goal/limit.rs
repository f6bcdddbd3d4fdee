//! Limits of goals and of service levels: numbers with the units that a measure may have, read and shown in the one form that reads back to the same.

use std::fmt;

use super::Measure;
use super::cursor::{GoalCursor, GoalError};
use crate::vocabulary::metric::MeasureUnit;

impl Measure {
    /// A limit with the measure's unit: `2s`, `200ms`, `20 tokens/s`, `10/s`, `1%`. Reads back to the same number.
    #[must_use]
    pub fn show_limit(&self, limit: f64) -> String {
        show_limit(self.unit(), limit)
    }
}

/// A limit in that unit, as people write it.
pub(super) fn show_limit(unit: MeasureUnit, limit: f64) -> String {
    match unit {
        MeasureUnit::Seconds => seconds(limit),
        MeasureUnit::SecondsPerToken => seconds(limit) + "/token",
        MeasureUnit::TokensPerSecond => format!("{limit} tokens/s"),
        MeasureUnit::RequestsPerSecond => format!("{limit}/s"),
        MeasureUnit::Share => scaled(limit, 100.0, "%").unwrap_or_else(|| limit.to_string()),
    }
}

pub(super) fn seconds(value: f64) -> String {
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

/// The units that a limit may have, with what the number is divided by. Division, not multiplication by a reciprocal: only so is `35ms` the double
/// nearest to 0.035.
fn units(unit: MeasureUnit) -> &'static [(&'static str, f64)] {
    match unit {
        MeasureUnit::Seconds => &[("us", 1e6), ("ms", 1e3), ("s", 1.0), ("m", 1.0 / 60.0), ("min", 1.0 / 60.0)],
        MeasureUnit::SecondsPerToken => &[("us", 1e6), ("ms", 1e3), ("s", 1.0), ("us/token", 1e6), ("ms/token", 1e3), ("s/token", 1.0)],
        MeasureUnit::TokensPerSecond => &[("tokens/s", 1.0)],
        MeasureUnit::RequestsPerSecond => &[("/s", 1.0), ("requests/s", 1.0), ("/min", 60.0), ("requests/min", 60.0)],
        MeasureUnit::Share => &[("", 1.0), ("%", 100.0)],
    }
}

/// What a bare number may mean: the two readings between which nothing decides; `None` for a share, which needs no unit.
fn readings(unit: MeasureUnit, number: f64) -> Option<(&'static str, String)> {
    match unit {
        MeasureUnit::Seconds => Some(("a time", format!("write `{number}ms` or `{number}s`"))),
        MeasureUnit::SecondsPerToken => Some(("a time a token", format!("write `{number}ms/token` or `{number}s/token`"))),
        MeasureUnit::TokensPerSecond => {
            Some(("a rate", format!("write `{number} tokens/s`, or limit `tpot` if `{number}ms/token` is meant")))
        }
        MeasureUnit::RequestsPerSecond => Some(("a rate", format!("write `{number}/s` or `{number}/min`"))),
        MeasureUnit::Share => None,
    }
}

pub(super) fn limit_examples(unit: MeasureUnit) -> &'static str {
    match unit {
        MeasureUnit::Seconds => "a time such as `2s` or `200ms`",
        MeasureUnit::SecondsPerToken => "a time a token such as `50ms`",
        MeasureUnit::TokensPerSecond => "a rate such as `20 tokens/s`",
        MeasureUnit::RequestsPerSecond => "a rate such as `10/s`",
        MeasureUnit::Share => "a share such as `1%` or `0.01`",
    }
}

impl GoalCursor<'_> {
    /// The limit of a measure or a metric of that unit, in its base unit.
    pub(super) fn limit(&mut self, subject: &dyn fmt::Display, unit: MeasureUnit) -> Result<f64, GoalError> {
        let offset = self.skip_space();
        let (number, written_unit) = self.quantity()?;
        let written = self.text[offset..self.at].trim_end();
        if written_unit.is_empty()
            && number != 0.0
            && let Some((what, hint)) = readings(unit, number)
        {
            return Err(self.fault(offset, format!("`{written}` has no unit, and `{subject}` is {what}"), Some(hint)));
        }
        if written_unit.is_empty() && number == 0.0 {
            return Ok(0.0);
        }
        let Some((_, divisor)) = units(unit).iter().find(|(name, _)| *name == written_unit) else {
            let message = format!("`{written}` is no limit for `{subject}`: `{written_unit}` does not fit");
            return Err(self.fault(offset, message, Some(format!("write {}", limit_examples(unit)))));
        };
        let limit = number / divisor;
        if unit == MeasureUnit::Share && limit > 1.0 {
            let hint = Some(format!("write `{number}%` or a share from 0 to 1"));
            return Err(self.fault(offset, format!("`{written}` is more than all requests"), hint));
        }
        Ok(limit)
    }
}
