//! What a running server tells of itself: its address in, a [`ServerProfile`] out. Everything is asked without changing anything: no cache is emptied and
//! no prompt is sent. What was not told is a field that says so, and no guess.

mod engine;
mod pages;
mod profile;

pub use engine::ServerEngine;
pub use profile::{DiscoveredModel, DiscoveryError, MetricsDiscovery, ResetDiscovery, ServerProfile, discover};
