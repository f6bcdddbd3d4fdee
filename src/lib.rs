//! `bench`: how many user sessions an LLM server holds while people still get their first token in time.
//!
//! ```text
//! scenario.toml -> Scenario -> Plan -> [Run] -> events -> records == disk == Table -> Summary -> Figure  -> heatmap.png, report.html
//!    (text)        (meant)    (todo)           executor     store           analysis      |       plot
//!                                                                                         +----> Verdict -> exit code
//! ```
//!
//! Two halves: **measure** (left of `disk`) and **judge** (right of it). They meet in [`records`], types and files; only
//! [`execution::steering`] and [`execution::twin`] see both. A wing uses only those that stand above it.

pub mod foundation;
pub mod vocabulary;

pub mod records;

pub mod simulation;

pub mod servers;

pub mod workloads;

pub mod planning;

pub mod analysis;

pub mod execution;

pub mod presentation;

pub mod commands;

pub mod cli;
