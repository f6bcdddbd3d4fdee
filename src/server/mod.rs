//! A server's life: for now, emptying its caches before a cell.

pub mod spec;
