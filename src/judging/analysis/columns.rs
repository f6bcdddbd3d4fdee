//! The columns of a cell's runs as plain numbers, one run behind the other: what all figures of the cell are worked out from.
//!
//! In: saved rows. Out: a number a row and column, NaN where a row lacks it; phases as bits and failures as codes; gaps between tokens, which are
//! only read where a figure needs them. A column is read once, but for those of very many rows: of them each is held for as long as a figure
//! uses it. Must not know metrics.

use std::cell::{OnceCell, RefCell};
use std::ops::Range;
use std::rc::{Rc, Weak};

use polars::prelude::DataFrame;
use polars_arrow::bitmap::{Bitmap, BitmapBuilder};

use super::AnalysisError;
use super::number_column::{NumberColumn, NumberColumnBuilder, many_rows};
use super::throughput::RunExtent;
use crate::records::record::{FailureKind, FirstEventSource, RequestPhase};
use crate::records::store::SavedRequests;

/// A column of counts or stamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumericColumn {
    Session,
    Turn,
    Sent,
    FirstEvent,
    FirstToken,
    LastToken,
    Done,
    FirstEventTokens,
    PromptTokens,
    CachedTokens,
    OutputTokens,
    InFlight,
    Intended,
    Lane,
    LiveLanes,
    FirstAnswer,
    TokenEvents,
    TokenReads,
    ReasoningTokens,
    HiddenTokens,
    ForcedTokens,
}

/// All of them; those that the figures of every cell need stand first.
const NUMBERS: [NumericColumn; 21] = [
    NumericColumn::Session,
    NumericColumn::Turn,
    NumericColumn::Sent,
    NumericColumn::FirstEvent,
    NumericColumn::FirstToken,
    NumericColumn::LastToken,
    NumericColumn::Done,
    NumericColumn::FirstEventTokens,
    NumericColumn::PromptTokens,
    NumericColumn::CachedTokens,
    NumericColumn::OutputTokens,
    NumericColumn::InFlight,
    NumericColumn::Intended,
    NumericColumn::Lane,
    NumericColumn::LiveLanes,
    NumericColumn::FirstAnswer,
    NumericColumn::TokenEvents,
    NumericColumn::TokenReads,
    NumericColumn::ReasoningTokens,
    NumericColumn::HiddenTokens,
    NumericColumn::ForcedTokens,
];

/// How many of them are needed always.
const USUAL: usize = 13;

/// Opening a file costs more than all columns of so many rows: they are read in one go.
const FEW_ROWS: usize = 10_000;

impl NumericColumn {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Turn => "turn",
            Self::Sent => "sent_us",
            Self::FirstEvent => "first_event_us",
            Self::FirstToken => "first_token_us",
            Self::LastToken => "last_token_us",
            Self::Done => "done_us",
            Self::FirstEventTokens => "first_event_tokens",
            Self::PromptTokens => "prompt_tokens",
            Self::CachedTokens => "cached_tokens",
            Self::OutputTokens => "output_tokens",
            Self::InFlight => "in_flight",
            Self::Intended => "intended_us",
            Self::Lane => "lane",
            Self::LiveLanes => "live_lanes",
            Self::FirstAnswer => "first_answer_us",
            Self::TokenEvents => "token_events",
            Self::TokenReads => "token_reads",
            Self::ReasoningTokens => "reasoning_tokens",
            Self::HiddenTokens => "hidden_tokens",
            Self::ForcedTokens => "forced_tokens",
        }
    }
}

/// The gaps between the tokens of each row, in microseconds, one row behind the other.
#[derive(Debug, Default)]
pub(super) struct TokenGapColumn {
    values: Vec<u32>,
    ends: Vec<usize>,
}

impl TokenGapColumn {
    pub fn of_row(&self, row: usize) -> &[u32] {
        let begin = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.values[begin..self.ends[row]]
    }
}

/// A column that was read.
#[derive(Debug, Default)]
enum KeptColumn {
    #[default]
    Unread,
    Held(Rc<NumberColumn>),
    /// As long as somebody else holds it.
    Lent(Weak<NumberColumn>),
}

/// All rows of some runs, those of warm-up included.
#[derive(Debug)]
pub(super) struct RequestColumns {
    runs: Vec<SavedRequests>,
    /// Of each run, as far as it is known.
    extents: Vec<RunExtent>,
    /// The first row of each run, and at last how many rows there are.
    starts: Vec<usize>,
    numbers: RefCell<[KeptColumn; NUMBERS.len()]>,
    gaps: OnceCell<TokenGapColumn>,
    measured: Bitmap,
    failed: Bitmap,
    /// 0 for none, else the place of the kind in `failure_kinds`, from 1.
    failures: Vec<u8>,
    failure_kinds: Vec<FailureKind>,
}

impl RequestColumns {
    /// Reads what every cell's figures need.
    pub fn read<'a>(runs: impl IntoIterator<Item = &'a SavedRequests>) -> Result<Self, AnalysisError> {
        let runs: Vec<SavedRequests> = runs.into_iter().cloned().collect();
        let mut starts = vec![0];
        starts.extend(runs.iter().scan(0, |rows, run| {
            *rows += run.rows();
            Some(*rows)
        }));
        let rows = starts.last().copied().unwrap_or(0);
        let mut columns = Self {
            extents: vec![RunExtent::default(); runs.len()],
            runs,
            starts,
            numbers: RefCell::default(),
            gaps: OnceCell::new(),
            measured: Bitmap::new(),
            failed: Bitmap::new(),
            failures: Vec::with_capacity(rows),
            failure_kinds: Vec::new(),
        };
        columns.read_usual(rows)?;
        Ok(columns)
    }

    /// Phases, failures and, where they are kept, the usual numbers, in one pass.
    fn read_usual(&mut self, rows: usize) -> Result<(), AnalysisError> {
        let usual = match rows {
            0..FEW_ROWS => &NUMBERS[..],
            _ if rows < many_rows() => &NUMBERS[..USUAL],
            _ => &[],
        };
        let mut names: Vec<&str> = usual.iter().map(|number| number.name()).collect();
        names.extend(["phase", "failure", NumericColumn::FirstToken.name()]);
        let mut numbers: Vec<NumberColumnBuilder> = usual.iter().map(|_| NumberColumnBuilder::for_rows(rows)).collect();
        let (mut measured, mut failed) = (BitmapBuilder::with_capacity(rows), BitmapBuilder::with_capacity(rows));
        for run in self.runs.clone() {
            run.columns(&names, |part| {
                for (number, values) in usual.iter().zip(&mut numbers) {
                    add_numbers(part, *number, values)?;
                }
                for phase in part.column("phase")?.str()?.iter() {
                    measured.push(phase == Some(RequestPhase::Measure.name()));
                }
                self.add_failures(part)?;
                let first_tokens = part.column(NumericColumn::FirstToken.name())?.i64()?;
                for first_token in first_tokens.iter() {
                    let row = failed.len();
                    failed.push(!self.was_left(row) && (self.failures[row] > 0 || first_token.is_none()));
                }
                Ok::<_, AnalysisError>(())
            })?;
        }
        (self.measured, self.failed) = (measured.freeze(), failed.freeze());
        for (number, values) in usual.iter().zip(numbers) {
            self.numbers.get_mut()[*number as usize] = KeptColumn::Held(Rc::new(values.finish()));
        }
        Ok(())
    }

    fn add_failures(&mut self, part: &DataFrame) -> Result<(), AnalysisError> {
        let column = part.column("failure")?.str()?;
        if column.null_count() == column.len() {
            self.failures.resize(self.failures.len() + column.len(), 0);
            return Ok(());
        }
        for kind in column.iter() {
            let code = kind.map_or(0, |kind| {
                let kind = FailureKind::of_name(kind);
                let place = self.failure_kinds.iter().position(|known| *known == kind);
                let place = place.unwrap_or_else(|| {
                    self.failure_kinds.push(kind);
                    self.failure_kinds.len() - 1
                });
                // Kinds are few; those of a file that is not ours, beyond 254, fall together.
                u8::try_from(place + 1).unwrap_or(u8::MAX)
            });
            self.failures.push(code);
        }
        Ok(())
    }

    /// The same, with what is known of each run.
    pub fn with_extents(mut self, extents: impl IntoIterator<Item = RunExtent>) -> Self {
        self.extents = extents.into_iter().collect();
        self.extents.resize(self.runs.len(), RunExtent::default());
        self
    }

    /// What is known of a run beside its rows.
    pub fn extent(&self, run: usize) -> RunExtent {
        self.extents.get(run).copied().unwrap_or_default()
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.failures.len()
    }

    pub fn runs(&self) -> usize {
        self.runs.len()
    }

    /// The rows of a run.
    pub fn of_run(&self, run: usize) -> Range<usize> {
        let at = |place: usize| self.starts.get(place).copied().unwrap_or(self.rows());
        at(run)..at(run + 1)
    }

    /// The run of a row.
    pub fn run_of(&self, row: usize) -> usize {
        self.starts.partition_point(|start| *start <= row) - 1
    }

    /// Whether what is read and worked out of these rows is kept. Of very many it is not, but read and worked out again, which takes time and saves
    /// memory.
    pub fn keeps(&self) -> bool {
        self.rows() < many_rows()
    }

    /// The columns of one of several runs alone; `None` where columns are kept. Each would be read for all runs where one is asked for.
    pub fn alone(&self, run: usize) -> Result<Option<Self>, AnalysisError> {
        if self.keeps() || self.runs() == 1 {
            return Ok(None);
        }
        Ok(Some(Self::read(self.runs.get(run))?.with_extents([self.extent(run)])))
    }

    /// Which rows are of the measured phase.
    pub fn measured(&self) -> &Bitmap {
        &self.measured
    }

    pub fn is_measured(&self, row: usize) -> bool {
        self.measured.get_bit(row)
    }

    /// A column, a number a row; NaN where the row has none.
    pub fn number(&self, number: NumericColumn) -> Result<Rc<NumberColumn>, AnalysisError> {
        match &self.numbers.borrow()[number as usize] {
            KeptColumn::Held(column) => return Ok(Rc::clone(column)),
            KeptColumn::Lent(column) => {
                if let Some(column) = column.upgrade() {
                    return Ok(column);
                }
            }
            KeptColumn::Unread => {}
        }
        let mut values = NumberColumnBuilder::for_rows(self.rows());
        for run in &self.runs {
            run.columns(&[number.name()], |part| add_numbers(part, number, &mut values))?;
        }
        let column = Rc::new(values.finish());
        let kept = if self.keeps() { KeptColumn::Held(Rc::clone(&column)) } else { KeptColumn::Lent(Rc::downgrade(&column)) };
        self.numbers.borrow_mut()[number as usize] = kept;
        Ok(column)
    }

    /// Whether the tokens of each row's first event are an estimate.
    pub fn estimated_first_events(&self) -> Result<Vec<bool>, AnalysisError> {
        let mut estimated = Vec::with_capacity(self.rows());
        let wanted = Some(FirstEventSource::TextShare.name());
        for run in &self.runs {
            run.columns(&["first_event_source"], |part| {
                estimated.extend(part.column("first_event_source")?.str()?.iter().map(|source| source == wanted));
                Ok::<_, AnalysisError>(())
            })?;
        }
        Ok(estimated)
    }

    /// The kind of a row's failure; `Other` for one that this version does not know.
    pub fn failure(&self, row: usize) -> Option<FailureKind> {
        let place = usize::from(self.failures[row]).checked_sub(1)?;
        self.failure_kinds.get(place).copied()
    }

    /// Whether a row failed. No token in a row without a failure cannot come from this program; it is a failure all the same, and never a 0.
    pub fn is_failed(&self, row: usize) -> bool {
        self.failed.get_bit(row)
    }

    /// Whether the gaps of all rows are in memory.
    pub fn has_gaps(&self) -> bool {
        self.gaps.get().is_some()
    }

    /// The gaps of each row in turn, as they are read: none is kept for it.
    pub fn visit_gaps(&self, mut visit: impl FnMut(usize, &[u32])) -> Result<(), AnalysisError> {
        if let Some(gaps) = self.gaps.get() {
            (0..self.rows()).for_each(|row| visit(row, gaps.of_row(row)));
            return Ok(());
        }
        let mut row = 0;
        for run in &self.runs {
            run.columns(&["gaps_us"], |part| {
                let mut gaps = TokenGapColumn::default();
                add_gaps(part, &mut gaps)?;
                for place in 0..gaps.ends.len() {
                    visit(row, gaps.of_row(place));
                    row += 1;
                }
                Ok::<_, AnalysisError>(())
            })?;
        }
        Ok(())
    }

    /// Whether its user left before the answer was over, which is no failure.
    pub fn was_left(&self, row: usize) -> bool {
        self.failures[row] > 0 && self.failure(row) == Some(FailureKind::Left)
    }

    pub fn gaps(&self) -> Result<&TokenGapColumn, AnalysisError> {
        if self.gaps.get().is_none() {
            let mut gaps = TokenGapColumn::default();
            for run in &self.runs {
                run.columns(&["gaps_us"], |part| add_gaps(part, &mut gaps))?;
            }
            return Ok(self.gaps.get_or_init(|| gaps));
        }
        Ok(self.gaps.get_or_init(TokenGapColumn::default))
    }
}

fn add_numbers(part: &DataFrame, number: NumericColumn, values: &mut NumberColumnBuilder) -> Result<(), AnalysisError> {
    let column = part.column(number.name())?.i64()?;
    for chunk in column.downcast_iter() {
        if column.null_count() == 0 {
            values.extend(chunk.values().iter().map(|value| Some(*value)));
        } else {
            values.extend(chunk.iter().map(Option::<&i64>::copied));
        }
    }
    Ok(())
}

fn add_gaps(part: &DataFrame, gaps: &mut TokenGapColumn) -> Result<(), AnalysisError> {
    let lists = part.column("gaps_us")?.list()?;
    let inner = lists.get_inner();
    for (chunk, inner) in lists.downcast_iter().zip(inner.u32()?.downcast_iter()) {
        let offsets = chunk.offsets().as_slice();
        let (Some(first), Some(last)) = (offsets.first(), offsets.last()) else { continue };
        let place = |offset: &i64| usize::try_from(*offset).unwrap_or(0);
        let before = gaps.values.len();
        let of_part = place(first)..place(last);
        if inner.validity().is_none() {
            gaps.values.extend_from_slice(&inner.values()[of_part]);
        } else {
            gaps.values.extend(inner.iter().skip(of_part.start).take(of_part.len()).map(|gap| gap.copied().unwrap_or(0)));
        }
        gaps.ends.extend(offsets[1..].iter().map(|offset| before + place(offset) - place(first)));
    }
    Ok(())
}
