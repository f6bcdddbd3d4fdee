//! `bench sweep --block`: one block of a sweep, on the node that this is. What it writes is a sweep by itself, in a folder or a bucket, so that going
//! on is what it always is.

use std::path::PathBuf;

use anyhow::bail;
use jiff::Timestamp;

use super::ExitReason;
use super::measuring;
use super::node::{job, node};
use super::sweep::{command, sweep_into};
use crate::cli::{SweepArgs, VerbosityArgs};
use crate::planning::plan::{Plan, SweepBlock};
use crate::records::bucket::{BlockObjects, ResultsAddress, block_address};
use crate::records::record::{BlockEnd, BlockPlan, BlockState, Manifest, PlannedBlock};
use crate::records::store::{SweepPaths, open_block_plan, replace_block_state, write_block_state};

pub(super) fn run(args: &SweepArgs, plans: &[Plan], name: &str, talk: VerbosityArgs) -> anyhow::Result<ExitReason> {
    let ([plan], Some(output)) = (plans, &args.output) else {
        eprintln!("error: `--block` is of one scenario, and {} are named", plans.len());
        return Ok(ExitReason::Usage);
    };
    let blocks = plan.blocks();
    let Some(block) = chosen(&blocks, name) else {
        let last = blocks.len().saturating_sub(1);
        eprintln!("error: there is no block `{name}`: they are 0 to {last}\nhint: `bench plan SCENARIO --blocks` lists them");
        return Ok(ExitReason::Usage);
    };
    let shared = block_plan(plan, &blocks, args.keep_text);
    let (address, place) = match output {
        ResultsAddress::Folder(dir) => {
            open_block_plan(dir, &shared)?;
            let folder = SweepPaths::new(dir).block(&block.id)?.root().to_owned();
            (ResultsAddress::Folder(folder.clone()), BlockPlace::Folder(folder))
        }
        ResultsAddress::Bucket(sweep) => {
            let objects = BlockObjects::open(sweep)?;
            objects.open_plan(&shared)?;
            (ResultsAddress::Bucket(block_address(sweep, &block.id)?), BlockPlace::Bucket { objects, id: block.id.clone() })
        }
    };
    let report = BlockReport::new(place);
    if !talk.quiet {
        let node = &report.begun.node.name;
        eprintln!("block {} of {}: {}, {} runs, on {node}", block.number, blocks.len(), block.id, block.runs.len());
    }
    let to_go_on = || command(args, &args.scenario.scenarios, Some(output));
    sweep_into(args, &plan.of_block(block), &address, Some(report), talk, None, &to_go_on)
}

/// What a block says of itself while it is measured: on which node, since when, and at last how it ended.
#[derive(Debug)]
pub(super) struct BlockReport {
    place: BlockPlace,
    begun: BlockState,
}

/// Where it says so.
#[derive(Debug)]
enum BlockPlace {
    /// The block's own folder.
    Folder(PathBuf),
    Bucket {
        objects: BlockObjects,
        id: String,
    },
}

impl BlockReport {
    fn new(place: BlockPlace) -> Self {
        let bench_version = env!("CARGO_PKG_VERSION").to_owned();
        Self { place, begun: BlockState { node: node(), bench_version, job: job(), started_at: Timestamp::now(), ended: None } }
    }

    /// Says that it has begun; to be called once nobody else can write the block.
    pub fn begin(&self) -> anyhow::Result<()> {
        match &self.place {
            BlockPlace::Folder(dir) => write_block_state(dir, &self.begun)?,
            BlockPlace::Bucket { objects, id } => objects.write_state(id, &self.begun)?,
        }
        Ok(())
    }

    /// Says how it ended, unless it never began, or another process has begun it since.
    pub fn end(self, exit_code: u8) -> anyhow::Result<()> {
        let ended = BlockState { ended: Some(BlockEnd { at: Timestamp::now(), exit_code }), ..self.begun.clone() };
        match &self.place {
            BlockPlace::Folder(dir) => replace_block_state(dir, &self.begun, &ended)?,
            BlockPlace::Bucket { objects, id } => objects.replace_state(id, &self.begun, &ended)?,
        }
        Ok(())
    }
}

/// The block that is meant where `--block` counts in the list of `--among`.
pub(super) fn among(name: &str, numbers: &[usize]) -> anyhow::Result<Option<String>> {
    if numbers.is_empty() {
        return Ok(None);
    }
    match name.parse().ok().and_then(|place: usize| numbers.get(place)) {
        Some(number) => Ok(Some(number.to_string())),
        None => bail!("`--block {name}` is no place in the list of `--among`: they are 0 to {}", numbers.len() - 1),
    }
}

/// A block by its number or its name.
fn chosen<'a>(blocks: &'a [SweepBlock], name: &str) -> Option<&'a SweepBlock> {
    let number = name.parse::<usize>().ok();
    blocks.iter().find(|block| block.id == name).or_else(|| blocks.get(number?))
}

/// What is written once for all blocks.
pub(super) fn block_plan(plan: &Plan, blocks: &[SweepBlock], keeps_texts: bool) -> BlockPlan {
    let ids = |block: &SweepBlock| block.runs.iter().filter_map(|place| plan.runs.get(*place)).map(|run| run.id.clone()).collect();
    BlockPlan {
        manifest: Manifest { keeps_texts, ..plan.manifest(Timestamp::now(), measuring::client(plan)) },
        blocks: blocks.iter().map(|block| PlannedBlock { id: block.id.clone(), runs: ids(block) }).collect(),
    }
}
