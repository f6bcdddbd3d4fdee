//! The verdict of the first screen: a card a score, with the number, how sure it is, and the range that the truth is in.
//! Summaries in, texts out; the words are those of the other formats.

use serde::Serialize;

use crate::analysis::{CapacityScore, CapacityShape, LargestScore, Score, ScoreBound, SweepSummary, VariantSummary, axis_label, show_axes};
use crate::presentation::report::number::significant;
use crate::presentation::report::words;

/// More cards than this are no first screen.
const MOST: usize = 12;

/// What one score says.
#[derive(Debug, Serialize)]
pub struct ScoreCard {
    variant: String,
    /// `at least`, where the number is a lower bound; else empty.
    bound: &'static str,
    /// `12`, or `none`.
    number: String,
    /// What is counted: `sessions at once`.
    unit: String,
    /// Where it was measured: `C=4, S=3`.
    place: String,
    /// How sure it is, as a class of the page: `met`, `undecided`, `missed`.
    sureness: &'static str,
    badge: String,
    certified: String,
    not_excluded: String,
    sentence: String,
}

/// The first cards, and how many more there are.
#[must_use]
pub fn cards(summary: &SweepSummary) -> (Vec<ScoreCard>, usize) {
    let sure = format!("{} %", significant(summary.confidence * 100.0, 2));
    let mut cards: Vec<ScoreCard> = summary.variants.iter().flat_map(|variant| of_variant(variant, &sure)).collect();
    let more = cards.len().saturating_sub(MOST);
    cards.truncate(MOST);
    (cards, more)
}

fn of_variant(variant: &VariantSummary, sure: &str) -> Vec<ScoreCard> {
    let sentences = words::verdict_sentences(variant).into_iter().chain(std::iter::repeat(String::new()));
    let card = |(score, sentence): (&Score, String)| {
        let counted = match score {
            Score::Capacity(score) => capacity(score),
            Score::Largest(score) => largest(score),
        };
        let (sureness, badge) = match (&counted.number, counted.certain) {
            (None, _) => ("missed", "in no cell".to_owned()),
            (Some(_), false) if counted.is_implied => ("undecided", "implied, not run".to_owned()),
            (Some(_), true) => ("met", format!("certified at {sure}")),
            (Some(_), false) => ("undecided", format!("measured, not certified at {sure}")),
        };
        let within = show_axes(score.within());
        let place = [counted.place, within].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ");
        ScoreCard {
            variant: variant.name.clone(),
            bound: if counted.number.is_some() { score.bound().prefix().trim_end() } else { "" },
            number: counted.number.unwrap_or_else(|| "none".to_owned()),
            unit: counted.unit,
            place,
            sureness,
            badge,
            certified: counted.certified,
            not_excluded: counted.not_excluded,
            sentence,
        }
    };
    variant.scores.iter().zip(sentences).map(card).collect()
}

struct ScoreCardNumbers {
    number: Option<String>,
    certain: bool,
    is_implied: bool,
    unit: String,
    place: String,
    certified: String,
    not_excluded: String,
}

fn capacity(score: &CapacityScore) -> ScoreCardNumbers {
    let best = score.max_product;
    let ranged = |shape: Option<CapacityShape>, bound: ScoreBound| {
        shape.map_or_else(|| "none".to_owned(), |shape| format!("{}{} ({})", bound.prefix(), shape.product, place(shape)))
    };
    ScoreCardNumbers {
        number: best.map(|shape| shape.product.to_string()),
        certain: best.is_some() && score.largest_met == best,
        is_implied: score.is_implied,
        unit: if best.is_some_and(|shape| shape.product == 1) { "session" } else { "sessions" }.to_owned(),
        place: best.map(place).unwrap_or_default(),
        certified: ranged(score.largest_met, ScoreBound::Exact),
        not_excluded: ranged(score.largest_not_excluded, score.not_excluded_bound),
    }
}

fn place(shape: CapacityShape) -> String {
    format!("C={}, S={}", shape.concurrent, shape.sequential)
}

fn largest(score: &LargestScore) -> ScoreCardNumbers {
    ScoreCardNumbers {
        number: score.passes.map(|value| value.to_string()),
        certain: score.passes.is_some() && score.met == score.passes,
        is_implied: score.is_implied,
        unit: axis_label(&score.axis),
        place: String::new(),
        certified: words::bounded(score.met, ScoreBound::Exact),
        not_excluded: words::bounded(score.not_excluded, score.not_excluded_bound),
    }
}
