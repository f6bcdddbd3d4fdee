//! What a summary says, in sentences: scores, verdicts, ratios, failures, remarks. Shared by all formats. Numbers in, plain texts out.

use std::collections::BTreeMap;

use super::certainty::between_line;
use super::failure_text::failure_sentences;
use super::growth::{growing, transients};
use super::number::{or_dash, significant};
use super::numbered_text::NumberedText;
use super::run_length::{run_length, run_lengths};
use super::score_sentences::open_goal;
use crate::analysis::{
    Axes, Bottleneck, CapacityShape, CellState, CellSummary, GoalVerdict, Score, ScoreBound, ScoreRatio, SweepSummary, VariantSummary,
    axis_label, interval, show_axes,
};
use crate::records::record::{EarlyStopReason, StampSource};

/// What stands above everything that the simulated engine has made.
pub const SIMULATED: &str = "SIMULATED: every number here comes from the simulated engine, none from real hardware";

/// What stands above everything that was made from another program's files; none where `bench` measured it.
#[must_use]
pub fn imported(summary: &SweepSummary) -> Option<String> {
    let imported = summary.imported.as_ref()?;
    Some(format!("IMPORTED: every number here comes from files of {}, none was measured by bench", imported.program))
}

/// What those files do not tell, a remark each.
#[must_use]
pub fn lacks(summary: &SweepSummary) -> Vec<String> {
    let lacks = summary.imported.iter().flat_map(|imported| &imported.lacks);
    lacks.map(|lack| format!("imported files lack: {lack}")).collect()
}

/// `16 of 16 runs, seed 7`.
#[must_use]
pub fn runs(summary: &SweepSummary) -> String {
    let seed = if summary.imported.is_some() { "not known".to_owned() } else { summary.seed.to_string() };
    format!("{}, seed {seed}", runs_done(summary))
}

/// `16 of 16 runs`, and how many of them were ended early or not needed.
fn runs_done(summary: &SweepSummary) -> String {
    let counts = &summary.runs;
    let some = |count: u64, what: &str| (count > 0).then(|| format!("{count} {what}"));
    let aside: Vec<String> = [some(counts.curtailed, "ended early"), some(counts.not_needed, "not needed")].into_iter().flatten().collect();
    let aside = if aside.is_empty() { String::new() } else { format!(" ({})", aside.join(", ")) };
    format!("{} of {} runs{aside}", counts.whole, counts.planned)
}

/// What C and S stand for, where the sweep has them as axes: said once, before the first table.
#[must_use]
pub fn letters(summary: &SweepSummary) -> Option<&'static str> {
    let has = |letter: &str| summary.axes.iter().any(|axis| axis_label(&axis.name) == letter);
    match (has("C"), has("S")) {
        (true, true) => Some("C: groups at once; S: sessions each, in turn; C×S sessions are alive together"),
        (true, false) => Some("C: groups at once"),
        (false, true) => Some("S: sessions each group goes through in turn"),
        (false, false) => None,
    }
}

/// A name and what belongs to it: a line of a list.
pub type Line = (String, String);

/// `12 (C=4, S=3)`, `at least 16 (C=4, S=4)`, or `none`.
fn shape(shape: Option<CapacityShape>, bound: ScoreBound) -> String {
    let known = |shape: CapacityShape| format!("{}{} (C={}, S={})", bound.prefix(), shape.product, shape.concurrent, shape.sequential);
    shape.map_or_else(|| "none".to_owned(), known)
}

/// `4`, `at least 16`, or `none`.
#[must_use]
pub fn bounded(value: Option<f64>, bound: ScoreBound) -> String {
    value.map_or_else(|| "none".to_owned(), |value| format!("{}{value}", bound.prefix()))
}

/// ` at qps=4`, or nothing.
pub(super) fn at(within: &Axes) -> String {
    let within = show_axes(within);
    if within.is_empty() { String::new() } else { format!(" at {within}") }
}

/// The scores of a variant as a list.
#[must_use]
pub fn score_lines(variant: &VariantSummary) -> Vec<Line> {
    variant.scores.iter().flat_map(lines_of_score).collect()
}

fn lines_of_score(score: &Score) -> Vec<Line> {
    let suffix = at(score.within());
    let between = between_line(score, &suffix);
    let implied = |is_implied: bool| if is_implied { "; implied, its cell was not run" } else { "" };
    let mut lines = match score {
        Score::Capacity(score) => {
            let (exact, open) = (ScoreBound::Exact, score.harmonic_mean_not_excluded_bound);
            vec![
                (format!("max C×S{suffix}"), shape(score.max_product, score.max_product_bound) + implied(score.is_implied)),
                (format!("best 2CS/(C+S){suffix}"), harmonic(score.best_harmonic_mean, score.harmonic_mean_bound)),
                (
                    format!("max C×S at 95 %{suffix}"),
                    range(&shape(score.largest_met, exact), &shape(score.largest_not_excluded, score.not_excluded_bound)),
                ),
                (
                    format!("best 2CS/(C+S) at 95 %{suffix}"),
                    range(&harmonic(score.harmonic_mean_met, exact), &harmonic(score.harmonic_mean_not_excluded, open)),
                ),
            ]
        }
        Score::Largest(score) => {
            let axis = axis_label(&score.axis);
            let (met, open) = (bounded(score.met, ScoreBound::Exact), bounded(score.not_excluded, score.not_excluded_bound));
            vec![
                (format!("largest {axis}{suffix}"), bounded(score.passes, score.bound) + implied(score.is_implied)),
                (format!("largest {axis} at 95 %{suffix}"), range(&met, &open)),
            ]
        }
    };
    lines.extend(between);
    lines
}

fn harmonic(best: Option<CapacityShape>, bound: ScoreBound) -> String {
    best.map_or_else(
        || "none".to_owned(),
        |best| {
            let mean = significant(best.harmonic_mean, 3);
            format!("{}{mean} (C={}, S={}; C×S {})", bound.prefix(), best.concurrent, best.sequential, best.product)
        },
    )
}

fn range(met: &str, not_excluded: &str) -> String {
    format!("certified {met}, not excluded {not_excluded}")
}

/// Which cells are open, and how many requests would settle them; empty where none is.
#[must_use]
pub fn undecided(variant: &VariantSummary) -> Option<String> {
    let open: Vec<&CellSummary> = variant.cells.iter().filter(|cell| cell.verdict == Some(GoalVerdict::Undecided)).collect();
    let measured = variant.cells.iter().filter(|cell| cell.verdict.is_some()).count();
    if open.is_empty() {
        return None;
    }
    // Where the client was the limit, or answers tell nothing, more requests settle nothing.
    let reason = |cell: &CellSummary| cell.goals.iter().find_map(|goal| goal.void);
    let others: Vec<&CellSummary> = open.iter().copied().filter(|cell| reason(cell).is_none()).collect();
    let goals: Vec<(u64, Option<u64>)> = others.iter().filter_map(|cell| open_goal(cell)).collect();
    let all = || open.iter().filter_map(|cell| open_goal(cell));
    let have = span(all().map(|(n, _)| n)).unwrap_or_default();
    let need = match span(goals.iter().filter_map(|(_, needed)| *needed)) {
        _ if others.is_empty() => None,
        Some(rows) => {
            let lengths = others.iter().filter_map(|cell| run_length(cell, open_goal(cell)?.1?));
            Some(format!("{rows} requests like theirs would settle each{}", run_lengths(lengths)))
        }
        None => Some("no practical number of requests would settle them".to_owned()),
    };
    let mut void: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in open.iter().filter_map(|cell| reason(cell)) {
        *void.entry(reason.words()).or_default() += 1;
    }
    let void = void.into_iter().map(|(words, count)| format!("in {count} of them {words}"));
    let why: Vec<String> = need.into_iter().chain(void).collect();
    Some(format!("undecided: {} of {measured} cells, with {have} judged requests a cell; {}", open.len(), why.join("; ")))
}

/// `36`, or `3 to 36`.
fn span(numbers: impl Iterator<Item = u64> + Clone) -> Option<String> {
    let (least, most) = (numbers.clone().min()?, numbers.max()?);
    Some(if least == most { least.to_string() } else { format!("{least} to {most}") })
}

/// `vllm -> lmcache: max C×S 12 (C=4, S=3) vs at least 16 (C=4, S=4): ratio at least 1.33`.
#[must_use]
pub fn ratio_sentence(summary: &SweepSummary, ratio: &ScoreRatio) -> String {
    let side = |name: &str, value: Option<f64>| {
        let scores = summary.variants.iter().find(|variant| variant.name == name).map(|variant| &variant.scores);
        let score = scores.and_then(|scores| scores.iter().find(|score| *score.within() == ratio.within));
        match score {
            Some(Score::Capacity(score)) => shape(score.max_product, score.max_product_bound),
            _ => bounded(value, score.map(Score::bound).unwrap_or_default()),
        }
    };
    let share = ratio.bound.words(ratio.ratio.map(|ratio| significant(ratio, 3)).as_deref());
    let (base, other) = (side(&ratio.base, ratio.base_value), side(&ratio.other, ratio.other_value));
    format!("{} -> {}: {}{} {base} vs {other}: {share}", ratio.base, ratio.other, ratio.score, at(&ratio.within))
}

/// The bottleneck, a sentence for each combination of axes that carry no load: `bottleneck: KV memory: ...`.
#[must_use]
pub fn limit_sentences(variant: &VariantSummary) -> Vec<String> {
    let sentence = |limit: &Bottleneck| format!("bottleneck{}: {}: {limit}", at(&limit.within), limit.evidence.name());
    variant.limits.iter().map(sentence).collect()
}

/// That a variant's external cache reused nothing: to stand where nobody can miss it.
#[must_use]
pub fn exposed(variant: &VariantSummary) -> Option<String> {
    let external = variant.external.as_ref().filter(|external| external.reused_nothing())?;
    Some(format!("WARNING: {external}"))
}

/// What a variant's external cache did otherwise.
#[must_use]
pub fn external(variant: &VariantSummary) -> Option<String> {
    let external = variant.external.as_ref().filter(|external| !external.reused_nothing())?;
    Some(format!("external cache: {external}"))
}

/// By which metrics the figures of a variant's servers were measured; none where there are no figures.
#[must_use]
pub fn measured_by(variant: &VariantSummary) -> Option<String> {
    let mut all: Vec<(&'static str, Vec<&str>)> = Vec::new();
    for (figure, by) in variant.cells.iter().flat_map(|cell| cell.server.measured_by()) {
        match all.iter_mut().find(|(known, _)| *known == figure) {
            Some((_, sources)) if sources.contains(&by) => {}
            Some((_, sources)) => sources.push(by),
            None => all.push((figure, vec![by])),
        }
    }
    let list: Vec<String> = all.iter().map(|(figure, by)| format!("{figure} {}", by.join(", "))).collect();
    (!list.is_empty()).then(|| format!("measured by: {}{}", list.join("; "), untold(variant)))
}

/// `; no metric told: KV usage`; nothing where all was told, or nobody watched.
#[must_use]
pub fn untold(variant: &VariantSummary) -> String {
    let mut watched = variant.cells.iter().filter(|cell| cell.server.samples > 0).map(|cell| cell.server.untold());
    let first = watched.next().unwrap_or_default();
    let others: Vec<Vec<&str>> = watched.collect();
    let in_all: Vec<&str> = first.into_iter().filter(|name| others.iter().all(|untold| untold.contains(name))).collect();
    if in_all.is_empty() { String::new() } else { format!("; no metric told: {}", in_all.join(", ")) }
}

/// Remarks on a variant's cells, each once with the cells it is about, and the reasons of cells without a result.
#[must_use]
pub fn remarks(variant: &VariantSummary) -> Vec<String> {
    let steadiness = growing(variant).into_iter().chain(transients(variant));
    let sentences = failure_sentences(variant).into_iter().chain(steadiness).chain(stopped(variant)).chain(salted(variant));
    let mut remarks: Vec<(String, Vec<String>)> = sentences.map(|text| (text, Vec::new())).collect();
    for cell in &variant.cells {
        let state = match &cell.state {
            CellState::Failed(failure) => Some(format!("failed: {}", failure.with_log_name())),
            CellState::Invalid { reason } => Some(format!("invalid: {reason}")),
            CellState::Missing => Some("missing: no whole run is there".to_owned()),
            CellState::Measured | CellState::Untested { .. } => None,
        };
        if let Some(text) = state {
            let place = show_axes(&cell.axes);
            match remarks.iter_mut().find(|(known, _)| *known == text) {
                Some((_, places)) => places.push(place),
                None => remarks.push((text, vec![place])),
            }
        }
    }
    remarks.extend(notes(variant));
    remarks.into_iter().map(|(text, places)| format!("{text}{}", at_places(&places))).collect()
}

/// Notes of cells; those that differ in their numbers alone are one, with the span of each number.
fn notes(variant: &VariantSummary) -> Vec<(String, Vec<String>)> {
    let mut alike: Vec<(NumberedText, Vec<String>)> = Vec::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for (cell, note) in variant.cells.iter().flat_map(|cell| cell.notes.words().map(move |note| (cell, note))) {
        let (text, place) = (NumberedText::of(&note), show_axes(&cell.axes));
        let index = *known.entry(text.key()).or_insert(alike.len());
        match alike.get_mut(index) {
            Some((spans, places)) => {
                spans.widen(&text);
                if places.last() != Some(&place) {
                    places.push(place);
                }
            }
            None => alike.push((text, vec![place])),
        }
    }
    alike.into_iter().map(|(text, places)| (text.to_string(), places)).collect()
}

/// That prompts were made fresh for every run, and why.
fn salted(variant: &VariantSummary) -> Option<String> {
    let salts = || variant.cells.iter().flat_map(|cell| &cell.by_repeat).filter_map(|repeat| repeat.salt.as_ref());
    let most = salts().map(|salt| salt.tokens).max()?;
    let why = if salts().any(|salt| salt.by_default) { ", since no `server.reset` is written" } else { "" };
    Some(format!("caches: every prompt began with a salt of {most} tokens that no other cell and no other attempt has{why}"))
}

/// The cells that were ended early, in a sentence.
fn stopped(variant: &VariantSummary) -> Option<String> {
    let stopped: Vec<(&CellSummary, &EarlyStopReason)> =
        variant.cells.iter().filter_map(|cell| Some((cell, cell.curtailed.as_ref()?))).collect();
    let (_, first) = stopped.first()?;
    let lost = stopped.iter().filter(|(_, curtailed)| curtailed.settled.iter().any(|settled| !settled.holds)).count();
    let sure = first.certainty.words();
    let counts = match (lost, stopped.len() - lost) {
        (lost, 0) => format!("{lost} lost {sure}"),
        (0, won) => format!("{won} won {sure}"),
        (lost, won) => format!("{lost} lost and {won} won {sure}"),
    };
    let cells = if stopped.len() == 1 { "1 cell" } else { &format!("{} cells", stopped.len()) };
    Some(format!("stopped early: {cells}, {counts}; ≥ and ≤ bound what all rows would have shown, ~ is the value of the rows that came"))
}

fn at_places(places: &[String]) -> String {
    let shown: Vec<&str> = places.iter().take(3).map(String::as_str).filter(|place| !place.is_empty()).collect();
    match (shown.is_empty(), places.len().saturating_sub(3)) {
        (true, _) => String::new(),
        (false, 0) => format!(" ({})", shown.join("; ")),
        (false, more) => format!(" ({}; and {more} more)", shown.join("; ")),
    }
}

/// How far the client itself may have been in the way: the worst over all cells.
#[must_use]
pub fn client(variant: &VariantSummary) -> String {
    let worst = |get: &dyn Fn(&CellSummary) -> Option<f64>| variant.cells.iter().filter_map(get).max_by(f64::total_cmp);
    let milliseconds = |seconds: Option<f64>| format!("{} ms", or_dash(seconds.map(|seconds| seconds * 1e3)));
    let lag = milliseconds(worst(&|cell| Some(cell.client.send_lag_p99_s)));
    let mut parts = vec![format!("send lag p99 at most {lag}")];
    if let Some(share) = worst(&|cell| cell.client.cpu_share) {
        parts.push(format!("CPU at most {} of one core", significant(share, 3)));
    }
    if let Some(jitter) = worst(&|cell| cell.client.timer_jitter_p99_s) {
        parts.push(format!("timer late p99 at most {}", milliseconds(Some(jitter))));
    }
    match worst(&|cell| cell.client.read_lag_p99_s) {
        Some(lag) => parts.push(format!("tokens read p99 at most {} late, which the kernel's stamps leave out", milliseconds(Some(lag)))),
        None if variant.cells.iter().any(|cell| cell.client.stamps == Some(StampSource::User)) => {
            parts.push("tokens stamped when they were read".to_owned());
        }
        None => {}
    }
    format!("client: {}", parts.join(", "))
}

/// What the marks mean.
#[must_use]
pub fn legend() -> String {
    let sure = significant(interval::CONFIDENCE * 100.0, 3);
    let sure = sure.trim_end_matches(".0");
    format!("n: requests judged; ✓ met and ✗ missed at {sure} %, ? undecided; a failed request counts as slower than any limit")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{SummaryOptions, summarize};
    use crate::fixtures::sweeps::{cell, searched_over_users, sweep, uniform};
    use crate::report::score_sentences::verdict_sentences;

    const GOAL: &str = "p95(ttft where turn >= 1) <= 2s";

    fn over_users(score: Option<&str>) -> VariantSummary {
        searched_over_users(score).variants.remove(0)
    }

    #[test]
    fn a_verdict_names_its_panel_and_goes_by_the_axis_of_the_search() {
        let said = verdict_sentences(&over_users(None));
        assert!(said[0].starts_with("vllm holds at least users=20 at qps=4"), "{said:?}");
        assert_eq!(said[1], "vllm fulfils the goals in no cell at qps=16");
    }

    #[test]
    fn a_score_whose_cell_was_not_run_says_so() {
        let variant = over_users(Some("workload.qps"));
        let said = verdict_sentences(&variant);
        let implied =
            "vllm holds qps=4 at users=5: that cell was not run, but one with more load passes, and more load is taken not to be easier";
        assert_eq!(said[0], implied);
        assert!(said[2].starts_with("vllm holds qps=4 at users=20") && !said[2].contains("not run"), "{said:?}");
        assert_eq!(score_lines(&variant)[0], ("largest qps at users=5".to_owned(), "4; implied, its cell was not run".to_owned()));
    }

    #[test]
    fn cells_whose_client_was_the_limit_say_that_and_ask_for_no_requests() {
        let cells = [cell("vllm", 1, 1, uniform(1, 1, 0.5)), cell("vllm", 4, 3, uniform(4, 3, 0.5))];
        let said = |limited: &[usize]| {
            let mut saved = sweep(&[GOAL], &cells);
            for run in limited {
                saved.runs[*run].record.client.send_lag_p99_s = 0.5;
            }
            let variant = summarize(&saved, &SummaryOptions::default()).unwrap().variants.remove(0);
            (undecided(&variant).unwrap(), verdict_sentences(&variant).remove(0))
        };
        let (all, verdict) = said(&[0, 1]);
        assert_eq!(all, "undecided: 2 of 2 cells, with 3 to 36 judged requests a cell; in 2 of them the client was the limit");
        assert!(verdict.ends_with("nothing is certain: the client was the limit"), "{verdict}");
        let (one, verdict) = said(&[0]);
        assert!(one.ends_with("59 requests like theirs would settle each; in 1 of them the client was the limit"), "{one}");
        assert!(verdict.ends_with("36 requests are too few to be 95 % sure, 59 like these would do"), "{verdict}");
    }

    #[test]
    fn notes_that_differ_in_their_numbers_alone_are_one() {
        let mut saved = sweep(&[GOAL], &[1, 2, 3, 4].map(|s| cell("vllm", 1, s, uniform(1, s, 0.5))));
        for (run, opened) in saved.runs.iter_mut().zip([3, 9, 5, 4]) {
            run.record.notes =
                vec![format!("{opened} of 60 requests had to open a connection first, which took 0.{opened} ms at the median")];
        }
        let variant = summarize(&saved, &SummaryOptions::default()).unwrap().variants.remove(0);
        let expected = "3 to 9 of 60 requests had to open a connection first, which took 0.3 to 0.9 ms at the median \
                        (C=1, S=1; C=1, S=2; C=1, S=3; and 1 more)";
        assert_eq!(remarks(&variant), [expected]);
    }
}
