//! What is compared: the list of measures, and what each takes from the rows of a cell, session by session. Rows in, samples out; knows
//! neither intervals nor the other side.

use std::collections::BTreeMap;

use super::comparison::ComparedMeasure;
use super::gate::GateMeasures;
use crate::analysis::columns::NumericColumn;
use crate::analysis::estimate::MeasureSample as MeasuredRows;
use crate::analysis::throughput::throughput;
use crate::analysis::{AnalysisError, RequestTable, percentile};
use crate::records::store::SavedRun;
use crate::vocabulary::goal::{Aggregate, Measure, RowCondition};
use crate::vocabulary::metric::Metric;

/// A session of a cell: the repeat that it is of, and its number.
pub(super) type Key = (u32, u64);

/// One measure to compare.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct MeasureProbe {
    pub measure: ComparedMeasure,
    /// It takes part in deciding the whole comparison.
    pub primary: bool,
}

/// How a measure follows from what sessions bring.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum SampleStatistic {
    /// A percentile of the pooled values.
    Percentile(f64),
    Max,
    Min,
    /// The sum of the first numbers over that of the second ones, times a constant.
    Quotient(f64),
}

/// What the sessions of one side bring to one measure.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct PairedSample {
    /// Values by session, or one pair of sums.
    pub sessions: BTreeMap<Key, Vec<f64>>,
    /// Requests by session.
    pub requests: BTreeMap<Key, u64>,
    pub statistic: Option<SampleStatistic>,
    /// By how much what requests near in time have in common enlarges the variance beyond what sessions tell; 0 and 1 where it does not.
    pub effect_of_time: f64,
}

/// All measures: those of the goals first, which are the primary ones with the error rate; all are where there are no goals or all are to
/// decide. `filter` is what times to first token are filtered by where a goal does not say.
pub(super) fn probes(goals: &[Measure], filter: &[RowCondition], gate: GateMeasures) -> Vec<MeasureProbe> {
    let all_decide = goals.is_empty() || gate == GateMeasures::All;
    let of =
        |p: f64, metric: Metric, filter: &[RowCondition]| Measure { aggregate: Aggregate::Percentile(p, metric), filter: filter.to_vec() };
    let error_rate = Measure { aggregate: Aggregate::ErrorRate, filter: Vec::new() };
    let times = [of(50.0, Metric::Ttft, filter), of(95.0, Metric::Ttft, filter), of(99.0, Metric::Ttft, filter)];
    let mut primary = if goals.is_empty() { times[..2].to_vec() } else { goals.to_vec() };
    primary.push(error_rate);
    let rest = [of(50.0, Metric::Tpot, &[]), of(95.0, Metric::Tpot, &[]), of(95.0, Metric::Itl, &[])];
    let mut probes: Vec<MeasureProbe> = Vec::new();
    let all = primary.into_iter().map(|measure| (measure, true)).chain(times.into_iter().chain(rest).map(|measure| (measure, all_decide)));
    for (measure, primary) in all {
        if !probes.iter().any(|known| known.measure == ComparedMeasure::Measure(measure.clone())) {
            probes.push(MeasureProbe { measure: ComparedMeasure::Measure(measure), primary });
        }
    }
    probes.extend([ComparedMeasure::OutputTokens, ComparedMeasure::HitRate].map(|measure| MeasureProbe { measure, primary: all_decide }));
    probes
}

impl MeasureProbe {
    /// Takes what the measure needs from a cell's rows. `repeats` are those of the pooled runs, in their order.
    pub fn sample(&self, table: &RequestTable, repeats: &[u32], runs: &[&SavedRun]) -> Result<PairedSample, AnalysisError> {
        let rows = match &self.measure {
            ComparedMeasure::Measure(measure) => table.filtered(&measure.filter)?,
            ComparedMeasure::OutputTokens | ComparedMeasure::HitRate => table.clone(),
        };
        let keys = rows.session_keys()?.into_iter().map(|(run, session)| (repeats.get(run).copied().unwrap_or(u32::MAX), session));
        let keys: Vec<Key> = keys.collect();
        match &self.measure {
            ComparedMeasure::Measure(measure @ Measure { aggregate: Aggregate::Throughput(amount, scope), .. }) => {
                let Some(rate) = throughput(&rows, (amount, *scope), None)? else { return Ok(PairedSample::default()) };
                let brings = rows.amounts(amount)?;
                let amounts: Vec<f64> = rows.picked().map(brings).collect();
                let effect_of_time = MeasuredRows::of(measure, table)?.effect_of_time;
                Ok(PairedSample { effect_of_time, ..over_window(&rows, &keys, &amounts, rate.value)? })
            }
            ComparedMeasure::Measure(measure) => {
                let effect_of_time = MeasuredRows::of(measure, table)?.effect_of_time;
                Ok(PairedSample { effect_of_time, ..of_measure(measure, &rows, &keys)? })
            }
            ComparedMeasure::OutputTokens => output_tokens(&rows, &keys, runs),
            ComparedMeasure::HitRate => {
                let told = rows.counts(NumericColumn::CachedTokens)?.into_iter().zip(rows.counts(NumericColumn::PromptTokens)?);
                let told: Vec<Option<(f64, f64)>> = told.map(|(cached, prompt)| cached.zip(prompt)).collect();
                Ok(PairedSample::quotient(&keys, &told, 1.0))
            }
        }
    }
}

fn of_measure(measure: &Measure, rows: &RequestTable, keys: &[Key]) -> Result<PairedSample, AnalysisError> {
    let statistic = match &measure.aggregate {
        Aggregate::Percentile(p, _) => SampleStatistic::Percentile(*p),
        Aggregate::Max(_) => SampleStatistic::Max,
        Aggregate::Min(_) => SampleStatistic::Min,
        Aggregate::Mean(metric) => {
            let mut sample = PairedSample { statistic: Some(SampleStatistic::Quotient(1.0)), ..PairedSample::default() };
            for (key, values) in keys.iter().zip(rows.values_by_row(*metric)?) {
                for value in values {
                    sample.add(*key, (value, 1.0));
                }
            }
            return Ok(sample);
        }
        Aggregate::ErrorRate => {
            let failed: Vec<_> = rows.failed().into_iter().map(|failed| Some((f64::from(u8::from(failed)), 1.0))).collect();
            return Ok(PairedSample::quotient(keys, &failed, 1.0));
        }
        Aggregate::Goodput(levels) => {
            let good = rows.good(levels)?;
            let good: Vec<_> = rows.picked().map(|row| Some((good(row), 1.0))).collect();
            return Ok(PairedSample::quotient(keys, &good, 1.0));
        }
        // Its requests are parts of a window, and no values.
        Aggregate::Throughput(..) => return Ok(PairedSample::default()),
    };
    let mut sample = PairedSample { statistic: Some(statistic), ..PairedSample::default() };
    if let Some(metric) = measure.metric() {
        for (key, values) in keys.iter().zip(rows.values_by_row(metric)?) {
            if !values.is_empty() {
                *sample.requests.entry(*key).or_default() += 1;
                sample.sessions.entry(*key).or_default().extend(values);
            }
        }
    }
    Ok(sample)
}

/// Tokens over the window of all runs.
fn output_tokens(rows: &RequestTable, keys: &[Key], runs: &[&SavedRun]) -> Result<PairedSample, AnalysisError> {
    let tokens = rows.counts(NumericColumn::OutputTokens)?;
    let window: f64 = runs.iter().map(|run| run.record.counts.measured_window_us.as_secs_f64()).sum();
    if window <= 0.0 || tokens.iter().all(Option::is_none) {
        return Ok(PairedSample::default());
    }
    let tokens: Vec<f64> = tokens.into_iter().map(Option::unwrap_or_default).collect();
    over_window(rows, keys, &tokens, tokens.iter().sum::<f64>() / window)
}

/// What requests bring over the window of all runs, in all at `rate`. A session is not a part of the window, but brings its amounts and the time that it
/// was alive; the window is that time over the mean number of sessions alive, which is taken as given.
fn over_window(rows: &RequestTable, keys: &[Key], amounts: &[f64], rate: f64) -> Result<PairedSample, AnalysisError> {
    let (begin, end) = (rows.counts(NumericColumn::Intended)?, rows.counts(NumericColumn::Done)?);
    let mut lives: BTreeMap<Key, (f64, f64)> = BTreeMap::new();
    let mut sample = PairedSample::default();
    for (((key, begin), end), amount) in keys.iter().zip(begin).zip(end).zip(amounts) {
        let life = lives.entry(*key).or_insert((f64::INFINITY, 0.0));
        *life = (life.0.min(begin.unwrap_or(f64::INFINITY)), life.1.max(end.unwrap_or(0.0)));
        sample.add(*key, (*amount, 0.0));
    }
    let mut alive = 0.0;
    for (key, (begin, end)) in lives {
        let span = ((end - begin) / 1e6).max(0.0);
        alive += span;
        if let Some([_, below]) = sample.sessions.get_mut(&key).map(Vec::as_mut_slice) {
            *below = span;
        }
    }
    let total: f64 = amounts.iter().sum();
    // The quotient of both sums is the rate itself.
    sample.statistic = (total > 0.0).then(|| SampleStatistic::Quotient(rate * alive / total));
    Ok(sample)
}

impl PairedSample {
    fn quotient(keys: &[Key], parts: &[Option<(f64, f64)>], factor: f64) -> Self {
        let mut sample = Self { statistic: Some(SampleStatistic::Quotient(factor)), ..Self::default() };
        for (key, part) in keys.iter().zip(parts) {
            if let Some(part) = part {
                sample.add(*key, *part);
            }
        }
        sample
    }

    /// Adds one request's part of the two sums.
    fn add(&mut self, key: Key, (above, below): (f64, f64)) {
        *self.requests.entry(key).or_default() += 1;
        let sums = self.sessions.entry(key).or_insert_with(|| vec![0.0, 0.0]);
        if let [all_above, all_below] = sums.as_mut_slice() {
            *all_above += above;
            *all_below += below;
        }
    }
}

impl SampleStatistic {
    /// The statistic of ascending values; `None` where there are none. Not for sums.
    pub fn of_values(self, ascending: &[f64]) -> Option<f64> {
        match self {
            Self::Percentile(p) => percentile(ascending, p),
            Self::Max => ascending.last().copied(),
            Self::Min => ascending.first().copied(),
            Self::Quotient(_) => None,
        }
    }

    /// How many of n requests are expected beyond the statistic, on its thinner side: what its spread can be told from.
    #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
    pub fn beyond(self, n: u64) -> f64 {
        match self {
            Self::Percentile(p) => n as f64 * (p.min(100.0 - p) / 100.0),
            Self::Max | Self::Min => 0.0,
            Self::Quotient(_) => n as f64,
        }
    }
}
