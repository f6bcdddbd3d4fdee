//! A measure over the rows of a cell: its value, how many requests are behind it, and an interval at 95 %.
//!
//! Percentiles come with order statistics, shares with Clopper and Pearson's ends, means with a bootstrap over sessions, throughput with blocks of time; the
//! largest and the smallest value of a sample have no interval, since no sample bounds what it has not seen. Where requests of a session, or
//! requests near in time, are alike, counts are of effectively fewer ones.

use std::rc::Rc;

use super::binomial::share_interval;
use super::bootstrap::BootstrapDistribution;
use super::clusters::{SessionValues, effective_rows, effective_rows_of_share};
use super::interval::{CONFIDENCE, percentile_interval};
use super::throughput::{GoodShare, good_share, throughput};
use super::window_rate::WindowRate;
use super::{AnalysisError, ExtendedReal, RequestTable, percentile};
use crate::analysis::summary::{Estimate, IntervalMethod};
use crate::vocabulary::goal::{Aggregate, Measure, ThroughputAmount};

/// The rows that a measure speaks of, with the values of its metric.
pub(super) struct MeasureSample {
    /// Session by session; 1 for a failed or a good request and 0 for another where the measure is the share of these.
    pub sessions: Rc<SessionValues>,
    /// Requests behind the values.
    pub n: u64,
    /// How many independent requests would say as much.
    pub effective_n: u64,
    /// By how much what requests near in time have in common enlarges the variance beyond what sessions tell; 1 where it does not.
    pub effect_of_time: f64,
    /// The standard error of the mean by the rows' order in time, where that is seen.
    error_in_time: Option<f64>,
    /// Of a share: how many rows it counts, failed or good ones.
    pub hits: u64,
    /// Of a throughput, where it is known.
    pub rate: Option<WindowRate>,
}

impl MeasureSample {
    pub fn of(measure: &Measure, table: &RequestTable) -> Result<Self, AnalysisError> {
        let rows = table.filtered(&measure.filter)?;
        let n = match measure.metric() {
            Some(metric) => rows.requests_with(metric)?,
            None => rows.rows() as u64,
        };
        let hits = match &measure.aggregate {
            Aggregate::ErrorRate => rows.failed_rows(),
            Aggregate::Goodput(levels) => rows.good_rows(levels)?,
            _ => 0,
        };
        let sessions = rows.values_of_measure(measure)?;
        let in_time = || table.in_time(measure);
        let mut sample = Self { sessions, n, effective_n: n, effect_of_time: 1.0, error_in_time: None, hits, rate: None };
        match &measure.aggregate {
            Aggregate::Percentile(p, _) => {
                let p = *p;
                let of_sessions = effective_rows(&sample.sessions, n, p);
                // Where nobody else holds the values their ranks are of no more use.
                if let Some(sessions) = Rc::get_mut(&mut sample.sessions) {
                    sessions.forget_ranks();
                }
                let of_time = in_time()?.effective_rows(sample.sessions.ascending(), n, p);
                sample.take_smaller([of_sessions, of_time]);
            }
            Aggregate::ErrorRate | Aggregate::Goodput(_) => {
                let worth = [effective_rows_of_share(&sample.sessions, n), in_time()?.effective_rows_of_share(n)];
                sample.take_smaller(worth);
            }
            Aggregate::Mean(_) => {
                sample.error_in_time = in_time()?.standard_error_of_mean();
                let by_sessions = sample.sessions.standard_error_of_mean();
                sample.effect_of_time = sample.error_in_time.map_or(1.0, |error| (error / by_sessions).powi(2).max(1.0));
            }
            Aggregate::Throughput(amount, scope) => {
                let share = match amount {
                    ThroughputAmount::GoodRequests(_) => Some(good_share(&rows, measure, in_time()?.effective_rows_of_share(n))?),
                    ThroughputAmount::Requests | ThroughputAmount::OutputTokens => None,
                };
                sample.effect_of_time = share.map_or(1.0, GoodShare::effect_of_time);
                sample.rate = throughput(&rows, (amount, *scope), share)?;
            }
            Aggregate::Max(_) | Aggregate::Min(_) => {}
        }
        Ok(sample)
    }

    /// Takes the smaller number of independent rows: that of sessions, or that of time.
    #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
    fn take_smaller(&mut self, [of_sessions, of_time]: [u64; 2]) {
        self.effective_n = of_sessions.min(of_time);
        self.effect_of_time = if self.effective_n > 0 { of_sessions as f64 / self.effective_n as f64 } else { 1.0 };
    }

    /// All values, ascending.
    pub fn ascending(&self) -> &[f64] {
        self.sessions.ascending()
    }

    /// Whether some session brings several requests, or requests near in time are alike.
    fn is_clustered(&self) -> bool {
        self.sessions.len() as u64 != self.n || self.effective_n != self.n
    }

    /// Resampled means of the metric; `None` where the sample is too small for them.
    pub fn bootstrap(&self) -> Option<BootstrapDistribution> {
        let means = BootstrapDistribution::of_mean(&self.sessions)?;
        Some(match self.error_in_time {
            Some(least) => means.with_standard_error_of_at_least(least),
            None => means,
        })
    }
}

/// Computes a measure over the measured rows of a cell.
pub fn estimate(measure: &Measure, table: &RequestTable) -> Result<Estimate, AnalysisError> {
    Ok(estimate_sample(measure, &MeasureSample::of(measure, table)?))
}

pub(super) fn estimate_sample(measure: &Measure, sample: &MeasureSample) -> Estimate {
    let values = || sample.ascending();
    let (value, low, high) = match measure.aggregate {
        Aggregate::Percentile(p, _) => {
            let (low, high) = percentile_interval(values(), sample.effective_n, p, CONFIDENCE);
            (percentile(values(), p), low, high)
        }
        Aggregate::Mean(_) => {
            let means = sample.bootstrap();
            let tail = (1.0 - CONFIDENCE) / 2.0;
            let end = |share: f64| means.as_ref().map(|means| means.quantile(share));
            (mean(sample.sessions.values()), end(tail), end(1.0 - tail))
        }
        Aggregate::Max(_) => (values().last().copied(), None, None),
        Aggregate::Min(_) => (values().first().copied(), None, None),
        Aggregate::ErrorRate | Aggregate::Goodput(_) => share(sample),
        Aggregate::Throughput(..) => {
            let ends = sample.rate.and_then(|rate| rate.ends((1.0 - CONFIDENCE) / 2.0));
            (sample.rate.map(|rate| rate.value), ends.map(|(low, _)| low), ends.map(|(_, high)| high))
        }
    };
    let extended = |value: Option<f64>| value.and_then(ExtendedReal::new);
    Estimate {
        measure: measure.clone(),
        unit: measure.unit(),
        n: sample.n,
        value: extended(value),
        low: extended(low),
        high: extended(high),
        sessions: sample.sessions.len() as u64,
        effective_n: sample.effective_n,
        method: match measure.aggregate {
            _ if low.is_none() && high.is_none() => IntervalMethod::None,
            Aggregate::Percentile(..) if sample.is_clustered() => IntervalMethod::ClusteredOrderStatistics,
            Aggregate::Percentile(..) => IntervalMethod::OrderStatistics,
            Aggregate::ErrorRate | Aggregate::Goodput(_) if sample.is_clustered() => IntervalMethod::ClusteredClopperPearson,
            Aggregate::ErrorRate | Aggregate::Goodput(_) => IntervalMethod::ClopperPearson,
            Aggregate::Throughput(..) => IntervalMethod::TimeBlocks,
            Aggregate::Mean(_) => IntervalMethod::SessionBootstrap,
            Aggregate::Max(_) | Aggregate::Min(_) => IntervalMethod::None,
        },
        bound: None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The ends are those of a whole number of hits among the effective rows, rounded outwards.
#[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
fn share(sample: &MeasureSample) -> (Option<f64>, Option<f64>, Option<f64>) {
    if sample.n == 0 {
        return (None, None, None);
    }
    let (hits, n, effective) = (sample.hits, sample.n, sample.effective_n);
    let (fewest, most) = ((hits * effective) / n, (hits * effective).div_ceil(n));
    let (low, _) = share_interval(fewest, effective, CONFIDENCE);
    let (_, high) = share_interval(most, effective, CONFIDENCE);
    (Some(hits as f64 / n as f64), Some(low), Some(high))
}
