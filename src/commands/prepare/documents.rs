//! `bench prepare documents`: flags to a job, its outcome to a table and an exit code.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use comfy_table::{CellAlignment, Table, TableComponent, presets};
use serde_json::{Value, json};

use super::counter::counter;
use super::progress::PrepareProgress;
use crate::cli::{OutputFormat, PrepareDocumentsArgs, VerbosityArgs};
use crate::commands::ExitReason;
use crate::commands::stdout::print;
use crate::foundation::units::grouped;
use crate::workloads::prepare::{
    DocumentsRecipe, DownloadPolicy, Downloader, GutenbergLibrary, LengthBuckets, PrepareDocumentsJob, PrepareDocumentsOutcome,
    PrepareDocumentsSources, PrepareError, find, prepare,
};

pub(super) fn run(args: &PrepareDocumentsArgs, talk: VerbosityArgs) -> anyhow::Result<ExitReason> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start the runtime")?;
    let mut screen = PrepareProgress::new(talk);
    let outcome = runtime.block_on(work(args, &mut screen));
    screen.end();
    let outcome = outcome?;
    match args.format {
        OutputFormat::Text => print(&as_text(&outcome, &args.output))?,
        OutputFormat::Json => print(&(serde_json::to_string_pretty(&as_json(&outcome))? + "\n"))?,
    }
    for line in words(&outcome) {
        screen.say(&line);
    }
    let whole = outcome.failed.is_empty() && outcome.untried == 0 && outcome.buckets.values().any(|documents| *documents > 0);
    Ok(if whole { ExitReason::Success } else { ExitReason::CellsFailed })
}

async fn work(args: &PrepareDocumentsArgs, screen: &mut PrepareProgress) -> anyhow::Result<PrepareDocumentsOutcome> {
    let cache = args.output.join(".source");
    let (counter, tokenizer) = counter(&args.counter, &cache, screen).await?;
    let recipe = DocumentsRecipe { tokenizer, buckets: args.buckets.sizes().to_vec(), all_buckets: args.all_buckets, limit: args.limit };
    let job = PrepareDocumentsJob { output: args.output.clone(), recipe, max_bytes: args.max_bytes.0 };
    let sources = sources(args, &cache, screen)?;
    Ok(prepare(&job, &counter, sources, &mut |news| screen.on(&news)).await?)
}

fn sources(args: &PrepareDocumentsArgs, cache: &Path, screen: &PrepareProgress) -> anyhow::Result<PrepareDocumentsSources> {
    if let Some(ids) = &args.gutenberg {
        let pause = Duration::try_from_secs_f64(args.pause.0).context("`--pause` is too long")?;
        let downloader = Downloader::new(DownloadPolicy { pause, ..DownloadPolicy::POLITE }, args.max_bytes.0);
        return Ok(PrepareDocumentsSources::Gutenberg(
            Box::new(GutenbergLibrary::open(&args.mirror, cache.to_owned(), downloader)?),
            ids.clone(),
        ));
    }
    let folder = args.folder.as_deref().context("name `--folder` or `--gutenberg`")?;
    let (found, passed) = find(folder, &args.output)?;
    for passed in passed {
        screen.say(&format!("`{}` {}", passed.name, passed.why));
    }
    if found.is_empty() {
        return Err(PrepareError::NoTexts { folder: folder.to_owned() }.into());
    }
    Ok(PrepareDocumentsSources::Folder(found))
}

fn as_text(outcome: &PrepareDocumentsOutcome, output: &Path) -> String {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_style(TableComponent::HeaderLines, '─')
        .set_style(TableComponent::MiddleHeaderIntersections, '─')
        .set_header(["bucket", "tokens each", "documents", "folder"]);
    for (bucket, documents) in &outcome.buckets {
        let name = LengthBuckets::name(*bucket);
        let folder = if *documents > 0 { output.join(&name).display().to_string() } else { "-".to_owned() };
        table.add_row([name, grouped(*bucket), grouped(*documents), folder]);
    }
    for column in table.column_iter_mut().take(3) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("{table}\n")
}

fn as_json(outcome: &PrepareDocumentsOutcome) -> Value {
    let buckets: Vec<Value> = outcome
        .buckets
        .iter()
        .map(|(tokens, documents)| json!({ "bucket": LengthBuckets::name(*tokens), "tokens": tokens, "documents": documents }))
        .collect();
    let failed: Vec<Value> = outcome.failed.iter().map(|(name, why)| json!({ "source": name, "reason": why })).collect();
    json!({
        "buckets": buckets,
        "made": outcome.made,
        "kept": outcome.kept,
        "others": outcome.others,
        "left_out": outcome.left_out,
        "failed": failed,
        "untried": outcome.untried,
        "strays": outcome.strays,
    })
}

/// How many names are told of each kind; the manifest has them all.
const NAMED: usize = 10;

/// What there is to say, a line each.
fn words(outcome: &PrepareDocumentsOutcome) -> Vec<String> {
    let mut lines = Vec::new();
    let nothing = outcome.made == 0 && outcome.failed.is_empty() && outcome.untried == 0;
    if nothing && outcome.kept > 0 {
        lines.push(format!("nothing to do: all {} stand as they were made", counted(outcome.kept, "source")));
    } else {
        lines.push(format!("{} looked at, {} stood as they were", counted(outcome.made, "source"), outcome.kept));
    }
    if outcome.others > 0 {
        lines.push(format!("{} of earlier runs stay", counted(outcome.others, "source")));
    }
    for (reason, names) in &outcome.left_out {
        lines.push(format!("left out, {}: {} ({})", reason.replace('_', " "), names.len(), some(names)));
    }
    if !outcome.failed.is_empty() {
        let names: Vec<String> = outcome.failed.iter().map(|(name, _)| name.clone()).collect();
        lines.push(format!("failed: {} ({}); run again to try them once more", names.len(), some(&names)));
    }
    if outcome.untried > 0 {
        lines.push(format!("not tried, since the mirror serves nothing: {}; run again later", outcome.untried));
    }
    if !outcome.strays.is_empty() {
        lines.push(format!("warning: not made here, but a workload would read them as documents: {}", some(&outcome.strays)));
    }
    lines
}

fn counted(number: u64, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{} {one}s", grouped(number)) }
}

fn some(names: &[String]) -> String {
    let more = names.len().saturating_sub(NAMED);
    let listed = names[..names.len() - more].join(", ");
    if more == 0 { listed } else { format!("{listed} and {more} more") }
}
