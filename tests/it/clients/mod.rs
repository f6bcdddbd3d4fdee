//! One load from several clients: real processes that meet on loopback and send to one server.

mod load;
mod losses;
mod meeting;
mod steering;

use super::stage::{Running, Stage};

/// A scenario against a server that is there.
fn scenario(url: &str, workload: &str) -> String {
    format!(
        "name = \"shared\"\n[workload]\n{workload}\n[target]\nmodel = \"small\"\nurl = \"{url}\"\n[server]\nreset = [\"/reset_prefix_cache\"]\n"
    )
}

/// Users who go on for ten minutes, if nobody stops them.
const LONG: &str =
    "kind = \"chat\"\nusers = 6\nqps = 30\nrounds = 3\nsystem_prompt_tokens = 20\nhistory_tokens = 20\nanswer_tokens = 4\nduration = 600";

/// All clients of a load, of which the first leads.
struct Clients {
    leader: Running,
    others: Vec<Running>,
}

/// Starts rank 0; where the others come to it.
fn leading(stage: &Stage, clients: u32, words: &[&str]) -> (Running, String) {
    let count = clients.to_string();
    let seat = ["--clients", &count, "--rank", "0", "--meet", "127.0.0.1:0"];
    let mut leader = stage.start(&[&["sweep", "shared.toml", "-o", "out"], &seat[..], words].concat());
    leader.await_line("waiting for ");
    let address = leader.line("waiting for ").rsplit_once(' ').unwrap().1.to_owned();
    (leader, address)
}

/// Another client, not started yet.
fn member(stage: &Stage, clients: u32, rank: u32, address: &str) -> std::process::Command {
    let (clients, rank) = (clients.to_string(), rank.to_string());
    stage.command(&["sweep", "shared.toml", "--clients", &clients, "--rank", &rank, "--meet", address])
}

/// Starts all.
fn started(stage: &Stage, clients: u32, words: &[&str]) -> Clients {
    let (leader, address) = leading(stage, clients, words);
    let others = (1..clients).map(|rank| Running::of(&mut member(stage, clients, rank, &address))).collect();
    Clients { leader, others }
}
