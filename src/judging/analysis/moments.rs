//! When a cell's requests were sent, and when they ended: how many there are of each run, and between which moments.

use super::AnalysisError;
use super::columns::NumericColumn;
use super::table::RequestTable;
use crate::records::record::FailureKind;

/// Which moments of requests are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestMoment {
    /// When they were sent; those that never were have none.
    Sent,
    /// When the successful ones ended.
    Completed,
}

/// How many moments of a run there are, and the first and the last of them in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MomentRange {
    pub n: u64,
    pub first: f64,
    pub last: f64,
}

impl MomentRange {
    /// Of each run that has such a moment.
    pub fn by_run(table: &RequestTable, moment: RequestMoment) -> Result<Vec<Self>, AnalysisError> {
        let columns = table.columns();
        let (sent, done) = (columns.number(NumericColumn::Sent)?, columns.number(NumericColumn::Done)?);
        // A turn that was never sent has a row, and failed the moment it was "sent".
        let may_be_unsent = |row: usize| columns.failure(row).is_some_and(FailureKind::may_be_unsent);
        let was_sent = |row: usize| !may_be_unsent(row) || sent.of(row) < done.of(row);
        let mut runs: Vec<Option<Self>> = vec![None; columns.runs()];
        let mut rows = table.picked().peekable();
        for (number, known) in runs.iter_mut().enumerate() {
            let end = columns.of_run(number).end;
            while let Some(row) = rows.next_if(|row| *row < end) {
                let at = match moment {
                    RequestMoment::Sent if was_sent(row) => sent.of(row) / 1e6,
                    RequestMoment::Completed if !columns.is_failed(row) && !columns.was_left(row) => done.of(row) / 1e6,
                    RequestMoment::Sent | RequestMoment::Completed => continue,
                };
                let before = known.unwrap_or(Self { n: 0, first: at, last: at });
                *known = Some(Self { n: before.n + 1, first: before.first.min(at), last: before.last.max(at) });
            }
        }
        Ok(runs.into_iter().flatten().collect())
    }
}
