//! From a saved sweep to its summary: every cell judged, scores, ratios between variants, and what the servers told.
//!
//! In: a saved sweep and goals. A cell that failed, that is invalid or that is missing has no numbers, whatever its rows say.

use std::collections::BTreeMap;

use super::bottleneck::limits;
use super::cells::{CellRuns, cells};
use super::client::{limited, worst_client};
use super::columns::{NumericColumn, RequestColumns};
use super::early_stop::CellEarlyStop;
use super::estimate::estimate;
use super::external::{connector, external, remarks};
use super::load_goals::without_rising_goals;
use super::monotone::reversals;
use super::nodes::node_notes;
use super::number_column::NumberColumn;
use super::repeats::by_repeat;
use super::scores::{ScoreAxes, scores};
use super::standard::GapReading;
use super::summary::{
    AxisSummary, BacklogGrowth, CacheHitShares, CellNote, CellState, CellSummary, CellThroughput, ClientLimits, FailureMessage,
    GoalJudgement, GoalVerdict, InitialTransient, NoteList, RatioBound, RunCounts, Score, ScoreRatio, ServerFigures, ServerMetricValue,
    SessionFigures, StandardFigures, StreamFigures, SuccessPercentiles, SummaryOptions, SweepNote, SweepSummary, VariantSummary,
    VoidReason,
};
use super::tool_ttft::renderings;
use super::untested::{frontier_counts, imply};
use super::verdict::judge;
use super::watched::RunServerFigures;
use super::{AnalysisError, Estimate, RequestTable, percentile};
use crate::foundation::on_all_cores::on_all_cores;
use crate::records::record::{CacheCheck, ClientEnvironment, RunOutcome, RunWork, RunWorkKind};
use crate::records::store::{SavedRun, SavedSweep};
use crate::vocabulary::goal::{Aggregate, Goal, Measure, RowCondition, SavedGoal};
use crate::vocabulary::metric::Metric;

/// Judges a saved sweep.
pub fn summarize(sweep: &SavedSweep, question: &SummaryOptions) -> Result<SweepSummary, AnalysisError> {
    let goals = if question.goals.is_empty() { SavedGoal::all(&sweep.manifest.goals)? } else { question.goals.clone() };
    let work = sweep.runs.first().map(|run| run.record.header.work());
    let shown = match (&question.shown, goals.first()) {
        (Some(measure), _) => measure.clone(),
        (None, Some(goal)) => goal.measure.clone(),
        (None, None) => default_measure(work.as_ref()),
    };
    let mut variants: Vec<VariantSummary> = Vec::new();
    let mut connectors: BTreeMap<&str, String> = BTreeMap::new();
    let cells = cells(sweep);
    let gaps_of = GapReading::of(sweep.runs.iter().map(|run| run.requests.rows()).sum());
    let forecast = question.forecast.as_ref();
    let questions = CellMeasures { goals: &goals, shown: &shown, also: &question.also, gaps_of };
    let summaries = on_all_cores(&cells, |cell| cell_summary(cell, &sweep.manifest.client, &questions));
    for (cell, summary) in cells.iter().zip(summaries) {
        let mut summary = summary?;
        if matches!(summary.state, CellState::Missing) {
            summary.predicted = forecast.and_then(|forecast| forecast.of_cell(cell.variant, &cell.axes)).cloned();
        }
        if let Some(connector) = connector(&cell.runs) {
            connectors.entry(cell.variant).or_insert(connector);
        }
        match variants.last_mut().filter(|variant| variant.name == cell.variant) {
            Some(variant) => variant.cells.push(summary),
            None => variants.push(VariantSummary {
                name: cell.variant.to_owned(),
                cells: vec![summary],
                scores: Vec::new(),
                limits: Vec::new(),
                reversals: Vec::new(),
                external: None,
            }),
        }
    }
    let axes: Vec<AxisSummary> =
        sweep.manifest.axes.iter().map(|(name, values)| AxisSummary { name: name.clone(), values: values.clone() }).collect();
    let mut notes: Vec<SweepNote> = sweep.notes.iter().map(|text| SweepNote::SavedRuns { text: text.clone() }).collect();
    notes.extend(node_notes(&sweep.manifest));
    notes.extend(forecast.map(|forecast| SweepNote::Predicted(forecast.origin.clone())));
    for variant in &mut variants {
        if let Some(search) = &sweep.manifest.search {
            imply(&mut variant.cells, &search.axes, &axes);
            notes.push(SweepNote::Frontier(frontier_counts(variant, &search.axes)));
        }
        let searched = sweep.manifest.search.as_ref().map_or(&[][..], |search| &search.axes);
        let score_axes = ScoreAxes { chosen: sweep.manifest.score.as_deref(), searched, work: work.as_ref() };
        let load = score_axes.load(&variant.cells);
        variant.scores = scores(&variant.cells, score_axes);
        let harder = without_rising_goals(&variant.cells);
        (variant.limits, variant.reversals) = (limits(&harder, &load), reversals(&harder, &load));
        variant.external = external(&variant.name, &variant.cells, connectors.remove(variant.name.as_str()));
    }
    Ok(SweepSummary {
        name: sweep.manifest.name.clone(),
        simulated: sweep.manifest.simulated,
        imported: sweep.manifest.imported.clone(),
        seed: sweep.manifest.seed,
        repeats: sweep.manifest.repeats,
        confidence: super::interval::CONFIDENCE,
        goals,
        shown_unit: shown.unit(),
        shown,
        axes,
        ratios: ratios(&variants),
        variants,
        runs: run_counts(sweep, &cells),
        notes: NoteList(notes),
    })
}

/// What tables show where nothing was asked: the steady state of the capacity benchmark, all turns of anything else.
fn default_measure(work: Option<&RunWork>) -> Measure {
    Measure { aggregate: Aggregate::Percentile(95.0, Metric::Ttft), filter: steady_state(work) }
}

/// Which rows are the steady state where no goal says it: the follow-ups of the capacity benchmark, all turns of anything else.
pub(super) fn steady_state(work: Option<&RunWork>) -> Vec<RowCondition> {
    let brings_documents = work.is_some_and(|work| work.kind == Some(RunWorkKind::DocumentQa));
    if brings_documents { vec![RowCondition::FOLLOW_UPS] } else { Vec::new() }
}

fn run_counts(sweep: &SavedSweep, cells: &[CellRuns<'_>]) -> RunCounts {
    let count =
        |fits: &dyn Fn(&crate::records::record::RunRecord) -> bool| sweep.runs.iter().filter(|run| fits(&run.record)).count() as u64;
    RunCounts {
        // What a search left out by design was not planned.
        planned: if sweep.manifest.search.is_some() { sweep.runs.len() } else { sweep.manifest.runs.len() } as u64,
        whole: count(&|run| run.outcome != RunOutcome::Interrupted),
        failed: count(&|run| matches!(run.outcome, RunOutcome::Failed(_))),
        invalid: count(&|run| run.invalidity().is_some()),
        curtailed: count(&|run| matches!(run.outcome, RunOutcome::Curtailed(_))),
        not_needed: cells.iter().filter(|cell| is_curtailed(cell)).map(|cell| cell.planned.saturating_sub(cell.runs.len()) as u64).sum(),
    }
}

fn is_curtailed(cell: &CellRuns<'_>) -> bool {
    cell.runs.iter().any(|run| matches!(run.record.outcome, RunOutcome::Curtailed(_)))
}

/// The figures of a run's samples; `number` is its place among the runs of its cell.
fn watched(run: &SavedRun, number: usize, columns: &RequestColumns, output: &NumberColumn) -> Result<RunServerFigures, AnalysisError> {
    let told = columns.of_run(number).map(|row| output.of(row)).filter(|tokens| !tokens.is_nan());
    Ok(RunServerFigures::of(&run.samples()?, told.sum()))
}

/// What the server told of a cell. The pool is what the run's record says, else what its metrics say; where no metric tells the sources of
/// prompt tokens, answers that tell their cached tokens tell at least how many came from any cache.
#[expect(clippy::cast_precision_loss, reason = "token counts are far below 2^53")]
fn server_figures(cell: &CellRuns<'_>, watched: &[RunServerFigures], rates: &CellThroughput) -> ServerFigures {
    let mut figures = ServerFigures::pool(watched);
    let facts = || cell.runs.iter().filter_map(|run| run.record.server.as_ref());
    let pool = facts().find_map(|facts| Some((facts.kv_pool_tokens?, facts.kv_pool_from.clone())));
    if let Some((tokens, from)) = pool {
        figures.kv_pool_tokens = Some(ServerMetricValue { value: tokens as f64, by: from.unwrap_or_else(|| "run.json".to_owned()) });
    }
    if figures.hits.is_none() {
        let hits = |cached| CacheHitShares { device: None, external: None, cached, computed: 1.0 - cached, by: "cached_tokens".to_owned() };
        figures.hits = rates.hit_rate.map(hits);
    }
    figures
}

/// What is asked of each cell.
struct CellMeasures<'a> {
    goals: &'a [Goal],
    shown: &'a Measure,
    also: &'a [Measure],
    gaps_of: GapReading,
}

fn cell_summary(cell: &CellRuns<'_>, machine: &ClientEnvironment, questions: &CellMeasures<'_>) -> Result<CellSummary, AnalysisError> {
    let CellMeasures { goals, shown, also, gaps_of } = *questions;
    let table = RequestTable::of_runs(&cell.runs)?;
    let runs = cell.runs.iter().enumerate();
    let output = table.columns().number(NumericColumn::OutputTokens)?;
    let watched = &runs.map(|(number, run)| watched(run, number, table.columns(), &output)).collect::<Result<Vec<_>, _>>()?;
    drop(output);
    let state = cell.state();
    let measured = state == CellState::Measured;
    let by_repeat = if measured { by_repeat(cell, &table, goals, shown)? } else { Vec::new() };
    let curtailment = cell.curtailment();
    let judgement = |goal: &Goal| match &curtailment {
        Some(curtailment) => curtailment.judge(goal, &table),
        None => judge(goal, &table),
    };
    let shown_or_asked: Vec<&Measure> = goals.iter().map(|goal| &goal.measure).chain([shown]).collect();
    let asked = goals;
    let mut goals: Vec<GoalJudgement> = if measured { asked.iter().map(judgement).collect::<Result<_, _>>()? } else { Vec::new() };
    let client = worst_client(cell);
    let client_limits = if measured { limited(&client, machine, asked) } else { ClientLimits::default() };
    let streams = if measured { StreamFigures::of(&table)? } else { StreamFigures::default() };
    for (goal, judgement) in asked.iter().zip(&mut goals) {
        let by_client = client_limits.is_limited().then_some(VoidReason::ClientLimited);
        if let Some(reason) = by_client.or_else(|| streams.void(&goal.measure)) {
            judgement.make_void(reason);
        }
    }
    let backlog_growth = if measured { BacklogGrowth::of(cell, &table, &shown_or_asked, client_limits.is_limited())? } else { None };
    if let Some(growth) = &backlog_growth {
        growth.hold_back(&mut goals);
    }
    let judged = measured && !goals.is_empty();
    let failures = table.failures_by_kind();
    let rates = if measured { CellThroughput::of(&cell.runs, &table)? } else { CellThroughput::default() };
    let work = cell.runs.first().map(|run| run.record.header.work());
    let standard = if measured { StandardFigures::of(&table, work.as_ref(), gaps_of)? } else { StandardFigures::default() };
    let asked_also = |measure| shown_estimate(measure, &table, &goals, curtailment.as_ref());
    let also = if measured { also.iter().map(asked_also).collect::<Result<_, _>>()? } else { Vec::new() };
    Ok(CellSummary {
        axes: cell.axes.clone(),
        runs: cell.runs.len() as u64,
        planned_runs: cell.planned as u64,
        n: table.rows() as u64,
        failed: failures.values().sum(),
        failures,
        failure_words: failure_words(cell),
        shown: if measured { Some(shown_estimate(shown, &table, &goals, curtailment.as_ref())?) } else { None },
        passes: if judged { passes(&goals) } else { None },
        curtailed: curtailment.map(|curtailment| curtailment.told),
        verdict: judged.then(|| GoalVerdict::all(goals.iter().map(|goal| goal.verdict))),
        goals,
        // What grows has no steady state to come to.
        transient: if measured && backlog_growth.is_none() { InitialTransient::of(cell, &table)? } else { None },
        backlog_growth,
        success_only: if measured { success_only(&table)? } else { SuccessPercentiles::default() },
        client,
        notes: notes(cell, &client_limits, &streams),
        client_limits,
        streams,
        by_repeat,
        renderings: if measured { renderings(&table, shown)? } else { Vec::new() },
        sessions: if measured { SessionFigures::of(&cell.runs, table.columns(), watched)? } else { SessionFigures::default() },
        server: if measured { server_figures(cell, watched, &rates) } else { ServerFigures::default() },
        rates,
        standard,
        also,
        predicted: None,
        state,
    })
}

/// The first words of each kind of failure.
fn failure_words(cell: &CellRuns<'_>) -> Vec<FailureMessage> {
    let mut found: Vec<FailureMessage> = Vec::new();
    for run in &cell.runs {
        for (kind, words) in &run.record.counts.failure_words {
            if !found.iter().any(|known| known.kind == *kind) {
                found.push(FailureMessage { kind: *kind, words: words.clone(), url: run.record.header.work().url });
            }
        }
    }
    found
}

/// Of all goals: not where one is not fulfilled, and unknown where one is.
pub(super) fn passes(goals: &[GoalJudgement]) -> Option<bool> {
    let outcomes = || goals.iter().map(GoalJudgement::outcome);
    if outcomes().any(|outcome| outcome == Some(false)) { Some(false) } else { outcomes().collect::<Option<Vec<_>>>().map(|_| true) }
}

/// The measure that tables show: as its goal has it where there is one, since a goal says on which side of a bound to look.
fn shown_estimate(
    shown: &Measure,
    table: &RequestTable,
    goals: &[GoalJudgement],
    curtailment: Option<&CellEarlyStop>,
) -> Result<Estimate, AnalysisError> {
    match (goals.iter().find(|judgement| judgement.estimate.measure == *shown), curtailment) {
        (Some(judgement), _) => Ok(judgement.estimate.clone()),
        (None, Some(curtailment)) => curtailment.estimate(shown, table),
        (None, None) => estimate(shown, table),
    }
}

fn success_only(table: &RequestTable) -> Result<SuccessPercentiles, AnalysisError> {
    let values = table.successful_values(Metric::Ttft)?;
    let at = |p: f64| percentile(&values, p);
    Ok(SuccessPercentiles { n: values.len() as u64, ttft_p50_s: at(50.0), ttft_p95_s: at(95.0), ttft_p99_s: at(99.0) })
}

fn notes(cell: &CellRuns<'_>, client_limits: &ClientLimits, streams: &StreamFigures) -> NoteList<CellNote> {
    let mut notes = Vec::new();
    if client_limits.is_limited() {
        notes.push(CellNote::ClientLimited(client_limits.clone()));
    }
    notes.extend(streams.notes());
    if !cell.runs.is_empty() && cell.runs.len() < cell.planned && !is_curtailed(cell) {
        notes.push(CellNote::MissingRuns { runs: cell.runs.len() as u64, planned_runs: cell.planned as u64 });
    }
    for run in &cell.runs {
        // Of a run that failed there is nothing to be proven.
        let is_whole = run.record.outcome.is_whole();
        if let (CacheCheck::NotProven(evidence), true) = (&run.record.cache_contract, is_whole) {
            notes.push(CellNote::UnprovenCaches { evidence: evidence.clone() });
        }
        notes.extend(run.record.notes.iter().map(|text| CellNote::RunNote { text: text.clone() }));
    }
    // Repeats tend to say the same, be it of figures that differ in digits that are not shown.
    let mut said = std::collections::BTreeSet::new();
    notes.retain(|note| said.insert(note.to_string()));
    NoteList(notes)
}

/// Headline numbers of each further variant against the first, score by score.
fn ratios(variants: &[VariantSummary]) -> Vec<ScoreRatio> {
    let Some((base, others)) = variants.split_first() else { return Vec::new() };
    let against = |other: &VariantSummary, score: &Score| {
        let counterpart = base.scores.iter().find(|known| known.within() == score.within() && known.name() == score.name())?;
        let (base_value, other_value) = (counterpart.headline(), score.headline());
        let bound = RatioBound::of(counterpart.bound(), score.bound());
        let both = base_value.zip(other_value).filter(|(base, _)| *base > 0.0 && bound != RatioBound::Unknown);
        let ratio = both.map(|(base, other)| other / base);
        let gain = base_value.is_none() && other_value.is_some() || base_value.zip(other_value).is_some_and(|(base, other)| other > base);
        Some(ScoreRatio {
            remarks: remarks(base, other, gain, score.within()),
            base: base.name.clone(),
            other: other.name.clone(),
            score: score.name(),
            within: score.within().clone(),
            base_value,
            other_value,
            ratio,
            bound,
        })
    };
    others.iter().flat_map(|other| other.scores.iter().filter_map(move |score| against(other, score))).collect()
}

#[cfg(test)]
mod tests {
    use crate::analysis::summary::CapacityShape;
    use serde_json::Value;

    use super::super::fixture::{answered, cell, failed, published, save, sweep, uniform};
    use super::*;
    use crate::records::record::{
        CacheEvidence, CacheResetMethod, CanaryFinding, FailureKind, FirstTurnFinding, InconclusiveCanary, InconclusiveTurns,
        InvalidRunReason, RunFailure, RunFailureCause,
    };
    use crate::records::store::read_sweep;

    const GOAL: &str = "p95(ttft where turn >= 1) <= 2s";

    fn summary(cells: &[super::super::fixture::Cell]) -> SweepSummary {
        summarize(&sweep(&[GOAL], cells), &SummaryOptions::default()).unwrap()
    }

    fn capacity(variant: &VariantSummary) -> &super::super::CapacityScore {
        match variant.scores.as_slice() {
            [Score::Capacity(score)] => score,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_published_tables_give_the_published_verdicts() {
        let mut cells = published("vllm");
        cells.extend(published("lmcache"));
        let dir = tempfile::tempdir().unwrap();
        save(dir.path(), &[GOAL], &cells);
        let summary = summarize(&read_sweep(dir.path()).unwrap(), &SummaryOptions::default()).unwrap();
        let [vllm, lmcache] = summary.variants.as_slice() else { panic!() };
        assert_eq!(capacity(vllm).max_product, Some(CapacityShape::new(4, 3)));
        assert_eq!(capacity(lmcache).max_product, Some(CapacityShape::new(4, 4)));
        assert_eq!(capacity(vllm).best_harmonic_mean.map(|shape| (shape.concurrent, shape.sequential)), Some((4, 3)));
        assert!((summary.ratios[0].ratio.unwrap() - 16.0 / 12.0).abs() < 1e-12);
        // 36 rows say nothing for sure at 95 %, and three rows or more that all miss a p95 do.
        assert_eq!(capacity(vllm).largest_met, None);
        assert_eq!(capacity(vllm).largest_not_excluded, Some(CapacityShape::new(4, 3)));
        let range = (capacity(vllm).harmonic_mean_met, capacity(vllm).harmonic_mean_not_excluded);
        assert_eq!(range, (None, Some(CapacityShape::new(4, 3))));
        // All but 3×4 and 4×4 are open: 36 rows of 59 in a run of 4×3, 3 of 59 in one of 1×1.
        let between = &capacity(vllm).between;
        let ends = [between.first().unwrap(), between.last().unwrap()].map(|cell| (cell.shape.unwrap().product, cell.extra_repeats));
        assert_eq!((between.len(), ends), (14, [(12, Some(1)), (1, Some(19))]));
        let worst = vllm.cells.last().unwrap();
        assert_eq!((worst.n, worst.verdict), (64, Some(GoalVerdict::Missed)));
        assert!((worst.shown.as_ref().unwrap().value.unwrap().get() - 33.565_437).abs() < 1e-12);
    }

    #[test]
    fn of_equal_products_the_larger_c_wins() {
        let fine = |c, s| cell("vllm", c, s, uniform(c, s, 0.5));
        let summary = summary(&[fine(3, 4), fine(4, 3), fine(2, 6), fine(6, 2)]);
        let score = capacity(&summary.variants[0]);
        assert_eq!(score.max_product, Some(CapacityShape::new(6, 2)));
        assert_eq!(score.best_harmonic_mean, Some(CapacityShape::new(4, 3)));
    }

    #[test]
    fn what_failed_is_invalid_or_is_missing_has_no_number_and_no_part_in_a_score() {
        let mut cells = vec![cell("vllm", 1, 1, uniform(1, 1, 0.5)), cell("vllm", 4, 4, uniform(4, 4, 0.5)), cell("vllm", 4, 3, vec![])];
        cells[1].cache_contract = CacheCheck::Failed(CacheEvidence::Text("the canary prompt brought 512 cached tokens".into()));
        cells[2].outcome = RunOutcome::Failed(RunFailure::new(RunFailureCause::Cell, "the server did not become ready".into()));
        cells.push(cell("vllm", 3, 3, uniform(3, 3, 0.5)));
        let mut saved = sweep(&[GOAL], &cells);
        saved.runs.pop();
        let summary = summarize(&saved, &SummaryOptions::default()).unwrap();
        let states: Vec<&CellState> = summary.variants[0].cells.iter().map(|cell| &cell.state).collect();
        assert_eq!(states[0], &CellState::Measured);
        assert_eq!(states[1], &CellState::Missing);
        assert!(matches!(states[2], CellState::Failed(failure) if failure.reason.contains("ready")));
        let evidence = CacheEvidence::Text("the canary prompt brought 512 cached tokens".into());
        assert_eq!(states[3], &CellState::Invalid { reason: InvalidRunReason::WarmCaches { evidence } });
        for cell in &summary.variants[0].cells[1..] {
            assert_eq!((&cell.shown, cell.passes, cell.verdict, cell.goals.len()), (&None, None, None, 0));
        }
        assert_eq!(capacity(&summary.variants[0]).max_product, Some(CapacityShape::new(1, 1)));
        assert_eq!(summary.runs, RunCounts { planned: 4, whole: 3, failed: 1, invalid: 1, ..RunCounts::default() });
    }

    #[test]
    fn what_is_not_proven_and_what_failed_is_told() {
        let mut records = uniform(2, 2, 0.5);
        records[0].cached_tokens = Some(1000);
        records.push(failed(9, 1, FailureKind::Http(503)));
        let mut unproven = cell("vllm", 2, 2, records);
        let first_turns = FirstTurnFinding::Inconclusive(InconclusiveTurns::NotReported);
        let canary = Some(CanaryFinding::Inconclusive(InconclusiveCanary::NotReported));
        let evidence = CacheEvidence::Checked { reset: CacheResetMethod::Restarted, canary, canary_site: None, first_turns };
        unproven.cache_contract = CacheCheck::NotProven(evidence.clone());
        let summary = summary(&[unproven]);
        let cell = &summary.variants[0].cells[0];
        assert_eq!(cell.notes.0, [CellNote::UnprovenCaches { evidence }]);
        assert_eq!(cell.failures, BTreeMap::from([(FailureKind::Http(503), 1)]));
        assert_eq!((cell.n, cell.failed, cell.success_only.n), (17, 1, 16));
        // 12 follow-ups at 900 of 1000, and one first turn of four.
        assert!((cell.rates.hit_rate.unwrap() - (12.0 * 900.0 + 1000.0) / 16_000.0).abs() < 1e-12);
    }

    #[test]
    fn repeats_are_pooled_and_cells_stand_in_the_order_of_the_axes() {
        let mut cells =
            vec![cell("vllm", 2, 1, uniform(2, 1, 3.0)), cell("vllm", 1, 1, uniform(1, 1, 0.5)), cell("vllm", 1, 1, uniform(1, 1, 0.7))];
        cells[2].repeat = 1;
        let summary = summary(&cells);
        let [one, two] = summary.variants[0].cells.as_slice() else { panic!() };
        assert_eq!((one.axes["workload.concurrent"].as_u64(), one.runs, one.n), (Some(1), 2, 8));
        assert_eq!(one.shown.as_ref().unwrap().value, super::super::ExtendedReal::new(0.7));
        assert_eq!((two.passes, one.passes), (Some(false), Some(true)));
    }

    #[test]
    fn a_sweep_over_one_axis_is_scored_by_the_largest_value_that_passes() {
        let at = |qps: f64, ttft| {
            let mut cell = cell("vllm", 1, 1, (0..20).map(|session| answered(session, 1, ttft)).collect());
            cell.axes = vec![("workload.qps".into(), serde_json::json!(qps))];
            cell
        };
        let summary = summary(&[at(0.5, 0.2), at(2.0, 0.4), at(4.0, 8.0)]);
        let [Score::Largest(score)] = summary.variants[0].scores.as_slice() else { panic!() };
        assert_eq!((score.axis.as_str(), score.passes, score.met, score.not_excluded), ("workload.qps", Some(2.0), None, Some(2.0)));
    }

    #[test]
    fn other_goals_judge_the_same_rows_anew() {
        let goals = vec!["max(ttft where turn >= 1) <= 100ms".parse().unwrap()];
        let saved = sweep(&[GOAL], &[cell("vllm", 1, 1, uniform(1, 1, 0.5))]);
        let summary = summarize(&saved, &SummaryOptions { goals, ..SummaryOptions::default() }).unwrap();
        assert_eq!(summary.variants[0].cells[0].verdict, Some(GoalVerdict::Missed));
        assert_eq!(summary.shown.to_string(), "max(ttft where turn >= 1)");
        assert_eq!(capacity(&summary.variants[0]).max_product, None);
    }

    #[test]
    fn percentiles_of_the_original_script_come_out_to_the_last_printed_digit() {
        let expected = include_str!("../../../tests/fixtures/lmbenchmark/expected.md");
        let (vllm, lmcache) = expected.split_once("## lmcache").unwrap();
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/lmbenchmark");
        let mut compared = 0;
        for (name, table) in [("vllm", vllm), ("lmcache", lmcache)] {
            for file in std::fs::read_dir(folder.join(name)).unwrap() {
                let saved: Value = serde_json::from_slice(&std::fs::read(file.unwrap().path()).unwrap()).unwrap();
                let count = |key: &str| saved["params"][key].as_u64().unwrap();
                let (c, s) = (count("num_users_concurrent"), count("num_users_sequential"));
                let rows = saved["results"].as_array().unwrap().iter().zip(0..);
                let record = |(row, session): (&Value, u64)| {
                    answered(session, u32::try_from(row["turn"].as_u64().unwrap()).unwrap(), row["ttft"].as_f64().unwrap())
                };
                let summary = summary(&[cell("vllm", c, s, rows.map(record).collect())]);
                let ours = summary.variants[0].cells[0].shown.as_ref().unwrap().value.unwrap().get();
                let theirs = table.lines().find_map(|line| {
                    let words: Vec<&str> = line.split_whitespace().collect();
                    (words.len() == 4 && words[1] == c.to_string() && words[2] == s.to_string()).then(|| words[3].parse::<f64>().unwrap())
                });
                assert!((ours - theirs.unwrap()).abs() < 1.1e-6, "{name} {c}x{s}: {ours} is not {theirs:?}");
                compared += 1;
            }
        }
        assert_eq!(compared, 32);
    }

    #[test]
    fn a_summary_survives_json() {
        let records = (0..30).map(|session| failed(session, 1, FailureKind::Connect)).collect();
        let mut warm = cell("vllm", 1, 2, uniform(1, 2, 0.5));
        warm.cache_contract = CacheCheck::Failed(CacheEvidence::NotEmptied { error: "cannot start `clear`".into() });
        let summary = summary(&[cell("vllm", 1, 1, records), warm]);
        let text = serde_json::to_string(&summary).unwrap();
        assert!(text.contains(r#""value":"inf""#), "{text}");
        assert_eq!(serde_json::from_str::<SweepSummary>(&text).unwrap(), summary);
    }
}
