//! The rows of several clients as those of one run: numbered in the order of sending, with what was in flight and which lanes were live at that moment counted
//! again over all of them.
//!
//! In: the rows as they came, each with what its own client counted. Out: the same rows in the same order. A few numbers of each are held, never the rows.

use super::error::StoreError;
use crate::foundation::clock::Micros;
use crate::records::record::{RequestRecord, RunHeader, RunWorkKind};

/// What `live_lanes` counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LiveLanes {
    /// Groups and users' places: each from the beginning to the end of its last row.
    Lanes,
    /// Sessions that have begun: each from the moment it was due to the end of its last row.
    Sessions,
    /// Nothing of a client's own: what each says is true of all.
    OneForAll,
}

/// When a row was sent and over.
#[derive(Debug, Clone, Copy)]
struct RowTimes {
    sent: Micros,
    done: Micros,
    was_sent: bool,
    /// Its lane, or its session.
    owner: u64,
    intended: Micros,
}

/// What is counted of each row, in the order of the rows.
#[derive(Debug)]
pub(super) struct ClientRowNumbers {
    numbers: Vec<RowNumbers>,
    lanes: LiveLanes,
}

#[derive(Debug, Clone, Copy, Default)]
struct RowNumbers {
    request: u64,
    in_flight: u32,
    live_lanes: u32,
}

impl ClientRowNumbers {
    /// Counts over all rows of a run.
    pub fn of(header: &RunHeader, rows: impl Iterator<Item = Result<RequestRecord, StoreError>>) -> Result<Self, StoreError> {
        let lanes = match header.work().kind {
            Some(RunWorkKind::DocumentQa | RunWorkKind::Chat) => LiveLanes::Lanes,
            Some(RunWorkKind::Requests) => LiveLanes::OneForAll,
            None => LiveLanes::Sessions,
        };
        let times = |row: RequestRecord| RowTimes {
            sent: row.sent_us,
            done: row.done_us,
            was_sent: row.was_sent(),
            owner: if lanes == LiveLanes::Sessions { row.session } else { row.lane.into() },
            intended: row.intended_us,
        };
        let rows = rows.map(|row| row.map(times)).collect::<Result<Vec<RowTimes>, StoreError>>()?;
        Ok(Self { numbers: counted(&rows, lanes), lanes })
    }

    /// The rows with what was counted of them; they must be those that were counted over.
    pub fn renumber<R>(self, rows: R) -> impl Iterator<Item = Result<RequestRecord, StoreError>>
    where
        R: Iterator<Item = Result<RequestRecord, StoreError>>,
    {
        let Self { numbers, lanes } = self;
        rows.zip(numbers).map(move |(row, RowNumbers { request, in_flight, live_lanes })| {
            row.map(|row| {
                let live_lanes = if lanes == LiveLanes::OneForAll { row.live_lanes } else { live_lanes };
                RequestRecord { request, in_flight, live_lanes, ..row }
            })
        })
    }
}

fn counted(rows: &[RowTimes], lanes: LiveLanes) -> Vec<RowNumbers> {
    let mut numbers = vec![RowNumbers::default(); rows.len()];
    let mut by_sending: Vec<usize> = (0..rows.len()).collect();
    by_sending.sort_by_key(|row| (rows[*row].sent, *row));
    let mut ends: Vec<Micros> = rows.iter().filter(|row| row.was_sent).map(|row| row.done).collect();
    ends.sort_unstable();
    let lives = LaneLives::of(rows, lanes);
    let (mut sent, mut ended) = (0_u32, 0_usize);
    for (request, row) in (0..).zip(by_sending) {
        let RowTimes { sent: at, was_sent, .. } = rows[row];
        sent += u32::from(was_sent);
        // What is over at the moment of a sending is not in flight, as in a client of its own; itself always is.
        while ended < ends.len() && ends[ended] <= at && (ended as u64) < u64::from(sent.saturating_sub(u32::from(was_sent))) {
            ended += 1;
        }
        let over = u32::try_from(ended).unwrap_or(u32::MAX);
        numbers[row] = RowNumbers { request, in_flight: sent.saturating_sub(over), live_lanes: lives.at(at) };
    }
    numbers
}

/// When lanes begin and end, in order.
struct LaneLives {
    begins: Vec<Micros>,
    ends: Vec<Micros>,
}

impl LaneLives {
    fn of(rows: &[RowTimes], lanes: LiveLanes) -> Self {
        let mut lives = std::collections::BTreeMap::new();
        for row in rows {
            let begins = if lanes == LiveLanes::Lanes { Micros::ZERO } else { row.intended };
            let (begin, end) = lives.entry(row.owner).or_insert((begins, row.done));
            (*begin, *end) = ((*begin).min(begins), (*end).max(row.done));
        }
        let (mut begins, mut ends): (Vec<Micros>, Vec<Micros>) = lives.into_values().unzip();
        begins.sort_unstable();
        ends.sort_unstable();
        Self { begins, ends }
    }

    /// How many there are at that moment.
    fn at(&self, at: Micros) -> u32 {
        let begun = self.begins.partition_point(|begin| *begin <= at);
        // The row that is sent at its lane's last moment was never answered, and its lane lives until then.
        let over = self.ends.partition_point(|end| *end < at);
        u32::try_from(begun.saturating_sub(over)).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::records::record::{FailureKind, RequestFailure};
    use crate::records::store::fixture::header;

    fn row(client: u32, lane: u32, sent: u64, done: u64) -> RequestRecord {
        RequestRecord {
            lane,
            session: lane.into(),
            intended_us: Micros(sent),
            sent_us: Micros(sent),
            done_us: Micros(done),
            in_flight: 1,
            live_lanes: 1,
            client: Some(client),
            ..RequestRecord::default()
        }
    }

    fn merged(kind: &str, rows: &[RequestRecord]) -> Vec<(u64, u32, u32)> {
        let header = RunHeader { cell: json!({"workload": {"kind": kind}}).into(), ..header("a") };
        let all = || rows.iter().cloned().map(Ok);
        let numbered = ClientRowNumbers::of(&header, all()).unwrap().renumber(all());
        numbered.map(|row| row.map(|row| (row.request, row.in_flight, row.live_lanes)).unwrap()).collect()
    }

    #[test]
    fn rows_of_all_clients_are_numbered_as_they_were_sent_and_count_what_was_in_flight_then() {
        // In the order in which they were over: a request of client 1 goes while one of client 0 is in flight.
        let rows = [row(1, 1, 10, 40), row(0, 0, 0, 50), row(1, 1, 40, 60), row(0, 0, 50, 90)];
        assert_eq!(merged("document_qa", &rows), [(1, 2, 2), (0, 1, 2), (2, 2, 2), (3, 2, 2)]);
    }

    #[test]
    fn a_lane_is_live_until_its_last_row_is_over() {
        let rows = [row(0, 0, 0, 20), row(1, 1, 0, 50), row(1, 1, 60, 90)];
        assert_eq!(merged("chat", &rows).into_iter().map(|(_, _, live)| live).collect::<Vec<_>>(), [2, 2, 1]);
        let apart = [row(0, 0, 0, 20), row(1, 1, 30, 50)];
        assert_eq!(merged("sessions", &apart), [(0, 1, 1), (1, 1, 1)], "a session lives from the moment it is due");
        assert_eq!(merged("requests", &rows).into_iter().map(|(_, _, live)| live).collect::<Vec<_>>(), [1, 1, 1]);
    }

    #[test]
    fn what_was_never_sent_was_not_in_flight() {
        let failure = Some(RequestFailure { kind: FailureKind::SessionEnded, detail: String::new() });
        let unsent = RequestRecord { failure, ..row(1, 1, 10, 10) };
        assert_eq!(merged("document_qa", &[row(0, 0, 0, 50), unsent]), [(0, 1, 2), (1, 1, 2)]);
    }
}
