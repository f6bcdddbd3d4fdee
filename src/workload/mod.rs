//! WHAT is sent: sessions of turns, made from the seed.

pub mod spec;
