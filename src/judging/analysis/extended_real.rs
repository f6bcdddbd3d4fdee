//! A number that may be +infinity, as a percentile over failed requests is. In files a finite one is a number and infinity is the text
//! `"inf"`, since JSON has no word for it.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A finite number or +infinity; never NaN.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct ExtendedReal(f64);

impl ExtendedReal {
    /// `None` for NaN, which is no measured value.
    #[must_use]
    pub fn new(value: f64) -> Option<Self> {
        (!value.is_nan()).then_some(Self(value))
    }

    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }

    #[must_use]
    pub fn finite(self) -> Option<f64> {
        self.0.is_finite().then_some(self.0)
    }
}

impl Serialize for ExtendedReal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            value if value.is_finite() => serializer.serialize_f64(value),
            value if value > 0.0 => serializer.serialize_str("inf"),
            _ => serializer.serialize_str("-inf"),
        }
    }
}

impl<'de> Deserialize<'de> for ExtendedReal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(f64),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Number(value) => Ok(Self(value)),
            Written::Text(text) if text == "inf" => Ok(Self(f64::INFINITY)),
            Written::Text(text) if text == "-inf" => Ok(Self(f64::NEG_INFINITY)),
            Written::Text(text) => Err(de::Error::custom(format!("`{text}` is neither a number nor `inf`"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn infinity_survives_json_and_is_no_null() {
        let values = [ExtendedReal(1.5), ExtendedReal(f64::INFINITY)];
        let text = serde_json::to_string(&values).unwrap();
        assert_eq!(text, r#"[1.5,"inf"]"#);
        assert_eq!(serde_json::from_str::<[ExtendedReal; 2]>(&text).unwrap(), values);
        assert_eq!(ExtendedReal::new(f64::NAN), None);
    }
}
