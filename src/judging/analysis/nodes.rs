//! On which nodes of a cluster what is compared was measured.
//!
//! In: the manifest of a sweep that was merged of blocks. Out: remarks, where the nodes could be what differs.

use std::collections::{BTreeMap, BTreeSet};

use super::summary::{MeasuringNodes, NodeDifference, SweepNote};
use crate::records::record::{Manifest, NodeIdentity, PlannedRun};

/// The node of each run, by the run's id.
pub(super) struct RunNodes<'a>(BTreeMap<&'a str, &'a NodeIdentity>);

impl<'a> RunNodes<'a> {
    pub fn of(manifest: &'a Manifest) -> Self {
        // Of a simulated block, and of one that says nothing of itself, there is no node.
        let told = manifest.blocks.iter().filter(|block| !block.node.name.is_empty());
        Self(told.flat_map(|block| block.runs.iter().map(|run| (run.as_str(), &block.node))).collect())
    }

    pub fn of_run(&self, id: &str) -> Option<&'a NodeIdentity> {
        self.0.get(id).copied()
    }
}

/// What is to be said of the nodes of a merged sweep; nothing of any other.
pub(super) fn node_notes(manifest: &Manifest) -> Vec<SweepNote> {
    let named = manifest.blocks.iter().map(|block| &block.node).filter(|node| !node.name.is_empty());
    let all = distinct(named.cloned().collect());
    let mut said = Vec::new();
    if !all.is_empty() {
        said.push(SweepNote::Nodes(MeasuringNodes { blocks: manifest.blocks.len() as u64, nodes: all }));
    }
    let versions: BTreeSet<&String> = manifest.blocks.iter().map(|block| &block.bench_version).collect();
    if versions.len() > 1 {
        said.push(SweepNote::Versions { versions: versions.into_iter().cloned().collect() });
    }
    let run_nodes = RunNodes::of(manifest);
    let of = |variant: &String| manifest.runs.iter().filter(|run| run.variant == *variant).collect::<Vec<_>>();
    if let Some((first, others)) = manifest.variants.split_first() {
        let base = of(first);
        said.extend(others.iter().filter_map(|other| difference(&base, &run_nodes, &of(other), &run_nodes)).map(SweepNote::VariantsApart));
    }
    said.dedup();
    said
}

/// By name, each once.
fn distinct(mut nodes: Vec<NodeIdentity>) -> Vec<NodeIdentity> {
    nodes.sort_by(|left, right| left.name.cmp(&right.name));
    nodes.dedup();
    nodes
}

/// The nodes of the runs of two sides that are compared with each other, the same cell and repeat, where these differ.
pub(super) fn difference(
    base: &[&PlannedRun],
    base_nodes: &RunNodes<'_>,
    new: &[&PlannedRun],
    new_nodes: &RunNodes<'_>,
) -> Option<NodeDifference> {
    let key = |run: &PlannedRun| (serde_json::json!(run.axes).to_string(), run.repeat);
    let by_place: BTreeMap<_, &NodeIdentity> = base.iter().filter_map(|run| Some((key(run), base_nodes.of_run(&run.id)?))).collect();
    let mut apart = NodeDifference { base: Vec::new(), new: Vec::new() };
    for run in new {
        let Some((there, here)) = by_place.get(&key(run)).copied().zip(new_nodes.of_run(&run.id)) else { continue };
        if there != here {
            apart.base.push(there.clone());
            apart.new.push(here.clone());
        }
    }
    let NodeDifference { base, new } = apart;
    (!base.is_empty()).then(|| NodeDifference { base: distinct(base), new: distinct(new) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture::{cell, sweep, uniform};
    use crate::records::record::MergedBlock;

    fn node(name: &str, gpus: &[&str]) -> NodeIdentity {
        NodeIdentity { name: name.into(), gpus: gpus.iter().map(|gpu| (*gpu).to_owned()).collect() }
    }

    /// A sweep of two variants, each measured on the node named.
    fn merged(nodes: [NodeIdentity; 2]) -> Manifest {
        let fast = || uniform(4, 1, 0.5);
        let mut manifest = sweep(&[], &[cell("vllm", 1, 1, fast()), cell("lmcache", 1, 1, fast())]).manifest;
        manifest.blocks = manifest
            .variants
            .iter()
            .zip(nodes)
            .map(|(variant, node)| MergedBlock {
                id: variant.clone(),
                node,
                bench_version: "0.1.0".into(),
                runs: manifest.runs.iter().filter(|run| run.variant == *variant).map(|run| run.id.clone()).collect(),
            })
            .collect();
        manifest
    }

    fn words(manifest: &Manifest) -> Vec<String> {
        node_notes(manifest).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn variants_on_different_nodes_are_said_to_be_with_what_is_known_of_their_gpus() {
        let same = words(&merged([node("n0", &["NVIDIA H200"]), node("n0", &["NVIDIA H200"])]));
        assert_eq!(same, ["measured in 2 blocks on 1 node (n0 (1 × NVIDIA H200))"]);
        let apart = |base: &[&str], new: &[&str]| words(&merged([node("n0", base), node("n1", new)]))[1].clone();
        let of_one_kind = apart(&["NVIDIA H200", "NVIDIA H200"], &["NVIDIA H200", "NVIDIA H200"]);
        assert_eq!(
            of_one_kind,
            "variants of the same cells were measured on different nodes, so that what differs may be the nodes: n0 (2 × NVIDIA H200) against \
             n1 (2 × NVIDIA H200); their GPUs are of the same kind"
        );
        assert!(
            apart(&["NVIDIA H200"], &["NVIDIA A100"])
                .ends_with("n0 (1 × NVIDIA H200) against n1 (1 × NVIDIA A100); their GPUs are of different kinds")
        );
        assert!(apart(&[], &["NVIDIA A100"]).ends_with("which GPUs they have is not known"));
    }

    #[test]
    fn blocks_of_several_versions_are_named_and_a_sweep_of_one_machine_says_nothing() {
        let mut manifest = merged([node("n0", &[]), node("n0", &[])]);
        manifest.blocks[1].bench_version = "0.2.0".into();
        assert_eq!(words(&manifest)[1], "its blocks were measured by different versions of this program: 0.1.0, 0.2.0");
        manifest.blocks.clear();
        assert_eq!(words(&manifest), [""; 0]);
    }
}
