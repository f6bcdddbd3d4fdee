//! Numbers as people read them: three significant digits, and more where fewer would tell a lie about a limit.

use super::figure::{FigureCell, PlotLimit, PlotQuantity};
use crate::vocabulary::goal::ComparisonOperator;

/// Three significant digits: `0.379`, `1.97`, `42.5`, `1234`, `12.3k`.
pub fn three_digits(value: f64) -> String {
    significant(value, 3)
}

/// A value in its shown unit, with as many digits (three at least, seven at most) as it takes to be on the same side of the limit as
/// the value itself: 2.0004 is not `2.00` where at most 2 is allowed.
pub fn beside(value: f64, quantity: &PlotQuantity, limit: Option<&PlotLimit>) -> String {
    let shown = value * quantity.factor;
    let Some(limit) = limit else { return three_digits(shown) };
    let honest = |text: &String| text.parse::<f64>().is_ok_and(|read| limit.holds(read / quantity.factor) == limit.holds(value));
    // Beyond 10,000 three digits come with a suffix, which is far from any limit it could be confused with or spelled out below.
    (3..=7).map(|digits| significant(shown, digits)).find(honest).unwrap_or_else(|| three_digits(shown))
}

/// As short as the number allows, for limits and ticks: `2`, `0.5`, `1.25`.
pub fn short(value: f64) -> String {
    if value != 0.0 && !(1e-4..1e6).contains(&value.abs()) {
        return format!("{value:e}");
    }
    let text = format!("{value:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A cell's interval: `0.31 – 0.52`, or `≥ 0.31` where so few samples do not give the other end.
pub fn interval(cell: &FigureCell, quantity: &PlotQuantity) -> Option<String> {
    let bound = |value: f64| three_digits(value * quantity.factor);
    match (cell.low, cell.high) {
        (Some(low), Some(high)) => Some(format!("{} – {}", bound(low), bound(high))),
        (Some(low), None) => Some(format!("≥ {}", bound(low))),
        (None, Some(high)) => Some(format!("≤ {}", bound(high))),
        (None, None) => None,
    }
}

/// What a share of sureness is called: `95 %`.
pub fn confidence(share: f64) -> String {
    format!("{} %", short(share * 100.0))
}

/// What a limit asks for: `≤ 2 s`.
pub fn goal(limit: &PlotLimit, quantity: &PlotQuantity) -> String {
    let sign = match limit.comparison {
        ComparisonOperator::Less => "<",
        ComparisonOperator::LessOrEqual => "≤",
        ComparisonOperator::Greater => ">",
        ComparisonOperator::GreaterOrEqual => "≥",
        ComparisonOperator::Equal => "=",
        ComparisonOperator::NotEqual => "≠",
    };
    format!("{sign} {} {}", short(limit.value * quantity.factor), quantity.unit).trim_end().to_owned()
}

fn significant(value: f64, digits: usize) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "∞".to_owned() } else { "-∞".to_owned() };
    }
    if value == 0.0 || value.is_nan() {
        return if value == 0.0 { "0".to_owned() } else { "?".to_owned() };
    }
    // The exponent after rounding: 9.996 is 10.0 in three digits, not 10.00.
    let scientific = format!("{value:.*e}", digits - 1);
    let exponent: i32 = scientific.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
    match exponent {
        -4..=3 => {
            let decimals = usize::try_from(i32::try_from(digits).unwrap_or(3) - 1 - exponent).unwrap_or(0);
            format!("{value:.decimals$}")
        }
        4..=5 if digits == 3 => format!("{}k", significant(value / 1e3, 3)),
        6..=8 if digits == 3 => format!("{}M", significant(value / 1e6, 3)),
        4..=8 => format!("{value:.*}", digits.saturating_sub(usize::try_from(exponent).unwrap_or(0) + 1)),
        _ => scientific,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds() -> PlotQuantity {
        PlotQuantity { name: "p95(ttft)".into(), unit: "s".into(), factor: 1.0 }
    }

    #[test]
    fn three_digits_are_three_digits_at_every_size() {
        for (value, text) in [
            (0.379_049, "0.379"),
            (1.97, "1.97"),
            (42.531_053, "42.5"),
            (9.996, "10.0"),
            (0.000_123_4, "0.000123"),
            (1234.4, "1234"),
            (12_345.0, "12.3k"),
            (999_999.0, "1.00M"),
            (0.0, "0"),
            (f64::INFINITY, "∞"),
            (4.5e-7, "4.50e-7"),
        ] {
            assert_eq!(three_digits(value), text, "{value}");
        }
    }

    #[test]
    fn a_value_never_reads_as_if_it_were_on_the_other_side_of_the_limit() {
        let limit = PlotLimit { comparison: ComparisonOperator::LessOrEqual, value: 2.0 };
        let shown = |value| beside(value, &seconds(), Some(&limit));
        assert_eq!(shown(1.97), "1.97");
        assert_eq!(shown(2.0), "2.00");
        assert_eq!(shown(2.0004), "2.0004");
        assert_eq!(shown(1.9999), "2.00", "it passes, and 2.00 passes");
        let strict = PlotLimit { comparison: ComparisonOperator::Less, value: 2.0 };
        assert_eq!(beside(1.9999, &seconds(), Some(&strict)), "1.9999");
        assert_eq!(beside(42_531.0, &seconds(), Some(&limit)), "42531");
    }

    #[test]
    fn limits_are_short() {
        assert_eq!([2.0, 0.5, 1.25, 200.0].map(short), ["2", "0.5", "1.25", "200"]);
        assert_eq!(short(2e-7), "2e-7");
        assert_eq!(short(0.0), "0");
    }
}
