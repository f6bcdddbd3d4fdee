//! The comparison itself: pairs cells, refuses what is not the same work, measures every cell and all together, and calls the whole.

use std::collections::BTreeSet;
use std::fmt;

use super::answers::{self, AnswerAgreement};
use super::compared_measure::{Key, MeasureProbe, PairedSample, probes};
use super::comparison::{CellComparison, ComparisonSide, ComparisonVerdict, MeasureEffect, SettingDifference, VariantComparison};
use super::comparison_note::ComparisonNote;
use super::curtailed;
use super::families::{FamilySignificance, effects};
use super::gate::{self, GateMeasures, MeasureFamily};
use super::other_nodes::other_nodes;
use super::pairs::{CellPair, pair};
use super::resample::{BootstrapDraws, CellEffect, measured};
use super::side_score::{self, score_effects};
use super::void::{self, SideValidity};
use super::work;
use crate::analysis::cells::CellRuns;
use crate::analysis::summarize::steady_state;
use crate::analysis::summary::{NoteList, VoidReason};
use crate::analysis::{AnalysisError, RequestTable};
use crate::records::record::ClientEnvironment;
use crate::records::store::SavedSweep;
use crate::vocabulary::goal::{Goal, RowCondition, SavedGoal};
use crate::vocabulary::metric::Metric;

/// One variant of a saved sweep.
#[derive(Debug, Clone, Copy)]
pub struct SavedVariant<'a> {
    pub sweep: &'a SavedSweep,
    pub variant: &'a str,
}

/// How to compare.
#[derive(Debug, Clone, PartialEq)]
pub struct CompareOptions {
    /// The largest relative change that counts as none: 0.05 for 5 %.
    pub margin: f64,
    /// Of all that decides together, and of the rest together.
    pub confidence: f64,
    /// What decides.
    pub gate: GateMeasures,
    /// Differences that are compared all the same, by dotted path: `seed`; a path stands for all below it, and `all` for all.
    pub accept: Vec<String>,
    /// Goals that replace the base's own.
    pub goals: Vec<Goal>,
}

impl Default for CompareOptions {
    fn default() -> Self {
        Self { margin: 0.05, confidence: 0.95, gate: GateMeasures::default(), accept: Vec::new(), goals: Vec::new() }
    }
}

/// Why two sides could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    #[error("`{sweep}` has no variant `{variant}`; it has {}", known.join(", "))]
    NoVariant { sweep: String, variant: String, known: Vec<String> },
    #[error("the two sides were not asked to do the same work:\n{}\nsay `--accept {}` to compare them all the same", DifferenceList(.0), paths(.0))]
    NotTheSameWork(Vec<SettingDifference>),
    #[error("no cell has a result on both sides; compare sweeps that share cells\n  {}", notes.words().collect::<Vec<_>>().join("\n  "))]
    NoSharedCells { notes: NoteList<ComparisonNote> },
    #[error("a margin of `{0}` is none; give a share above 0 and below 1, as `5%`")]
    Margin(f64),
    #[error("a confidence of `{0}` is none; give a share above 0.5 and below 1")]
    Confidence(f64),
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
}

struct DifferenceList<'a>(&'a [SettingDifference]);

impl fmt::Display for DifferenceList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |difference: &SettingDifference| format!("  `{}`: {} and {}", difference.what, difference.base, difference.new);
        f.write_str(&self.0.iter().map(line).collect::<Vec<_>>().join("\n"))
    }
}

fn paths(differences: &[SettingDifference]) -> String {
    differences.iter().map(|difference| difference.what.as_str()).collect::<Vec<_>>().join(",")
}

/// Compares a variant of a saved sweep with a variant of the same or another one.
///
/// # Errors
/// Where a variant is not there, where both sides are not the same work and nobody said to compare them all the same, and where no cell
/// has a result on both sides.
pub fn compare(base: &SavedVariant<'_>, new: &SavedVariant<'_>, options: &CompareOptions) -> Result<VariantComparison, CompareError> {
    check(base, new, options)?;
    let pairs = pair((base.sweep, base.variant), (new.sweep, new.variant));
    let differences = work::differences(base, new, &pairs.cells, !options.goals.is_empty());
    let refused: Vec<SettingDifference> =
        differences.iter().filter(|difference| !difference.is_accepted(&options.accept)).cloned().collect();
    if !refused.is_empty() {
        return Err(CompareError::NotTheSameWork(refused));
    }
    if pairs.cells.is_empty() {
        return Err(CompareError::NoSharedCells { notes: NoteList(pairs.notes) });
    }
    let goals = if options.goals.is_empty() {
        SavedGoal::all(&base.sweep.manifest.goals).map_err(AnalysisError::from)?
    } else {
        options.goals.clone()
    };
    let mut probes =
        probes(&goals.iter().map(|goal| goal.measure.clone()).collect::<Vec<_>>(), &filter(&goals, &pairs.cells), options.gate);
    let machines = [base, new].map(|side| &side.sweep.manifest.client);
    let measured = pairs.cells.iter().zip(0..).map(|(cell, stream)| measure_cell(cell, machines, stream, &probes, &goals));
    let (cells, void): (Vec<_>, Vec<_>) = measured.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
    // What neither side tells anywhere is not there to be compared.
    let is_left_out = pairs.cells.iter().any(curtailed::is) || void.iter().any(Option::is_some);
    let is_told = |at: usize| cells.iter().any(|cell| cell[at].base.is_some() || cell[at].new.is_some());
    let told: Vec<bool> = (0..probes.len()).map(|at| is_told(at) || is_left_out && probes[at].primary).collect();
    let cells: Vec<Vec<CellEffect>> = cells.into_iter().map(|cell| kept(cell, &told)).collect();
    probes = kept(probes, &told);
    let identical = cells.iter().flatten().all(|measured| measured.identical);
    let scores = score_effects((base, new), &pairs.cells, &goals, identical)?;
    let doubt = FamilySignificance::of(options, side_score::doubt(scores.len(), goals.len()));
    let (overall, mut cell_effects) = effects(&probes, &cells, doubt, options.margin);
    for (pair, effects) in pairs.cells.iter().zip(&mut cell_effects) {
        curtailed::compare(pair, effects, &goals, options.margin)?;
    }
    let compared: Vec<CellComparison> =
        pairs.cells.iter().zip(cell_effects).map(|(cell, effects)| of_cell(cell, effects, &probes)).collect();
    let answers = answers::agreement(&pairs.cells)?;
    let whole = |family| gate::of_all(family, (&overall, &compared), &scores, &probes, pairs.lost);
    let mut notes = work::notes(&pairs.cells);
    notes.extend(
        other_nodes(base, new).into_iter().chain(curtailed::note(&pairs.cells)).chain(void::note(&pairs.cells, &void)).chain(pairs.notes),
    );
    let [base_name, new_name] = names(base, new);
    Ok(VariantComparison {
        base: side(base, base_name),
        new: side(new, new_name),
        confidence: options.confidence,
        margin: options.margin,
        family: doubt.words(options.confidence, &probes),
        differences,
        gate: options.gate,
        primary: probes.iter().filter(|probe| probe.primary).map(|probe| probe.measure.clone()).collect(),
        call: match answers {
            Some(AnswerAgreement { call: ComparisonVerdict::Regressed, .. }) => ComparisonVerdict::Regressed,
            _ => whole(MeasureFamily::Primary).unwrap_or(ComparisonVerdict::NotEnoughData),
        },
        answers,
        beside: whole(MeasureFamily::Other),
        scores,
        overall,
        cells: compared,
        notes: NoteList(notes),
    })
}

fn check(base: &SavedVariant<'_>, new: &SavedVariant<'_>, options: &CompareOptions) -> Result<(), CompareError> {
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

/// What times to first token are filtered by: as the first goal about them says; without one, the capacity benchmark's follow-ups.
fn filter(goals: &[Goal], cells: &[CellPair<'_>]) -> Vec<RowCondition> {
    let about_ttft = goals.iter().find(|goal| goal.measure.metric() == Some(Metric::Ttft));
    if let Some(goal) = about_ttft {
        return goal.measure.filter.clone();
    }
    let work = cells.first().and_then(|cell| cell.base.runs.first()).map(|run| run.record.header.work());
    steady_state(work.as_ref())
}

/// The measures of a pair, and why some of them are not compared, where they are not.
fn measure_cell(
    cell: &CellPair<'_>,
    machines: [&ClientEnvironment; 2],
    stream: u64,
    probes: &[MeasureProbe],
    goals: &[Goal],
) -> Result<(Vec<CellEffect>, Option<VoidReason>), AnalysisError> {
    if curtailed::is(cell) {
        return Ok((probes.iter().map(|_| CellEffect::not_comparable()).collect(), None));
    }
    let side = |cell, machine| SideMeasurement::of(cell, machine, probes, goals);
    let (base, new) = (side(&cell.base, machines[0])?, side(&cell.new, machines[1])?);
    let keys: Vec<Key> = base.keys.intersection(&new.keys).copied().collect();
    let draws = BootstrapDraws::of(keys.len(), stream);
    let void: Vec<Option<VoidReason>> = probes.iter().map(|probe| base.void.reason(probe).or_else(|| new.void.reason(probe))).collect();
    let pairs = base.samples.iter().zip(&new.samples).zip(&void);
    let compared =
        pairs.map(|((base, new), void)| void.map_or_else(|| measured(base, new, &keys, &draws), |_| CellEffect::not_comparable()));
    Ok((compared.collect(), void.iter().flatten().next().copied()))
}

/// What one side of a pair brings.
struct SideMeasurement {
    samples: Vec<PairedSample>,
    keys: BTreeSet<Key>,
    void: SideValidity,
}

impl SideMeasurement {
    fn of(cell: &CellRuns<'_>, machine: &ClientEnvironment, probes: &[MeasureProbe], goals: &[Goal]) -> Result<Self, AnalysisError> {
        let table = RequestTable::of_runs(&cell.runs)?;
        let repeats: Vec<u32> = cell.runs.iter().map(|run| run.record.header.repeat).collect();
        let keys = table.session_keys()?.into_iter().map(|(run, session)| (repeats.get(run).copied().unwrap_or(u32::MAX), session));
        let keys = keys.collect();
        let samples = probes.iter().map(|probe| probe.sample(&table, &repeats, &cell.runs)).collect::<Result<_, _>>()?;
        Ok(Self { samples, keys, void: SideValidity::of(cell, &table, machine, goals)? })
    }
}

fn kept<T>(all: Vec<T>, keep: &[bool]) -> Vec<T> {
    all.into_iter().zip(keep).filter(|(_, keep)| **keep).map(|(one, _)| one).collect()
}

fn of_cell(pair: &CellPair<'_>, effects: Vec<MeasureEffect>, probes: &[MeasureProbe]) -> CellComparison {
    let call = gate::of_cell(MeasureFamily::Primary, &effects, probes).unwrap_or(ComparisonVerdict::NotEnoughData);
    let beside = gate::of_cell(MeasureFamily::Other, &effects, probes);
    CellComparison { axes: pair.axes.clone(), effects, call, beside }
}

/// What the sides are called: by variant in one sweep, by folder else, with the variant where a folder has several, and by the whole
/// path where the folders are called alike.
fn names(base: &SavedVariant<'_>, new: &SavedVariant<'_>) -> [String; 2] {
    if base.sweep.dir == new.sweep.dir {
        return [base.variant.to_owned(), new.variant.to_owned()];
    }
    let folder = |side: &SavedVariant<'_>| {
        side.sweep.dir.file_name().map_or_else(|| side.sweep.manifest.name.clone(), |name| name.to_string_lossy().into_owned())
    };
    let alike = folder(base) == folder(new);
    [base, new].map(|side| {
        let folder = if alike { side.sweep.dir.display().to_string() } else { folder(side) };
        if side.sweep.manifest.variants.len() > 1 { format!("{folder}:{}", side.variant) } else { folder }
    })
}

fn side(side: &SavedVariant<'_>, name: String) -> ComparisonSide {
    let manifest = &side.sweep.manifest;
    ComparisonSide {
        name,
        sweep: manifest.name.clone(),
        variant: side.variant.to_owned(),
        simulated: manifest.simulated,
        imported: manifest.imported.clone(),
        created_at: manifest.created_at.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{UncomparedCell, VoidCell};
    use super::*;
    use crate::analysis::CellState;
    use crate::analysis::fixture::{Cell, answered, cell, failed, sweep, uniform};
    use crate::records::record::{FailureKind, RequestRecord, RunFailure, RunFailureCause, RunOutcome};

    const GOAL: &str = "p95(ttft where turn >= 1) <= 2s";

    /// Follow-ups of so many sessions that took `factor` times 0.5 s, more or less: the spread is the session's own.
    fn rows(sessions: u64, factor: f64, phase: u64) -> Vec<RequestRecord> {
        let spread = |session: u64, turn: u32| {
            1.0 + 0.01 * (f64::from(u32::try_from((session * 7 + u64::from(turn) * 3 + phase * 5) % 11).unwrap()) - 5.0) / 5.0
        };
        (0..sessions).flat_map(|session| (0..=4).map(move |turn| answered(session, turn, 0.5 * factor * spread(session, turn)))).collect()
    }

    fn compared(base: &[Cell], new: &[Cell], options: &CompareOptions) -> Result<VariantComparison, CompareError> {
        let (base, new) = (sweep(&[GOAL], base), sweep(&[GOAL], new));
        let chosen = |sweep| SavedVariant { sweep, variant: "vllm" };
        compare(&chosen(&base), &chosen(&new), options)
    }

    fn both(base: Vec<RequestRecord>, new: Vec<RequestRecord>) -> VariantComparison {
        compared(&[cell("vllm", 4, 4, base)], &[cell("vllm", 4, 4, new)], &CompareOptions::default()).unwrap()
    }

    fn effect<'a>(comparison: &'a VariantComparison, measure: &str) -> &'a MeasureEffect {
        comparison.overall.iter().find(|effect| effect.measure.to_string() == measure).unwrap()
    }

    #[test]
    fn the_very_same_rows_are_the_same_however_few_they_are() {
        let comparison = both(uniform(1, 1, 0.5), uniform(1, 1, 0.5));
        assert_eq!(comparison.call, ComparisonVerdict::Same);
        assert!(comparison.cells[0].effects.iter().all(|effect| effect.call == ComparisonVerdict::Same), "{comparison:#?}");
        assert_eq!(effect(&comparison, "p95(ttft where turn >= 1)").ratio.unwrap().high, crate::analysis::ExtendedReal::new(1.0));
        assert!(comparison.scores.iter().all(|score| score.call == ComparisonVerdict::Same));
    }

    #[test]
    fn a_tenth_slower_is_regressed_and_the_other_way_round_improved() {
        let slower = both(rows(16, 1.0, 0), rows(16, 1.1, 1));
        let median = effect(&slower, "p50(ttft where turn >= 1)");
        let ratio = median.ratio.unwrap();
        assert!((ratio.value.get() - 1.1).abs() < 0.01 && ratio.low.unwrap().get() > 1.05 && ratio.high.unwrap().get() < 1.15, "{ratio:?}");
        assert_eq!((median.call, median.pairs, median.n_base), (ComparisonVerdict::Regressed, 16, 64));
        assert_eq!(slower.call, ComparisonVerdict::Regressed);
        assert_eq!(both(rows(16, 1.1, 0), rows(16, 1.0, 1)).call, ComparisonVerdict::Improved);
    }

    #[test]
    fn what_no_goal_speaks_of_stands_beside_and_decides_only_where_all_do() {
        let slow_gaps = |mut row: RequestRecord| {
            row.gaps_us = vec![20_000, 20_000];
            row.last_token_us = row.first_token_us.map(|first| first + crate::foundation::clock::Micros(40_000));
            row
        };
        let new = || vec![cell("vllm", 4, 4, rows(16, 1.0, 1).into_iter().map(slow_gaps).collect())];
        let of = |gate: GateMeasures| {
            let options = CompareOptions { gate, ..CompareOptions::default() };
            compared(&[cell("vllm", 4, 4, rows(16, 1.0, 0))], &new(), &options).unwrap()
        };
        let (goals, all) = (of(GateMeasures::Goals), of(GateMeasures::All));
        assert_eq!(
            (goals.call, goals.beside, all.call, all.beside),
            (ComparisonVerdict::Same, Some(ComparisonVerdict::Regressed), ComparisonVerdict::Regressed, None)
        );
        assert_eq!(goals.primary.iter().map(ToString::to_string).collect::<Vec<_>>(), ["p95(ttft where turn >= 1)", "error_rate"]);
        assert_eq!((goals.cells[0].call, goals.cells[0].beside), (ComparisonVerdict::Same, Some(ComparisonVerdict::Regressed)));
        let width = |comparison: &VariantComparison| {
            let ratio = effect(comparison, "p95(ttft where turn >= 1)").ratio.unwrap();
            ratio.high.unwrap().get() - ratio.low.unwrap().get()
        };
        assert!(width(&goals) < width(&all), "fewer that decide share the doubt");
    }

    fn not_certified(comparison: &VariantComparison, reason: VoidReason) -> ComparisonNote {
        ComparisonNote::NotCertified { cells: vec![VoidCell { cell: comparison.cells[0].axes.clone(), reason }] }
    }

    #[test]
    fn what_certifies_nothing_on_a_side_is_not_compared_and_the_note_says_why() {
        let held_back = |mut row: RequestRecord| {
            (row.output_tokens, row.token_events, row.token_reads, row.last_token_us) = (Some(40), Some(40), Some(1), row.first_token_us);
            row
        };
        let whole = rows(16, 1.5, 1).into_iter().map(held_back).collect();
        let comparison = both(rows(16, 1.0, 0), whole);
        assert_eq!(comparison.call, ComparisonVerdict::NotEnoughData);
        assert!(comparison.notes.0.contains(&not_certified(&comparison, VoidReason::HeldBack)), "{:?}", comparison.notes);
    }

    #[test]
    fn a_client_too_late_for_the_smallest_limit_of_a_time_is_compared_with_none() {
        let late = |goal: &str| {
            let [base, mut new] = [0, 1].map(|phase| sweep(&[goal], &[cell("vllm", 4, 4, rows(16, 1.0, phase))]));
            new.runs[0].record.client.send_lag_p99_s = 0.05;
            compare(
                &SavedVariant { sweep: &base, variant: "vllm" },
                &SavedVariant { sweep: &new, variant: "vllm" },
                &CompareOptions::default(),
            )
            .unwrap()
        };
        assert_eq!(late(GOAL).call, ComparisonVerdict::Same, "50 ms are a fortieth of 2 s");
        let half_a_second = late("p95(ttft where turn >= 1) <= 500ms");
        assert_eq!(half_a_second.call, ComparisonVerdict::NotEnoughData);
        let late = not_certified(&half_a_second, VoidReason::ClientLimited);
        assert!(half_a_second.notes.0.contains(&late), "{:?}", half_a_second.notes);
    }

    #[test]
    fn without_goals_all_measures_decide() {
        let of = |factor: f64, phase: u64| sweep(&[], &[cell("vllm", 4, 4, rows(16, factor, phase))]);
        let (base, new) = (of(1.0, 0), of(1.2, 1));
        let chosen = |sweep| SavedVariant { sweep, variant: "vllm" };
        let comparison = compare(&chosen(&base), &chosen(&new), &CompareOptions::default()).unwrap();
        assert_eq!(
            (comparison.call, comparison.beside, comparison.primary.len()),
            (ComparisonVerdict::Regressed, None, comparison.overall.len())
        );
    }

    #[test]
    fn a_score_that_surely_fell_is_a_regression_of_the_cells_that_both_have() {
        let cells = |factor: f64, phase: u64| vec![cell("vllm", 4, 4, rows(32, factor, phase)), cell("vllm", 4, 3, rows(32, 1.0, phase))];
        let fallen = compared(&cells(1.0, 0), &cells(6.0, 1), &CompareOptions::default()).unwrap();
        let products = &fallen.scores[0];
        assert_eq!(
            (products.score.as_str(), products.base, products.new, products.call),
            ("max C×S", Some(16.0), Some(12.0), ComparisonVerdict::Regressed)
        );
        assert_eq!((products.base_range, products.new_range.1), ((Some(16.0), Some(16.0)), Some(12.0)));
        let means = &fallen.scores[1];
        assert_eq!((means.score.as_str(), means.base, means.call), ("best 2CS/(C+S)", Some(4.0), ComparisonVerdict::Regressed));
        assert!((means.new.unwrap() - 24.0 / 7.0).abs() < 1e-12);
        let smaller = compared(&cells(1.0, 0), &cells(1.0, 1)[1..], &CompareOptions::default()).unwrap();
        assert_eq!((smaller.scores[0].base, smaller.scores[0].new, smaller.call), (Some(12.0), Some(12.0), ComparisonVerdict::Same));
    }

    #[test]
    fn no_failure_on_either_side_is_the_same_however_few_requests_and_sessions_there_are() {
        let comparison = both(rows(3, 1.0, 0), rows(2, 1.0, 1));
        let errors = effect(&comparison, "error_rate");
        assert_eq!((errors.call, errors.n_base, errors.n_new), (ComparisonVerdict::Same, 10, 10));
        assert_eq!(comparison.call, ComparisonVerdict::NotEnoughData, "of times to first token so few say nothing");
    }

    #[test]
    fn a_change_within_the_margin_is_none() {
        let comparison = both(rows(16, 1.0, 0), rows(16, 1.01, 1));
        assert_eq!(comparison.call, ComparisonVerdict::Same, "{:#?}", comparison.overall);
    }

    #[test]
    fn few_sessions_are_not_enough_however_far_apart_they_are() {
        let comparison = both(rows(5, 1.0, 0), rows(5, 3.0, 1));
        assert_eq!(effect(&comparison, "p95(ttft where turn >= 1)").call, ComparisonVerdict::NotEnoughData);
        assert_eq!(comparison.call, ComparisonVerdict::NotEnoughData);
    }

    #[test]
    fn failures_are_regressions_by_the_error_rate_and_have_no_ratio() {
        let broken = (0..16).flat_map(|session| (0..=4).map(move |turn| failed(session, turn, FailureKind::Http(503)))).collect();
        let comparison = both(rows(16, 1.0, 0), broken);
        let p95 = effect(&comparison, "p95(ttft where turn >= 1)");
        assert_eq!((p95.ratio, comparison.cells[0].effects[0].call), (None, ComparisonVerdict::Regressed));
        let errors = effect(&comparison, "error_rate");
        assert_eq!((errors.difference.unwrap().value.get(), errors.call), (1.0, ComparisonVerdict::Regressed));
        assert_eq!(comparison.call, ComparisonVerdict::Regressed);
    }

    #[test]
    fn what_is_not_the_same_work_is_refused_all_at_once_unless_told() {
        let base = sweep(&[GOAL], &[cell("vllm", 4, 4, rows(16, 1.0, 0))]);
        let mut new = sweep(&["p50(ttft) <= 1s"], &[cell("vllm", 4, 4, rows(16, 1.0, 1))]);
        new.manifest.seed = 8;
        new.runs[0].record.header.cell =
            serde_json::json!({"workload": {"kind": "document_qa", "rounds": 5}, "server": {"args": {"x": 1}}}).into();
        let run = |accept: &[&str]| {
            let options = CompareOptions { accept: accept.iter().map(|path| (*path).to_owned()).collect(), ..CompareOptions::default() };
            compare(&SavedVariant { sweep: &base, variant: "vllm" }, &SavedVariant { sweep: &new, variant: "vllm" }, &options)
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
            let server = SettingDifference { what: "server".into(), base: "missing".into(), new: "{\"args\":{\"x\":1}}".into() };
            assert_eq!(comparison.notes.0, [ComparisonNote::ServerDifference(server)]);
        }
    }

    #[test]
    fn a_cell_that_the_new_side_lost_is_told_and_never_passed_over() {
        let cells =
            || vec![cell("vllm", 4, 4, rows(16, 1.0, 0)), cell("vllm", 4, 3, rows(12, 1.0, 0)), cell("vllm", 1, 1, rows(1, 1.0, 0))];
        let mut new = cells();
        new[1].outcome = RunOutcome::Failed(RunFailure::new(RunFailureCause::Cell, "the server did not become ready".into()));
        new.pop();
        let comparison = compared(&cells(), &new, &CompareOptions::default()).unwrap();
        assert_eq!((comparison.cells.len(), comparison.call), (1, ComparisonVerdict::NotEnoughData));
        let cell = |concurrent: u64, sequential: u64| {
            let axes = serde_json::json!({"workload.concurrent": concurrent, "workload.sequential": sequential});
            axes.as_object().unwrap().clone()
        };
        let failed = CellState::Failed(RunFailure::new(RunFailureCause::Cell, "the server did not become ready".into()));
        let lost = UncomparedCell { cell: cell(4, 3), base: CellState::Measured, new: failed };
        assert_eq!(comparison.notes.0, [ComparisonNote::OnlyBase { cells: vec![cell(1, 1)] }, ComparisonNote::NoResult(Box::new(lost))]);
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
        assert_eq!(comparison.call, ComparisonVerdict::Regressed);
    }

    #[test]
    fn a_comparison_survives_json_and_comes_out_the_same_twice() {
        let text = || serde_json::to_string(&both(rows(16, 1.0, 0), rows(16, 1.04, 1))).unwrap();
        assert_eq!(text(), text());
        let read: VariantComparison = serde_json::from_str(&text()).unwrap();
        assert_eq!((read.call, read.overall.len(), read.cells.len(), read.scores.len()), (ComparisonVerdict::Same, 9, 1, 2));
        assert_eq!(effect(&read, "p99(ttft where turn >= 1)").ratio.unwrap().low, None);
    }
}
