//! What both halves of `bench` stand on: the words a scenario may use, the contract of what lies on disk, and the search of a matrix.
//!
//! A crate of its own, as [measuring](../bench_measuring), [judging](../bench_judging) and the [simulated engine](../bench_simulation) are: that
//! neither half knows the other is seen by the compiler.

pub mod foundation;
pub mod vocabulary;

pub mod records;

pub mod search;
