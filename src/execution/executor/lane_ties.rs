//! What ties the groups of a run to each other: each first request and each first follow-up to that of the group before, and all follow-ups to all first
//! answers. Where several clients share the groups, a tie between groups of two clients goes by words.
//!
//! In: this client's lanes, and how many there are in all. Out: the lanes with what they wait for, what is to be told to others, and what waits for their words.

use std::collections::BTreeMap;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::first_answer_barrier::FirstAnswerWaiter;
use super::sequential_loop::{FirstTokenLink, StartDependencies};
use crate::workloads::arrival::{SerialRequests, StartTrigger};

/// A lane has come so far that others may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct LaneSignal {
    pub lane: u32,
    pub event: LaneEvent,
}

/// How far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum LaneEvent {
    /// Its first request has its first token, or will have none.
    Started,
    /// The same of its first follow-up.
    FollowedUp,
    /// All its first turns are answered, or it has ended.
    Answered,
}

/// This client's lanes with what they wait for.
pub(super) struct TiedLanes {
    pub lanes: Vec<(SerialRequests, StartDependencies)>,
    pub remote: RemoteLanes,
}

/// The ties to lanes of other clients.
#[derive(Debug, Default)]
pub(super) struct RemoteLanes {
    /// What own lanes wait for.
    waiting: BTreeMap<LaneSignal, oneshot::Sender<()>>,
    /// The part of others' lanes in the wait of all.
    answers: BTreeMap<u32, FirstAnswerWaiter>,
    /// What others wait for.
    told: Vec<(LaneSignal, oneshot::Receiver<()>)>,
}

impl RemoteLanes {
    /// What other clients' lanes wait for, each as soon as it is so: each receiver ends then.
    pub fn take_told(&mut self) -> Vec<(LaneSignal, oneshot::Receiver<()>)> {
        std::mem::take(&mut self.told)
    }

    /// Lets go on what waits for another client's lane.
    pub fn release(&mut self, signal: LaneSignal) {
        if signal.event == LaneEvent::Answered {
            self.answers.remove(&signal.lane);
        } else if let Some(waiting) = self.waiting.remove(&signal) {
            // The lane may have ended.
            let _ = waiting.send(());
        }
    }
}

/// Says each signal when it is due; ends when all have been said, at the latest when this client's lanes have ended.
pub(super) async fn tell_others(signals: Vec<(LaneSignal, oneshot::Receiver<()>)>, say: impl Fn(LaneSignal)) {
    let due = |(signal, due): (LaneSignal, oneshot::Receiver<()>)| async move {
        // Dropped is as good as said: what it stands for will not come.
        let _ = due.await;
        signal
    };
    let mut waiting: FuturesUnordered<_> = signals.into_iter().map(due).collect();
    while let Some(signal) = waiting.next().await {
        say(signal);
    }
}

impl TiedLanes {
    /// Ties each lane to the one before it: its first follow-up always, its start where that is staggered. `all` is how many lanes wait for one another on all
    /// clients; where that is no more than there are here, nobody else's are waited for.
    pub fn tie(lanes: Vec<SerialRequests>, all: u32) -> Self {
        if lanes.len() >= all as usize {
            return Self { lanes: neighbours(lanes), remote: RemoteLanes::default() };
        }
        let mut own: BTreeMap<u32, SerialRequests> = lanes.into_iter().map(|lane| (lane.number, lane)).collect();
        let mut remote = RemoteLanes::default();
        let mut tied: Vec<(SerialRequests, StartDependencies)> = Vec::with_capacity(own.len());
        for (number, mut first_answers) in (0..all).zip(FirstAnswerWaiter::among(all as usize)) {
            let before = number.checked_sub(1);
            let before_is_own = before.is_some() && tied.last().is_some_and(|(lane, _)| Some(lane.number) == before);
            let previous = tied.last_mut().filter(|_| before_is_own).map(|(_, previous)| previous);
            let Some(lane) = own.remove(&number) else {
                remote.answers.insert(number, first_answers);
                if let (Some(previous), Some(before)) = (previous, before) {
                    remote.tells(before, LaneEvent::Started, &mut previous.start);
                    remote.tells(before, LaneEvent::FollowedUp, &mut previous.follow_up);
                }
                continue;
            };
            let (come, answered) = oneshot::channel();
            first_answers.tell(come);
            remote.told.push((LaneSignal { lane: number, event: LaneEvent::Answered }, answered));
            let mut here = StartDependencies { start: FirstTokenLink::default(), follow_up: FirstTokenLink::default(), first_answers };
            let is_staggered = lane.start == StartTrigger::AfterFirstTokenOfPrevious;
            match (previous, before) {
                (Some(previous), _) => {
                    tie(&mut previous.follow_up, &mut here.follow_up);
                    if is_staggered {
                        tie(&mut previous.start, &mut here.start);
                    }
                }
                (None, Some(before)) => {
                    remote.waits(before, LaneEvent::FollowedUp, &mut here.follow_up);
                    if is_staggered {
                        remote.waits(before, LaneEvent::Started, &mut here.start);
                    }
                }
                (None, None) => {}
            }
            tied.push((lane, here));
        }
        Self { lanes: tied, remote }
    }
}

impl RemoteLanes {
    fn tells(&mut self, lane: u32, event: LaneEvent, link: &mut FirstTokenLink) {
        let (fire, wait) = oneshot::channel();
        link.next = Some(fire);
        self.told.push((LaneSignal { lane, event }, wait));
    }

    fn waits(&mut self, lane: u32, event: LaneEvent, link: &mut FirstTokenLink) {
        let (fire, wait) = oneshot::channel();
        link.previous = Some(wait);
        self.waiting.insert(LaneSignal { lane, event }, fire);
    }
}

/// Lanes that are all here.
fn neighbours(lanes: Vec<SerialRequests>) -> Vec<(SerialRequests, StartDependencies)> {
    let mut tied: Vec<(SerialRequests, StartDependencies)> = Vec::with_capacity(lanes.len());
    let first_answers = FirstAnswerWaiter::among(lanes.len());
    for (lane, first_answers) in lanes.into_iter().zip(first_answers) {
        let mut here = StartDependencies { start: FirstTokenLink::default(), follow_up: FirstTokenLink::default(), first_answers };
        if let Some((_, before)) = tied.last_mut() {
            tie(&mut before.follow_up, &mut here.follow_up);
            if lane.start == StartTrigger::AfterFirstTokenOfPrevious {
                tie(&mut before.start, &mut here.start);
            }
        }
        tied.push((lane, here));
    }
    tied
}

fn tie(before: &mut FirstTokenLink, after: &mut FirstTokenLink) {
    let (fire, wait) = oneshot::channel();
    before.next = Some(fire);
    after.previous = Some(wait);
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use tokio::sync::oneshot::error::TryRecvError;

    use super::*;
    use crate::workloads::arrival::{LoadShard, RequestSchedule};

    /// The tied lanes of each of so many clients.
    fn parts(clients: u32) -> Vec<TiedLanes> {
        let spec = serde_json::from_str(r#"{"kind": "document_qa", "concurrent": 5, "rounds": 1}"#).unwrap();
        let schedule = RequestSchedule::new(&spec, 7, None);
        let part = |rank| schedule.clone().of_client(LoadShard::new(rank, clients).unwrap());
        (0..clients).map(part).map(|part| TiedLanes::tie(part.lanes, part.tied_lanes)).collect()
    }

    /// What has become due to be told, of all clients, told to all.
    fn told(parts: &mut [TiedLanes], open: &mut Vec<(LaneSignal, oneshot::Receiver<()>)>) {
        open.extend(parts.iter_mut().flat_map(|part| part.remote.take_told()));
        for (signal, mut due) in std::mem::take(open) {
            if due.try_recv() == Err(TryRecvError::Empty) {
                open.push((signal, due));
            } else {
                for part in parts.iter_mut() {
                    part.remote.release(signal);
                }
            }
        }
    }

    fn lane(parts: &mut [TiedLanes], number: u32) -> &mut StartDependencies {
        let lanes = parts.iter_mut().flat_map(|part| &mut part.lanes);
        lanes.into_iter().find(|(lane, _)| lane.number == number).map(|(_, here)| here).unwrap()
    }

    #[test]
    fn a_lane_starts_after_the_one_before_it_whosever_that_is() {
        for clients in 1..=5 {
            let (mut parts, mut open) = (parts(clients), Vec::new());
            for number in 0..4 {
                let mut next = lane(&mut parts, number + 1).start.previous.take().unwrap();
                told(&mut parts, &mut open);
                assert!(next.try_recv().is_err(), "lane {} of {clients} clients waits", number + 1);
                // Dropped where it failed.
                drop(lane(&mut parts, number).start.next.take());
                told(&mut parts, &mut open);
                assert!(next.now_or_never().is_some(), "lane {} of {clients} clients goes on", number + 1);
            }
        }
    }

    #[test]
    fn follow_ups_wait_for_the_lanes_of_all_clients() {
        for clients in 1..=5 {
            let (mut parts, mut open) = (parts(clients), Vec::new());
            for number in 0..4 {
                assert_eq!(lane(&mut parts, number).first_answers.wait().now_or_never(), None);
                told(&mut parts, &mut open);
            }
            assert!(lane(&mut parts, 0).first_answers.wait().now_or_never().is_none(), "one is missing, with {clients} clients");
            // It ends without an answer.
            for part in &mut parts {
                part.lanes.retain(|(lane, _)| lane.number != 4);
            }
            told(&mut parts, &mut open);
            for number in 0..4 {
                assert!(lane(&mut parts, number).first_answers.wait().now_or_never().is_some(), "{clients} clients");
            }
        }
    }
}
