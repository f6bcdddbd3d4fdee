//! What a run adds up to while it goes on: counts, the client's lateness, and whether the first turns came from a cache.

use std::collections::BTreeMap;

use super::lateness::LatenessHistogram;
use super::sequential_loop::RequestResult;
use super::transport_totals::TransportTotals;
use crate::foundation::clock::Micros;
use crate::records::record::{
    FailureKind, FirstTurnFinding, FirstTurnTokens, InconclusiveTurns, OPENING_TOKENS, RequestCounts, RequestPhase, RequestRecord,
    TEMPLATE_TOKENS, TokenSource,
};
use crate::vocabulary::spec::workload::{AnswerPolicy, SharedPromptHead, WorkloadSpec};

/// The share by which the server's count of a first turn may differ from the authored length, beside a chat template.
const LENGTH_TOLERANCE: f64 = 0.02;
/// A usual chat template.
const USUAL_TEMPLATE: u64 = 64;

#[derive(Debug, Default)]
pub(super) struct RunTotals {
    requests: u64,
    /// Token-bearing.
    events: u64,
    measured: u64,
    failed: u64,
    failures: BTreeMap<FailureKind, u64>,
    failure_words: BTreeMap<FailureKind, String>,
    first_intended: Option<Micros>,
    last_done: Micros,
    /// Of every request that was sent by the schedule.
    pub lags: LatenessHistogram,
    /// The most records that were ready and waited to be taken.
    waiting_max: usize,
    unsent: u64,
    /// Histories of users met in mid-life that could not be laid into the cache.
    refused_histories: u64,
    /// Requests that had to wait for an answer or a place before they could be sent.
    held_back: u64,
    /// Successful answers without a text.
    without_text: u64,
    first_turns: FirstTurnTotals,
    pub carried: TransportTotals,
}

/// Prompt tokens of successful first turns.
#[derive(Debug, Default)]
struct FirstTurnTotals {
    /// As the server counted them.
    counted: u64,
    prompt_tokens: u64,
    /// As they were authored.
    authored_tokens: u64,
    /// Those of which the server told the cached tokens.
    told: FirstTurnTokens,
    not_told: u64,
}

impl RunTotals {
    /// Token-bearing events and requests a second, to the last answer.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    pub fn rates(&self) -> Option<(f64, f64)> {
        let seconds = self.last_done.as_secs_f64();
        (seconds > 0.0).then(|| (self.events as f64 / seconds, self.requests as f64 / seconds))
    }

    pub fn add(&mut self, RequestResult { record, authored, lag, held_back, is_without_text, carriage, .. }: &RequestResult) {
        self.carried.add(carriage);
        self.requests += 1;
        self.without_text += u64::from(*is_without_text && record.phase != RequestPhase::Prefill);
        self.events += if record.first_token_us.is_some() { 1 + record.gaps_us.len() as u64 } else { 0 };
        self.last_done = self.last_done.max(record.done_us);
        if let Some(failure) = &record.failure {
            *self.failures.entry(failure.kind).or_default() += 1;
            if !failure.kind.may_be_unsent() && failure.kind != FailureKind::Left {
                self.failure_words.entry(failure.kind).or_insert_with(|| failure.detail.clone());
            }
        }
        match lag {
            Some(lag) => {
                self.lags.add(*lag);
                self.held_back += u64::from(*held_back);
            }
            None if record.phase == RequestPhase::Prefill => self.refused_histories += u64::from(record.failure.is_some()),
            None => self.unsent += u64::from(is_cancelled(record)),
        }
        if record.turn == 0 && record.failure.is_none() {
            self.first_turns.add(record, *authored);
        }
        if record.phase == RequestPhase::Measure {
            self.measured += 1;
            self.failed += u64::from(record.failure.is_some() && !record.was_left());
            self.first_intended = Some(self.first_intended.map_or(record.intended_us, |first| first.min(record.intended_us)));
        }
    }

    /// So many records are ready and have not been taken yet.
    pub fn waiting(&mut self, records: usize) {
        self.waiting_max = self.waiting_max.max(records);
    }

    pub fn waiting_max(&self) -> u64 {
        self.waiting_max as u64
    }

    pub fn end(&self) -> Micros {
        self.last_done
    }

    /// Turns that were due and held back until the run had ended.
    pub fn unsent(&self) -> u64 {
        self.unsent
    }

    /// A remark on requests that were given up on purpose.
    pub fn left_note(&self) -> Option<String> {
        let left = self.failures.get(&FailureKind::Left).copied().filter(|left| *left > 0)?;
        Some(format!(
            "{left} of {} requests were left by their users before the answer was over, as `leave` asks (left): they count in time to first token, and \
             in no metric of whole answers nor as errors",
            self.requests
        ))
    }

    /// Remarks on turns that could not be what was asked for, since others had failed.
    pub fn lost_turn_notes(&self) -> impl Iterator<Item = String> {
        let count = |kind: FailureKind| self.failures.get(&kind).copied().unwrap_or(0);
        let (without, ended, refused) = (count(FailureKind::NoHistory), count(FailureKind::SessionEnded), self.refused_histories);
        let notes = [
            (
                without,
                format!("{without} turns were not sent and count as failed (no_history): what their prompts should begin with had failed"),
            ),
            (
                ended,
                format!("{ended} turns were not sent and count as failed (session_ended): an earlier turn of their session had failed"),
            ),
            (
                refused,
                format!(
                    "the histories of {refused} users met in mid-life could not be laid into the cache: their first turns compute them whole"
                ),
            ),
        ];
        notes.into_iter().filter(|(count, _)| *count > 0).map(|(_, note)| note)
    }

    /// Requests that had to wait for an answer or a place before they could be sent.
    pub fn held_back(&self) -> u64 {
        self.held_back
    }

    /// A remark where answers brought no text for the histories that are made of them.
    pub fn history_note(&self, workload: &WorkloadSpec) -> Option<String> {
        let answers = workload.history_answers()?;
        let without = self.without_text;
        (without > 0 && answers != AnswerPolicy::Scripted).then(|| {
            format!(
                "{without} answers brought no text, only reasoning or tool calls: the histories of later turns are shorter by their answers; \
                 `workload.answers = \"scripted\"` puts a text of the asked length there"
            )
        })
    }

    pub fn counts(&self) -> RequestCounts {
        RequestCounts {
            requests: self.requests,
            measured: self.measured,
            failed: self.failed,
            failures: self.failures.clone(),
            failure_words: self.failure_words.clone(),
            measured_window_us: self.first_intended.map_or(Micros::ZERO, |first| self.last_done.since(first)),
        }
    }

    /// A remark where the server counts first turns differently from the token rule that they were authored by.
    pub fn length_note(&self) -> Option<String> {
        self.first_turns.length_note()
    }

    /// What first turns say of the caches: a document that nobody has sent before cannot be in one. A salt of so many tokens is in all,
    /// and so is the chat template, whose length is guessed where nobody was asked.
    pub fn first_turns(&self, workload: &WorkloadSpec, salt_tokens: u64, template_tokens: Option<u64>) -> FirstTurnFinding {
        if let Some(head) = workload.shared_head() {
            return FirstTurnFinding::Inconclusive(match head {
                SharedPromptHead::Users => InconclusiveTurns::SharedByUsers,
                SharedPromptHead::Trace => InconclusiveTurns::SharedByTrace,
                SharedPromptHead::Requests => InconclusiveTurns::SharedByRequests,
                SharedPromptHead::Recording => InconclusiveTurns::SharedByRecording,
            });
        }
        let template_tokens = template_tokens.unwrap_or_else(|| self.first_turns.template_tokens());
        self.first_turns.finding(salt_tokens, template_tokens)
    }
}

fn is_cancelled(record: &RequestRecord) -> bool {
    record.failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::Cancelled)
}

impl FirstTurnTotals {
    fn add(&mut self, record: &RequestRecord, authored: Option<u64>) {
        if let (TokenSource::Usage, Some(prompt_tokens), Some(authored)) = (record.token_source, record.prompt_tokens, authored) {
            self.counted += 1;
            self.prompt_tokens += prompt_tokens;
            self.authored_tokens += authored;
        }
        match record.cached_tokens {
            Some(cached) => {
                self.told.turns += 1;
                self.told.prompt_tokens += record.prompt_tokens.or(authored).unwrap_or(0);
                self.told.cached_tokens += cached;
            }
            None => self.not_told += 1,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a remark for people")]
    fn length_note(&self) -> Option<String> {
        let difference = self.prompt_tokens.abs_diff(self.authored_tokens) as f64;
        let tolerated = self.counted as f64 * USUAL_TEMPLATE as f64 + self.authored_tokens as f64 * LENGTH_TOLERANCE;
        (difference > tolerated).then(|| {
            let (told, authored) = (self.prompt_tokens / self.counted.max(1), self.authored_tokens / self.counted.max(1));
            format!(
                "the server counts {told} tokens in a first turn where {authored} were authored: the token rule is not the server's own"
            )
        })
    }

    /// What the server counts of a first turn beyond what was authored.
    fn template_tokens(&self) -> u64 {
        self.prompt_tokens.saturating_sub(self.authored_tokens) / self.counted.max(1)
    }

    fn finding(&self, salt_tokens: u64, template_tokens: u64) -> FirstTurnFinding {
        let (tokens, unreported_turns) = (self.told, self.not_told);
        let explained_tokens = template_tokens.min(TEMPLATE_TOKENS) + salt_tokens + OPENING_TOKENS;
        match (tokens.turns, unreported_turns) {
            (0, 0) => FirstTurnFinding::Inconclusive(InconclusiveTurns::NoneAnswered),
            (0, _) => FirstTurnFinding::Inconclusive(InconclusiveTurns::NotReported),
            _ if tokens.are_warm(explained_tokens) => FirstTurnFinding::Warm { tokens, explained_tokens },
            (_, 0) => FirstTurnFinding::Cold { tokens, explained_tokens },
            _ => FirstTurnFinding::Inconclusive(InconclusiveTurns::PartlyReported { tokens, explained_tokens, unreported_turns }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::executor::row::{LoadSnapshot, ScheduledRequest};
    use crate::executor::sequential_loop::InFlightCounters;
    use crate::executor::token_counts::TokenCounts;
    use crate::servers::client::HttpExchange;

    #[test]
    fn a_request_whose_writing_took_time_was_not_held_back() {
        let mut tally = RunTotals::default();
        for could_send_at in [1_000, 1_000, 1_400] {
            let at_send = LoadSnapshot::entering(&InFlightCounters::default());
            let sent = ScheduledRequest { session: 0, turn: 1, lane: 0, phase: RequestPhase::Measure, intended: Micros(1_000), at_send };
            let mut exchange = HttpExchange { sent: Micros(1_500), done: Micros(2_000), ..HttpExchange::default() };
            exchange.carriage.handover = Micros(100);
            let counts = TokenCounts::default();
            tally.add(&RequestResult::sent(sent, exchange, counts, None, Micros(could_send_at)));
        }
        assert_eq!(tally.held_back(), 1);
    }

    fn first_turns(cached: &[Option<u64>], authored: u64) -> FirstTurnTotals {
        let mut first_turns = FirstTurnTotals::default();
        for cached_tokens in cached {
            let text = r#"{"request":0,"session":0,"lane":0,"turn":0,"phase":"measure","intended_us":0,"sent_us":0,"done_us":1,
                "token_source":"usage","in_flight":1,"live_lanes":1}"#;
            let record: RequestRecord = serde_json::from_str(text).unwrap();
            first_turns.add(&RequestRecord { prompt_tokens: Some(8000), cached_tokens: *cached_tokens, ..record }, Some(authored));
        }
        first_turns
    }

    #[test]
    fn documents_that_come_from_a_cache_are_warm() {
        let tokens = |cached_tokens| FirstTurnTokens { turns: 2, prompt_tokens: 16_000, cached_tokens };
        let found = first_turns(&[Some(0), Some(16)], 7980).finding(0, 20);
        assert_eq!(found, FirstTurnFinding::Cold { tokens: tokens(16), explained_tokens: 36 });
        // A template of 100 tokens in front of each document is shared by all of them.
        let found = first_turns(&[Some(0), Some(150)], 7900).finding(0, 100);
        assert_eq!(found, FirstTurnFinding::Cold { tokens: tokens(150), explained_tokens: 116 });
        let found = first_turns(&[Some(0), Some(7936)], 7980).finding(10, 20);
        assert_eq!(found, FirstTurnFinding::Warm { tokens: tokens(7936), explained_tokens: 46 });
    }

    #[test]
    fn what_the_server_does_not_tell_says_nothing() {
        let reason = |cached: &[Option<u64>]| match first_turns(cached, 7980).finding(0, 20) {
            FirstTurnFinding::Inconclusive(reason) => reason,
            found => panic!("{found:?}"),
        };
        assert_eq!(reason(&[]), InconclusiveTurns::NoneAnswered);
        assert_eq!(reason(&[None]), InconclusiveTurns::NotReported);
        let tokens = FirstTurnTokens { turns: 1, prompt_tokens: 8000, cached_tokens: 0 };
        let partly = InconclusiveTurns::PartlyReported { tokens, explained_tokens: 36, unreported_turns: 1 };
        assert_eq!(reason(&[Some(0), None]), partly);
        // What came from a cache is told all the same.
        assert!(matches!(first_turns(&[Some(7936), None], 7980).finding(0, 20), FirstTurnFinding::Warm { .. }));
    }

    #[test]
    fn a_token_rule_that_is_not_the_servers_is_remarked_on() {
        assert_eq!(first_turns(&[Some(0)], 7980).length_note(), None);
        let note = first_turns(&[Some(0)], 6000).length_note().unwrap();
        assert!(note.contains("8000") && note.contains("6000"), "{note}");
    }
}
