//! The selftest's own parts, against its own server on loopback: what it counts and what it stamps.

use bench::execution::selftest::emitter::{self, EmissionTiming};
use bench::execution::selftest::{SelftestLoad, SelftestMeasurements, listen};
use bench::foundation::clock::Micros;

use crate::dead_address::DeadAddress;

fn heard(load: SelftestLoad) -> SelftestMeasurements {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let (listener, address) = emitter::bind().unwrap();
        tokio::spawn(emitter::serve(listener));
        listen(&format!("http://{address}"), load).await.unwrap()
    })
}

#[test]
fn every_event_is_heard_once_and_not_before_it_was_written() {
    let load = SelftestLoad { streams: 4, events: 25, emission: EmissionTiming { first_us: 1_000, gap_us: 200 }, lasting: Micros(5_000) };
    let heard = heard(load);
    assert_eq!(heard.failures, Vec::<String>::new());
    assert!(heard.requests >= 4, "{} requests", heard.requests);
    assert_eq!(heard.events, heard.requests * 25);
    assert_eq!(heard.late_us.len() as u64, heard.events);
    assert_eq!(heard.first_tokens.len() as u64, heard.requests);
    // A microsecond for each of the two roundings, and one for reading two clocks one after the other.
    assert!(heard.late_us.iter().all(|late| *late >= -3), "{:?}", heard.late_us.iter().min());
    assert!(heard.first_tokens.iter().all(|first| first.told_us - first.written_us >= -3 && first.written_us >= 1_000));
}

#[test]
fn a_server_that_is_gone_gives_failures_and_no_figures() {
    let dead = DeadAddress::take();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let load = SelftestLoad { streams: 2, events: 3, emission: EmissionTiming::default(), lasting: Micros(1_000) };
    let heard = runtime.block_on(listen(&dead.url(), load)).unwrap();
    assert!(heard.requests >= 2 && heard.failures.len() as u64 == heard.requests);
    assert!(heard.late_us.is_empty() && heard.first_tokens.is_empty());
}
