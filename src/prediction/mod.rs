//! A fit and a prediction as people read them in a terminal.

mod fit_text;
mod prediction_text;
mod quantity;

pub use fit_text::fit_text;
pub use prediction_text::prediction_text;
