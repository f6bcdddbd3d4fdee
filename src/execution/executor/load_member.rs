//! A client that does not lead: does its part of each run as the leader says, and tells it every row.
//!
//! In: the leader's words. Out: time 0 on this client's clock, and rows on the leader's. Where the leader is lost, or this client is asked to stop, the load ends.

use super::client_words::{LeaderWord, LoadStop, MemberWord, worded};
use super::lane_ties::LaneSignal;
use super::load_party::{LoadOrigin, PartyNews};
use super::sequential_loop::{LoadError, RequestResult};
use super::stop_token::StopToken;
use crate::foundation::clock::{Clock, Micros};
use crate::meeting::{LeaderLine, LeaderNews, MeetingMember};
use crate::servers::client::ReadStats;

/// Rows that are told together: a message stays far below what is read of one.
const ROWS_A_WORD: usize = 64;

/// The leader, and what it has said of the run that goes on.
#[derive(Debug)]
pub struct LoadMember {
    meeting: MeetingMember,
    /// What is asked of this client by its own signals.
    asked: StopToken,
    has_told_asked: bool,
    run: u64,
    /// What is to be loaded, once that may be.
    loaded: Option<LoadOrder>,
    /// Time 0 on the meeting's clock of this client, and on the leader's clock of the run.
    start: Option<(Micros, Micros)>,
    end: Option<MeetingEnd>,
}

/// How it ended for a client that does not lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MeetingEnd {
    /// The leader has no more runs.
    Done { interrupted: bool },
    /// The leader ended it for a reason.
    GivenUp(String),
    /// The leader is not there any more.
    LeaderLost(String),
    /// This client was asked to leave at once.
    Left,
}

/// What may be loaded.
#[derive(Debug)]
pub(super) struct LoadOrder {
    /// What the prompts' salt is made of, where they have one.
    pub salt: Option<String>,
}

/// What is to be done of a run.
#[derive(Debug)]
pub(super) struct RunOrder {
    pub step: RunStep,
    pub id: String,
    /// Where its server is, where the leader has started one.
    pub url: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RunStep {
    /// See whether its target serves this client.
    Reach,
    /// Do this client's part.
    Load,
}

impl LoadMember {
    #[must_use]
    pub fn new(meeting: MeetingMember, asked: StopToken) -> Self {
        Self { meeting, asked, has_told_asked: false, run: 0, loaded: None, start: None, end: None }
    }

    /// Waits for what is next to be done; or how it ended.
    pub(super) async fn next_order(&mut self) -> Result<RunOrder, MeetingEnd> {
        // Nothing goes on that could be stopped.
        let nothing = StopToken::new();
        loop {
            if let Some(end) = &self.end {
                return Err(end.clone());
            }
            match self.word(&nothing).await {
                Some(LeaderWord::Reach { id, url }) => return Ok(RunOrder { step: RunStep::Reach, id, url }),
                Some(LeaderWord::Prepare { run, id, url }) => {
                    (self.run, self.loaded, self.start) = (run, None, None);
                    return Ok(RunOrder { step: RunStep::Load, id, url });
                }
                _ => {}
            }
        }
    }

    /// Waits until it may be loaded. `None` where the run is to be stopped.
    pub(super) async fn loaded(&mut self, stop: &StopToken) -> Option<LoadOrder> {
        while self.loaded.is_none() && !stop.is_draining() {
            self.hear(stop).await;
        }
        self.loaded.take()
    }

    /// Says that all is ready, and waits for time 0 to be announced.
    pub(super) async fn origin(&mut self, clock: Clock, stop: &StopToken) -> Result<Option<LoadOrigin>, LoadError> {
        if stop.is_draining() {
            return Ok(None);
        }
        self.say(&MemberWord::Ready { run: self.run });
        while self.start.is_none() && !stop.is_draining() {
            self.hear(stop).await;
        }
        let Some((at, leader)) = self.start.take() else { return Ok(None) };
        let own = at.since(clock.began_after(&self.meeting.clock()));
        let late = clock.now().since(own);
        if late > Micros::ZERO {
            return Err(LoadError::LateStart { late_ms: late.0.div_ceil(1000) });
        }
        Ok(Some(LoadOrigin { at: own, shift_us: leader.0.cast_signed().saturating_sub(own.0.cast_signed()) }))
    }

    /// Takes note of what the leader says next, and stops what goes on where it says so. May be given up and asked again.
    pub(super) async fn hear(&mut self, stop: &StopToken) -> PartyNews {
        match self.word(stop).await {
            Some(LeaderWord::Load { salt, .. }) => self.loaded = Some(LoadOrder { salt }),
            Some(LeaderWord::Start { at, origin, .. }) => self.start = Some((at, origin)),
            Some(LeaderWord::Stop { how: LoadStop::Drain, .. }) => stop.drain(),
            Some(LeaderWord::Stop { how: LoadStop::Abort, .. }) => stop.abort(),
            Some(LeaderWord::Lane { signal, .. }) => return PartyNews::Lane(signal),
            Some(LeaderWord::Reach { .. } | LeaderWord::Prepare { .. } | LeaderWord::End { .. }) | None => {}
        }
        PartyNews::Nothing
    }

    /// The next word about this run, or about no run yet.
    async fn word(&mut self, stop: &StopToken) -> Option<LeaderWord> {
        let news = tokio::select! {
            biased;
            () = self.asked.aborted(), if self.end.is_none() => {
                self.end = Some(MeetingEnd::Left);
                stop.abort();
                return None;
            }
            () = self.asked.draining(), if !self.has_told_asked => {
                self.has_told_asked = true;
                self.say(&MemberWord::StopAsked);
                return None;
            }
            news = self.meeting.heard() => news,
        };
        let end = match news {
            LeaderNews::Word(text) => match serde_json::from_str::<LeaderWord>(text.get()) {
                Ok(LeaderWord::End { interrupted }) => MeetingEnd::Done { interrupted },
                Ok(word @ (LeaderWord::Reach { .. } | LeaderWord::Prepare { .. })) => return Some(word),
                Ok(word) => return Some(word).filter(|word| word.run() == Some(self.run)),
                Err(error) => MeetingEnd::LeaderLost(format!("it said what this client does not understand: {error}")),
            },
            LeaderNews::Over(reason) => MeetingEnd::GivenUp(reason.unwrap_or_else(|| "rank 0 left without a word".to_owned())),
            LeaderNews::Lost(reason) => MeetingEnd::LeaderLost(reason),
        };
        self.end.get_or_insert(end);
        stop.abort();
        None
    }

    /// What tells the leader how far a lane has come.
    pub(super) fn lane_teller(&self) -> impl Fn(LaneSignal) + Send + use<> {
        let (line, run) = (self.meeting.line(), self.run);
        move |signal| {
            if let Some(word) = worded(&MemberWord::Lane { run, signal }) {
                line.send(word);
            }
        }
    }

    /// What rows of this run go to the leader by.
    pub(super) fn rows(&self) -> RowSender {
        RowSender { line: self.meeting.line(), run: self.run, shift_us: None, held: Vec::new(), rows: 0, hash: blake3::Hasher::new() }
    }

    pub(super) fn say(&self, word: &MemberWord) {
        if let Some(word) = worded(word) {
            self.meeting.line().send(word);
        }
    }

    pub(super) fn run(&self) -> u64 {
        self.run
    }

    /// Leaves once all has been said.
    pub(super) fn leave(self) {
        self.meeting.leave();
    }
}

/// Tells the leader rows, on its clock.
#[derive(Debug)]
pub(super) struct RowSender {
    line: LeaderLine,
    run: u64,
    /// Not known before time 0 is: until then rows are held.
    shift_us: Option<i64>,
    held: Vec<RequestResult>,
    rows: u64,
    hash: blake3::Hasher,
}

impl RowSender {
    /// From now on it is known what has to be added to times.
    pub fn begin(&mut self, shift_us: i64) {
        self.shift_us = Some(shift_us);
    }

    pub fn add(&mut self, row: RequestResult) {
        self.held.push(row);
        if self.held.len() >= ROWS_A_WORD {
            self.send();
        }
    }

    /// Sends what is held.
    pub fn send(&mut self) {
        let Some(shift_us) = self.shift_us else { return };
        while !self.held.is_empty() {
            let rest = self.held.split_off(self.held.len().min(ROWS_A_WORD));
            let rows: Vec<RequestResult> = std::mem::replace(&mut self.held, rest).into_iter().map(|row| shifted(row, shift_us)).collect();
            self.rows += rows.len() as u64;
            if let Some(word) = worded(&MemberWord::Rows { run: self.run, rows }) {
                self.hash.update(word.get().as_bytes());
                self.line.send(word);
            }
        }
    }

    /// How many rows were sent, and the hash of all that brought them.
    pub fn sent(&self) -> (u64, String) {
        (self.rows, self.hash.finalize().to_hex().to_string())
    }
}

/// On the leader's clock, without what only this client's own figures need.
fn shifted(mut row: RequestResult, by_us: i64) -> RequestResult {
    row.record = row.record.shifted(by_us);
    row.carriage.reads = ReadStats::default();
    row
}
