//! `bench sweep --clients`: what can be typed of several clients that send one load.

use std::path::PathBuf;

use clap::Args;

use crate::execution::meeting::{ClientCount, MeetingAddress};
use crate::foundation::units::Seconds;

#[derive(Debug, Clone, Args)]
pub struct ClientsArgs {
    /// Send one load from so many clients, each started with the same command on a machine of its own; `launcher`: as many as srun or torchrun has
    /// started.
    #[arg(long, value_name = "N")]
    pub clients: Option<ClientCount>,
    /// Which of them this is, from 0, which leads [default: as the launcher tells].
    #[arg(long, value_name = "RANK", requires = "clients")]
    pub rank: Option<u32>,
    /// Where they meet: a name or address of rank 0's machine, and a free port of it [default: as the launcher tells].
    #[arg(long, value_name = "HOST:PORT", requires = "clients")]
    pub meet: Option<MeetingAddress>,
    /// A file with the token that lets a client in [default: the variable `BENCH_MEETING_TOKEN`]. Needed unless they meet on loopback.
    #[arg(long, value_name = "FILE", requires = "clients")]
    pub meet_token_file: Option<PathBuf>,
    /// How long to wait until all have come.
    #[arg(long, value_name = "DURATION", requires = "clients", default_value = "5m")]
    pub meet_within: Seconds,
}
