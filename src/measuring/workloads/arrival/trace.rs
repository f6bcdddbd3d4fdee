//! Arrivals at the times of a recorded trace, from its first request on, divided by a speed-up. A trace that was read goes in, ascending
//! seconds come out, as many as the trace has requests.

use std::sync::Arc;

use crate::vocabulary::recording::Trace;

#[derive(Debug, Clone)]
pub struct TraceArrivals {
    trace: Arc<Trace>,
    speed_up: f64,
    next: usize,
}

impl TraceArrivals {
    pub fn new(trace: Arc<Trace>, speed_up: f64) -> Self {
        Self { trace, speed_up, next: 0 }
    }
}

impl Iterator for TraceArrivals {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        let at_ms = self.trace.request(self.next)?.at_ms;
        self.next += 1;
        Some(at_ms / 1e3 / self.speed_up)
    }
}
