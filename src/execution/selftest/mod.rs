//! What this client can measure on this machine: how exact its stamps are, how late it sends, and how much of a core a token costs it.
//!
//! In: nothing but the machine. A server of our own on loopback, the [`emitter`], writes events that carry the moment they were written at;
//! the client that measures everything else listens to it. Out: a [`SelftestReport`], kept for the sweeps on this machine, which relate their own
//! load to it. Must not know what a sweep is for.

mod ceiling;
pub mod emitter;
mod file;
mod lag;
mod machine;
mod report;
mod stamps;
mod streams;
mod timer;
mod whole;

pub use file::{SelftestFileError, load, path, save};
pub use machine::{HostMachine, OpenFileLimits, cpu_time, raise_open_files};
pub use report::{CoreCapacity, SelftestReport, TimingDeviation};
pub use streams::{FirstTokenTimes, SelftestLoad, SelftestMeasurements, listen};
pub use whole::{SelftestError, measure};
