//! Processes of an earlier `bench` whose supervising process was killed before it could end them. In goes `/proc`, out come those that
//! are ours for certain; the rest is nobody's business here.

use std::time::Duration;

use super::error::SupervisorError;
use super::process_table::{ProcessEntry, ProcessTable, end};

/// How long a leftover may take to end before it is killed.
pub(super) const GRACE: Duration = Duration::from_secs(5);

/// A process that an earlier `bench` started and that outlived it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftoverProcess {
    pub pid: u32,
    /// What it runs, in words, without its options.
    pub command: String,
    process: ProcessEntry,
}

impl LeftoverProcess {
    /// Ends it: SIGTERM, and after five seconds SIGKILL. One that is already gone is no error.
    ///
    /// # Errors
    /// When it lives on even so.
    pub async fn end(&self) -> Result<(), SupervisorError> {
        let process = self.process.clone();
        let ending = move || end(|_| process.lives().then(|| process.clone()).into_iter().collect(), GRACE);
        let left = tokio::task::spawn_blocking(ending).await.unwrap_or_else(|_| vec![self.process.clone()]);
        if left.is_empty() { Ok(()) } else { Err(SupervisorError::Survivors { processes: left.iter().map(ProcessEntry::shown).collect() }) }
    }
}

/// What earlier lives left over: processes of our user that carry the mark of a supervising process that lives no more, and their kin.
/// Empty where processes cannot be seen (elsewhere than on Linux).
pub fn leftovers() -> Vec<LeftoverProcess> {
    let census = ProcessTable::take();
    let orphaned = census.marked(|marker| marker.is_orphaned(&census));
    let found = census.with_kin(orphaned).into_iter();
    found
        .filter_map(|process| Some(LeftoverProcess { pid: u32::try_from(process.pid).ok()?, command: process.command(), process }))
        .collect()
}
