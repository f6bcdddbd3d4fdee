//! Rows of a table in the order of their intended times, run by run.

use std::rc::Rc;

use super::super::AnalysisError;
use super::super::columns::NumericColumn;
use super::super::time_series::TimeSeries;
use super::RequestTable;
use crate::vocabulary::metric::Metric;

impl RequestTable {
    /// The values of a metric in the order of the rows' intended times, run by run. Empty where these are not known.
    pub fn values_in_time(&self, metric: Metric) -> Result<Rc<TimeSeries>, AnalysisError> {
        self.in_time(Some(metric), self.values_of_row(metric)?)
    }

    /// Whether each request failed, as 1 or 0, in the order of the rows' intended times.
    pub fn failed_in_time(&self) -> Result<Rc<TimeSeries>, AnalysisError> {
        self.in_time(None, self.failure_of_row()?)
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "turns are counted from 0")]
    fn in_time(&self, of: Option<Metric>, bring: impl Fn(usize, &mut Vec<f64>)) -> Result<Rc<TimeSeries>, AnalysisError> {
        if let Some(known) = self.known.by_time.borrow().get(&of) {
            return Ok(Rc::clone(known));
        }
        let turns = self.columns.number(NumericColumn::Turn)?;
        let mut series = TimeSeries::default();
        for run in self.rows_in_time()? {
            for row in run {
                series.add_row(turns[*row as usize].max(0.0) as u32, |values| bring(*row as usize, values));
            }
            series.end_run();
        }
        let series = Rc::new(series);
        self.known.by_time.borrow_mut().insert(of, Rc::clone(&series));
        Ok(series)
    }

    /// The rows of each run in the order of their intended times; none where those of a run are all the same, as in files that do not tell them.
    fn rows_in_time(&self) -> Result<&[Vec<u32>], AnalysisError> {
        if let Some(known) = self.known.in_time.get() {
            return Ok(known);
        }
        let intended = self.columns.number(NumericColumn::Intended)?;
        let mut runs: Vec<Vec<u32>> = vec![Vec::new(); self.columns.runs()];
        let mut run = 0;
        for row in self.rows.iter() {
            while row >= self.columns.of_run(run).end {
                run += 1;
            }
            runs[run].extend(u32::try_from(row));
        }
        let at = |row: &u32| intended[*row as usize];
        for run in &mut runs {
            run.sort_by(|left, right| at(left).total_cmp(&at(right)));
        }
        let is_untimed = |run: &Vec<u32>| run.len() > 1 && run.first().map(at) == run.last().map(at);
        if runs.iter().any(is_untimed) {
            runs.clear();
        }
        Ok(self.known.in_time.get_or_init(|| runs))
    }
}
