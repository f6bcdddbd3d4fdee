//! Newtypes for what has a unit: written by people as `"30s"`, `"8k"`, `"112GB"` or `"25GB/s"`, shown with the unit again.
//!
//! A bare number is taken in the base unit (seconds, tokens, bytes, bytes per second). Parsing never panics and says what it allows.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::foundation::sentence::sentence;

/// A text that is no quantity of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not {expected}", sentence(found))]
pub struct UnitError {
    pub found: String,
    pub expected: &'static str,
}

/// What the quantities of this module have in common.
trait UnitQuantity: Sized {
    const EXPECTED: &'static str;
    const EXAMPLES: [&'static str; 2];
    /// Suffixes, lower case, with the factor to the base unit; the empty one stands for a bare number.
    const SUFFIXES: &'static [(&'static str, f64)];
    /// From the base unit; `None` where the value is out of range.
    fn from_base(value: f64) -> Option<Self>;
}

fn parse<Q: UnitQuantity>(text: &str) -> Result<Q, UnitError> {
    let fault = || UnitError { found: text.to_owned(), expected: Q::EXPECTED };
    let compact: String = text.chars().filter(|c| !c.is_whitespace() && *c != '_').collect();
    let split = compact.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(compact.len());
    let (number, suffix) = compact.split_at(split);
    let suffix = suffix.to_ascii_lowercase();
    let factor = Q::SUFFIXES.iter().find(|(name, _)| *name == suffix).ok_or_else(fault)?.1;
    let value: f64 = number.parse().map_err(|_| fault())?;
    Q::from_base(value * factor).ok_or_else(fault)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked first")]
fn whole(value: f64) -> Option<u64> {
    // 2^53: beyond it a double no longer holds every whole number.
    let in_range = (0.0..=9_007_199_254_740_992.0).contains(&value);
    (in_range && (value - value.round()).abs() < 1e-6).then_some(value.round() as u64)
}

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident($inner:ty), $schema_name:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
        pub struct $name(pub $inner);

        impl FromStr for $name {
            type Err = UnitError;
            fn from_str(text: &str) -> Result<Self, UnitError> {
                parse(text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(UnitQuantityVisitor::<Self>(std::marker::PhantomData))
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                $schema_name.into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "description": "A number in the base unit, or a text with a unit.",
                    "type": ["number", "string"],
                    "examples": <$name as UnitQuantity>::EXAMPLES,
                })
            }
        }
    };
}

struct UnitQuantityVisitor<Q>(std::marker::PhantomData<Q>);

impl<Q: UnitQuantity> Visitor<'_> for UnitQuantityVisitor<Q> {
    type Value = Q;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Q::EXPECTED)
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Q, E> {
        parse(text).map_err(E::custom)
    }
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Q, E> {
        Q::from_base(value).ok_or_else(|| E::custom(UnitError { found: value.to_string(), expected: Q::EXPECTED }))
    }
    #[expect(clippy::cast_precision_loss, reason = "what a double cannot hold is far out of every range")]
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Q, E> {
        self.visit_f64(value as f64)
    }
    #[expect(clippy::cast_precision_loss, reason = "what a double cannot hold is far out of every range")]
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Q, E> {
        self.visit_f64(value as f64)
    }
}

quantity! {
    /// A duration in seconds: `"250ms"`, `"30s"`, `"2m"`, `"1h"`, or a number of seconds. Finite and not negative.
    Seconds(f64), "Seconds"
}

impl UnitQuantity for Seconds {
    const EXPECTED: &'static str = "a duration such as `250ms`, `30s`, `2m`, `1h` or a number of seconds";
    const EXAMPLES: [&'static str; 2] = ["250ms", "2m"];
    const SUFFIXES: &'static [(&'static str, f64)] =
        &[("", 1.0), ("ps", 1e-12), ("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("min", 60.0), ("h", 3600.0)];
    fn from_base(value: f64) -> Option<Self> {
        (value.is_finite() && value >= 0.0).then_some(Self(value))
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0;
        if seconds != 0.0 && seconds < 1e-6 {
            write!(f, "{}ns", TrimmedDecimal(seconds * 1e9))
        } else if seconds != 0.0 && seconds < 1.0 {
            write!(f, "{}ms", TrimmedDecimal(seconds * 1e3))
        } else if seconds >= 3600.0 && seconds % 3600.0 == 0.0 {
            write!(f, "{}h", seconds / 3600.0)
        } else if seconds >= 60.0 && seconds % 60.0 == 0.0 {
            write!(f, "{}m", seconds / 60.0)
        } else {
            write!(f, "{}s", TrimmedDecimal(seconds))
        }
    }
}

quantity! {
    /// A number of tokens: `"8k"` (8,192), `"1m"` (1,048,576), or a number. Whole and not negative. `k` is 1,024 here because document
    /// buckets and context windows are powers of two.
    Tokens(u64), "Tokens"
}

impl UnitQuantity for Tokens {
    const EXPECTED: &'static str = "a number of tokens such as `512`, `8k` (8,192) or `1m` (1,048,576)";
    const EXAMPLES: [&'static str; 2] = ["8k", "131072"];
    const SUFFIXES: &'static [(&'static str, f64)] = &[("", 1.0), ("k", 1024.0), ("m", 1_048_576.0)];
    fn from_base(value: f64) -> Option<Self> {
        whole(value).map(Self)
    }
}

impl fmt::Display for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            n if n >= 1_048_576 && n.is_multiple_of(1_048_576) => write!(f, "{}m", n / 1_048_576),
            n if n >= 1024 && n.is_multiple_of(1024) => write!(f, "{}k", n / 1024),
            n => write!(f, "{n}"),
        }
    }
}

quantity! {
    /// An amount of memory: `"112GB"` (decimal), `"64GiB"` (binary), or a number of bytes. Whole and not negative.
    Bytes(u64), "Bytes"
}

impl UnitQuantity for Bytes {
    const EXPECTED: &'static str = "an amount of memory such as `112GB`, `64GiB` or a number of bytes";
    const EXAMPLES: [&'static str; 2] = ["112GB", "64GiB"];
    const SUFFIXES: &'static [(&'static str, f64)] = &[
        ("", 1.0),
        ("b", 1.0),
        ("kb", 1e3),
        ("mb", 1e6),
        ("gb", 1e9),
        ("tb", 1e12),
        ("kib", 1024.0),
        ("mib", 1_048_576.0),
        ("gib", 1_073_741_824.0),
        ("tib", 1_099_511_627_776.0),
    ];
    fn from_base(value: f64) -> Option<Self> {
        whole(value.round()).map(Self)
    }
}

impl fmt::Display for Bytes {
    #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0 as f64;
        let (value, unit) = match bytes {
            b if b >= 1e12 => (b / 1e12, "TB"),
            b if b >= 1e9 => (b / 1e9, "GB"),
            b if b >= 1e6 => (b / 1e6, "MB"),
            b if b >= 1e3 => (b / 1e3, "kB"),
            b => (b, "B"),
        };
        write!(f, "{}{unit}", TrimmedDecimal(value))
    }
}

quantity! {
    /// A transfer rate in bytes per second: `"25GB/s"`, or a number. At least one byte and at most 10^18 bytes per second.
    BytesPerSecond(f64), "BytesPerSecond"
}

impl UnitQuantity for BytesPerSecond {
    const EXPECTED: &'static str = "a transfer rate such as `25GB/s` or a number of bytes per second from 1 to 1e18";
    const EXAMPLES: [&'static str; 2] = ["25GB/s", "6GiB/s"];
    const SUFFIXES: &'static [(&'static str, f64)] =
        &[("", 1.0), ("b/s", 1.0), ("mb/s", 1e6), ("gb/s", 1e9), ("tb/s", 1e12), ("mib/s", 1_048_576.0), ("gib/s", 1_073_741_824.0)];
    fn from_base(value: f64) -> Option<Self> {
        (1.0..=1e18).contains(&value).then_some(Self(value))
    }
}

impl fmt::Display for BytesPerSecond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (value, unit) = match self.0 {
            b if b >= 1e9 => (b / 1e9, "GB/s"),
            b if b >= 1e6 => (b / 1e6, "MB/s"),
            b => (b, "B/s"),
        };
        write!(f, "{}{unit}", TrimmedDecimal(value))
    }
}

// Saved in the base unit as a plain number, so that any reader can compute with it.
impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0)
    }
}
impl Serialize for Tokens {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}
impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}
impl Serialize for BytesPerSecond {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0)
    }
}

/// A unit of times that stand as bare numbers in a file of another program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TimeUnit {
    /// Microseconds.
    Us,
    /// Milliseconds.
    Ms,
    /// Seconds.
    S,
}

impl TimeUnit {
    /// As it is written in a scenario.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Us => "us",
            Self::Ms => "ms",
            Self::S => "s",
        }
    }

    /// As it stands in a sentence.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Us => "microseconds",
            Self::Ms => "milliseconds",
            Self::S => "seconds",
        }
    }

    /// How many milliseconds one is.
    #[must_use]
    pub fn milliseconds(self) -> f64 {
        match self {
            Self::Us => 1e-3,
            Self::Ms => 1.0,
            Self::S => 1e3,
        }
    }
}

impl FromStr for TimeUnit {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let fault = || UnitError { found: text.to_owned(), expected: "a unit of time: `us`, `ms` or `s`" };
        [Self::Us, Self::Ms, Self::S].into_iter().find(|unit| unit.name() == text).ok_or_else(fault)
    }
}

/// A number with commas: `1,000,000`.
pub fn grouped(number: impl Into<u128>) -> String {
    let digits = number.into().to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// A time to wait, in whole seconds: `45 s`, `3 min 10 s`, `2 h 5 min`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturating, and for people")]
pub fn waiting_time(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, 0) => format!("{minutes} min"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, 0, _) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// Up to three decimals, without trailing zeros.
struct TrimmedDecimal(f64);

impl fmt::Display for TrimmedDecimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.3}", self.0);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_have_commas_and_times_to_wait_two_units_at_most() {
        assert_eq!([0_u64, 999, 1000, 1_953_024].map(grouped), ["0", "999", "1,000", "1,953,024"]);
        let shown = [0.2, 59.0, 180.0, 190.4, 7200.0, 7500.0].map(waiting_time);
        assert_eq!(shown, ["0 s", "59 s", "3 min", "3 min 10 s", "2 h", "2 h 5 min"]);
    }

    #[test]
    fn quantities_are_read_with_their_units() {
        assert_eq!("30s".parse(), Ok(Seconds(30.0)));
        assert_eq!("250 ms".parse(), Ok(Seconds(0.25)));
        assert_eq!("1.5m".parse(), Ok(Seconds(90.0)));
        assert_eq!("8k".parse(), Ok(Tokens(8192)));
        assert_eq!("1m".parse(), Ok(Tokens(1_048_576)));
        assert_eq!("131_072".parse(), Ok(Tokens(131_072)));
        assert_eq!("112GB".parse(), Ok(Bytes(112_000_000_000)));
        assert_eq!("2GiB".parse(), Ok(Bytes(2_147_483_648)));
        assert_eq!("25GB/s".parse(), Ok(BytesPerSecond(25e9)));
    }

    #[test]
    fn what_is_no_quantity_is_refused_with_what_is_allowed() {
        for text in ["", "s", "-1s", "inf", "nan", "1e400s", "5 parsecs", "0x10"] {
            let error = text.parse::<Seconds>().unwrap_err();
            assert!(error.to_string().contains("duration"), "{text}: {error}");
        }
        assert!("1.5".parse::<Tokens>().is_err());
        assert!("-3".parse::<Tokens>().is_err());
        assert!("1e300".parse::<Bytes>().is_err());
    }

    #[test]
    fn what_is_shown_can_be_read_again() {
        for seconds in [0.0, 0.25, 2.0, 90.0, 120.0, 7200.0] {
            assert_eq!(Seconds(seconds).to_string().parse(), Ok(Seconds(seconds)));
        }
        for tokens in [0, 7, 8192, 131_072, 1_048_576] {
            assert_eq!(Tokens(tokens).to_string().parse(), Ok(Tokens(tokens)));
        }
        assert_eq!(Bytes(112_000_000_000).to_string(), "112GB");
        assert_eq!(BytesPerSecond(25e9).to_string(), "25GB/s");
        for rate in [1.0, 1.5, 999_999.999_9, 1e6, 25e9, 1e18] {
            let again: BytesPerSecond = BytesPerSecond(rate).to_string().parse().unwrap();
            assert!((again.0 / rate - 1.0).abs() < 1e-3, "{rate} is shown as {}", BytesPerSecond(rate));
        }
    }

    #[test]
    fn rates_that_could_not_be_shown_are_refused_with_what_is_allowed() {
        for text in ["0.0001B/s", "0", "0.999", "-1GB/s", "1000000001GB/s"] {
            let fault = text.parse::<BytesPerSecond>().unwrap_err().to_string();
            assert_eq!(fault, format!("`{text}` is not a transfer rate such as `25GB/s` or a number of bytes per second from 1 to 1e18"));
        }
        assert!(serde_json::from_str::<BytesPerSecond>("1e-9").is_err());
    }
}
