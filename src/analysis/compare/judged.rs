//! The comparison itself: pairs cells, refuses what is not the same work, measures every cell and all together, and calls the whole.

use std::collections::BTreeSet;
use std::fmt;

use super::calls::{Raw, Rule, over_cells};
use super::comparison::{Call, CellComparison, Comparison, Difference, Effect, Side};
use super::pairs::{CellPair, pair};
use super::probe::{Key, Kind, Probe, Sample, probes};
use super::resample::{Draws, Measured, measured};
use super::scored::score_effects;
use super::work;
use crate::analysis::{AnalysisError, Question, Table, summarize};
use crate::goal::{Aggregate, Condition, Goal, Measure};
use crate::metric::Metric;
use crate::store::SavedSweep;

/// One variant of a saved sweep.
#[derive(Debug, Clone, Copy)]
pub struct Chosen<'a> {
    pub sweep: &'a SavedSweep,
    pub variant: &'a str,
}

/// How to compare.
#[derive(Debug, Clone, PartialEq)]
pub struct CompareOptions {
    /// The largest relative change that counts as none: 0.05 for 5 %.
    pub margin: f64,
    /// Of all intervals together.
    pub confidence: f64,
    /// Differences that are compared all the same, by dotted path: `seed`; a path stands for all below it, and `all` for all.
    pub accept: Vec<String>,
    /// Goals that replace the base's own.
    pub goals: Vec<Goal>,
}

impl Default for CompareOptions {
    fn default() -> Self {
        Self { margin: 0.05, confidence: 0.95, accept: Vec::new(), goals: Vec::new() }
    }
}

/// Why two sides could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    #[error("`{sweep}` has no variant `{variant}`; it has {}", known.join(", "))]
    NoVariant { sweep: String, variant: String, known: Vec<String> },
    #[error("the two sides were not asked to do the same work:\n{}\nsay `--accept {}` to compare them all the same", Listed(.0), paths(.0))]
    NotTheSameWork(Vec<Difference>),
    #[error("no cell has a result on both sides; compare sweeps that share cells\n  {}", notes.join("\n  "))]
    NoSharedCells { notes: Vec<String> },
    #[error("a margin of `{0}` is none; give a share above 0 and below 1, as `5%`")]
    Margin(f64),
    #[error("a confidence of `{0}` is none; give a share above 0.5 and below 1")]
    Confidence(f64),
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
}

struct Listed<'a>(&'a [Difference]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |difference: &Difference| format!("  `{}`: {} and {}", difference.what, difference.base, difference.new);
        f.write_str(&self.0.iter().map(line).collect::<Vec<_>>().join("\n"))
    }
}

fn paths(differences: &[Difference]) -> String {
    differences.iter().map(|difference| difference.what.as_str()).collect::<Vec<_>>().join(",")
}

/// Compares a variant of a saved sweep with a variant of the same or another one.
///
/// # Errors
/// Where a variant is not there, where both sides are not the same work and nobody said to compare them all the same, and where no cell
/// has a result on both sides.
pub fn compare(base: &Chosen<'_>, new: &Chosen<'_>, options: &CompareOptions) -> Result<Comparison, CompareError> {
    check(base, new, options)?;
    let pairs = pair((base.sweep, base.variant), (new.sweep, new.variant));
    let differences = work::differences(base, new, &pairs.cells, !options.goals.is_empty());
    let refused: Vec<Difference> = differences.iter().filter(|difference| !difference.is_accepted(&options.accept)).cloned().collect();
    if !refused.is_empty() {
        return Err(CompareError::NotTheSameWork(refused));
    }
    if pairs.cells.is_empty() {
        return Err(CompareError::NoSharedCells { notes: pairs.notes });
    }
    let goals = goals(base.sweep, options)?;
    let mut probes = probes(&goals.iter().map(|goal| goal.measure.clone()).collect::<Vec<_>>(), &filter(&goals, &pairs.cells));
    let cells = pairs.cells.iter().zip(0..).map(|(cell, stream)| measure_cell(cell, stream, &probes)).collect::<Result<Vec<_>, _>>()?;
    // What neither side tells anywhere is not there to be compared.
    let told: Vec<bool> = (0..probes.len()).map(|at| cells.iter().any(|cell| cell[at].base.is_some() || cell[at].new.is_some())).collect();
    let cells: Vec<Vec<Measured>> = cells.into_iter().map(|cell| kept(cell, &told)).collect();
    probes = kept(probes, &told);
    let (overall, cell_effects) = effects(&probes, &cells, options);
    let identical = cells.iter().flatten().all(|measured| measured.identical);
    let compared = pairs.cells.iter().zip(cell_effects).map(|(cell, effects)| of_cell(cell, effects, &probes)).collect::<Vec<_>>();
    let mut notes = work::notes(&pairs.cells);
    notes.extend(pairs.notes);
    let [base_name, new_name] = names(base, new);
    Ok(Comparison {
        base: side(base, base_name),
        new: side(new, new_name),
        confidence: options.confidence,
        margin: options.margin,
        family: family(options.confidence),
        differences,
        primary: probes.iter().filter(|probe| probe.primary).map(Probe::name).collect(),
        scores: scores(base, new, &goals, identical)?,
        call: whole(&overall, &compared, &probes, pairs.lost),
        overall,
        cells: compared,
        notes,
    })
}

fn check(base: &Chosen<'_>, new: &Chosen<'_>, options: &CompareOptions) -> Result<(), CompareError> {
    for side in [base, new] {
        let manifest = &side.sweep.manifest;
        if !manifest.variants.iter().any(|name| name == side.variant) {
            let (sweep, variant) = (side.sweep.dir.display().to_string(), side.variant.to_owned());
            return Err(CompareError::NoVariant { sweep, variant, known: manifest.variants.clone() });
        }
    }
    if !(options.margin > 0.0 && options.margin < 1.0) {
        return Err(CompareError::Margin(options.margin));
    }
    if !(options.confidence > 0.5 && options.confidence < 1.0) {
        return Err(CompareError::Confidence(options.confidence));
    }
    Ok(())
}

fn goals(sweep: &SavedSweep, options: &CompareOptions) -> Result<Vec<Goal>, AnalysisError> {
    if !options.goals.is_empty() {
        return Ok(options.goals.clone());
    }
    let read = |text: &String| text.parse::<Goal>().map_err(|fault| AnalysisError::Goal { goal: text.clone(), reason: fault.to_string() });
    sweep.manifest.goals.iter().map(read).collect()
}

/// What times to first token are filtered by: as the first goal about them says; without one, the capacity benchmark's follow-ups.
fn filter(goals: &[Goal], cells: &[CellPair<'_>]) -> Vec<Condition> {
    let about_ttft = goals.iter().find(|goal| goal.measure.metric() == Some(Metric::Ttft));
    if let Some(goal) = about_ttft {
        return goal.measure.filter.clone();
    }
    let workload = cells.first().and_then(|cell| cell.base.runs.first()).and_then(|run| run.record.header.cell.get("workload"));
    let document_qa = workload.and_then(|workload| workload.get("kind")).and_then(serde_json::Value::as_str) == Some("document_qa");
    let steady = Condition { field: crate::goal::Field::Turn, comparison: crate::goal::Comparison::GreaterOrEqual, value: 1.0 };
    if document_qa { vec![steady] } else { Vec::new() }
}

fn measure_cell(cell: &CellPair<'_>, stream: u64, probes: &[Probe]) -> Result<Vec<Measured>, AnalysisError> {
    let of = |runs: &[&crate::store::SavedRun]| -> Result<(Vec<Sample>, BTreeSet<Key>), AnalysisError> {
        let table = Table::pool(runs.iter().map(|run| &run.requests))?;
        let repeats: Vec<u32> = runs.iter().map(|run| run.record.header.repeat).collect();
        let keys = table.session_keys()?.into_iter().map(|(run, session)| (repeats.get(run).copied().unwrap_or(u32::MAX), session));
        let keys = keys.collect();
        Ok((probes.iter().map(|probe| probe.sample(&table, &repeats, runs)).collect::<Result<_, _>>()?, keys))
    };
    let (base, base_keys) = of(&cell.base.runs)?;
    let (new, new_keys) = of(&cell.new.runs)?;
    let keys: Vec<Key> = base_keys.intersection(&new_keys).copied().collect();
    let draws = Draws::of(keys.len(), stream);
    Ok(base.iter().zip(&new).map(|(base, new)| measured(base, new, &keys, &draws)).collect())
}

fn kept<T>(all: Vec<T>, keep: &[bool]) -> Vec<T> {
    all.into_iter().zip(keep).filter(|(_, keep)| **keep).map(|(one, _)| one).collect()
}

/// The effects over all cells, and those of each cell.
#[expect(clippy::cast_precision_loss, reason = "intervals are few")]
fn effects(probes: &[Probe], cells: &[Vec<Measured>], options: &CompareOptions) -> (Vec<Effect>, Vec<Vec<Effect>>) {
    let of_probe = |at: usize| cells.iter().filter_map(|cell| cell.get(at)).collect::<Vec<_>>();
    let overall: Vec<Raw> = probes.iter().enumerate().map(|(at, probe)| over_cells(probe, &of_probe(at))).collect();
    let single: Vec<Vec<Raw>> = cells.iter().map(|cell| cell.iter().map(Raw::from).collect()).collect();
    let rule = |count: usize| Rule { doubt: (1.0 - options.confidence) / 2.0 / count.max(1) as f64, margin: options.margin };
    let counts = |raws: &[Raw]| raws.iter().filter(|raw| raw.enough && !raw.identical).count();
    let (for_all, for_cells) = (rule(counts(&overall)), rule(single.iter().map(|cell| counts(cell)).sum()));
    let shown = |raws: &[Raw], rule: Rule| {
        let mut effects: Vec<Effect> = raws.iter().zip(probes).map(|(raw, probe)| raw.effect(probe, rule)).collect();
        call_infinite(&mut effects, probes);
        effects
    };
    (shown(&overall, for_all), single.iter().map(|cell| shown(cell, for_cells)).collect())
}

/// Where a percentile became infinite or finite, there is no ratio, and the error rate has the word.
fn call_infinite(effects: &mut [Effect], probes: &[Probe]) {
    let errors = effects.iter().zip(probes).find(|(_, probe)| probe.is_error_rate()).map(|(effect, _)| effect.call);
    for (effect, probe) in effects.iter_mut().zip(probes) {
        let percentile = matches!(&probe.kind, Kind::Measure(Measure { aggregate: Aggregate::Percentile(..), .. }));
        let finite = |value: Option<crate::analysis::Extended>| value.map(|value| value.finite().is_some());
        effect.call = match (percentile, finite(effect.base), finite(effect.new), errors) {
            (true, Some(true), Some(false), Some(Call::Regressed)) => Call::Regressed,
            (true, Some(false), Some(true), Some(Call::Improved)) => Call::Improved,
            _ => effect.call,
        };
    }
}

fn of_cell(pair: &CellPair<'_>, effects: Vec<Effect>, probes: &[Probe]) -> CellComparison {
    let call = worst(&effects, &effects, probes);
    CellComparison { axes: pair.axes.clone(), effects, call }
}

/// Regressed where any is, else improved where any is, else the worst of the primary ones.
fn worst(any: &[Effect], decide: &[Effect], probes: &[Probe]) -> Call {
    let some = |call: Call| any.iter().any(|effect| effect.call == call);
    let open = decide.iter().zip(probes).any(|(effect, probe)| probe.primary && effect.call == Call::NotEnoughData);
    match (some(Call::Regressed), some(Call::Improved)) {
        (true, _) => Call::Regressed,
        (false, true) => Call::Improved,
        (false, false) if open => Call::NotEnoughData,
        (false, false) => Call::Same,
    }
}

fn whole(overall: &[Effect], cells: &[CellComparison], probes: &[Probe], lost: usize) -> Call {
    let every: Vec<Effect> = overall.iter().chain(cells.iter().flat_map(|cell| &cell.effects)).cloned().collect();
    match worst(&every, overall, probes) {
        Call::Improved | Call::Same if lost > 0 => Call::NotEnoughData,
        call => call,
    }
}

fn scores(base: &Chosen<'_>, new: &Chosen<'_>, goals: &[Goal], identical: bool) -> Result<Vec<super::ScoreEffect>, AnalysisError> {
    if goals.is_empty() {
        return Ok(Vec::new());
    }
    let question = Question { goals: goals.to_vec(), ..Question::default() };
    let (left, right) = (summarize(base.sweep, &question)?, summarize(new.sweep, &question)?);
    Ok(score_effects((&left, base.variant), (&right, new.variant), identical))
}

fn family(confidence: f64) -> String {
    format!(
        "all intervals hold together at {} %: half of the doubt is shared equally by the effects over all cells, half by those of single cells \
         (Dunn), each by a paired bootstrap over sessions and Student's t",
        (confidence * 1000.0).round() / 10.0
    )
}

/// What the sides are called: by variant in one sweep, by folder else, and by both where the folders are called alike.
fn names(base: &Chosen<'_>, new: &Chosen<'_>) -> [String; 2] {
    let folder = |side: &Chosen<'_>| {
        side.sweep.dir.file_name().map_or_else(|| side.sweep.manifest.name.clone(), |name| name.to_string_lossy().into_owned())
    };
    if base.sweep.dir == new.sweep.dir {
        return [base.variant.to_owned(), new.variant.to_owned()];
    }
    let [left, right] = [folder(base), folder(new)];
    if left == right { [base.sweep.dir.display().to_string(), new.sweep.dir.display().to_string()] } else { [left, right] }
}

fn side(side: &Chosen<'_>, name: String) -> Side {
    let manifest = &side.sweep.manifest;
    Side {
        name,
        sweep: manifest.name.clone(),
        variant: side.variant.to_owned(),
        simulated: manifest.simulated,
        created_at: manifest.created_at.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture::{Cell, answered, cell, failed, sweep, uniform};
    use crate::record::{FailureKind, Outcome, RequestRecord};

    const GOAL: &str = "p95(ttft where turn >= 1) <= 2s";

    /// Follow-ups of so many sessions that took `factor` times 0.5 s, more or less: the spread is the session's own.
    fn rows(sessions: u64, factor: f64, phase: u64) -> Vec<RequestRecord> {
        let spread = |session: u64, turn: u32| {
            1.0 + 0.01 * (f64::from(u32::try_from((session * 7 + u64::from(turn) * 3 + phase * 5) % 11).unwrap()) - 5.0) / 5.0
        };
        (0..sessions).flat_map(|session| (0..=4).map(move |turn| answered(session, turn, 0.5 * factor * spread(session, turn)))).collect()
    }

    fn compared(base: &[Cell], new: &[Cell], options: &CompareOptions) -> Result<Comparison, CompareError> {
        let (base, new) = (sweep(&[GOAL], base), sweep(&[GOAL], new));
        let chosen = |sweep| Chosen { sweep, variant: "vllm" };
        compare(&chosen(&base), &chosen(&new), options)
    }

    fn both(base: Vec<RequestRecord>, new: Vec<RequestRecord>) -> Comparison {
        compared(&[cell("vllm", 4, 4, base)], &[cell("vllm", 4, 4, new)], &CompareOptions::default()).unwrap()
    }

    fn effect<'a>(comparison: &'a Comparison, measure: &str) -> &'a Effect {
        comparison.overall.iter().find(|effect| effect.measure == measure).unwrap()
    }

    #[test]
    fn the_very_same_rows_are_the_same_however_few_they_are() {
        let comparison = both(uniform(1, 1, 0.5), uniform(1, 1, 0.5));
        assert_eq!(comparison.call, Call::Same);
        assert!(comparison.cells[0].effects.iter().all(|effect| effect.call == Call::Same), "{comparison:#?}");
        assert_eq!(effect(&comparison, "p95(ttft where turn >= 1)").ratio.unwrap().high, crate::analysis::Extended::new(1.0));
        assert!(comparison.scores.iter().all(|score| score.call == Call::Same));
    }

    #[test]
    fn a_tenth_slower_is_regressed_and_the_other_way_round_improved() {
        let slower = both(rows(16, 1.0, 0), rows(16, 1.1, 1));
        let median = effect(&slower, "p50(ttft where turn >= 1)");
        let ratio = median.ratio.unwrap();
        assert!((ratio.value.get() - 1.1).abs() < 0.01 && ratio.low.unwrap().get() > 1.05 && ratio.high.unwrap().get() < 1.15, "{ratio:?}");
        assert_eq!((median.call, median.pairs, median.n_base), (Call::Regressed, 16, 64));
        assert_eq!(slower.call, Call::Regressed);
        assert_eq!(both(rows(16, 1.1, 0), rows(16, 1.0, 1)).call, Call::Improved);
    }

    #[test]
    fn a_change_within_the_margin_is_none() {
        let comparison = both(rows(16, 1.0, 0), rows(16, 1.01, 1));
        assert_eq!(comparison.call, Call::Same, "{:#?}", comparison.overall);
    }

    #[test]
    fn few_sessions_are_not_enough_however_far_apart_they_are() {
        let comparison = both(rows(5, 1.0, 0), rows(5, 3.0, 1));
        assert_eq!(effect(&comparison, "p95(ttft where turn >= 1)").call, Call::NotEnoughData);
        assert_eq!(comparison.call, Call::NotEnoughData);
    }

    #[test]
    fn failures_are_regressions_by_the_error_rate_and_have_no_ratio() {
        let broken = (0..16).flat_map(|session| (0..=4).map(move |turn| failed(session, turn, FailureKind::Http(503)))).collect();
        let comparison = both(rows(16, 1.0, 0), broken);
        let p95 = effect(&comparison, "p95(ttft where turn >= 1)");
        assert_eq!((p95.ratio, comparison.cells[0].effects[0].call), (None, Call::Regressed));
        let errors = effect(&comparison, "error_rate");
        assert_eq!((errors.difference.unwrap().value.get(), errors.call), (1.0, Call::Regressed));
        assert_eq!(comparison.call, Call::Regressed);
    }

    #[test]
    fn what_is_not_the_same_work_is_refused_all_at_once_unless_told() {
        let base = sweep(&[GOAL], &[cell("vllm", 4, 4, rows(16, 1.0, 0))]);
        let mut new = sweep(&["p50(ttft) <= 1s"], &[cell("vllm", 4, 4, rows(16, 1.0, 1))]);
        new.manifest.seed = 8;
        new.runs[0].record.header.cell =
            serde_json::json!({"workload": {"kind": "document_qa", "rounds": 5}, "server": {"args": {"x": 1}}});
        let run = |accept: &[&str]| {
            let options = CompareOptions { accept: accept.iter().map(|path| (*path).to_owned()).collect(), ..CompareOptions::default() };
            compare(&Chosen { sweep: &base, variant: "vllm" }, &Chosen { sweep: &new, variant: "vllm" }, &options)
        };
        let refused = |accept: &[&str]| match run(accept) {
            Err(CompareError::NotTheSameWork(differences)) => differences.into_iter().map(|one| one.what).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(&[]), ["seed", "goals", "workload.rounds"]);
        assert_eq!(refused(&["seed", "goals", "work"]), ["workload.rounds"]);
        let text = run(&[]).unwrap_err().to_string();
        assert!(text.ends_with("say `--accept seed,goals,workload.rounds` to compare them all the same"), "{text}");
        for accept in [&["all"][..], &["seed", "goals", "workload"]] {
            let comparison = run(accept).unwrap();
            assert_eq!(comparison.differences.len(), 3);
            assert_eq!(comparison.notes, ["`server` is missing on the base side, {\"args\":{\"x\":1}} on the new one"]);
        }
    }

    #[test]
    fn a_cell_that_the_new_side_lost_is_told_and_never_passed_over() {
        let cells =
            || vec![cell("vllm", 4, 4, rows(16, 1.0, 0)), cell("vllm", 4, 3, rows(12, 1.0, 0)), cell("vllm", 1, 1, rows(1, 1.0, 0))];
        let mut new = cells();
        new[1].outcome = Outcome::Failed { reason: "the server did not become ready".into() };
        new.pop();
        let comparison = compared(&cells(), &new, &CompareOptions::default()).unwrap();
        assert_eq!((comparison.cells.len(), comparison.call), (1, Call::NotEnoughData));
        assert_eq!(
            comparison.notes,
            [
                "cells that only the base side has: C=1, S=1",
                "C=4, S=3: no result to compare (new: failed: the server did not become ready)"
            ]
        );
        let nothing = compared(&cells()[..1], &new[1..], &CompareOptions::default()).unwrap_err();
        assert!(nothing.to_string().starts_with("no cell has a result on both sides"), "{nothing}");
    }

    #[test]
    fn cells_of_many_repeats_pair_sessions_within_a_repeat() {
        let of = |factor: f64, phase: u64| {
            let one = |repeat: u32| Cell { repeat, ..cell("vllm", 2, 2, rows(4, factor, phase + u64::from(repeat))) };
            vec![one(0), one(1), one(2)]
        };
        let comparison = compared(&of(1.0, 0), &of(1.1, 4), &CompareOptions::default()).unwrap();
        assert_eq!(effect(&comparison, "p50(ttft where turn >= 1)").pairs, 12);
        assert_eq!(comparison.call, Call::Regressed);
    }

    #[test]
    fn a_comparison_survives_json_and_comes_out_the_same_twice() {
        let text = || serde_json::to_string(&both(rows(16, 1.0, 0), rows(16, 1.04, 1))).unwrap();
        assert_eq!(text(), text());
        let read: Comparison = serde_json::from_str(&text()).unwrap();
        assert_eq!((read.call, read.overall.len(), read.cells.len(), read.scores.len()), (Call::Same, 9, 1, 1));
        assert_eq!(effect(&read, "p99(ttft where turn >= 1)").ratio.unwrap().low, None);
    }
}
