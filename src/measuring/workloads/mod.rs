//! What is sent and when it may be: token rules, texts and corpora, arrivals, and data made before anything is measured.

pub mod arrival;
pub mod prepare;
pub mod tokens;
pub mod workload;
