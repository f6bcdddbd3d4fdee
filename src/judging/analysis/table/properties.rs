//! The columns and the records say the same of every request: whatever its stamps and counts are, and whatever of them is missing. And a cell says
//! the same, to the last bit, whether its rows are held as they are or packed, as very many are.

use proptest::prelude::*;

use crate::analysis::fixture::{answered, cell, failed, sweep, table};
use crate::analysis::number_column::tests::MANY_ROWS;
use crate::analysis::{SummaryOptions, summarize};
use crate::foundation::clock::Micros;
use crate::records::record::{FailureKind, RequestRecord};
use crate::vocabulary::goal::{ComparisonOperator, ConditionField, RowCondition};
use crate::vocabulary::metric::Metric;

const FIELDS: [ConditionField; 9] = [
    ConditionField::Turn,
    ConditionField::Session,
    ConditionField::Lane,
    ConditionField::PromptTokens,
    ConditionField::CachedTokens,
    ConditionField::OutputTokens,
    ConditionField::InFlight,
    ConditionField::LiveLanes,
    ConditionField::Time,
];

const OPERATORS: [ComparisonOperator; 6] = [
    ComparisonOperator::Less,
    ComparisonOperator::LessOrEqual,
    ComparisonOperator::Greater,
    ComparisonOperator::GreaterOrEqual,
    ComparisonOperator::Equal,
    ComparisonOperator::NotEqual,
];

fn stamps() -> impl Strategy<Value = [Option<Micros>; 4]> {
    prop::array::uniform4(prop::option::weighted(0.9, (0..90_000_000_u64).prop_map(Micros)))
}

fn counts() -> impl Strategy<Value = [Option<u64>; 4]> {
    prop::array::uniform4(prop::option::weighted(0.8, 0..6_u64))
}

prop_compose! {
    fn any_record()(
        (session, turn, lane, in_flight) in (0..4_u64, 0..3_u32, 0..3_u32, 1..5_u32),
        (intended, sent) in (0..5_000_000_u64, 0..5_000_000_u64),
        [first_event_us, first_token_us, first_answer_us, last_token_us] in stamps(),
        [prompt_tokens, cached_tokens, output_tokens, first_event_tokens] in counts(),
        is_failed in prop::bool::weighted(0.2),
    ) -> RequestRecord {
        let row = if is_failed { failed(session, turn, FailureKind::TimeoutIdle) } else { answered(session, turn, 0.5) };
        RequestRecord {
            lane, in_flight, live_lanes: in_flight,
            intended_us: Micros(intended), sent_us: Micros(sent),
            first_event_us, first_token_us, first_answer_us, last_token_us,
            prompt_tokens, cached_tokens, output_tokens,
            first_event_tokens: first_event_tokens.map(|tokens| u32::try_from(tokens).unwrap()),
            ..row
        }
    }
}

proptest! {
    #[test]
    fn every_metric_of_a_saved_row_is_that_of_its_record(rows in prop::collection::vec(any_record(), 1..20)) {
        let saved = table(&rows);
        for metric in Metric::ALL.into_iter().filter(|metric| metric.formula().span().is_some()) {
            let mut values: Vec<f64> = rows.iter().map(|row| row.value(metric)).filter(|value| !value.is_nan()).collect();
            values.sort_by(f64::total_cmp);
            prop_assert_eq!(&*saved.values(metric).unwrap(), values.as_slice(), "{}", metric);
        }
        prop_assert_eq!(saved.failed_rows(), rows.iter().filter(|row| row.has_failed()).count() as u64);
    }

    #[test]
    fn a_condition_keeps_the_saved_rows_whose_records_it_keeps(rows in prop::collection::vec(any_record(), 1..20), value in 0..5_u32) {
        let saved = table(&rows);
        for (field, comparison) in FIELDS.into_iter().flat_map(|field| OPERATORS.map(|comparison| (field, comparison))) {
            let conditions = [RowCondition { field, comparison, value: f64::from(value) }];
            let kept = rows.iter().filter(|row| row.fulfils(&conditions)).count();
            prop_assert_eq!(saved.filtered(&conditions).unwrap().rows(), kept, "{:?}", conditions);
        }
    }
}

/// Goals of every kind: with and without filters, on values of which a row has one, many or none.
const GOALS: [&str; 8] = [
    "p95(ttft where turn >= 1) <= 2s",
    "p50(tpot) <= 50ms/token",
    "p99(itl) <= 50ms",
    "p5(output_tps) >= 10 tokens/s",
    "mean(e2e where session < 3) <= 5s",
    "max(ttft_intended where time >= 1s) <= 5s",
    "error_rate <= 1%",
    "error_rate(where turn >= 1) <= 20%",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn a_cell_of_very_many_rows_is_judged_as_any_other(
        repeats in prop::collection::vec(prop::collection::vec(any_record(), 1..90), 1..4), has_rate in any::<bool>()
    ) {
        let repeats = (0..).zip(repeats).map(|(repeat, records)| {
            let mut cell = cell("vllm", 2, 2, records);
            cell.repeat = repeat;
            cell
        });
        let mut saved = sweep(&GOALS, &repeats.collect::<Vec<_>>());
        for run in saved.runs.iter_mut().filter(|_| has_rate) {
            run.record.offered_qps = Some(8.0);
        }
        let judged = |many: usize| {
            MANY_ROWS.set(many);
            // As text, in which what is not a number is equal to itself.
            format!("{:#?}", summarize(&saved, &SummaryOptions::default()).unwrap())
        };
        prop_assert_eq!(judged(1), judged(usize::MAX));
    }
}

#[test]
fn a_single_event_of_untold_tokens_has_no_time_per_token() {
    let many = RequestRecord { first_event_tokens: None, ..answered(0, 1, 0.5) };
    let single = RequestRecord { last_token_us: many.first_token_us, gaps_us: Vec::new(), ..many.clone() };
    assert!(many.tpot_s().is_some_and(|seconds| seconds > 0.0));
    assert_eq!(single.tpot_s(), None);
}
