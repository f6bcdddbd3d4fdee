//! `bench export`: saved sweeps as one table, for SQL, pandas and spreadsheets. As `bench plot` it makes the file's folder and replaces the file.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use fs_err as fs;

use super::destination::folder_of;
use super::{ExitReason, stdout};
use crate::analysis::{SummaryOptions, summarize};
use crate::cli::{ExportArgs, VerbosityArgs};
use crate::presentation::export::{ExportError, JudgedSweep, cell_table, export_requests};
use crate::records::store::{ExportedTable, SavedSweep, SweepPaths, TableFormat, read_sweep};

/// Writes the table and says its path.
pub fn run(args: &ExportArgs, talk: VerbosityArgs) -> anyhow::Result<ExitReason> {
    let output = &args.output;
    let Some(format) = TableFormat::of(output) else {
        bail!("`{}` ends in neither `.parquet` nor `.csv`", output.display());
    };
    let folders = args.results.iter().map(folder_of).collect::<anyhow::Result<Vec<PathBuf>>>()?;
    for dir in &folders {
        if is_within(output, &SweepPaths::new(dir).runs()) {
            bail!("`{}` lies among the saved runs of `{}`; name a file elsewhere with `-o`", output.display(), dir.display());
        }
    }
    let sweeps = folders.iter().map(|dir| read_sweep(dir)).collect::<Result<Vec<SavedSweep>, _>>()?;
    if let Some(folder) = output.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let rows = if args.cells { export_cells(output, format, &sweeps)? } else { export_requests(output, format, &sweeps)? };
    if !talk.quiet {
        let of = if args.cells { "cells" } else { "requests" };
        eprintln!("{rows} {of} of {} runs", sweeps.iter().map(|sweep| sweep.runs.len()).sum::<usize>());
        for sweep in sweeps.iter().filter(|sweep| !sweep.missing.is_empty()) {
            eprintln!("warning: `{}` lacks {} of its {} runs", sweep.dir.display(), sweep.missing.len(), sweep.manifest.runs.len());
        }
    }
    stdout::print(&format!("{}\n", output.display()))?;
    Ok(ExitReason::Success)
}

fn export_cells(output: &Path, format: TableFormat, sweeps: &[SavedSweep]) -> anyhow::Result<u64> {
    let judged = |sweep: &SavedSweep| {
        let summary = summarize(sweep, &SummaryOptions::default());
        let summary = summary.with_context(|| format!("`{}` cannot be judged", sweep.dir.display()))?;
        Ok(JudgedSweep { created_at: sweep.manifest.created_at.to_string(), summary })
    };
    let table = cell_table(&sweeps.iter().map(judged).collect::<anyhow::Result<Vec<_>>>()?)?;
    ExportedTable::write(output, format, table.schema(), |file| Ok::<_, ExportError>(file.add(&table)?))?;
    Ok(table.height() as u64)
}

/// Whether a file that may not be there yet lies in a folder, by whatever path either is named.
fn is_within(file: &Path, folder: &Path) -> bool {
    let Ok(folder) = fs::canonicalize(folder) else { return false };
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let known = absolute.ancestors().skip(1).find_map(|above| fs::canonicalize(above).ok());
    known.is_some_and(|above: PathBuf| above.starts_with(&folder))
}
