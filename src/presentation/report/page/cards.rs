//! The verdict of the first screen: a card a score, with the number, how sure it is, and the range that the truth is in.
//! Summaries in, texts out; the words are those of the other formats.

use serde::Serialize;

use crate::analysis::{CapacityScore, CapacityShape, LargestScore, Score, ScoreBound, SweepSummary, VariantSummary, axis_label, show_axes};
use crate::report::number::significant;
use crate::report::score_sentences::doubts;
use crate::report::words;

/// More cards than this are no first screen.
const MOST: usize = 12;

/// What one score says. Each number stands on it once.
#[derive(Debug, Serialize)]
pub struct ScoreCard {
    variant: String,
    /// `at least`, where the number is a lower bound; else empty.
    bound: &'static str,
    /// `12`, or `none`.
    number: String,
    /// What is counted: `sessions at once`.
    unit: String,
    /// Where it was measured: `C=4 groups at once, S=3 sessions each`.
    place: String,
    /// What kept it from being more: `KV memory`; none where no goal could be missed.
    bottleneck: Option<&'static str>,
    /// How sure it is, as a class of the page: `met`, `undecided`, `missed`.
    sureness: &'static str,
    badge: String,
    /// The ends of the range that the truth is in, by their names, where they are other numbers than the one above.
    range: Vec<(&'static str, String)>,
    /// Why it is not certain.
    doubt: Option<String>,
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
    let doubts = doubts(variant).into_iter().chain(std::iter::repeat(None));
    let card = |(score, doubt): (&Score, Option<String>)| {
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
            bottleneck: bottleneck(variant, score),
            sureness,
            badge,
            range: counted.range,
            doubt,
        }
    };
    variant.scores.iter().zip(doubts).map(card).collect()
}

/// The one of the same other axes; where there is a single one, that.
fn bottleneck(variant: &VariantSummary, score: &Score) -> Option<&'static str> {
    let alike = variant.limits.iter().find(|limit| limit.within == *score.within());
    let only = variant.limits.first().filter(|_| variant.limits.len() == 1);
    alike.or(only).map(|limit| limit.evidence.name())
}

struct ScoreCardNumbers {
    number: Option<String>,
    certain: bool,
    is_implied: bool,
    unit: String,
    place: String,
    range: Vec<(&'static str, String)>,
}

fn capacity(score: &CapacityScore) -> ScoreCardNumbers {
    let best = score.max_product;
    let ranged = |shape: Option<CapacityShape>, bound: ScoreBound| {
        let shown = |shape: CapacityShape| format!("{}{} (C={}, S={})", bound.prefix(), shape.product, shape.concurrent, shape.sequential);
        shape.map_or_else(|| "none".to_owned(), shown)
    };
    let certified = (score.largest_met != best).then(|| ("certified", ranged(score.largest_met, ScoreBound::Exact)));
    let open = (score.largest_not_excluded != best).then(|| ("not excluded", ranged(score.largest_not_excluded, score.not_excluded_bound)));
    ScoreCardNumbers {
        number: best.map(|shape| shape.product.to_string()),
        certain: best.is_some() && score.largest_met == best,
        is_implied: score.is_implied,
        unit: if best.is_some_and(|shape| shape.product == 1) { "session" } else { "sessions" }.to_owned(),
        place: best.map(place).unwrap_or_default(),
        range: certified.into_iter().chain(open).collect(),
    }
}

fn place(shape: CapacityShape) -> String {
    let counted = |count: u64, what: &str| if count == 1 { what.to_owned() } else { format!("{what}s") };
    let (groups, sessions) = (counted(shape.concurrent, "group"), counted(shape.sequential, "session"));
    format!("C={} {groups} at once, S={} {sessions} each", shape.concurrent, shape.sequential)
}

fn largest(score: &LargestScore) -> ScoreCardNumbers {
    let certified = (score.met != score.passes).then(|| ("certified", words::bounded(score.met, ScoreBound::Exact)));
    let open = (score.not_excluded != score.passes).then(|| ("not excluded", words::bounded(score.not_excluded, score.not_excluded_bound)));
    ScoreCardNumbers {
        number: score.passes.map(|value| value.to_string()),
        certain: score.passes.is_some() && score.met == score.passes,
        is_implied: score.is_implied,
        unit: load_unit(&score.axis),
        place: String::new(),
        range: certified.into_iter().chain(open).collect(),
    }
}

/// What an axis of load counts, in words; of another axis its name.
fn load_unit(axis: &str) -> String {
    match axis_label(axis).as_str() {
        "concurrency" => "users at once".to_owned(),
        "qps" => "requests/s".to_owned(),
        other => other.to_owned(),
    }
}
