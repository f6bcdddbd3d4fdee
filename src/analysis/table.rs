//! The rows of one cell as a table: what was measured in all its runs, pooled, with a column in seconds or tokens/s for each metric.
//!
//! In: the frames of saved runs, as the store gives them. Out: values of a metric, ascending, a failed request among them as its worst
//! value. Only the measured phase is kept. Must not know goals' limits nor cells.

use std::collections::BTreeMap;

use polars::prelude::{
    BooleanChunked, ChunkAgg, ChunkCompareEq, ChunkFull, Column, DataFrame, DataType, Float64Chunked, IntoColumn, Series,
};

use super::AnalysisError;
use crate::goal::{Condition, Field};
use crate::metric::{Better, Metric};
use crate::record::{FailureKind, Phase};

/// Which moments of requests are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// When they were sent; those that never were have none.
    Sent,
    /// When the successful ones ended.
    Completed,
}

/// Measured rows, pooled over runs.
#[derive(Debug, Clone)]
pub struct Table {
    frame: DataFrame,
}

/// Metrics that are a value a row; the gaps between tokens are many.
const ROW_METRICS: [Metric; 7] =
    [Metric::Ttft, Metric::TtftIntended, Metric::Ttfe, Metric::E2e, Metric::Tpot, Metric::OutputTps, Metric::SendLag];

const RUN: &str = "run_number";
const FAILED: &str = "failed";

impl Table {
    /// Pools the frames of a cell's runs.
    pub fn pool<'a>(frames: impl IntoIterator<Item = &'a DataFrame>) -> Result<Self, AnalysisError> {
        let mut pooled: Option<DataFrame> = None;
        for (number, frame) in frames.into_iter().enumerate() {
            let rows = derived(frame, number)?;
            match &mut pooled {
                None => pooled = Some(rows),
                Some(pooled) => {
                    pooled.vstack_mut_owned(rows)?;
                }
            }
        }
        let mut frame = pooled.unwrap_or_default();
        frame.rechunk_mut();
        Ok(Self { frame })
    }

    /// How many requests, failed ones included.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.frame.height()
    }

    /// The rows that fulfil all conditions. A successful row that lacks a condition's field is left out; a failed one stays, so that a
    /// condition on what only an answer tells drops no failure.
    pub fn filtered(&self, conditions: &[Condition]) -> Result<Self, AnalysisError> {
        let mut frame = self.frame.clone();
        for condition in conditions {
            if frame.height() == 0 {
                break;
            }
            let values = number(&frame, field_column(condition.field))?;
            let failed = failed(&frame)?;
            let scale = if condition.field == Field::Time { 1e6 } else { 1.0 };
            let fits = values.iter().zip(&failed).map(|(value, failed)| match value {
                Some(value) => condition.comparison.holds(value / scale, condition.value),
                None => *failed,
            });
            let mask: BooleanChunked = fits.collect();
            frame = frame.filter(&mask)?;
        }
        Ok(Self { frame })
    }

    /// Whether each row failed.
    pub fn failed(&self) -> Result<Vec<bool>, AnalysisError> {
        if self.rows() == 0 { Ok(Vec::new()) } else { failed(&self.frame) }
    }

    /// The values of a metric, ascending. A failed request is +infinity, or 0 where higher is better; what is undefined for a
    /// successful one (time per output token of a single event, a rate without a token count) is left out.
    pub fn values(&self, metric: Metric) -> Result<Vec<f64>, AnalysisError> {
        let mut values = match (self.rows(), metric) {
            (0, _) => Vec::new(),
            (_, Metric::Itl) => self.gaps()?,
            _ => self.frame.column(metric.name())?.f64()?.iter().flatten().collect(),
        };
        values.sort_by(f64::total_cmp);
        Ok(values)
    }

    /// How many requests are behind the values of a metric.
    pub fn requests_with(&self, metric: Metric) -> Result<u64, AnalysisError> {
        let requests = match (self.rows(), metric) {
            (0, _) => 0,
            (_, Metric::Itl) => self.gap_lists()?.iter().zip(self.failed()?).filter(|(gaps, failed)| *failed || !gaps.is_empty()).count(),
            _ => self.rows() - self.frame.column(metric.name())?.null_count(),
        };
        Ok(requests as u64)
    }

    /// The values of a metric of successful requests alone, ascending.
    pub fn successful_values(&self, metric: Metric) -> Result<Vec<f64>, AnalysisError> {
        if self.rows() == 0 {
            return Ok(Vec::new());
        }
        let succeeded: BooleanChunked = self.failed()?.into_iter().map(|failed| Some(!failed)).collect();
        Self { frame: self.frame.filter(&succeeded)? }.values(metric)
    }

    /// The values of a metric by session (a session of each repeat is one of its own), in the order of first appearance.
    pub fn values_by_session(&self, metric: Metric) -> Result<Vec<Vec<f64>>, AnalysisError> {
        if self.rows() == 0 {
            return Ok(Vec::new());
        }
        if metric == Metric::Itl {
            let share = self.gaps_per_success()?;
            let rows = self.failed()?.into_iter().zip(self.gap_lists()?);
            return self.by_session(rows.map(|(failed, gaps)| if failed { vec![f64::INFINITY; share] } else { gaps }));
        }
        self.by_session(self.frame.column(metric.name())?.f64()?.iter())
    }

    /// Whether each request failed, as 1 or 0, by session.
    pub fn failed_by_session(&self) -> Result<Vec<Vec<f64>>, AnalysisError> {
        if self.rows() == 0 {
            return Ok(Vec::new());
        }
        self.by_session(self.failed()?.into_iter().map(|failed| Some(f64::from(u8::from(failed)))))
    }

    /// What each row brings, in the rows' order, put together by session; those that bring nothing are left out.
    fn by_session<V: IntoIterator<Item = f64>>(&self, rows: impl Iterator<Item = V>) -> Result<Vec<Vec<f64>>, AnalysisError> {
        let bits = |value: Option<f64>| value.unwrap_or(-1.0).to_bits();
        let (runs, sessions) = (number(&self.frame, RUN)?, number(&self.frame, "session")?);
        let keys = runs.iter().zip(sessions.iter()).map(|(run, session)| (bits(run), bits(session)));
        let mut sessions: BTreeMap<(u64, u64), Vec<f64>> = BTreeMap::new();
        for (key, values) in keys.zip(rows) {
            sessions.entry(key).or_default().extend(values);
        }
        Ok(sessions.into_values().filter(|values| !values.is_empty()).collect())
    }

    /// Of each row: the place of its run among those pooled, and its session's number.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "runs and sessions are counted from 0")]
    pub fn session_keys(&self) -> Result<Vec<(usize, u64)>, AnalysisError> {
        let (runs, sessions) = (self.counts(RUN)?, self.counts("session")?);
        let key = |(run, session): (Option<f64>, Option<f64>)| (run.unwrap_or(0.0) as usize, session.unwrap_or(0.0) as u64);
        Ok(runs.into_iter().zip(sessions).map(key).collect())
    }

    /// A column of counts or stamps, row by row.
    pub fn counts(&self, column: &str) -> Result<Vec<Option<f64>>, AnalysisError> {
        if self.rows() == 0 { Ok(Vec::new()) } else { Ok(number(&self.frame, column)?.iter().collect()) }
    }

    /// The values of a metric, row by row: what [`values`](Self::values) has all together. None where it is undefined, many for gaps.
    pub fn values_by_row(&self, metric: Metric) -> Result<Vec<Vec<f64>>, AnalysisError> {
        if self.rows() == 0 {
            return Ok(Vec::new());
        }
        if metric == Metric::Itl {
            let share = self.gaps_per_success()?;
            let rows = self.gap_lists()?.into_iter().zip(self.failed()?);
            return Ok(rows.map(|(gaps, failed)| if failed { vec![f64::INFINITY; share] } else { gaps }).collect());
        }
        Ok(self.frame.column(metric.name())?.f64()?.iter().map(|value| value.into_iter().collect()).collect())
    }

    /// The sum of a column of counts, over the rows that have it; `None` where none has.
    pub fn total(&self, column: &str) -> Result<Option<f64>, AnalysisError> {
        if self.rows() == 0 {
            return Ok(None);
        }
        let values = number(&self.frame, column)?;
        Ok(if values.null_count() == values.len() { None } else { values.sum() })
    }

    /// Cached prompt tokens over prompt tokens, of the rows that tell both and that fulfil the conditions.
    pub fn hit_rate(&self, conditions: &[Condition]) -> Result<Option<f64>, AnalysisError> {
        let rows = self.filtered(conditions)?;
        if rows.rows() == 0 {
            return Ok(None);
        }
        let cached = number(&rows.frame, "cached_tokens")?;
        let prompt = number(&rows.frame, "prompt_tokens")?;
        let mut sums = (0.0, 0.0);
        for (cached, prompt) in cached.iter().zip(prompt.iter()) {
            if let (Some(cached), Some(prompt)) = (cached, prompt) {
                sums = (sums.0 + cached, sums.1 + prompt);
            }
        }
        Ok((sums.1 > 0.0).then(|| sums.0 / sums.1))
    }

    /// Failures by kind.
    pub fn failures(&self) -> Result<BTreeMap<String, u64>, AnalysisError> {
        let mut kinds = BTreeMap::new();
        if self.rows() > 0 {
            let failure = self.frame.column("failure")?.str()?.clone();
            for (kind, failed) in failure.iter().zip(self.failed()?) {
                if failed {
                    *kinds.entry(kind.unwrap_or("no_token").to_owned()).or_default() += 1;
                }
            }
        }
        Ok(kinds)
    }

    /// When requests were sent, or successful ones ended, in seconds: run by run, each ascending.
    pub fn moments_by_run(&self, moment: Moment) -> Result<Vec<Vec<f64>>, AnalysisError> {
        let mut runs: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        if self.rows() > 0 {
            let (column, counts) = match moment {
                Moment::Sent => ("sent_us", self.sent()?),
                Moment::Completed => ("done_us", self.failed()?.into_iter().map(|failed| !failed).collect()),
            };
            for ((run, stamp), counts) in number(&self.frame, RUN)?.iter().zip(number(&self.frame, column)?.iter()).zip(counts) {
                if let (Some(run), Some(stamp), true) = (run, stamp, counts) {
                    runs.entry(run.to_bits()).or_default().push(stamp / 1e6);
                }
            }
        }
        let mut runs: Vec<_> = runs.into_values().collect();
        for stamps in &mut runs {
            stamps.sort_by(f64::total_cmp);
        }
        Ok(runs)
    }

    /// Which rows were sent at all: a turn that was still waiting when the run ended has a row, and was cancelled the moment it was "sent".
    fn sent(&self) -> Result<Vec<bool>, AnalysisError> {
        let cancelled = FailureKind::Cancelled.name();
        let kinds = self.frame.column("failure")?.str()?;
        let (sent, done) = (number(&self.frame, "sent_us")?, number(&self.frame, "done_us")?);
        let rows = kinds.iter().zip(sent.iter()).zip(done.iter());
        Ok(rows.map(|((kind, sent), done)| kind != Some(cancelled.as_str()) || sent < done).collect())
    }

    /// All gaps between token-bearing events. A failed request brings as many infinite ones as a successful request has on average, at
    /// least one: so the share of infinite gaps is about the share of failed requests, whatever the answers' length.
    fn gaps(&self) -> Result<Vec<f64>, AnalysisError> {
        let share = self.gaps_per_success()?;
        let mut values = Vec::new();
        for (gaps, failed) in self.gap_lists()?.into_iter().zip(self.failed()?) {
            if failed { values.resize(values.len() + share, f64::INFINITY) } else { values.extend(gaps) }
        }
        Ok(values)
    }

    fn gaps_per_success(&self) -> Result<usize, AnalysisError> {
        let failed = self.failed()?;
        let lists = self.gap_lists()?;
        let counts: Vec<usize> = lists.iter().zip(failed).filter(|(_, failed)| !failed).map(|(gaps, _)| gaps.len()).collect();
        Ok(counts.iter().sum::<usize>().div_ceil(counts.len().max(1)).max(1))
    }

    fn gap_lists(&self) -> Result<Vec<Vec<f64>>, AnalysisError> {
        let lists = self.frame.column("gaps_us")?.list()?;
        let list = |gaps: Option<Series>| -> Result<Vec<f64>, AnalysisError> {
            let Some(gaps) = gaps else { return Ok(Vec::new()) };
            Ok(gaps.cast(&DataType::Float64)?.f64()?.iter().flatten().map(|gap| gap / 1e6).collect())
        };
        (0..lists.len()).map(|row| list(lists.get_as_series(row))).collect()
    }
}

fn field_column(field: Field) -> &'static str {
    match field {
        Field::Time => "intended_us",
        other => other.name(),
    }
}

pub(super) fn number(frame: &DataFrame, name: &str) -> Result<Float64Chunked, AnalysisError> {
    Ok(frame.column(name)?.cast(&DataType::Float64)?.f64()?.clone())
}

fn failed(frame: &DataFrame) -> Result<Vec<bool>, AnalysisError> {
    Ok(frame.column(FAILED)?.bool()?.iter().map(|failed| failed == Some(true)).collect())
}

/// The measured rows of one run with the run's number, whether they failed, and their metrics.
fn derived(frame: &DataFrame, number_of_run: usize) -> Result<DataFrame, AnalysisError> {
    let measured = frame.column("phase")?.str()?.equal(Phase::Measure.name());
    let mut rows = frame.filter(&measured)?;
    // No token in a row without a failure cannot come from this program; it is a failure all the same, and never a 0.
    let failed = rows.column("failure")?.is_not_null() | rows.column("first_token_us")?.is_null();
    let metrics: Vec<Column> = ROW_METRICS.into_iter().map(|metric| metric_column(&rows, &failed, metric)).collect::<Result<_, _>>()?;
    #[expect(clippy::cast_precision_loss, reason = "runs of a cell are few")]
    let run = Float64Chunked::full(RUN.into(), number_of_run as f64, rows.height());
    rows.with_column(run.into_column())?;
    rows.with_column(failed.with_name(FAILED.into()).into_column())?;
    for column in metrics {
        rows.with_column(column)?;
    }
    Ok(rows)
}

fn metric_column(rows: &DataFrame, failed: &BooleanChunked, metric: Metric) -> Result<Column, AnalysisError> {
    let seconds = |later, earlier| difference_s(rows, later, earlier);
    let values = match metric {
        Metric::Ttft => seconds("first_token_us", "sent_us")?,
        Metric::TtftIntended => seconds("first_token_us", "intended_us")?,
        Metric::Ttfe => seconds("first_event_us", "sent_us")?,
        Metric::E2e => seconds("last_token_us", "sent_us")?,
        Metric::SendLag => seconds("sent_us", "intended_us")?,
        Metric::Tpot => {
            // Tokens of the first event are one where nobody tells.
            let first: Float64Chunked = number(rows, "first_event_tokens")?.iter().map(|tokens| Some(tokens.unwrap_or(1.0))).collect();
            positive_quotient(&seconds("last_token_us", "first_token_us")?, &(number(rows, "output_tokens")? - first))
        }
        Metric::OutputTps => positive_quotient(&number(rows, "output_tokens")?, &seconds("last_token_us", "sent_us")?),
        Metric::Itl => return Err(AnalysisError::NotPerRow { metric }),
    };
    let worst = match metric.better() {
        Better::Lower => f64::INFINITY,
        Better::Higher => 0.0,
    };
    let values: Float64Chunked =
        values.iter().zip(failed.iter()).map(|(value, failed)| if failed == Some(true) { Some(worst) } else { value }).collect();
    Ok(values.with_name(metric.name().into()).into_column())
}

/// A stamp less an earlier one, in seconds. Not `column / 1e6`, for which polars multiplies by the reciprocal: a value that is the limit
/// must equal it to the last bit.
fn difference_s(rows: &DataFrame, later: &str, earlier: &str) -> Result<Float64Chunked, AnalysisError> {
    let micros = number(rows, later)? - number(rows, earlier)?;
    Ok(micros.iter().map(|micros| Some(micros? / 1e6)).collect())
}

/// Row by row a / b; nothing where b is not above 0.
fn positive_quotient(dividends: &Float64Chunked, divisors: &Float64Chunked) -> Float64Chunked {
    let quotient = |(a, b): (Option<f64>, Option<f64>)| Some(a? / b.filter(|b| *b > 0.0)?);
    dividends.iter().zip(divisors.iter()).map(quotient).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{answered, failed as failed_record, table, table_of_ttfts};
    use super::*;
    use crate::clock::Micros;
    use crate::goal::{Goal, Measure};
    use crate::record::{FailureKind, RequestRecord};

    fn conditions(text: &str) -> Vec<Condition> {
        format!("p95(ttft where {text})").parse::<Measure>().unwrap().filter
    }

    #[test]
    fn metrics_are_what_the_stamps_say() {
        let record = RequestRecord { intended_us: crate::clock::Micros(800_000), ..answered(1, 0, 0.5) };
        let rows = table(&[record]);
        // Sent at 1 s, due at 0.8 s, first event at 1.005 s, first token at 1.5 s, last at 1.52 s with four tokens in all.
        for (metric, expected) in [
            (Metric::Ttft, 0.5),
            (Metric::TtftIntended, 0.7),
            (Metric::Ttfe, 0.005),
            (Metric::E2e, 0.52),
            (Metric::SendLag, 0.2),
            (Metric::Tpot, 0.02 / 3.0),
            (Metric::OutputTps, 4.0 / 0.52),
        ] {
            let values = rows.values(metric).unwrap();
            assert!(values.len() == 1 && (values[0] - expected).abs() < 1e-12, "{metric}: {values:?}");
        }
        assert_eq!(rows.values(Metric::Itl).unwrap(), [0.01, 0.01]);
    }

    #[test]
    fn a_failed_request_is_the_worst_value_of_every_metric_and_never_gone() {
        let rows = table(&[answered(0, 1, 0.5), failed_record(1, 1, FailureKind::Connect)]);
        for metric in Metric::ALL {
            let values = rows.values(metric).unwrap();
            match metric.better() {
                Better::Lower => assert_eq!(values.last(), Some(&f64::INFINITY), "{metric}"),
                Better::Higher => assert_eq!(values.first(), Some(&0.0), "{metric}"),
            }
            assert_eq!(rows.requests_with(metric).unwrap(), 2, "{metric}");
        }
        assert_eq!(rows.successful_values(Metric::Ttft).unwrap(), [0.5]);
        assert_eq!(rows.failures().unwrap(), BTreeMap::from([("connect".to_owned(), 1)]));
    }

    #[test]
    fn the_share_of_infinite_gaps_is_that_of_failed_requests() {
        let mut records: Vec<RequestRecord> = (0..19).map(|session| answered(session, 1, 0.5)).collect();
        records.push(failed_record(19, 1, FailureKind::TimeoutIdle));
        let gaps = table(&records).values(Metric::Itl).unwrap();
        assert_eq!((gaps.len(), gaps.iter().filter(|gap| gap.is_infinite()).count()), (40, 2));
    }

    #[test]
    fn time_per_output_token_is_undefined_for_a_single_event_and_not_zero() {
        let single = RequestRecord { gaps_us: Vec::new(), output_tokens: Some(1), ..answered(0, 1, 0.5) };
        assert!(table(std::slice::from_ref(&single)).values(Metric::Tpot).unwrap().is_empty());
        // Four tokens in the first event and one after it.
        let merged = RequestRecord { first_event_tokens: Some(4), output_tokens: Some(5), ..answered(1, 1, 0.5) };
        assert_eq!(table(&[single, merged]).values(Metric::Tpot).unwrap(), [0.02]);
    }

    #[test]
    fn only_the_measured_phase_counts() {
        let warmup = RequestRecord { phase: Phase::Warmup, ..answered(0, 1, 99.0) };
        let prefill = RequestRecord { phase: Phase::Prefill, ..answered(1, 1, 99.0) };
        assert_eq!(table(&[warmup, prefill, answered(2, 1, 0.5)]).values(Metric::Ttft).unwrap(), [0.5]);
    }

    #[test]
    fn conditions_on_an_answer_drop_no_failure() {
        let rows = table(&[
            answered(0, 0, 0.1),
            answered(1, 1, 0.2),
            RequestRecord { cached_tokens: None, ..answered(2, 1, 0.3) },
            failed_record(3, 1, FailureKind::NoToken),
        ]);
        let values = |text: &str| rows.filtered(&conditions(text)).unwrap().values(Metric::Ttft).unwrap();
        assert_eq!(values("turn >= 1"), [0.2, 0.3, f64::INFINITY]);
        assert_eq!(values("cached_tokens >= 1"), [0.2, f64::INFINITY]);
        assert_eq!(values("turn == 0"), [0.1]);
        assert_eq!(values("time < 1.5s and turn < 1"), [0.1]);
        assert!(values("turn > 7").is_empty());
        assert_eq!("p95(ttft) <= 2s".parse::<Goal>().unwrap().measure.filter, []);
    }

    #[test]
    fn a_turn_that_was_never_sent_is_a_failure_but_no_sending() {
        let unsent =
            RequestRecord { sent_us: Micros(9_000_000), done_us: Micros(9_000_000), ..failed_record(2, 1, FailureKind::Cancelled) };
        let rows = table(&[answered(1, 1, 0.1), unsent]);
        assert_eq!(rows.moments_by_run(Moment::Sent).unwrap(), [[2.0]], "session 1, turn 1 is sent at 2 s");
        assert_eq!(rows.values(Metric::Ttft).unwrap(), [0.1, f64::INFINITY]);
    }

    #[test]
    fn runs_are_pooled_and_their_sessions_kept_apart() {
        let frame = crate::store::to_table(&[answered(0, 1, 0.1), answered(0, 2, 0.2)]).unwrap();
        let rows = Table::pool([&frame, &frame]).unwrap();
        assert_eq!(rows.values(Metric::Ttft).unwrap(), [0.1, 0.1, 0.2, 0.2]);
        assert_eq!(rows.values_by_session(Metric::Ttft).unwrap(), [[0.1, 0.2], [0.1, 0.2]]);
        assert_eq!(rows.moments_by_run(Moment::Sent).unwrap(), [[1.0, 2.0], [1.0, 2.0]]);
    }

    #[test]
    fn nothing_at_all_is_no_fault() {
        for rows in [Table::pool([]).unwrap(), table(&[]), table_of_ttfts([])] {
            assert_eq!(rows.rows(), 0);
            assert!(Metric::ALL.into_iter().all(|metric| rows.values(metric).unwrap().is_empty()));
            assert_eq!(rows.hit_rate(&[]).unwrap(), None);
            assert_eq!(rows.filtered(&conditions("turn >= 1")).unwrap().rows(), 0);
        }
    }
}
