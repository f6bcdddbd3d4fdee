//! `bench sweep --block`: one block of a sweep, on the node that this is. Its folder is a sweep by itself, so that going on is what it always is.

use anyhow::bail;
use jiff::Timestamp;

use super::node::{job, node};
use super::sweep::{command, sweep_into};
use super::{ExitReason, measuring};
use crate::cli::{SweepArgs, VerbosityArgs};
use crate::planning::plan::{Plan, SweepBlock};
use crate::records::bucket::ResultsAddress;
use crate::records::record::{BlockEnd, BlockPlan, BlockState, PlannedBlock};
use crate::records::store::{SweepPaths, open_block_plan, write_block_state};

pub(super) fn run(args: &SweepArgs, plans: &[Plan], name: &str, talk: VerbosityArgs) -> anyhow::Result<ExitReason> {
    let ([plan], Some(output)) = (plans, &args.output) else {
        eprintln!("error: `--block` is of one scenario, and {} are named", plans.len());
        return Ok(ExitReason::Usage);
    };
    let ResultsAddress::Folder(dir) = output else {
        eprintln!(
            "error: a block is measured into a folder that all nodes see, and `{output}` is a bucket\nhint: merge there, then `bench push DIR {output}`"
        );
        return Ok(ExitReason::Usage);
    };
    let blocks = plan.blocks();
    let Some(block) = chosen(&blocks, name) else {
        let last = blocks.len().saturating_sub(1);
        eprintln!("error: there is no block `{name}`: they are 0 to {last}\nhint: `bench plan SCENARIO --blocks` lists them");
        return Ok(ExitReason::Usage);
    };
    open_block_plan(dir, &block_plan(plan, &blocks))?;
    let folder = SweepPaths::new(dir).block(&block.id)?.root().to_owned();
    let begun = BlockState {
        node: node(),
        bench_version: env!("CARGO_PKG_VERSION").to_owned(),
        job: job(),
        started_at: Timestamp::now(),
        ended: None,
    };
    write_block_state(&folder, &begun)?;
    if !talk.quiet {
        eprintln!("block {} of {}: {}, {} runs, on {}", block.number, blocks.len(), block.id, block.runs.len(), begun.node.name);
    }
    let to_go_on = || command(args, &args.scenario.scenarios, Some(output));
    let done = sweep_into(args, &plan.of_block(block), &ResultsAddress::Folder(folder.clone()), talk, &to_go_on);
    let exit_code = done.as_ref().map_or(ExitReason::Usage.code(), |exit| exit.code());
    write_block_state(&folder, &BlockState { ended: Some(BlockEnd { at: Timestamp::now(), exit_code }), ..begun })?;
    done
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
fn block_plan(plan: &Plan, blocks: &[SweepBlock]) -> BlockPlan {
    let ids = |block: &SweepBlock| block.runs.iter().filter_map(|place| plan.runs.get(*place)).map(|run| run.id.clone()).collect();
    BlockPlan {
        manifest: plan.manifest(Timestamp::now(), measuring::client(plan)),
        blocks: blocks.iter().map(|block| PlannedBlock { id: block.id.clone(), runs: ids(block) }).collect(),
    }
}
