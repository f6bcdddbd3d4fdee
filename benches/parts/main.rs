//! What single parts cost: scanning an answer, building a request, keeping its record, judging a goal, expanding a plan.
//!
//! `cargo bench --bench parts` prints a time with its 95 % interval for each; `-- streams` only those so named. Criterion takes the samples.

mod bodies;
mod goals;
mod plans;
mod records;
#[path = "../bulk/rows.rs"]
mod rows;
mod streams;

use criterion::{criterion_group, criterion_main};

criterion_group!(parts, streams::scan, bodies::build, records::keep, goals::judge, plans::expand);
criterion_main!(parts);
