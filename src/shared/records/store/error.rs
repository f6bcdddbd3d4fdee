//! What can go wrong with saved runs. Every message names the path, and what to do next where there is something to do.

use std::io;
use std::path::PathBuf;

use super::table_error::TableError;
use crate::foundation::sentence::sentence;
use crate::records::record::FormatVersion;

/// Why runs could not be saved or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The message holds the path.
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("`{}` is not what `docs/results-format.md` says: {}", path.display(), sentence(&source.to_string()))]
    Json { path: PathBuf, source: serde_json::Error },
    #[error("line {line} of `{}` is no request record: {}", path.display(), sentence(&source.to_string()))]
    JournalLine { path: PathBuf, line: usize, source: serde_json::Error },
    #[error("`{}`: {}", path.display(), sentence(&source.to_string()))]
    Table { path: PathBuf, source: Box<TableError> },
    #[error("`{}` is not what was sealed: its hash is another than `run.json` says; restore it, or delete the run's folder and sweep again", path.display())]
    Changed { path: PathBuf },
    #[error("`{}` is a link that leads out of the sweep's folder or nowhere; put what it stands for in its place, or delete it", path.display())]
    Outside { path: PathBuf },
    #[error("`{}` cannot be a run's folder: a run id is a plain file name", sentence(id))]
    RunId { id: String },
    #[error("`{}` cannot be the scenario's file: `scenario_file` in the manifest is a plain file name", sentence(name))]
    ScenarioFile { name: String },
    #[error("`{}` cannot be a block's folder: a block's id is a plain file name", sentence(id))]
    BlockId { id: String },
    #[error("`{}` holds no blocks: there is no `blocks/plan.json` in it; name the folder that `bench sweep --block` was given with `-o`", dir.display())]
    NoBlocks { dir: PathBuf },
    #[error("`{}` holds blocks of the sweep `{}` that are cut otherwise than now (`spread` was changed); name another folder with `-o`", dir.display(), sentence(name))]
    OtherBlocks { dir: PathBuf, name: Box<str> },
    #[error("`{}` holds blocks that are not one sweep yet; `bench merge` of the same folder makes one of them", dir.display())]
    Unmerged { dir: PathBuf },
    #[error("`{}` holds no sweep: there is no `manifest.json` in it; name a folder that `bench sweep` or `bench run` made", dir.display())]
    NoSweep { dir: PathBuf },
    #[error("`{}` is not empty and holds no sweep; name a new folder with `-o`, or empty this one", dir.display())]
    NotEmpty { dir: PathBuf },
    #[error(
        "`{}` holds the sweep `{}` (scenario {}), not `{}` (scenario {asked_hash}); name another folder with `-o`",
        dir.display(), sentence(found_name), sentence(found_hash), sentence(asked_name)
    )]
    OtherScenario { dir: PathBuf, found_name: Box<str>, found_hash: Box<str>, asked_name: Box<str>, asked_hash: Box<str> },
    #[error(
        "`{}` holds the same scenario `{}` with other runs, planned by version {} (this is {asked_version}); name another folder with `-o`",
        dir.display(), sentence(name), sentence(found_version)
    )]
    OtherRuns { dir: PathBuf, name: Box<str>, found_version: Box<str>, asked_version: Box<str> },
    #[error(
        "`{}` holds a sweep of {found}, and this one is of {asked}; name another folder with `-o`, and take what is sealed with `--from {}`",
        dir.display(), dir.display()
    )]
    OtherSearch { dir: PathBuf, found: &'static str, asked: &'static str },
    #[error(
        "the sweep in `{}` was begun {keeps} `--keep-text`, and prompts and answers are kept of all of a sweep or of none; say it as then, \
         or name another folder with `-o`",
        dir.display()
    )]
    OtherTexts { dir: PathBuf, keeps: &'static str },
    #[error("`{}` has results format {found}; this program reads up to {}.x: use a newer `bench`", path.display(), FormatVersion::CURRENT.major)]
    NewerFormat { path: PathBuf, found: FormatVersion },
    #[error("another process is writing the sweep in `{}`; wait for it, or name another folder with `-o`", dir.display())]
    Locked { dir: PathBuf },
    #[error("`{}` is no longer the folder that this sweep was begun in: it was removed, moved or replaced meanwhile; put it back, or sweep anew", dir.display())]
    Vanished { dir: PathBuf },
    #[error("`{}` is not a run of this sweep's plan", sentence(id))]
    NotPlanned { id: String },
    #[error("the run `{}` is whole already; delete its folder `{}` to have it run again", sentence(id), dir.display())]
    Sealed { id: String, dir: PathBuf },
}
