//! Numbers as people read them: in the unit that fits, three significant digits, more where fewer would tell a lie about a limit, and
//! `fail` where so many requests failed that the value is one of them. Never an infinite or undefined number.

use crate::analysis::{Estimate, ExtendedReal, SweepSummary};
pub use crate::vocabulary::metric::DisplayUnit;

/// Measured values as text, in a unit.
pub trait ValueFormat: Sized {
    /// Of the measure that a report shows: the same in each of its tables, and in its pictures.
    #[must_use]
    fn of_shown(summary: &SweepSummary) -> Self;

    /// The value with as many digits as it takes to stand on its own side of the limit.
    #[must_use]
    fn show(self, value: ExtendedReal, limit: Option<f64>) -> String;

    /// A measured value: with `≥ ` or `≤ ` before it where it is only a bound, with `~ ` where it is that of the rows that came, and a dash
    /// where there is none.
    #[must_use]
    fn measured(self, estimate: &Estimate, limit: Option<f64>) -> String;

    /// The interval as `0.31 to 0.52`, `0.31 or more`, or nothing where so few requests bound it on no side.
    #[must_use]
    fn interval(self, estimate: &Estimate) -> Option<String>;
}

impl ValueFormat for DisplayUnit {
    fn of_shown(summary: &SweepSummary) -> Self {
        let cells = || summary.variants.iter().flat_map(|variant| &variant.cells);
        let goal = cells().flat_map(|cell| &cell.goals).find(|goal| goal.estimate.measure == summary.shown);
        let values = cells().filter_map(|cell| cell.shown.as_ref()?.value?.finite());
        summary.shown_unit.display(goal.map(|goal| goal.limit), values.max_by(f64::total_cmp))
    }

    fn show(self, value: ExtendedReal, limit: Option<f64>) -> String {
        let Some(value) = value.finite() else { return "fail".to_owned() };
        let shown = value * self.factor;
        let Some(limit) = limit.map(|limit| limit * self.factor) else { return significant(shown, 3) };
        let honest = |text: &String| text.parse::<f64>().is_ok_and(|read| read.total_cmp(&limit) == shown.total_cmp(&limit));
        (3..=9).map(|digits| significant(shown, digits)).find(honest).unwrap_or_else(|| significant(shown, 9))
    }

    fn measured(self, estimate: &Estimate, limit: Option<f64>) -> String {
        let sign = estimate.bound.map_or("", |bound| bound.side.sign());
        estimate.value.map_or_else(|| "-".to_owned(), |value| format!("{sign}{}", self.show(value, limit)))
    }

    fn interval(self, estimate: &Estimate) -> Option<String> {
        let end = |value: ExtendedReal| self.show(value, None);
        match (estimate.low, estimate.high) {
            // Even the lower end is a failed request: the value has said so.
            (Some(low), _) if low.finite().is_none() => None,
            (Some(low), Some(high)) => Some(format!("{} to {}", end(low), end(high))),
            (Some(low), None) => Some(format!("{} or more", end(low))),
            (None, Some(high)) => Some(format!("up to {}", end(high))),
            (None, None) => None,
        }
    }
}

/// A number with so many significant digits and no exponent: `0.379`, `1.97`, `42.5`, `1234`.
#[must_use]
pub fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return if value == 0.0 { "0".to_owned() } else { "fail".to_owned() };
    }
    // The exponent after rounding: 9.996 is 10.0 in three digits, not 10.00.
    let scientific = format!("{value:.*e}", digits.saturating_sub(1));
    let exponent: i64 = scientific.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
    let decimals = i64::try_from(digits).unwrap_or(3) - 1 - exponent;
    let decimals = usize::try_from(decimals.clamp(0, 12)).unwrap_or(0);
    format!("{value:.decimals$}")
}

/// A number with three significant digits, or a dash where there is none.
#[must_use]
pub fn or_dash(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| significant(value, 3))
}

/// A share as a percentage, or a dash.
#[must_use]
pub fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{} %", significant(share * 100.0, 3)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::IntervalMethod;
    use crate::vocabulary::metric::MeasureUnit;

    fn show(value: f64, limit: f64) -> String {
        MeasureUnit::Seconds.display(Some(limit), None).show(ExtendedReal::new(value).unwrap(), Some(limit))
    }

    #[test]
    fn three_digits_are_three_digits_at_every_size() {
        for (value, text) in
            [(0.794_144, "0.794"), (9.996, "10.0"), (33.565_437, "33.6"), (1234.6, "1235"), (0.000_123_4, "0.000123"), (0.0, "0")]
        {
            assert_eq!(significant(value, 3), text);
        }
    }

    #[test]
    fn a_value_never_rounds_to_the_other_side_of_its_limit() {
        assert_eq!(show(1.97, 2.0), "1.97");
        assert_eq!(show(1.999, 2.0), "1.999");
        assert_eq!(show(2.000_04, 2.0), "2.00004");
        assert_eq!(show(2.0, 2.0), "2.00");
        assert_eq!(show(0.2, 0.2), "200");
        assert_eq!(show(0.200_4, 0.2), "200.4");
    }

    #[test]
    fn infinity_is_a_word() {
        assert_eq!(show(f64::INFINITY, 2.0), "fail");
        assert_eq!(significant(f64::NAN, 3), "fail");
        let infinite = ExtendedReal::new(f64::INFINITY);
        let estimate = Estimate {
            measure: "max(ttft)".parse().unwrap(),
            unit: MeasureUnit::Seconds,
            n: 80,
            value: infinite,
            low: ExtendedReal::new(0.5),
            high: infinite,
            sessions: 80,
            effective_n: 80,
            method: IntervalMethod::OrderStatistics,
            bound: None,
        };
        assert_eq!(MeasureUnit::Seconds.display(None, None).interval(&estimate).unwrap(), "0.500 to fail");
    }
}
