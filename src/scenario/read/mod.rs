//! Text to the untyped document. TOML and YAML mean the same; the file's extension decides which it is.

mod toml;
mod yaml;

use std::path::Path;

use super::document::Node;
use super::fault::Faults;
use super::source::Place;

/// The two notations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notation {
    Toml,
    Yaml,
}

impl Notation {
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
pub fn document(notation: Notation, whole: Place, faults: &mut Faults) -> Option<Node> {
    match notation {
        Notation::Toml => toml::document(whole, faults),
        Notation::Yaml => yaml::document(whole, faults),
    }
}

/// Reads one value as TOML does; what is no TOML value is a text.
pub fn value(place: Place, text: &str) -> Node {
    toml::value(place, text)
}
