//! What a scenario may say about lengths in tokens: one for all, or a distribution from which each is drawn.
//!
//! In go a number, a text such as `lognormal(1000, 500)` or a table; saved is a number or the text, so that equal lengths are equal however they
//! were written.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::foundation::sentence::sentence;
use crate::foundation::units::Tokens;

/// Lengths in tokens.
#[derive(Debug, Clone, PartialEq)]
pub enum LengthDistribution {
    /// All have this one.
    Fixed(Tokens),
    /// Every whole number from `min` to `max` is equally likely.
    Uniform { min: Tokens, max: Tokens },
    /// A normal distribution of this mean and standard deviation, of which only what lies within the bounds is drawn.
    Normal { mean: Tokens, sd: Tokens, bounds: LengthBounds },
    /// The same of a lognormal distribution; mean and standard deviation are those of the lengths, not of their logarithms.
    Lognormal { mean: Tokens, sd: Tokens, bounds: LengthBounds },
    /// One of the lines of a file, each a whole number of tokens.
    File(PathBuf),
}

/// The least and the most that is drawn, both included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LengthBounds {
    /// 1 where none is written.
    pub min: Tokens,
    /// Where none is written, it is the quantile of 1 - 10^-6.
    pub max: Option<Tokens>,
}

impl Default for LengthBounds {
    fn default() -> Self {
        Self { min: Tokens(1), max: None }
    }
}

/// A text that is no length.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not {EXPECTED}", sentence(.found))]
pub struct LengthError {
    pub found: String,
}

const EXPECTED: &str = "a length: a number of tokens such as `512` or `8k`, `uniform(100..2000)`, `normal(1000, 200)`, `lognormal(1000, 500, 1..8000)` \
                        or `file(lengths.txt)`";

impl LengthDistribution {
    /// Whether all lengths are the same.
    #[must_use]
    pub fn is_fixed(&self) -> bool {
        matches!(self, Self::Fixed(_))
    }

    /// Its file.
    #[must_use]
    pub fn file(&self) -> Option<&std::path::Path> {
        match self {
            Self::File(file) => Some(file),
            Self::Fixed(_) | Self::Uniform { .. } | Self::Normal { .. } | Self::Lognormal { .. } => None,
        }
    }
}

impl FromStr for LengthDistribution {
    type Err = LengthError;

    fn from_str(text: &str) -> Result<Self, LengthError> {
        read(text).ok_or_else(|| LengthError { found: text.to_owned() })
    }
}

fn read(text: &str) -> Option<LengthDistribution> {
    if let Ok(tokens) = text.parse() {
        return Some(LengthDistribution::Fixed(tokens));
    }
    let (name, within) = text.trim().strip_suffix(')')?.split_once('(')?;
    if name.trim() == "file" {
        return Some(within.trim()).filter(|file| !file.is_empty()).map(|file| LengthDistribution::File(file.into()));
    }
    let arguments: Vec<&str> = within.split(',').map(str::trim).collect();
    let tokens = |text: &str| text.parse::<Tokens>().ok();
    match (name.trim(), arguments.as_slice()) {
        ("uniform", [range]) => {
            let LengthBounds { min, max } = bounds(range)?;
            Some(LengthDistribution::Uniform { min, max: max? })
        }
        ("uniform", [min, max]) => Some(LengthDistribution::Uniform { min: tokens(min)?, max: tokens(max)? }),
        (name @ ("normal" | "lognormal"), [mean, sd, rest @ ..]) => {
            let (mean, sd) = (tokens(mean)?, tokens(sd)?);
            let bounds = match rest {
                [] => LengthBounds::default(),
                [range] => bounds(range)?,
                _ => return None,
            };
            Some(if name == "normal" {
                LengthDistribution::Normal { mean, sd, bounds }
            } else {
                LengthDistribution::Lognormal { mean, sd, bounds }
            })
        }
        _ => None,
    }
}

/// `1..8000`, `1..=8000`, `..8000` or `100..`; both ends are included.
fn bounds(range: &str) -> Option<LengthBounds> {
    let (min, max) = range.split_once("..")?;
    let max = max.strip_prefix('=').unwrap_or(max);
    let end = |text: &str| if text.trim().is_empty() { Some(None) } else { text.parse().ok().map(Some) };
    Some(LengthBounds { min: end(min)?.unwrap_or(Tokens(1)), max: end(max)? })
}

impl fmt::Display for LengthDistribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(tokens) => write!(f, "{}", tokens.0),
            Self::Uniform { min, max } => write!(f, "uniform({}..{})", min.0, max.0),
            Self::Normal { mean, sd, bounds } => write!(f, "normal({}, {}{bounds})", mean.0, sd.0),
            Self::Lognormal { mean, sd, bounds } => write!(f, "lognormal({}, {}{bounds})", mean.0, sd.0),
            Self::File(file) => write!(f, "file({})", file.display()),
        }
    }
}

/// As a further argument, where there is something to say.
impl fmt::Display for LengthBounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (Tokens(1), None) => Ok(()),
            (min, Some(max)) => write!(f, ", {}..{}", min.0, max.0),
            (min, None) => write!(f, ", {}..", min.0),
        }
    }
}

impl Serialize for LengthDistribution {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Fixed(tokens) => tokens.serialize(serializer),
            drawn => serializer.collect_str(drawn),
        }
    }
}

/// The table form.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LengthTable {
    /// The kind of distribution; not beside `file`.
    #[serde(default)]
    distribution: Option<DistributionKind>,
    /// The mean of the distribution before it is cut off at its bounds.
    #[serde(default)]
    mean: Option<Tokens>,
    /// The standard deviation before that.
    #[serde(default)]
    sd: Option<Tokens>,
    /// The least that is drawn.
    #[serde(default)]
    min: Option<Tokens>,
    /// The most that is drawn.
    #[serde(default)]
    max: Option<Tokens>,
    /// A file with a whole number of tokens a line.
    #[serde(default)]
    file: Option<PathBuf>,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum DistributionKind {
    Uniform,
    Normal,
    Lognormal,
}

impl LengthTable {
    fn meant(self) -> Result<LengthDistribution, String> {
        let needed = |value: Option<Tokens>, name: &str| value.ok_or_else(|| format!("these lengths need `{name}`"));
        let Some(kind) = self.distribution else {
            if self.mean.or(self.sd).or(self.min).or(self.max).is_some() {
                return Err("these lengths need `distribution`: `\"uniform\"`, `\"normal\"` or `\"lognormal\"`".to_owned());
            }
            return self.file.map(LengthDistribution::File).ok_or_else(|| "these lengths need `distribution` or `file`".to_owned());
        };
        if self.file.is_some() {
            return Err("`file` says nothing beside `distribution`: leave one of them out".to_owned());
        }
        let bounds = LengthBounds { min: self.min.unwrap_or(Tokens(1)), max: self.max };
        match kind {
            DistributionKind::Uniform if self.mean.or(self.sd).is_some() => {
                Err("uniform lengths have `min` and `max`, and no `mean` or `sd`".to_owned())
            }
            DistributionKind::Uniform => Ok(LengthDistribution::Uniform { min: needed(self.min, "min")?, max: needed(self.max, "max")? }),
            DistributionKind::Normal => {
                Ok(LengthDistribution::Normal { mean: needed(self.mean, "mean")?, sd: needed(self.sd, "sd")?, bounds })
            }
            DistributionKind::Lognormal => {
                Ok(LengthDistribution::Lognormal { mean: needed(self.mean, "mean")?, sd: needed(self.sd, "sd")?, bounds })
            }
        }
    }
}

/// By hand: serde's `untagged` reads into a buffer first and so forgets where in the scenario a fault lies.
impl<'de> Deserialize<'de> for LengthDistribution {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LengthVisitor;
        impl<'de> Visitor<'de> for LengthVisitor {
            type Value = LengthDistribution;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(EXPECTED)
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<LengthDistribution, E> {
                text.parse().map_err(E::custom)
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<LengthDistribution, E> {
                let fault = || E::custom(LengthError { found: value.to_string() });
                value.to_string().parse().map(LengthDistribution::Fixed).map_err(|_| fault())
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<LengthDistribution, E> {
                self.visit_str(&value.to_string())
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<LengthDistribution, E> {
                self.visit_str(&value.to_string())
            }
            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<LengthDistribution, A::Error> {
                LengthTable::deserialize(MapAccessDeserializer::new(entries))?.meant().map_err(de::Error::custom)
            }
        }
        deserializer.deserialize_any(LengthVisitor)
    }
}

impl JsonSchema for LengthDistribution {
    fn schema_name() -> Cow<'static, str> {
        "LengthDistribution".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<LengthTable>();
        json_schema!({
            "description": "A number of tokens for all, or a distribution: a text such as `lognormal(1000, 500)`, or a table.",
            "anyOf": [
                { "type": ["number", "string"], "examples": ["8k", "uniform(100..2000)", "normal(1000, 200)", "lognormal(1000, 500, 1..8000)", "file(lengths.txt)"] },
                table,
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(number: u64) -> Tokens {
        Tokens(number)
    }

    #[test]
    fn texts_and_tables_mean_the_same_and_are_saved_as_a_number_or_a_text() {
        let bounds = LengthBounds { min: tokens(1), max: Some(tokens(8192)) };
        let lognormal = LengthDistribution::Lognormal { mean: tokens(1000), sd: tokens(500), bounds };
        let open = LengthDistribution::Normal { mean: tokens(1000), sd: tokens(0), bounds: LengthBounds { min: tokens(64), max: None } };
        for (written, meant, saved) in [
            ("1000", LengthDistribution::Fixed(tokens(1000)), "1000"),
            ("\"8k\"", LengthDistribution::Fixed(tokens(8192)), "8192"),
            ("\"uniform(100..2000)\"", LengthDistribution::Uniform { min: tokens(100), max: tokens(2000) }, "\"uniform(100..2000)\""),
            ("\" uniform( 100 ,2k ) \"", LengthDistribution::Uniform { min: tokens(100), max: tokens(2048) }, "\"uniform(100..2048)\""),
            ("\"lognormal(1000, 500, 1..=8k)\"", lognormal.clone(), "\"lognormal(1000, 500, 1..8192)\""),
            (r#"{"distribution": "lognormal", "mean": 1000, "sd": 500, "max": "8k"}"#, lognormal, "\"lognormal(1000, 500, 1..8192)\""),
            ("\"normal(1000, 0, 64..)\"", open.clone(), "\"normal(1000, 0, 64..)\""),
            (r#"{"distribution": "normal", "mean": 1000, "sd": 0, "min": 64}"#, open, "\"normal(1000, 0, 64..)\""),
            ("\"file(a (b).txt)\"", LengthDistribution::File("a (b).txt".into()), "\"file(a (b).txt)\""),
            (r#"{"file": "a.txt"}"#, LengthDistribution::File("a.txt".into()), "\"file(a.txt)\""),
        ] {
            let read: LengthDistribution = serde_json::from_str(written).unwrap_or_else(|error| panic!("{written}: {error}"));
            assert_eq!(read, meant, "{written}");
            assert_eq!(serde_json::to_string(&read).unwrap(), saved);
            assert_eq!(serde_json::from_str::<LengthDistribution>(saved).unwrap(), meant, "what is saved is read again");
        }
    }

    #[test]
    fn what_is_no_length_is_refused_with_what_is_allowed() {
        for text in [
            "",
            "poisson(3)",
            "uniform(3)",
            "uniform(..)",
            "normal(1000)",
            "normal(1, 2, 3)",
            "lognormal(1, 2, 3..4, 5)",
            "file()",
            "1.5",
            "-3",
        ] {
            let error = text.parse::<LengthDistribution>().unwrap_err().to_string();
            assert!(error.contains("`lognormal(1000, 500, 1..8000)`"), "{text}: {error}");
        }
        let refused = |text: &str| serde_json::from_str::<LengthDistribution>(text).unwrap_err().to_string();
        assert!(refused("1.5").contains("`1.5` is not a length"));
        assert!(refused("-3").contains("`-3` is not a length"));
        assert!(refused("true").contains("a length"));
        assert!(refused("{}").contains("need `distribution` or `file`"));
        assert!(refused(r#"{"min": 3}"#).contains("need `distribution`"));
        assert!(refused(r#"{"distribution": "normal", "sd": 3}"#).contains("need `mean`"));
        assert!(refused(r#"{"distribution": "uniform", "mean": 3, "min": 1, "max": 2}"#).contains("no `mean`"));
        assert!(refused(r#"{"distribution": "uniform", "min": 1, "max": 2, "file": "a"}"#).contains("leave one of them out"));
        assert!(refused(r#"{"distribution": "gaussian"}"#).contains("unknown variant"));
    }
}
