//! What a server told over time, for the eye: requests that ran and waited, and the share of its KV cache in use.

use super::gauge::{GaugeAggregation, over_time};
use super::run::{KV_USAGE, RUNNING, Scaled, WAITING};
use super::series::RunMetricSeries;
use crate::records::record::ServerSample;

/// One figure over time.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerMetricTrack {
    /// `running`, `waiting` or `KV cache in use`.
    pub name: &'static str,
    /// `requests`, or `share` (0 to 1).
    pub unit: &'static str,
    /// The metric that told it.
    pub by: String,
    /// Seconds on the run's clock, and the value from then on.
    pub points: Vec<(f64, f64)>,
}

/// All that was told; in a fixed order.
pub fn tracks(samples: &[ServerSample]) -> Vec<ServerMetricTrack> {
    let told = RunMetricSeries::of(samples);
    let track = |name, unit, names: &[Scaled], together| {
        names.iter().find_map(|(metric, scale)| {
            let points = over_time(told.named(metric)?, together).into_iter();
            let points = points.map(|(at, value)| (at.as_secs_f64(), value * scale)).collect();
            Some(ServerMetricTrack { name, unit, by: (*metric).to_owned(), points })
        })
    };
    let all = [
        track("running", "requests", &RUNNING, GaugeAggregation::Sum),
        track("waiting", "requests", &WAITING, GaugeAggregation::Sum),
        track("KV cache in use", "share", &KV_USAGE, GaugeAggregation::Shares),
    ];
    all.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::fixture::told;
    use super::*;

    #[test]
    fn what_was_told_stands_in_order_with_its_time() {
        let tracks = tracks(&told(100.0, 50.0, 10.0, 20.0));
        assert_eq!(tracks.iter().map(|track| track.name).collect::<Vec<_>>(), ["running", "waiting", "KV cache in use"]);
        assert_eq!(tracks[0].points, [(0.0, 0.0), (30.0, 2.0), (60.0, 0.0)]);
        assert_eq!((tracks[2].points[1], tracks[2].unit, tracks[2].by.as_str()), ((30.0, 0.5), "share", "vllm:kv_cache_usage_perc"));
    }
}
