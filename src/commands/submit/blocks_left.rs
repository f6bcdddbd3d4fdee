//! Which blocks of a plan are left, by what is sealed in the folder.

use std::path::Path;

use crate::planning::cluster::JobBlock;
use crate::planning::plan::Plan;
use crate::records::store::SweepPaths;

/// The blocks that are not sealed whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BlocksLeft {
    pub blocks: Vec<JobBlock>,
    pub planned: usize,
}

impl BlocksLeft {
    /// Looks into the folder. Of a search nobody knows how many runs are still to come: its blocks are all left, and one whose search has ended ends at once.
    pub fn of(plan: &Plan, dir: &Path) -> anyhow::Result<Self> {
        let blocks = plan.blocks();
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
