//! The live figures of the running cell and of the whole sweep: events in, short texts out. Both displays use it; it draws nothing.
//!
//! Percentiles come from a histogram (three digits); those of the report come from the exact rows. Failures are +infinity here as there.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde_json::Value;

use super::live_goodput::LiveGoodput;
use super::servers::ServerProgress;
use super::time_left::{ExpectedRun, TimeLeftEstimator};
use crate::event::SweepEvent;
use crate::foundation::clock::Micros;
use crate::foundation::units::waiting_time;
use crate::records::record::{RequestPhase, RequestRecord, RunHeader, RunOutcome, RunRecord};
use crate::vocabulary::goal::{Aggregate, Goal, RowCondition};
use crate::vocabulary::metric::Metric;

/// What the live figures are shown against: the first goal on a percentile of the time to first token.
#[derive(Debug, Clone, PartialEq)]
struct LiveTtftGoal {
    filter: Vec<RowCondition>,
    percentile: f64,
    /// `<= 2s`; empty without a goal.
    limit: String,
}

impl LiveTtftGoal {
    fn of(goals: &[Goal]) -> Self {
        let of_goal = |goal: &Goal| match goal.measure.aggregate {
            Aggregate::Percentile(percentile, Metric::Ttft) => {
                let limit = format!(" (goal {} {})", goal.comparison.symbol(), goal.measure.show_limit(goal.limit));
                Some(Self { filter: goal.measure.filter.clone(), percentile, limit })
            }
            _ => None,
        };
        goals.iter().find_map(of_goal).unwrap_or_else(|| Self { filter: Vec::new(), percentile: 95.0, limit: String::new() })
    }
}

/// The longest latency that is told apart, in microseconds.
const DAY: u64 = 24 * 3600 * 1_000_000;

/// Times to first token, failures among them.
#[derive(Debug)]
struct LiveTtftHistogram {
    microseconds: Histogram<u32>,
    failed: u64,
}

impl LiveTtftHistogram {
    fn new() -> Self {
        let microseconds = Histogram::new_with_bounds(1, DAY, 3).unwrap_or_else(|_| unreachable!("the bounds and the digits are in range"));
        Self { microseconds, failed: 0 }
    }

    fn add(&mut self, record: &RequestRecord) {
        match record.ttft_s() {
            Some(seconds) => self.microseconds.saturating_record(Micros::from_secs_f64(seconds).0),
            None => self.failed += 1,
        }
    }

    fn len(&self) -> u64 {
        self.microseconds.len() + self.failed
    }

    /// The smallest value that at least `percentile` percent of all do not exceed, in seconds; `None` without any.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts are far below 2^53")]
    fn percentile(&self, percentile: f64) -> Option<f64> {
        let all = self.len();
        let rank = (all as f64 * percentile / 100.0).ceil() as u64;
        match self.microseconds.len() {
            _ if all == 0 => None,
            succeeded if rank > succeeded => Some(f64::INFINITY),
            succeeded => Some(self.microseconds.value_at_quantile(rank as f64 / succeeded as f64) as f64 / 1e6),
        }
    }
}

/// The running cell.
#[derive(Debug)]
struct LiveCell {
    id: String,
    started: Instant,
    label: String,
    phase: Option<RequestPhase>,
    planned: Option<u64>,
    done: u64,
    failed: u64,
    tail: LiveTtftHistogram,
    goodput: Option<LiveGoodput>,
}

/// The live figures.
#[derive(Debug)]
pub(super) struct LiveProgress {
    watched: LiveTtftGoal,
    goodput: Option<LiveGoodput>,
    started: Instant,
    /// Runs of this start: all but those that were sealed before.
    pub(super) to_do: usize,
    pub(super) planned: usize,
    pub(super) finished: usize,
    /// Failed requests of the whole start.
    failed: u64,
    /// A search decides as it goes how many runs there will be.
    about: bool,
    time_left: TimeLeftEstimator,
    /// When the last run was over, or its server ready: what was done since belongs to the next.
    since: Instant,
    cell: Option<LiveCell>,
    servers: ServerProgress,
}

impl LiveProgress {
    pub(super) fn new(goals: &[Goal], expected: Vec<ExpectedRun>) -> Self {
        let watched = LiveTtftGoal::of(goals);
        Self {
            watched,
            goodput: LiveGoodput::of(goals),
            started: Instant::now(),
            to_do: 0,
            planned: 0,
            finished: 0,
            failed: 0,
            about: false,
            time_left: TimeLeftEstimator::of(expected),
            since: Instant::now(),
            cell: None,
            servers: ServerProgress::default(),
        }
    }

    /// Takes note of an event; a line to keep where it is one of note.
    pub(super) fn on(&mut self, event: &SweepEvent) -> Option<String> {
        match event {
            SweepEvent::SweepStarted { planned, sealed, about } => {
                self.about = *about;
                (self.planned, self.to_do, self.started) = (*planned, planned.saturating_sub(*sealed), Instant::now());
                self.since = self.started;
                return (*sealed > 0)
                    .then(|| format!("{sealed} of {}{planned} runs are there already", if *about { "about " } else { "" }));
            }
            SweepEvent::RunStarted { run, requests, .. } => {
                self.servers.run_started();
                let label = label(run);
                self.cell = Some(LiveCell {
                    id: run.id.clone(),
                    started: self.since,
                    label,
                    phase: None,
                    planned: *requests,
                    done: 0,
                    failed: 0,
                    tail: LiveTtftHistogram::new(),
                    goodput: self.goodput.as_ref().map(LiveGoodput::restarted),
                });
            }
            SweepEvent::PhaseEntered { phase, .. } => {
                if let Some(cell) = &mut self.cell {
                    cell.phase = Some(*phase);
                }
            }
            SweepEvent::RequestDone(record) => self.count(record),
            SweepEvent::RunFinished(record) => return self.finish(record),
            SweepEvent::Searched { text, left, .. } => {
                let sealed = self.planned - self.to_do.min(self.planned);
                self.to_do = self.finished + left;
                self.planned = sealed + self.to_do;
                return Some(text.clone());
            }
            SweepEvent::SweepFinished { .. } => self.cell = None,
            SweepEvent::ServerReady { .. } => {
                // How long a server takes to start says nothing of the runs.
                self.since = Instant::now();
                return self.servers.on(event);
            }
            SweepEvent::ServerStarting { .. }
            | SweepEvent::ServerDied { .. }
            | SweepEvent::ServerStopped { .. }
            | SweepEvent::LeftoverEnded { .. } => {
                return self.servers.on(event);
            }
            SweepEvent::Said(_) | SweepEvent::Watched(_) | SweepEvent::Marked(_) => {}
        }
        None
    }

    fn count(&mut self, record: &RequestRecord) {
        let Some(cell) = &mut self.cell else { return };
        cell.done += 1;
        if record.failure.is_some() && !record.was_left() {
            cell.failed += 1;
            self.failed += 1;
        }
        if record.phase == RequestPhase::Measure {
            if record.fulfils(&self.watched.filter) {
                cell.tail.add(record);
            }
            if let Some(goodput) = &mut cell.goodput {
                goodput.add(record);
            }
        }
    }

    fn finish(&mut self, record: &RunRecord) -> Option<String> {
        let cell = self.cell.take()?;
        self.since = Instant::now();
        if record.outcome == RunOutcome::Interrupted {
            return Some(format!("{}: interrupted after {} requests; not kept as a result", cell.label, cell.done));
        }
        self.finished += 1;
        self.time_left.finished(&cell.id, self.since.duration_since(cell.started).as_secs_f64());
        let number = self.planned - self.to_do.min(self.planned) + self.finished;
        let place = format!("[{number}/{}] {}", self.of(), cell.label);
        if let Some(reason) = record.invalidity() {
            return Some(format!("{place}: invalid: {reason}"));
        }
        Some(match &record.outcome {
            RunOutcome::Failed(failure) => format!("{place}: failed: {}", self.servers.failure_text(failure)),
            RunOutcome::Curtailed(curtailed) => format!("{place}: {curtailed}; {}", requests_text(&cell)),
            _ => format!("{place}: {}, {}", self.tail_text(&cell), requests_text(&cell)),
        })
    }

    /// The running cell in a line: label, phase, requests, percentiles, failures.
    pub(super) fn cell_line(&self) -> Option<String> {
        let Some(cell) = &self.cell else { return self.servers.line() };
        let phase = match cell.phase {
            Some(RequestPhase::Prefill) => ", pre-fill",
            Some(RequestPhase::Warmup) => ", warm-up",
            _ => "",
        };
        Some(format!("{}{phase}: {}, {}", cell.label, self.tail_text(cell), requests_text(cell)))
    }

    fn tail_text(&self, cell: &LiveCell) -> String {
        let percentile = self.watched.percentile;
        match (cell.tail.percentile(50.0), cell.tail.percentile(percentile)) {
            (Some(median), Some(tail)) => {
                let (n, limit) = (cell.tail.len(), &self.watched.limit);
                let goodput = cell.goodput.as_ref().and_then(LiveGoodput::text).map_or_else(String::new, |text| format!(", {text}"));
                format!("ttft p50 {}, p{percentile} {}{limit}{goodput}, n={n}", brief(median), brief(tail))
            }
            _ => "ttft not known yet".to_owned(),
        }
    }

    /// The sweep in a line: runs, failures, time spent and left.
    pub(super) fn sweep_line(&self) -> String {
        let before = self.planned - self.to_do.min(self.planned);
        let left = self.time_left().map_or_else(String::new, |left| format!(", about {} left", waiting_time(left.as_secs_f64())));
        let failed = if self.failed == 0 { String::new() } else { format!(", {} failed requests", self.failed) };
        let spent = waiting_time(self.started.elapsed().as_secs_f64());
        format!("{}/{} runs{failed}, {spent}{left}", before + self.finished, self.of())
    }

    /// How many runs there will be: `16`, or `~9` where a search decides.
    fn of(&self) -> String {
        format!("{}{}", if self.about { "~" } else { "" }, self.planned)
    }

    /// What is left by the finished runs of like load; where a search decides what is run, by the share of this start's runs that is done.
    /// `None` before anything tells.
    pub(super) fn time_left(&self) -> Option<Duration> {
        if !self.about {
            let current = self.cell.as_ref().map(|cell| (cell.id.as_str(), cell.started.elapsed().as_secs_f64(), cell.share_done()));
            return Duration::try_from_secs_f64(self.time_left.seconds(current)?).ok();
        }
        let done = self.share_done();
        (done > 0.0).then(|| self.started.elapsed().mul_f64((1.0 - done) / done))
    }

    /// From 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    fn share_done(&self) -> f64 {
        let within = self.cell.as_ref().map_or(0.0, LiveCell::share_done);
        if self.to_do == 0 { 1.0 } else { ((self.finished as f64 + within) / self.to_do as f64).min(1.0) }
    }
}

impl LiveCell {
    /// From 0 to 1; 0 where it is not known how many requests there are.
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    fn share_done(&self) -> f64 {
        match self.planned {
            Some(planned) if planned > 0 => (self.done as f64 / planned as f64).min(1.0),
            _ => 0.0,
        }
    }
}

fn requests_text(cell: &LiveCell) -> String {
    let planned = cell.planned.map_or_else(String::new, |planned| format!("/{planned}"));
    format!("{}{planned} requests, {} failed", cell.done, cell.failed)
}

/// `lmcache concurrent=4 sequential=3 #2`: variant, axes by their last name, repeats from 1.
pub(super) fn label(run: &RunHeader) -> String {
    let shown = |(path, value): &(String, Value)| {
        let name = path.rsplit('.').next().unwrap_or(path);
        let value = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        format!(" {name}={value}")
    };
    let axes: String = run.axes.iter().map(shown).collect();
    let simulated = if run.simulated { " (simulated)" } else { "" };
    format!("{}{axes} #{}{simulated}", run.variant, run.repeat + 1)
}

/// A latency with about three digits: `312 ms`, `1.80 s`, `inf`.
pub(super) fn brief(seconds: f64) -> String {
    match seconds {
        s if s.is_infinite() => "inf".to_owned(),
        s if s < 0.0095 => format!("{:.2} ms", s * 1e3),
        s if s < 0.9995 => format!("{:.0} ms", s * 1e3),
        s if s < 9.995 => format!("{s:.2} s"),
        s => format!("{s:.1} s"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::fixtures::records::{header, record, rich_record, run_record};
    use crate::foundation::clock::Micros;
    use crate::records::record::{CacheCheck, CacheEvidence, RunFailure, RunFailureCause};

    fn answered(milliseconds: u64, turn: u32) -> RequestRecord {
        let row = rich_record(0);
        RequestRecord { turn, first_token_us: Some(row.sent_us + Micros(milliseconds * 1000)), ..row }
    }

    fn failed(turn: u32) -> RequestRecord {
        RequestRecord { turn, failure: record(0).failure, ..rich_record(0) }
    }

    fn told(goal: &str, rows: impl IntoIterator<Item = RequestRecord>) -> LiveProgress {
        let mut live = LiveProgress::new(&[goal.parse().unwrap()], Vec::new());
        live.on(&SweepEvent::SweepStarted { planned: 4, sealed: 1, about: false });
        live.on(&SweepEvent::RunStarted { run: Arc::new(header("a")), requests: Some(40), started_at: jiff::Timestamp::UNIX_EPOCH });
        live.on(&SweepEvent::PhaseEntered { phase: RequestPhase::Measure, at: Micros::ZERO });
        for row in rows {
            live.on(&SweepEvent::RequestDone(Box::new(row)));
        }
        live
    }

    #[test]
    fn the_cell_line_shows_percentiles_of_the_rows_that_the_goal_speaks_of() {
        let rows = (1..=20).map(|i| answered(i * 100, 1)).chain([answered(60_000, 0)]);
        let live = told("p95(ttft where turn >= 1) <= 2s", rows);
        let said =
            "lmcache concurrent=4 sequential=3 #1 (simulated): ttft p50 1.00 s, p95 1.90 s (goal <= 2s), n=20, 21/40 requests, 0 failed";
        assert_eq!(live.cell_line().unwrap(), said);
    }

    #[test]
    fn failures_are_infinite_and_push_the_percentile_up_as_soon_as_they_are_too_many() {
        let rows = |failures: usize| (1..=19).map(|_| answered(100, 1)).chain((0..failures).map(|_| failed(1)));
        let said = |failures| told("p95(ttft) <= 2s", rows(failures)).cell_line().unwrap();
        assert!(said(1).contains("p50 100 ms, p95 100 ms (goal <= 2s), n=20"), "{}", said(1));
        assert!(said(2).contains("p50 100 ms, p95 inf (goal <= 2s), n=21"), "{}", said(2));
        assert!(said(20).contains("p50 inf, p95 inf"), "{}", said(20));
    }

    #[test]
    fn warm_up_is_not_in_the_percentiles() {
        let warm = RequestRecord { phase: RequestPhase::Warmup, ..answered(100, 1) };
        assert!(told("p95(ttft) <= 2s", [warm]).cell_line().unwrap().contains("ttft not known yet, 1/40 requests"));
    }

    #[test]
    fn a_finished_cell_counts_on_from_what_was_there() {
        let mut live = told("p95(ttft) <= 2s", [answered(100, 1)]);
        let said = live.on(&SweepEvent::RunFinished(Box::new(run_record(header("a"), 1)))).unwrap();
        assert!(said.starts_with("[2/4] lmcache concurrent=4 sequential=3 #1 (simulated): ttft p50 100 ms"), "{said}");
        assert!(live.sweep_line().starts_with("2/4 runs, 0 s"), "{}", live.sweep_line());
        assert!((live.share_done() - 1.0 / 3.0).abs() < 1e-9);
        assert_eq!(live.cell_line(), None);
    }

    #[test]
    fn a_failed_cell_says_why_and_an_interrupted_one_is_no_result() {
        let mut live = told("p95(ttft) <= 2s", []);
        let outcome = RunOutcome::Failed(RunFailure::new(RunFailureCause::Cell, "no connection to `http://127.0.0.1:8000`".into()));
        let said = live.on(&SweepEvent::RunFinished(Box::new(RunRecord { outcome, ..run_record(header("a"), 0) }))).unwrap();
        assert!(said.ends_with("#1 (simulated): failed: no connection to `http://127.0.0.1:8000`"), "{said}");
        live.on(&SweepEvent::RunStarted { run: Arc::new(header("b")), requests: None, started_at: jiff::Timestamp::UNIX_EPOCH });
        let said = live
            .on(&SweepEvent::RunFinished(Box::new(RunRecord { outcome: RunOutcome::Interrupted, ..run_record(header("b"), 0) })))
            .unwrap();
        assert!(said.contains("interrupted after 0 requests"), "{said}");
        assert_eq!(live.finished, 1);
    }

    #[test]
    fn an_invalid_cell_says_why_and_has_no_figures() {
        let mut live = told("p95(ttft) <= 2s", [answered(100, 1)]);
        let cache_contract = CacheCheck::Failed(CacheEvidence::Text("the caches are not empty".into()));
        let said = live.on(&SweepEvent::RunFinished(Box::new(RunRecord { cache_contract, ..run_record(header("a"), 1) }))).unwrap();
        assert!(said.ends_with("#1 (simulated): invalid: the caches are not empty"), "{said}");
    }

    #[test]
    fn latencies_are_short() {
        let shown = [0.0004, 0.312, 0.9996, 1.8, 42.04, f64::INFINITY].map(brief);
        assert_eq!(shown, ["0.40 ms", "312 ms", "1.00 s", "1.80 s", "42.0 s", "inf"]);
    }
}
