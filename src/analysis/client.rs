//! Whether the client itself was what was slow: then what a cell shows is not the server's alone.
//!
//! In: what the runs say of the client, the machine it ran on, and the goals. Out: what speaks against the cell, in words.

use crate::records::record::{ClientEnvironment, ClientHealth};
use crate::vocabulary::goal::Goal;
use crate::vocabulary::metric::MeasureUnit;

/// A send lag or a timer's lateness beyond this share of the smallest limit of time may have moved a verdict.
const LAG_SHARE: f64 = 0.05;
/// Where no goal limits a time.
const LAG_S: f64 = 0.1;
/// From this share of what the machine's cores carry on, the client may have been what was slow.
const LOAD_SHARE: f64 = 0.7;
/// Nor does it use this share of one core where there is but one, or nobody knows how many there are.
const CPU_SHARE: f64 = 0.9;

/// What speaks against a cell; `None` where the client was not in the way.
#[must_use]
pub(super) fn limited(client: &ClientHealth, machine: &ClientEnvironment, goals: &[Goal]) -> Option<String> {
    let limits = goals.iter().filter(|goal| goal.measure.unit() == MeasureUnit::Seconds).map(|goal| goal.limit);
    let allowed = limits.min_by(f64::total_cmp).map_or(LAG_S, |limit| limit * LAG_SHARE);
    let late = |what: &str, seconds: f64| (seconds > allowed).then(|| format!("{what} p99 {:.0} ms", seconds * 1e3));
    let timer = client.timer_jitter_p99_s.and_then(|seconds| late("timer late", seconds));
    let unsaved = client.records_held_up().map(|records| format!("{records} records waited for being saved"));
    let all = [late("send lag", client.send_lag_p99_s), timer, busy(client, machine), loaded(client, machine), unsaved];
    let found: Vec<String> = all.into_iter().flatten().collect();
    (!found.is_empty()).then(|| found.join(", "))
}

fn busy(client: &ClientHealth, machine: &ClientEnvironment) -> Option<String> {
    let allowed = machine.processors.map_or(CPU_SHARE, |cores| (LOAD_SHARE * f64::from(cores)).max(CPU_SHARE));
    client.cpu_share.filter(|share| *share >= allowed).map(|share| match machine.processors {
        Some(cores) if cores > 1 => format!("CPU at {share:.2} of {cores} cores"),
        _ => format!("CPU at {share:.2} of one core"),
    })
}

/// Against what the selftest found that a core carries: events and requests both cost CPU, so their shares add up.
fn loaded(client: &ClientHealth, machine: &ClientEnvironment) -> Option<String> {
    let ceilings = machine.ceilings?;
    let (events, requests) = (client.events_per_s?, client.requests_per_s?);
    let share = (events / ceilings.events_per_s + requests / ceilings.requests_per_s) / f64::from(machine.processors.unwrap_or(1).max(1));
    (share > LOAD_SHARE).then(|| {
        format!(
            "{events:.0} events/s and {requests:.0} requests/s are {:.0} % of what the selftest found that this machine carries",
            100.0 * share
        )
    })
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

    #[test]
    fn events_and_requests_add_up_against_what_all_cores_carry() {
        assert_eq!(limited(&load(34_000.0, 100.0), &machine(1), &[]), None);
        let words = limited(&load(34_000.0, 300.0), &machine(1), &[]).unwrap();
        assert_eq!(words, "34000 events/s and 300 requests/s are 71 % of what the selftest found that this machine carries");
        assert_eq!(limited(&load(34_000.0, 300.0), &machine(2), &[]), None);
        assert_eq!(limited(&load(90_000.0, 9_000.0), &ClientEnvironment::default(), &[]), None, "nobody knows what it carries");
    }

    #[test]
    fn a_core_that_is_used_up_counts_as_one_of_all() {
        let busy = |share: f64| ClientHealth { cpu_share: Some(share), ..ClientHealth::default() };
        assert_eq!(limited(&busy(0.97), &ClientEnvironment::default(), &[]).as_deref(), Some("CPU at 0.97 of one core"));
        assert_eq!(limited(&busy(0.97), &machine(4), &[]), None);
        assert_eq!(limited(&busy(2.81), &machine(4), &[]).as_deref(), Some("CPU at 2.81 of 4 cores"));
    }

    fn late(seconds: f64) -> ClientHealth {
        ClientHealth { send_lag_p99_s: seconds, ..ClientHealth::default() }
    }

    #[test]
    fn lateness_counts_from_a_twentieth_of_the_smallest_limit_of_a_time() {
        let goals =
            ["p95(ttft) <= 500ms", "p95(e2e) <= 4s", "error_rate <= 1%", "mean(tpot) <= 1ms/token"].map(|goal| goal.parse().unwrap());
        assert_eq!(limited(&late(0.025), &ClientEnvironment::default(), &goals), None);
        assert_eq!(limited(&late(0.026), &ClientEnvironment::default(), &goals).as_deref(), Some("send lag p99 26 ms"));
    }

    #[test]
    fn lateness_counts_from_a_tenth_of_a_second_where_no_goal_limits_a_time() {
        assert_eq!(limited(&late(0.1), &ClientEnvironment::default(), &[]), None);
        assert_eq!(limited(&late(0.102), &ClientEnvironment::default(), &[]).as_deref(), Some("send lag p99 102 ms"));
    }
}
