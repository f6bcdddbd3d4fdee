//! One night against the nights before it, pooled: what regressed, and what cannot be told. Nights in, a [`NightComparison`] out; the comparison
//! itself is that of `bench compare`. Counts no nights.

use serde::Serialize;

use super::gate::GateOptions;
use super::night::NightSweep;
use crate::analysis::compare::{
    CellComparison, CompareOptions, ComparisonVerdict, GateMeasures, MeasureEffect, SavedVariant, ScoreEffect, VariantComparison, compare,
};
use crate::analysis::summary::Score;
use crate::analysis::{Axes, SweepSummary, VariantSummary};
use crate::records::store::SavedSweep;

/// What a night says, and what it rests on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NightComparison {
    /// Its folder.
    pub night: String,
    /// Its date, as in the history.
    pub label: String,
    pub call: ComparisonVerdict,
    /// Scores below what every night before was certified for.
    pub fallen: Vec<ScoreDrop>,
    /// Over all cells: what regressed; where nothing did and the night cannot be told, the primary measures that are open.
    pub overall: Vec<MeasureEffect>,
    /// Scores that regressed against those of the nights before together.
    pub scores: Vec<ScoreEffect>,
    /// Cells in which something regressed, with that alone.
    pub cells: Vec<CellComparison>,
    /// Cells that were compared.
    pub compared: usize,
    /// Why it could not be compared; where it regressed or cannot be told, what it lacks and how its servers differ from those before.
    pub remarks: Vec<String>,
}

/// A score that is below what every night before was certified for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoreDrop {
    /// `max C×S`.
    pub score: String,
    pub within: Axes,
    /// 0 where no cell passes.
    pub value: f64,
    /// The least that the nights before were certified for.
    pub certified: f64,
}

/// Compares the night's variant with the pool of the reference nights; `None` is a pool of no nights.
pub(super) fn call(
    night: &NightSweep,
    label: &str,
    variant: &str,
    reference: &[NightSweep],
    pool: Option<&SavedSweep>,
    options: &GateOptions,
) -> NightComparison {
    let fallen = fallen_scores(&night.summary, variant, reference);
    let mut found = NightComparison {
        night: night.folder.display().to_string(),
        label: label.to_owned(),
        call: ComparisonVerdict::NotEnoughData,
        fallen,
        overall: Vec::new(),
        scores: Vec::new(),
        cells: Vec::new(),
        compared: 0,
        remarks: Vec::new(),
    };
    let goals = night.summary.goals.clone();
    let (margin, accept, confidence) = (options.margin, options.accept.clone(), night.summary.confidence);
    let compared_by = CompareOptions { margin, confidence, gate: GateMeasures::default(), accept, goals };
    match pool.map(|base| compare(&SavedVariant { sweep: base, variant }, &SavedVariant { sweep: &night.sweep, variant }, &compared_by)) {
        None => found.remarks.push("there is no night before to compare it with".to_owned()),
        Some(Err(error)) => found.remarks.push(error.to_string()),
        Some(Ok(comparison)) => found.take(comparison),
    }
    if !found.fallen.is_empty() {
        found.call = ComparisonVerdict::Regressed;
    }
    found
}

impl NightComparison {
    /// Keeps of a comparison what decided.
    fn take(&mut self, comparison: VariantComparison) {
        self.call = comparison.call;
        self.compared = comparison.cells.len();
        self.scores = comparison.scores.into_iter().filter(|score| score.call == ComparisonVerdict::Regressed).collect();
        let primary = comparison.primary;
        let decides = |effect: &MeasureEffect| effect.call == ComparisonVerdict::Regressed && primary.contains(&effect.measure);
        let regressed = |effects: Vec<MeasureEffect>| effects.into_iter().filter(decides).collect::<Vec<_>>();
        self.overall = match comparison.call {
            ComparisonVerdict::NotEnoughData => {
                let is_open = |effect: &MeasureEffect| effect.call == ComparisonVerdict::NotEnoughData && primary.contains(&effect.measure);
                comparison.overall.into_iter().filter(is_open).collect()
            }
            _ => regressed(comparison.overall),
        };
        let cells = comparison.cells.into_iter().map(|cell| CellComparison { effects: regressed(cell.effects), ..cell });
        self.cells = cells.filter(|cell| !cell.effects.is_empty()).collect();
        if matches!(self.call, ComparisonVerdict::NotEnoughData | ComparisonVerdict::Regressed) {
            self.remarks.extend(comparison.notes.words());
        }
    }
}

/// Scores that fell below what every whole night before was certified for. A night that was cut short has no whole score.
fn fallen_scores(summary: &SweepSummary, variant: &str, reference: &[NightSweep]) -> Vec<ScoreDrop> {
    let whole = |summary: &SweepSummary| summary.runs.whole >= summary.runs.planned;
    let of = |summary: &SweepSummary| summary.variants.iter().find(|known| known.name == variant).cloned();
    let Some(now) = of(summary).filter(|_| whole(summary)) else { return Vec::new() };
    let before: Vec<VariantSummary> = reference.iter().map(|night| &night.summary).filter(|night| whole(night)).filter_map(of).collect();
    let fallen = |score: &Score| {
        let same = |known: &&Score| known.name() == score.name() && known.within() == score.within();
        let certified = before.iter().map(|night| certified(night.scores.iter().find(same)?)).collect::<Option<Vec<f64>>>()?;
        let certified = certified.into_iter().reduce(f64::min)?;
        let value = score.headline().unwrap_or(0.0);
        (value < certified).then(|| ScoreDrop { score: score.name(), within: score.within().clone(), value, certified })
    };
    now.scores.iter().filter_map(fallen).collect()
}

#[expect(clippy::cast_precision_loss, reason = "session counts are far below 2^53")]
fn certified(score: &Score) -> Option<f64> {
    match score {
        Score::Capacity(score) => score.largest_met.map(|shape| shape.product as f64),
        Score::Largest(score) => score.met,
    }
}

#[cfg(test)]
mod tests {
    use super::super::pool::pooled;
    use super::super::stage::{cells, certified, night, nights, of_cells};
    use super::*;

    fn against(now: &NightSweep, before: &[NightSweep]) -> NightComparison {
        let pool = pooled(&before.iter().map(|night| &night.sweep).collect::<Vec<_>>());
        call(now, "today", "vllm", before, pool.as_ref(), &GateOptions::default())
    }

    #[test]
    fn a_score_below_what_every_night_before_was_certified_for_is_a_regression() {
        let nights = [night(1, certified(1, 0.5)), night(2, certified(2, 0.5)), night(3, certified(3, 8.0))];
        let fallen = against(&nights[2], &nights[..2]).fallen;
        assert_eq!(fallen.len(), 1, "{fallen:?}");
        assert_eq!(
            (fallen[0].score.as_str(), fallen[0].value.to_bits(), fallen[0].certified.to_bits()),
            ("max C×S", 2_f64.to_bits(), 4_f64.to_bits())
        );
        // Four sessions certify no p95: where one night before was not certified, the score says nothing.
        let mixed = [night(1, certified(1, 0.5)), night(2, of_cells(2, &cells("vllm", 0.5)))];
        assert_eq!(against(&nights[2], &mixed).fallen, []);
    }

    #[test]
    fn a_night_that_was_cut_short_has_no_score_to_fall() {
        let nights = [night(1, certified(1, 0.5)), night(2, certified(2, 8.0))];
        let mut short = nights[1].clone();
        short.summary.runs.planned += 1;
        assert_eq!(against(&nights[1], &nights[..1]).fallen.len(), 1);
        assert_eq!(against(&short, &nights[..1]).fallen, []);
    }

    #[test]
    fn what_regressed_is_named_with_its_cells_and_nothing_else_is() {
        let nights = nights(&[0.5, 0.8]);
        let found = against(&nights[1], &nights[..1]);
        assert_eq!(found.call, ComparisonVerdict::Regressed);
        assert_eq!(found.compared, 4);
        assert!(
            found.overall.iter().all(|effect| effect.call == ComparisonVerdict::Regressed) && !found.overall.is_empty(),
            "{:?}",
            found.overall
        );
        assert!(found.cells.len() <= 1 && found.remarks.is_empty(), "{found:?}");
        assert_eq!(against(&nights[0], &[]).remarks, ["there is no night before to compare it with"]);
    }
}
