//! Ranges as axis values: `"1..=4"`, `"1..4"`, `"256..=4096 +256"`, `"1..=64 x2"`, `"8k..=128k x2"`. How many values a range has is known
//! before any of them is made.

use super::document::{ScenarioText, ScenarioValue};

/// The most values that a range may have.
pub const MOST_POINTS: u64 = 1_000_000;

/// A range that was read and counted.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueRange {
    start: f64,
    step: RangeStep,
    count: u64,
    /// All of it is written without a decimal point.
    whole: bool,
    suffix: String,
}

/// How a range goes on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RangeStep {
    Add(f64),
    Times(f64),
}

/// What is wrong with a text that looks like a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeError {
    pub message: String,
    pub hint: Option<String>,
}

impl RangeError {
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: Some(hint.into()) }
    }
}

impl ValueRange {
    /// Reads a range; `None` where the text is none, which then is an ordinary value.
    pub fn read(text: &str) -> Option<Result<Self, RangeError>> {
        let (start, rest) = text.trim().split_once("..")?;
        let (inclusive, rest) = match rest.strip_prefix('=') {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let mut words = rest.split_whitespace();
        let (start, end) = (UnitNumber::read(start.trim())?, UnitNumber::read(words.next()?)?);
        let step = words.next();
        if words.next().is_some() {
            return Some(Err(RangeError::new(format!("`{text}` has more than a start, an end and a step"), "write `1..=64 x2`")));
        }
        Some(Self::of(text, &start, &end, inclusive, step))
    }

    fn of(text: &str, start: &UnitNumber, end: &UnitNumber, inclusive: bool, step: Option<&str>) -> Result<Self, RangeError> {
        if start.suffix != end.suffix && start.value != 0.0 {
            return Err(RangeError::new(format!("`{text}` has ends in different units"), format!("write both in `{}`", end.suffix)));
        }
        let (step, step_whole) = read_step(text, step, &end.suffix)?;
        let whole = start.whole && end.whole && step_whole;
        if !whole && step == RangeStep::Add(1.0) && !step_whole {
            return Err(RangeError::new(format!("`{text}` needs a step"), "write `0.5..=4 +0.5`"));
        }
        let count = count(start.value, end.value, step, inclusive);
        match count {
            None => Err(RangeError::new(format!("`{text}` does not come to an end"), "a factor starts above 0 and is larger than 1")),
            Some(0) => Err(RangeError::new(format!("`{text}` is empty"), empty_hint(start, end, inclusive))),
            Some(count) if count > MOST_POINTS => {
                let message = format!("`{text}` has more than 1,000,000 points");
                Err(RangeError::new(message, "give it a larger step: `1..=64 x2`"))
            }
            Some(count) => Ok(Self { start: start.value, step, count, whole, suffix: end.suffix.clone() }),
        }
    }

    pub fn len(&self) -> u64 {
        self.count
    }

    /// The values, in order. Numbers with a unit are texts with that unit, as if they had been listed.
    pub fn values(&self) -> impl Iterator<Item = ScenarioValue> + '_ {
        (0..self.count).map(|index| self.value(index))
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "saturating; what a double cannot hold is out of range for every field"
    )]
    fn value(&self, index: u64) -> ScenarioValue {
        let number = match self.step {
            RangeStep::Add(step) => self.start + step * index as f64,
            RangeStep::Times(factor) => self.start * factor.powf(index as f64),
        };
        // Twelve digits: enough for every axis, and 0.1 * 3 stays 0.3.
        let number: f64 = format!("{number:.11e}").parse().unwrap_or(number);
        let bare = if number.fract() == 0.0 && self.whole { ScenarioValue::Integer(number as i64) } else { ScenarioValue::Float(number) };
        if self.suffix.is_empty() { bare } else { ScenarioValue::Text(ScenarioText::plain(format!("{number}{}", self.suffix))) }
    }
}

/// A number with its unit.
pub struct UnitNumber {
    pub value: f64,
    /// It is written without a decimal point.
    pub whole: bool,
    pub suffix: String,
}

impl UnitNumber {
    pub fn read(text: &str) -> Option<Self> {
        let split = text.find(|character: char| character.is_ascii_alphabetic()).unwrap_or(text.len());
        let (digits, suffix) = text.split_at(split);
        let digits = digits.trim().replace('_', "");
        let value: f64 = digits.parse().ok()?;
        (value.is_finite() && suffix.len() <= 6).then(|| Self { value, whole: !digits.contains('.'), suffix: suffix.to_owned() })
    }
}

/// A step, and whether it is written without a decimal point.
pub fn read_step(text: &str, step: Option<&str>, suffix: &str) -> Result<(RangeStep, bool), RangeError> {
    let fault = |what: &str| RangeError::new(format!("`{what}` is no step of `{text}`"), "a step is `+256` or `x2`");
    let Some(step) = step else { return Ok((RangeStep::Add(1.0), true)) };
    let (sign, number) = step.split_at_checked(1).ok_or_else(|| fault(step))?;
    let number = UnitNumber::read(number).ok_or_else(|| fault(step))?;
    match sign {
        "+" if number.value > 0.0 && number.suffix == suffix => Ok((RangeStep::Add(number.value), number.whole)),
        "x" | "*" if number.value > 1.0 && number.suffix.is_empty() => Ok((RangeStep::Times(number.value), number.whole)),
        _ => Err(fault(step)),
    }
}

/// How many values; `None` where they do not end.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturating is what is meant")]
fn count(start: f64, end: f64, step: RangeStep, inclusive: bool) -> Option<u64> {
    if start > end || (start >= end && !inclusive) {
        return Some(0);
    }
    let steps = match step {
        RangeStep::Add(step) => (end - start) / step,
        RangeStep::Times(_) if start <= 0.0 => return None,
        RangeStep::Times(factor) => (end / start).ln() / factor.ln(),
    };
    let reached = (steps + 1e-9).floor();
    let at_end = (steps - reached).abs() < 1e-9;
    Some(if at_end && !inclusive { reached as u64 } else { (reached as u64).saturating_add(1) })
}

fn empty_hint(start: &UnitNumber, end: &UnitNumber, inclusive: bool) -> String {
    let (one, other) = (start.value, end.value);
    let suffix = &end.suffix;
    if one > other {
        format!("a range goes up: `{other}{suffix}..={one}{suffix}`")
    } else if inclusive {
        "write `1..=4`".to_owned()
    } else {
        format!("`..` leaves the end out; `{one}{suffix}..={other}{suffix}` holds it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<String> {
        let show = |value: ScenarioValue| match value {
            ScenarioValue::Integer(value) => value.to_string(),
            ScenarioValue::Float(value) => format!("{value:?}"),
            ScenarioValue::Text(text) => text.value,
            _ => unreachable!(),
        };
        ValueRange::read(text).unwrap().unwrap().values().map(show).collect()
    }

    #[test]
    fn ranges_hold_what_they_say() {
        assert_eq!(values("1..=4"), ["1", "2", "3", "4"]);
        assert_eq!(values("1..4"), ["1", "2", "3"]);
        assert_eq!(values("256..=1024 +256"), ["256", "512", "768", "1024"]);
        assert_eq!(values("256..1024 +256"), ["256", "512", "768"]);
        assert_eq!(values("1..=64 x2"), ["1", "2", "4", "8", "16", "32", "64"]);
        assert_eq!(values("1..64 x2"), ["1", "2", "4", "8", "16", "32"]);
        assert_eq!(values("1..=60 x3"), ["1", "3", "9", "27"]);
        assert_eq!(values("0.1..=0.4 +0.1"), ["0.1", "0.2", "0.3", "0.4"]);
        assert_eq!(values("8k..=32k x2"), ["8k", "16k", "32k"]);
        assert_eq!(values("100GB..=200GB +50GB"), ["100GB", "150GB", "200GB"]);
        assert_eq!(values("5..=5"), ["5"]);
    }

    #[test]
    fn what_is_no_range_is_an_ordinary_text() {
        for text in ["", "a..b", "data/../more", "..", "1.5", "1..", "v1..=v4"] {
            assert_eq!(ValueRange::read(text), None, "{text}");
        }
    }

    #[test]
    fn empty_endless_and_huge_ranges_are_refused_with_a_hint() {
        let fault = |text: &str| ValueRange::read(text).unwrap().unwrap_err();
        assert_eq!(fault("4..=1").hint.unwrap(), "a range goes up: `1..=4`");
        assert_eq!(fault("4..4").hint.unwrap(), "`..` leaves the end out; `4..=4` holds it");
        assert!(fault("0..=8 x2").message.contains("does not come to an end"));
        assert!(fault("1..=8 x1").message.contains("is no step"));
        assert!(fault("1..=8 +0").message.contains("is no step"));
        assert!(fault("1..=8 -1").message.contains("is no step"));
        assert!(fault("1..=8 +1 +2").message.contains("more than a start"));
        assert!(fault("1..=1000001").message.contains("more than 1,000,000 points"));
        assert!(fault("0..=9000000000000000 +0.001").message.contains("more than 1,000,000 points"));
        assert_eq!(ValueRange::read("1..=1000000").unwrap().unwrap().len(), 1_000_000);
    }
}
