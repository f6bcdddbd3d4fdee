//! `bench`: how many user sessions an LLM server holds while people still get their first token in time.
//!
//! ```text
//! scenario.toml -> Scenario -> Plan -> [Run] -> events -> records == disk == Table -> Summary -> Figure  -> heatmap.png, report.html
//!    (text)        (meant)    (todo)           executor     store           analysis      |       plot
//!                                                                                         +----> Verdict -> exit code
//! ```
//!
//! Two halves that never import each other: **measure** (left of `disk`) and **judge** (right of it). They meet in [`record`] (types)
//! and `store` (files). The modules below stand in the order of the arrow.

pub mod clock;
mod named_file;
mod process_group;
pub mod sentence;
pub mod units;

pub mod goal;
pub mod metric;
pub mod session;
pub mod spec;
pub mod template;
pub mod trace;

pub mod endpoint;
pub mod exposition;
pub mod record;
mod wire;

pub mod arrival;
pub mod client;
pub mod engine;
pub mod prepare;
pub mod serve;
pub mod server;
pub mod tokens;
pub mod workload;

pub mod scenario;
pub mod search;

pub mod plan;

pub mod event;
pub mod import;
pub mod store;

pub mod executor;
pub mod reporter;
pub mod selftest;

pub mod analysis;
pub mod steering;

pub mod plot;

pub mod report;

pub mod commands;

pub mod cli;
