//! Which blocks of a plan are left, by what is sealed at their address.

use std::path::Path;

use crate::commands::blocks::block_plan;
use crate::planning::cluster::JobBlock;
use crate::planning::plan::Plan;
use crate::records::bucket::{BucketError, FetchedFiles, ResultsAddress, local_folder};
use crate::records::store::{SweepPaths, read_block_plan, same_block_plan};

/// The blocks that are not sealed whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BlocksLeft {
    pub blocks: Vec<JobBlock>,
    pub planned: usize,
}

impl BlocksLeft {
    /// Looks at the address. Of a search nobody knows how many runs are still to come: its blocks are all left, and one whose search has ended ends at once.
    ///
    /// # Errors
    /// Where it holds blocks of another sweep, or cannot be asked.
    pub fn of(plan: &Plan, keeps_texts: bool, address: &ResultsAddress) -> anyhow::Result<Self> {
        let dir = match local_folder(address, FetchedFiles::ForStatus) {
            Err(BucketError::NoBlocks { .. }) => return Ok(Self::all(plan)),
            dir => dir?,
        };
        let blocks = plan.blocks();
        if SweepPaths::new(&dir).block_plan().exists() {
            same_block_plan(Path::new(&address.to_string()), &read_block_plan(&dir)?, &block_plan(plan, &blocks, keeps_texts))?;
        }
        let planned = blocks.len();
        let mut left = Vec::new();
        for block in blocks {
            let paths = SweepPaths::new(dir.join("blocks").join(&block.id));
            let mut is_sealed = plan.frontier.is_none();
            for run in block.runs.iter().filter_map(|place| plan.runs.get(*place)) {
                is_sealed &= paths.run(&run.id)?.record().exists();
            }
            if !is_sealed {
                left.push(JobBlock { number: block.number, id: block.id });
            }
        }
        Ok(Self { blocks: left, planned })
    }

    /// All of them.
    pub fn all(plan: &Plan) -> Self {
        let blocks: Vec<JobBlock> = plan.blocks().into_iter().map(|block| JobBlock { number: block.number, id: block.id }).collect();
        Self { planned: blocks.len(), blocks }
    }

    /// How many there are and are left.
    pub fn sentence(&self) -> String {
        let all = |count: usize| if count == 1 { "1 block".to_owned() } else { format!("{count} blocks") };
        match self.planned - self.blocks.len() {
            0 => format!("{} to do", all(self.planned)),
            sealed if sealed == self.planned => format!("all of {} are sealed", all(self.planned)),
            sealed => format!("{} to do, and {sealed} of {} sealed already", all(self.blocks.len()), self.planned),
        }
    }
}
