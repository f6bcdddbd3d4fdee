//! What the wire says of a run: who stamped the tokens, how late they were read, and what the requests went out on.
//!
//! In come the carriages of single requests, out come figures for the record and remarks for people.

use hdrhistogram::Histogram;

use super::lateness::Lateness;
use crate::record::{ClientHonesty, Connections, StampSource};
use crate::target::{Carriage, Reads};

/// The longest lag that is told apart, in microseconds.
const LONGEST: u64 = 60_000_000;

/// What has been carried so far.
#[derive(Debug)]
pub(super) struct Carried {
    /// How late tokens were read, in microseconds.
    lags: Histogram<u64>,
    unstamped: u64,
    merged: u64,
    connections: Connections,
    /// How long connections took that had to be opened when a request was to be sent.
    connects: Lateness,
}

impl Default for Carried {
    fn default() -> Self {
        let lags = Histogram::new_with_bounds(1, LONGEST, 3).expect("these bounds are allowed");
        Self { lags, unstamped: 0, merged: 0, connections: Connections::default(), connects: Lateness::default() }
    }
}

impl Carried {
    /// So many connections were opened before the load.
    pub fn opened_ahead(&mut self, count: usize) {
        self.connections.ahead += count as u64;
    }

    pub fn add(&mut self, carriage: &Carriage) {
        let Carriage { connect, connected, handover: _, dead, resent, reads: Reads { lags_us, unstamped, merged } } = carriage;
        for lag in lags_us {
            self.lags.saturating_record(u64::from(*lag));
        }
        self.unstamped += unstamped;
        self.merged += merged;
        self.connections.opened += u64::from(connect.is_some());
        self.connections.reused += u64::from(connect.is_none() && *connected);
        self.connections.dead += u64::from(*dead);
        self.connections.resent += u64::from(*resent);
        if let Some(connect) = connect {
            self.connects.add(*connect);
        }
    }

    /// `None` where nothing went over a wire.
    pub fn connections(&self) -> Option<Connections> {
        (self.connections != Connections::default()).then_some(self.connections)
    }

    /// What the wire says of the client; the rest is left out.
    #[expect(clippy::cast_precision_loss, reason = "counts of reads and microseconds are far below 2^53")]
    pub fn honest(&self) -> ClientHonesty {
        let stamped = self.lags.len();
        let reads = stamped + self.unstamped;
        let stamps = match (stamped, self.unstamped) {
            (0, 0) => None,
            (0, _) => Some(StampSource::User),
            (_, 0) => Some(StampSource::Kernel),
            _ => Some(StampSource::Mixed),
        };
        let lag = |q: f64| (stamped > 0).then(|| self.lags.value_at_quantile(q) as f64 / 1e6);
        ClientHonesty {
            stamps,
            read_lag_p50_s: lag(0.5),
            read_lag_p99_s: lag(0.99),
            read_lag_max_s: lag(1.0),
            merged_reads: (reads > 0).then(|| self.merged as f64 / reads as f64),
            ..ClientHonesty::default()
        }
    }

    /// Remarks for people.
    pub fn notes(&self) -> Vec<String> {
        let Connections { opened, reused, dead, resent, .. } = self.connections;
        let opened = self.connects.at_rank(0.5).zip(self.connects.at_rank(1.0)).map(|(middle, longest)| {
            format!(
                "{opened} of {} requests had to open a connection first, which took {} at the median and {} at most: `ttft` counts from \
                 when a request was sent, `ttft_intended` holds that too",
                opened + reused,
                milliseconds(middle),
                milliseconds(longest)
            )
        });
        let dead = (dead > 0).then(|| format!("{dead} idle connections were found closed by the server and were replaced"));
        let resent = (resent > 0).then(|| {
            format!("{resent} requests were sent twice: the connection broke before any byte of the answer (`on_dead_connection`)")
        });
        opened.into_iter().chain(dead).chain(resent).collect()
    }
}

fn milliseconds(seconds: f64) -> String {
    format!("{:.1} ms", seconds * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Micros;

    fn carriage(connect: Option<u64>, lags_us: &[u32]) -> Carriage {
        let reads = Reads { lags_us: lags_us.to_vec(), unstamped: 0, merged: 1 };
        Carriage { connect: connect.map(Micros), connected: true, reads, ..Carriage::default() }
    }

    #[test]
    fn lags_of_all_requests_are_told_together() {
        let mut carried = Carried::default();
        carried.add(&carriage(Some(1500), &[10, 20, 30]));
        carried.add(&carriage(None, &[40]));
        let honesty = carried.honest();
        assert_eq!(honesty.stamps, Some(StampSource::Kernel));
        assert_eq!((honesty.read_lag_p50_s, honesty.read_lag_max_s), (Some(20e-6), Some(40e-6)));
        assert_eq!(honesty.merged_reads, Some(0.5));
        assert_eq!(carried.connections(), Some(Connections { opened: 1, reused: 1, ..Connections::default() }));
        carried.add(&Carriage { reads: Reads { unstamped: 1, ..Reads::default() }, ..Carriage::default() });
        assert_eq!(carried.honest().stamps, Some(StampSource::Mixed));
    }

    #[test]
    fn nothing_carried_says_nothing() {
        let carried = Carried::default();
        assert_eq!((carried.honest(), carried.connections()), (ClientHonesty::default(), None));
        assert!(carried.notes().is_empty());
    }

    #[test]
    fn what_a_connection_cost_is_never_hidden() {
        let mut carried = Carried::default();
        carried.add(&carriage(Some(1500), &[]));
        carried.add(&carriage(Some(2500), &[]));
        carried.add(&Carriage { connected: true, dead: 1, resent: 1, ..Carriage::default() });
        let notes = carried.notes();
        assert!(
            notes[0].starts_with("2 of 3 requests had to open a connection first, which took 1.5 ms at the median and 2.5 ms"),
            "{notes:?}"
        );
        assert!(notes[1].starts_with("1 idle connections") && notes[2].starts_with("1 requests were sent twice"), "{notes:?}");
    }
}
