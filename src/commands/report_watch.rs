//! `bench report --watch`: the page of a sweep that still runs, written again whenever a run was sealed, until the sweep ends or Ctrl-C. The page reloads
//! itself as long as it is watched; the last one does not.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;

use super::page_opener::open_page;
use super::report::{ReportOptions, report_page, report_sweep};
use super::signals::SignalStreams;
use crate::analysis::SweepSummary;
use crate::records::store::{SweepProgress, sweep_progress};

/// How often the folder is looked at.
const PERIOD: Duration = Duration::from_secs(1);
/// How often the page reloads itself.
const RELOAD: Duration = Duration::from_secs(5);

/// How a watch ended.
#[derive(Debug)]
pub(super) struct WatchedReport {
    pub summary: SweepSummary,
    pub interrupted: bool,
}

/// Follows a sweep, and gives its last summary.
pub(super) fn watch(dir: &Path, options: &ReportOptions, opens: bool, quiet: bool) -> anyhow::Result<WatchedReport> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start the runtime")?;
    // From here on, so that none is missed while a page is written.
    let mut signals = runtime.block_on(async { SignalStreams::new() }).context("cannot listen for Ctrl-C")?;
    let mut opens = opens;
    let mut interrupted = false;
    loop {
        let seen = sweep_progress(dir)?;
        let goes_on = seen.is_running && !interrupted;
        let watched = ReportOptions { reload: goes_on.then_some(RELOAD), ..options.clone() };
        let summary = report_sweep(dir, &watched)?;
        let page = report_page(dir, options)?;
        if !quiet {
            let state = if goes_on { "watched" } else { "the last one" };
            eprintln!("{} of {} runs; written, {state}: {}", seen.sealed.len(), seen.planned, page.display());
        }
        if std::mem::take(&mut opens) {
            open_page(&page);
        }
        if !goes_on {
            return Ok(WatchedReport { summary, interrupted });
        }
        interrupted = runtime.block_on(changed(dir, &seen, &mut signals))?;
    }
}

/// Waits until a run was sealed or the sweep has ended; whether a signal came first.
async fn changed(dir: &Path, seen: &SweepProgress, signals: &mut SignalStreams) -> anyhow::Result<bool> {
    loop {
        tokio::select! {
            biased;
            () = signals.any() => return Ok(true),
            () = tokio::time::sleep(PERIOD) => {}
        }
        if sweep_progress(dir)? != *seen {
            return Ok(false);
        }
    }
}
