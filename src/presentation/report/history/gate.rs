//! What the gate says, in sentences: one for the nights and one for the drift of each variant, with a line for every night. Shared by all
//! formats; computes nothing.

use std::fmt::Write as _;

use crate::analysis::compare::{CellComparison, ComparisonVerdict, MeasureEffect};
use crate::analysis::history::{DriftTest, GateResult, GateVerdict, NightComparison, ScoreDrop, VariantGateResult};
use crate::analysis::show_axes;
use crate::report::comparison::words::{change, score, value};
use crate::report::number::significant;
use crate::vocabulary::metric::MeasureUnit;

/// More effects than this are counted.
const MOST: usize = 3;

/// One question that the gate asked.
#[derive(Debug, Clone, PartialEq)]
pub struct GateCheckText {
    pub variant: String,
    /// `nights` or `drift`.
    pub what: &'static str,
    pub finding: GateVerdict,
    pub words: String,
    pub nights: Vec<NightVerdictText>,
}

/// What one night says.
#[derive(Debug, Clone, PartialEq)]
pub struct NightVerdictText {
    /// `2026-01-04: regressed`.
    pub head: String,
    /// What that rests on, a line each.
    pub because: Vec<String>,
}

/// All questions with their answers.
pub fn asked(gate: &GateResult) -> Vec<GateCheckText> {
    gate.variants.iter().flat_map(|variant| [nights(gate, variant), drift(gate, variant)]).collect()
}

/// `gate: WORSE`.
pub fn headline(gate: &GateResult) -> String {
    format!("gate: {}", finding(gate.finding))
}

/// What the last nights are compared with.
pub fn compared_with(gate: &GateResult) -> String {
    let rows = match gate.reference.as_slice() {
        [] => return "there is no night before the last ones to compare them with".to_owned(),
        [only] => format!("the rows of {only}"),
        [first, .., last] => format!("the rows of {} nights together, {first} to {last}", gate.reference.len()),
    };
    format!("compared with {rows}; changes up to {} count as none", percent(gate.options.margin))
}

pub fn finding(finding: GateVerdict) -> &'static str {
    match finding {
        GateVerdict::NotWorse => "not worse",
        GateVerdict::Worse => "WORSE",
        GateVerdict::NotEnoughData => "NOT ENOUGH DATA",
    }
}

fn nights(gate: &GateResult, variant: &VariantGateResult) -> GateCheckText {
    let (n, k) = (gate.options.nights, gate.options.regressed);
    let missing = n - variant.nights.len();
    let untold = variant.open - missing;
    let mut words = format!("{} of the last {} regressed", variant.regressed, count(n, "night"));
    if untold > 0 {
        let _ = write!(words, ", {untold} cannot be told");
    }
    if missing > 0 {
        let _ = write!(words, ", {missing} {} not there yet", if missing == 1 { "is" } else { "are" });
    }
    let _ = write!(words, "; it takes {k} to call it worse");
    GateCheckText {
        variant: variant.variant.clone(),
        what: "nights",
        finding: variant.finding,
        words,
        nights: variant.nights.iter().map(night).collect(),
    }
}

fn night(night: &NightComparison) -> NightVerdictText {
    let mut because: Vec<String> = night.fallen.iter().map(fallen).collect();
    // What fell below all nights before has fallen below them together, too.
    because.extend(night.scores.iter().filter(|_| night.fallen.is_empty()).map(score));
    because.extend(night.overall.iter().take(MOST).map(|one| format!("over all cells {}", effect(one))));
    let more = night.overall.len().saturating_sub(MOST);
    because.extend((more > 0).then(|| format!("and {} more over all cells", count(more, "measure"))));
    let worst = night.cells.iter().max_by(|left, right| most(left).total_cmp(&most(right)));
    let largest = |cell: &'_ CellComparison| cell.effects.iter().max_by(|left, right| size(left).total_cmp(&size(right))).cloned();
    if let Some((worst, first)) = worst.and_then(|worst| Some((worst, largest(worst)?))) {
        let (regressed, all) = (night.cells.len(), count(night.compared, "cell"));
        because.push(format!("in {regressed} of {all}, most at {}: {}", show_axes(&worst.axes), effect(&first)));
    }
    because.extend(night.remarks.iter().take(MOST).map(|remark| remark.replace('\n', ";")));
    let more = night.remarks.len().saturating_sub(MOST);
    because.extend((more > 0).then(|| format!("and {} more", count(more, "remark"))));
    let name = if night.night == night.label { night.label.clone() } else { format!("{} ({})", night.label, night.night) };
    let call = if night.call == ComparisonVerdict::NotEnoughData { "cannot be told" } else { night.call.name() };
    NightVerdictText { head: format!("{name}: {call}"), because }
}

fn fallen(score: &ScoreDrop) -> String {
    let within = show_axes(&score.within);
    let at = if within.is_empty() { String::new() } else { format!(" at {within}") };
    format!("{}{at} fell to {}, below the {} that every night before was certified for", score.score, score.value, score.certified)
}

/// `p95(ttft) 250 ms -> 630 ms, ×2.52 [2.31, 2.75]`.
fn effect(effect: &MeasureEffect) -> String {
    let (base, new) = (value(effect, effect.base), value(effect, effect.new));
    match change(effect).as_str() {
        "-" => format!("{} {base} -> {new}", effect.measure),
        change if effect.unit == MeasureUnit::Share => format!("{} {base} -> {new}, {change} points", effect.measure),
        change => format!("{} {base} -> {new}, ×{change}", effect.measure),
    }
}

/// How much a change comes to, to tell the largest; one without a ratio is larger than any.
fn size(effect: &MeasureEffect) -> f64 {
    effect.ratio.and_then(|ratio| ratio.value.finite()).map_or(f64::MAX, |ratio| ratio.ln().abs())
}

/// Its largest change.
fn most(cell: &CellComparison) -> f64 {
    cell.effects.iter().map(size).fold(0.0, f64::max)
}

fn drift(gate: &GateResult, variant: &VariantGateResult) -> GateCheckText {
    let drift = &variant.drift;
    let words = match (drift.change, drift.p_value) {
        (Some(change), Some(p_value)) => found(gate, drift, change, p_value),
        _ if drift.nights >= drift.needed => "no cell has a value on every night".to_owned(),
        _ if gate.options.window < drift.needed => {
            format!("a window of {} can tell no drift; it takes `--window {}`", count(gate.options.window, "night"), drift.needed)
        }
        _ => format!("{} with a value; it takes {} to tell a drift from chance", count(drift.nights, "night"), drift.needed),
    };
    GateCheckText { variant: variant.variant.clone(), what: "drift", finding: drift.finding, words, nights: Vec::new() }
}

fn found(gate: &GateResult, drift: &DriftTest, change: f64, p_value: f64) -> String {
    let pace = match percent(change.abs()).as_str() {
        "0 %" => "no change".to_owned(),
        percent => format!("{percent} {}", if change >= 0.0 { "for the worse" } else { "for the better" }),
    };
    let why = match drift.finding {
        GateVerdict::Worse => format!("p = {}, at most {} is no chance", probability(p_value), probability(drift.threshold)),
        _ if change <= gate.options.margin => format!("up to {} count as none", percent(gate.options.margin)),
        _ => format!("may be chance: p = {}, above {}", probability(p_value), probability(drift.threshold)),
    };
    let over = format!("{} and {}", count(drift.nights, "night"), count(drift.cells, "cell"));
    format!("{pace} over {over}; {why}")
}

/// `3 nights`, `1 night`.
fn count(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// `24.3 %`, `5 %`.
fn percent(share: f64) -> String {
    if share < 5e-5 {
        return "0 %".to_owned();
    }
    let text = significant(share * 100.0, 3);
    let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{short} %")
}

/// `0.017`, `2.1e-9`.
fn probability(p_value: f64) -> String {
    if p_value >= 1e-3 { significant(p_value, 2) } else { format!("{p_value:.1e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!([0.05, 0.243_37, 0.1, 1.5, 1e-9].map(percent), ["5 %", "24.3 %", "10 %", "150 %", "0 %"]);
        assert_eq!([0.05, 0.0167, 2.0877e-9].map(probability), ["0.050", "0.017", "2.1e-9"]);
    }
}
