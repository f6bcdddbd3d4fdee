//! `bench prepare sharegpt`: flags to a job, its outcome to a table.

use std::path::Path;

use anyhow::Context;
use comfy_table::{CellAlignment, Table, TableComponent, presets};

use super::counter::counter;
use super::progress::PrepareProgress;
use crate::cli::{OutputFormat, PrepareSharegptArgs, VerbosityArgs};
use crate::commands::ExitReason;
use crate::commands::stdout::print;
use crate::foundation::units::grouped;
use crate::workloads::prepare::TokenStatistics;
use crate::workloads::prepare::sharegpt::{
    PrepareSharegptJob, PrepareSharegptOutcome, SharegptManifest, SharegptRecipe, manifest_path, prepare,
};

pub(super) fn run(args: &PrepareSharegptArgs, talk: VerbosityArgs) -> anyhow::Result<ExitReason> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start the runtime")?;
    let mut screen = PrepareProgress::new(talk);
    let cache = args.output.parent().unwrap_or(Path::new("")).join(".source");
    let (counter, tokenizer) = runtime.block_on(counter(&args.counter, &cache, &mut screen))?;
    let recipe = SharegptRecipe {
        tokenizer,
        rounds: args.rounds,
        max_conversations: args.max_conversations,
        min_tokens: args.min_tokens,
        max_context: args.max_context.map(|tokens| tokens.0),
    };
    let job = PrepareSharegptJob { input: args.file.clone(), output: args.output.clone(), recipe };
    let outcome = prepare(&job, &mut |text| runtime.block_on(counter.count(text)), &mut |news| screen.on(&news));
    screen.end();
    let PrepareSharegptOutcome { manifest, stood } = outcome?;
    match args.format {
        OutputFormat::Text => print(&as_text(&manifest))?,
        OutputFormat::Json => print(&(serde_json::to_string_pretty(&manifest)? + "\n"))?,
    }
    for line in words(&manifest, stood, &args.output) {
        screen.say(&line);
    }
    Ok(ExitReason::Success)
}

fn as_text(manifest: &SharegptManifest) -> String {
    table(
        "tokens of",
        &[("questions", &manifest.question_tokens), ("answers", &manifest.answer_tokens), ("conversations", &manifest.conversation_tokens)],
    )
}

/// Figures, a row each.
pub(super) fn table(what: &str, rows: &[(&str, &TokenStatistics)]) -> String {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_style(TableComponent::HeaderLines, '─')
        .set_style(TableComponent::MiddleHeaderIntersections, '─')
        .set_header([what, "number", "total", "mean", "p50", "p95", "max"]);
    for (name, figures) in rows {
        let TokenStatistics { count, total, mean, p50, p95, max, .. } = figures;
        let mean = format!("{mean:.1}");
        table.add_row([(*name).to_owned(), grouped(*count), grouped(*total), mean, grouped(*p50), grouped(*p95), grouped(*max)]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("{table}\n")
}

fn words(manifest: &SharegptManifest, stood: bool, output: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    if stood {
        lines.push(format!("nothing to do: `{}` is what is asked for", output.display()));
    }
    lines.push(format!("{} conversations read, {} kept", grouped(manifest.read), grouped(manifest.kept)));
    for (reason, count) in &manifest.left_out {
        lines.push(format!("left out, {}: {}", reason.replace('_', " "), grouped(*count)));
    }
    if manifest.stopped_early {
        lines.push("`--max-conversations` is reached; the rest of the file was not looked at".to_owned());
    }
    lines.push(format!("`{}` with `{}`", output.display(), manifest_path(output).display()));
    lines
}
