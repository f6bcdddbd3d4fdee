//! The scores of both sides: how many sessions hold, each with the range that its truth is in. Saved sweeps and their pairs of cells in,
//! score effects out. Only cells that both sides have a result of count, so that a smaller matrix is no smaller score.

use super::comparison::{ComparisonVerdict, ScoreEffect};
use super::judged::SavedVariant;
use super::pairs::CellPair;
use crate::analysis::axes::{Axes, is_same_place};
use crate::analysis::cells::CellRuns;
use crate::analysis::summary::{CapacityShape, RatioBound, Score, ScoreBound};
use crate::analysis::{AnalysisError, SummaryOptions, interval, summarize};
use crate::records::store::{SavedRun, SavedSamples, SavedSweep};
use crate::vocabulary::goal::Goal;

/// One number of one side: what passes by its value, and from what is met to what is not excluded.
#[derive(Debug, Clone, PartialEq)]
struct SideScore {
    name: &'static str,
    axis: String,
    within: Axes,
    value: Option<f64>,
    bound: ScoreBound,
    range: (Option<f64>, Option<f64>),
}

/// Every score that both sides have; none without goals. `identical` says that both have the very same rows.
pub(super) fn score_effects(
    (base, new): (&SavedVariant<'_>, &SavedVariant<'_>),
    cells: &[CellPair<'_>],
    goals: &[Goal],
    identical: bool,
) -> Result<Vec<ScoreEffect>, AnalysisError> {
    if goals.is_empty() {
        return Ok(Vec::new());
    }
    let question = SummaryOptions { goals: goals.to_vec(), ..SummaryOptions::default() };
    let of = |side: &SavedVariant<'_>, cells: Vec<&CellRuns<'_>>| {
        let summary = summarize(&shared(side, &cells), &question)?;
        Ok::<_, AnalysisError>(summary.variants.iter().flat_map(|variant| &variant.scores).flat_map(numbers).collect::<Vec<_>>())
    };
    let others = of(new, cells.iter().map(|cell| &cell.new).collect())?;
    let against = |base: SideScore| {
        let same = |other: &&SideScore| (other.name, &other.axis, &other.within) == (base.name, &base.axis, &base.within);
        let new = others.iter().find(same)?;
        let ratio_bound = RatioBound::of(base.bound, new.bound);
        let both = base.value.zip(new.value).filter(|(base, _)| *base > 0.0 && ratio_bound != RatioBound::Unknown);
        let ratio = both.map(|(base, new)| new / base);
        let call = if identical { ComparisonVerdict::Same } else { call(&base, new) };
        Some(ScoreEffect {
            score: format!("{} {}", base.name, base.axis).trim_end().to_owned(),
            within: base.within,
            base: base.value,
            base_bound: base.bound,
            base_range: base.range,
            new: new.value,
            new_bound: new.bound,
            new_range: new.range,
            ratio,
            ratio_bound,
            call,
        })
    };
    Ok(of(base, cells.iter().map(|cell| &cell.base).collect())?.into_iter().filter_map(against).collect())
}

/// The chance that so many scores are called better or worse though nothing changed.
///
/// To be called, a cell has to be met on one side, and it and every larger one missed on the other. With a chance `a` of a wrong *met* and
/// `q` of a wrong *missed* in a cell at its limit, sides and cells being runs of their own, that is at most
/// `a q + (1 - a) q (a q + ...) = a q / (1 - (1 - a) q)` each way, however many cells there are.
#[expect(clippy::cast_precision_loss, reason = "scores and goals are few")]
pub(super) fn doubt(scores: usize, goals: usize) -> f64 {
    let met = 1.0 - interval::CONFIDENCE;
    let missed = (met * goals as f64).min(0.5);
    2.0 * scores as f64 * met * missed / (1.0 - (1.0 - met) * missed)
}

/// The sweep as if it had been these cells alone. What servers told is left out: no score goes by it.
fn shared(side: &SavedVariant<'_>, cells: &[&CellRuns<'_>]) -> SavedSweep {
    let sweep = side.sweep;
    let mut manifest = sweep.manifest.clone();
    let wanted = |axes: &[(String, serde_json::Value)]| {
        let axes: Axes = axes.iter().cloned().collect();
        cells.iter().any(|cell| is_same_place(&cell.axes, &axes))
    };
    manifest.variants = vec![side.variant.to_owned()];
    manifest.runs.retain(|run| run.variant == side.variant && wanted(&run.axes));
    let runs = cells.iter().flat_map(|cell| &cell.runs).map(|run| SavedRun {
        record: run.record.clone(),
        requests: run.requests.clone(),
        samples: SavedSamples::default(),
    });
    SavedSweep { dir: sweep.dir.clone(), manifest, runs: runs.collect(), missing: Vec::new(), notes: Vec::new() }
}

/// Regressed where not even what is not excluded reaches what the base has met; the other way round improved; the same where both ranges
/// are the same single number.
fn call(base: &SideScore, new: &SideScore) -> ComparisonVerdict {
    let most = |side: &SideScore| side.range.1.unwrap_or(0.0);
    let least = |side: &SideScore| side.range.0.unwrap_or(0.0);
    if most(new) < least(base) {
        ComparisonVerdict::Regressed
    } else if least(new) > most(base) {
        ComparisonVerdict::Improved
    } else if base.range == new.range && base.range.0 == base.range.1 {
        ComparisonVerdict::Same
    } else {
        ComparisonVerdict::NotEnoughData
    }
}

/// The numbers of a score: both of the capacity benchmark's, else the one.
#[expect(clippy::cast_precision_loss, reason = "session counts are far below 2^53")]
fn numbers(score: &Score) -> Vec<SideScore> {
    match score {
        Score::Capacity(capacity) => {
            let number = |name, of: fn(CapacityShape) -> f64, bound, [value, met, open]: [Option<CapacityShape>; 3]| SideScore {
                name,
                axis: String::new(),
                within: capacity.within.clone(),
                value: value.map(of),
                bound,
                range: (met.map(of), open.map(of)),
            };
            let products = [capacity.max_product, capacity.largest_met, capacity.largest_not_excluded];
            let means = [capacity.best_harmonic_mean, capacity.harmonic_mean_met, capacity.harmonic_mean_not_excluded];
            let product = number("max C×S", |shape| shape.product as f64, capacity.max_product_bound, products);
            vec![product, number("best 2CS/(C+S)", |shape| shape.harmonic_mean, capacity.harmonic_mean_bound, means)]
        }
        Score::Largest(largest) => vec![SideScore {
            name: "largest",
            axis: crate::analysis::short(&largest.axis).to_owned(),
            within: largest.within.clone(),
            value: largest.passes,
            bound: largest.bound,
            range: (largest.met, largest.not_excluded),
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(met: Option<f64>, open: Option<f64>) -> SideScore {
        SideScore { name: "max C×S", axis: String::new(), within: Axes::new(), value: open, bound: ScoreBound::Exact, range: (met, open) }
    }

    #[test]
    fn a_score_has_changed_where_the_ranges_lie_apart() {
        let of = |base: (f64, f64), new: (f64, f64)| call(&scored(Some(base.0), Some(base.1)), &scored(Some(new.0), Some(new.1)));
        assert_eq!(of((12.0, 16.0), (4.0, 8.0)), ComparisonVerdict::Regressed);
        assert_eq!(of((4.0, 8.0), (12.0, 16.0)), ComparisonVerdict::Improved);
        assert_eq!(of((12.0, 12.0), (12.0, 12.0)), ComparisonVerdict::Same);
        assert_eq!(of((8.0, 12.0), (8.0, 12.0)), ComparisonVerdict::NotEnoughData);
        assert_eq!(of((8.0, 12.0), (4.0, 8.0)), ComparisonVerdict::NotEnoughData, "8 may still hold");
        let none = scored(None, None);
        assert_eq!(call(&scored(Some(4.0), Some(4.0)), &none), ComparisonVerdict::Regressed);
        assert_eq!(
            (call(&none, &none), call(&scored(None, Some(4.0)), &none)),
            (ComparisonVerdict::Same, ComparisonVerdict::NotEnoughData)
        );
    }

    /// Cells whose truth is right at the limit: the first met one on this side counts where the other misses it and all larger ones.
    #[test]
    fn the_doubt_of_a_score_is_the_sum_over_all_ladders_of_cells() {
        let (a, q) = (0.05_f64, 0.05_f64);
        let each_way: f64 = (0..50).map(|larger| (1.0 - a).powi(larger) * a * q.powi(larger + 1)).sum();
        assert!((doubt(1, 1) - 2.0 * each_way).abs() < 1e-12);
        assert!((doubt(2, 1) - 0.0105).abs() < 1e-4);
        assert!(doubt(1, 3) > 3.0 * doubt(1, 1));
    }
}
