//! Whether the client itself was what was slow: then what a cell shows is not the server's alone.
//!
//! In: what the runs say of the client, the machine it ran on, and the goals. Out: the figures that speak against the cell.

use super::cells::CellRuns;
use super::summary::{ClientLimit, ClientLimits};
use crate::records::record::{ClientEnvironment, ClientHealth};
use crate::vocabulary::goal::Goal;

/// A send lag or a timer's lateness beyond this share of the smallest limit of time may have moved a verdict.
const LAG_SHARE: f64 = 0.05;
/// Where no goal limits a time.
const LAG_S: f64 = 0.1;
/// From this share of what the machine's cores carry on, the client may have been what was slow.
const LOAD_SHARE: f64 = 0.7;
/// Nor does it use this share of one core where there is but one, or nobody knows how many there are.
const CPU_SHARE: f64 = 0.9;

/// The worst of what the runs of a cell say of it.
pub(super) fn worst_client(cell: &CellRuns<'_>) -> ClientHealth {
    cell.runs.iter().map(|run| &run.record.client).fold(ClientHealth::default(), |worst, client| worst.worse(client))
}

/// What speaks against the client of a cell.
#[must_use]
pub(super) fn limited(client: &ClientHealth, machine: &ClientEnvironment, goals: &[Goal]) -> ClientLimits {
    let allowed_s = goals.iter().flat_map(Goal::time_limits).min_by(f64::total_cmp).map_or(LAG_S, |limit| limit * LAG_SHARE);
    let late = |p99_s: f64| (p99_s > allowed_s).then_some(p99_s);
    let all = [
        late(client.send_lag_p99_s).map(|p99_s| ClientLimit::SendLag { p99_s }),
        client.timer_jitter_p99_s.and_then(late).map(|p99_s| ClientLimit::TimerJitter { p99_s }),
        busy(client, machine),
        loaded(client, machine),
        client.records_held_up().map(|records_waiting| ClientLimit::UnsavedRecords { records_waiting }),
    ];
    ClientLimits(all.into_iter().flatten().collect())
}

fn busy(client: &ClientHealth, machine: &ClientEnvironment) -> Option<ClientLimit> {
    let processors = machine.processors;
    let allowed = processors.map_or(CPU_SHARE, |cores| (LOAD_SHARE * f64::from(cores)).max(CPU_SHARE));
    client.cpu_share.filter(|share| *share >= allowed).map(|cpu_share| ClientLimit::Processor { cpu_share, processors })
}

/// Against what the selftest found that a core carries: events and requests both cost CPU, so their shares add up.
fn loaded(client: &ClientHealth, machine: &ClientEnvironment) -> Option<ClientLimit> {
    let ceilings = machine.ceilings?;
    let (events_per_s, requests_per_s) = (client.events_per_s?, client.requests_per_s?);
    let of_a_core = events_per_s / ceilings.events_per_s + requests_per_s / ceilings.requests_per_s;
    let capacity_share = of_a_core / f64::from(machine.processors.unwrap_or(1).max(1));
    (capacity_share > LOAD_SHARE).then_some(ClientLimit::Throughput { events_per_s, requests_per_s, capacity_share })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::record::ClientCapacity;

    fn machine(processors: u32) -> ClientEnvironment {
        let ceilings = Some(ClientCapacity { events_per_s: 50_000.0, requests_per_s: 10_000.0 });
        ClientEnvironment { processors: Some(processors), ceilings, ..ClientEnvironment::default() }
    }

    fn load(events: f64, requests: f64) -> ClientHealth {
        ClientHealth { events_per_s: Some(events), requests_per_s: Some(requests), ..ClientHealth::default() }
    }

    fn all(limits: impl IntoIterator<Item = ClientLimit>) -> ClientLimits {
        ClientLimits(limits.into_iter().collect())
    }

    #[test]
    fn events_and_requests_add_up_against_what_all_cores_carry() {
        assert_eq!(limited(&load(34_000.0, 100.0), &machine(1), &[]), all([]));
        let found = limited(&load(34_000.0, 300.0), &machine(1), &[]);
        let [ClientLimit::Throughput { events_per_s, requests_per_s, capacity_share }] = found.0.as_slice() else { panic!("{found:?}") };
        assert_eq!((*events_per_s, *requests_per_s), (34_000.0, 300.0));
        assert!((capacity_share - 0.71).abs() < 1e-12, "{capacity_share}");
        assert_eq!(limited(&load(34_000.0, 300.0), &machine(2), &[]), all([]));
        assert_eq!(limited(&load(90_000.0, 9_000.0), &ClientEnvironment::default(), &[]), all([]), "nobody knows what it carries");
    }

    #[test]
    fn a_core_that_is_used_up_counts_as_one_of_all() {
        let busy = |share: f64| ClientHealth { cpu_share: Some(share), ..ClientHealth::default() };
        let used_up = |cpu_share, processors| all([ClientLimit::Processor { cpu_share, processors }]);
        assert_eq!(limited(&busy(0.97), &ClientEnvironment::default(), &[]), used_up(0.97, None));
        assert_eq!(limited(&busy(0.97), &machine(4), &[]), all([]));
        assert_eq!(limited(&busy(2.81), &machine(4), &[]), used_up(2.81, Some(4)));
    }

    fn late(seconds: f64) -> ClientHealth {
        ClientHealth { send_lag_p99_s: seconds, ..ClientHealth::default() }
    }

    #[test]
    fn lateness_counts_from_a_twentieth_of_the_smallest_limit_of_a_time() {
        let goals =
            ["p95(ttft) <= 500ms", "p95(e2e) <= 4s", "error_rate <= 1%", "mean(tpot) <= 1ms/token"].map(|goal| goal.parse().unwrap());
        assert_eq!(limited(&late(0.025), &ClientEnvironment::default(), &goals), all([]));
        assert_eq!(limited(&late(0.026), &ClientEnvironment::default(), &goals), all([ClientLimit::SendLag { p99_s: 0.026 }]));
    }

    #[test]
    fn lateness_counts_from_a_tenth_of_a_second_where_no_goal_limits_a_time() {
        assert_eq!(limited(&late(0.1), &ClientEnvironment::default(), &[]), all([]));
        assert_eq!(limited(&late(0.102), &ClientEnvironment::default(), &[]), all([ClientLimit::SendLag { p99_s: 0.102 }]));
        let jitter = ClientHealth { timer_jitter_p99_s: Some(0.102), ..ClientHealth::default() };
        assert_eq!(limited(&jitter, &ClientEnvironment::default(), &[]), all([ClientLimit::TimerJitter { p99_s: 0.102 }]));
    }

    #[test]
    fn records_that_the_disk_holds_up_count_from_a_hundred_thousand() {
        let waited = |records| ClientHealth { records_waiting_max: Some(records), ..ClientHealth::default() };
        assert_eq!(limited(&waited(100_000), &ClientEnvironment::default(), &[]), all([]));
        let found = limited(&waited(100_001), &ClientEnvironment::default(), &[]);
        assert_eq!(found, all([ClientLimit::UnsavedRecords { records_waiting: 100_001 }]));
    }
}
