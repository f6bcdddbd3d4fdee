//! Gauges over a run: the mean over time and the largest value, of one series or of several of one name together.

use std::collections::BTreeSet;

use super::series::MetricSeries;
use crate::analysis::summary::GaugeSummary;
use crate::foundation::clock::Micros;

/// What several series of one name make together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GaugeAggregation {
    /// They add up: requests of several engines, watts of several GPUs.
    Sum,
    /// They are shares: the mean is that of all, the largest value that of any one.
    Shares,
}

/// The level of a gauge whose values are multiplied by `scale`; the mean weighs each value by how long it held, by trapezoids between
/// samples.
pub fn level(series: &[MetricSeries<'_>], together: GaugeAggregation, scale: f64, by: &str) -> Option<GaugeSummary> {
    let times: BTreeSet<Micros> = series.iter().flat_map(|series| series.points.iter().map(|(at, _)| *at)).collect();
    let timeline: Vec<(Micros, f64, f64)> = times.into_iter().map(|at| combined(series, at, together)).collect();
    let (first, last) = (timeline.first()?, timeline.last()?);
    let covered = last.0.since(first.0).as_secs_f64();
    let area = |pair: &[(Micros, f64, f64)]| match pair {
        [(from, left, _), (to, right, _)] => to.since(*from).as_secs_f64() * (left + right) / 2.0,
        _ => 0.0,
    };
    let mean = if covered > 0.0 { timeline.windows(2).map(area).sum::<f64>() / covered } else { first.1 };
    let max = timeline.iter().map(|(_, _, max)| *max).max_by(f64::total_cmp)?;
    Some(GaugeSummary { mean: mean * scale, max: max * scale, by: by.to_owned() })
}

/// What several series make together at each time at which one of them was told.
pub fn over_time(series: &[MetricSeries<'_>], together: GaugeAggregation) -> Vec<(Micros, f64)> {
    let times: BTreeSet<Micros> = series.iter().flat_map(|series| series.points.iter().map(|(at, _)| *at)).collect();
    times.into_iter().map(|at| combined(series, at, together)).map(|(at, value, _)| (at, value)).collect()
}

/// Mean (or sum) and largest value at one time, each series at its latest value; one that has not begun takes no part.
#[expect(clippy::cast_precision_loss, reason = "series of one name are few")]
fn combined(series: &[MetricSeries<'_>], at: Micros, together: GaugeAggregation) -> (Micros, f64, f64) {
    let values: Vec<f64> = series.iter().filter_map(|series| latest(series, at)).collect();
    let sum: f64 = values.iter().sum();
    match together {
        GaugeAggregation::Sum => (at, sum, sum),
        GaugeAggregation::Shares => (at, sum / values.len().max(1) as f64, values.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
    }
}

fn latest(series: &MetricSeries<'_>, at: Micros) -> Option<f64> {
    let begun = series.points.partition_point(|(told, _)| *told <= at);
    series.points.get(begun.checked_sub(1)?).map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::super::super::fixture::{Page, samples};
    use super::super::series::RunMetricSeries;
    use super::*;

    fn of(pages: &[Page<'_>], together: GaugeAggregation) -> (f64, f64) {
        let told = samples(pages);
        let samples = RunMetricSeries::of(&told);
        let level = level(samples.named("x").unwrap(), together, 1.0, "x").unwrap();
        (level.mean, level.max)
    }

    #[test]
    fn a_mean_weighs_values_by_how_long_they_held() {
        // 2 on average in the first second, 4 for eight seconds, 2 in the last: 36 over 10 s.
        let pages: [Page<'_>; 4] = [(0, &[("x", "", 0.0)]), (1, &[("x", "", 4.0)]), (9, &[("x", "", 4.0)]), (10, &[("x", "", 0.0)])];
        assert_eq!(of(&pages, GaugeAggregation::Sum), (3.6, 4.0));
        assert_eq!(of(&pages[..1], GaugeAggregation::Sum), (0.0, 0.0));
    }

    #[test]
    fn requests_of_engines_add_up_and_shares_do_not() {
        let pages: [Page<'_>; 2] =
            [(0, &[("x", "{e=\"0\"}", 0.2), ("x", "{e=\"1\"}", 0.8)]), (1, &[("x", "{e=\"0\"}", 0.2), ("x", "{e=\"1\"}", 0.8)])];
        assert_eq!(of(&pages, GaugeAggregation::Sum), (1.0, 1.0));
        assert_eq!(of(&pages, GaugeAggregation::Shares), (0.5, 0.8));
    }
}
