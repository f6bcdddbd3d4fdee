//! The requests of a recorded trace, one after the other, each checked. In go the bytes of a file, read row by row and cut where it is said; out come
//! times, lengths and hash ids. What cannot be sent again (a row that is none, a time before the last one, ids that do not cover the length) is a fault
//! with its line. It must not know what is kept of them.

use std::io::{BufReader, Read};

use super::error::RowError;
use super::row_scanner::{RowForm, RowScanner};
use super::stored_row::StoredRow;
use super::time_unit_check::TimeSpread;
use super::trace::{TraceReadOptions, TraceRequest};
use super::trace_layout::{TraceLayout, TraceRow};
use crate::foundation::units::TimeUnit;

/// Bytes of the longest row: a million tokens in blocks of 16 take a tenth of it.
const LONGEST_ROW: usize = 4 << 20;
/// Tokens of the longest prompt and the longest answer; beyond it no model goes, and sums of them stay far from overflow.
const LONGEST_TEXT: u64 = u32::MAX as u64;

/// Reads requests.
#[derive(Debug)]
pub(super) struct TraceReader<R> {
    scanner: RowScanner<BufReader<R>>,
    options: TraceReadOptions,
    /// Told by the first row.
    layout: Option<TraceLayout>,
    times: TimeSpread,
}

/// A request with its place in the file.
#[derive(Debug)]
pub(super) struct ScannedTraceRequest {
    pub request: TraceRequest,
    pub hash_ids: Vec<u64>,
    pub row: StoredRow,
}

impl<R: Read> TraceReader<R> {
    pub fn new(reader: R, options: TraceReadOptions) -> Self {
        let scanner = RowScanner::new(BufReader::with_capacity(1 << 16, reader), RowForm::Json, LONGEST_ROW);
        Self { scanner, options, layout: None, times: TimeSpread::default() }
    }

    /// The next request; `None` at the end or where the options end it. What stands behind that is not looked at.
    pub fn next_request(&mut self) -> Result<Option<ScannedTraceRequest>, RowError> {
        let Self { scanner, options, layout: known, times } = self;
        while (times.rows as u64) < options.requests
            && let Some(row) = scanner.next_row()?
        {
            let fault = |reason| RowError::at(row.place, reason);
            let layout = if let Some(layout) = known {
                layout
            } else {
                let layout = TraceLayout::of(row.bytes).map_err(fault)?;
                if let Some(unit) = options.unit.filter(|_| layout.time_unit().is_none()) {
                    return Err(fault(format!("the times of this table are dates: leave `trace_unit = \"{}\"` out", unit.name())));
                }
                let has_header = layout.has_header();
                let layout = known.insert(layout);
                if has_header {
                    continue;
                }
                layout
            };
            let written = layout.row(row.bytes).map_err(fault)?;
            let scale = options.unit.or(layout.time_unit()).unwrap_or(TimeUnit::Ms).milliseconds();
            let last = (times.rows > 0).then_some(times.last);
            let at_ms = (written.time - if times.rows > 0 { times.first } else { written.time }) * scale;
            let input_tokens = written.input_length;
            let block_tokens = block_tokens(options, layout);
            let output_tokens = checked_lengths(&written, at_ms, last, block_tokens).map_err(fault)?;
            if options.until_ms.is_some_and(|until| at_ms >= until) {
                break;
            }
            times.add(written.time);
            let blocks = u32::try_from(written.hash_ids.len()).unwrap_or(u32::MAX);
            let request = TraceRequest { at_ms, input_tokens, output_tokens, blocks };
            return Ok(Some(ScannedTraceRequest { request, hash_ids: written.hash_ids, row: StoredRow::of(row.place) }));
        }
        let assumed = known.as_ref().and_then(TraceLayout::time_unit).filter(|_| options.unit.is_none());
        match assumed.and_then(|assumed| times.doubt(assumed, "trace_unit")) {
            Some(doubt) => Err(RowError::Unit(doubt)),
            None => Ok(None),
        }
    }

    /// How many tokens a hash id stands for.
    pub fn block_tokens(&self) -> u64 {
        self.layout.as_ref().map_or(1, |layout| block_tokens(&self.options, layout))
    }

    /// The layout of the file; `None` where it has no row.
    pub fn into_layout(self) -> Option<TraceLayout> {
        self.layout
    }
}

fn block_tokens(options: &TraceReadOptions, layout: &TraceLayout) -> u64 {
    options.block_tokens.unwrap_or(layout.block_tokens()).max(1)
}

/// The length of a row's answer; otherwise what cannot be sent of the row, whose predecessor came at `last`.
fn checked_lengths(written: &TraceRow, at_ms: f64, last: Option<f64>, block_tokens: u64) -> Result<u32, String> {
    let TraceRow { time, input_length, output_length, hash_ids, names: [time_name, input_name, output_name] } = written;
    if !time.is_finite() || *time < 0.0 || !at_ms.is_finite() {
        return Err(format!("`{time_name}` is {time}: it is a number, 0 or more"));
    }
    if let Some(last) = last.filter(|last| time < last) {
        return Err(format!("`{time_name}` is {time}, before the {last} of the request before it: sort the trace by time"));
    }
    length(input_name, *input_length)?;
    let output_tokens = length(output_name, *output_length).map_err(|fault| match *output_name {
        "Response tokens" => format!("{fault}; a request that failed when it was recorded cannot be sent again: leave it out"),
        _ => fault,
    })?;
    check_blocks(hash_ids.len(), *input_length, block_tokens)?;
    Ok(output_tokens)
}

/// That hash ids, where there are some, cover a length.
pub(super) fn check_blocks(ids: usize, input_length: u64, block_tokens: u64) -> Result<(), String> {
    let (blocks, needed) = (ids as u64, input_length.div_ceil(block_tokens.max(1)));
    if blocks > 0 && blocks != needed {
        return Err(format!(
            "`hash_ids` has {blocks} ids, and an `input_length` of {input_length} has {needed} blocks of {block_tokens} tokens: set `block_tokens` to what an id of this trace stands for"
        ));
    }
    Ok(())
}

/// A number of tokens as it is written, or what is wrong with it.
pub(super) fn length(name: &str, found: u64) -> Result<u32, String> {
    let fits = u32::try_from(found).ok().filter(|length| *length > 0);
    fits.ok_or_else(|| format!("`{name}` is {found}: it is between 1 and {LONGEST_TEXT}"))
}
