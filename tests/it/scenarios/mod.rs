//! Scenarios: what they mean in both notations, what is said of mistakes, what ships, and what the documentation says of every field.

mod commands;
mod documentation;
mod files;
mod mistakes;
mod notations;
mod robustness;
mod servers;
mod shipped;
mod targets;
