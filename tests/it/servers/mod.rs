//! Servers that `bench` starts: the real binary, with the simulated engine as a real server behind a real socket.

mod deaths;
mod lives;
mod orphans;
mod stage;
