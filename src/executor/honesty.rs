//! What the client says of itself: how late it sent, how much of a core it used, how late its own timer was.

use std::time::Instant;

use super::tally::Tally;
use crate::clock::{Clock, Micros, Timer};
use crate::record::ClientHonesty;

/// Period of the timer that is watched beside the load.
const PROBE_PERIOD: Micros = Micros(10_000);

/// Watches this process from the start of a run to its end.
#[derive(Debug)]
pub(super) struct Watch {
    started: Instant,
    cpu_s: Option<f64>,
    probe: Option<tokio::task::JoinHandle<()>>,
    lateness: tokio::sync::watch::Receiver<Vec<Micros>>,
}

impl Watch {
    /// In virtual time there is nothing to watch.
    pub fn start(clock: Clock) -> Self {
        let (sender, lateness) = tokio::sync::watch::channel(Vec::new());
        let probe = (!clock.is_virtual()).then(|| tokio::spawn(probe_timer(clock, sender)));
        Self { started: Instant::now(), cpu_s: if clock.is_virtual() { None } else { process_cpu_s() }, probe, lateness }
    }

    pub fn finish(self, tally: &Tally) -> ClientHonesty {
        if let Some(probe) = &self.probe {
            probe.abort();
        }
        let mut lags = tally.lags.clone();
        let mut lateness = self.lateness.borrow().clone();
        let wall_s = self.started.elapsed().as_secs_f64();
        let cpu_share = match (self.cpu_s, process_cpu_s()) {
            (Some(before), Some(after)) if wall_s > 0.0 => Some((after - before) / wall_s),
            _ => None,
        };
        ClientHonesty {
            send_lag_p50_s: nearest_rank(&mut lags, 0.5).unwrap_or_default(),
            send_lag_p99_s: nearest_rank(&mut lags, 0.99).unwrap_or_default(),
            send_lag_max_s: nearest_rank(&mut lags, 1.0).unwrap_or_default(),
            cpu_share,
            timer_jitter_p99_s: nearest_rank(&mut lateness, 0.99),
            records_waiting_max: self.probe.is_some().then(|| tally.waiting_max()),
            ..tally.carried.honest()
        }
    }
}

/// Waits as arrivals do, on a timer like theirs.
async fn probe_timer(clock: Clock, lateness: tokio::sync::watch::Sender<Vec<Micros>>) {
    let mut timer = Timer::new(clock);
    loop {
        let due = clock.now() + PROBE_PERIOD;
        timer.sleep_until(due).await;
        lateness.send_modify(|seen| seen.push(clock.now().since(due)));
    }
}

/// The value at rank ⌈q·n⌉, in seconds; `None` without values.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a rank within the slice")]
fn nearest_rank(values: &mut [Micros], q: f64) -> Option<f64> {
    values.sort_unstable();
    let rank = (q * values.len() as f64).ceil() as usize;
    Some(values.get(rank.max(1) - 1)?.as_secs_f64())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_ranks_are_values_that_were_seen() {
        let mut values: Vec<Micros> = (1..=200).rev().map(|ms| Micros(ms * 1000)).collect();
        assert_eq!(nearest_rank(&mut values, 0.5), Some(0.1));
        assert_eq!(nearest_rank(&mut values, 0.99), Some(0.198));
        assert_eq!(nearest_rank(&mut values, 1.0), Some(0.2));
        assert_eq!(nearest_rank(&mut [], 0.5), None);
    }
}
