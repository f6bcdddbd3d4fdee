//! Request records as a table of columns, and back without loss: the form of `requests.parquet`.
//!
//! Whole numbers are signed 64-bit columns, so that a difference of two stamps never wraps in whatever tool reads it; only the gaps are
//! unsigned 32-bit, since they are most of the bytes. The table knows records, not files.

use polars::prelude::{
    Column, DataFrame, DataType, Int64Chunked, IntoColumn, IntoSeries, ListBuilderTrait, ListChunked, ListPrimitiveChunkedBuilder,
    NewChunkedArray, PlSmallStr, PolarsError, Schema, StringChunked, UInt32Type,
};

use crate::clock::Micros;
use crate::record::{FailureKind, FirstEventSource, RequestFailure, RequestPhase, RequestRecord, TokenSource};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    Integer,
    OptionalInteger,
    /// One that files of earlier minor versions do not have: all of it is then null.
    LaterInteger,
    Text,
    OptionalText,
    /// As [`ColumnKind::LaterInteger`], of texts.
    LaterText,
    /// A floating-point number, NaN and the infinities included.
    Number,
    /// A list of unsigned 32-bit numbers, never null.
    Gaps,
}

impl ColumnKind {
    fn data_type(self) -> DataType {
        match self {
            Self::Integer | Self::OptionalInteger | Self::LaterInteger => DataType::Int64,
            Self::Text | Self::OptionalText | Self::LaterText => DataType::String,
            Self::Number => DataType::Float64,
            Self::Gaps => DataType::List(Box::new(DataType::UInt32)),
        }
    }

    fn may_be_null(self) -> bool {
        matches!(self, Self::OptionalInteger | Self::OptionalText) || self.is_later()
    }

    /// Whether files of earlier minor versions do not have it.
    pub(super) fn is_later(self) -> bool {
        matches!(self, Self::LaterInteger | Self::LaterText)
    }
}

/// The columns in their order: the fields of [`RequestRecord`], with `failure` as its kind and a sentence.
pub const COLUMNS: [(&str, ColumnKind); 30] = [
    ("request", ColumnKind::Integer),
    ("session", ColumnKind::Integer),
    ("lane", ColumnKind::Integer),
    ("turn", ColumnKind::Integer),
    ("phase", ColumnKind::Text),
    ("intended_us", ColumnKind::Integer),
    ("sent_us", ColumnKind::Integer),
    ("headers_us", ColumnKind::OptionalInteger),
    ("first_event_us", ColumnKind::OptionalInteger),
    ("first_token_us", ColumnKind::OptionalInteger),
    ("last_token_us", ColumnKind::OptionalInteger),
    ("done_us", ColumnKind::Integer),
    ("gaps_us", ColumnKind::Gaps),
    ("first_event_tokens", ColumnKind::OptionalInteger),
    ("prompt_tokens", ColumnKind::OptionalInteger),
    ("cached_tokens", ColumnKind::OptionalInteger),
    ("output_tokens", ColumnKind::OptionalInteger),
    ("token_source", ColumnKind::Text),
    ("in_flight", ColumnKind::Integer),
    ("live_lanes", ColumnKind::Integer),
    ("connect_us", ColumnKind::LaterInteger),
    ("first_answer_us", ColumnKind::LaterInteger),
    ("token_events", ColumnKind::LaterInteger),
    ("token_reads", ColumnKind::LaterInteger),
    ("first_event_source", ColumnKind::LaterText),
    ("reasoning_tokens", ColumnKind::LaterInteger),
    ("hidden_tokens", ColumnKind::LaterInteger),
    ("forced_tokens", ColumnKind::LaterInteger),
    ("failure", ColumnKind::OptionalText),
    ("failure_detail", ColumnKind::OptionalText),
];

/// Why records are no table, or a table holds no records.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error("{0}")]
    Polars(#[from] PolarsError),
    #[error("the file is damaged; restore it, or delete the run's folder and sweep again")]
    Damaged,
    #[error("{value} in `{column}` is more than a signed 64-bit number holds")]
    TooLarge { column: &'static str, value: u64 },
    #[error("there is no column `{column}`")]
    NoColumn { column: &'static str },
    #[error("column `{column}` has type {found}, not {expected}")]
    Type { column: &'static str, found: DataType, expected: DataType },
    #[error("column `{column}` misses a value in row {row}")]
    Null { column: &'static str, row: usize },
    #[error("`{value}` in column `{column}`, row {row}, is not one of its values")]
    Value { column: &'static str, row: usize, value: String },
}

/// The schema of a table with these columns.
pub(super) fn schema(columns: &[(&'static str, ColumnKind)]) -> Schema {
    columns.iter().map(|(name, kind)| (PlSmallStr::from_static(name), kind.data_type())).collect()
}

/// Records as a table, in their order.
pub fn to_table(records: &[RequestRecord]) -> Result<DataFrame, TableError> {
    let columns = COLUMNS.iter().map(|(name, _)| column_of(records, name)).collect::<Result<Vec<_>, _>>()?;
    Ok(DataFrame::new(records.len(), columns)?)
}

fn column_of(records: &[RequestRecord], name: &'static str) -> Result<Column, TableError> {
    let number = |get: fn(&RequestRecord) -> u64| integers(name, records, |r| Some(get(r)));
    let stamp = |get: fn(&RequestRecord) -> Option<Micros>| integers(name, records, |r| get(r).map(|at| at.0));
    let count = |get: fn(&RequestRecord) -> Option<u64>| integers(name, records, get);
    match name {
        "request" => number(|r| r.request),
        "session" => number(|r| r.session),
        "lane" => number(|r| r.lane.into()),
        "turn" => number(|r| r.turn.into()),
        "phase" => Ok(texts(name, records, |r| Some(r.phase.name()))),
        "intended_us" => number(|r| r.intended_us.0),
        "sent_us" => number(|r| r.sent_us.0),
        "headers_us" => stamp(|r| r.headers_us),
        "first_event_us" => stamp(|r| r.first_event_us),
        "first_token_us" => stamp(|r| r.first_token_us),
        "last_token_us" => stamp(|r| r.last_token_us),
        "done_us" => number(|r| r.done_us.0),
        "gaps_us" => Ok(gaps(name, records)),
        "first_event_tokens" => count(|r| r.first_event_tokens.map(u64::from)),
        "prompt_tokens" => count(|r| r.prompt_tokens),
        "cached_tokens" => count(|r| r.cached_tokens),
        "output_tokens" => count(|r| r.output_tokens),
        "token_source" => Ok(texts(name, records, |r| Some(r.token_source.name()))),
        "in_flight" => number(|r| r.in_flight.into()),
        "live_lanes" => number(|r| r.live_lanes.into()),
        "failure" => Ok(failure_kinds(name, records)),
        "connect_us" => stamp(|r| r.connect_us),
        "first_answer_us" => stamp(|r| r.first_answer_us),
        "token_events" => count(|r| r.token_events),
        "token_reads" => count(|r| r.token_reads),
        "first_event_source" => Ok(texts(name, records, |r| r.first_event_source.map(FirstEventSource::name))),
        "reasoning_tokens" => count(|r| r.reasoning_tokens),
        "hidden_tokens" => count(|r| r.hidden_tokens),
        "forced_tokens" => count(|r| r.forced_tokens.map(u64::from)),
        "failure_detail" => Ok(texts(name, records, |r| r.failure.as_ref().map(|failure| failure.detail.as_str()))),
        other => Err(TableError::NoColumn { column: other }),
    }
}

fn integers(name: &'static str, records: &[RequestRecord], get: impl Fn(&RequestRecord) -> Option<u64>) -> Result<Column, TableError> {
    let signed = |value: u64| i64::try_from(value).map_err(|_| TableError::TooLarge { column: name, value });
    let values = records.iter().map(|record| get(record).map(signed).transpose()).collect::<Result<Vec<_>, _>>()?;
    Ok(Int64Chunked::from_slice_options(name.into(), &values).into_column())
}

fn texts<'a>(name: &'static str, records: &'a [RequestRecord], get: impl Fn(&'a RequestRecord) -> Option<&'a str>) -> Column {
    StringChunked::from_iter_options(name.into(), records.iter().map(get)).into_column()
}

fn failure_kinds(name: &'static str, records: &[RequestRecord]) -> Column {
    let kinds = records.iter().map(|record| record.failure.as_ref().map(|failure| failure.kind.name()));
    StringChunked::from_iter_options(name.into(), kinds).into_column()
}

fn gaps(name: &'static str, records: &[RequestRecord]) -> Column {
    let total = records.iter().map(|record| record.gaps_us.len()).sum();
    let mut lists = ListPrimitiveChunkedBuilder::<UInt32Type>::new(name.into(), records.len(), total, DataType::UInt32);
    for record in records {
        lists.append_slice(&record.gaps_us);
    }
    lists.finish().into_series().into_column()
}

/// The columns that this version knows, in their order, with their types checked; what a newer minor version added is left out.
pub(super) fn known_columns(table: &DataFrame, known: &[(&'static str, ColumnKind)]) -> Result<DataFrame, TableError> {
    let mut columns = Vec::with_capacity(known.len());
    for &(name, kind) in known {
        let expected = kind.data_type();
        let Ok(column) = table.column(name) else {
            if !kind.is_later() {
                return Err(TableError::NoColumn { column: name });
            }
            columns.push(Column::full_null(name.into(), table.height(), &expected));
            continue;
        };
        if *column.dtype() != expected {
            return Err(TableError::Type { column: name, found: column.dtype().clone(), expected });
        }
        if !kind.may_be_null() && column.null_count() > 0 {
            let row = (0..column.len()).find(|row| column.get(*row).is_ok_and(|value| value.is_null())).unwrap_or_default();
            return Err(TableError::Null { column: name, row });
        }
        columns.push(column.clone());
    }
    let mut table = DataFrame::new(table.height(), columns)?;
    table.rechunk_mut_par();
    Ok(table)
}

/// The records of a table, in its order. For what must look at single requests; whatever computes works on the columns.
pub fn from_table(table: &DataFrame) -> Result<Vec<RequestRecord>, TableError> {
    let table = known_columns(table, &COLUMNS)?;
    let rows = TypedTable { table: &table };
    let integer = |name| rows.integers(name);
    let text = |name| rows.texts(name);
    let (request, session, lane, turn) = (integer("request")?, integer("session")?, integer("lane")?, integer("turn")?);
    let (intended, sent, done) = (integer("intended_us")?, integer("sent_us")?, integer("done_us")?);
    let (connect, first_answer) = (integer("connect_us")?, integer("first_answer_us")?);
    let (token_events, token_reads, first_source) = (integer("token_events")?, integer("token_reads")?, text("first_event_source")?);
    let (reasoning, hidden, forced) = (integer("reasoning_tokens")?, integer("hidden_tokens")?, integer("forced_tokens")?);
    let (headers, first_event) = (integer("headers_us")?, integer("first_event_us")?);
    let (first_token, last_token) = (integer("first_token_us")?, integer("last_token_us")?);
    let (first_tokens, prompt, cached) = (integer("first_event_tokens")?, integer("prompt_tokens")?, integer("cached_tokens")?);
    let (output, in_flight, live_lanes) = (integer("output_tokens")?, integer("in_flight")?, integer("live_lanes")?);
    let (phase, source, kind, detail) = (text("phase")?, text("token_source")?, text("failure")?, text("failure_detail")?);
    let gaps = rows.gaps("gaps_us")?;
    (0..table.height())
        .map(|row| {
            Ok(RequestRecord {
                request: request.whole(row)?,
                session: session.whole(row)?,
                lane: lane.small(row)?,
                turn: turn.small(row)?,
                phase: phase.parse(row, phase_of)?,
                intended_us: Micros(intended.whole(row)?),
                sent_us: Micros(sent.whole(row)?),
                headers_us: headers.optional(row)?.map(Micros),
                first_event_us: first_event.optional(row)?.map(Micros),
                first_token_us: first_token.optional(row)?.map(Micros),
                last_token_us: last_token.optional(row)?.map(Micros),
                done_us: Micros(done.whole(row)?),
                gaps_us: gaps_of(gaps, row)?,
                first_event_tokens: first_tokens.optional(row)?.map(|tokens| first_tokens.narrow(row, tokens)).transpose()?,
                prompt_tokens: prompt.optional(row)?,
                cached_tokens: cached.optional(row)?,
                output_tokens: output.optional(row)?,
                token_source: source.parse(row, source_of)?,
                in_flight: in_flight.small(row)?,
                live_lanes: live_lanes.small(row)?,
                connect_us: connect.optional(row)?.map(Micros),
                first_answer_us: first_answer.optional(row)?.map(Micros),
                token_events: token_events.optional(row)?,
                token_reads: token_reads.optional(row)?,
                first_event_source: first_source.optional(row, first_event_source_of)?,
                reasoning_tokens: reasoning.optional(row)?,
                hidden_tokens: hidden.optional(row)?,
                forced_tokens: forced.optional(row)?.map(|tokens| forced.narrow(row, tokens)).transpose()?,
                failure: failure_of(&kind, &detail, row)?,
            })
        })
        .collect()
}

fn phase_of(name: &str) -> Option<RequestPhase> {
    [RequestPhase::Prefill, RequestPhase::Warmup, RequestPhase::Measure].into_iter().find(|phase| phase.name() == name)
}

fn source_of(name: &str) -> Option<TokenSource> {
    [TokenSource::Usage, TokenSource::TokenRule, TokenSource::Unknown].into_iter().find(|source| source.name() == name)
}

fn first_event_source_of(name: &str) -> Option<FirstEventSource> {
    FirstEventSource::ALL.into_iter().find(|source| source.name() == name)
}

fn failure_of(kind: &TextColumn<'_>, detail: &TextColumn<'_>, row: usize) -> Result<Option<RequestFailure>, TableError> {
    if kind.values.get(row).is_none() {
        return Ok(None);
    }
    let kind = kind.parse(row, FailureKind::from_name)?;
    Ok(Some(RequestFailure { kind, detail: detail.values.get(row).unwrap_or_default().to_owned() }))
}

fn gaps_of(lists: &ListChunked, row: usize) -> Result<Vec<u32>, TableError> {
    let Some(series) = lists.get_as_series(row) else { return Err(TableError::Null { column: "gaps_us", row }) };
    Ok(series.u32()?.iter().flatten().collect())
}

/// Typed access to a checked table.
struct TypedTable<'a> {
    table: &'a DataFrame,
}

impl<'a> TypedTable<'a> {
    fn integers(&self, name: &'static str) -> Result<IntegerColumn<'a>, TableError> {
        Ok(IntegerColumn { name, values: self.table.column(name)?.i64()? })
    }

    fn texts(&self, name: &'static str) -> Result<TextColumn<'a>, TableError> {
        Ok(TextColumn { name, values: self.table.column(name)?.str()? })
    }

    fn gaps(&self, name: &'static str) -> Result<&'a ListChunked, TableError> {
        Ok(self.table.column(name)?.list()?)
    }
}

struct IntegerColumn<'a> {
    name: &'static str,
    values: &'a Int64Chunked,
}

impl IntegerColumn<'_> {
    fn optional(&self, row: usize) -> Result<Option<u64>, TableError> {
        self.values.get(row).map(|value| u64::try_from(value).map_err(|_| self.fault(row, &value))).transpose()
    }

    fn whole(&self, row: usize) -> Result<u64, TableError> {
        self.optional(row)?.ok_or(TableError::Null { column: self.name, row })
    }

    fn small(&self, row: usize) -> Result<u32, TableError> {
        self.whole(row).and_then(|value| self.narrow(row, value))
    }

    fn narrow(&self, row: usize, value: u64) -> Result<u32, TableError> {
        u32::try_from(value).map_err(|_| self.fault(row, &value))
    }

    fn fault(&self, row: usize, value: &dyn ToString) -> TableError {
        TableError::Value { column: self.name, row, value: value.to_string() }
    }
}

struct TextColumn<'a> {
    name: &'static str,
    values: &'a StringChunked,
}

impl TextColumn<'_> {
    fn parse<T>(&self, row: usize, read: impl Fn(&str) -> Option<T>) -> Result<T, TableError> {
        let text = self.values.get(row).ok_or(TableError::Null { column: self.name, row })?;
        read(text).ok_or_else(|| TableError::Value { column: self.name, row, value: text.to_owned() })
    }

    fn optional<T>(&self, row: usize, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, TableError> {
        self.values.get(row).map(|_| self.parse(row, read)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::fixture::{record, rich_record};

    fn any_stamp() -> impl Strategy<Value = Micros> {
        prop_oneof![Just(0), 0..1_000_000_000_u64, Just(i64::MAX as u64)].prop_map(Micros)
    }

    fn any_failure() -> impl Strategy<Value = RequestFailure> {
        let kinds = ["connect", "tls", "http_404", "timeout_idle", "no_token", "truncated", "cancelled"];
        (prop::sample::select(kinds.to_vec()), ".{0,12}")
            .prop_map(|(kind, detail)| RequestFailure { kind: FailureKind::from_name(kind).unwrap(), detail })
    }

    prop_compose! {
        fn any_record()(
            (request, session, lane, turn) in (0..u64::MAX / 2, 0..9_u64, any::<u32>(), any::<u32>()),
            phase in prop::sample::select(&[RequestPhase::Prefill, RequestPhase::Warmup, RequestPhase::Measure]),
            (intended_us, sent_us, done_us) in (any_stamp(), any_stamp(), any_stamp()),
            stamps in prop::array::uniform5(prop::option::of(any_stamp())),
            gaps_us in prop::collection::vec(any::<u32>(), 0..5),
            first_event_tokens in any::<Option<u32>>(),
            counts in prop::array::uniform3(prop::option::of(0..1_u64 << 40)),
            token_source in prop::sample::select(&[TokenSource::Usage, TokenSource::TokenRule, TokenSource::Unknown]),
            (in_flight, live_lanes) in (any::<u32>(), any::<u32>()),
            (first_answer_us, first_event_source) in (prop::option::of(any_stamp()), prop::option::of(prop::sample::select(&FirstEventSource::ALL))),
            stream_counts in prop::array::uniform4(prop::option::of(0..1_u64 << 40)),
            forced_tokens in any::<Option<u32>>(),
            failure in prop::option::of(any_failure()),
        ) -> RequestRecord {
            let [connect_us, headers_us, first_event_us, first_token_us, last_token_us] = stamps;
            let [prompt_tokens, cached_tokens, output_tokens] = counts;
            let [token_events, token_reads, reasoning_tokens, hidden_tokens] = stream_counts;
            RequestRecord {
                request, session, lane, turn, phase, intended_us, sent_us, headers_us, first_event_us, first_token_us,
                last_token_us, done_us, gaps_us, first_event_tokens, prompt_tokens, cached_tokens, output_tokens, token_source, in_flight, live_lanes,
                connect_us, first_answer_us, token_events, token_reads, first_event_source, reasoning_tokens, hidden_tokens, forced_tokens, failure,
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
        #[test]
        fn records_survive_the_table_and_the_file_without_loss(records in prop::collection::vec(any_record(), 0..12)) {
            let table = to_table(&records).unwrap();
            prop_assert_eq!(&from_table(&table).unwrap(), &records);
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("requests.parquet");
            super::super::parquet::write_records(&path, records.iter().cloned().map(Ok)).unwrap();
            let read = super::super::parquet::read_table(&path, None).unwrap();
            prop_assert!(read.equals_missing(&table));
        }
    }

    #[test]
    fn the_columns_are_the_fields_of_a_record_in_their_order() {
        let fields = serde_json::to_value(rich_record(1)).unwrap();
        let with_all: Vec<String> = fields.as_object().unwrap().keys().cloned().collect();
        let columns: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
        assert_eq!(columns[..28], with_all[..]);
        assert_eq!(columns[28..], ["failure", "failure_detail"]);
        let table = to_table(&[record(0)]).unwrap();
        assert!(table.get_column_names().into_iter().eq(columns));
        assert!(COLUMNS.iter().all(|(name, kind)| *table.column(name).unwrap().dtype() == kind.data_type()));
    }

    #[test]
    fn a_column_of_a_newer_minor_version_is_left_out_and_a_missing_one_is_named() {
        let table = to_table(&[record(0), rich_record(1)]).unwrap();
        let mut newer = table.clone();
        newer.with_column(Column::new("unheard_of".into(), [1_i64, 2])).unwrap();
        assert!(known_columns(&newer, &COLUMNS).unwrap().equals_missing(&table));
        let older = table.drop("cached_tokens").unwrap();
        assert_eq!(known_columns(&older, &COLUMNS).unwrap_err().to_string(), "there is no column `cached_tokens`");
        let earlier = known_columns(&table.drop("connect_us").unwrap(), &COLUMNS).unwrap();
        assert_eq!(earlier.column("connect_us").unwrap().null_count(), 2);
        let earlier = from_table(&table.drop_many(["connect_us", "first_answer_us", "first_event_source", "forced_tokens"])).unwrap();
        assert_eq!((earlier[1].first_answer_us, earlier[1].first_event_source), (None, None));
        let mut other = table;
        other.with_column(Column::new("turn".into(), ["0", "1"])).unwrap();
        assert!(known_columns(&other, &COLUMNS).unwrap_err().to_string().contains("`turn` has type str"));
    }

    #[test]
    fn a_number_beyond_63_bits_is_refused_rather_than_bent() {
        let wild = RequestRecord { done_us: Micros(u64::MAX), ..record(0) };
        assert!(to_table(&[wild]).unwrap_err().to_string().contains("`done_us`"));
    }
}
