//! `bench merge`: the blocks of a sweep as one sweep, what lacks of them, and the report. What is in a bucket is merged on this machine, and sent there.

use super::destination::{SweepDestination, blocks_folder};
use super::report::{self, ReportOptions};
use super::{ExitReason, worst};
use crate::cli::{MergeArgs, VerbosityArgs};
use crate::execution::executor::StopToken;
use crate::records::bucket::ResultsAddress;
use crate::records::store::{BlockMerge, ForeignBlock, merge_blocks, sweep_progress};

pub fn run(args: &MergeArgs, talk: VerbosityArgs) -> anyhow::Result<ExitReason> {
    let destination = SweepDestination::open(args.results.clone(), &StopToken::new(), talk)?;
    let outcome = merge_blocks(&blocks_folder(&args.results)?, destination.dir())?;
    destination.send(&sweep_progress(destination.dir())?.sealed);
    let lacking: Vec<String> = outcome.blocks.iter().filter_map(|block| lack(block, &args.results)).collect();
    for lack in &lacking {
        eprintln!("{lack}");
    }
    if !talk.quiet {
        let whole = outcome.blocks.len() - lacking.len();
        let runs: usize = outcome.blocks.iter().filter(|block| block.foreign.is_none()).map(|block| block.sealed).sum();
        eprintln!("merged: {whole} of {} blocks are whole, {runs} runs", outcome.blocks.len());
    }
    let reported = report::finish(&destination, &ReportOptions { format: args.format.into(), ..ReportOptions::default() }, talk)?;
    let complete = if lacking.is_empty() { ExitReason::Success } else { ExitReason::CellsFailed };
    destination.finish(worst([reported, complete]), talk)
}

/// What a block lacks, and what to do about it; `None` where it is whole.
fn lack(block: &BlockMerge, results: &ResultsAddress) -> Option<String> {
    if block.is_whole() {
        return None;
    }
    let BlockMerge { id, planned, sealed, failed, foreign, state } = block;
    let what = match foreign {
        Some(ForeignBlock::Scenario) => "holds a block of another scenario, and is left out".to_owned(),
        Some(ForeignBlock::Seed) => "was measured with another seed, and is left out".to_owned(),
        Some(ForeignBlock::Simulation) => "is simulated and the others are not, or the other way round: it is left out".to_owned(),
        None if *sealed + *failed == 0 => "has no result yet".to_owned(),
        None if *failed > 0 => format!("{sealed} of {planned} runs are whole, {failed} failed"),
        None => format!("{sealed} of {planned} runs are whole"),
    };
    let cure = if foreign.is_some() { "move it away and measure it again" } else { "goes on" };
    let ended = state.as_ref().and_then(|state| state.ended.as_ref()).map(|end| format!(", it ended with exit code {}", end.exit_code));
    Some(format!("block `{id}`: {what}{}; {cure}: `bench sweep SCENARIO -o {results} --block {id}`", ended.unwrap_or_default()))
}
