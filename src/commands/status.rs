//! `bench status`: how far the blocks of a sweep have come. Reads files alone, so that it works wherever the folder or the bucket is seen.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde::Serialize;

use super::ExitReason;
use super::stdout::print;
use crate::analysis::percentile;
use crate::cli::{OutputFormat, StatusArgs};
use crate::foundation::units::waiting_time;
use crate::records::bucket::{ResultsAddress, bucket_block_overview};
use crate::records::record::{RequestPhase, RequestRecord};
use crate::records::store::{BlockOverview, BlockProgress, CurrentRun, block_overview, read_journal};
use crate::vocabulary::metric::Metric;

/// A block that has written nothing for so long, and did not say that it ended, may be dead.
const SILENT: Duration = Duration::from_mins(10);

/// Where a block stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum BlockStanding {
    Waiting,
    Running,
    /// Neither has it ended, nor has it written anything for a while.
    Silent,
    /// Ended before all of its runs were sealed, without a failure.
    Stopped,
    Failed,
    Sealed,
}

/// A block in the table.
#[derive(Debug, Clone, Serialize)]
struct BlockLine {
    id: String,
    standing: BlockStanding,
    sealed: usize,
    failed: usize,
    planned: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<u8>,
    /// The run that is being measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<RunningCell>,
    /// How long the other runs take, if they take as long as those that are sealed; without starts of servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_left_s: Option<f64>,
}

/// The run that is being measured, as far as it has come.
#[derive(Debug, Clone, Serialize)]
struct RunningCell {
    id: String,
    requests: usize,
    /// Of measured requests so far, failed ones infinite; `None` where there is none, or it is infinite.
    ttft_p95_s: Option<f64>,
}

pub fn run(args: &StatusArgs) -> anyhow::Result<ExitReason> {
    let overview = match &args.results {
        ResultsAddress::Folder(dir) => block_overview(dir)?,
        ResultsAddress::Bucket(bucket) => bucket_block_overview(bucket)?,
    };
    let Some(BlockOverview { plan, blocks }) = overview else {
        print(&none_begun(&args.results, args.format))?;
        return Ok(ExitReason::Success);
    };
    let now = SystemTime::now();
    let mut lines = blocks.iter().map(|block| line(block, now)).collect::<anyhow::Result<Vec<_>>>()?;
    if plan.manifest.simulated {
        // Its runs take no time of a clock on the wall.
        for line in &mut lines {
            line.expected_left_s = None;
        }
    }
    let text = match args.format {
        OutputFormat::Text => as_text(&plan.manifest.name, &lines),
        OutputFormat::Json => serde_json::to_string_pretty(&lines)? + "\n",
    };
    print(&text)?;
    Ok(ExitReason::Success)
}

/// What is said where nothing tells yet which blocks there are.
fn none_begun(results: &ResultsAddress, format: OutputFormat) -> String {
    match format {
        OutputFormat::Json => "[]\n".to_owned(),
        OutputFormat::Text => format!(
            "no block has begun: `{results}` has no `blocks/plan.json`, which the first one writes\nhint: `squeue` or `kubectl get pods` tells \
             what jobs wait for; to measure a block here: bench sweep SCENARIO -o {results} --block 0\n"
        ),
    }
}

fn standing(block: &BlockProgress, now: SystemTime) -> BlockStanding {
    let Some(state) = &block.state else { return BlockStanding::Waiting };
    if block.sealed == block.planned {
        return BlockStanding::Sealed;
    }
    if state.ended.is_some() {
        return if block.failed > 0 { BlockStanding::Failed } else { BlockStanding::Stopped };
    }
    let written = block.current.as_ref().map_or_else(|| SystemTime::from(state.started_at), |run| run.last_written);
    let is_silent = !block.is_locked && now.duration_since(written).is_ok_and(|passed| passed > SILENT);
    if is_silent { BlockStanding::Silent } else { BlockStanding::Running }
}

fn line(block: &BlockProgress, now: SystemTime) -> anyhow::Result<BlockLine> {
    let standing = standing(block, now);
    let goes_on = matches!(standing, BlockStanding::Running | BlockStanding::Silent);
    let state = block.state.as_ref();
    let run = block.current.as_ref().filter(|_| goes_on).map(running).transpose()?;
    let (sealed, left) = (count(block.sealed), count(block.planned - block.sealed - block.failed));
    let is_known = standing == BlockStanding::Running && block.sealed > 0;
    Ok(BlockLine {
        id: block.id.clone(),
        standing,
        sealed: block.sealed,
        failed: block.failed,
        planned: block.planned,
        node: state.map(|state| state.node.name.clone()),
        job: state.and_then(|state| state.job.clone()),
        started_at: state.map(|state| state.started_at),
        exit_code: state.and_then(|state| state.ended.as_ref()).map(|end| end.exit_code),
        run,
        expected_left_s: is_known.then(|| block.measured.as_secs_f64() / sealed * left),
    })
}

#[expect(clippy::cast_precision_loss, reason = "a block has few runs")]
fn count(runs: usize) -> f64 {
    runs as f64
}

fn running(run: &CurrentRun) -> anyhow::Result<RunningCell> {
    let mut values = Vec::new();
    let mut requests = 0;
    for record in read_journal(&run.journal)? {
        let record: RequestRecord = record?;
        requests += 1;
        if record.phase == RequestPhase::Measure {
            values.push(record.value(Metric::Ttft));
        }
    }
    values.sort_by(f64::total_cmp);
    let ttft_p95_s = percentile(&values, 95.0).filter(|value| value.is_finite());
    Ok(RunningCell { id: run.id.clone(), requests, ttft_p95_s })
}

fn as_text(name: &str, lines: &[BlockLine]) -> String {
    let mut counts: BTreeMap<BlockStanding, usize> = BTreeMap::new();
    for line in lines {
        *counts.entry(line.standing).or_default() += 1;
    }
    let counted: Vec<String> = counts.iter().map(|(standing, count)| format!("{count} {}", standing.words())).collect();
    let sealed: usize = lines.iter().map(|line| line.sealed).sum();
    let planned: usize = lines.iter().map(|line| line.planned).sum();
    let is_begun = lines.iter().any(|line| line.standing != BlockStanding::Waiting);
    let begun = if is_begun { counted.join(", ") } else { "none has begun".to_owned() };
    let mut text = format!("{name}: {} blocks ({begun}), {sealed} of {planned} runs sealed\n", lines.len());
    let width = lines.iter().map(|line| line.id.len()).max().unwrap_or(0);
    for line in lines {
        let _ = write!(text, "{:width$}  {:7}  {}/{}", line.id, line.standing.words(), line.sealed, line.planned);
        if line.failed > 0 {
            let _ = write!(text, ", {} failed", line.failed);
        }
        for (what, value) in [("on", &line.node), ("as", &line.job)] {
            if let Some(value) = value {
                let _ = write!(text, " {what} {value}");
            }
        }
        if let Some(run) = &line.run {
            let p95 = run.ttft_p95_s.map(|seconds| format!(", p95 TTFT {seconds:.3} s so far")).unwrap_or_default();
            let _ = write!(text, "; {}: {} requests{p95}", run.id, run.requests);
        }
        if let Some(left_s) = line.expected_left_s {
            let _ = write!(text, "; about {} left", waiting_time(left_s));
        }
        match (line.standing, line.exit_code) {
            (BlockStanding::Stopped | BlockStanding::Failed, Some(code)) => {
                let _ = write!(text, "; ended with exit code {code}");
            }
            (BlockStanding::Silent, _) => text.push_str("; nothing written for a while, its node may be gone"),
            _ => {}
        }
        text.push('\n');
    }
    text
}

impl BlockStanding {
    fn words(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Silent => "silent",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Sealed => "sealed",
        }
    }
}
