//! The repeats of a cell one by one: what each run alone says, so that one that disagrees with the others can be seen.
//!
//! Plain values only, no intervals and no verdicts: those are for all repeats together. In: a cell's runs. Out: a line a run.

use super::cells::CellRuns;
use super::throughput::throughput;
use super::{AnalysisError, ExtendedReal, RequestTable, percentile};
use crate::analysis::summary::{RepeatCacheState, RepeatSummary};
use crate::records::record::{CacheCheck, RunOutcome};
use crate::vocabulary::goal::{Aggregate, Goal, Measure};

impl From<&CacheCheck> for RepeatCacheState {
    fn from(check: &CacheCheck) -> Self {
        match check {
            CacheCheck::Proven(_) => Self::ProvenEmpty,
            CacheCheck::NotProven(_) => Self::NotProven,
            CacheCheck::Failed(_) => Self::NotEmpty,
        }
    }
}

/// Each run of a cell by itself, in the order of the repeats; `pooled` holds the rows of all of them.
pub fn by_repeat(cell: &CellRuns<'_>, pooled: &RequestTable, goals: &[Goal], shown: &Measure) -> Result<Vec<RepeatSummary>, AnalysisError> {
    let of = |(number, run): (usize, &&crate::records::store::SavedRun)| {
        let table = pooled.run_alone(number)?;
        // Of a run that was ended early, what came says nothing of what would have come.
        let whole = !matches!(run.record.outcome, RunOutcome::Curtailed(_));
        let passes = |goal: &Goal| Ok(plain_value(&goal.measure, &table)?.is_some_and(|value| goal.allows(value)));
        let all = goals.iter().map(passes).collect::<Result<Vec<bool>, AnalysisError>>()?;
        let restarts_by_design = run.record.header.work().restarts_server;
        Ok(RepeatSummary {
            repeat: run.record.header.repeat,
            n: table.rows() as u64,
            failed: table.failed_rows(),
            shown: if whole { plain_value(shown, &table)?.and_then(ExtendedReal::new) } else { None },
            passes: (whole && !goals.is_empty()).then(|| all.into_iter().all(|passes| passes)),
            salt: run.record.salt.clone(),
            caches: (&run.record.cache_contract).into(),
            server_life: run.record.server.as_ref().and_then(|server| server.life).filter(|_| !restarts_by_design),
        })
    };
    cell.runs.iter().enumerate().map(of).collect()
}

/// A measure's value without its interval.
#[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
fn plain_value(measure: &Measure, table: &RequestTable) -> Result<Option<f64>, AnalysisError> {
    let rows = table.filtered(&measure.filter)?;
    let share = |hits: u64| (rows.rows() > 0).then(|| hits as f64 / rows.rows() as f64);
    match &measure.aggregate {
        Aggregate::ErrorRate => return Ok(share(rows.failed_rows())),
        Aggregate::Goodput(levels) => return Ok(share(rows.good_rows(levels)?)),
        Aggregate::Throughput(amount, scope) => return Ok(throughput(&rows, (amount, *scope), None)?.map(|rate| rate.value)),
        Aggregate::Percentile(..) | Aggregate::Mean(_) | Aggregate::Max(_) | Aggregate::Min(_) => {}
    }
    let Some(metric) = measure.metric() else { return Ok(None) };
    let values = rows.values(metric)?;
    Ok(match measure.aggregate {
        Aggregate::Percentile(p, _) => percentile(&values, p),
        Aggregate::Mean(_) => (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64),
        Aggregate::Min(_) => values.first().copied(),
        Aggregate::Max(_) | Aggregate::ErrorRate | Aggregate::Goodput(_) | Aggregate::Throughput(..) => values.last().copied(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Cell, cell, failed, sweep, uniform};
    use super::super::{SummaryOptions, summarize};
    use super::*;
    use crate::records::record::{CacheEvidence, FailureKind};

    #[test]
    fn each_run_stands_by_itself_beside_the_pooled_value() {
        let mut slow = cell("vllm", 2, 2, uniform(2, 2, 5.0));
        slow.records.push(failed(9, 1, FailureKind::Connect));
        slow.cache_contract = CacheCheck::NotProven(CacheEvidence::NotRun);
        let cells = [cell("vllm", 2, 2, uniform(2, 2, 0.5)), Cell { repeat: 1, ..slow }];
        let goals = ["p95(ttft where turn >= 1) <= 2s", "error_rate <= 10%"];
        let summary = summarize(&sweep(&goals, &cells), &SummaryOptions::default()).unwrap();
        let [first, second] = summary.variants[0].cells[0].by_repeat.as_slice() else { panic!() };
        assert_eq!(
            (first.repeat, first.n, first.failed, first.passes, first.caches),
            (0, 16, 0, Some(true), RepeatCacheState::ProvenEmpty)
        );
        assert_eq!(
            (second.repeat, second.n, second.failed, second.passes, second.caches),
            (1, 17, 1, Some(false), RepeatCacheState::NotProven)
        );
        assert_eq!((first.shown, second.shown), (ExtendedReal::new(0.5), ExtendedReal::new(f64::INFINITY)));
    }
}
