//! How far the time of an event is from the moment it was written at: while the client is idle, and while its core is busy.

use std::time::{Duration, Instant};

use super::emitter::EmissionTiming;
use super::report::TimingDeviation;
use super::streams::{SelftestLoad, SelftestMeasurements, listen};
use crate::foundation::clock::Micros;
use crate::servers::client::TargetError;

const LOAD: SelftestLoad =
    SelftestLoad { streams: 40, events: 50, emission: EmissionTiming { first_us: 20_000, gap_us: 20_000 }, lasting: Micros(3_000_000) };

/// How long the client's thread is held at a time, and left alone.
const BUSY: Duration = Duration::from_millis(5);
const FREE: Duration = Duration::from_millis(2);

/// Stamps under a load that the client hardly notices.
pub(super) async fn idle(url: &str) -> Result<(TimingDeviation, SelftestMeasurements), TargetError> {
    let mut heard = listen(url, LOAD).await?;
    Ok((TimingDeviation::of(&mut heard.late_us), heard))
}

/// The same while the thread that reads is held for 5 of every 7 milliseconds.
pub(super) async fn busy(url: &str) -> Result<(TimingDeviation, SelftestMeasurements), TargetError> {
    let hog = tokio::spawn(async {
        loop {
            let begun = Instant::now();
            while begun.elapsed() < BUSY {
                std::hint::spin_loop();
            }
            tokio::time::sleep(FREE).await;
        }
    });
    let heard = listen(url, LOAD).await;
    hog.abort();
    let mut heard = heard?;
    Ok((TimingDeviation::of(&mut heard.late_us), heard))
}
