//! Blocks of a sweep in a bucket: a prefix each below `blocks/`, each a sweep by itself with a lease of its own, so that nodes share nothing but one
//! object that is made once.
//!
//! In: the plan of all blocks, and what a block says of itself. Out: the plan that holds, and how far each block has come. Must not know clusters.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Runtime;

use super::address::{BucketAddress, ResultsAddress};
use super::bucket_folder::{BucketFolder, ReadObject};
use super::download::{FetchedFiles, local_folder};
use super::error::BucketError;
use super::lease::is_leased;
use super::upload::not_of_the_format;
use crate::records::record::{BlockPlan, BlockState};
use crate::records::store::{BlockOverview, SweepPaths, block_overview, same_block_plan};

/// What all blocks together are.
pub(super) const BLOCK_PLAN: &str = "blocks/plan.json";
/// What a block says of itself, below its own address.
pub(super) const BLOCK_STATE: &str = "block.json";

/// Where a block is: a sweep by itself.
pub fn block_address(sweep: &BucketAddress, id: &str) -> Result<BucketAddress, BucketError> {
    // Names are checked where they are checked for folders.
    SweepPaths::new("").block(id)?;
    Ok(sweep.join("blocks").join(id))
}

/// What one block writes beside its runs.
#[derive(Debug)]
pub struct BlockObjects {
    runtime: Runtime,
    sweep: BucketFolder,
}

impl BlockObjects {
    /// Opens it with the credentials of the environment. Nothing is asked yet.
    pub fn open(sweep: &BucketAddress) -> Result<Self, BucketError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { runtime, sweep: BucketFolder::open(sweep)? })
    }

    /// Makes `blocks/plan.json` where there is none, and gives it as it is there: that of whoever came first.
    ///
    /// # Errors
    /// Where the bucket holds blocks of another sweep, or cut otherwise.
    pub fn open_plan(&self, plan: &BlockPlan) -> Result<BlockPlan, BucketError> {
        self.runtime.block_on(open_plan(&self.sweep, plan))
    }

    /// Writes `block.json`, whatever it said before.
    pub fn write_state(&self, id: &str, state: &BlockState) -> Result<(), BucketError> {
        let block = self.sweep.below(&block_address(self.sweep.address(), id)?);
        self.runtime.block_on(block.put(BLOCK_STATE, as_json(state)?))
    }

    /// Writes `block.json` in the place of what this process said last; where another one has begun the block since, it is left alone.
    pub fn replace_state(&self, id: &str, last: &BlockState, next: &BlockState) -> Result<(), BucketError> {
        let block = self.sweep.below(&block_address(self.sweep.address(), id)?);
        self.runtime.block_on(replace_state(&block, last, next))
    }
}

/// How far each planned block has come; `None` where no block has begun. Fetches names and small files alone.
pub fn bucket_block_overview(sweep: &BucketAddress) -> Result<Option<BlockOverview>, BucketError> {
    let copy = match local_folder(&ResultsAddress::Bucket(sweep.clone()), FetchedFiles::ForStatus) {
        Err(BucketError::NoBlocks { .. }) => return Ok(None),
        copy => copy?,
    };
    let Some(mut overview) = block_overview(&copy)? else { return Ok(None) };
    let objects = BlockObjects::open(sweep)?;
    for block in &mut overview.blocks {
        let goes_on = block.state.as_ref().is_some_and(|state| state.ended.is_none());
        if goes_on {
            let folder = objects.sweep.below(&block_address(sweep, &block.id)?);
            block.is_locked = objects.runtime.block_on(is_leased(&folder))?;
        }
    }
    Ok(Some(overview))
}

async fn open_plan(sweep: &BucketFolder, plan: &BlockPlan) -> Result<BlockPlan, BucketError> {
    for block in &plan.blocks {
        block_address(sweep.address(), &block.id)?;
    }
    sweep.create(BLOCK_PLAN, as_json(plan)?.into()).await?;
    let found = sweep.read(BLOCK_PLAN).await?.ok_or_else(|| BucketError::NoBlocks { address: sweep.address().clone() })?;
    let found: BlockPlan = parsed(sweep, BLOCK_PLAN, &found)?;
    same_block_plan(Path::new(&sweep.address().to_string()), &found, plan)?;
    Ok(found)
}

async fn replace_state(block: &BucketFolder, last: &BlockState, next: &BlockState) -> Result<(), BucketError> {
    let Some(found) = block.read(BLOCK_STATE).await? else { return Ok(()) };
    if parsed::<BlockState>(block, BLOCK_STATE, &found)? == *last {
        block.replace(BLOCK_STATE, as_json(next)?.into(), &found.version).await?;
    }
    Ok(())
}

fn as_json(value: &impl Serialize) -> Result<Vec<u8>, BucketError> {
    Ok(serde_json::to_vec_pretty(value).map_err(std::io::Error::from)?)
}

fn parsed<T: DeserializeOwned>(folder: &BucketFolder, name: &str, found: &ReadObject) -> Result<T, BucketError> {
    serde_json::from_slice(&found.bytes).map_err(|error| not_of_the_format(&folder.shown(name), &error))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::memory::InMemory;

    use super::*;
    use crate::records::record::{BlockEnd, NodeIdentity, PlannedBlock};
    use crate::records::store::StoreError;
    use crate::records::store::fixture::manifest;

    fn folder() -> BucketFolder {
        BucketFolder::over(Arc::new(InMemory::new()), &"s3://b/night".parse().unwrap())
    }

    fn plan() -> BlockPlan {
        let planned = |id: &str, run: &str| PlannedBlock { id: id.into(), runs: vec![run.into()] };
        BlockPlan { manifest: manifest(&["a", "b"]), blocks: vec![planned("0-x", "a"), planned("1-y", "b")] }
    }

    fn state(node: &str) -> BlockState {
        let node = NodeIdentity { name: node.into(), gpus: Vec::new() };
        BlockState { node, bench_version: "0.1.0".into(), job: None, started_at: jiff::Timestamp::UNIX_EPOCH, ended: None }
    }

    #[tokio::test]
    async fn the_plan_is_that_of_the_first_block_and_another_one_is_refused_with_both_named() {
        let sweep = folder();
        assert_eq!(open_plan(&sweep, &plan()).await.unwrap(), plan());
        let mut later = plan();
        later.manifest.created_at = jiff::Timestamp::now();
        assert_eq!(open_plan(&sweep, &later).await.unwrap(), plan(), "the first one's date");
        let mut other = plan();
        other.manifest.name = "nightly".into();
        other.manifest.scenario_hash = "fedcba9876543210".into();
        let error = open_plan(&sweep, &other).await.unwrap_err().to_string();
        for part in ["`s3://b/night` holds the sweep `lmcache` (scenario 0123456789ab", "`nightly` (scenario fedcba987654"] {
            assert!(error.contains(part), "{error}");
        }
        let mut cut = plan();
        cut.blocks.reverse();
        let error = open_plan(&sweep, &cut).await.unwrap_err();
        assert!(matches!(error, BucketError::Store(StoreError::OtherBlocks { .. })), "{error}");
        let outside = BlockPlan { blocks: vec![PlannedBlock { id: "../x".into(), runs: Vec::new() }], ..plan() };
        assert!(matches!(open_plan(&folder(), &outside).await, Err(BucketError::Store(StoreError::BlockId { .. }))));
    }

    #[tokio::test]
    async fn the_end_of_a_block_takes_the_place_of_its_own_beginning_alone() {
        let block = folder();
        let ended = BlockState { ended: Some(BlockEnd { at: jiff::Timestamp::UNIX_EPOCH, exit_code: 0 }), ..state("one") };
        let saved = async || serde_json::from_slice::<BlockState>(&block.read(BLOCK_STATE).await.unwrap().unwrap().bytes).unwrap();
        replace_state(&block, &state("one"), &ended).await.unwrap();
        assert!(block.read(BLOCK_STATE).await.unwrap().is_none(), "it has not begun");
        block.put(BLOCK_STATE, as_json(&state("one")).unwrap()).await.unwrap();
        replace_state(&block, &state("one"), &ended).await.unwrap();
        assert_eq!(saved().await, ended);
        block.put(BLOCK_STATE, as_json(&state("two")).unwrap()).await.unwrap();
        replace_state(&block, &state("one"), &ended).await.unwrap();
        assert_eq!(saved().await, state("two"));
    }
}
