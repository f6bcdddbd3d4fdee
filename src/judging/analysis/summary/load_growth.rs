//! What grew on the way from a cell that passes to one that fails: figures, with their part of a sentence.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::super::amount::{percent, short_number};

/// Load that grew: requests in flight, those waiting, or both; beside them what became of the GPUs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LoadGrowth {
    /// Requests in flight when one was sent, on average; missing where they did not grow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_flight_mean: Option<FigureChange>,
    /// The most requests that waited in the server at one time; missing where they did not grow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_max: Option<MetricChange>,
    /// From 0 to 1, on average; missing where nobody tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_utilization_mean: Option<MetricChange>,
}

/// A figure of the cell that passes and of the one that fails, in the unit of the field that it stands in.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FigureChange {
    pub from: f64,
    pub to: f64,
}

/// The same of a metric of the server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricChange {
    pub from: f64,
    pub to: f64,
    /// The metric that the cell which fails was measured by.
    pub by: String,
}

impl fmt::Display for LoadGrowth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let in_flight = self
            .in_flight_mean
            .map(|FigureChange { from, to }| format!("requests in flight grew from {} to {}", short_number(from), short_number(to)));
        let waiting = self.waiting_max.as_ref().map(|MetricChange { from, to, by }| {
            format!("those waiting from at most {} to {} ({by})", short_number(*from), short_number(*to))
        });
        let gpus = self
            .gpu_utilization_mean
            .as_ref()
            .map(|MetricChange { from, to, by }| format!("GPU utilisation went from {} to {} ({by})", percent(*from), percent(*to)));
        let all: Vec<String> = [in_flight, waiting, gpus].into_iter().flatten().collect();
        f.write_str(&all.join(", "))
    }
}
