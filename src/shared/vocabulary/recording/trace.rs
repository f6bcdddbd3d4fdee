//! A recorded trace of requests: times, lengths and hash ids, in one of the layouts that are known.
//!
//! In goes a file, read row by row and cut where it is said; out come times and lengths, kept in 40 bytes a request, and the hash ids of a request,
//! read again from its place. What cannot be sent again (a row that is none, a time before the last one, ids that do not cover the length) is a fault
//! with file and line. It must not know texts or clocks.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::error::{RecordingError, RowError};
use super::stored_row::StoredRow;
use super::trace_layout::TraceLayout;
use super::trace_reader::{ScannedTraceRequest, TraceReader};
use crate::foundation::named_file::NamedFile;
use crate::foundation::units::TimeUnit;

/// How far a trace is read, and what its layout does not say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TraceReadOptions {
    /// What its times are in. Where nobody told they are in the unit of the layout, and times that look like another unit are a fault.
    pub unit: Option<TimeUnit>,
    /// Tokens that a hash id stands for, at least 1; where nobody told, those of the layout.
    pub block_tokens: Option<u64>,
    /// No more requests than this.
    pub requests: u64,
    /// No request from this time on, in milliseconds of the trace after its first request.
    pub until_ms: Option<f64>,
}

/// The requests of a trace, in order of time.
#[derive(Debug, Default)]
pub struct Trace {
    file: PathBuf,
    layout: Option<TraceLayout>,
    block_tokens: u64,
    kept: Vec<StoredTraceRequest>,
}

/// 40 bytes.
#[derive(Debug, Clone, PartialEq)]
struct StoredTraceRequest {
    at_ms: f64,
    input_tokens: u32,
    output_tokens: u32,
    blocks: u32,
    row: StoredRow,
}

/// One request of a trace.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TraceRequest {
    /// Milliseconds after the first request.
    pub at_ms: f64,
    pub input_tokens: u64,
    pub output_tokens: u32,
    /// How many hash ids it has, one for each block of the prompt, the last of which may be cut off; none where the trace tells none.
    pub blocks: u32,
}

const WANTED: &str = "name a file with one JSON object a line, or a table of requests";

impl Trace {
    /// Reads a file up to the cut. What stands behind it is not looked at.
    pub fn read(file: &Path, options: TraceReadOptions) -> Result<Self, RecordingError> {
        let reader = NamedFile::Trace.open(file).map_err(std::io::Error::from)?;
        let trace = Self::parse(reader, options).map_err(|error| error.of(file))?;
        if trace.kept.is_empty() {
            return Err(RecordingError::Empty { file: file.to_owned(), wanted: WANTED });
        }
        Ok(Self { file: file.to_owned(), ..trace })
    }

    fn parse(reader: impl Read, options: TraceReadOptions) -> Result<Self, RowError> {
        let mut requests = TraceReader::new(reader, options);
        let mut kept = Vec::new();
        while let Some(ScannedTraceRequest { request, row, .. }) = requests.next_request()? {
            kept.push(StoredTraceRequest {
                at_ms: request.at_ms,
                // The ranges were checked.
                input_tokens: u32::try_from(request.input_tokens).unwrap_or(u32::MAX),
                output_tokens: request.output_tokens,
                blocks: request.blocks,
                row,
            });
        }
        kept.shrink_to_fit();
        let block_tokens = requests.block_tokens();
        Ok(Self { file: PathBuf::new(), layout: requests.into_layout(), block_tokens, kept })
    }

    /// Tells all requests of a file in order, each with its hash ids, without keeping them.
    pub fn each(file: &Path, options: TraceReadOptions, mut tell: impl FnMut(TraceRequest, &[u64])) -> Result<(), RecordingError> {
        let reader = NamedFile::Trace.open(file).map_err(std::io::Error::from)?;
        let mut requests = TraceReader::new(reader, options);
        let mut is_empty = true;
        while let Some(ScannedTraceRequest { request, hash_ids, .. }) = requests.next_request().map_err(|error| error.of(file))? {
            tell(request, &hash_ids);
            is_empty = false;
        }
        if is_empty { Err(RecordingError::Empty { file: file.to_owned(), wanted: WANTED }) } else { Ok(()) }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// How many tokens a hash id stands for.
    #[must_use]
    pub fn block_tokens(&self) -> u64 {
        self.block_tokens
    }

    /// Request number `number`, from 0.
    #[must_use]
    pub fn request(&self, number: usize) -> Option<TraceRequest> {
        let StoredTraceRequest { at_ms, input_tokens, output_tokens, blocks, .. } = self.kept.get(number)?;
        Some(TraceRequest { at_ms: *at_ms, input_tokens: u64::from(*input_tokens), output_tokens: *output_tokens, blocks: *blocks })
    }

    /// The hash ids of a request, read again from the file; none of one that has none.
    pub fn hash_ids(&self, number: usize) -> Result<Vec<u64>, RecordingError> {
        let Some(request) = self.kept.get(number).filter(|request| request.blocks > 0) else { return Ok(Vec::new()) };
        let changed = || RecordingError::Changed { file: self.file.clone() };
        let bytes = request.row.read(NamedFile::Trace, &self.file)?;
        let row = self.layout.as_ref().ok_or_else(changed)?.row(&bytes).map_err(|_| changed())?;
        let is_same = row.hash_ids.len() == request.blocks as usize && row.input_length == u64::from(request.input_tokens);
        if is_same { Ok(row.hash_ids) } else { Err(changed()) }
    }

    /// All requests in order.
    pub fn iter(&self) -> impl Iterator<Item = TraceRequest> {
        (0..self.len()).filter_map(|number| self.request(number))
    }

    /// The request with most tokens, prompt and answer together: its number and these tokens.
    #[must_use]
    pub fn longest(&self) -> Option<(usize, u64)> {
        let tokens = |kept: &StoredTraceRequest| u64::from(kept.input_tokens) + u64::from(kept.output_tokens);
        self.kept.iter().map(tokens).enumerate().max_by_key(|(number, tokens)| (*tokens, std::cmp::Reverse(*number)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WHOLE: TraceReadOptions = TraceReadOptions { unit: None, block_tokens: None, requests: u64::MAX, until_ms: None };

    fn parse(text: &str, cut: TraceReadOptions) -> Result<Trace, RowError> {
        Trace::parse(text.as_bytes(), cut)
    }

    fn fault(text: &str) -> (u64, String) {
        match parse(text, WHOLE).unwrap_err() {
            RowError::Row { line, reason } => (line, reason),
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
        let recorded: Vec<TraceRequest> = trace.iter().collect();
        assert_eq!(recorded[0], TraceRequest { at_ms: 0.0, input_tokens: 915, output_tokens: 355, blocks: 2 });
        assert_eq!(recorded[1], TraceRequest { at_ms: 0.0, input_tokens: 1053, output_tokens: 26, blocks: 3 });
        assert_eq!(recorded[2], TraceRequest { at_ms: 2500.5, input_tokens: 17, output_tokens: 1, blocks: 0 });
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
            (line("1000", "4294967296", "1", "[]"), "`input_length` is 4294967296: it is between 1 and 4294967295"),
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
            Err(RowError::Unit(doubt)) => Some(doubt.likely),
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
        let RowError::Unit(doubt) = parse(&every(0.5, 61), WHOLE).unwrap_err() else { panic!() };
        let said = "the times of its first 61 requests, `timestamp` 0 to 30, look like seconds: as milliseconds they are 0.030 s in all, as \
                    seconds 30.000 s; write `trace_unit = \"s\"`, or `trace_unit = \"ms\"` if they are milliseconds";
        assert_eq!(doubt.to_string(), said);
    }

    #[test]
    fn hash_ids_stay_in_the_file_and_are_read_again() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), TEXT).unwrap();
        let trace = Trace::read(file.path(), WHOLE).unwrap();
        let ids = |number| trace.hash_ids(number).unwrap();
        assert_eq!([ids(0), ids(1), ids(2)], [vec![0, 462], vec![0, 773, 774], vec![]]);
        let mut told = Vec::new();
        Trace::each(file.path(), WHOLE, |request, ids| told.push((request.input_tokens, ids.to_vec()))).unwrap();
        assert_eq!(told, [(915, vec![0, 462]), (1053, vec![0, 773, 774]), (17, vec![])]);
        fs_err::write(file.path(), TEXT.replace("462]", "4]  ")).unwrap();
        assert_eq!(trace.hash_ids(0).unwrap(), [0, 4], "its length and its number of ids are what is kept");
        fs_err::write(file.path(), TEXT.replace("[0, 462]", "[0]     ")).unwrap();
        assert!(trace.hash_ids(0).unwrap_err().to_string().contains("has changed since it was read"));
        assert_eq!(size_of::<StoredTraceRequest>(), 40, "what is kept of a request, as the documents say");
    }

    const AZURE: &str =
        "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:15:46.6805900,374,44\r\n2023-11-16 18:15:50.9951690,396,109\r\n";
    const BURST: &str = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,ChatGPT,472,18,490,Conversation log\n45.5,ChatGPT,1087,230,1317,Conversation log\n";
    const CHATS: &str = r#"{"chat_id": 1, "parent_chat_id": -1, "timestamp": 1.5, "input_length": 20, "output_length": 3, "type": "text", "turn": 1, "hash_ids": [1, 2]}
{"chat_id": 2, "parent_chat_id": 1, "timestamp": 4.5, "input_length": 40, "output_length": 2, "type": "text", "turn": 2, "hash_ids": [1, 2, 3]}
"#;

    #[test]
    fn a_layout_is_told_by_what_is_in_the_file_and_brings_its_unit_and_its_blocks() {
        let requests = |text: &str| {
            let told = |request: TraceRequest| (request.at_ms, request.input_tokens, request.output_tokens, request.blocks);
            parse(text, WHOLE).unwrap().iter().map(told).collect::<Vec<_>>()
        };
        let azure = requests(AZURE);
        assert_eq!((azure.len(), azure[1].1, azure[1].2), (2, 396, 109));
        assert!((azure[1].0 - 4314.579).abs() < 0.001, "{azure:?}");
        assert_eq!(requests(BURST), [(0.0, 472, 18, 0), (40_500.0, 1087, 230, 0)]);
        assert_eq!(requests(CHATS), [(0.0, 20, 3, 2), (3000.0, 40, 2, 3)]);
        assert_eq!(parse(CHATS, WHOLE).unwrap().block_tokens(), 16);
        let later = AZURE.replace("2023-11-16 18:15:50.9951690", "2023-11-16 18:15:46.680590+00:00");
        assert!(requests(&later)[1].0 < 1e-9, "dates may have an offset");
    }

    #[test]
    fn tables_and_chats_that_cannot_be_sent_again_are_refused_with_line_and_value() {
        for (text, place, said) in [
            (AZURE.replace("374,44", "374,4x"), 2, "`GeneratedTokens` is `4x`: it is a whole number"),
            (AZURE.replace("2023-11-16 18:15:50.9951690", "yesterday"), 3, "`TIMESTAMP` is `yesterday`: it is a date"),
            (AZURE.replace(",396,109", ",396"), 3, "the line has 2 columns, and `GeneratedTokens` is column 3"),
            (AZURE.replace("18:15:50", "18:15:40"), 3, "sort the trace by time"),
            (BURST.replace("1087,230", "1087,0"), 3, "leave it out"),
            (BURST.replace("472,18", "0,18"), 2, "`Request tokens` is 0"),
            ("a,b,c\n1,2,3\n".to_owned(), 1, "no known table has the columns `a, b, c`"),
            (CHATS.replace("[1, 2, 3]", "[1, 2]"), 2, "3 blocks of 16 tokens"),
            (r#"{"session_id": "a", "delay": 3, "input_length": 3, "output_length": 2}"#.to_owned(), 1, "`kind = \"sessions\"`"),
            (r#"{"messages": []}"#.to_owned(), 1, "`kind = \"sessions\"`"),
        ] {
            let (line, reason) = fault(&text);
            assert!(line == place && reason.contains(said), "{text}: {line}: {reason}");
        }
        let told = TraceReadOptions { unit: Some(TimeUnit::S), ..WHOLE };
        let RowError::Row { line: 1, reason } = parse(AZURE, told).unwrap_err() else { panic!() };
        assert!(reason.contains("are dates"), "{reason}");
    }

    #[test]
    fn times_of_a_layout_in_seconds_that_look_like_milliseconds_are_a_fault() {
        let line = |number: u32| {
            format!(
                "{{\"chat_id\": {number}, \"parent_chat_id\": -1, \"timestamp\": {}, \"input_length\": 9, \"output_length\": 1}}\n",
                number * 500
            )
        };
        let text: String = (0..20).map(line).collect();
        let RowError::Unit(doubt) = parse(&text, WHOLE).unwrap_err() else { panic!() };
        assert_eq!((doubt.assumed, doubt.likely), (TimeUnit::S, TimeUnit::Ms));
        assert!(parse(&text, TraceReadOptions { unit: Some(TimeUnit::S), ..WHOLE }).is_ok());
    }

    #[test]
    fn a_file_is_named_in_the_message() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let message = |text: &str| {
            fs_err::write(file.path(), text).unwrap();
            Trace::read(file.path(), WHOLE).unwrap_err().to_string()
        };
        let name = file.path().display().to_string();
        assert!(message("\n").starts_with(&format!("`{name}` holds nothing to send")));
        assert!(message("\nno").starts_with(&format!("`{name}:2`: ")));
        assert!(Trace::read(Path::new("no/such.jsonl"), WHOLE).unwrap_err().to_string().contains("no/such.jsonl"));
    }

    #[test]
    fn a_line_without_an_end_is_refused_before_it_fills_the_memory() {
        let RowError::Row { line: 1, reason } = Trace::parse(std::io::repeat(b'7'), WHOLE).unwrap_err() else { panic!() };
        assert!(reason.contains("longer than 4194304 bytes"), "{reason}");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), block_tokens in 1_u64..2000) {
            let _ = Trace::parse(bytes.as_slice(), TraceReadOptions { block_tokens: Some(block_tokens), ..WHOLE });
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
