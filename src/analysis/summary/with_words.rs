//! What JSON holds with its words beside its figures: programs read the one, people the other.

use std::fmt;

use serde::{Serialize, Serializer};

#[derive(Serialize)]
struct WithWords<'a, Figures> {
    #[serde(flatten)]
    figures: &'a Figures,
    words: String,
}

impl<'a, Figures: fmt::Display> From<&'a Figures> for WithWords<'a, Figures> {
    fn from(figures: &'a Figures) -> Self {
        Self { figures, words: figures.to_string() }
    }
}

/// Each value's fields, and `words` behind them.
pub(super) fn serialize<Figures, S>(values: &[Figures], serializer: S) -> Result<S::Ok, S::Error>
where
    Figures: Serialize + fmt::Display,
    S: Serializer,
{
    serializer.collect_seq(values.iter().map(WithWords::from))
}

/// The same of one value, which may be missing.
#[expect(clippy::ref_option, reason = "a field is handed over as it is")]
pub(super) fn serialize_option<Figures, S>(value: &Option<Figures>, serializer: S) -> Result<S::Ok, S::Error>
where
    Figures: Serialize + fmt::Display,
    S: Serializer,
{
    value.as_ref().map(WithWords::from).serialize(serializer)
}
