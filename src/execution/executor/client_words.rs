//! What the clients of one load say to each other about a run. Each word of a run has its number, so that what comes late is not taken for the next run's.
//!
//! In: words as types. Out: their texts. Must not know how they travel.

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::lane_ties::LaneSignal;
use super::sequential_loop::RequestResult;
use crate::foundation::clock::Micros;
use crate::records::record::ClientHealth;

/// Said by the client that leads.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum LeaderWord {
    /// See whether the target of this run serves you too, while the leader does the same. `url` is that of a server which it has started.
    Reach {
        id: String,
        url: Option<String>,
    },
    /// Make this run ready as far as that goes without sending anything that counts.
    Prepare {
        run: u64,
        id: String,
        url: Option<String>,
    },
    /// The caches are as they are to be: lay in, build prompts, open connections. `salt` is what the prompts' salt is made of.
    Load {
        run: u64,
        salt: Option<String>,
    },
    /// Time 0 is at that time of the member's clock of the meeting, which is `origin` on the leader's clock of the run.
    Start {
        run: u64,
        at: Micros,
        origin: Micros,
    },
    Stop {
        run: u64,
        how: LoadStop,
    },
    /// A lane of another client has come so far.
    Lane {
        run: u64,
        signal: LaneSignal,
    },
    /// There are no more runs.
    End {
        interrupted: bool,
    },
}

/// How a run's load is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum LoadStop {
    /// Send nothing more.
    Drain,
    /// Give up what is in flight.
    Abort,
}

/// Said by another client.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum MemberWord {
    /// All that is due at time 0 can be sent.
    Ready {
        run: u64,
    },
    /// A lane has come so far.
    Lane {
        run: u64,
        signal: LaneSignal,
    },
    Rows {
        run: u64,
        rows: Vec<RequestResult>,
    },
    /// All has been sent and answered, or given up when it was told to stop.
    Done {
        run: u64,
        part: Box<MemberPart>,
    },
    /// It cannot do its part.
    Failed {
        run: u64,
        reason: String,
    },
    /// Somebody asks this client to stop, and with it all.
    StopAsked,
}

/// What another client says of its part of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct MemberPart {
    pub health: ClientHealth,
    /// Its rows, and the hash of the words that brought them.
    pub rows: u64,
    pub rows_blake3: String,
    /// Connections that it opened before time 0.
    pub opened_ahead: u64,
    /// Remarks for people.
    pub notes: Vec<String>,
}

impl LeaderWord {
    /// The run that it is about.
    pub fn run(&self) -> Option<u64> {
        match self {
            Self::Prepare { run, .. }
            | Self::Load { run, .. }
            | Self::Start { run, .. }
            | Self::Stop { run, .. }
            | Self::Lane { run, .. } => Some(*run),
            Self::Reach { .. } | Self::End { .. } => None,
        }
    }
}

impl MemberWord {
    /// The run that it is about.
    pub fn run(&self) -> Option<u64> {
        match self {
            Self::Ready { run } | Self::Lane { run, .. } | Self::Rows { run, .. } | Self::Done { run, .. } | Self::Failed { run, .. } => {
                Some(*run)
            }
            Self::StopAsked => None,
        }
    }
}

/// A word as it is sent. These types have no values that JSON lacks.
pub(super) fn worded(word: &impl Serialize) -> Option<Box<RawValue>> {
    to_raw_value(word).ok()
}

#[cfg(test)]
mod tests {
    use super::super::lane_ties::LaneEvent;
    use super::*;
    use crate::meeting::MEETING_PROTOCOL;
    use crate::records::record::{AnswerHashes, FailureKind, FirstEventSource, RequestFailure, RequestPhase, RequestRecord, TokenSource};
    use crate::servers::client::TransportStats;

    /// Every word, with all that it may hold.
    fn all_words() -> (Vec<LeaderWord>, Vec<MemberWord>) {
        let (run, id, url) = (1, || "a".to_owned(), || Some("u".to_owned()));
        let signal = |event| LaneSignal { lane: 2, event };
        let leader = vec![
            LeaderWord::Reach { id: id(), url: url() },
            LeaderWord::Prepare { run, id: id(), url: url() },
            LeaderWord::Load { run, salt: Some("s".to_owned()) },
            LeaderWord::Start { run, at: Micros(3), origin: Micros(4) },
            LeaderWord::Stop { run, how: LoadStop::Drain },
            LeaderWord::Stop { run, how: LoadStop::Abort },
            LeaderWord::Lane { run, signal: signal(LaneEvent::Started) },
            LeaderWord::End { interrupted: true },
        ];
        let row = RequestResult {
            record: full_record(),
            authored: Some(5),
            lag: Some(Micros(6)),
            held_back: true,
            is_without_text: false,
            carriage: TransportStats::default(),
            said: None,
        };
        let part = MemberPart {
            health: ClientHealth::default(),
            rows: 1,
            rows_blake3: "b".to_owned(),
            opened_ahead: 7,
            notes: vec!["n".to_owned()],
        };
        let member = vec![
            MemberWord::Ready { run },
            MemberWord::Lane { run, signal: signal(LaneEvent::FollowedUp) },
            MemberWord::Lane { run, signal: signal(LaneEvent::Answered) },
            MemberWord::Rows { run, rows: vec![row] },
            MemberWord::Done { run, part: Box::new(part) },
            MemberWord::Failed { run, reason: "r".to_owned() },
            MemberWord::StopAsked,
        ];
        (leader, member)
    }

    /// A record with everything that it can hold, whether or not all of it can be at once.
    fn full_record() -> RequestRecord {
        RequestRecord {
            request: 1,
            session: 2,
            lane: 3,
            turn: 4,
            phase: RequestPhase::Measure,
            intended_us: Micros(5),
            sent_us: Micros(6),
            headers_us: Some(Micros(7)),
            first_event_us: Some(Micros(8)),
            first_token_us: Some(Micros(9)),
            last_token_us: Some(Micros(10)),
            done_us: Micros(11),
            gaps_us: vec![12],
            first_event_tokens: Some(13),
            prompt_tokens: Some(14),
            cached_tokens: Some(15),
            output_tokens: Some(16),
            token_source: TokenSource::Usage,
            in_flight: 17,
            live_lanes: 18,
            connect_us: Some(Micros(19)),
            first_answer_us: Some(Micros(20)),
            token_events: Some(21),
            token_reads: Some(22),
            first_event_source: Some(FirstEventSource::Usage),
            reasoning_tokens: Some(23),
            hidden_tokens: Some(24),
            forced_tokens: Some(25),
            prompt_hash: Some(26),
            answer_hashes: Some(AnswerHashes::of("a")),
            server: Some(27),
            attempts: Some(28),
            client: Some(29),
            failure: Some(RequestFailure { kind: FailureKind::Http(503), detail: "d".to_owned() }),
        }
    }

    /// Two builds of one version meet where somebody tries a change on some of the nodes.
    #[test]
    fn the_words_are_those_of_the_protocols_number_raise_it_where_they_change() {
        let (leader, member) = all_words();
        let lines = leader.iter().map(worded).chain(member.iter().map(worded)).map(|word| word.unwrap().get().to_owned());
        insta::assert_snapshot!(format!("words_of_protocol_{MEETING_PROTOCOL}"), lines.collect::<Vec<_>>().join("\n"));
    }
}
