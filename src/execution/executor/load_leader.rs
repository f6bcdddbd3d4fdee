//! The other clients of a load, as the client that leads sees them: has each run made ready everywhere, announces its time 0, takes in the rows of all, and
//! says who failed.
//!
//! In: runs, and what comes from the meeting. Out: rows on the leader's clock, and what each client says of itself. A client that fails, fails the run.

use std::collections::BTreeMap;
use std::time::Duration;

use super::client_words::{LeaderWord, LoadStop, MemberPart, MemberWord, worded};
use super::lane_ties::LaneSignal;
use super::load_party::{LoadOrigin, PartyNews};
use super::sequential_loop::LoadError;
use super::stop_token::StopToken;
use crate::foundation::clock::{Clock, Micros};
use crate::meeting::{MeetingLeader, MemberNews};
use crate::planning::plan::Run;
use crate::records::record::{ClientHealth, ClockOffset, LoadClient};
use crate::workloads::arrival::LoadShard;

/// Between the announcement of time 0 and time 0, beside what the way takes.
const ANNOUNCED_AHEAD: Micros = Micros(50_000);
/// How long others may take to be ready after the leader is.
const READY_WITHIN: Duration = Duration::from_mins(5);

/// The other clients of a sweep.
#[derive(Debug)]
pub struct LoadLeader {
    meeting: MeetingLeader,
    /// The machine that leads.
    host: String,
    /// Stops the sweep where another client is asked to.
    stop: StopToken,
    run: u64,
    /// Where the server is that was started for the runs.
    server_url: Option<String>,
    members: BTreeMap<u32, MemberProgress>,
    told: Option<LoadStop>,
    /// The first client that failed in this run.
    failure: Option<String>,
    /// The first that is lost for good.
    lost: Option<String>,
}

/// How far another client is with a run.
#[derive(Debug, Default)]
struct MemberProgress {
    host: String,
    state: MemberState,
    rows: u64,
    hash: blake3::Hasher,
    clock_before: Option<ClockOffset>,
    part: Option<MemberPart>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum MemberState {
    #[default]
    Preparing,
    Ready,
    /// In whatever way.
    Over,
}

impl LoadLeader {
    #[must_use]
    pub fn new(meeting: MeetingLeader, host: String, stop: StopToken) -> Self {
        Self { meeting, host, stop, run: 0, server_url: None, members: BTreeMap::new(), told: None, failure: None, lost: None }
    }

    /// Who is lost for good, in words.
    #[must_use]
    pub fn lost(&self) -> Option<&str> {
        self.lost.as_deref()
    }

    /// Has the others see whether the target of a run serves them, while the leader looks for itself; `url` is that of a server which was started for it.
    pub(super) fn reach(&mut self, run: &Run, url: Option<&str>) {
        self.server_url = url.map(str::to_owned);
        self.tell(&LeaderWord::Reach { id: run.id.clone(), url: self.server_url.clone() });
    }

    /// The leader's own part.
    pub(super) fn shard(&self) -> Option<LoadShard> {
        LoadShard::new(0, u32::try_from(self.meeting.members().count()).ok()? + 1)
    }

    /// Has a run made ready everywhere.
    pub(super) fn begin(&mut self, run: &Run) {
        self.run += 1;
        (self.told, self.failure) = (None, self.lost.clone());
        let progress = |(rank, host): (u32, &str)| (rank, MemberProgress { host: host.to_owned(), ..MemberProgress::default() });
        self.members = self.meeting.members().map(progress).collect();
        self.tell(&LeaderWord::Prepare { run: self.run, id: run.id.clone(), url: self.server_url.clone() });
    }

    /// Has the others do what may be done only now.
    pub(super) fn load(&self, salt: Option<&str>) {
        self.tell(&LeaderWord::Load { run: self.run, salt: salt.map(str::to_owned) });
    }

    /// Waits until all are ready, and announces time 0; `None` where the run is to be stopped.
    pub(super) async fn origin(&mut self, clock: Clock, stop: &StopToken) -> Result<Option<LoadOrigin>, LoadError> {
        let late = tokio::time::sleep(READY_WITHIN);
        let mut late = std::pin::pin!(late);
        while self.failure.is_none()
            && let Some(rank) = self.members.iter().find(|(_, member)| member.state == MemberState::Preparing).map(|(rank, _)| *rank)
        {
            tokio::select! {
                biased;
                () = stop.draining() => break,
                _ = self.hear() => {}
                () = &mut late => {
                    let minutes = READY_WITHIN.as_secs() / 60;
                    self.failure.get_or_insert_with(|| format!("client {rank} was not ready {minutes} min after rank 0 was"));
                }
            }
        }
        self.whole()?;
        if stop.is_draining() {
            return Ok(None);
        }
        let clocks = self.meeting.clocks().await;
        let farthest = clocks.values().map(|clock| clock.uncertainty_us).max().unwrap_or(0);
        let origin = clock.now() + ANNOUNCED_AHEAD + Micros(farthest.saturating_mul(4));
        let ours = origin + clock.began_after(&self.meeting.clock());
        for (rank, member) in &mut self.members {
            let Some(theirs) = clocks.get(rank) else {
                return Err(LoadError::Client(format!("client {rank} on {} did not say what time it is", member.host)));
            };
            member.clock_before = Some(*theirs);
            let start = LeaderWord::Start { run: self.run, at: theirs.theirs(ours), origin };
            if let Some(word) = worded(&start) {
                self.meeting.send(*rank, word);
            }
        }
        Ok(Some(LoadOrigin { at: origin, shift_us: 0 }))
    }

    /// What tells all others how far a lane has come.
    pub(super) fn lane_teller(&self) -> impl Fn(LaneSignal) + Send + use<> {
        let (lines, run) = (self.meeting.lines(), self.run);
        move |signal| {
            if let Some(word) = worded(&LeaderWord::Lane { run, signal }) {
                lines.send_all(&word);
            }
        }
    }

    /// Whether others still send, or await answers.
    pub(super) fn is_awaiting(&self) -> bool {
        self.members.values().any(|member| member.state != MemberState::Over)
    }

    /// What comes next of the others; hands on that the run is to be stopped.
    pub(super) async fn news(&mut self, stop: &StopToken) -> PartyNews {
        tokio::select! {
            biased;
            () = stop.aborted(), if self.told < Some(LoadStop::Abort) => {
                self.stop(LoadStop::Abort);
                PartyNews::Nothing
            }
            () = stop.draining(), if self.told < Some(LoadStop::Drain) => {
                self.stop(LoadStop::Drain);
                PartyNews::Nothing
            }
            news = self.hear() => news,
        }
    }

    /// An error where a client failed.
    pub(super) fn whole(&self) -> Result<(), LoadError> {
        self.failure.clone().map_or(Ok(()), |failure| Err(LoadError::Client(failure)))
    }

    /// What is left to be told of the others: connections that they opened ahead, and remarks.
    pub(super) fn parts(&self) -> impl Iterator<Item = (u32, &MemberPart)> {
        self.members.iter().filter_map(|(rank, member)| Some((*rank, member.part.as_ref()?)))
    }

    /// Ends a run everywhere, however far it has come; all clients of it.
    pub(super) async fn finish(&mut self, requests: u64, health: ClientHealth) -> Vec<LoadClient> {
        if self.is_awaiting() {
            self.stop(LoadStop::Abort);
        }
        let clocks = if self.lost.is_none() { self.meeting.clocks().await } else { BTreeMap::new() };
        let first = LoadClient { host: self.host.clone(), requests, health, ..LoadClient::default() };
        let others = std::mem::take(&mut self.members).into_iter().map(|(rank, member)| LoadClient {
            rank,
            host: member.host,
            requests: member.rows,
            rows_blake3: Some(member.hash.finalize().to_hex().to_string()),
            clock_before: member.clock_before,
            clock_after: clocks.get(&rank).copied(),
            health: member.part.map(|part| part.health).unwrap_or_default(),
        });
        std::iter::once(first).chain(others).collect()
    }

    /// Tells all that there is nothing more to do.
    pub fn end(self, interrupted: bool) {
        if self.lost.is_none() {
            self.tell(&LeaderWord::End { interrupted });
        }
        self.meeting.close(self.lost.as_deref());
    }

    /// Tells all that the sweep has failed, and why.
    pub fn give_up(self, reason: &str) {
        self.meeting.close(Some(reason));
    }

    fn stop(&mut self, how: LoadStop) {
        self.told = Some(how);
        self.tell(&LeaderWord::Stop { run: self.run, how });
    }

    fn tell(&self, word: &LeaderWord) {
        for (rank, _) in self.meeting.members() {
            if let Some(word) = worded(word) {
                self.meeting.send(rank, word);
            }
        }
    }

    /// Takes note of what comes next. May be given up and asked again.
    pub(super) async fn hear(&mut self) -> PartyNews {
        let (rank, news) = self.meeting.heard().await;
        let text = match news {
            MemberNews::Lost(reason) => {
                let lost = format!("client {rank} on {} was lost: {reason}", self.host_of(rank));
                self.lost.get_or_insert_with(|| lost.clone());
                return self.failed(rank, lost);
            }
            MemberNews::Word(text) => text,
        };
        let word = match serde_json::from_str::<MemberWord>(text.get()) {
            Ok(word) => word,
            Err(error) => {
                return self.failed(rank, format!("client {rank} on {} said what nobody understands: {error}", self.host_of(rank)));
            }
        };
        if word.run().is_some_and(|run| run != self.run) {
            return PartyNews::Nothing;
        }
        let Some(member) = self.members.get_mut(&rank) else { return PartyNews::Nothing };
        match word {
            MemberWord::StopAsked => self.stop.drain(),
            MemberWord::Lane { run, signal } => {
                let word = LeaderWord::Lane { run, signal };
                for (other, _) in self.meeting.members().filter(|(other, _)| *other != rank) {
                    if let Some(word) = worded(&word) {
                        self.meeting.send(other, word);
                    }
                }
                return PartyNews::Lane(signal);
            }
            MemberWord::Ready { .. } => member.state = MemberState::Ready,
            MemberWord::Rows { mut rows, .. } => {
                member.hash.update(text.get().as_bytes());
                member.rows += rows.len() as u64;
                for row in &mut rows {
                    row.record.client = Some(rank);
                }
                return PartyNews::Rows(rows);
            }
            MemberWord::Failed { reason, .. } => {
                let failed = format!("client {rank} on {}: {reason}", member.host);
                return self.failed(rank, failed);
            }
            MemberWord::Done { part, .. } => {
                let is_whole = part.rows == member.rows && part.rows_blake3 == member.hash.finalize().to_hex().as_str();
                (member.state, member.part) = (MemberState::Over, Some(*part));
                if !is_whole {
                    let failed = format!("the rows of client {rank} on {} are not those that it sent", member.host);
                    return self.failed(rank, failed);
                }
            }
        }
        PartyNews::Nothing
    }

    fn host_of(&self, rank: u32) -> String {
        self.meeting.members().find(|(known, _)| *known == rank).map_or_else(String::new, |(_, host)| host.to_owned())
    }

    fn failed(&mut self, rank: u32, reason: String) -> PartyNews {
        if let Some(member) = self.members.get_mut(&rank) {
            member.state = MemberState::Over;
        }
        self.failure.get_or_insert(reason);
        PartyNews::Failed
    }
}
