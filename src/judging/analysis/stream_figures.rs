//! What the answers of a cell were like as streams: how many tokens an event brought, how many events a read, and whether they streamed at all.
//!
//! In: the measured rows. Out: figures, the goals that they make void, and remarks. Where a row lacks a column, as before version 1.5 of the
//! format, and where nothing went over a wire, nothing is said.

use super::columns::NumericColumn;
use super::{AnalysisError, RequestTable, percentile};
use crate::analysis::summary::{CellNote, StreamFigures, VoidReason};
use crate::vocabulary::goal::{Aggregate, Measure};
use crate::vocabulary::metric::{Metric, MetricFormula};

/// No server makes a token for one user in less: the events of an answer that came faster than this were held back and came together.
const LEAST_GAP_US: f64 = 100.0;
/// So many tokens in a single event are an answer that came whole.
const WHOLE_TOKENS: f64 = 8.0;
/// From so many events a read on, gaps say more of the reads than of the tokens.
const MERGED_EVENTS: f64 = 2.0;
/// From so many tokens an event on, a gap is not that of a token.
const BUNDLED_TOKENS: f64 = 1.5;
/// Answers with less than this share of the forced tokens are another load.
const FORCED_SHARE: f64 = 0.95;

impl StreamFigures {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts are far below 2^53 and above 0")]
    pub(super) fn of(table: &RequestTable) -> Result<Self, AnalysisError> {
        let column = |number| table.columns().number(number);
        let (events, reads, output) =
            (column(NumericColumn::TokenEvents)?, column(NumericColumn::TokenReads)?, column(NumericColumn::OutputTokens)?);
        let (reasoning, hidden, forced) =
            (column(NumericColumn::ReasoningTokens)?, column(NumericColumn::HiddenTokens)?, column(NumericColumn::ForcedTokens)?);
        let (first, last, sent) = (column(NumericColumn::FirstToken)?, column(NumericColumn::LastToken)?, column(NumericColumn::Sent)?);
        let answer = column(NumericColumn::FirstAnswer)?;
        // What a user left was not to be a whole answer.
        let is_failed = |row: &usize| table.columns().is_failed(*row) || table.columns().was_left(*row);
        let (mut per_event, mut per_read, mut work) = (RatioSum::default(), RatioSum::default(), RatioSum::default());
        let mut held_back = Vec::new();
        let mut figures = Self::default();
        for row in table.picked().filter(|row| !is_failed(row)) {
            let (events, reads, output, hidden) = (events.of(row), reads.of(row), output.of(row), hidden.of(row));
            figures.answers += 1;
            figures.output_tokens += output.max(0.0) as u64;
            figures.reasoning_tokens += reasoning.of(row).max(0.0) as u64;
            figures.hidden_tokens += hidden.max(0.0) as u64;
            figures.without_answer += u64::from(answer.of(row).is_nan() && !events.is_nan());
            per_event.add(output, events);
            per_read.add(events, reads);
            work.add(output + hidden.max(0.0), forced.of(row));
            let together = events > reads && last.of(row) - first.of(row) <= LEAST_GAP_US * (events - 1.0);
            if together || (reads <= 1.0 && events <= 1.0 && output >= WHOLE_TOKENS) {
                held_back.push((last.of(row) - sent.of(row)) / 1e6);
            }
        }
        held_back.sort_unstable_by(f64::total_cmp);
        figures.held_back = held_back.len() as u64;
        figures.held_back_p50_s = percentile(&held_back, 50.0);
        (figures.tokens_per_event, figures.events_per_read, figures.forced_share) = (per_event.get(), per_read.get(), work.get());
        if figures.tokens_per_event.is_some_and(|tokens| tokens > 1.0) {
            let estimated = table.columns().estimated_first_events()?;
            figures.estimated_first_events = table.picked().filter(|row| !is_failed(row) && estimated[*row]).count() as u64;
        }
        Ok(figures)
    }

    /// Why goals of a measure certify nothing. An error rate is what it is however answers came.
    pub(super) fn void(&self, measure: &Measure) -> Option<VoidReason> {
        if measure.aggregate == Aggregate::ErrorRate {
            return None;
        }
        if self.is_short() {
            return Some(VoidReason::ShortAnswers);
        }
        if self.is_held_back() && measure.metrics().any(Metric::times_tokens) {
            return Some(VoidReason::HeldBack);
        }
        let looks_at_gaps = measure.metrics().any(|metric| metric.formula() == MetricFormula::TokenGaps);
        (looks_at_gaps && self.is_merged()).then_some(VoidReason::MergedReads)
    }

    fn is_held_back(&self) -> bool {
        self.held_back * 2 > self.answers
    }

    fn is_merged(&self) -> bool {
        self.events_per_read.is_some_and(|events| events >= MERGED_EVENTS)
    }

    fn is_short(&self) -> bool {
        self.forced_share.is_some_and(|share| share < FORCED_SHARE)
    }

    /// Remarks on them.
    pub(super) fn notes(&self) -> impl Iterator<Item = CellNote> {
        let answers = self.answers;
        let some = |count: u64| (count > 0).then_some(count);
        let held_back = self.held_back_p50_s.filter(|_| self.is_held_back()).map(|held_back_p50_s| CellNote::HeldBack {
            held_back: self.held_back,
            answers,
            held_back_p50_s,
        });
        let merged = self
            .events_per_read
            .filter(|_| self.is_merged() && held_back.is_none())
            .map(|events_per_read| CellNote::MergedReads { events_per_read });
        let bundled = self
            .tokens_per_event
            .filter(|tokens| *tokens >= BUNDLED_TOKENS && held_back.is_none())
            .map(|tokens_per_event| CellNote::BundledTokens { tokens_per_event });
        let estimated = some(self.estimated_first_events)
            .map(|estimated_first_events| CellNote::EstimatedFirstEvents { estimated_first_events, answers });
        let silent = some(self.without_answer).map(|without_answer| CellNote::WithoutAnswer { without_answer, answers });
        let hidden =
            some(self.hidden_tokens).map(|hidden_tokens| CellNote::HiddenReasoning { hidden_tokens, output_tokens: self.output_tokens });
        let short = self.forced_share.filter(|_| self.is_short()).map(|forced_share| CellNote::ShortAnswers { forced_share });
        [held_back, merged, bundled, estimated, silent, hidden, short].into_iter().flatten()
    }
}

/// A sum over another, of the rows that have both.
#[derive(Debug, Clone, Copy, Default)]
struct RatioSum {
    of: f64,
    over: f64,
}

impl RatioSum {
    fn add(&mut self, of: f64, over: f64) {
        if !of.is_nan() && !over.is_nan() {
            (self.of, self.over) = (self.of + of, self.over + over);
        }
    }

    fn get(self) -> Option<f64> {
        (self.over > 0.0).then(|| self.of / self.over)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{answered, cell, failed, sweep, table};
    use super::super::{GoalVerdict, SummaryOptions, SweepSummary, summarize};
    use super::*;
    use crate::foundation::clock::Micros;
    use crate::records::record::{FailureKind, FirstEventSource, RequestRecord};

    /// An answer of so many tokens and events, which came in so many reads over so many milliseconds; the first after a second.
    fn streamed(session: u64, tokens: u64, events: u64, reads: u64, span_ms: u64) -> RequestRecord {
        let row = answered(session, 0, 1.0);
        let first = row.first_token_us.unwrap();
        let gap = u32::try_from(span_ms * 1000 / (events - 1).max(1)).unwrap();
        RequestRecord {
            last_token_us: Some(first + Micros(span_ms * 1000)),
            gaps_us: vec![gap; usize::try_from(events - 1).unwrap()],
            output_tokens: Some(tokens),
            token_events: Some(events),
            token_reads: Some(reads),
            ..row
        }
    }

    fn rows(of: impl Fn(u64) -> RequestRecord) -> Vec<RequestRecord> {
        (0..100).map(of).collect()
    }

    fn judged(goals: &[&str], rows: Vec<RequestRecord>) -> SweepSummary {
        summarize(&sweep(goals, &[cell("vllm", 1, 1, rows)]), &SummaryOptions::default()).unwrap()
    }

    const GOALS: [&str; 5] = ["p95(ttft) <= 2s", "p95(tpot) <= 50ms/token", "p95(itl) <= 50ms", "p95(e2e) <= 9s", "error_rate <= 50%"];

    fn verdicts(rows: Vec<RequestRecord>) -> (Vec<(GoalVerdict, Option<VoidReason>)>, Vec<CellNote>) {
        let summary = judged(&GOALS, rows);
        let cell = &summary.variants[0].cells[0];
        (cell.goals.iter().map(|goal| (goal.verdict, goal.void)).collect(), cell.notes.0.clone())
    }

    const MET: (GoalVerdict, Option<VoidReason>) = (GoalVerdict::Met, None);

    fn void(reason: VoidReason) -> (GoalVerdict, Option<VoidReason>) {
        (GoalVerdict::Undecided, Some(reason))
    }

    #[test]
    fn an_answer_that_streams_certifies_its_goals_and_needs_no_remark() {
        assert_eq!(verdicts(rows(|session| streamed(session, 40, 40, 40, 390))), (vec![MET; 5], vec![]));
        // One token in one event, and two events in two reads.
        assert_eq!(verdicts(rows(|session| streamed(session, 1, 1, 1, 0))).1, []);
        assert_eq!(verdicts(rows(|session| streamed(session, 2, 2, 2, 0))).0, [MET; 5]);
    }

    #[test]
    fn answers_that_are_held_back_whole_certify_nothing_of_first_tokens_and_tokens() {
        // 40 events in one read; 400 in 9 reads within 2 ms, as a long one comes; and 40 tokens in a single event.
        for (tokens, events, reads, span) in [(40, 40, 1, 0), (400, 400, 9, 2), (40, 1, 1, 0)] {
            let (verdicts, notes) = verdicts(rows(|session| streamed(session, tokens, events, reads, span)));
            let held = void(VoidReason::HeldBack);
            assert_eq!(verdicts[..1], [held], "{events}");
            assert_eq!(verdicts[3..], [MET; 2], "{events}");
            let held_back = notes.iter().find_map(|note| match note {
                CellNote::HeldBack { held_back, answers, held_back_p50_s } => Some((*held_back, *answers, *held_back_p50_s)),
                _ => None,
            });
            assert!(held_back.is_some_and(|(count, of, after_s)| (count, of) == (100, 100) && (1.0..1.1).contains(&after_s)), "{notes:?}");
        }
        let (verdicts, _) = verdicts(rows(|session| streamed(session, 40, 40, 1, 0)));
        assert_eq!(verdicts[..3], [void(VoidReason::HeldBack); 3]);
    }

    #[test]
    fn some_answers_that_came_whole_do_not_void_a_cell() {
        let (verdicts, notes) = verdicts(rows(|session| {
            streamed(session, 40, 40, if session % 2 == 0 { 1 } else { 40 }, if session % 2 == 0 { 0 } else { 390 })
        }));
        assert_eq!((verdicts, notes), (vec![MET; 5], vec![]));
    }

    #[test]
    fn gaps_mean_nothing_where_most_reads_bring_several_events() {
        let (verdicts, notes) = verdicts(rows(|session| streamed(session, 40, 40, 5, 320)));
        assert_eq!(verdicts, [MET, MET, void(VoidReason::MergedReads), MET, MET]);
        assert_eq!(notes, [CellNote::MergedReads { events_per_read: 8.0 }]);
    }

    #[test]
    fn a_gap_between_events_of_several_tokens_is_not_a_tokens() {
        let bundled = |session| RequestRecord { first_event_source: Some(FirstEventSource::TextShare), ..streamed(session, 40, 4, 4, 120) };
        let (verdicts, notes) = verdicts(rows(bundled));
        assert_eq!(verdicts, [MET; 5]);
        let estimated = CellNote::EstimatedFirstEvents { estimated_first_events: 100, answers: 100 };
        assert_eq!(notes, [CellNote::BundledTokens { tokens_per_event: 10.0 }, estimated]);
    }

    #[test]
    fn answers_shorter_than_forced_are_a_share_of_the_work_and_certify_no_time() {
        let forced = |came| move |session| RequestRecord { forced_tokens: Some(40), ..streamed(session, came, came, came, 120) };
        let (verdicts, notes) = verdicts(rows(forced(12)));
        assert_eq!(
            verdicts,
            [
                void(VoidReason::ShortAnswers),
                void(VoidReason::ShortAnswers),
                void(VoidReason::ShortAnswers),
                void(VoidReason::ShortAnswers),
                MET
            ]
        );
        assert_eq!(notes, [CellNote::ShortAnswers { forced_share: 0.3 }]);
        let (verdicts, notes) = super::tests::verdicts(rows(forced(39)));
        assert_eq!((verdicts, notes), (vec![MET; 5], vec![]));
        // Hidden reasoning is work.
        let hidden = |session| RequestRecord { hidden_tokens: Some(28), ..forced(12)(session) };
        assert_eq!(super::tests::verdicts(rows(hidden)).0, [MET; 5]);
    }

    #[test]
    fn reasoning_without_an_answer_and_hidden_reasoning_are_told() {
        let silent = |session| RequestRecord { first_answer_us: None, reasoning_tokens: Some(40), ..streamed(session, 40, 40, 40, 390) };
        let (_, notes) = verdicts(rows(silent));
        assert_eq!(notes, [CellNote::WithoutAnswer { without_answer: 100, answers: 100 }]);
        let hidden = |session| RequestRecord { hidden_tokens: Some(36), ..streamed(session, 4, 4, 4, 30) };
        let (_, notes) = verdicts(rows(hidden));
        assert_eq!(notes[0], CellNote::HiddenReasoning { hidden_tokens: 3600, output_tokens: 400 });
    }

    #[test]
    fn rows_that_do_not_tell_and_failed_ones_say_nothing() {
        let older = |session| RequestRecord { token_events: None, first_answer_us: None, ..answered(session, 0, 1.0) };
        assert_eq!(StreamFigures::of(&table(&rows(older))).unwrap().notes().count(), 0);
        let figures = StreamFigures::of(&table(&[failed(0, 0, FailureKind::NoToken)])).unwrap();
        assert_eq!(figures, StreamFigures::default());
    }
}
