//! From measured effects to intervals and calls, so that all intervals of a family hold together: half of its doubt goes to the effects
//! over all cells and half to those of single cells, and in each half every interval gets an equal part of it (O. J. Dunn, "Multiple
//! Comparisons Among Means", JASA 56, 1961). Effects with variances in, intervals out; knows no rows.

use super::comparison::{ComparedMeasure, ComparisonVerdict, ConfidenceInterval, MeasureEffect};
use super::resample::{CellEffect, VarianceEstimate};
use crate::analysis::ExtendedReal;
use crate::foundation::student::upper_quantile;
use crate::vocabulary::metric::{MeasureUnit, MetricDirection};

/// Fewer pairs of sessions than this say too little of their own spread.
pub(super) const LEAST_PAIRS: usize = 6;
/// Fewer requests beyond a percentile than this say too little of where it lies.
const LEAST_BEYOND: f64 = 2.0;
/// The largest change of an error rate that counts as none, unless the margin is smaller: a percentage point.
const ERROR_MARGIN: f64 = 0.01;

/// An effect before its interval: of one cell, or the mean over cells.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct EffectEstimate {
    pub pairs: usize,
    pub n_base: u64,
    pub n_new: u64,
    pub base: Option<f64>,
    pub new: Option<f64>,
    pub log_ratio: Option<VarianceEstimate>,
    pub difference: Option<VarianceEstimate>,
    pub enough: bool,
    pub identical: bool,
}

/// The doubt that one interval may take, and what counts as no change.
#[derive(Debug, Clone, Copy)]
pub(super) struct EffectCriterion {
    /// Two-sided.
    pub doubt: f64,
    pub margin: f64,
}

impl From<&CellEffect> for EffectEstimate {
    fn from(cell: &CellEffect) -> Self {
        Self {
            pairs: cell.pairs,
            n_base: cell.n_base,
            n_new: cell.n_new,
            base: cell.base,
            new: cell.new,
            log_ratio: cell.log_ratio,
            difference: cell.difference,
            enough: cell.pairs >= LEAST_PAIRS && cell.beyond >= LEAST_BEYOND && has_variance(cell),
            identical: cell.identical,
        }
    }
}

fn has_variance(cell: &CellEffect) -> bool {
    cell.difference.is_some_and(|spread| spread.variance.is_some())
}

/// The mean of the effects over the cells that have one. Each cell counts alike; what is measured is these cells, not cells at large.
#[expect(clippy::cast_precision_loss, reason = "cells and sessions are few")]
pub(super) fn over_cells(probe: &ComparedMeasure, cells: &[&CellEffect]) -> EffectEstimate {
    let by_ratio = !by_difference(probe);
    let usable = |cell: &&&CellEffect| cell.identical || cell.pairs >= 2 && has_variance(cell);
    let with_effect = |cell: &&&CellEffect| cell.difference.is_some() && (!by_ratio || cell.log_ratio.is_some());
    let used: Vec<&CellEffect> = cells.iter().filter(usable).filter(with_effect).copied().collect();
    let count = used.len() as f64;
    let mean = |of: &dyn Fn(&CellEffect) -> Option<VarianceEstimate>| {
        let all: Vec<VarianceEstimate> = used.iter().filter_map(|cell| of(cell)).collect();
        let variances: Option<Vec<f64>> = all.iter().map(|spread| spread.variance).collect();
        let variance = variances.map(|variances| variances.iter().sum::<f64>() / (count * count));
        (!all.is_empty() && all.len() == used.len()).then(|| VarianceEstimate {
            value: all.iter().map(|spread| spread.value).sum::<f64>() / count,
            variance,
            freedom: freedom(&all),
        })
    };
    let middle = |of: &dyn Fn(&CellEffect) -> Option<f64>| {
        let values = used.iter().map(|cell| of(cell).map(|value| if by_ratio { value.ln() } else { value }));
        let sum = values.sum::<Option<f64>>().filter(|_| !used.is_empty())? / count;
        Some(if by_ratio { sum.exp() } else { sum })
    };
    let pairs: usize = used.iter().map(|cell| cell.pairs).sum();
    let beyond: f64 = used.iter().map(|cell| cell.beyond).sum();
    let log_ratio = mean(&|cell| cell.log_ratio);
    let difference = mean(&|cell| cell.difference);
    EffectEstimate {
        pairs,
        n_base: used.iter().map(|cell| cell.n_base).sum(),
        n_new: used.iter().map(|cell| cell.n_new).sum(),
        base: middle(&|cell| cell.base),
        new: middle(&|cell| cell.new),
        enough: pairs >= LEAST_PAIRS && beyond >= LEAST_BEYOND && difference.is_some_and(|spread| spread.variance.is_some()),
        log_ratio,
        difference,
        // Also where a cell had to be left out, it has not been shown to be the same.
        identical: !cells.is_empty()
            && cells.iter().all(|cell| cell.identical || cell.base.is_none() && cell.new.is_none())
            && !used.is_empty(),
    }
}

/// Degrees of freedom of a sum of variances (F. E. Satterthwaite, "An Approximate Distribution of Estimates of Variance Components", 1946).
fn freedom(cells: &[VarianceEstimate]) -> f64 {
    let (mut sum, mut squares, mut all) = (0.0, 0.0, 0.0);
    for cell in cells {
        let variance = cell.variance.unwrap_or(0.0);
        sum += variance;
        squares += variance * variance / cell.freedom;
        all += cell.freedom;
    }
    if squares > 0.0 { (sum * sum / squares).max(1.0) } else { f64::max(all, 1.0) }
}

/// Shares are compared by their difference, everything else by its ratio.
pub(super) fn by_difference(probe: &ComparedMeasure) -> bool {
    probe.unit() == MeasureUnit::Share
}

impl EffectEstimate {
    /// The effect with its intervals and what it comes to.
    pub fn effect(&self, probe: &ComparedMeasure, rule: EffectCriterion) -> MeasureEffect {
        let reach = |freedom: f64| match (self.identical, self.enough) {
            (true, _) => Some(0.0),
            (false, true) => Some(upper_quantile(rule.doubt / 2.0, freedom)),
            (false, false) => None,
        };
        let ends = |spread: VarianceEstimate| {
            let half = reach(spread.freedom).zip(spread.variance).map(|(reach, variance)| reach * variance.sqrt());
            (spread.value, half.map(|half| (spread.value - half, spread.value + half)))
        };
        let (log_ratio, difference) = (self.log_ratio.map(ends), self.difference.map(ends));
        let interval = |(value, ends): (f64, Option<(f64, f64)>), of: fn(f64) -> f64| {
            let end = |end: f64| ExtendedReal::new(of(end));
            Some(ConfidenceInterval {
                value: ExtendedReal::new(of(value))?,
                low: ends.and_then(|(low, _)| end(low)),
                high: ends.and_then(|(_, high)| end(high)),
            })
        };
        let decides = if by_difference(probe) { difference } else { log_ratio };
        let call = if self.identical {
            ComparisonVerdict::Same
        } else {
            decides.map_or(ComparisonVerdict::NotEnoughData, |effect| call(probe, effect, rule.margin))
        };
        MeasureEffect {
            measure: probe.clone(),
            unit: probe.unit(),
            lower_is_better: probe.better() == MetricDirection::Lower,
            pairs: self.pairs as u64,
            n_base: self.n_base,
            n_new: self.n_new,
            base: self.base.and_then(ExtendedReal::new),
            new: self.new.and_then(ExtendedReal::new),
            ratio: log_ratio.and_then(|effect| interval(effect, f64::exp)),
            difference: difference.and_then(|effect| interval(effect, |value| value)),
            call,
        }
    }
}

/// What an effect comes to: on the logarithm of the ratio, or on the difference of shares.
fn call(probe: &ComparedMeasure, (value, ends): (f64, Option<(f64, f64)>), margin: f64) -> ComparisonVerdict {
    let Some((low, high)) = ends else { return ComparisonVerdict::NotEnoughData };
    let margin = match (by_difference(probe), probe.is_error_rate()) {
        (true, true) => margin.min(ERROR_MARGIN),
        (true, false) => margin,
        (false, _) => margin.ln_1p(),
    };
    // How much worse, whichever direction that is.
    let (worse, low, high) = if probe.better() == MetricDirection::Lower { (value, low, high) } else { (-value, -high, -low) };
    if low > 0.0 && worse > margin {
        ComparisonVerdict::Regressed
    } else if high < 0.0 && worse < -margin {
        ComparisonVerdict::Improved
    } else if low >= -margin && high <= margin {
        ComparisonVerdict::Same
    } else {
        ComparisonVerdict::NotEnoughData
    }
}
