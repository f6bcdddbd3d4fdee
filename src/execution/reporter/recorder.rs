//! The recorder: events in, saved runs out, through the store. Each request is in the journal before the recorder waits for another event, and
//! a run is on disk as a whole before anybody behind the recorder hears that it is done. Events wait in memory where the disk is slow, so that
//! the load never does; how many did is part of the run's record.

use super::{Reporter, ReporterError};
use crate::event::SweepEvent;
use crate::records::record::{RunOutcome, RunRecord};
use crate::records::store::{RunWriter, SweepWriter};

/// Saves what it hears.
#[derive(Debug)]
pub struct RunRecorder {
    sweep: SweepWriter,
    run: Option<RunWriter>,
    /// The most events that waited while this run was recorded.
    waiting_max: usize,
}

impl RunRecorder {
    /// Takes the sweep's folder, and with it the lock, until it is dropped.
    #[must_use]
    pub fn new(sweep: SweepWriter) -> Self {
        Self { sweep, run: None, waiting_max: 0 }
    }
}

impl Reporter for RunRecorder {
    fn on(&mut self, event: &SweepEvent) -> Result<(), ReporterError> {
        match event {
            SweepEvent::RunStarted { run, .. } => {
                self.sweep.reach(&run.id)?;
                self.run = Some(self.sweep.begin(&run.id)?);
                self.waiting_max = 0;
            }
            SweepEvent::RequestDone(record) => {
                if let Some(run) = &mut self.run {
                    run.append(record)?;
                }
            }
            SweepEvent::Said(text) => {
                if let Some(run) = &mut self.run {
                    run.said(text)?;
                }
            }
            SweepEvent::Watched(samples) => {
                if let Some(run) = &mut self.run {
                    run.watched(samples)?;
                }
            }
            SweepEvent::RunFinished(record) => {
                if let Some(run) = self.run.take() {
                    // An interrupted run is no result: it keeps its journal, and is done again.
                    if record.outcome == RunOutcome::Interrupted { run.leave()? } else { run.seal(&held_up(record, self.waiting_max))? }
                }
            }
            SweepEvent::SweepFinished { .. } => {
                if let Some(run) = self.run.take() {
                    run.leave()?;
                }
            }
            SweepEvent::SweepStarted { .. }
            | SweepEvent::PhaseEntered { .. }
            | SweepEvent::ServerStarting { .. }
            | SweepEvent::ServerReady { .. }
            | SweepEvent::ServerDied { .. }
            | SweepEvent::ServerStopped { .. }
            | SweepEvent::LeftoverEnded { .. }
            | SweepEvent::Searched { .. }
            | SweepEvent::Marked(_) => {}
        }
        Ok(())
    }

    fn behind(&mut self, waiting: usize) {
        self.waiting_max = self.waiting_max.max(waiting);
    }

    /// What was heard together is written together.
    fn idle(&mut self) -> Result<(), ReporterError> {
        Ok(self.run.as_mut().map_or(Ok(()), RunWriter::flush)?)
    }

    fn tick(&mut self) -> Result<(), ReporterError> {
        Ok(self.run.as_mut().map_or(Ok(()), RunWriter::sync_if_due)?)
    }
}

/// The record with what waited for the disk, where there is a disk to be waited for: virtual time outruns every one.
fn held_up(record: &RunRecord, waiting: usize) -> RunRecord {
    let mut record = record.clone();
    if let Some(records) = &mut record.client.records_waiting_max {
        *records = (*records).max(waiting as u64);
    }
    if let Some(records) = record.client.records_held_up() {
        record.notes.push(format!(
            "up to {records} records waited in memory for being saved: the disk or the processors did not keep up, and the client's memory grew"
        ));
    }
    record
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::sync::Arc;

    use super::*;
    use crate::fixtures::records::{header, manifest, record, rich_record, run_record, sample};
    use crate::records::record::{RunFailure, RunFailureCause, RunRecord};
    use crate::records::store::{SweepPaths, read_sweep};

    fn recorder(dir: &Path) -> RunRecorder {
        RunRecorder::new(SweepWriter::open(dir, &manifest(&["a", "b"]), "").unwrap())
    }

    fn tell(recorder: &mut RunRecorder, id: &str, last: RunRecord) {
        recorder
            .on(&SweepEvent::RunStarted { run: Arc::new(header(id)), requests: None, started_at: jiff::Timestamp::UNIX_EPOCH })
            .unwrap();
        recorder.on(&SweepEvent::RequestDone(Box::new(record(0)))).unwrap();
        recorder.on(&SweepEvent::Watched(vec![sample(1), sample(2)])).unwrap();
        recorder.on(&SweepEvent::RequestDone(Box::new(rich_record(1)))).unwrap();
        recorder.on(&SweepEvent::Watched(vec![sample(3)])).unwrap();
        recorder.on(&SweepEvent::RunFinished(Box::new(last))).unwrap();
    }

    #[test]
    fn what_is_heard_is_saved_and_a_failed_run_is_a_record() {
        let folder = tempfile::tempdir().unwrap();
        let mut recorder = recorder(folder.path());
        tell(&mut recorder, "a", run_record(header("a"), 2));
        let failed = RunRecord {
            outcome: RunOutcome::Failed(RunFailure::new(RunFailureCause::Cell, "no server".into())),
            ..run_record(header("b"), 2)
        };
        tell(&mut recorder, "b", failed.clone());
        let sweep = read_sweep(folder.path()).unwrap();
        assert_eq!(sweep.runs.len(), 2);
        assert_eq!(sweep.runs[0].requests.records().unwrap(), [record(0), rich_record(1)]);
        // The store adds the hashes of what it wrote.
        let tables = sweep.runs[1].record.tables.clone();
        assert_eq!(sweep.runs[1].record, RunRecord { tables, ..failed });
        for run in &sweep.runs {
            assert_eq!(run.samples().unwrap(), [sample(1), sample(2), sample(3)]);
        }
        assert!(sweep.missing.is_empty() && sweep.notes.is_empty());
    }

    #[test]
    fn what_waits_for_the_disk_is_told_in_real_time_alone() {
        let mut real = run_record(header("a"), 2);
        real.client.records_waiting_max = Some(7);
        assert_eq!(held_up(&real, 3), real);
        let slow = held_up(&real, 100_001);
        assert_eq!(slow.client.records_waiting_max, Some(100_001));
        assert!(slow.notes.iter().any(|note| note.contains("100001 records waited")), "{:?}", slow.notes);
        let simulated = run_record(header("b"), 2);
        assert_eq!(held_up(&simulated, 5_000_000), simulated);
    }

    #[test]
    fn an_interrupted_run_keeps_its_journal_and_is_no_result() {
        let folder = tempfile::tempdir().unwrap();
        let mut recorder = recorder(folder.path());
        tell(&mut recorder, "a", RunRecord { outcome: RunOutcome::Interrupted, ..run_record(header("a"), 2) });
        recorder.on(&SweepEvent::SweepFinished { interrupted: true }).unwrap();
        let sweep = read_sweep(folder.path()).unwrap();
        assert_eq!(sweep.missing.len(), 2);
        assert!(sweep.notes[0].contains("requests in its journal: 2"), "{:?}", sweep.notes);
        assert!(!SweepPaths::new(folder.path()).run("a").unwrap().server_metrics().exists());
    }

    #[test]
    fn a_request_is_in_the_journal_before_another_event_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let journal: PathBuf = SweepPaths::new(folder.path()).run("a").unwrap().journal();
        let mut recorder = recorder(folder.path());
        recorder
            .on(&SweepEvent::RunStarted { run: Arc::new(header("a")), requests: None, started_at: jiff::Timestamp::UNIX_EPOCH })
            .unwrap();
        for request in 0..3 {
            recorder.on(&SweepEvent::RequestDone(Box::new(record(request)))).unwrap();
            recorder.idle().unwrap();
            let lines = fs_err::read_to_string(&journal).unwrap();
            assert!(lines.ends_with('\n') && lines.lines().count() as u64 == request + 1, "{lines}");
        }
        recorder.tick().unwrap();
    }
}
