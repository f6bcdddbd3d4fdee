//! The simulated engine: scheduler, KV blocks, tiers, presets. Knows no HTTP.

pub mod spec;
