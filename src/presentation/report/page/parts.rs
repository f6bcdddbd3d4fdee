//! What belongs on the page beside the summary, as its callers hand it over. Types only.

use std::time::Duration;

use serde::Serialize;

use crate::analysis::compare::VariantComparison;

/// A picture on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageFigure {
    /// The variant it belongs to; none where it shows several.
    pub variant: Option<String>,
    /// The file beside the page that has it too.
    pub file: String,
    /// A whole `<svg>` element.
    pub svg: String,
}

/// Everything beside the summary; each part is left out of the page where it is empty.
#[derive(Debug, Clone, Copy, Default)]
pub struct PageParts<'a> {
    pub figures: &'a [PageFigure],
    /// Each variant against the first.
    pub comparisons: Option<&'a [VariantComparison]>,
    /// The scenario's text, verbatim; by contract it holds no secrets.
    pub scenario: Option<&'a str>,
    pub environment: &'a [EnvironmentSection],
    /// How often the page reloads itself, where somebody watches a sweep that still runs.
    pub reload: Option<Duration>,
}

/// A heading with names and values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnvironmentSection {
    pub heading: String,
    pub lines: Vec<(String, String)>,
}
