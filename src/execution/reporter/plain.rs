//! Progress without a terminal: a line every few seconds, and one for each finished cell; on request one for each request.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use super::live::{LiveProgress, brief};
use super::{ExpectedRun, Reporter, ReporterError};
use crate::event::SweepEvent;
use crate::records::record::RequestRecord;
use crate::vocabulary::goal::Goal;

const INTERVAL: Duration = Duration::from_secs(5);

/// Which lines there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainVerbosity {
    /// Every few seconds, and each finished cell.
    Progress,
    /// Also each request.
    Requests,
}

/// Plain lines.
#[derive(Debug)]
pub struct PlainTextReporter<W> {
    live: LiveProgress,
    out: W,
    lines: PlainVerbosity,
    said: Instant,
}

impl PlainTextReporter<io::Stderr> {
    #[must_use]
    pub fn on_stderr(goals: &[Goal], expected: Vec<ExpectedRun>, lines: PlainVerbosity) -> Self {
        Self::to(io::stderr(), goals, expected, lines)
    }
}

impl<W: Write> PlainTextReporter<W> {
    fn to(out: W, goals: &[Goal], expected: Vec<ExpectedRun>, lines: PlainVerbosity) -> Self {
        Self { live: LiveProgress::new(goals, expected), out, lines, said: Instant::now() }
    }

    // Nobody may be reading any more, which is no reason to lose a sweep: errors of writing are let go.
    fn say(&mut self, line: &str) {
        let _ = writeln!(self.out, "{line}");
    }

    fn say_if_due(&mut self, now: Instant) {
        if now.duration_since(self.said) < INTERVAL {
            return;
        }
        self.said = now;
        let sweep = self.live.sweep_line();
        match self.live.cell_line() {
            Some(cell) => self.say(&format!("{sweep}; {cell}")),
            None => self.say(&sweep),
        }
    }
}

impl<W: Write + Send> Reporter for PlainTextReporter<W> {
    fn on(&mut self, event: &SweepEvent) -> Result<(), ReporterError> {
        if let (SweepEvent::RequestDone(record), PlainVerbosity::Requests) = (event, self.lines) {
            self.say(&request_line(record));
        }
        if let Some(line) = self.live.on(event) {
            self.say(&line);
        }
        if let SweepEvent::Searched { map: Some(map), ended: true, .. } = event {
            self.say(map);
        }
        Ok(())
    }

    fn tick(&mut self) -> Result<(), ReporterError> {
        self.say_if_due(Instant::now());
        Ok(())
    }
}

fn request_line(record: &RequestRecord) -> String {
    let RequestRecord { request, session, turn, .. } = record;
    let phase = record.phase.name();
    let came = match (&record.failure, record.ttft_s()) {
        (Some(failure), _) => format!("{}: {}", failure.kind.name(), failure.detail),
        (None, Some(ttft)) => format!("ttft {}, {} tokens", brief(ttft), record.output_tokens.map_or("?".into(), |n| n.to_string())),
        (None, None) => "no token".to_owned(),
    };
    format!("request {request} (session {session}, turn {turn}, {phase}): {came}")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::fixtures::records::{header, record, rich_record, run_record};

    fn told(lines: PlainVerbosity, events: &[SweepEvent], seconds: u64) -> String {
        let mut plain = PlainTextReporter::to(Vec::new(), &[], Vec::new(), lines);
        for event in events {
            plain.on(event).unwrap();
        }
        plain.say_if_due(plain.said + Duration::from_secs(seconds));
        String::from_utf8(plain.out).unwrap()
    }

    fn events() -> Vec<SweepEvent> {
        vec![
            SweepEvent::SweepStarted { planned: 2, sealed: 0, about: false },
            SweepEvent::RunStarted { run: Arc::new(header("a")), requests: Some(3), started_at: jiff::Timestamp::UNIX_EPOCH },
            SweepEvent::RequestDone(Box::new(rich_record(0))),
            SweepEvent::RequestDone(Box::new(record(1))),
        ]
    }

    #[test]
    fn nothing_is_said_before_the_interval_is_over_and_one_line_then() {
        assert_eq!(told(PlainVerbosity::Progress, &events(), 4), "");
        let line = told(PlainVerbosity::Progress, &events(), 5);
        let cell = "; lmcache concurrent=4 sequential=3 #1 (simulated): ttft p50 500 ms, p95 500 ms, n=1, 2/3 requests, 1 failed\n";
        assert!(line.starts_with("0/2 runs, 1 failed requests, 0 s; ") && line.ends_with(cell), "{line}");
    }

    #[test]
    fn each_finished_cell_is_a_line() {
        let finished = [events(), vec![SweepEvent::RunFinished(Box::new(run_record(header("a"), 2)))]].concat();
        let line = told(PlainVerbosity::Progress, &finished, 0);
        assert!(line.starts_with("[1/2] lmcache") && line.lines().count() == 1, "{line}");
    }

    #[test]
    fn each_request_is_a_line_where_it_is_asked_for() {
        let lines = told(PlainVerbosity::Requests, &events(), 0);
        let mut lines = lines.lines();
        assert_eq!(lines.next(), Some("request 0 (session 0, turn 3, measure): ttft 500 ms, 7 tokens"));
        assert!(lines.next().unwrap().starts_with("request 1 (session 0, turn 0, warmup): http_503: status 503"));
    }
}
