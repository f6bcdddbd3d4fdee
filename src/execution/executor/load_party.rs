//! With whom a run's load is sent: alone, as the client that leads several, or as another one of them.
//!
//! In: the run's clock and what comes from the other clients. Out: time 0, rows of others, and that the run is to be stopped. The load loop asks it and knows no
//! connection.

use super::lane_ties::LaneSignal;
use super::load_leader::LoadLeader;
use super::load_member::LoadMember;
use super::sequential_loop::{LoadError, RequestResult};
use super::stop_token::StopToken;
use crate::foundation::clock::{Clock, Micros};

/// Who sends a load together.
#[derive(Debug)]
pub(super) enum LoadParty<'a> {
    Alone,
    Leader(&'a mut LoadLeader),
    Member(&'a mut LoadMember),
}

/// When a load begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct LoadOrigin {
    /// Time 0 on this client's clock of the run.
    pub at: Micros,
    /// What has to be added to a time of that clock to have one of the leader's.
    pub shift_us: i64,
}

/// What came from other clients.
#[derive(Debug)]
pub(super) enum PartyNews {
    Rows(Vec<RequestResult>),
    /// A lane has come so far.
    Lane(LaneSignal),
    /// One failed, and with it the run.
    Failed,
    Nothing,
}

impl LoadParty<'_> {
    /// Does something before time 0, and hears the others meanwhile: what they say stops it where it has to be stopped.
    pub async fn during<T>(&mut self, stop: &StopToken, work: impl Future<Output = T>) -> T {
        if let Self::Alone = self {
            return work.await;
        }
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                news = self.news(stop) => {
                    if let PartyNews::Failed = news {
                        stop.abort();
                    }
                }
            }
        }
    }

    /// Waits until all are ready, and agrees on time 0; `None` where the run is to be stopped.
    pub async fn origin(&mut self, clock: Clock, stop: &StopToken) -> Result<Option<LoadOrigin>, LoadError> {
        match self {
            Self::Alone => Ok(Some(LoadOrigin { at: clock.now(), shift_us: 0 })),
            Self::Leader(leader) => leader.origin(clock, stop).await,
            Self::Member(member) => member.origin(clock, stop).await,
        }
    }

    /// Whether there is anybody to be heard while this client's own load goes on, or beyond that.
    pub fn is_heard(&self, is_sending: bool) -> bool {
        match self {
            Self::Alone => false,
            Self::Leader(leader) => leader.is_awaiting(),
            Self::Member(_) => is_sending,
        }
    }

    /// What comes next. May be given up and asked again.
    pub async fn news(&mut self, stop: &StopToken) -> PartyNews {
        match self {
            Self::Alone => std::future::pending().await,
            Self::Leader(leader) => leader.news(stop).await,
            Self::Member(member) => member.hear(stop).await,
        }
    }

    /// What tells the others how far a lane has come.
    pub fn lane_teller(&self) -> Box<dyn Fn(LaneSignal) + Send> {
        match self {
            Self::Alone => Box::new(|_| {}),
            Self::Leader(leader) => Box::new(leader.lane_teller()),
            Self::Member(member) => Box::new(member.lane_teller()),
        }
    }

    /// An error where another client failed.
    pub fn whole(&self) -> Result<(), LoadError> {
        match self {
            Self::Leader(leader) => leader.whole(),
            Self::Alone | Self::Member(_) => Ok(()),
        }
    }
}
