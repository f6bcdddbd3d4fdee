//! Records on disk: one folder a sweep, one folder a run, as `docs/results-format.md` specifies them.
//!
//! In: a manifest, request records while a run lives, its run record at the end. Out: [`read_sweep`], which gives whole runs only and
//! works on a folder copied from anywhere. Must not know how runs are made, nor what is computed from them.

mod blocks;
mod client_rows;
mod dictionary;
mod error;
mod exported_table;
mod files;
mod frame;
mod inside;
mod journal;
mod layout;
mod merge;
mod pages;
mod parquet;
mod progress;
mod reader;
mod request_columns;
mod requests;
mod run_writer;
mod samples;
mod saved_column;
mod segments;
mod table_error;
mod texts;
mod writer;

#[cfg(test)]
pub(crate) mod fixture;

pub use blocks::{
    BlockOverview, BlockProgress, CurrentRun, block_overview, open_block_plan, read_block_plan, replace_block_state, same_block_plan,
    write_block_state,
};
pub use error::StoreError;
pub use exported_table::{ExportedTable, TableFormat};
pub use files::write_derived;
pub use journal::{JournalReader, read_journal, read_texts};
pub use layout::{ChatPaths, RunPaths, SweepPaths};
pub use merge::{BlockMerge, ForeignBlock, MergeOutcome, merge_blocks};
pub use progress::{SweepProgress, sweep_progress};
pub use reader::{SavedRun, SavedSweep, read_runs, read_sweep, report_folder, saved_manifest, scenario_text};
pub use request_columns::{REQUEST_COLUMNS, from_table, to_table};
pub use requests::SavedRequests;
pub use run_writer::RunWriter;
pub use samples::{SAMPLE_COLUMNS, SavedSamples, read_samples};
pub use saved_column::SavedColumn;
pub use table_error::TableError;
pub use writer::SweepWriter;
