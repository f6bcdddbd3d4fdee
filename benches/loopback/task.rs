//! What a process of the harness is asked for: it stands in its command line, as JSON.

use bench::execution::selftest::emitter::EmissionTiming;
use serde::{Deserialize, Serialize};

/// A process's part, and the server that it talks to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Task {
    pub url: String,
    pub what: What,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum What {
    /// The server of the selftest.
    Serve,
    /// The server whose answers are written beforehand.
    Flood,
    /// Work without end, to keep a core busy.
    Hog,
    /// The bare reader of sockets.
    Sockets(Load),
    /// The bare reader over hyper.
    Hyper(Load),
    /// The bare reader over our own connections.
    Unheard(Load),
    /// The client's own connections, listener and stamps, without a run around them.
    Listen(Load),
    /// A whole run through the executor, recorded to disk.
    Run(Arrivals),
    /// Times to first token as they are told and as they were.
    Truth(Load),
}

/// So many streams, each of them so many answers one after the other.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Load {
    pub streams: u32,
    pub answers: u32,
    /// Tokens of an answer.
    pub events: u32,
    pub first_us: u64,
    pub gap_us: u64,
    /// From the start of one answer of a stream to the start of its next, in microseconds; 0 for at once.
    pub every_us: u64,
    /// Worker threads of the client.
    pub threads: usize,
}

/// The load of a whole run.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Arrivals {
    pub pacing: LoadPacing,
    pub seconds: u32,
    /// Requests that end before count as warm-up, and those that end after `seconds` do not count.
    pub settled_s: f64,
    pub events: u32,
    pub first_us: u64,
    pub gap_us: u64,
}

/// What says when the next request of a run is sent.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum LoadPacing {
    /// So many requests a second, of which at most so many are under way.
    OpenLoop { rate: f64, in_flight: u32 },
    /// So many users, each of whom sends when its answer has ended.
    ClosedLoop { concurrency: u32 },
}

impl Load {
    pub fn emission(&self) -> EmissionTiming {
        EmissionTiming { first_us: self.first_us, gap_us: self.gap_us }
    }

    /// How long after the first the last stream begins, in microseconds: independent streams do not speak at one moment.
    pub fn spread_us(&self) -> u64 {
        self.gap_us.max(self.every_us)
    }
}
