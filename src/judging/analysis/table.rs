//! The rows of one cell: what was measured in all its runs, pooled, with the values of each metric in seconds or tokens/s.
//!
//! In: the rows of saved runs, as the store gives them. Out: values of a metric, ascending or by session, a failed request among them as its
//! worst value. Only the measured phase is kept. What is worked out once is kept as long as the table is, unless there are very many rows. Must
//! not know goals' limits nor cells.

mod ascending;
mod in_time;
#[cfg(test)]
mod properties;
mod row_value;

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::rc::Rc;

use super::AnalysisError;
use super::clusters::SessionValues;
use super::columns::{NumericColumn, RequestColumns, TokenGapColumn};
use super::formula::MetricColumns;
use super::row_selection::RowSelection;
use super::session_rows::SessionRows;
use super::throughput::RunExtent;
use super::time_series::TimeSeries;
use crate::records::record::FailureKind;
use crate::records::store::{SavedRequests, SavedRun};
use crate::vocabulary::goal::{ConditionField, Measure, RowCondition};
use crate::vocabulary::metric::Metric;

pub use ascending::AscendingValues;
pub use row_value::RowValue;

/// Measured rows, pooled over runs.
#[derive(Debug, Clone)]
pub struct RequestTable {
    columns: Rc<RequestColumns>,
    rows: Rc<RowSelection>,
    /// The only one of the runs that it is of; all where there is none.
    only: Option<usize>,
    known: Rc<TableCache>,
}

/// Adds the values that a row brings.
type BringValues<'a> = Box<dyn Fn(usize, &mut Vec<f64>) + 'a>;

/// What has been worked out of a table.
#[derive(Debug, Default)]
struct TableCache {
    filtered: RefCell<Vec<(Vec<RowCondition>, RequestTable)>>,
    grouped: OnceCell<Rc<SessionRows>>,
    by_session: RefCell<Vec<(RowValue, Rc<SessionValues>)>>,
    /// The rows of each run in the order of their intended times, where these are known.
    in_time: OnceCell<Option<Rc<[Vec<u32>]>>>,
    by_time: RefCell<Vec<(RowValue, Rc<TimeSeries>)>>,
}

impl RequestTable {
    /// Pools the rows of a cell's runs.
    pub fn pool<'a>(runs: impl IntoIterator<Item = &'a SavedRequests>) -> Result<Self, AnalysisError> {
        Ok(Self::measured(RequestColumns::read(runs)?))
    }

    /// The same, with what else is known of the runs: how long they were measured, and among whom what went through them is divided.
    pub fn of_runs(runs: &[&SavedRun]) -> Result<Self, AnalysisError> {
        let columns = RequestColumns::read(runs.iter().map(|run| &run.requests))?;
        Ok(Self::measured(columns.with_extents(runs.iter().map(|run| RunExtent::of(run)))))
    }

    fn measured(columns: RequestColumns) -> Self {
        let measured = RowSelection::of_bits(columns.measured().clone());
        Self { columns: Rc::new(columns), rows: Rc::new(measured), only: None, known: Rc::default() }
    }

    fn with(&self, rows: RowSelection) -> Self {
        Self { columns: Rc::clone(&self.columns), rows: Rc::new(rows), only: self.only, known: Rc::default() }
    }

    /// The wanted rows; the table itself, with all that is known of it, where these are all.
    fn keeping(&self, wanted: impl Fn(usize) -> bool) -> Self {
        self.rows.keeping(wanted).map_or_else(|| self.clone(), |kept| self.with(kept))
    }

    /// The rows of one of the runs, by its place among them.
    #[must_use]
    pub fn of_run(&self, run: usize) -> Self {
        if self.columns.runs() == 1 && run == 0 {
            return self.clone();
        }
        Self { only: Some(run), ..self.with(self.rows.inside(&self.columns.of_run(run))) }
    }

    /// The places of the runs that it is of, whether they have rows or not.
    pub(super) fn runs(&self) -> Range<usize> {
        self.only.map_or(0..self.columns.runs(), |run| run..run + 1)
    }

    /// The rows of one of the runs of a table that has all measured ones: read by themselves where columns are not kept.
    pub(super) fn run_alone(&self, run: usize) -> Result<Self, AnalysisError> {
        Ok(self.columns.alone(run)?.map_or_else(|| self.of_run(run), Self::measured))
    }

    /// All rows of the runs, those of warm-up included.
    pub(super) fn columns(&self) -> &RequestColumns {
        &self.columns
    }

    /// Which rows of the columns, ascending.
    pub(super) fn picked(&self) -> impl Iterator<Item = usize> + '_ {
        self.rows.iter()
    }

    /// How many requests, failed ones included.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The rows that fulfil all conditions. A successful row that lacks a condition's field is left out; a failed one stays, so that a
    /// condition on what only an answer tells drops no failure.
    pub fn filtered(&self, conditions: &[RowCondition]) -> Result<Self, AnalysisError> {
        if conditions.is_empty() {
            return Ok(self.clone());
        }
        if let Some((_, known)) = self.known.filtered.borrow().iter().find(|(known, _)| known == conditions) {
            return Ok(known.clone());
        }
        let mut found = self.clone();
        for condition in conditions {
            found = found.fulfilling(condition)?;
        }
        // A table that kept itself would never be freed.
        if self.columns.keeps() && !Rc::ptr_eq(&found.known, &self.known) {
            self.known.filtered.borrow_mut().push((conditions.to_vec(), found.clone()));
        }
        Ok(found)
    }

    fn fulfilling(&self, condition: &RowCondition) -> Result<Self, AnalysisError> {
        let values = self.columns.number(column(condition.field))?;
        let scale = if condition.field == ConditionField::Time { 1e6 } else { 1.0 };
        Ok(self
            .keeping(|row| condition.keeps(Some(values.of(row) / scale).filter(|value| !value.is_nan()), || self.columns.is_failed(row))))
    }

    /// Whether each row failed.
    pub fn failed(&self) -> Vec<bool> {
        self.rows.iter().map(|row| self.columns.is_failed(row)).collect()
    }

    /// How many failed.
    pub fn failed_rows(&self) -> u64 {
        self.rows.iter().filter(|row| self.columns.is_failed(*row)).count() as u64
    }

    /// A value a row; NaN where it is undefined.
    pub(super) fn values_of(&self, metric: Metric) -> Result<impl Iterator<Item = f64> + '_, AnalysisError> {
        let formula = MetricColumns::of(&self.columns, metric)?;
        Ok(self.rows.iter().map(move |row| formula.value(row)))
    }

    /// How many requests are behind the values of a metric.
    pub fn requests_with(&self, metric: Metric) -> Result<u64, AnalysisError> {
        let requests = if metric == Metric::Itl {
            let gaps = self.columns.gaps()?;
            self.rows.iter().filter(|row| self.columns.is_failed(*row) || !gaps.of_row(*row).is_empty()).count()
        } else {
            self.values_of(metric)?.filter(|value| !value.is_nan()).count()
        };
        Ok(requests as u64)
    }

    /// The values of a metric by session (a session of each repeat is one of its own), in the order of runs and sessions.
    pub fn values_by_session(&self, metric: Metric) -> Result<Rc<SessionValues>, AnalysisError> {
        self.by_session(RowValue::Metric(metric))
    }

    /// What each row brings to a measure, by session.
    pub fn values_of_measure(&self, measure: &Measure) -> Result<Rc<SessionValues>, AnalysisError> {
        self.by_session(RowValue::of(measure))
    }

    /// Adds what a row brings.
    fn bring(&self, of: &RowValue, gaps_of_a_failure: usize) -> Result<BringValues<'_>, AnalysisError> {
        match of {
            RowValue::Metric(metric) => self.values_of_row(*metric, gaps_of_a_failure),
            RowValue::Failed => Ok(Box::new(|row, values| values.push(f64::from(u8::from(self.columns.is_failed(row)))))),
            RowValue::Good(levels) => {
                let good = self.good(levels)?;
                Ok(Box::new(move |row, values| values.push(good(row))))
            }
        }
    }

    /// Adds the values that a row brings; a failed one brings so many gaps.
    fn values_of_row(&self, metric: Metric, gaps_of_a_failure: usize) -> Result<BringValues<'_>, AnalysisError> {
        if metric == Metric::Itl {
            let gaps = self.columns.gaps()?;
            return Ok(Box::new(move |row, values| {
                if self.columns.is_failed(row) {
                    values.resize(values.len() + gaps_of_a_failure, f64::INFINITY);
                } else {
                    values.extend(seconds(gaps, row));
                }
            }));
        }
        let formula = MetricColumns::of(&self.columns, metric)?;
        Ok(Box::new(move |row, values| values.extend(Some(formula.value(row)).filter(|value| !value.is_nan()))))
    }

    /// What each row brings, in the rows' order, put together by session; those that bring nothing are left out.
    fn by_session(&self, of: RowValue) -> Result<Rc<SessionValues>, AnalysisError> {
        if let Some((_, known)) = self.known.by_session.borrow().iter().find(|(known, _)| *known == of) {
            return Ok(Rc::clone(known));
        }
        let bring = self.bring(&of, self.gaps_of_a_failure(of.metric())?)?;
        let mut sessions = SessionValues::with_capacity(self.rows());
        for rows in self.grouped()?.iter() {
            sessions.add(|values| rows.iter().for_each(|row| bring(*row as usize, values)));
        }
        let sessions = Rc::new(sessions);
        if self.columns.keeps() {
            self.known.by_session.borrow_mut().push((of, Rc::clone(&sessions)));
        }
        Ok(sessions)
    }

    fn grouped(&self) -> Result<Rc<SessionRows>, AnalysisError> {
        if let Some(known) = self.known.grouped.get() {
            return Ok(Rc::clone(known));
        }
        let sessions = self.columns.number(NumericColumn::Session)?;
        let mut grouped = SessionRows::default();
        for run in 0..self.columns.runs() {
            grouped.add(self.rows.inside(&self.columns.of_run(run)).iter(), &sessions);
        }
        let grouped = Rc::new(grouped);
        if self.columns.keeps() {
            let _ = self.known.grouped.set(Rc::clone(&grouped));
        }
        Ok(grouped)
    }

    /// Of each row: the place of its run among those pooled, and its session's number.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sessions are counted from 0")]
    pub fn session_keys(&self) -> Result<Vec<(usize, u64)>, AnalysisError> {
        let sessions = self.columns.number(NumericColumn::Session)?;
        Ok(self.rows.iter().map(|row| (self.columns.run_of(row), sessions.of(row).max(0.0) as u64)).collect())
    }

    /// A column of counts or stamps, row by row.
    pub fn counts(&self, number: NumericColumn) -> Result<Vec<Option<f64>>, AnalysisError> {
        let values = self.columns.number(number)?;
        Ok(self.rows.iter().map(|row| Some(values.of(row)).filter(|value| !value.is_nan())).collect())
    }

    /// The values of a metric, row by row: what [`values`](Self::values) has all together. None where it is undefined, many for gaps.
    pub fn values_by_row(&self, metric: Metric) -> Result<Vec<Vec<f64>>, AnalysisError> {
        if metric == Metric::Itl {
            let (gaps, share) = (self.columns.gaps()?, self.gaps_of_a_failure(Some(metric))?);
            let of_row = |row| if self.columns.is_failed(row) { vec![f64::INFINITY; share] } else { seconds(gaps, row).collect() };
            return Ok(self.rows.iter().map(of_row).collect());
        }
        Ok(self.values_of(metric)?.map(|value| if value.is_nan() { Vec::new() } else { vec![value] }).collect())
    }

    /// When each row was due, in seconds, and its value of a metric, in the rows' order; rows that lack either are left out.
    pub(super) fn values_when_due(&self, metric: Metric) -> Result<Vec<(f64, f64)>, AnalysisError> {
        let (due, formula) = (self.columns.number(NumericColumn::Intended)?, MetricColumns::of(&self.columns, metric)?);
        let mut values = Vec::with_capacity(self.rows());
        values.extend(
            self.rows.iter().map(|row| (due.of(row) / 1e6, formula.value(row))).filter(|(due, value)| !due.is_nan() && !value.is_nan()),
        );
        Ok(values)
    }

    /// The sum of a column of counts, over the rows that have it; `None` where none has.
    pub fn total(&self, number: NumericColumn) -> Result<Option<f64>, AnalysisError> {
        let values = self.columns.number(number)?;
        let told = self.rows.iter().map(|row| values.of(row)).filter(|value| !value.is_nan());
        Ok(told.fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value)))
    }

    /// Cached prompt tokens over prompt tokens, of the rows that tell both and that fulfil the conditions.
    pub fn hit_rate(&self, conditions: &[RowCondition]) -> Result<Option<f64>, AnalysisError> {
        let rows = self.filtered(conditions)?;
        let (cached, prompt) = (self.columns.number(NumericColumn::CachedTokens)?, self.columns.number(NumericColumn::PromptTokens)?);
        let mut sums = (0.0, 0.0);
        for row in rows.rows.iter() {
            let (cached, prompt) = (cached.of(row), prompt.of(row));
            if !cached.is_nan() && !prompt.is_nan() {
                sums = (sums.0 + cached, sums.1 + prompt);
            }
        }
        Ok((sums.1 > 0.0).then(|| sums.0 / sums.1))
    }

    /// Failures by kind.
    pub fn failures_by_kind(&self) -> BTreeMap<FailureKind, u64> {
        let mut kinds: HashMap<FailureKind, u64> = HashMap::new();
        for row in self.rows.iter().filter(|row| self.columns.is_failed(*row)) {
            *kinds.entry(self.columns.failure(row).unwrap_or(FailureKind::NoToken)).or_default() += 1;
        }
        kinds.into_iter().collect()
    }

    /// How many infinite gaps a failed request brings: as many as a successful one has on average, at least one; so the share of infinite gaps is
    /// about the share of failed requests, whatever the answers' length. 0 for what is no gap.
    fn gaps_of_a_failure(&self, metric: Option<Metric>) -> Result<usize, AnalysisError> {
        if metric != Some(Metric::Itl) {
            return Ok(0);
        }
        let gaps = self.columns.gaps()?;
        let successes = self.rows.iter().filter(|row| !self.columns.is_failed(*row));
        let (sum, count) = successes.fold((0_usize, 0_usize), |(sum, count), row| (sum + gaps.of_row(row).len(), count + 1));
        Ok(sum.div_ceil(count.max(1)).max(1))
    }
}

fn seconds(gaps: &TokenGapColumn, row: usize) -> impl Iterator<Item = f64> + '_ {
    gaps.of_row(row).iter().map(|gap| f64::from(*gap) / 1e6)
}

fn column(field: ConditionField) -> NumericColumn {
    match field {
        ConditionField::Turn => NumericColumn::Turn,
        ConditionField::Session => NumericColumn::Session,
        ConditionField::Lane => NumericColumn::Lane,
        ConditionField::PromptTokens => NumericColumn::PromptTokens,
        ConditionField::CachedTokens => NumericColumn::CachedTokens,
        ConditionField::OutputTokens => NumericColumn::OutputTokens,
        ConditionField::InFlight => NumericColumn::InFlight,
        ConditionField::LiveLanes => NumericColumn::LiveLanes,
        ConditionField::Time => NumericColumn::Intended,
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{answered, failed as failed_record, table, table_of_ttfts};
    use super::*;
    use crate::analysis::moments::{MomentRange, RequestMoment};
    use crate::foundation::clock::Micros;
    use crate::records::record::{FailureKind, RequestPhase, RequestRecord};
    use crate::vocabulary::goal::{Goal, Measure};
    use crate::vocabulary::metric::MetricDirection;

    fn conditions(text: &str) -> Vec<RowCondition> {
        format!("p95(ttft where {text})").parse::<Measure>().unwrap().filter
    }

    #[test]
    fn metrics_are_what_the_stamps_say() {
        let record = RequestRecord { intended_us: crate::foundation::clock::Micros(800_000), ..answered(1, 0, 0.5) };
        let rows = table(&[record]);
        // Sent at 1 s, due at 0.8 s, first event at 1.005 s, first token at 1.5 s, last at 1.52 s with four tokens in all.
        for (metric, expected) in [
            (Metric::Ttft, 0.5),
            (Metric::Ttfat, 0.5),
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
        assert_eq!(*rows.values(Metric::Itl).unwrap(), [0.01, 0.01]);
    }

    #[test]
    fn a_table_is_freed_also_where_its_conditions_keep_all_rows() {
        let rows = table(&[answered(0, 1, 0.5), answered(1, 1, 0.6)]);
        let columns = Rc::downgrade(&rows.columns);
        assert_eq!(rows.filtered(&conditions("turn >= 1")).unwrap().rows(), 2);
        drop(rows);
        assert!(columns.upgrade().is_none());
    }

    #[test]
    fn a_failed_request_is_the_worst_value_of_every_metric_and_never_gone() {
        let rows = table(&[answered(0, 1, 0.5), failed_record(1, 1, FailureKind::Connect)]);
        for metric in Metric::ALL {
            let values = rows.values(metric).unwrap();
            match metric.better() {
                MetricDirection::Lower => assert_eq!(values.last(), Some(&f64::INFINITY), "{metric}"),
                MetricDirection::Higher => assert_eq!(values.first(), Some(&0.0), "{metric}"),
            }
            assert_eq!(rows.requests_with(metric).unwrap(), 2, "{metric}");
        }
        assert_eq!(*rows.successful_values(Metric::Ttft).unwrap(), [0.5]);
        assert_eq!(rows.failures_by_kind(), BTreeMap::from([(FailureKind::Connect, 1)]));
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
        assert_eq!(*table(&[single, merged]).values(Metric::Tpot).unwrap(), [0.02]);
    }

    #[test]
    fn reasoning_comes_before_the_first_answer_token_and_alone_has_none() {
        let thinking = RequestRecord { first_answer_us: Some(Micros(1_515_000)), ..answered(1, 0, 0.5) };
        let only_reasoning = RequestRecord { first_answer_us: None, ..answered(2, 0, 0.5) };
        let rows = table(&[thinking, only_reasoning, failed_record(3, 0, FailureKind::Truncated)]);
        assert_eq!(*rows.values(Metric::Ttft).unwrap(), [0.5, 0.5, f64::INFINITY]);
        assert_eq!(*rows.values(Metric::Ttfat).unwrap(), [0.515, f64::INFINITY]);
        assert_eq!(rows.requests_with(Metric::Ttfat).unwrap(), 2);
    }

    #[test]
    fn only_the_measured_phase_counts() {
        let warmup = RequestRecord { phase: RequestPhase::Warmup, ..answered(0, 1, 99.0) };
        let prefill = RequestRecord { phase: RequestPhase::Prefill, ..answered(1, 1, 99.0) };
        assert_eq!(*table(&[warmup, prefill, answered(2, 1, 0.5)]).values(Metric::Ttft).unwrap(), [0.5]);
    }

    #[test]
    fn conditions_on_an_answer_drop_no_failure() {
        let rows = table(&[
            answered(0, 0, 0.1),
            answered(1, 1, 0.2),
            RequestRecord { cached_tokens: None, ..answered(2, 1, 0.3) },
            failed_record(3, 1, FailureKind::NoToken),
        ]);
        let values = |text: &str| rows.filtered(&conditions(text)).unwrap().values(Metric::Ttft).unwrap().to_vec();
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
        let once = MomentRange { n: 1, first: 2.0, last: 2.0 };
        assert_eq!(MomentRange::by_run(&rows, RequestMoment::Sent).unwrap(), [once], "session 1, turn 1 is sent at 2 s");
        assert_eq!(*rows.values(Metric::Ttft).unwrap(), [0.1, f64::INFINITY]);
    }

    #[test]
    fn runs_are_pooled_and_their_sessions_kept_apart() {
        let warmup = RequestRecord { phase: RequestPhase::Warmup, ..answered(0, 0, 9.0) };
        let run = |records: &[RequestRecord]| SavedRequests::held(crate::records::store::to_table(records).unwrap());
        let whole = run(&[answered(0, 1, 0.1), answered(0, 2, 0.2)]);
        for other in [whole.clone(), run(&[answered(0, 1, 0.1), warmup, answered(0, 2, 0.2)])] {
            let rows = RequestTable::pool([&whole, &other]).unwrap();
            assert_eq!(*rows.values(Metric::Ttft).unwrap(), [0.1, 0.1, 0.2, 0.2]);
            let sessions = rows.values_by_session(Metric::Ttft).unwrap();
            assert_eq!(sessions.iter().collect::<Vec<_>>(), [[0.1, 0.2], [0.1, 0.2]]);
            assert_eq!(MomentRange::by_run(&rows, RequestMoment::Sent).unwrap(), [MomentRange { n: 2, first: 1.0, last: 2.0 }; 2]);
            assert_eq!(rows.session_keys().unwrap(), [(0, 0), (0, 0), (1, 0), (1, 0)]);
            let second = rows.of_run(1);
            assert_eq!((second.rows(), MomentRange::by_run(&second, RequestMoment::Sent).unwrap().len()), (2, 1));
            assert_eq!(*second.values(Metric::E2e).unwrap(), [0.12, 0.22]);
        }
    }

    #[test]
    fn nothing_at_all_is_no_fault() {
        for rows in [RequestTable::pool([]).unwrap(), table(&[]), table_of_ttfts([])] {
            assert_eq!(rows.rows(), 0);
            assert!(Metric::ALL.into_iter().all(|metric| rows.values(metric).unwrap().is_empty()));
            assert_eq!(rows.hit_rate(&[]).unwrap(), None);
            assert_eq!(rows.filtered(&conditions("turn >= 1")).unwrap().rows(), 0);
        }
    }
}
