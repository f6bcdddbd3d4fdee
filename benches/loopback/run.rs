//! A whole run, as `bench sweep` does it: prompts built in the office, a load loop, rows to the ledger, a recorder that saves them to disk.

use std::sync::{Arc, Mutex};

use bench::execution::event::SweepEvent;
use bench::execution::executor::{PlanScheduler, ServerLaunchPaths, StopToken, sweep};
use bench::execution::reporter::{Reporter, ReporterError, RunRecorder, run_reporters};
use bench::execution::selftest::TimingDeviation;
use bench::planning::plan::Plan;
use bench::planning::scenario::{ScenarioOverrides, load_text};
use bench::records::record::{ClientEnvironment, RequestRecord};
use bench::records::store::SweepWriter;
use bench::vocabulary::spec::failure_policy::FailurePolicy;
use jiff::Timestamp;

use crate::account::{Account, Meter, held_kb};
use crate::task::{Arrivals, LoadPacing};

/// Runs, and gives an account of what ended once the load had settled.
pub fn run(url: &str, arrivals: &Arrivals) -> Account {
    let scenario = load_text("loopback.toml".as_ref(), &scenario(url, arrivals), &ScenarioOverrides::default()).unwrap();
    let plan = Plan::new(&scenario).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let writer =
        SweepWriter::open(folder.path(), &plan.manifest(Timestamp::now(), ClientEnvironment::default()), &plan.scenario_text).unwrap();
    let journal = writer.paths().run(&plan.runs[0].id).unwrap().journal();
    let noted = Arc::new(Mutex::new(Noted::new(*arrivals, journal)));
    let reporters: Vec<Box<dyn Reporter>> = vec![Box::new(Watcher(Arc::clone(&noted))), Box::new(RunRecorder::new(writer))];
    let (events, heard) = tokio::sync::mpsc::unbounded_channel();
    let launch = ServerLaunchPaths { program: "bench".into(), logs: folder.path().join("servers") };
    let stop = StopToken::new();
    std::thread::scope(|scope| {
        let reporting = scope.spawn(|| run_reporters(heard, reporters, &stop.abort_token()));
        let mut course = PlanScheduler::new(&plan, &std::collections::BTreeSet::new());
        sweep(&mut course, FailurePolicy::default(), &stop, &launch, &events, None).unwrap();
        drop(events);
        reporting.join().unwrap().unwrap();
    });
    let mut noted = noted.lock().unwrap();
    noted.close();
    noted.account.lag = Some(TimingDeviation::of(&mut std::mem::take(&mut noted.late)));
    noted.account.clone()
}

fn scenario(url: &str, arrivals: &Arrivals) -> String {
    let Arrivals { pacing, seconds, events, first_us, gap_us, .. } = arrivals;
    let pacing = match pacing {
        LoadPacing::OpenLoop { rate, in_flight } => format!("arrival = \"constant\"\nqps = {rate}\nmax_in_flight = {in_flight}"),
        LoadPacing::ClosedLoop { concurrency } => format!("arrival = \"closed\"\nconcurrency = {concurrency}"),
    };
    format!(
        "name = \"loopback\"\n[workload]\nkind = \"requests\"\n{pacing}\nduration = {seconds}\n\
         prompt_tokens = 20\nanswer_tokens = {events}\n[target]\nurl = \"{url}\"\nmodel = \"emitter\"\n\
         body = {{ emit = {{ first_us = {first_us}, gap_us = {gap_us} }} }}\n"
    )
}

/// Hears what the recorder hears.
struct Watcher(Arc<Mutex<Noted>>);

struct Noted {
    arrivals: Arrivals,
    journal: std::path::PathBuf,
    account: Account,
    meter: Option<Meter>,
    over: bool,
    /// How late each request was sent, in microseconds.
    late: Vec<i64>,
}

impl Reporter for Watcher {
    fn on(&mut self, event: &SweepEvent) -> Result<(), ReporterError> {
        let mut noted = self.0.lock().unwrap();
        match event {
            SweepEvent::RunStarted { .. } => noted.account.idle_kb = held_kb(),
            SweepEvent::RequestDone(record) => noted.take(record),
            SweepEvent::RunFinished(record) => {
                noted.close();
                noted.account.waiting = noted.account.waiting.max(record.client.records_waiting_max);
                noted.account.notes.clone_from(&record.notes);
                noted.account.journal = std::fs::metadata(&noted.journal).map_or(0, |journal| journal.len());
            }
            _ => {}
        }
        Ok(())
    }

    fn behind(&mut self, waiting: usize) {
        let mut noted = self.0.lock().unwrap();
        noted.account.waiting = noted.account.waiting.max(Some(waiting as u64));
    }
}

impl Noted {
    fn new(arrivals: Arrivals, journal: std::path::PathBuf) -> Self {
        Self { arrivals, journal, account: Account::default(), meter: None, over: false, late: Vec::new() }
    }

    fn take(&mut self, record: &RequestRecord) {
        self.account.failed += u64::from(record.failure.is_some());
        let done_s = record.done_us.as_secs_f64();
        if done_s >= f64::from(self.arrivals.seconds) {
            self.close();
        }
        if self.over || done_s < self.arrivals.settled_s {
            return;
        }
        self.late.push(record.sent_us.0.cast_signed() - record.intended_us.0.cast_signed());
        if self.meter.is_some() {
            self.account.requests += 1;
            self.account.events += 1 + record.gaps_us.len() as u64;
        } else {
            self.meter = Some(Meter::start());
            self.account.begun_kb = held_kb();
        }
    }

    /// No request ends any more while the load is whole.
    fn close(&mut self) {
        if let Some(meter) = self.meter.as_ref().filter(|_| !self.over) {
            meter.read(&mut self.account);
            self.account.end_kb = held_kb();
        }
        self.over = true;
    }
}
