//! A history and its gate as people and programs read them: a file a format, the same words in all. Nothing here computes a statistic or
//! prints.

mod json;
mod markdown;
mod table;
mod terminal;

pub use json::json;
pub use markdown::markdown;
pub use terminal::terminal;
