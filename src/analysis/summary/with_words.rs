//! What JSON holds with its words beside its figures: programs read the one, people the other.

use std::fmt;

use serde::{Serialize, Serializer};

#[derive(Serialize)]
struct WithWords<'a, Figures> {
    #[serde(flatten)]
    figures: &'a Figures,
    words: String,
}

/// Each value's fields, and `words` behind them.
pub(super) fn serialize<Figures, S>(values: &[Figures], serializer: S) -> Result<S::Ok, S::Error>
where
    Figures: Serialize + fmt::Display,
    S: Serializer,
{
    serializer.collect_seq(values.iter().map(|figures| WithWords { figures, words: figures.to_string() }))
}
