//! Text to the untyped document. TOML and YAML mean the same; the file's extension decides which it is.

mod toml;
mod yaml;

use std::path::Path;

use super::diagnostic::ScenarioError;
use super::document::ScenarioNode;
use super::source::SourceSpan;

/// The two notations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScenarioFormat {
    Toml,
    Yaml,
}

impl ScenarioFormat {
    /// By the extension: `.toml`, `.yaml` or `.yml`.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "toml" => Some(Self::Toml),
            "yaml" | "yml" => Some(Self::Yaml),
            _ => None,
        }
    }
}

/// Reads a whole text; `None` where it cannot be read, and then there are faults.
pub fn document(notation: ScenarioFormat, whole: SourceSpan, faults: &mut ScenarioError) -> Option<ScenarioNode> {
    match notation {
        ScenarioFormat::Toml => toml::document(whole, faults),
        ScenarioFormat::Yaml => yaml::document(whole, faults),
    }
}

/// Reads one value as TOML does; what is no TOML value is a text.
pub fn value(place: SourceSpan, text: &str) -> ScenarioNode {
    toml::value(place, text)
}
