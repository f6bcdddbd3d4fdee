//! The reporter that writes them: a run's events in, its four files out, into the run's folder and, where asked, beside a CSV file.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::figures::ChatStatistics;
use super::row::{csv_header, csv_row, realtime_header, realtime_line};
use super::summary::{FinalSummaryFacts, SIMULATED, block, last};
use super::tee_writer::TeeWriter;
use crate::event::SweepEvent;
use crate::foundation::clock::Micros;
use crate::records::record::{RequestPhase, RequestRecord, RunHeader, RunRecord};
use crate::records::store::{ChatPaths, SweepPaths};
use crate::reporter::{Reporter, ReporterError};

/// Writes the text files of chat runs; deaf to others.
#[derive(Debug)]
pub struct ChatFileReporter {
    paths: SweepPaths,
    copy: Option<PathBuf>,
    run: Option<ChatRunFiles>,
}

impl ChatFileReporter {
    /// Files go into each run's folder; with `copy` also to that CSV file, the three texts beside it. A later run replaces the copies of
    /// an earlier one.
    #[must_use]
    pub fn new(paths: SweepPaths, copy: Option<PathBuf>) -> Self {
        Self { paths, copy, run: None }
    }
}

impl Reporter for ChatFileReporter {
    fn on(&mut self, event: &SweepEvent) -> Result<(), ReporterError> {
        match event {
            SweepEvent::RunStarted { run, started_at, .. } => {
                self.run = ChatRunFiles::start(run, *started_at, &self.paths, self.copy.as_deref())?;
            }
            SweepEvent::PhaseEntered { phase, at } => {
                if let Some(run) = &mut self.run {
                    run.enter(*phase, *at);
                }
            }
            SweepEvent::RequestDone(record) => {
                if let Some(run) = &mut self.run {
                    run.add(record)?;
                }
            }
            SweepEvent::RunFinished(record) => {
                if let Some(run) = self.run.take() {
                    run.finish(record)?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// The files of the run that is going on.
#[derive(Debug)]
struct ChatRunFiles {
    header: Arc<RunHeader>,
    started_at: Timestamp,
    target_qps: f64,
    realtime: TeeWriter,
    performance: TeeWriter,
    last: TeeWriter,
    csv: TeeWriter,
    whole: ChatStatistics,
    /// Of the current interval.
    part: ChatStatistics,
    part_from: Option<Micros>,
    interval: Micros,
    prefill: u64,
    warmup: u64,
}

impl ChatRunFiles {
    /// `None` where the workload is another one.
    fn start(
        header: &Arc<RunHeader>,
        started_at: Timestamp,
        paths: &SweepPaths,
        copy: Option<&Path>,
    ) -> Result<Option<Self>, ReporterError> {
        let work = header.chat().map_err(|source| ReporterError::ChatSpec { run: header.id.clone(), source })?;
        let Some(work) = work else { return Ok(None) };
        let folder = paths.run(&header.id)?;
        // Only the last folder of the path: where the others are gone, somebody took the sweep away.
        match fs_err::create_dir(folder.dir()) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error.into()),
            _ => {}
        }
        let own = folder.chat(work.qps);
        let places: Vec<ChatPaths> = [own].into_iter().chain(copy.map(|csv| ChatPaths::beside(csv, work.qps))).collect();
        let mut run = Self {
            header: Arc::clone(header),
            started_at,
            target_qps: work.qps,
            realtime: TeeWriter::create(places.iter().map(|place| place.realtime.as_path()))?,
            performance: TeeWriter::create(places.iter().map(|place| place.performance.as_path()))?,
            last: TeeWriter::create(places.iter().map(|place| place.last.as_path()))?,
            csv: TeeWriter::create(places.iter().map(|place| place.csv.as_path()))?,
            whole: ChatStatistics::default(),
            part: ChatStatistics::default(),
            part_from: None,
            // A block a second at the most.
            interval: Micros::from_secs_f64(work.log_interval_s).max(Micros(1_000_000)),
            prefill: 0,
            warmup: 0,
        };
        run.begin()?;
        Ok(Some(run))
    }

    fn begin(&mut self) -> Result<(), ReporterError> {
        if self.header.simulated {
            for text in [&mut self.realtime, &mut self.performance, &mut self.last] {
                text.say(SIMULATED)?;
            }
        }
        self.realtime.say(&realtime_header())?;
        self.csv.say(&csv_header())?;
        Ok(())
    }

    /// Intervals are counted from the end of the pre-fill.
    fn enter(&mut self, phase: RequestPhase, at: Micros) {
        if phase != RequestPhase::Prefill {
            self.part_from.get_or_insert(at);
        }
    }

    fn add(&mut self, record: &RequestRecord) -> Result<(), ReporterError> {
        self.close_intervals_before(record.done_us)?;
        self.realtime.say(&realtime_line(record, self.started_at))?;
        self.csv.say(&csv_row(record, self.header.simulated))?;
        match record.phase {
            RequestPhase::Prefill => self.prefill += 1,
            RequestPhase::Warmup => self.warmup += 1,
            RequestPhase::Measure => {
                self.whole.add(record);
                self.part.add(record);
            }
        }
        Ok(())
    }

    fn close_intervals_before(&mut self, now: Micros) -> Result<(), ReporterError> {
        while let Some(from) = self.part_from.filter(|from| *from + self.interval <= now) {
            let to = from + self.interval;
            self.performance.say(&block(from, to, &self.part))?;
            self.part = ChatStatistics::default();
            self.part_from = Some(to);
        }
        Ok(())
    }

    fn finish(mut self, record: &RunRecord) -> Result<(), ReporterError> {
        self.close_intervals_before(record.duration_us)?;
        if let Some(from) = self.part_from.filter(|from| *from < record.duration_us) {
            self.performance.say(&block(from, record.duration_us, &self.part))?;
        }
        let ending =
            FinalSummaryFacts { header: &self.header, record, target_qps: self.target_qps, prefill: self.prefill, warmup: self.warmup };
        self.last.say(&last(&ending, &self.whole))?;
        for text in [self.realtime, self.performance, self.last, self.csv] {
            text.finish()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use fs_err as fs;
    use serde_json::json;

    use super::*;
    use crate::fixtures::records::{header, record, rich_record, run_record};
    use crate::records::record::{FailureKind, RequestCounts, RequestFailure};

    const SECOND: u64 = 1_000_000;

    fn chat_header(simulated: bool) -> RunHeader {
        let cell = json!({
            "workload": {"kind": "chat", "users": 10, "qps": 2.0, "log_interval": 30.0, "duration": 60.0},
            "target": {"kind": "http", "model": "llama3", "url": "http://127.0.0.1:8000", "idle_timeout": 60.0},
        });
        RunHeader { simulated, cell: cell.into(), ..header("chat-1") }
    }

    /// Two requests a second for a minute, each with 0.5 s to its first token; every tenth fails.
    fn rows() -> impl Iterator<Item = RequestRecord> {
        (0..120).map(|request| {
            let at = |offset: u64| Micros(request * SECOND / 2 + offset);
            let answered = RequestRecord {
                intended_us: at(0),
                sent_us: at(0),
                first_token_us: Some(at(500_000)),
                last_token_us: Some(at(560_000)),
                done_us: at(561_000),
                prompt_tokens: Some(1000),
                ..rich_record(request)
            };
            let failure = RequestFailure { kind: FailureKind::TimeoutFirstToken, detail: String::new() };
            RequestRecord { failure: (request % 10 == 9).then_some(failure), ..answered }
        })
    }

    fn told(dir: &Path, simulated: bool, copy: Option<PathBuf>) -> ChatPaths {
        let paths = SweepPaths::new(dir);
        // As the sweep's writer does.
        fs_err::create_dir_all(paths.runs()).unwrap();
        let mut files = ChatFileReporter::new(paths.clone(), copy);
        files
            .on(&SweepEvent::RunStarted { run: Arc::new(chat_header(simulated)), requests: None, started_at: jiff::Timestamp::UNIX_EPOCH })
            .unwrap();
        files.on(&SweepEvent::PhaseEntered { phase: RequestPhase::Prefill, at: Micros::ZERO }).unwrap();
        files.on(&SweepEvent::RequestDone(Box::new(RequestRecord { phase: RequestPhase::Prefill, ..record(0) }))).unwrap();
        files.on(&SweepEvent::PhaseEntered { phase: RequestPhase::Measure, at: Micros::ZERO }).unwrap();
        for row in rows() {
            files.on(&SweepEvent::RequestDone(Box::new(row))).unwrap();
        }
        let window = Micros(60_061_000);
        let counts = RequestCounts { requests: 121, measured: 120, measured_window_us: window, ..RequestCounts::default() };
        let whole = RunRecord { counts, duration_us: window, ..run_record(chat_header(simulated), 121) };
        files.on(&SweepEvent::RunFinished(Box::new(whole))).unwrap();
        paths.run("chat-1").unwrap().chat(2.0)
    }

    /// What stands behind a name in a summary.
    fn value<'a>(text: &'a str, name: &str) -> &'a str {
        text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("no `{name}` in {text}")).trim()
    }

    #[test]
    fn the_final_summary_holds_what_a_hand_computes() {
        let folder = tempfile::tempdir().unwrap();
        let text = fs::read_to_string(told(folder.path(), false, None).last).unwrap();
        for (name, expected) in [
            ("model", "llama3"),
            ("users", "10"),
            ("Successful requests  ", "108"),
            ("Failed requests", "12"),
            ("  timeout_first_token", "12"),
            ("Not counted: pre-fill requests", "1"),
            ("Total input tokens", "108000"),
            ("Total generated tokens", "756"),
            ("Duration (s), first due to last ended", "60.06"),
            ("Request throughput (successful/s)", "1.798"),
            ("Target QPS", "2.000"),
            ("Offered QPS (due)", "2.000"),
            ("Sent QPS", "2.000"),
            // Between the first and the last success lie 107 others in 59.0 s: requests 0 and 118.
            ("Completed QPS (successful)", "1.814"),
        ] {
            assert_eq!(value(&text, name), expected, "{name} in {text}");
        }
        let cells = |name| value(&text, name).split_whitespace().collect::<Vec<_>>();
        assert_eq!(cells("TTFT, successful requests only"), ["500.00", "500.00", "500.00"]);
        assert_eq!(cells("TPOT, successful requests only"), ["10.00", "10.00", "10.00"]);
        assert_eq!(cells("ITL, successful requests only"), ["20.00", "20.00", "30.00"]);
        assert_eq!(cells("TTFT, failures counted as infinite"), ["inf", "500.00", "inf"]);
        assert!(!text.contains("SIMULATED") && !text.contains("idle_timeout"), "{text}");
    }

    #[test]
    fn every_interval_has_its_block_and_every_request_its_lines() {
        let folder = tempfile::tempdir().unwrap();
        let paths = told(folder.path(), false, None);
        let blocks = fs::read_to_string(paths.performance).unwrap();
        let heads: Vec<&str> = blocks.lines().filter(|line| line.starts_with("----")).collect();
        assert_eq!(heads, ["---- 0.0 s to 30.0 s ----", "---- 30.0 s to 60.0 s ----", "---- 60.0 s to 60.1 s ----"]);
        let counted: u64 = blocks.lines().filter_map(|line| line.strip_prefix("Successful requests")?.trim().parse::<u64>().ok()).sum();
        assert_eq!(counted, 108);
        assert_eq!(fs::read_to_string(paths.csv).unwrap().lines().count(), 1 + 121);
        assert_eq!(fs::read_to_string(paths.realtime).unwrap().lines().count(), 2 + 121);
    }

    #[test]
    fn a_simulated_run_says_so_at_the_head_of_every_text() {
        let folder = tempfile::tempdir().unwrap();
        let paths = told(folder.path(), true, None);
        for path in [paths.realtime, paths.performance, paths.last] {
            assert!(fs::read_to_string(&path).unwrap().starts_with("SIMULATED"), "{}", path.display());
        }
        assert!(fs::read_to_string(paths.csv).unwrap().lines().nth(1).unwrap().ends_with(",true"));
    }

    #[test]
    fn copies_go_where_they_were_asked_for_with_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let csv = folder.path().join("out/my.csv");
        let own = told(folder.path(), false, Some(csv.clone()));
        let copy = ChatPaths::beside(&csv, 2.0);
        for (own, copy) in [(own.csv, copy.csv), (own.realtime, copy.realtime), (own.performance, copy.performance), (own.last, copy.last)]
        {
            assert_eq!(fs::read(own).unwrap(), fs::read(copy).unwrap());
        }
        assert!(folder.path().join("out/realtime_stats_qps_2.00.txt").exists());
    }

    #[test]
    fn other_workloads_bring_no_files() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = ChatFileReporter::new(SweepPaths::new(folder.path()), None);
        files.on(&SweepEvent::RunStarted { run: Arc::new(header("a")), requests: None, started_at: jiff::Timestamp::UNIX_EPOCH }).unwrap();
        files.on(&SweepEvent::RequestDone(Box::new(record(0)))).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
