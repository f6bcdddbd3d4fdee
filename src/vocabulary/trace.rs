//! A recorded trace of requests in the Mooncake layout: one JSON object a line, `{"timestamp": 27482, "input_length": 6955,
//! "output_length": 52, "hash_ids": [46, 47]}`, with the time in milliseconds unless another unit is told.
//!
//! In goes a file, read line by line and cut where it is said; out come times, lengths and hash ids, kept in a few bytes each. What
//! cannot be sent again (a line that is none, a time before the last one, ids that do not cover the length) is a fault with file and
//! line. It must not know texts or clocks.

use std::io::{BufRead, BufReader, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::foundation::named_file::NamedFile;
use crate::foundation::units::TimeUnit;

/// Bytes of the longest line: a million tokens in blocks of 16 take a tenth of it.
const LONGEST_LINE: u64 = 4 << 20;
/// Tokens of the longest prompt; beyond it no model goes, and sums of them stay far from overflow.
const LONGEST_PROMPT: u64 = 1 << 32;

/// How far a trace is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TraceReadOptions {
    /// What its times are in. Where nobody told they are milliseconds, and times that look like another unit are a fault.
    pub unit: Option<TimeUnit>,
    /// Tokens that a hash id stands for, at least 1.
    pub block_tokens: u64,
    /// No more requests than this.
    pub requests: u64,
    /// No request from this time on, in milliseconds of the trace after its first request.
    pub until_ms: Option<f64>,
}

/// The requests of a trace, in order of time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trace {
    kept: Vec<StoredTraceRequest>,
    /// The hash ids of all requests, one after the other.
    ids: Vec<u64>,
}

#[derive(Debug, Clone, PartialEq)]
struct StoredTraceRequest {
    at_ms: f64,
    input_tokens: u64,
    output_tokens: u32,
    ids: Range<usize>,
}

/// One request of a trace.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TraceRequest<'a> {
    /// Milliseconds after the first request.
    pub at_ms: f64,
    pub input_tokens: u64,
    pub output_tokens: u32,
    /// One for each block of the prompt, the last of which may be cut off; none where the trace tells none.
    pub hash_ids: &'a [u64],
}

/// Why a trace cannot be sent again. Messages name file and line.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The message holds the path.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("`{}:{line}`: {reason}", file.display())]
    Line { file: PathBuf, line: u64, reason: String },
    #[error("`{}` holds no request: name a file with one JSON object a line", file.display())]
    Empty { file: PathBuf },
    /// Nobody told the unit of its times, and they look like another than milliseconds.
    #[error("`{}`: {doubt}", file.display())]
    Unit { file: PathBuf, doubt: TimeUnitMismatch },
}

/// Times that look like another unit than milliseconds.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "the times of its first {requests} requests, `timestamp` {first} to {last}, look like {}: as milliseconds they are {:.3} s in all, as {} \
     {:.3} s; write `trace_unit = \"{}\"`, or `trace_unit = \"ms\"` if they are milliseconds", likely.noun(), (last - first) / 1e3,
     likely.noun(), (last - first) * likely.milliseconds() / 1e3, likely.name()
)]
pub struct TimeUnitMismatch {
    requests: usize,
    first: f64,
    last: f64,
    likely: TimeUnit,
}

/// Fewer requests say too little of how far apart they are.
const FEWEST_FOR_A_DOUBT: usize = 10;
/// On average closer than this, recorded requests are rather told in seconds than in milliseconds: more than a hundred a second.
const CLOSEST_MS: f64 = 10.0;
/// The same where times have decimals, which milliseconds seldom have.
const CLOSEST_WITH_DECIMALS_MS: f64 = 100.0;
/// On average farther apart than this, they are rather told in microseconds: less than one in 100 s.
const FARTHEST_MS: f64 = 100_000.0;

/// Whether times that were read as milliseconds look like another unit.
fn unit_doubt(requests: usize, first: f64, last: f64, has_decimals: bool) -> Option<TimeUnitMismatch> {
    #[expect(clippy::cast_precision_loss, reason = "a mean")]
    let gap_ms = (last - first) / requests.saturating_sub(1).max(1) as f64;
    let closest = if has_decimals { CLOSEST_WITH_DECIMALS_MS } else { CLOSEST_MS };
    let likely = if gap_ms > 0.0 && gap_ms < closest {
        TimeUnit::S
    } else if gap_ms > FARTHEST_MS {
        TimeUnit::Us
    } else {
        return None;
    };
    (requests >= FEWEST_FOR_A_DOUBT).then_some(TimeUnitMismatch { requests, first, last, likely })
}

/// A line as it is written; other fields are of no interest.
#[derive(Deserialize)]
struct TraceLine {
    timestamp: f64,
    input_length: u64,
    output_length: u64,
    #[serde(default)]
    hash_ids: Vec<u64>,
}

impl Trace {
    /// Reads a file up to the cut. What stands behind it is not looked at.
    pub fn read(file: &Path, cut: TraceReadOptions) -> Result<Self, TraceError> {
        let trace = Self::parse(BufReader::with_capacity(1 << 16, NamedFile::Trace.open(file).map_err(std::io::Error::from)?), cut);
        let trace = trace.map_err(|fault| match fault {
            TraceParseError::Io(error) => TraceError::Io(error),
            TraceParseError::Line { line, reason } => TraceError::Line { file: file.to_owned(), line, reason },
            TraceParseError::Unit(doubt) => TraceError::Unit { file: file.to_owned(), doubt },
        })?;
        if trace.kept.is_empty() { Err(TraceError::Empty { file: file.to_owned() }) } else { Ok(trace) }
    }

    fn parse(mut reader: impl BufRead, cut: TraceReadOptions) -> Result<Self, TraceParseError> {
        let (mut trace, mut bytes) = (Self::default(), Vec::new());
        let (mut first, mut last, mut has_decimals) = (None, 0.0, false);
        let scale = cut.unit.unwrap_or(TimeUnit::Ms).milliseconds();
        for line in 1.. {
            if trace.kept.len() as u64 >= cut.requests || !next_line(&mut reader, &mut bytes, line)? {
                break;
            }
            let text = bytes.trim_ascii();
            if text.is_empty() {
                continue;
            }
            let fault = |reason| TraceParseError::Line { line, reason };
            let written: TraceLine = serde_json::from_slice(text).map_err(|error| fault(in_words(&error)))?;
            let at_ms = (written.timestamp - *first.get_or_insert(written.timestamp)) * scale;
            check(&written, at_ms, last, cut.block_tokens).map_err(fault)?;
            if cut.until_ms.is_some_and(|until| at_ms >= until) {
                break;
            }
            last = written.timestamp;
            has_decimals |= last.fract() != 0.0;
            trace.push(&written, at_ms);
        }
        let doubt = first.and_then(|first| unit_doubt(trace.kept.len(), first, last, has_decimals));
        if let Some(doubt) = doubt.filter(|_| cut.unit.is_none()) {
            return Err(TraceParseError::Unit(doubt));
        }
        trace.kept.shrink_to_fit();
        trace.ids.shrink_to_fit();
        Ok(trace)
    }

    fn push(&mut self, written: &TraceLine, at_ms: f64) {
        let ids = self.ids.len()..self.ids.len() + written.hash_ids.len();
        self.ids.extend_from_slice(&written.hash_ids);
        // The range was checked.
        let output_tokens = u32::try_from(written.output_length).unwrap_or(u32::MAX);
        self.kept.push(StoredTraceRequest { at_ms, input_tokens: written.input_length, output_tokens, ids });
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Request number `number`, from 0.
    #[must_use]
    pub fn request(&self, number: usize) -> Option<TraceRequest<'_>> {
        let StoredTraceRequest { at_ms, input_tokens, output_tokens, ids } = self.kept.get(number)?;
        let hash_ids = self.ids.get(ids.clone()).unwrap_or_default();
        Some(TraceRequest { at_ms: *at_ms, input_tokens: *input_tokens, output_tokens: *output_tokens, hash_ids })
    }

    /// All requests in order.
    pub fn iter(&self) -> impl Iterator<Item = TraceRequest<'_>> {
        (0..self.len()).filter_map(|number| self.request(number))
    }

    /// The request with most tokens, prompt and answer together: its number and these tokens.
    #[must_use]
    pub fn longest(&self) -> Option<(usize, u64)> {
        let tokens = |kept: &StoredTraceRequest| kept.input_tokens + u64::from(kept.output_tokens);
        self.kept.iter().map(tokens).enumerate().max_by_key(|(number, tokens)| (*tokens, std::cmp::Reverse(*number)))
    }
}

#[derive(Debug)]
enum TraceParseError {
    Io(std::io::Error),
    Line { line: u64, reason: String },
    Unit(TimeUnitMismatch),
}

/// Reads the next line into `bytes`, without going beyond the longest one; false at the end.
fn next_line(reader: &mut impl BufRead, bytes: &mut Vec<u8>, line: u64) -> Result<bool, TraceParseError> {
    bytes.clear();
    let read = reader.take(LONGEST_LINE + 1).read_until(b'\n', bytes).map_err(TraceParseError::Io)?;
    if read as u64 > LONGEST_LINE {
        let reason = format!("the line is longer than {LONGEST_LINE} bytes: a trace has one JSON object a line");
        return Err(TraceParseError::Line { line, reason });
    }
    Ok(read > 0)
}

/// What the parser says, without its own count of lines: it sees only one.
fn in_words(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let reason = message.split(" at line ").next().unwrap_or_default();
    let example = r#"{"timestamp": 0, "input_length": 1000, "output_length": 100, "hash_ids": [0, 1]}"#;
    format!("{reason} (column {}); a line is such as `{example}`", error.column())
}

fn check(written: &TraceLine, at_ms: f64, last: f64, block_tokens: u64) -> Result<(), String> {
    let TraceLine { timestamp, input_length, output_length, hash_ids } = written;
    if !timestamp.is_finite() || *timestamp < 0.0 || !at_ms.is_finite() {
        return Err(format!("`timestamp` is {timestamp}: it is a number, 0 or more"));
    }
    if *timestamp < last {
        return Err(format!("`timestamp` is {timestamp}, before the {last} of the request before it: sort the trace by time"));
    }
    if *input_length == 0 || *input_length > LONGEST_PROMPT {
        return Err(format!("`input_length` is {input_length}: it is between 1 and {LONGEST_PROMPT}"));
    }
    if *output_length == 0 || *output_length > u64::from(u32::MAX) {
        return Err(format!("`output_length` is {output_length}: it is between 1 and {}", u32::MAX));
    }
    let (blocks, needed) = (hash_ids.len() as u64, input_length.div_ceil(block_tokens.max(1)));
    if blocks > 0 && blocks != needed {
        return Err(format!(
            "`hash_ids` has {blocks} ids, and an `input_length` of {input_length} has {needed} blocks of {block_tokens} tokens: set `block_tokens` to what an id of this trace stands for"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WHOLE: TraceReadOptions = TraceReadOptions { unit: None, block_tokens: 512, requests: u64::MAX, until_ms: None };

    fn parse(text: &str, cut: TraceReadOptions) -> Result<Trace, TraceParseError> {
        Trace::parse(text.as_bytes(), cut)
    }

    fn fault(text: &str) -> (u64, String) {
        match parse(text, WHOLE).unwrap_err() {
            TraceParseError::Line { line, reason } => (line, reason),
            other => panic!("{other:?}"),
        }
    }

    /// The beginning of a published trace, with a blank line and a field more.
    const TEXT: &str = r#"{"timestamp": 1000, "input_length": 915, "output_length": 355, "hash_ids": [0, 462]}
{"timestamp": 1000, "input_length": 1053, "output_length": 26, "hash_ids": [0, 773, 774], "user": 7}

{"timestamp": 3500.5, "input_length": 17, "output_length": 1}
"#;

    #[test]
    fn lines_become_requests_with_times_from_the_first() {
        let trace = parse(TEXT, WHOLE).unwrap();
        let recorded: Vec<TraceRequest<'_>> = trace.iter().collect();
        assert_eq!(recorded[0], TraceRequest { at_ms: 0.0, input_tokens: 915, output_tokens: 355, hash_ids: &[0, 462] });
        assert_eq!(recorded[1], TraceRequest { at_ms: 0.0, input_tokens: 1053, output_tokens: 26, hash_ids: &[0, 773, 774] });
        assert_eq!(recorded[2], TraceRequest { at_ms: 2500.5, input_tokens: 17, output_tokens: 1, hash_ids: &[] });
        assert_eq!((trace.len(), trace.longest()), (3, Some((0, 1270))));
    }

    #[test]
    fn a_cut_keeps_the_beginning_and_does_not_look_behind_it() {
        let text = format!("{TEXT}nonsense");
        let of = |cut: TraceReadOptions| parse(&text, cut).map(|trace| trace.len()).ok();
        assert_eq!(of(TraceReadOptions { requests: 2, ..WHOLE }), Some(2));
        assert_eq!(of(TraceReadOptions { until_ms: Some(2500.0), ..WHOLE }), Some(2));
        assert_eq!(of(TraceReadOptions { requests: 3, until_ms: Some(2501.0), ..WHOLE }), Some(3));
        assert_eq!(of(WHOLE), None);
    }

    #[test]
    fn what_cannot_be_sent_again_is_refused_with_the_line_and_the_value() {
        let line = |timestamp: &str, input: &str, output: &str, ids: &str| {
            format!(r#"{{"timestamp": {timestamp}, "input_length": {input}, "output_length": {output}, "hash_ids": {ids}}}"#)
        };
        for (second, said) in [
            (line("999", "600", "1", "[1, 2]"), "`timestamp` is 999, before the 1000"),
            (line("-1", "600", "1", "[1, 2]"), "`timestamp` is -1"),
            (line("1000", "0", "1", "[]"), "`input_length` is 0"),
            (line("1000", "600", "0", "[1, 2]"), "`output_length` is 0"),
            (line("1000", "600", "5000000000", "[1, 2]"), "`output_length` is 5000000000"),
            (line("1000", "600", "1", "[1, 2, 3]"), "`hash_ids` has 3 ids, and an `input_length` of 600 has 2 blocks of 512"),
            (line("1000", "600", "1", "[1, -2]"), "invalid value: integer `-2`"),
            (line("1000", "\"600\"", "1", "[1, 2]"), "invalid type: string \"600\""),
            ("{}".to_owned(), "missing field `timestamp`"),
            ("[1]".to_owned(), "invalid length 1"),
            ("{\"timestamp\": 1".to_owned(), "EOF while parsing"),
            ("\u{0}".to_owned(), "expected value (column 1)"),
        ] {
            let (place, reason) = fault(&format!("{}\n{second}\n", line("1000", "600", "1", "[1, 2]")));
            assert_eq!(place, 2, "{second}");
            assert!(reason.contains(said), "{second}: {reason}");
        }
    }

    /// So many requests, one each so many units of time.
    fn every(gap: f64, count: u32) -> String {
        let line = |number: u32| format!("{{\"timestamp\": {}, \"input_length\": 9, \"output_length\": 1}}\n", gap * f64::from(number));
        (0..count).map(line).collect()
    }

    #[test]
    fn times_are_in_the_unit_that_is_told() {
        for (unit, span_ms) in [(TimeUnit::Us, 1.8), (TimeUnit::Ms, 1800.0), (TimeUnit::S, 1_800_000.0)] {
            let trace = parse(&every(200.0, 10), TraceReadOptions { unit: Some(unit), ..WHOLE }).unwrap();
            let span = trace.iter().last().unwrap().at_ms;
            assert!((span - span_ms).abs() < 1e-9, "{unit:?}: {span}");
        }
        // The end of a cut is in milliseconds of the clock, whatever the file is in.
        let cut = parse(&every(0.5, 10), TraceReadOptions { unit: Some(TimeUnit::S), until_ms: Some(2000.0), ..WHOLE }).unwrap();
        assert_eq!(cut.len(), 4);
    }

    #[test]
    fn times_that_look_like_another_unit_are_a_fault_that_asks_for_it() {
        let looks_like = |text: &str| match parse(text, WHOLE) {
            Ok(_) => None,
            Err(TraceParseError::Unit(doubt)) => Some(doubt.likely),
            Err(other) => panic!("{other:?}"),
        };
        // One request in half a second, in three seconds (whole ones too), and in 20 s with decimals.
        for seconds in [0.5, 3.0, 3.25, 20.5] {
            assert_eq!(looks_like(&every(seconds, 60)), Some(TimeUnit::S), "{seconds}");
        }
        for milliseconds in [20.0, 152.0, 500.0, 60_000.0, 200.5] {
            assert_eq!(looks_like(&every(milliseconds, 60)), None, "{milliseconds}");
        }
        assert_eq!(looks_like(&every(500_000.0, 60)), Some(TimeUnit::Us));
        assert_eq!(looks_like(&every(0.0, 60)), None, "all at once in any unit");
        assert_eq!(looks_like(&every(0.5, 9)), None, "so few say nothing");
        let TraceParseError::Unit(doubt) = parse(&every(0.5, 61), WHOLE).unwrap_err() else { panic!() };
        let said = "the times of its first 61 requests, `timestamp` 0 to 30, look like seconds: as milliseconds they are 0.030 s in all, as \
                    seconds 30.000 s; write `trace_unit = \"s\"`, or `trace_unit = \"ms\"` if they are milliseconds";
        assert_eq!(doubt.to_string(), said);
    }

    #[test]
    fn a_file_is_named_in_the_message() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let message = |text: &str| {
            fs_err::write(file.path(), text).unwrap();
            Trace::read(file.path(), WHOLE).unwrap_err().to_string()
        };
        let name = file.path().display().to_string();
        assert!(message("\n").starts_with(&format!("`{name}` holds no request")));
        assert!(message("\nno").starts_with(&format!("`{name}:2`: ")));
        assert!(Trace::read(Path::new("no/such.jsonl"), WHOLE).unwrap_err().to_string().contains("no/such.jsonl"));
    }

    #[test]
    fn a_line_without_an_end_is_refused_before_it_fills_the_memory() {
        let endless = BufReader::new(std::io::repeat(b'7'));
        let TraceParseError::Line { line: 1, reason } = Trace::parse(endless, WHOLE).unwrap_err() else { panic!() };
        assert!(reason.contains("longer than 4194304 bytes"), "{reason}");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), block_tokens in 1_u64..2000) {
            let _ = Trace::parse(bytes.as_slice(), TraceReadOptions { block_tokens, ..WHOLE });
        }

        #[test]
        fn no_numbers_panic_and_what_is_taken_is_in_order(
            lines in proptest::collection::vec((any::<f64>(), any::<u64>(), any::<u64>(), proptest::collection::vec(any::<u64>(), 0..4)), 0..6),
            small in any::<bool>(),
        ) {
            let line = |(at, input, output, ids): &(f64, u64, u64, Vec<u64>)| {
                let (input, output) = if small { (input % 2048, output % 100) } else { (*input, *output) };
                format!("{{\"timestamp\": {at}, \"input_length\": {input}, \"output_length\": {output}, \"hash_ids\": {ids:?}}}\n")
            };
            let text: String = lines.iter().map(line).collect();
            if let Ok(trace) = parse(&text, WHOLE) {
                let times: Vec<f64> = trace.iter().map(|request| request.at_ms).collect();
                prop_assert!(times.is_sorted());
                prop_assert!(trace.iter().all(|request| request.input_tokens > 0 && request.output_tokens > 0));
            }
        }
    }
}
