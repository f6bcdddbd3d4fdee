//! Figures of a list of values.

#![expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]

use crate::analysis::percentile;
use crate::records::record::RequestRecord;

/// `None` of no value.
pub(super) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The percentile `p` of values in any order; `None` of no value.
pub(super) fn quantile(mut values: Vec<f64>, p: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    percentile(&values, p)
}

/// The standard deviation of values that are all there are; 0 of none.
pub(super) fn deviation(values: &[f64]) -> f64 {
    let Some(mean) = mean(values) else { return 0.0 };
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / values.len() as f64).sqrt()
}

/// Seconds between two tokens of an answer, in the mean; `None` where it has one token, or all came at once.
pub(super) fn mean_gap_s(row: &RequestRecord) -> Option<f64> {
    let gaps: Vec<f64> = row.gaps_us.iter().map(|gap| f64::from(*gap) / 1e6).collect();
    mean(&gaps).filter(|gap| *gap > 0.0)
}
