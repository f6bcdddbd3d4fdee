//! The sentences of a comparison, shared by all formats. Comparisons in, plain texts out; no escaping.

use crate::analysis::compare::{Comparison, Effect, Interval, ScoreEffect};
use crate::analysis::{Extended, show_axes};
use crate::report::number::{Scale, or_dash, significant};

/// `vllm -> lmcache: regressed`.
pub(super) fn headline(comparison: &Comparison) -> String {
    format!("{} -> {}: {}", comparison.base.name, comparison.new.name, comparison.call.name())
}

/// Whether any side is simulated.
pub(super) fn simulated(comparison: &Comparison) -> bool {
    comparison.base.simulated || comparison.new.simulated
}

/// `0.512 s`, `fail`, or a dash.
pub(in crate::report) fn value(effect: &Effect, value: Option<Extended>) -> String {
    let Some(value) = value else { return "-".to_owned() };
    let scale = Scale::of(&effect.measure, &effect.unit, Some(0.5).filter(|_| effect.unit == "s" && small(effect)));
    let unit = if scale.unit == "tokens/s" { "/s" } else { scale.unit.trim_end_matches("/token") };
    if value.finite().is_none() { "fail".to_owned() } else { format!("{} {unit}", scale.show(value, None)) }
}

/// Both sides stay below a second.
fn small(effect: &Effect) -> bool {
    [effect.base, effect.new].into_iter().flatten().filter_map(Extended::finite).all(|value| value < 1.0)
}

/// The change: the ratio with its interval, or for shares the difference in points.
pub(in crate::report) fn change(effect: &Effect) -> String {
    let shown = |interval: Interval, number: &dyn Fn(f64) -> String| {
        let [value, low, high] = [Some(interval.value), interval.low, interval.high].map(|end| end.map(|end| number(end.get())));
        match (value, low, high) {
            (Some(value), Some(low), Some(high)) => format!("{value} [{low}, {high}]"),
            (Some(value), ..) => value,
            (None, ..) => "-".to_owned(),
        }
    };
    match (effect.unit.as_str(), effect.ratio, effect.difference) {
        ("share", _, Some(difference)) => shown(difference, &|share| format!("{:+.1}", share * 100.0)),
        ("share", ..) | (_, None, _) => "-".to_owned(),
        (_, Some(ratio), _) => shown(ratio, &|ratio| if ratio < 10.0 { format!("{ratio:.2}") } else { significant(ratio, 3) }),
    }
}

/// `max C×S 12 (8 to 12) vs 16 (12 to 16): ratio 1.33, not enough data`.
pub(super) fn score(score: &ScoreEffect) -> String {
    let side = |value: Option<f64>, (met, open): (Option<f64>, Option<f64>)| {
        let number = |value: Option<f64>| value.map_or_else(|| "none".to_owned(), |value| value.to_string());
        format!("{} ({} met, {} not excluded)", number(value), number(met), number(open))
    };
    let within = show_axes(&score.within);
    let at = if within.is_empty() { String::new() } else { format!(" at {within}") };
    let (base, new) = (side(score.base, score.base_range), side(score.new, score.new_range));
    format!("{}{at}: {base} vs {new}: ratio {}, {}", score.score, or_dash(score.ratio), score.call.name())
}

/// What the columns mean, and how surely.
pub(super) fn legend(comparison: &Comparison) -> String {
    let margin = significant(comparison.margin * 100.0, 3);
    format!(
        "change: new over base with its interval, for shares in percentage points; over all cells the mean of their effects; \
         changes up to {} % count as none; {}",
        margin.trim_end_matches('0').trim_end_matches('.'),
        comparison.family
    )
}

/// What was compared although it is not the same, and all other remarks.
pub(super) fn remarks(comparison: &Comparison) -> Vec<String> {
    let told = comparison.differences.iter().map(|one| format!("not the same work: `{}`: {} and {}", one.what, one.base, one.new));
    told.chain(comparison.notes.iter().cloned()).collect()
}
