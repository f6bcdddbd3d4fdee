//! What may be said on the command line to change a scenario.

use crate::vocabulary::spec::search::SearchKind;

/// Changes that hold for every scenario that is loaded with them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScenarioOverrides {
    /// `path=value`, over the document and over every variant's patch.
    pub set: Vec<String>,
    /// `axis=v1,v2` or `variant=name`: cells to keep.
    pub only: Vec<String>,
    /// `target.kind = "sim"` for every variant.
    pub simulate: bool,
    /// `target.url` for every variant, over HTTP.
    pub url: Option<String>,
    /// `target.model` for every variant.
    pub model: Option<String>,
    /// `target.api_key_env` for every variant, in place of whatever says where the key is.
    pub api_key_env: Option<String>,
    pub headers: HeaderOverrides,
    /// `search`: every cell, or those along the frontier.
    pub search: Option<SearchKind>,
}

/// Further headers as they are typed, `name: value`. Their values are secrets.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct HeaderOverrides(pub Vec<String>);

impl HeaderOverrides {
    /// Names and values; what has no colon is a name alone.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0.iter().map(|text| match text.split_once(':') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            // What it is nobody knows, so nothing of it is shown.
            None => ("", None),
        })
    }
}

/// Shows names alone.
impl std::fmt::Debug for HeaderOverrides {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.pairs().map(|(name, _)| name)).finish()
    }
}
