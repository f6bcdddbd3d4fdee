//! What is known beforehand must come out: capacities that follow from arithmetic, times computed by hand, the same bytes twice.

mod capacity;
mod groups;
mod limits;
mod stopping;
mod sweeps;
mod times;
