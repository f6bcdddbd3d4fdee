//! Comparisons as people and programs read them: a file a format. [`VariantComparison`](crate::analysis::compare::VariantComparison)s come in, a text
//! goes out, the same bytes each time; nothing here computes a statistic or prints.

mod json;
mod junit;
mod markdown;
mod terminal;
pub(super) mod words;

pub use json::json;
pub use junit::junit;
pub use markdown::markdown;
pub use terminal::terminal;
