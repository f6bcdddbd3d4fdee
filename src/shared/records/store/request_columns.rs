//! The columns of `requests.parquet`, each listed once: request records as a table, and back without loss.

use std::borrow::Cow;
use std::sync::Arc;

use polars::prelude::DataFrame;

use super::saved_column::ColumnPresence::{self, Always, Later, Optional};
use super::saved_column::{ColumnValue, SavedColumn, records_of, table_of};
use super::table_error::TableError;
use crate::foundation::clock::Micros;
use crate::records::record::{AnswerHashes, FailureKind, FirstEventSource, RequestFailure, RequestPhase, RequestRecord, TokenSource};

/// A field as a column of whole numbers.
trait IntegerField: Copy + Sized {
    fn stored(self) -> Option<u64>;
    /// `None` where the number is too large for the field.
    fn from_stored(value: u64) -> Option<Self>;
}

impl IntegerField for u64 {
    fn stored(self) -> Option<u64> {
        Some(self)
    }
    fn from_stored(value: u64) -> Option<Self> {
        Some(value)
    }
}

impl IntegerField for u32 {
    fn stored(self) -> Option<u64> {
        Some(self.into())
    }
    fn from_stored(value: u64) -> Option<Self> {
        value.try_into().ok()
    }
}

impl IntegerField for Micros {
    fn stored(self) -> Option<u64> {
        Some(self.0)
    }
    fn from_stored(value: u64) -> Option<Self> {
        Some(Self(value))
    }
}

impl<F: IntegerField> IntegerField for Option<F> {
    fn stored(self) -> Option<u64> {
        self.and_then(F::stored)
    }
    fn from_stored(value: u64) -> Option<Self> {
        F::from_stored(value).map(Some)
    }
}

/// A column of whole numbers, named as its field.
macro_rules! integer {
    ($presence:ident $field:ident) => {
        SavedColumn {
            name: stringify!($field),
            presence: $presence,
            value: ColumnValue::Integer {
                get: |record: &RequestRecord| record.$field.stored(),
                set: |record, value| {
                    record.$field = IntegerField::from_stored(value)?;
                    Some(())
                },
            },
        }
    };
}

/// A column of texts.
const fn text(
    presence: ColumnPresence,
    name: &'static str,
    get: fn(&RequestRecord) -> Option<Cow<'_, str>>,
    set: fn(&mut RequestRecord, &Arc<str>) -> Option<()>,
) -> SavedColumn<RequestRecord> {
    SavedColumn { name, presence, value: ColumnValue::Text { get, set } }
}

/// The columns in their order: the fields of [`RequestRecord`], with `failure` as its kind and a sentence.
pub const REQUEST_COLUMNS: [SavedColumn<RequestRecord>; 35] = [
    integer!(Always request),
    integer!(Always session),
    integer!(Always lane),
    integer!(Always turn),
    text(
        Always,
        "phase",
        |record| Some(record.phase.name().into()),
        |record, name| {
            record.phase = RequestPhase::ALL.into_iter().find(|phase| phase.name() == &**name)?;
            Some(())
        },
    ),
    integer!(Always intended_us),
    integer!(Always sent_us),
    integer!(Optional headers_us),
    integer!(Optional first_event_us),
    integer!(Optional first_token_us),
    integer!(Optional last_token_us),
    integer!(Always done_us),
    SavedColumn {
        name: "gaps_us",
        presence: Always,
        value: ColumnValue::Gaps { get: |record| &record.gaps_us, set: |record, gaps| record.gaps_us = gaps },
    },
    integer!(Optional first_event_tokens),
    integer!(Optional prompt_tokens),
    integer!(Optional cached_tokens),
    integer!(Optional output_tokens),
    text(
        Always,
        "token_source",
        |record| Some(record.token_source.name().into()),
        |record, name| {
            record.token_source = TokenSource::ALL.into_iter().find(|source| source.name() == &**name)?;
            Some(())
        },
    ),
    integer!(Always in_flight),
    integer!(Always live_lanes),
    integer!(Later connect_us),
    integer!(Later first_answer_us),
    integer!(Later token_events),
    integer!(Later token_reads),
    text(
        Later,
        "first_event_source",
        |record| record.first_event_source.map(|source| source.name().into()),
        |record, name| {
            record.first_event_source = Some(FirstEventSource::ALL.into_iter().find(|source| source.name() == &**name)?);
            Some(())
        },
    ),
    integer!(Later reasoning_tokens),
    integer!(Later hidden_tokens),
    integer!(Later forced_tokens),
    integer!(Later prompt_hash),
    text(
        Later,
        "answer_hashes",
        |record| record.answer_hashes.as_ref().map(|hashes| hashes.as_str().into()),
        |record, hashes| {
            record.answer_hashes = Some(AnswerHashes::try_from(hashes.as_ref().to_owned()).ok()?);
            Some(())
        },
    ),
    integer!(Later server),
    integer!(Later attempts),
    integer!(Later client),
    text(
        Optional,
        "failure",
        |record| record.failure.as_ref().map(|failure| failure.kind.name().into()),
        |record, name| {
            record.failure = Some(RequestFailure { kind: FailureKind::from_name(name)?, detail: String::new() });
            Some(())
        },
    ),
    text(
        Optional,
        "failure_detail",
        |record| record.failure.as_ref().map(|failure| failure.detail.as_str().into()),
        |record, detail| {
            // Its kind came with the column before.
            if let Some(failure) = &mut record.failure {
                detail.as_ref().clone_into(&mut failure.detail);
            }
            Some(())
        },
    ),
];

/// Records as a table, in their order.
pub fn to_table(records: &[RequestRecord]) -> Result<DataFrame, TableError> {
    table_of(records, &REQUEST_COLUMNS)
}

/// The records of a table, in its order. For what must look at single requests; whatever computes works on the columns.
pub fn from_table(table: &DataFrame) -> Result<Vec<RequestRecord>, TableError> {
    records_of(table, &REQUEST_COLUMNS)
}

#[cfg(test)]
mod tests {
    use polars::prelude::Column;
    use proptest::prelude::*;

    use super::super::saved_column::{known_columns, schema};
    use super::*;
    use crate::records::store::fixture::{record, rich_record};

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
            prompt_hash in prop::option::of(0..1_u64 << 53),
            (server, attempts, client) in any::<(Option<u32>, Option<u32>, Option<u32>)>(),
            answer in prop::option::of(".{0,24}"),
            failure in prop::option::of(any_failure()),
        ) -> RequestRecord {
            let [connect_us, headers_us, first_event_us, first_token_us, last_token_us] = stamps;
            let [prompt_tokens, cached_tokens, output_tokens] = counts;
            let [token_events, token_reads, reasoning_tokens, hidden_tokens] = stream_counts;
            RequestRecord {
                request, session, lane, turn, phase, intended_us, sent_us, headers_us, first_event_us, first_token_us,
                last_token_us, done_us, gaps_us, first_event_tokens, prompt_tokens, cached_tokens, output_tokens, token_source, in_flight, live_lanes,
                connect_us, first_answer_us, token_events, token_reads, first_event_source, reasoning_tokens, hidden_tokens, forced_tokens, prompt_hash,
                answer_hashes: answer.as_deref().map(AnswerHashes::of), server, attempts, client, failure,
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
        let columns: Vec<&str> = REQUEST_COLUMNS.iter().map(|column| column.name).collect();
        assert_eq!(columns[..33], with_all[..]);
        assert_eq!(columns[33..], ["failure", "failure_detail"]);
        let table = to_table(&[record(0)]).unwrap();
        assert!(table.get_column_names().into_iter().eq(columns));
        assert_eq!(**table.schema(), schema(&REQUEST_COLUMNS));
    }

    #[test]
    fn a_column_of_a_newer_minor_version_is_left_out_and_a_missing_one_is_named() {
        let table = to_table(&[record(0), rich_record(1)]).unwrap();
        let mut newer = table.clone();
        newer.with_column(Column::new("unheard_of".into(), [1_i64, 2])).unwrap();
        assert!(known_columns(&newer, &REQUEST_COLUMNS).unwrap().equals_missing(&table));
        let older = table.drop("cached_tokens").unwrap();
        assert_eq!(known_columns(&older, &REQUEST_COLUMNS).unwrap_err().to_string(), "there is no column `cached_tokens`");
        let earlier = known_columns(&table.drop("connect_us").unwrap(), &REQUEST_COLUMNS).unwrap();
        assert_eq!(earlier.column("connect_us").unwrap().null_count(), 2);
        let earlier = from_table(&table.drop_many([
            "connect_us",
            "first_answer_us",
            "first_event_source",
            "forced_tokens",
            "prompt_hash",
            "answer_hashes",
            "server",
            "attempts",
            "client",
        ]))
        .unwrap();
        assert_eq!((earlier[1].first_answer_us, earlier[1].first_event_source), (None, None));
        let mut other = table;
        other.with_column(Column::new("turn".into(), ["0", "1"])).unwrap();
        assert!(known_columns(&other, &REQUEST_COLUMNS).unwrap_err().to_string().contains("`turn` has type str"));
    }

    #[test]
    fn a_number_beyond_63_bits_is_refused_rather_than_bent() {
        let wild = RequestRecord { done_us: Micros(u64::MAX), ..record(0) };
        assert!(to_table(&[wild]).unwrap_err().to_string().contains("`done_us`"));
    }
}
