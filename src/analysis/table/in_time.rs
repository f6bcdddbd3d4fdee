//! Rows of a table in the order of their intended times, run by run.

use std::rc::Rc;

use super::super::AnalysisError;
use super::super::columns::NumericColumn;
use super::super::time_series::{TimeSeries, TimeSeriesBuilder};
use super::RequestTable;
use crate::vocabulary::metric::Metric;

impl RequestTable {
    /// The values of a metric in the order of the rows' intended times, run by run. Empty where these are not known.
    pub fn values_in_time(&self, metric: Metric) -> Result<Rc<TimeSeries>, AnalysisError> {
        self.in_time(Some(metric), self.values_of_row(metric)?)
    }

    /// Whether each request failed, as 1 or 0, in the order of the rows' intended times.
    pub fn failed_in_time(&self) -> Result<Rc<TimeSeries>, AnalysisError> {
        self.in_time(None, self.failure_of_row())
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "turns are counted from 0")]
    fn in_time(&self, of: Option<Metric>, bring: impl Fn(usize, &mut Vec<f64>)) -> Result<Rc<TimeSeries>, AnalysisError> {
        if let Some(known) = self.known.by_time.borrow().get(&of) {
            return Ok(Rc::clone(known));
        }
        let turns = self.columns.number(NumericColumn::Turn)?;
        let mut series = TimeSeriesBuilder::for_rows(self.rows());
        for run in self.rows_in_time()?.iter() {
            for row in run {
                series.add_row(turns.of(*row as usize).max(0.0) as u32, |values| bring(*row as usize, values));
            }
            series.end_run();
        }
        let series = Rc::new(series.finish());
        if self.columns.keeps() {
            self.known.by_time.borrow_mut().insert(of, Rc::clone(&series));
        }
        Ok(series)
    }

    /// The rows of each run in the order of their intended times; none where those of a run are all the same, as in files that do not tell them.
    fn rows_in_time(&self) -> Result<Rc<[Vec<u32>]>, AnalysisError> {
        if let Some(known) = self.known.in_time.get() {
            return Ok(Rc::clone(known));
        }
        let intended = self.columns.number(NumericColumn::Intended)?;
        let of_run = |run: usize| {
            let rows = self.rows.inside(&self.columns.of_run(run));
            let mut places = Vec::with_capacity(rows.len());
            places.extend(rows.iter().filter_map(|row| u32::try_from(row).ok()));
            places
        };
        let mut runs: Vec<Vec<u32>> = (0..self.columns.runs()).map(of_run).collect();
        let at = |row: &u32| intended.of(*row as usize);
        for run in &mut runs {
            run.sort_by(|left, right| at(left).total_cmp(&at(right)));
        }
        let is_untimed = |run: &Vec<u32>| run.len() > 1 && run.first().map(at) == run.last().map(at);
        if runs.iter().any(is_untimed) {
            runs.clear();
        }
        let runs: Rc<[Vec<u32>]> = runs.into();
        if self.columns.keeps() {
            let _ = self.known.in_time.set(Rc::clone(&runs));
        }
        Ok(runs)
    }
}
