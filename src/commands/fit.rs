//! `bench fit`: the simulated engine fitted to a saved sweep.

use std::path::Path;

use anyhow::{Context, bail};
use fs_err as fs;

use super::destination::folder_of;
use super::saved_plan::simulated_plan;
use super::{ExitReason, stdout};
use crate::cli::{FitArgs, VerbosityArgs};
use crate::execution::twin::{TwinFile, fit, measured_cells};
use crate::planning::plan::Run;
use crate::prediction::fit_text;
use crate::records::record::RequestRecord;
use crate::records::store::read_sweep;

pub fn run(args: &FitArgs, talk: VerbosityArgs) -> anyhow::Result<ExitReason> {
    let dir = folder_of(&args.results)?;
    let sweep = read_sweep(&dir)?;
    let variant = match (&args.variant, sweep.manifest.variants.as_slice()) {
        (Some(variant), known) if known.contains(variant) => variant,
        (None, [only]) => only,
        (asked, known) => {
            let asked = asked.as_ref().map_or_else(|| "no variant is named".to_owned(), |name| format!("there is no variant `{name}`"));
            bail!("{asked}\nhint: say which server is to be fitted by `--variant`: {}", known.join(", "))
        }
    };
    let Some(plan) = simulated_plan(&sweep, &args.set, &args.only, talk)? else { return Ok(ExitReason::Usage) };
    let is_set = |field: &str| args.set.iter().any(|change| change.split(['=', '.']).nth(1).is_some_and(|name| name.trim() == field));
    let measured = measured_cells(&sweep, &plan, variant, &is_set).with_context(|| format!("`{}` cannot be fitted", dir.display()))?;
    if !talk.quiet {
        measured.notes.iter().for_each(|note| eprintln!("note: {note}"));
    }
    let rows: Vec<&RequestRecord> = measured.rows.iter().collect();
    let told_of = |round: u32, misfit: f64| {
        if !talk.quiet {
            eprintln!("round {round}: misfit {misfit:.1}");
        }
    };
    let outcome = fit(&measured.cells, &rows, &measured.told, told_of);
    let outcome = outcome.with_context(|| format!("`{}` cannot be fitted: none of its requests was answered", dir.display()))?;
    let runs: Vec<&Run> = measured.cells.iter().flat_map(|cell| &cell.runs).collect();
    let twin = TwinFile::new(outcome, variant, measured.server, &runs)?;
    stdout::print(&fit_text(&twin))?;
    write(&args.output, &twin)?;
    stdout::print(&format!("{}\n", args.output.display()))?;
    Ok(ExitReason::Success)
}

fn write(path: &Path, twin: &TwinFile) -> anyhow::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    Ok(fs::write(path, twin.text()?)?)
}
