//! What the client says of itself: how late it sent, how much of a core it used, how late its own timer was.

use std::time::Instant;

use super::lateness::LatenessHistogram;
use super::run_totals::RunTotals;
use crate::foundation::clock::{Clock, Micros, PreciseTimer};
use crate::records::record::ClientHealth;

/// Period of the timer that is watched beside the load.
const PROBE_PERIOD: Micros = Micros(10_000);

/// Watches this process from the start of a run to its end.
#[derive(Debug)]
pub(super) struct ClientHealthMonitor {
    started: Instant,
    cpu_s: Option<f64>,
    probe: Option<tokio::task::JoinHandle<()>>,
    lateness: tokio::sync::watch::Receiver<LatenessHistogram>,
}

impl ClientHealthMonitor {
    /// In virtual time there is nothing to watch.
    pub fn start(clock: Clock) -> Self {
        let (sender, lateness) = tokio::sync::watch::channel(LatenessHistogram::default());
        let probe = (!clock.is_virtual()).then(|| tokio::spawn(probe_timer(clock, sender)));
        Self { started: Instant::now(), cpu_s: if clock.is_virtual() { None } else { process_cpu_s() }, probe, lateness }
    }

    pub fn finish(self, tally: &RunTotals) -> ClientHealth {
        if let Some(probe) = &self.probe {
            probe.abort();
        }
        let wall_s = self.started.elapsed().as_secs_f64();
        let cpu_share = match (self.cpu_s, process_cpu_s()) {
            (Some(before), Some(after)) if wall_s > 0.0 => Some((after - before) / wall_s),
            _ => None,
        };
        // In virtual time nothing is carried.
        let rates = if self.probe.is_some() { tally.rates() } else { None };
        ClientHealth {
            send_lag_p50_s: tally.lags.at_rank(0.5).unwrap_or_default(),
            send_lag_p99_s: tally.lags.at_rank(0.99).unwrap_or_default(),
            send_lag_max_s: tally.lags.at_rank(1.0).unwrap_or_default(),
            cpu_share,
            timer_jitter_p99_s: self.lateness.borrow().at_rank(0.99),
            records_waiting_max: self.probe.is_some().then(|| tally.waiting_max()),
            events_per_s: rates.map(|(events, _)| events),
            requests_per_s: rates.map(|(_, requests)| requests),
            ..tally.carried.honest()
        }
    }
}

/// Waits as arrivals do, on a timer like theirs.
async fn probe_timer(clock: Clock, lateness: tokio::sync::watch::Sender<LatenessHistogram>) {
    let mut timer = PreciseTimer::new(clock);
    loop {
        let due = clock.now() + PROBE_PERIOD;
        timer.sleep_until(due).await;
        lateness.send_modify(|seen| seen.add(clock.now().since(due)));
    }
}

/// User and system time of this process in seconds; `None` where the operating system has no `/proc`.
fn process_cpu_s() -> Option<f64> {
    // proc_pid_stat(5): utime and stime are the 14th and 15th field, in clock ticks; the name before may hold spaces but ends with `)`.
    // Linux reports them in ticks of 1/100 s on every architecture.
    const TICKS_PER_S: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks: f64 = fields.next()?.parse::<f64>().ok()? + fields.next()?.parse::<f64>().ok()?;
    Some(ticks / TICKS_PER_S)
}
