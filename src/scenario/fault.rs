//! What is wrong with a scenario, all of it at once, each fault with its place and a hint.

/// The faults of one or several scenarios.
#[derive(Debug, Clone, Default)]
pub struct Faults {}
