//! `bench prepare trace`: a trace checked and shown in figures.

use super::sharegpt::table;
use crate::cli::{OutputFormat, PrepareTraceArgs, VerbosityArgs};
use crate::commands::ExitReason;
use crate::commands::stdout::print;
use crate::foundation::units::grouped;
use crate::vocabulary::recording::TraceReadOptions;
use crate::workloads::prepare::trace::{TraceStatistics, figures};

pub(super) fn run(args: &PrepareTraceArgs, talk: VerbosityArgs) -> anyhow::Result<ExitReason> {
    let options = TraceReadOptions { unit: args.trace_unit, block_tokens: args.block_tokens, requests: u64::MAX, until_ms: None };
    let figures = figures(&args.file, options)?;
    match args.format {
        OutputFormat::Text => print(&as_text(&figures))?,
        OutputFormat::Json => print(&(serde_json::to_string_pretty(&figures)? + "\n"))?,
    }
    if !talk.quiet {
        eprintln!("`{}` can be sent again", args.file.display());
    }
    Ok(ExitReason::Success)
}

fn as_text(figures: &TraceStatistics) -> String {
    let rate = figures.rate_per_s.map_or_else(|| "all at once".to_owned(), |rate| format!("{rate:.3} per s"));
    let shared = figures.shared_share.map_or_else(
        || "no hash ids, so no prefix is shared".to_owned(),
        |share| format!("{:.1} % of {} blocks repeat the beginning of an earlier prompt", share * 100.0, grouped(figures.blocks)),
    );
    let table = table("tokens of", &[("prompts", &figures.input_tokens), ("answers", &figures.output_tokens)]);
    format!("{} requests in {:.1} s, {rate}\n{shared}\n\n{table}", grouped(figures.requests), figures.span_s)
}
