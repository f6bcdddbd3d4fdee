//! The sentences of a comparison, shared by all formats and the page. Comparisons in, plain texts out; no escaping.

use crate::analysis::compare::{
    AnswerAgreement, AnswerCounts, CellComparison, ComparisonSide, ComparisonVerdict, ConfidenceInterval, MeasureEffect, ScoreEffect,
    VariantComparison,
};
use crate::analysis::{ExtendedReal, ScoreBound, named_cell, show_axes};
use crate::records::record::ImportOrigin;
use crate::report::number::{ValueFormat, significant};
use crate::report::words::SIMULATED;
use crate::vocabulary::metric::MeasureUnit;

/// Cells that are named; more are counted.
const MOST_CELLS: usize = 2;

/// `vllm -> lmcache: regressed`.
pub fn headline(comparison: &VariantComparison) -> String {
    format!("{} -> {}: {}", comparison.base.name, comparison.new.name, comparison.call.name())
}

/// What is to stand above all numbers: that they are simulated or imported, and of which side where it is only one.
pub fn labels(comparison: &VariantComparison) -> Vec<String> {
    let (base, new) = (&comparison.base, &comparison.new);
    let simulated = match (base.simulated, new.simulated) {
        (true, true) => Some(SIMULATED.to_owned()),
        (false, false) => None,
        (base_is, _) => {
            let side = if base_is { base } else { new };
            Some(format!("SIMULATED: the numbers of {} come from the simulated engine, none of them from real hardware", side.name))
        }
    };
    let of_side = |side: &ComparisonSide, imported: &ImportOrigin| {
        format!("IMPORTED: the numbers of {} come from files of {}, none of them was measured by bench", side.name, imported.program)
    };
    let imported = match (&base.imported, &new.imported) {
        (Some(left), Some(right)) if left.program == right.program => {
            vec![format!("IMPORTED: every number here comes from files of {}, none was measured by bench", left.program)]
        }
        _ => [base, new].into_iter().filter_map(|side| side.imported.as_ref().map(|imported| of_side(side, imported))).collect(),
    };
    simulated.into_iter().chain(imported).collect()
}

/// Why the whole is called what it is, and what else got better or worse: a sentence for what decides, one for what stands beside, one for answers.
pub fn grounds(comparison: &VariantComparison) -> Vec<String> {
    let decides = |effect: &&MeasureEffect| comparison.primary.contains(&effect.measure);
    let who = if comparison.beside.is_some() { "the goals decide" } else { "all measures decide" };
    let scores = |call: ComparisonVerdict| comparison.scores.iter().filter(move |score| score.call == call).map(short_score);
    let mut parts: Vec<String> = [ComparisonVerdict::Regressed, ComparisonVerdict::Improved]
        .into_iter()
        .filter_map(|call| listed(call, &changed(comparison, call, &decides).into_iter().chain(scores(call)).collect::<Vec<_>>()))
        .collect();
    let overall = |call: ComparisonVerdict| {
        let own = comparison.overall.iter().filter(decides).filter(|effect| effect.call == call);
        listed(call, &own.map(|effect| effect.measure.to_string()).chain(scores(call)).collect::<Vec<_>>())
    };
    parts.extend([ComparisonVerdict::Same, ComparisonVerdict::NotEnoughData].into_iter().filter_map(overall));
    let mut sentences = vec![format!("{who}: {}", parts.join("; "))];
    if comparison.beside.is_some() {
        let others = |effect: &&MeasureEffect| !comparison.primary.contains(&effect.measure);
        let parts: Vec<String> = [ComparisonVerdict::Regressed, ComparisonVerdict::Improved]
            .into_iter()
            .filter_map(|call| listed(call, &changed(comparison, call, &others)))
            .collect();
        let parts = if parts.is_empty() { "nothing that surely got better or worse".to_owned() } else { parts.join("; ") };
        sentences.push(format!("beside, deciding nothing: {parts}"));
    }
    sentences.extend(comparison.answers.iter().map(answers));
    sentences
}

fn listed(call: ComparisonVerdict, all: &[String]) -> Option<String> {
    (!all.is_empty()).then(|| format!("{} {}", call.name(), all.join(", ")))
}

/// The measures of that call, each once: by its name where it holds over all cells, else with the cells: `p95(itl) (in C=2, S=3)`.
fn changed(comparison: &VariantComparison, call: ComparisonVerdict, of: &dyn Fn(&&MeasureEffect) -> bool) -> Vec<String> {
    let named = |effect: &MeasureEffect| {
        if effect.call == call {
            return Some(effect.measure.to_string());
        }
        let held = |cell: &&CellComparison| cell.effects.iter().any(|own| own.measure == effect.measure && own.call == call);
        let cells: Vec<String> = comparison.cells.iter().filter(held).map(|cell| named_cell(&cell.axes)).collect();
        let places = match cells.len() {
            0 => return None,
            some if some <= MOST_CELLS => cells.join(" and "),
            some => format!("{some} of {} cells", comparison.cells.len()),
        };
        Some(format!("{} (in {places})", effect.measure))
    };
    comparison.overall.iter().filter(of).filter_map(named).collect()
}

/// `max C×S (4 -> 8)`.
fn short_score(score: &ScoreEffect) -> String {
    let within = show_axes(&score.within);
    let at = if within.is_empty() { String::new() } else { format!(" at {within}") };
    let (base, new) = (score.base_bound.prefix(), score.new_bound.prefix());
    format!("{}{at} ({base}{} -> {new}{})", score.score, count(score.base), count(score.new))
}

/// `8`, `2.67`, or `none`.
pub fn count(value: Option<f64>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| if value.fract() == 0.0 { value.to_string() } else { significant(value, 3) })
}

/// `0.512 s`, `fail`, or a dash.
pub fn value(effect: &MeasureEffect, value: Option<ExtendedReal>) -> String {
    let Some(value) = value else { return "-".to_owned() };
    let scale = effect.unit.display(None, largest(effect));
    let unit = if ["tokens/s", "requests/s"].contains(&scale.unit) { "/s" } else { scale.unit.trim_end_matches("/token") };
    if value.finite().is_none() { "fail".to_owned() } else { format!("{} {unit}", scale.show(value, None)) }
}

/// The larger of both sides: they are shown in one unit.
pub fn largest(effect: &MeasureEffect) -> Option<f64> {
    [effect.base, effect.new].into_iter().flatten().filter_map(ExtendedReal::finite).max_by(f64::total_cmp)
}

/// The change: the ratio with its interval, or for shares the difference in points.
pub fn change(effect: &MeasureEffect) -> String {
    let shown = |interval: ConfidenceInterval, number: &dyn Fn(f64) -> String| {
        let [value, low, high] = [Some(interval.value), interval.low, interval.high].map(|end| end.map(|end| number(end.get())));
        match (value, low, high) {
            (Some(value), Some(low), Some(high)) => format!("{value} [{low}, {high}]"),
            (Some(value), ..) => value,
            (None, ..) => "-".to_owned(),
        }
    };
    if let Some(nothing) = no_failures(effect) {
        return nothing;
    }
    match (effect.unit, effect.ratio, effect.difference) {
        (MeasureUnit::Share, _, Some(difference)) => shown(difference, &|share| format!("{:+.1}", share * 100.0)),
        (MeasureUnit::Share, ..) | (_, None, _) => "-".to_owned(),
        (_, Some(ratio), _) => shown(ratio, &|ratio| if ratio < 10.0 { format!("{ratio:.2}") } else { significant(ratio, 3) }),
    }
}

/// `none of 288 and 290` requests failed: that nothing was seen says how much was looked at.
fn no_failures(effect: &MeasureEffect) -> Option<String> {
    let none = |value: Option<ExtendedReal>| value.is_some_and(|value| value.get() == 0.0);
    if !effect.measure.is_error_rate() || !none(effect.base) || !none(effect.new) {
        return None;
    }
    let both = if effect.n_base == effect.n_new { String::new() } else { format!(" and {}", effect.n_new) };
    Some(format!("none of {}{both}", effect.n_base))
}

/// `max C×S: 4 (none certified, 4 not excluded) -> 8 (8 certified, 8 not excluded): ratio 2.00, improved`.
pub fn score(score: &ScoreEffect) -> String {
    let side = |value: Option<f64>, bound: ScoreBound, (met, open): (Option<f64>, Option<f64>)| {
        format!("{}{} ({} certified, {} not excluded)", bound.prefix(), count(value), count(met), count(open))
    };
    let within = show_axes(&score.within);
    let at = if within.is_empty() { String::new() } else { format!(" at {within}") };
    let (base, new) = (side(score.base, score.base_bound, score.base_range), side(score.new, score.new_bound, score.new_range));
    let ratio = score.ratio_bound.words(score.ratio.map(|ratio| significant(ratio, 3)).as_deref());
    format!("{}{at}: {base} -> {new}: {ratio}, {}", score.score, score.call.name())
}

/// Whether answers stay the same: `answers to equal prompts: 198 of 200 equal between the sides, 200 of 200 between repeats: ...`.
pub fn answers(answers: &AnswerAgreement) -> String {
    let equal = |counts: &AnswerCounts| format!("{} of {} equal", counts.equal_answers, counts.answers);
    let share = |share: f64| significant(100.0 * share, 2);
    let (sides, repeats) = (&answers.between_sides, &answers.between_repeats);
    if sides.answers == 0 {
        return "answers: not enough data: the sides had no prompt in common, as where every prompt has a salt".to_owned();
    }
    let differ = sides
        .shared_bytes
        .map(|shared| format!("; those that differ do so after {} bytes (median), the first after {}", shared.median, shared.least));
    let between_repeats = if repeats.answers == 0 {
        "nothing to compare that with: repeat the sweep's cells (`repeats = 2`)".to_owned()
    } else {
        format!("{} between repeats of one side", equal(repeats))
    };
    let loss = answers.loss.map(|[value, low, high]| {
        let sessions = format!("{} and {} pairs of sessions", sides.sessions, repeats.sessions);
        format!(
            "; sessions that differ more often between the sides: {} [{}, {}] points at 95 %, {sessions}",
            share(value),
            share(low),
            share(high)
        )
    });
    let call = match answers.call {
        ComparisonVerdict::Regressed => "answers do not stay the same",
        ComparisonVerdict::Same => "answers stay the same",
        _ => "answers: not enough data",
    };
    let counts = format!("{} between the sides{}; {between_repeats}", equal(sides), differ.unwrap_or_default());
    format!("{call}: of answers to equal prompts {counts}{}", loss.unwrap_or_default())
}

/// What the columns mean, and how surely.
pub fn legend(comparison: &VariantComparison) -> String {
    let margin = significant(comparison.margin * 100.0, 3);
    format!(
        "change: new over base with its interval, for shares in percentage points; over all cells the mean of their effects; \
         certified and not excluded: the ends of what a score can be, each cell at 95 %; changes up to {} % count as none; {}",
        margin.trim_end_matches('0').trim_end_matches('.'),
        comparison.family
    )
}

/// What was compared although it is not the same, what imported files do not tell, and all other remarks.
pub fn remarks(comparison: &VariantComparison) -> Vec<String> {
    let told = comparison.differences.iter().map(|one| format!("not the same work: `{}`: {} and {}", one.what, one.base, one.new));
    let sides = [&comparison.base, &comparison.new];
    let mut lacks: Vec<String> = Vec::new();
    for lack in sides.into_iter().filter_map(|side| side.imported.as_ref()).flat_map(|imported| &imported.lacks) {
        let lack = format!("imported files lack: {lack}");
        if !lacks.contains(&lack) {
            lacks.push(lack);
        }
    }
    told.chain(lacks).chain(comparison.notes.words()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::compare::{CompareOptions, SavedVariant, compare};
    use crate::fixtures::sweeps::{cell, sweep, uniform};
    use crate::report::comparison::{json, junit, markdown, terminal};

    fn comparison(imported: [Option<&str>; 2], simulated: [bool; 2]) -> VariantComparison {
        let mut sides = [0.5, 0.6].map(|ttft| sweep(&["p95(ttft where turn >= 1) <= 2s"], &[cell("vllm", 4, 4, uniform(4, 4, ttft))]));
        for ((side, imported), simulated) in sides.iter_mut().zip(imported).zip(simulated) {
            side.manifest.simulated = simulated;
            side.manifest.imported = imported
                .map(|program| ImportOrigin { program: program.into(), lacks: vec!["no token times".into(), "no schedule".into()] });
        }
        let [base, new] = &sides;
        let options = CompareOptions { accept: vec!["all".into()], ..CompareOptions::default() };
        compare(&SavedVariant { sweep: base, variant: "vllm" }, &SavedVariant { sweep: new, variant: "vllm" }, &options).unwrap()
    }

    #[test]
    fn every_format_labels_what_was_imported_or_simulated_and_says_which_side() {
        let both = comparison([Some("a script"), Some("a script")], [false, false]);
        let one = comparison([None, Some("a script")], [true, false]);
        assert_eq!(labels(&both), ["IMPORTED: every number here comes from files of a script, none was measured by bench"]);
        assert_eq!(
            labels(&one),
            [
                format!("SIMULATED: the numbers of {} come from the simulated engine, none of them from real hardware", one.base.name),
                format!("IMPORTED: the numbers of {} come from files of a script, none of them was measured by bench", one.new.name)
            ]
        );
        assert!(labels(&comparison([None, None], [false, false])).is_empty());
        assert_eq!(labels(&comparison([Some("a script"), Some("a tool")], [false, false])).len(), 2);
        let both_in_all = std::slice::from_ref(&both);
        for text in [terminal(both_in_all), markdown(both_in_all), json(both_in_all), junit(both_in_all).unwrap()] {
            assert!(text.contains("IMPORTED") || text.contains("\"imported\": {"), "{text}");
            assert!(text.contains("a script"), "{text}");
        }
        let remarks = remarks(&both);
        assert_eq!(remarks.iter().filter(|remark| remark.starts_with("imported files lack: no token times")).count(), 1, "{remarks:?}");
    }

    #[test]
    fn the_grounds_say_what_decides_and_what_stands_beside() {
        let grounds = grounds(&comparison([None, None], [true, true]));
        assert_eq!(
            grounds,
            [
                "the goals decide: regressed p95(ttft where turn >= 1); same error_rate; \
                 not enough data max C×S (at least 16 -> at least 16), best 2CS/(C+S) (at least 4 -> at least 4)",
                "beside, deciding nothing: regressed p50(ttft where turn >= 1)"
            ]
        );
    }
}
