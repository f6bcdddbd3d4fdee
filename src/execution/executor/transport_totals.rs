//! What the wire says of a run: who stamped the tokens, how late they were read, and what the requests went out on.
//!
//! In come the carriages of single requests, out come figures for the record and remarks for people.

use hdrhistogram::Histogram;

use super::lateness::LatenessHistogram;
use crate::records::record::{ClientHealth, ConnectionCounts, StampSource};
use crate::servers::client::{ReadStats, TransportStats};

/// The longest lag that is told apart, in microseconds.
const LONGEST: u64 = 60_000_000;

/// What has been carried so far.
#[derive(Debug)]
pub(super) struct TransportTotals {
    /// How late tokens were read, in microseconds.
    lags: Histogram<u64>,
    unstamped: u64,
    merged: u64,
    connections: ConnectionCounts,
    /// How long connections took that had to be opened when a request was to be sent.
    connects: LatenessHistogram,
}

impl Default for TransportTotals {
    fn default() -> Self {
        let lags = Histogram::new_with_bounds(1, LONGEST, 3).expect("these bounds are allowed");
        Self { lags, unstamped: 0, merged: 0, connections: ConnectionCounts::default(), connects: LatenessHistogram::default() }
    }
}

impl TransportTotals {
    /// So many connections were opened before the load.
    pub fn opened_ahead(&mut self, count: u64) {
        self.connections.ahead += count;
    }

    pub fn ahead(&self) -> u64 {
        self.connections.ahead
    }

    pub fn add(&mut self, carriage: &TransportStats) {
        let TransportStats { connect, connected, dead, resent, rate_limited, retries, reads, .. } = carriage;
        let ReadStats { lags_us, unstamped, merged } = reads;
        for lag in lags_us {
            self.lags.saturating_record(u64::from(*lag));
        }
        self.unstamped += unstamped;
        self.merged += merged;
        self.connections.opened += u64::from(connect.is_some());
        self.connections.reused += u64::from(connect.is_none() && *connected);
        self.connections.dead += u64::from(*dead);
        self.connections.resent += u64::from(*resent);
        self.connections.rate_limited += u64::from(*rate_limited);
        self.connections.retries += u64::from(*retries);
        if let Some(connect) = connect {
            self.connects.add(*connect);
        }
    }

    /// `None` where nothing went over a wire.
    pub fn connections(&self) -> Option<ConnectionCounts> {
        (self.connections != ConnectionCounts::default()).then_some(self.connections)
    }

    /// What the wire says of the client; the rest is left out.
    #[expect(clippy::cast_precision_loss, reason = "counts of reads and microseconds are far below 2^53")]
    pub fn honest(&self) -> ClientHealth {
        let stamped = self.lags.len();
        let reads = stamped + self.unstamped;
        let stamps = match (stamped, self.unstamped) {
            (0, 0) => None,
            (0, _) => Some(StampSource::User),
            (_, 0) => Some(StampSource::Kernel),
            _ => Some(StampSource::Mixed),
        };
        let lag = |q: f64| (stamped > 0).then(|| self.lags.value_at_quantile(q) as f64 / 1e6);
        ClientHealth {
            stamps,
            read_lag_p50_s: lag(0.5),
            read_lag_p99_s: lag(0.99),
            read_lag_max_s: lag(1.0),
            merged_reads: (reads > 0).then(|| self.merged as f64 / reads as f64),
            ..ClientHealth::default()
        }
    }

    /// Remarks for people.
    pub fn notes(&self) -> Vec<String> {
        let ConnectionCounts { opened, reused, dead, resent, rate_limited, retries, .. } = self.connections;
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
        let limited = (rate_limited > 0).then(|| {
            let again = match retries {
                0 => "none was sent again (`target.retry_after`)".to_owned(),
                _ => format!("{retries} times a request was sent again after the pause that was asked for, which its times hold"),
            };
            format!("the server refused requests for its load (status 429) {rate_limited} times: {again}")
        });
        opened.into_iter().chain(dead).chain(resent).chain(limited).collect()
    }
}

fn milliseconds(seconds: f64) -> String {
    format!("{:.1} ms", seconds * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foundation::clock::Micros;

    fn carriage(connect: Option<u64>, lags_us: &[u32]) -> TransportStats {
        let reads = ReadStats { lags_us: lags_us.to_vec(), unstamped: 0, merged: 1 };
        TransportStats { connect: connect.map(Micros), connected: true, reads, ..TransportStats::default() }
    }

    #[test]
    fn lags_of_all_requests_are_told_together() {
        let mut carried = TransportTotals::default();
        carried.add(&carriage(Some(1500), &[10, 20, 30]));
        carried.add(&carriage(None, &[40]));
        let honesty = carried.honest();
        assert_eq!(honesty.stamps, Some(StampSource::Kernel));
        assert_eq!((honesty.read_lag_p50_s, honesty.read_lag_max_s), (Some(20e-6), Some(40e-6)));
        assert_eq!(honesty.merged_reads, Some(0.5));
        assert_eq!(carried.connections(), Some(ConnectionCounts { opened: 1, reused: 1, ..ConnectionCounts::default() }));
        carried.add(&TransportStats { reads: ReadStats { unstamped: 1, ..ReadStats::default() }, ..TransportStats::default() });
        assert_eq!(carried.honest().stamps, Some(StampSource::Mixed));
    }

    #[test]
    fn nothing_carried_says_nothing() {
        let carried = TransportTotals::default();
        assert_eq!((carried.honest(), carried.connections()), (ClientHealth::default(), None));
        assert!(carried.notes().is_empty());
    }

    #[test]
    fn what_a_connection_cost_is_never_hidden() {
        let mut carried = TransportTotals::default();
        carried.add(&carriage(Some(1500), &[]));
        carried.add(&carriage(Some(2500), &[]));
        carried.add(&TransportStats { connected: true, dead: 1, resent: 1, rate_limited: 3, retries: 2, ..TransportStats::default() });
        let notes = carried.notes();
        assert!(
            notes[0].starts_with("2 of 3 requests had to open a connection first, which took 1.5 ms at the median and 2.5 ms"),
            "{notes:?}"
        );
        assert!(notes[1].starts_with("1 idle connections") && notes[2].starts_with("1 requests were sent twice"), "{notes:?}");
        assert!(notes[3].contains("(status 429) 3 times: 2 times a request was sent again"), "{notes:?}");
    }
}
