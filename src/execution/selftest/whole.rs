//! The whole of it, one part after the other; under a minute.

use jiff::Timestamp;

use super::machine::{HostMachine, raise_open_files};
use super::report::{SelftestReport, TimingDeviation};
use super::{ceiling, lag, stamps, timer};
use crate::servers::client::TargetError;

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
pub enum SelftestError {
    #[error("the operating system gives no resources for the load: {0}")]
    System(#[from] std::io::Error),
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error("the load of the selftest cannot be made: {0}")]
    Load(String),
    #[error("{failed} requests to the selftest's own server failed; the first: {first}")]
    Failed { failed: usize, first: String },
}

/// Measures this machine against an emitter that listens at `url`; `tell` hears what is being done.
///
/// # Errors
/// Where a part cannot be measured at all.
pub fn measure(url: &str, tell: &mut dyn FnMut(&str)) -> Result<SelftestReport, SelftestError> {
    let open_files = raise_open_files();
    // One thread, so that what it can do is what a core can do.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    tell("waits");
    let timer = runtime.block_on(async { tokio::spawn(timer::timer()).await.map_err(std::io::Error::from) })?;
    tell("token times, idle and busy");
    let (stamps_idle, idle) = runtime.block_on(stamps::idle(url))?;
    let (stamps_busy, mut busy) = runtime.block_on(stamps::busy(url))?;
    let read_late_busy = TimingDeviation::of(&mut busy.read_late_us);
    tell("what a token and a request cost");
    let (ceilings, [events, requests]) = runtime.block_on(ceiling::ceilings(url))?;
    drop(runtime);
    tell("sending at a steady rate");
    let (send_lag, unsent) = lag::send_lag(url, lag::RATE)?;
    let failures: Vec<&String> = [&idle, &busy, &events, &requests].into_iter().flat_map(|heard| &heard.failures).collect();
    // A few may be the machine's; a part without answers is no measurement.
    if let Some(first) = failures.first().filter(|_| [&idle, &busy, &events, &requests].iter().any(|heard| heard.events == 0)) {
        return Err(SelftestError::Failed { failed: failures.len(), first: (*first).clone() });
    }
    Ok(SelftestReport {
        at: Timestamp::now(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        optimised: !cfg!(debug_assertions),
        machine: HostMachine::here(),
        open_files,
        timer,
        stamps_idle,
        stamps_busy,
        read_late_busy,
        send_rate: lag::RATE,
        send_lag,
        ceilings,
        failures: failures.len() as u64 + unsent,
    })
}
