//! Ranges without an end: `"1.. x2"`, `"8.. +8"`. A frontier climbs them until a value fails, and looks between the last two after that.
//!
//! In: the text, how finely it is searched, and how far at most. Out: every value that may be reached, and which of them are climbed.

use super::document::{ScenarioText, ScenarioValue};
use super::range::{MOST_POINTS, RangeError, RangeStep, UnitNumber, read_step};

/// A range without an end that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenRange {
    text: String,
    start: f64,
    step: RangeStep,
    /// Its start is written without a decimal point.
    whole: bool,
    suffix: String,
}

/// How far it goes and how finely, in the unit of the range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OpenRangeLimits {
    pub resolution: Option<f64>,
    pub largest: Option<f64>,
    /// Where no largest value is given: so many times the start.
    pub times: f64,
}

/// Its values, ascending.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenRangeValues {
    pub values: Vec<ScenarioValue>,
    /// The places of those at which it is climbed; the last value is one of them.
    pub rungs: Vec<usize>,
}

impl OpenRange {
    /// Reads a range that has a step and no end; `None` where the text is none.
    pub fn read(text: &str) -> Option<Result<Self, RangeError>> {
        let (start, rest) = text.trim().split_once("..")?;
        let step = rest.trim();
        let start = UnitNumber::read(start.trim())?;
        step.starts_with(['+', 'x', '*']).then(|| Self::of(text, &start, step))
    }

    fn of(text: &str, start: &UnitNumber, step: &str) -> Result<Self, RangeError> {
        let (step, _) = read_step(text, Some(step), &start.suffix)?;
        if start.value <= 0.0 {
            return Err(RangeError::new(format!("`{text}` does not start above 0"), "write `1.. x2`"));
        }
        Ok(Self { text: text.to_owned(), start: start.value, step, whole: start.whole, suffix: start.suffix.clone() })
    }

    /// All values that may be reached. Those that are climbed are rounded to the resolution: by default 1 for whole numbers without a unit,
    /// else the start.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "bounded by the most points")]
    pub fn expand(&self, extent: OpenRangeLimits) -> Result<OpenRangeValues, RangeError> {
        let resolution = extent.resolution.unwrap_or(if self.whole && self.suffix.is_empty() { 1.0 } else { self.start });
        let largest = extent.largest.unwrap_or(self.start * extent.times);
        if largest <= self.start {
            return Err(RangeError::new(
                format!("`{}` starts at its `largest` value or above it", self.text),
                "give `largest` a larger one",
            ));
        }
        let last = ((largest - self.start) / resolution + 1e-9).floor();
        if last >= MOST_POINTS as f64 {
            let message = format!("`{}` has more than 1,000,000 points up to {largest}", self.text);
            return Err(RangeError::new(message, "give `resolution` a larger value, or `largest` a smaller one"));
        }
        let last = last as usize;
        let whole = self.whole && resolution.fract() == 0.0;
        let values = (0..=last).map(|place| self.value(self.start + place as f64 * resolution, whole)).collect();
        let mut rungs = vec![0];
        for rung in 1.. {
            let at = match self.step {
                RangeStep::Add(step) => self.start + step * f64::from(rung),
                RangeStep::Times(factor) => self.start * factor.powi(rung),
            };
            let place = ((at - self.start) / resolution).round();
            if place >= last as f64 {
                break;
            }
            let place = place as usize;
            if rungs.last().is_none_or(|before| place > *before) {
                rungs.push(place);
            }
        }
        if last > 0 {
            rungs.push(last);
        }
        Ok(OpenRangeValues { values, rungs })
    }

    #[expect(clippy::cast_possible_truncation, reason = "saturating; what is too large is out of range for every field")]
    fn value(&self, number: f64, whole: bool) -> ScenarioValue {
        // Twelve digits, as of other ranges.
        let number: f64 = format!("{number:.11e}").parse().unwrap_or(number);
        match (self.suffix.is_empty(), whole) {
            (true, true) => ScenarioValue::Integer(number as i64),
            (true, false) => ScenarioValue::Float(number),
            (false, _) => ScenarioValue::Text(ScenarioText::plain(format!("{number}{}", self.suffix))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: OpenRangeLimits = OpenRangeLimits { resolution: None, largest: None, times: 256.0 };

    fn climbed(text: &str, extent: OpenRangeLimits) -> (usize, Vec<String>) {
        let climbed = OpenRange::read(text).unwrap().unwrap().expand(extent).unwrap();
        let show = |value: &ScenarioValue| match value {
            ScenarioValue::Integer(value) => value.to_string(),
            ScenarioValue::Float(value) => format!("{value:?}"),
            ScenarioValue::Text(text) => text.value.clone(),
            _ => unreachable!(),
        };
        (climbed.values.len(), climbed.rungs.iter().map(|rung| show(&climbed.values[*rung])).collect())
    }

    #[test]
    fn it_is_climbed_by_its_step_up_to_its_largest_value() {
        assert_eq!(climbed("1.. x2", PLAIN), (256, ["1", "2", "4", "8", "16", "32", "64", "128", "256"].map(str::to_owned).to_vec()));
        let short = OpenRangeLimits { largest: Some(30.0), ..PLAIN };
        assert_eq!(climbed("8.. +8", short), (23, ["8", "16", "24", "30"].map(str::to_owned).to_vec()));
        assert_eq!(climbed("0.5.. x2", short), (60, ["0.5", "1.0", "2.0", "4.0", "8.0", "16.0", "30.0"].map(str::to_owned).to_vec()));
        assert_eq!(
            climbed("1k.. x2", OpenRangeLimits { largest: Some(6.0), ..PLAIN }),
            (6, ["1k", "2k", "4k", "6k"].map(str::to_owned).to_vec())
        );
    }

    #[test]
    fn steps_are_rounded_to_the_resolution() {
        let coarse = OpenRangeLimits { resolution: Some(2.0), largest: Some(12.0), ..PLAIN };
        assert_eq!(climbed("1.. x1.5", coarse), (6, ["1", "3", "5", "7", "11"].map(str::to_owned).to_vec()));
    }

    #[test]
    fn what_has_an_end_or_no_step_is_none() {
        for text in ["1..=4", "1..4", "1..", "a.. x2", "data/../x2", "1..=64 x2"] {
            assert_eq!(OpenRange::read(text), None, "{text}");
        }
        assert!(OpenRange::read("0.. x2").unwrap().unwrap_err().message.contains("does not start above 0"));
        assert!(OpenRange::read("1.. x1").unwrap().is_err());
    }

    #[test]
    fn more_than_a_million_values_are_refused() {
        let fine = OpenRangeLimits { resolution: Some(0.0001), ..PLAIN };
        let fault = OpenRange::read("1.. x2").unwrap().unwrap().expand(fine).unwrap_err();
        assert!(fault.message.contains("more than 1,000,000 points"), "{}", fault.message);
    }
}
