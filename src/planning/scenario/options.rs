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
    /// `search`: every cell, or those along the frontier.
    pub search: Option<SearchKind>,
}
