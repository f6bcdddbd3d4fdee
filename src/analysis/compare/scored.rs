//! The scores of both sides: how many sessions hold, each with the range that its truth is in. Summaries in, score effects out.

use super::comparison::{Call, ScoreEffect};
use crate::analysis::axes::Axes;
use crate::analysis::{Score, Shape, SweepSummary};

/// One number of one side: what passes by its value, and from what is met to what is not excluded.
#[derive(Debug, Clone, PartialEq)]
struct Scored {
    name: String,
    within: Axes,
    value: Option<f64>,
    range: (Option<f64>, Option<f64>),
}

/// Every score that both sides have. `identical` says that both have the very same rows.
pub(super) fn score_effects(base: (&SweepSummary, &str), new: (&SweepSummary, &str), identical: bool) -> Vec<ScoreEffect> {
    let others = numbers(new);
    let against = |base: Scored| {
        let new = others.iter().find(|other| other.name == base.name && other.within == base.within)?;
        let ratio = base.value.zip(new.value).filter(|(base, _)| *base > 0.0).map(|(base, new)| new / base);
        let call = if identical { Call::Same } else { call(&base, new) };
        Some(ScoreEffect {
            score: base.name,
            within: base.within,
            base: base.value,
            base_range: base.range,
            new: new.value,
            new_range: new.range,
            ratio,
            call,
        })
    };
    numbers(base).into_iter().filter_map(against).collect()
}

/// Regressed where not even what is not excluded reaches what the base has met; the other way round improved; the same where both ranges
/// are the same single number.
fn call(base: &Scored, new: &Scored) -> Call {
    let most = |side: &Scored| side.range.1.unwrap_or(0.0);
    let least = |side: &Scored| side.range.0.unwrap_or(0.0);
    if most(new) < least(base) {
        Call::Regressed
    } else if least(new) > most(base) {
        Call::Improved
    } else if base.range == new.range && base.range.0 == base.range.1 {
        Call::Same
    } else {
        Call::NotEnoughData
    }
}

#[expect(clippy::cast_precision_loss, reason = "session counts are far below 2^53")]
fn numbers((summary, variant): (&SweepSummary, &str)) -> Vec<Scored> {
    let product = |shape: Option<Shape>| shape.map(|shape| shape.product as f64);
    let scores = summary.variants.iter().filter(|known| known.name == variant).flat_map(|variant| &variant.scores);
    let of = |score: &Score| match score {
        Score::Capacity(capacity) => vec![Scored {
            name: score.name(),
            within: capacity.within.clone(),
            value: score.headline(),
            range: (product(capacity.largest_met), product(capacity.largest_not_excluded)),
        }],
        Score::Largest(largest) => vec![Scored {
            name: score.name(),
            within: largest.within.clone(),
            value: largest.passes,
            range: (largest.met, largest.not_excluded),
        }],
    };
    scores.flat_map(of).collect()
}
