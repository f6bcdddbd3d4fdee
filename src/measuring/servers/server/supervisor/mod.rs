//! The supervising process: what keeps a server from outliving `bench`. In go processes to start, out come their ids and how they ended.
//!
//! `bench` starts one supervising process for each server life (`bench supervise`, [`supervise`]) and talks with it in JSON lines over
//! pipes ([`SupervisorHandle`]). It starts the processes, writes their output to logs, and ends them all when told to, when it is signalled, or
//! when its stdin ends: which happens however `bench` dies, since the operating system closes a dead process's pipes. It sits in a process
//! group of its own, so that a terminal's Ctrl-C reaches `bench` alone, which then ends things in order.
//!
//! What escapes all of that, because the supervising process was itself killed, carries a mark in its environment, by which a later
//! `bench` finds it ([`leftovers`]). Nothing here knows what the processes are for, when they are ready, or what a scenario says.

mod error;
mod job;
mod message;
mod tail;

#[cfg(unix)]
mod child;
#[cfg(unix)]
mod handle;
#[cfg(unix)]
mod leftover;
#[cfg(unix)]
mod log;
#[cfg(unix)]
mod marker;
#[cfg(unix)]
mod process_table;
#[cfg(unix)]
mod supervisor_loop;

#[cfg(not(unix))]
mod elsewhere;

pub use error::SupervisorError;
pub use job::{ProcessExit, ProcessJob};
pub use tail::last_lines;

#[cfg(unix)]
pub use handle::SupervisorHandle;
#[cfg(unix)]
pub use leftover::{LeftoverProcess, leftovers};
#[cfg(unix)]
pub use supervisor_loop::supervise;

#[cfg(not(unix))]
pub use elsewhere::{LeftoverProcess, SupervisorHandle, leftovers, supervise};
