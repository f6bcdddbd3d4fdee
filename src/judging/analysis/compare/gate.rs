//! What the single calls come to: of a cell, and of the whole. The measures that decide and the others are two families, and each is
//! called by itself: effects and scores in, one call a family out. Knows no rows and no intervals.

use serde::{Deserialize, Serialize};

use super::compared_measure::MeasureProbe;
use super::comparison::{CellComparison, ComparisonVerdict, MeasureEffect, ScoreEffect};

/// Which measures decide what a comparison comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateMeasures {
    /// Those that the goals speak of, the error rate and the scores; all where there are no goals.
    #[default]
    Goals,
    All,
}

/// One of the two families of measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MeasureFamily {
    /// They decide.
    Primary,
    /// They stand beside.
    Other,
}

impl MeasureFamily {
    pub fn of(probe: &MeasureProbe) -> Self {
        if probe.primary { Self::Primary } else { Self::Other }
    }

    /// The calls of a row of effects that belong to it; `None` where no measure does.
    fn calls(self, effects: &[MeasureEffect], probes: &[MeasureProbe]) -> Option<Vec<ComparisonVerdict>> {
        let own = effects.iter().zip(probes).filter(|(_, probe)| Self::of(probe) == self);
        let calls: Vec<ComparisonVerdict> = own.map(|(effect, _)| effect.call).collect();
        (!calls.is_empty()).then_some(calls)
    }
}

/// What a cell comes to.
pub(super) fn of_cell(family: MeasureFamily, effects: &[MeasureEffect], probes: &[MeasureProbe]) -> Option<ComparisonVerdict> {
    let calls = family.calls(effects, probes)?;
    Some(worst(&calls, &calls))
}

/// What everything comes to. `lost` counts the cells that the new side has no result of: nothing is better, or the same, without them.
pub(super) fn of_all(
    family: MeasureFamily,
    (overall, cells): (&[MeasureEffect], &[CellComparison]),
    scores: &[ScoreEffect],
    probes: &[MeasureProbe],
    lost: usize,
) -> Option<ComparisonVerdict> {
    let decide = family.calls(overall, probes)?;
    let mut any = decide.clone();
    any.extend(cells.iter().filter_map(|cell| family.calls(&cell.effects, probes)).flatten());
    if family == MeasureFamily::Primary {
        any.extend(scores.iter().map(|score| score.call));
    }
    Some(match worst(&any, &decide) {
        ComparisonVerdict::Improved | ComparisonVerdict::Same if lost > 0 && family == MeasureFamily::Primary => {
            ComparisonVerdict::NotEnoughData
        }
        call => call,
    })
}

/// Regressed where any is, else improved where any is, else open where one of those that decide is.
fn worst(any: &[ComparisonVerdict], decide: &[ComparisonVerdict]) -> ComparisonVerdict {
    if any.contains(&ComparisonVerdict::Regressed) {
        ComparisonVerdict::Regressed
    } else if any.contains(&ComparisonVerdict::Improved) {
        ComparisonVerdict::Improved
    } else if decide.contains(&ComparisonVerdict::NotEnoughData) {
        ComparisonVerdict::NotEnoughData
    } else {
        ComparisonVerdict::Same
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_decides_and_what_is_open_elsewhere_holds_nothing_back() {
        use ComparisonVerdict::{Improved, NotEnoughData, Regressed, Same};
        assert_eq!(worst(&[Improved, Regressed, Same], &[Improved]), Regressed);
        assert_eq!(worst(&[Improved, NotEnoughData], &[NotEnoughData]), Improved);
        assert_eq!(worst(&[Same, NotEnoughData], &[Same]), Same);
        assert_eq!(worst(&[Same, NotEnoughData], &[Same, NotEnoughData]), NotEnoughData);
    }

    #[test]
    fn scores_decide_but_one_that_is_not_settled_holds_nothing_back() {
        let goal = crate::vocabulary::goal::Measure { aggregate: crate::vocabulary::goal::Aggregate::ErrorRate, filter: Vec::new() };
        let probes = &super::super::compared_measure::probes(&[goal], &[], GateMeasures::Goals)[..1];
        let effect: MeasureEffect = serde_json::from_value(serde_json::json!({
            "measure": "error_rate", "unit": "share", "lower_is_better": true, "pairs": 9, "n_base": 9, "n_new": 9, "base": 0.0, "new": 0.0,
            "ratio": null, "difference": null, "call": "same"
        }))
        .unwrap();
        let of = |call: ComparisonVerdict, lost: usize| {
            let range = (Some(4.0), Some(8.0));
            let score = ScoreEffect {
                score: "max C×S".into(),
                within: crate::analysis::Axes::new(),
                base: Some(8.0),
                base_bound: crate::analysis::ScoreBound::Exact,
                base_range: range,
                new: Some(8.0),
                new_bound: crate::analysis::ScoreBound::Exact,
                new_range: range,
                ratio: Some(1.0),
                ratio_bound: crate::analysis::RatioBound::Exact,
                call,
            };
            of_all(MeasureFamily::Primary, (std::slice::from_ref(&effect), &[]), &[score], probes, lost)
        };
        assert_eq!(of(ComparisonVerdict::Regressed, 0), Some(ComparisonVerdict::Regressed));
        assert_eq!(of(ComparisonVerdict::Improved, 0), Some(ComparisonVerdict::Improved));
        assert_eq!(of(ComparisonVerdict::NotEnoughData, 0), Some(ComparisonVerdict::Same));
        assert_eq!(of(ComparisonVerdict::Improved, 1), Some(ComparisonVerdict::NotEnoughData), "nothing is better where a cell was lost");
        assert_eq!(of(ComparisonVerdict::Regressed, 1), Some(ComparisonVerdict::Regressed));
    }
}
