//! From summaries to pictures.

pub mod spec;
