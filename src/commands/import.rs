//! `bench import`: files of other programs into a saved sweep, which everything else reads as its own. Nothing is written before every
//! file has been read and found good.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use fs_err as fs;
use jiff::Timestamp;

use super::report::goals;
use super::{ExitReason, stdout};
use crate::cli::{ImportArgs, VerbosityArgs};
use crate::foundation::named_file::NamedFile;
use crate::presentation::report::paragraph;
use crate::records::import::{ImportError, ImportFile, ImportOptions, ImportedSweep, import};

pub fn run(args: &ImportArgs, talk: VerbosityArgs) -> anyhow::Result<ExitReason> {
    let Some(goals) = goals(&args.goals) else { return Ok(ExitReason::Usage) };
    if args.output.exists() {
        bail!("`{}` is there already: an import makes a new folder; name another with `-o`, or delete this one", args.output.display());
    }
    let wanted = ImportOptions {
        name: name_of(&args.output).unwrap_or_else(|| "imported".to_owned()),
        goals,
        created_at: Timestamp::now(),
        bench_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let read: Vec<Result<ImportFile, String>> = args.files.iter().map(|file| source(file, args.variant.as_deref())).collect();
    let unread: Vec<&String> = read.iter().filter_map(|read| read.as_ref().err()).collect();
    let sources: Vec<ImportFile> = read.iter().filter_map(|read| read.as_ref().ok()).cloned().collect();
    let imported = if sources.is_empty() { Err(Vec::new()) } else { import(&sources, &wanted) };
    match imported {
        Ok(sweep) if unread.is_empty() => {
            sweep.save(&args.output).with_context(|| format!("`{}` could not be written", args.output.display()))?;
            if !talk.quiet {
                stdout::print(&told(&sweep, &args.output))?;
            }
            Ok(ExitReason::Success)
        }
        other => {
            let faults = other.err().unwrap_or_default();
            for text in unread.into_iter().cloned().chain(faults.iter().map(ImportError::to_string)) {
                eprintln!("error: {text}");
            }
            Ok(ExitReason::Usage)
        }
    }
}

/// A file with the variant that it is a run of.
fn source(file: &Path, variant: Option<&str>) -> Result<ImportFile, String> {
    if file.is_dir() {
        return Err(format!("`{}` is a folder: name the files in it, `{}/*.json`", file.display(), file.display()));
    }
    let bytes = NamedFile::Import.read(file).map_err(|error| error.to_string())?;
    let text = String::from_utf8(bytes).map_err(|_| format!("`{}` is not text in UTF-8", file.display()))?;
    let folder = || folder_of(file).as_deref().and_then(name_of);
    Ok(ImportFile {
        name: file.display().to_string(),
        stem: file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default(),
        variant: variant.map(str::to_owned).or_else(folder).unwrap_or_else(|| "imported".to_owned()),
        text,
    })
}

/// The folder by its full path: `x.json` lies in a folder with a name, too.
fn folder_of(file: &Path) -> Option<PathBuf> {
    fs::canonicalize(file).ok()?.parent().map(Path::to_owned)
}

fn name_of(path: &Path) -> Option<String> {
    path.file_name().map(|name| name.to_string_lossy().into_owned())
}

/// What was read, what it lacks, and what to do next.
fn told(sweep: &ImportedSweep, dir: &Path) -> String {
    let Some(imported) = &sweep.manifest.imported else { return String::new() };
    let count = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let (files, cells) = (count(sweep.files, "file"), count(sweep.cells(), "cell"));
    let runs = if sweep.runs.len() == sweep.files { String::new() } else { format!("{}, ", count(sweep.runs.len(), "run")) };
    let variants = sweep.manifest.variants.join(", ");
    let mut out = format!("imported {files} of {}: {runs}{cells} of {variants}; {} requests\n", imported.program, sweep.requests());
    let failures: Vec<String> = sweep.failures().iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let _ = writeln!(out, "failures: {}", if failures.is_empty() { "none".to_owned() } else { failures.join(", ") });
    for note in sweep.runs.iter().flat_map(|run| run.record.notes.iter().map(|note| (&run.record.header.id, note))) {
        let _ = writeln!(out, "note: {}: {}", note.0, note.1);
    }
    for lack in &imported.lacks {
        let _ = writeln!(out, "lacks: {lack}");
    }
    let goals = if sweep.manifest.goals.is_empty() { " --goal 'p95(ttft) <= 2s'" } else { "" };
    let _ = writeln!(out, "next: bench report {}{goals}", dir.display());
    let mut page = String::new();
    out.lines().for_each(|line| paragraph(&mut page, line));
    page
}
