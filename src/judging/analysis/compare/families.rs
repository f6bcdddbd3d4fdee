//! The two families of measures, those that decide and the others: each has its own doubt, which its intervals share, so that looking at
//! more measures beside costs what decides nothing. Measured cells in, effects with intervals and calls out.

use super::calls::{EffectCriterion, EffectEstimate, over_cells};
use super::compared_measure::MeasureProbe;
use super::comparison::{ComparedMeasure, ComparisonVerdict, MeasureEffect};
use super::gate::MeasureFamily;
use super::judged::CompareOptions;
use super::resample::CellEffect;
use crate::analysis::ExtendedReal;
use crate::vocabulary::goal::{Aggregate, Measure};

/// The doubt of each family that its intervals share.
#[derive(Debug, Clone, Copy)]
pub(super) struct FamilySignificance {
    primary: f64,
    other: f64,
}

impl FamilySignificance {
    /// Scores take their part of what decides first, at most half.
    pub fn of(options: &CompareOptions, scores: f64) -> Self {
        let whole = 1.0 - options.confidence;
        Self { primary: whole - scores.min(whole / 2.0), other: whole }
    }

    pub fn words(self, confidence: f64, probes: &[MeasureProbe]) -> String {
        let per_cent = |share: f64| (share * 1000.0).round() / 10.0;
        let all_decide = probes.iter().all(|probe| probe.primary);
        let who = if all_decide { "all measures" } else { "the measures that decide" };
        let scores = 1.0 - confidence - self.primary;
        let (with, rest) = if scores > 1e-9 {
            (" and the scores", format!("{} % of doubt for the scores, of the rest half", per_cent(scores)))
        } else {
            ("", "half of the doubt".to_owned())
        };
        let others = if all_decide { "" } else { "; the other measures are a second family alike" };
        format!(
            "{who}{with} hold together at {} %: {rest} shared equally by the effects over all cells and half by those of single cells \
             (Dunn), each by a paired bootstrap over sessions and Student's t{others}",
            per_cent(confidence)
        )
    }
}

/// The effects over all cells, and those of each cell.
pub(super) fn effects(
    probes: &[MeasureProbe],
    cells: &[Vec<CellEffect>],
    doubt: FamilySignificance,
    margin: f64,
) -> (Vec<MeasureEffect>, Vec<Vec<MeasureEffect>>) {
    let of_probe = |at: usize| cells.iter().filter_map(|cell| cell.get(at)).collect::<Vec<_>>();
    let overall: Vec<EffectEstimate> = probes.iter().enumerate().map(|(at, probe)| over_cells(&probe.measure, &of_probe(at))).collect();
    let single: Vec<Vec<EffectEstimate>> = cells.iter().map(|cell| cell.iter().map(EffectEstimate::from).collect()).collect();
    let shown = |raws: &[EffectEstimate], rules: [EffectCriterion; 2]| {
        let rule = |probe: &MeasureProbe| if probe.primary { rules[0] } else { rules[1] };
        let mut effects: Vec<MeasureEffect> = raws.iter().zip(probes).map(|(raw, probe)| raw.effect(&probe.measure, rule(probe))).collect();
        call_infinite(&mut effects, probes);
        effects
    };
    let for_all = rules(probes, std::slice::from_ref(&overall), doubt, margin);
    let for_cells = rules(probes, &single, doubt, margin);
    (shown(&overall, for_all), single.iter().map(|cell| shown(cell, for_cells)).collect())
}

/// Half of each family's doubt, shared by those of its effects that have an interval: of what decides, and of the others.
#[expect(clippy::cast_precision_loss, reason = "intervals are few")]
fn rules(probes: &[MeasureProbe], rows: &[Vec<EffectEstimate>], doubt: FamilySignificance, margin: f64) -> [EffectCriterion; 2] {
    [(MeasureFamily::Primary, doubt.primary), (MeasureFamily::Other, doubt.other)].map(|(family, doubt)| {
        let own = rows.iter().flat_map(|row| row.iter().zip(probes)).filter(|(_, probe)| MeasureFamily::of(probe) == family);
        let count = own.filter(|(raw, _)| raw.enough && !raw.identical).count();
        EffectCriterion { doubt: doubt / 2.0 / count.max(1) as f64, margin }
    })
}

/// Where a percentile became infinite or finite, there is no ratio, and the error rate has the word.
fn call_infinite(effects: &mut [MeasureEffect], probes: &[MeasureProbe]) {
    let errors = effects.iter().zip(probes).find(|(_, probe)| probe.measure.is_error_rate()).map(|(effect, _)| effect.call);
    for (effect, probe) in effects.iter_mut().zip(probes) {
        let percentile = matches!(&probe.measure, ComparedMeasure::Measure(Measure { aggregate: Aggregate::Percentile(..), .. }));
        let finite = |value: Option<ExtendedReal>| value.map(|value| value.finite().is_some());
        effect.call = match (percentile, finite(effect.base), finite(effect.new), errors) {
            (true, Some(true), Some(false), Some(ComparisonVerdict::Regressed)) => ComparisonVerdict::Regressed,
            (true, Some(false), Some(true), Some(ComparisonVerdict::Improved)) => ComparisonVerdict::Improved,
            _ => effect.call,
        };
    }
}
