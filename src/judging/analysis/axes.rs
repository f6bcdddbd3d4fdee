//! The axes of a cell and what they are called where people read: `C=4, S=3`. Values in, plain texts out; no escaping.

use serde_json::{Map, Value};

/// Values of the matrix axes by dotted path, in the scenario's order.
pub type Axes = Map<String, Value>;

/// Whether a cell has these values of these axes, whatever others it has. Axes are few: looking through them costs far less than their map's hashes, and
/// all cells are looked at for a score or a neighbour.
#[must_use]
pub fn is_within(axes: &Axes, within: &Axes) -> bool {
    within.iter().all(|(name, value)| axes.iter().any(|(known, here)| known == name && here == value))
}

/// Whether two cells have the same values of the same axes, in whatever order.
#[must_use]
pub fn is_same_place(one: &Axes, other: &Axes) -> bool {
    one.len() == other.len() && is_within(one, other)
}

/// The last part of a dotted path.
#[must_use]
pub fn short(axis: &str) -> &str {
    axis.rsplit('.').next().unwrap_or(axis)
}

/// What an axis is called on a page: `C`, `S`, or the last part of its path.
#[must_use]
pub fn axis_label(axis: &str) -> String {
    match short(axis) {
        "concurrent" => "C".to_owned(),
        "sequential" => "S".to_owned(),
        other => other.to_owned(),
    }
}

/// A value of an axis: texts without quotes.
#[must_use]
pub fn show_value(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), plain)
}

/// A text from outside without control characters, so that it can neither move a terminal's cursor nor break a line.
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// `C=4, S=3`.
#[must_use]
pub fn show_axes(axes: &Axes) -> String {
    axes.iter().map(|(name, value)| format!("{}={}", axis_label(name), show_value(value))).collect::<Vec<_>>().join(", ")
}

/// `C=4, S=3`, or words for a sweep without axes.
pub fn named_cell(axes: &Axes) -> String {
    if axes.is_empty() { "the cell".to_owned() } else { show_axes(axes) }
}
