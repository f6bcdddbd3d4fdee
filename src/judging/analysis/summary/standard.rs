//! What every load test prints of a cell, whatever its goals are: what went through, its latencies, and what that costs. Types only.

use serde::{Deserialize, Serialize};

use super::super::extended_real::ExtendedReal;

/// Over all measured requests of a cell, its runs pooled.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct StandardFigures {
    /// Successful requests a second of the measured window; missing where nobody knows how long that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_s: Option<RateSummary>,
    /// Streamed tokens a second of it; missing where no answer tells its tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens_per_s: Option<RateSummary>,
    /// Failed requests over all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_rate: Option<f64>,
    #[serde(default)]
    pub ttft: LatencyPercentiles,
    #[serde(default)]
    pub tpot: LatencyPercentiles,
    /// Missing of very many requests, whose gaps are only read where a goal asks for them.
    #[serde(default)]
    pub itl: LatencyPercentiles,
    #[serde(default)]
    pub e2e: LatencyPercentiles,
    /// Missing where nobody says what the target costs, or no answer tells its tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<TokenCost>,
}

/// So much a second, with its interval at 95 %.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RateSummary {
    pub value: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// Requests behind it, failed ones included.
    pub n: u64,
}

/// Plain percentiles of a latency, in seconds, failed requests as infinity; a goal or `-z` gives one with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct LatencyPercentiles {
    /// Values behind them.
    pub n: u64,
    pub p50_s: Option<ExtendedReal>,
    pub p95_s: Option<ExtendedReal>,
    pub p99_s: Option<ExtendedReal>,
}

/// What a million output tokens cost, in the currency of the price: the price of an hour over the tokens that an hour of this throughput makes. The ends
/// are those of the throughput, turned over.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TokenCost {
    /// Of the whole target.
    pub price_per_hour: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpus: Option<u64>,
    pub per_million_output_tokens: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// Requests behind the throughput.
    pub n: u64,
}
