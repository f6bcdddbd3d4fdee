//! A request as its goals see it while a run goes on: the same values, to the last bit, that the saved rows will have.

use crate::goal::{ConditionField, RowCondition};
use crate::metric::Metric;
use crate::record::RequestRecord;

/// Whether a request counts as failed: also where it brought no token and does not say why.
pub fn failed(record: &RequestRecord) -> bool {
    record.failure.is_some() || record.first_token_us.is_none()
}

/// The value of a metric that every request has: in seconds, infinity for a failed one.
#[expect(clippy::cast_precision_loss, reason = "stamps are far below 2^53")]
pub fn value(metric: Metric, record: &RequestRecord) -> f64 {
    if failed(record) {
        return f64::INFINITY;
    }
    let (later, earlier) = match metric {
        Metric::TtftIntended => (record.first_token_us, record.intended_us),
        Metric::Ttfe => (record.first_event_us, record.sent_us),
        Metric::E2e => (record.last_token_us, record.sent_us),
        Metric::SendLag => (Some(record.sent_us), record.intended_us),
        Metric::Ttft | Metric::Ttfat | Metric::Tpot | Metric::Itl | Metric::OutputTps => (record.first_token_us, record.sent_us),
    };
    later.map_or(f64::INFINITY, |later| (later.0 as f64 - earlier.0 as f64) / 1e6)
}

/// Whether a request fulfils all conditions, which are those that a plan can count by.
pub fn fits(conditions: &[RowCondition], session: u64, lane: u32, turn: u32) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "sessions are far below 2^53")]
    let of = |field: ConditionField| match field {
        ConditionField::Turn => Some(f64::from(turn)),
        ConditionField::Session => Some(session as f64),
        ConditionField::Lane => Some(f64::from(lane)),
        _ => None,
    };
    conditions.iter().all(|condition| of(condition.field).is_some_and(|value| condition.comparison.holds(value, condition.value)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture::{answered, failed as failed_row, table};
    use crate::record::FailureKind;

    #[test]
    fn a_request_has_the_values_that_its_saved_row_will_have() {
        let rows: Vec<RequestRecord> = (0..50)
            .map(|i| answered(i, 1, 0.1 + 0.013_337 * f64::from(u32::try_from(i).unwrap())))
            .chain([failed_row(50, 1, FailureKind::Connect)])
            .collect();
        for metric in [Metric::Ttft, Metric::TtftIntended, Metric::Ttfe, Metric::E2e, Metric::SendLag] {
            let saved: Vec<f64> = table(&rows).values_by_row(metric).unwrap().concat();
            let heard: Vec<f64> = rows.iter().map(|row| value(metric, row)).collect();
            assert_eq!(saved, heard, "{metric}");
        }
    }
}
