//! Whether a variant's nights grow slowly worse: the geometric mean of the cells that every night measured, by the test of `drift.rs`.
//! Nights in, a [`DriftTest`] out. Rules: `docs/metrics.md`, "Night after night".

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::drift::{rising_by_chance, theil_sen, values_needed};
use super::gate::GateVerdict;
use super::night::NightSweep;
use crate::vocabulary::metric::MetricDirection;

/// What is known of a drift of the shown measure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DriftTest {
    pub finding: GateVerdict,
    /// Nights of the window with a value.
    pub nights: usize,
    /// So many nights are needed at the least.
    pub needed: usize,
    /// Cells that all of these nights measured: their geometric mean is what drifts.
    pub cells: usize,
    /// Relative change for the worse from the first of them to the last by the median slope: 0.2 for 20 %, negative for the better.
    pub change: Option<f64>,
    /// The chance of rising so steadily in a random order of nights, one-sided.
    pub p_value: Option<f64>,
    /// What counts as chance no more: 5 % shared by the variants.
    pub threshold: f64,
}

/// The drift of one variant over these nights.
pub(super) fn drift(nights: &[NightSweep], variant: &str, threshold: f64, margin: f64) -> DriftTest {
    let (cells, points) = means(nights, variant);
    let needed = values_needed(threshold);
    let mut drift =
        DriftTest { finding: GateVerdict::NotEnoughData, nights: points.len(), needed, cells, change: None, p_value: None, threshold };
    let (Some(slope), Some(first), Some(last)) = (theil_sen(&points), points.first(), points.last()) else { return drift };
    if cells == 0 || points.len() < needed {
        return drift;
    }
    let values: Vec<f64> = points.iter().map(|(_, value)| *value).collect();
    let (change, p_value) = ((slope * (last.0 - first.0)).exp_m1(), rising_by_chance(&values));
    drift.finding = if change > margin && p_value <= threshold { GateVerdict::Worse } else { GateVerdict::NotWorse };
    (drift.change, drift.p_value) = (Some(change), Some(p_value));
    drift
}

#[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are far below 2^53")]
fn days(at: Timestamp) -> f64 {
    at.as_second() as f64 / 86_400.0
}

/// How many cells every night measured (nights without any value left out), and of each night its day and the mean of the logarithms of
/// these cells' values, turned so that more is worse.
fn means(nights: &[NightSweep], variant: &str) -> (usize, Vec<(f64, f64)>) {
    let measure = nights.first().map(|night| &night.summary.shown);
    let sign = if measure.is_none_or(|measure| measure.better() == MetricDirection::Lower) { 1.0 } else { -1.0 };
    let all: Vec<(f64, BTreeMap<String, f64>)> =
        nights.iter().map(|night| (days(night.created_at()), values(night, variant))).filter(|(_, values)| !values.is_empty()).collect();
    let Some((_, first)) = all.first() else { return (0, Vec::new()) };
    let shared: Vec<&String> = first.keys().filter(|axes| all.iter().all(|(_, values)| values.contains_key(*axes))).collect();
    let count = f64::from(u32::try_from(shared.len().max(1)).unwrap_or(u32::MAX));
    let mean =
        |values: &BTreeMap<String, f64>| shared.iter().filter_map(|axes| values.get(*axes)).map(|value| sign * value.ln()).sum::<f64>();
    (shared.len(), all.iter().map(|(day, values)| (*day, mean(values) / count)).collect())
}

/// Finite values above 0 of the shown measure, by cell.
fn values(night: &NightSweep, variant: &str) -> BTreeMap<String, f64> {
    let Some(found) = night.summary.variants.iter().find(|known| known.name == variant) else { return BTreeMap::new() };
    let value = |cell: &crate::analysis::CellSummary| cell.shown.as_ref()?.value?.finite().filter(|value| *value > 0.0);
    found.cells.iter().filter_map(|cell| Some((crate::analysis::show_axes(&cell.axes), value(cell)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::against;
    use super::super::gate::GateOptions;
    use super::super::pool::pooled;
    use super::super::stage::{cells, night, nights, of_cells};
    use super::*;
    use crate::analysis::compare::ComparisonVerdict;
    use crate::foundation::clock::Micros;

    /// Nights whose cells all grow by 2 % a night.
    fn growing(count: i32) -> Vec<NightSweep> {
        let of = |day: i32| {
            let factor = 1.02_f64.powi(day - 1);
            let mut cells = cells("vllm", 0.5);
            for record in cells.iter_mut().flat_map(|cell| &mut cell.records) {
                let ttft = Micros(record.first_token_us.unwrap().0 - record.sent_us.0);
                let later = Micros::from_secs_f64(ttft.as_secs_f64() * factor);
                record.first_token_us = Some(record.sent_us + later);
                record.last_token_us = Some(record.sent_us + later + Micros(20_000));
                record.done_us = record.sent_us + later + Micros(21_000);
            }
            night(day.into(), of_cells(day.into(), &cells))
        };
        (1..=count).map(of).collect()
    }

    #[test]
    fn two_per_cent_a_night_are_found_though_no_pair_of_neighbours_regresses() {
        let nights = growing(12);
        let drift = drift(&nights, "vllm", 0.05, 0.05);
        // 1.02^11 - 1 = 24.3 %; one order of 12! rises all the way.
        assert!((drift.change.unwrap() - 0.2434).abs() < 1e-3, "{drift:?}");
        assert!((drift.p_value.unwrap() - 1.0 / 479_001_600.0).abs() < 1e-15, "{drift:?}");
        assert_eq!((drift.finding, drift.cells), (GateVerdict::Worse, 4));
        for pair in nights.windows(2) {
            let pool = pooled(&[&pair[0].sweep]);
            let call = against::call(&pair[1], "", "vllm", &pair[..1], pool.as_ref(), &GateOptions::default());
            assert_ne!(call.call, ComparisonVerdict::Regressed, "{call:?}");
        }
    }

    #[test]
    fn steady_nights_have_no_drift_and_three_are_too_few_for_one() {
        let steady = drift(&nights(&[0.5, 0.51, 0.49, 0.5, 0.52, 0.48, 0.5]), "vllm", 0.05, 0.05);
        assert_eq!(steady.finding, GateVerdict::NotWorse);
        // Of three nights one order in six rises, of four one in 24.
        let three = drift(&nights(&[0.5, 0.6, 0.7]), "vllm", 0.05, 0.05);
        assert_eq!((three.finding, three.nights, three.needed), (GateVerdict::NotEnoughData, 3, 4));
        assert_eq!(drift(&nights(&[0.5, 0.6, 0.7, 0.8]), "vllm", 0.05, 0.05).finding, GateVerdict::Worse);
    }

    #[test]
    fn a_night_without_values_is_left_out_and_hides_no_drift() {
        let mut nights = growing(6);
        for variant in &mut nights[2].summary.variants {
            variant.cells.clear();
        }
        let drift = drift(&nights, "vllm", 0.05, 0.05);
        assert_eq!((drift.nights, drift.cells, drift.finding), (5, 4, GateVerdict::Worse));
    }
}
