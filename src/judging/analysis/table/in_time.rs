//! Rows of a table in the order of their intended times, run by run.

use std::rc::Rc;

use super::super::AnalysisError;
use super::super::columns::NumericColumn;
use super::super::time_series::{TimeSeries, TimeSeriesBuilder};
use super::{RequestTable, RowValue};
use crate::vocabulary::goal::Measure;

impl RequestTable {
    /// The values of a measure in the order of the rows' intended times, run by run: its metric's, or 1 and 0 for what is true of a request.
    /// Empty where those times are not known. Asked of the table of all measured rows, so that where columns are not kept each run is read alone.
    pub fn in_time(&self, measure: &Measure) -> Result<Rc<TimeSeries>, AnalysisError> {
        let (rows, of) = (self.filtered(&measure.filter)?, RowValue::of(measure));
        if let Some((_, known)) = rows.known.by_time.borrow().iter().find(|(known, _)| *known == of) {
            return Ok(Rc::clone(known));
        }
        let gaps_of_a_failure = rows.gaps_of_a_failure(of.metric())?;
        let mut series = TimeSeriesBuilder::for_rows(rows.rows());
        let mut is_timed = true;
        if self.columns.keeps() {
            is_timed = rows.add_in_time(&of, gaps_of_a_failure, &mut series)?;
        } else {
            for run in 0..self.columns.runs() {
                let alone = self.run_alone(run)?.filtered(&measure.filter)?;
                is_timed = is_timed && alone.add_in_time(&of, gaps_of_a_failure, &mut series)?;
            }
        }
        let series = Rc::new(if is_timed { series.finish() } else { TimeSeries::default() });
        if self.columns.keeps() {
            rows.known.by_time.borrow_mut().push((of, Rc::clone(&series)));
        }
        Ok(series)
    }

    /// Adds the values of the table's rows, run by run. False where the intended times of a run are not known.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "turns are counted from 0")]
    fn add_in_time(&self, of: &RowValue, gaps_of_a_failure: usize, series: &mut TimeSeriesBuilder) -> Result<bool, AnalysisError> {
        let Some(runs) = self.rows_in_time()? else { return Ok(false) };
        let bring = self.bring(of, gaps_of_a_failure)?;
        let turns = self.columns.number(NumericColumn::Turn)?;
        for run in runs.iter() {
            for row in run {
                series.add_row(turns.of(*row as usize).max(0.0) as u32, |values| bring(*row as usize, values));
            }
            series.end_run();
        }
        Ok(true)
    }

    /// The rows of each run in the order of their intended times; `None` where those of a run are all the same, as in files that do not tell them.
    fn rows_in_time(&self) -> Result<Option<Rc<[Vec<u32>]>>, AnalysisError> {
        if let Some(known) = self.known.in_time.get() {
            return Ok(known.clone());
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
        let runs: Option<Rc<[Vec<u32>]>> = if runs.iter().any(is_untimed) { None } else { Some(runs.into()) };
        if self.columns.keeps() {
            let _ = self.known.in_time.set(runs.clone());
        }
        Ok(runs)
    }
}
