//! The gate as `JUnit` XML, which CI systems show as tests: a suite a series, a test for each question; not enough data is a skipped test.

use std::fmt::Write as _;

use super::HistoryReport;
use super::gate::{GateCheckText, asked, compared_with, headline};
use super::table::{heading, origins};
use crate::analysis::history::{GateResult, GateVerdict, SweepHistory};

/// The XML document.
#[must_use]
pub fn junit(histories: &[HistoryReport]) -> String {
    let mut out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"bench history\">\n".to_owned();
    for (history, gate) in histories.iter().filter_map(|told| Some((&told.history, told.gate.as_ref()?))) {
        suite(&mut out, history, gate);
    }
    out + "</testsuites>\n"
}

fn suite(out: &mut String, history: &SweepHistory, gate: &GateResult) {
    let asked = asked(gate);
    let count = |finding: GateVerdict| asked.iter().filter(|asked| asked.finding == finding).count();
    let (worse, open) = (count(GateVerdict::Worse), count(GateVerdict::NotEnoughData));
    let mut said = origins(history);
    said.push(format!("{}: {}", heading(history), headline(gate)));
    let name = attribute(&said.join(". "));
    let _ = writeln!(out, "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{worse}\" errors=\"0\" skipped=\"{open}\">", asked.len());
    let with = compared_with(gate);
    for one in &asked {
        test(out, &history.name, one, &with);
    }
    out.push_str("  </testsuite>\n");
}

/// What every night said stands in the failure, or else in the case's output.
fn test(out: &mut String, series: &str, asked: &GateCheckText, with: &str) {
    let class = attribute(&format!("{series}.{}", asked.variant));
    let _ = write!(out, "    <testcase classname=\"{class}\" name=\"{}\">", asked.what);
    let message = attribute(&asked.words);
    let mut lines = String::new();
    for night in &asked.nights {
        let _ = write!(lines, "\n{}", night.head);
        for why in &night.because {
            let _ = write!(lines, "\n    {why}");
        }
    }
    let lines = if lines.is_empty() { lines } else { attribute(&format!("{with}{lines}")) };
    let _ = match asked.finding {
        GateVerdict::NotWorse if lines.is_empty() => writeln!(out, "<system-out>{message}</system-out></testcase>"),
        GateVerdict::NotWorse => writeln!(out, "<system-out>{message}\n{lines}</system-out></testcase>"),
        GateVerdict::Worse => writeln!(out, "<failure message=\"{message}\">{lines}</failure></testcase>"),
        GateVerdict::NotEnoughData if lines.is_empty() => writeln!(out, "<skipped message=\"{message}\"/></testcase>"),
        GateVerdict::NotEnoughData => writeln!(out, "<skipped message=\"{message}\"/><system-out>{lines}</system-out></testcase>"),
    };
}

/// Text inside quotes or tags: nothing in it is markup or a character that XML cannot hold.
fn attribute(text: &str) -> String {
    let kept = text.chars().map(|c| if c.is_control() && c != '\n' || matches!(c, '\u{fffe}' | '\u{ffff}') { ' ' } else { c });
    kept.collect::<String>().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
