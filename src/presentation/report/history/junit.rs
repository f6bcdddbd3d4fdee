//! The gate as `JUnit` XML, which CI systems show as tests: a suite a series, a test for each question; not enough data is a skipped test.

use std::fmt::Write as _;

use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::HistoryReport;
use super::gate::{GateCheckText, asked, compared_with, headline};
use super::table::{heading, origins};
use crate::analysis::history::{GateResult, GateVerdict, SweepHistory};

/// The XML document.
pub fn junit(histories: &[HistoryReport]) -> Result<String, SerializeError> {
    let mut report = Report::new("bench history");
    report.add_test_suites(histories.iter().filter_map(|told| Some(suite(&told.history, told.gate.as_ref()?))));
    report.to_string()
}

fn suite(history: &SweepHistory, gate: &GateResult) -> TestSuite {
    let mut said = origins(history);
    said.push(format!("{}: {}", heading(history), headline(gate)));
    let mut suite = TestSuite::new(said.join(". "));
    let with = compared_with(gate);
    suite.add_test_cases(asked(gate).iter().map(|asked| case(&history.name, asked, &with)));
    suite
}

/// What every night said stands in the failure, or else in the case's output.
fn case(series: &str, asked: &GateCheckText, with: &str) -> TestCase {
    let nights = nights(asked, with);
    let mut status = match asked.finding {
        GateVerdict::NotWorse => TestCaseStatus::success(),
        GateVerdict::Worse => TestCaseStatus::non_success(NonSuccessKind::Failure),
        GateVerdict::NotEnoughData => TestCaseStatus::skipped(),
    };
    status.set_message(asked.words.as_str());
    let output = match (asked.finding, nights) {
        (GateVerdict::NotWorse, None) => Some(asked.words.clone()),
        (GateVerdict::NotWorse, Some(nights)) => Some(format!("{}\n{nights}", asked.words)),
        (GateVerdict::Worse, nights) => {
            status.set_description(nights.unwrap_or_default());
            None
        }
        (GateVerdict::NotEnoughData, nights) => nights,
    };
    let mut case = TestCase::new(asked.what, status);
    case.set_classname(format!("{series}.{}", asked.variant));
    if let Some(output) = output {
        case.set_system_out(output);
    }
    case
}

/// What each night said, and with what it was compared.
fn nights(asked: &GateCheckText, with: &str) -> Option<String> {
    let mut lines = String::new();
    for night in &asked.nights {
        let _ = write!(lines, "\n{}", night.head);
        for why in &night.because {
            let _ = write!(lines, "\n    {why}");
        }
    }
    (!lines.is_empty()).then(|| format!("{with}{lines}"))
}
