//! What an event and a request cost the client, and so how many of them a core carries.
//!
//! Events come in reads of their own, as they do from an engine: streams paced far apart, not a flood in which one read brings a hundred.

use super::emitter::EmissionTiming;
use super::machine::cpu_time;
use super::report::CoreCapacity;
use super::streams::{SelftestLoad, SelftestMeasurements, listen};
use crate::foundation::clock::Micros;
use crate::servers::client::TargetError;

const EVENTS: SelftestLoad =
    SelftestLoad { streams: 300, events: 250, emission: EmissionTiming { first_us: 10_000, gap_us: 20_000 }, lasting: Micros(3_000_000) };
const REQUESTS: SelftestLoad =
    SelftestLoad { streams: 64, events: 1, emission: EmissionTiming { first_us: 0, gap_us: 0 }, lasting: Micros(4_000_000) };

/// The two ceilings, from the CPU time that each took of this process.
pub(super) async fn ceilings(url: &str) -> Result<(CoreCapacity, [SelftestMeasurements; 2]), TargetError> {
    let (each_event, events) = cost(url, EVENTS, |heard| heard.events).await?;
    let (each_request, requests) = cost(url, REQUESTS, |heard| heard.requests).await?;
    Ok((CoreCapacity { events_per_s: 1.0 / each_event, requests_per_s: 1.0 / each_request }, [events, requests]))
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
async fn cost(url: &str, load: SelftestLoad, of: fn(&SelftestMeasurements) -> u64) -> Result<(f64, SelftestMeasurements), TargetError> {
    let before = cpu_time();
    let heard = listen(url, load).await?;
    let used = (cpu_time().saturating_sub(before)).as_secs_f64();
    Ok((used / of(&heard).max(1) as f64, heard))
}
