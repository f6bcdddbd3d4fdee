//! What a scenario may say, a file a part: structs with their defaults, and with doc comments that become the schema's descriptions. Text is read into
//! them by `scenario`; the parts that run read them. Must not know how anything is run.

pub mod documents;
pub mod engine;
pub mod failure_policy;
pub mod leave;
pub mod lengths;
pub mod plot;
pub mod requests;
pub mod reset;
pub mod scenario;
pub mod search;
pub mod server;
pub mod sessions;
pub mod spread;
pub mod target;
pub mod target_api;
pub mod watch;
pub mod workload;
