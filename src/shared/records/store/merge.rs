//! Blocks become one sweep: their sealed runs linked into `runs/` beside them, and a manifest of all. In any order and as often as one likes, the
//! same blocks make the same bytes.
//!
//! In: a folder with blocks, and where the sweep is to be: as a rule the same folder. Out: the sweep, and which blocks lack. Must not know how it is
//! judged.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use fs_err as fs;

use super::blocks::{block_manifest, read_block_plan, read_block_state};
use super::error::StoreError;
use super::files::write_whole;
use super::inside::stay_inside;
use super::layout::{RunPaths, SweepPaths};
use super::reader::{read_manifest, read_record};
use super::writer::{lock, same_sweep, write_manifest};
use crate::records::record::{BlockState, Manifest, MergedBlock, PlannedBlock, RunOutcome};

/// What became of the blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeOutcome {
    /// In the plan's order.
    pub blocks: Vec<BlockMerge>,
}

/// What became of one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockMerge {
    pub id: String,
    pub planned: usize,
    /// Runs that are whole, without those that failed.
    pub sealed: usize,
    pub failed: usize,
    /// Why it was left out as a whole: its folder holds another sweep.
    pub foreign: Option<ForeignBlock>,
    /// What it says of itself; `None` where it was never begun.
    pub state: Option<BlockState>,
}

/// How a block's folder differs from the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForeignBlock {
    Scenario,
    Seed,
    /// Simulated, or not, unlike the others.
    Simulation,
}

impl BlockMerge {
    /// Whether all of its runs are there.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.sealed == self.planned && self.foreign.is_none()
    }
}

/// Merges what the blocks in a folder have sealed so far into a sweep in the folder `into`. Runs of an earlier merge that are still the same are left
/// as they are.
///
/// # Errors
/// Where the folder holds no blocks, the other one another sweep, or files that cannot be read or written.
pub fn merge_blocks(dir: &Path, into: &Path) -> Result<MergeOutcome, StoreError> {
    let (blocks, paths) = (SweepPaths::new(dir), SweepPaths::new(into));
    let plan = read_block_plan(dir)?;
    fs::create_dir_all(into)?;
    stay_inside(paths.root(), &[&paths.lock(), &paths.runs(), &paths.manifest()])?;
    let held = lock(&paths)?;
    if paths.manifest().exists() {
        same_sweep(into, &read_manifest(&paths)?, &plan.manifest)?;
    }
    fs::create_dir_all(paths.runs())?;
    let mut outcome = MergeOutcome { blocks: Vec::with_capacity(plan.blocks.len()) };
    let (mut merged, mut linked) = (Vec::new(), BTreeSet::new());
    for planned in &plan.blocks {
        let block = blocks.block(&planned.id)?;
        stay_inside(blocks.root(), &[block.root(), &block.runs()])?;
        let found = merge_block(&paths, &block, planned, &plan.manifest, &mut linked)?;
        if found.foreign.is_none() && found.sealed + found.failed > 0 {
            let manifest = block_manifest(&block)?;
            // Simulated figures are the same on every machine.
            let node = found.state.as_ref().filter(|_| !manifest.simulated).map(|state| state.node.clone()).unwrap_or_default();
            merged.push(MergedBlock {
                id: planned.id.clone(),
                node,
                bench_version: manifest.client.bench_version,
                runs: planned.runs.clone(),
            });
        }
        outcome.blocks.push(found);
    }
    let whole = Manifest { blocks: merged, ..plan.manifest };
    write_manifest(&paths, &whole.reached(|run| linked.contains(&run.id)))?;
    held.unlock()?;
    Ok(outcome)
}

fn merge_block(
    paths: &SweepPaths,
    block: &SweepPaths,
    planned: &PlannedBlock,
    whole: &Manifest,
    linked: &mut BTreeSet<String>,
) -> Result<BlockMerge, StoreError> {
    let mut found = BlockMerge { id: planned.id.clone(), planned: planned.runs.len(), sealed: 0, failed: 0, foreign: None, state: None };
    if !block.manifest().exists() {
        return Ok(found);
    }
    found.state = read_block_state(block)?;
    let manifest = block_manifest(block)?;
    found.foreign = foreign(&manifest, whole);
    if found.foreign.is_some() {
        return Ok(found);
    }
    let scenario = paths.scenario(&whole.scenario_file)?;
    if !scenario.exists() {
        let text = fs::read(block.scenario(&whole.scenario_file)?)?;
        write_whole(&scenario, |out| out.write_all(&text))?;
    }
    for id in &planned.runs {
        let (source, target) = (block.run(id)?, paths.run(id)?);
        if !source.record().exists() {
            continue;
        }
        match read_record(&source)?.outcome {
            RunOutcome::Failed(_) => found.failed += 1,
            _ => found.sealed += 1,
        }
        stay_inside(block.root(), &[source.dir()])?;
        stay_inside(paths.root(), &[target.dir()])?;
        link_run(&source, &target)?;
        linked.insert(id.clone());
    }
    Ok(found)
}

fn foreign(found: &Manifest, whole: &Manifest) -> Option<ForeignBlock> {
    if found.seed != whole.seed {
        Some(ForeignBlock::Seed)
    } else if found.simulated != whole.simulated {
        Some(ForeignBlock::Simulation)
    } else {
        (found.scenario_hash != whole.scenario_hash).then_some(ForeignBlock::Scenario)
    }
}

/// Links a sealed run, its record last: until that is there, the run counts for nothing. What cannot be linked is copied.
fn link_run(source: &RunPaths, target: &RunPaths) -> Result<(), StoreError> {
    if target.record().exists() && fs::read(target.record())? == fs::read(source.record())? {
        return Ok(());
    }
    if target.dir().exists() {
        fs::remove_dir_all(target.dir())?;
    }
    fs::create_dir_all(target.dir())?;
    for entry in fs::read_dir(source.dir())? {
        let entry = entry?;
        let is_journal = RunPaths::is_of_journal(&entry.file_name().to_string_lossy());
        if entry.file_type()?.is_file() && !is_journal && entry.path() != source.record() {
            link(&entry.path(), &target.dir().join(entry.file_name()))?;
        }
    }
    Ok(link(&source.record(), &target.record())?)
}

fn link(source: &Path, target: &Path) -> io::Result<()> {
    if fs::hard_link(source, target).is_ok() {
        return Ok(());
    }
    let mut from = fs::File::open(source)?;
    write_whole(target, |out| io::copy(&mut from, out).map(drop))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::record::{BlockPlan, NodeIdentity, PlannedRun, RunFailure, RunFailureCause, RunRecord};
    use crate::records::store::blocks::{open_block_plan, write_block_state};
    use crate::records::store::fixture::{header, manifest, record, run_record};
    use crate::records::store::{SweepWriter, read_sweep};

    const SCENARIO: &str = "name = \"lmcache\"\n";

    fn plan() -> BlockPlan {
        let planned = |id: &str, runs: &[&str]| PlannedBlock { id: id.into(), runs: runs.iter().map(|run| (*run).to_owned()).collect() };
        BlockPlan { manifest: manifest(&["a", "b", "c"]), blocks: vec![planned("0-x", &["a", "b"]), planned("1-y", &["c"])] }
    }

    fn measured(dir: &Path, block: &str, runs: &[&str], change: impl FnOnce(&mut Manifest)) {
        let whole = open_block_plan(dir, &plan()).unwrap();
        let planned = whole.blocks.iter().find(|planned| planned.id == block).unwrap();
        let folder = SweepPaths::new(dir).block(block).unwrap();
        let node = NodeIdentity { name: format!("node-of-{block}"), gpus: Vec::new() };
        let state = BlockState { node, bench_version: "0.1.0".into(), job: None, started_at: jiff::Timestamp::UNIX_EPOCH, ended: None };
        write_block_state(folder.root(), &state).unwrap();
        let is_own = |run: &PlannedRun| planned.runs.contains(&run.id);
        let mut own = Manifest { runs: whole.manifest.runs.iter().filter(|run| is_own(run)).cloned().collect(), ..whole.manifest };
        own.block = Some(block.to_owned());
        change(&mut own);
        let writer = SweepWriter::open(folder.root(), &own, SCENARIO).unwrap();
        for id in runs {
            let mut run = writer.begin(id).unwrap();
            run.append(&record(0)).unwrap();
            run.seal(&run_record(header(id), 1)).unwrap();
        }
    }

    fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
        let mut files = Vec::new();
        let mut folders = vec![dir.join("runs")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push((path.strip_prefix(dir).unwrap().display().to_string(), fs::read(&path).unwrap()));
                }
            }
        }
        files.push(("manifest.json".into(), fs::read(dir.join("manifest.json")).unwrap()));
        files.sort();
        files
    }

    #[test]
    fn blocks_become_one_sweep_in_any_order_and_again_with_the_same_bytes() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        measured(one.path(), "0-x", &["a", "b"], |_| ());
        measured(one.path(), "1-y", &["c"], |_| ());
        let outcome = merge_blocks(one.path(), one.path()).unwrap();
        assert!(outcome.blocks.iter().all(BlockMerge::is_whole), "{outcome:?}");
        let first = files(one.path());
        merge_blocks(one.path(), one.path()).unwrap();
        assert!(files(one.path()) == first);
        measured(other.path(), "1-y", &["c"], |_| ());
        merge_blocks(other.path(), other.path()).unwrap();
        measured(other.path(), "0-x", &["a", "b"], |_| ());
        merge_blocks(other.path(), other.path()).unwrap();
        assert!(files(other.path()) == first);
        let sweep = read_sweep(one.path()).unwrap();
        assert_eq!(sweep.runs.iter().map(|run| run.record.header.id.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
        assert!(sweep.missing.is_empty() && sweep.notes.is_empty(), "{:?}", sweep.notes);
        assert_eq!(sweep.manifest.blocks.iter().map(|block| block.id.as_str()).collect::<Vec<_>>(), ["0-x", "1-y"]);
    }

    #[test]
    fn what_lacks_is_named_and_a_run_that_was_done_again_replaces_the_one_that_failed() {
        let dir = tempfile::tempdir().unwrap();
        measured(dir.path(), "0-x", &["a"], |_| ());
        let folder = SweepPaths::new(dir.path()).block("0-x").unwrap();
        let failed = RunRecord {
            outcome: RunOutcome::Failed(RunFailure::new(RunFailureCause::Cell, "no server".into())),
            ..run_record(header("b"), 0)
        };
        let own = block_manifest(&folder).unwrap();
        SweepWriter::open(folder.root(), &own, SCENARIO).unwrap().begin("b").unwrap().seal(&failed).unwrap();
        let outcome = merge_blocks(dir.path(), dir.path()).unwrap();
        let counts: Vec<_> = outcome.blocks.iter().map(|block| (block.planned, block.sealed, block.failed, block.is_whole())).collect();
        assert_eq!(counts, [(2, 1, 1, false), (1, 0, 0, false)]);
        assert_eq!(read_sweep(dir.path()).unwrap().missing.len(), 1);
        let again = SweepWriter::open(folder.root(), &own, SCENARIO).unwrap();
        again.begin("b").unwrap().seal(&run_record(header("b"), 0)).unwrap();
        assert!(merge_blocks(dir.path(), dir.path()).unwrap().blocks[0].is_whole());
        assert!(read_sweep(dir.path()).unwrap().runs[1].record.outcome.is_whole());
    }

    #[test]
    fn a_sweep_that_keeps_texts_keeps_them_at_every_merge() {
        let dir = tempfile::tempdir().unwrap();
        let plan = BlockPlan { manifest: Manifest { keeps_texts: true, ..plan().manifest }, ..plan() };
        open_block_plan(dir.path(), &plan).unwrap();
        for _ in 0..2 {
            merge_blocks(dir.path(), dir.path()).unwrap();
            assert!(read_sweep(dir.path()).unwrap().manifest.keeps_texts);
        }
    }

    #[test]
    fn a_block_of_another_scenario_or_seed_is_left_out_and_named() {
        let dir = tempfile::tempdir().unwrap();
        measured(dir.path(), "0-x", &["a", "b"], |own| own.seed = 8);
        measured(dir.path(), "1-y", &["c"], |own| own.scenario_hash = "another".into());
        let foreign: Vec<_> = merge_blocks(dir.path(), dir.path()).unwrap().blocks.into_iter().map(|block| block.foreign).collect();
        assert_eq!(foreign, [Some(ForeignBlock::Seed), Some(ForeignBlock::Scenario)]);
        assert!(read_sweep(dir.path()).unwrap().runs.is_empty());
    }

    #[test]
    fn blocks_that_are_cut_otherwise_and_folders_without_blocks_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(merge_blocks(dir.path(), dir.path()), Err(StoreError::NoBlocks { .. })));
        open_block_plan(dir.path(), &plan()).unwrap();
        let mut other = plan();
        other.blocks.reverse();
        assert!(matches!(open_block_plan(dir.path(), &other), Err(StoreError::OtherBlocks { .. })));
        other.manifest.scenario_hash = "another".into();
        assert!(matches!(open_block_plan(dir.path(), &other), Err(StoreError::OtherScenario { .. })));
    }
}
