//! Which reporters a sweep has, in the order in which they must hear its events.

use std::path::PathBuf;

use super::plain::PlainVerbosity;
use super::{ChatFileReporter, ExpectedRun, PlainTextReporter, ProgressBarReporter, Reporter, RunRecorder, SealedRunNotifier};
use crate::records::store::SweepWriter;
use crate::vocabulary::goal::Goal;

/// How much is said on stderr while a sweep runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerbosityLevel {
    Quiet,
    /// Bars on a terminal, else a line every few seconds.
    Progress,
    /// A line for every request.
    EveryRequest,
}

/// All reporters of a sweep. `chat_copy` is the CSV file beside which the files of a chat run are wanted once more; `goals` choose what the
/// live percentiles are shown against; by `expected` the time left is worked out; those of `sealed` are told of every run that is on disk.
#[must_use]
pub fn reporters(
    sweep: SweepWriter,
    chat_copy: Option<PathBuf>,
    loudness: VerbosityLevel,
    goals: &[Goal],
    expected: Vec<ExpectedRun>,
    sealed: Vec<SealedRunNotifier>,
) -> Vec<Box<dyn Reporter>> {
    // What writes into a run's folder, then what seals it, then what says that it is done.
    let mut reporters: Vec<Box<dyn Reporter>> =
        vec![Box::new(ChatFileReporter::new(sweep.paths().clone(), chat_copy)), Box::new(RunRecorder::new(sweep))];
    reporters.extend(sealed.into_iter().map(|sealed| Box::new(sealed) as Box<dyn Reporter>));
    reporters.extend(display(loudness, goals, expected));
    reporters
}

fn display(loudness: VerbosityLevel, goals: &[Goal], expected: Vec<ExpectedRun>) -> Option<Box<dyn Reporter>> {
    match loudness {
        VerbosityLevel::Quiet => None,
        VerbosityLevel::EveryRequest => Some(Box::new(PlainTextReporter::on_stderr(goals, expected, PlainVerbosity::Requests))),
        VerbosityLevel::Progress if ProgressBarReporter::can_show() => Some(Box::new(ProgressBarReporter::on_stderr(goals, expected))),
        VerbosityLevel::Progress => Some(Box::new(PlainTextReporter::on_stderr(goals, expected, PlainVerbosity::Progress))),
    }
}
