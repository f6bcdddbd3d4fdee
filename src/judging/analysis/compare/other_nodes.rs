//! That two sides were measured on different nodes of a cluster, as far as their blocks tell.

use super::comparison_note::ComparisonNote;
use super::judged::SavedVariant;
use crate::analysis::nodes::{RunNodes, difference};
use crate::records::record::PlannedRun;

/// A remark where a cell's repeat was measured on another node on the other side.
pub(super) fn other_nodes(base: &SavedVariant<'_>, new: &SavedVariant<'_>) -> Option<ComparisonNote> {
    let (of_base, of_new) = (runs(base), runs(new));
    let nodes = [base, new].map(|side| RunNodes::of(&side.sweep.manifest));
    difference(&of_base, &nodes[0], &of_new, &nodes[1]).map(ComparisonNote::OtherNodes)
}

fn runs<'a>(side: &SavedVariant<'a>) -> Vec<&'a PlannedRun> {
    side.sweep.manifest.runs.iter().filter(|run| run.variant == side.variant).collect()
}
