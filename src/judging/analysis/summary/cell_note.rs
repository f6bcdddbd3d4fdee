//! Remarks on a cell: what each rests on, and its words.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::super::amount::percent;
use super::client_limit::ClientLimits;
use crate::records::record::CacheEvidence;

/// A remark on a cell. Counts of answers are of its successful measured requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CellNote {
    /// The client itself may have been what was slow.
    ClientLimited(ClientLimits),
    /// Most answers came whole, at one moment, after so many seconds at the median.
    HeldBack { held_back: u64, answers: u64, held_back_p50_s: f64 },
    /// A read brought so many events on average.
    MergedReads { events_per_read: f64 },
    /// An event brought so many tokens on average.
    BundledTokens { tokens_per_event: f64 },
    /// The tokens of the first event of so many answers are estimated by its share of the text.
    EstimatedFirstEvents { estimated_first_events: u64, answers: u64 },
    /// So many answers brought reasoning alone.
    WithoutAnswer { without_answer: u64, answers: u64 },
    /// Reasoning was counted and never streamed; `output_tokens` are those that were.
    HiddenReasoning { hidden_tokens: u64, output_tokens: u64 },
    /// Answers were shorter than forced: this share of the forced tokens came, from 0 to 1.
    ShortAnswers { forced_share: f64 },
    /// Some of the planned runs are not there.
    MissingRuns { runs: u64, planned_runs: u64 },
    /// It is not proven that the caches of a run were empty.
    UnprovenCaches { evidence: CacheEvidence },
    /// A run's own remark, as it was recorded.
    RunNote { text: String },
}

impl fmt::Display for CellNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClientLimited(limits) => {
                write!(f, "client_limited: the client itself was slow ({limits}), so no verdict of this cell is certain")
            }
            Self::HeldBack { held_back, answers, held_back_p50_s } => write!(
                f,
                "held_back: {held_back} of {answers} answers came whole at one moment, after {held_back_p50_s:.3} s at the median: a proxy or \
                 the server holds them back, so no goal of `ttft`, `ttfat`, `ttfe`, `tpot` or `itl` is certain; switch buffering off (nginx: \
                 `proxy_buffering off`)"
            ),
            Self::MergedReads { events_per_read } => write!(
                f,
                "events came together, {events_per_read:.1} in a read: `itl` is no time between tokens, and `ttft` and `tpot` are those of what \
                 puts them together"
            ),
            Self::BundledTokens { tokens_per_event } => write!(
                f,
                "an event brings {tokens_per_event:.1} tokens on average: `itl` is the time between events, and a token's is `tpot`"
            ),
            Self::EstimatedFirstEvents { estimated_first_events, answers } => write!(
                f,
                "of {estimated_first_events} of {answers} answers the tokens of the first event are estimated by its share of the text, and \
                 `tpot` with them: servers that know `target.body.stream_options.continuous_usage_stats = true` tell"
            ),
            Self::WithoutAnswer { without_answer, answers } => write!(
                f,
                "{without_answer} of {answers} answers brought reasoning alone and no token of an answer: `ttfat` leaves them out"
            ),
            Self::HiddenReasoning { hidden_tokens, output_tokens } => write!(
                f,
                "{hidden_tokens} of {} output tokens are reasoning that the server did not stream: no time a token and no tokens/s counts them",
                hidden_tokens + output_tokens
            ),
            Self::ShortAnswers { forced_share } => write!(
                f,
                "short_answers: {} of the forced answer tokens came: the cell did so much of its work, so no goal of a time or a rate is \
                 certain; has the server `ignore_eos` and `min_tokens`? `answers = \"live\"` forces no length",
                percent(*forced_share)
            ),
            Self::MissingRuns { runs, planned_runs } => write!(f, "{runs} of {planned_runs} runs are there"),
            Self::UnprovenCaches { evidence } => write!(f, "cold caches are not proven: {evidence}"),
            Self::RunNote { text } => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::analysis::summary::{ClientLimit, NoteList};
    use crate::records::record::{CacheResetMethod, CanaryFinding, FirstTurnFinding, InconclusiveCanary, InconclusiveTurns};

    #[test]
    fn every_note_says_its_figures_and_comes_back_from_json() {
        let checked = CacheEvidence::Checked {
            reset: CacheResetMethod::Restarted,
            canary: Some(CanaryFinding::Inconclusive(InconclusiveCanary::NotReported)),
            canary_site: None,
            first_turns: FirstTurnFinding::Inconclusive(InconclusiveTurns::NotReported),
        };
        let all = [
            (
                CellNote::ClientLimited(ClientLimits(vec![ClientLimit::SendLag { p99_s: 0.25 }])),
                "client_limited: the client itself was slow (send lag p99 250 ms), so no verdict of this cell is certain",
            ),
            (
                CellNote::HeldBack { held_back: 90, answers: 100, held_back_p50_s: 1.039 },
                "held_back: 90 of 100 answers came whole at one moment, after 1.039 s at the median: a proxy or the server holds them back, so \
                 no goal of `ttft`, `ttfat`, `ttfe`, `tpot` or `itl` is certain; switch buffering off (nginx: `proxy_buffering off`)",
            ),
            (
                CellNote::MergedReads { events_per_read: 8.0 },
                "events came together, 8.0 in a read: `itl` is no time between tokens, and `ttft` and `tpot` are those of what puts them together",
            ),
            (
                CellNote::BundledTokens { tokens_per_event: 10.0 },
                "an event brings 10.0 tokens on average: `itl` is the time between events, and a token's is `tpot`",
            ),
            (
                CellNote::EstimatedFirstEvents { estimated_first_events: 99, answers: 100 },
                "of 99 of 100 answers the tokens of the first event are estimated by its share of the text, and `tpot` with them: servers that \
                 know `target.body.stream_options.continuous_usage_stats = true` tell",
            ),
            (
                CellNote::WithoutAnswer { without_answer: 3, answers: 100 },
                "3 of 100 answers brought reasoning alone and no token of an answer: `ttfat` leaves them out",
            ),
            (
                CellNote::HiddenReasoning { hidden_tokens: 3600, output_tokens: 400 },
                "3600 of 4000 output tokens are reasoning that the server did not stream: no time a token and no tokens/s counts them",
            ),
            (
                CellNote::ShortAnswers { forced_share: 0.3 },
                "short_answers: 30 % of the forced answer tokens came: the cell did so much of its work, so no goal of a time or a rate is \
                 certain; has the server `ignore_eos` and `min_tokens`? `answers = \"live\"` forces no length",
            ),
            (CellNote::MissingRuns { runs: 2, planned_runs: 3 }, "2 of 3 runs are there"),
            (
                CellNote::UnprovenCaches { evidence: checked },
                "cold caches are not proven: the server was started anew, but tells neither cached tokens nor counters of them; the server does \
                 not tell cached tokens",
            ),
            (CellNote::UnprovenCaches { evidence: CacheEvidence::Text("nobody asked".into()) }, "cold caches are not proven: nobody asked"),
            (CellNote::RunNote { text: "4 turns were not sent".into() }, "4 turns were not sent"),
        ];
        let (notes, words): (Vec<CellNote>, Vec<&str>) = all.into_iter().unzip();
        let notes = NoteList(notes);
        let saved = serde_json::to_value(&notes).unwrap();
        assert_eq!(saved["notes"], json!(words));
        assert_eq!(saved["note_figures"][8], json!({ "kind": "missing_runs", "runs": 2, "planned_runs": 3 }));
        assert_eq!(saved["note_figures"][10], json!({ "kind": "unproven_caches", "evidence": "nobody asked" }));
        assert_eq!(serde_json::from_value::<NoteList<CellNote>>(saved).unwrap(), notes);
        assert_eq!(serde_json::to_value(NoteList::<CellNote>::default()).unwrap(), json!({}));
    }
}
