//! What the client costs beside bare readers of the same streams, what it carries, and how exact it is, on loopback: the selftest's server
//! and each client are processes of their own, on a core of their own where there are two.
//!
//! `cargo bench --bench loopback` prints every table, in about half an hour; `-- --quick` takes a fifth of that and is good for a look. With
//! words behind it only the tables so named: `-- events requests held rates journal lag truth`. Clients take turns within a table, so that what else
//! the machine does touches all of them.

mod account;
mod flood;
mod hog;
mod pace;
mod process;
mod readers;
mod run;
mod spread;
mod streams;
mod table;
mod task;
mod truth;

use account::Account;
use readers::{Hyper, Listening, Sockets, Unheard};
use task::{Task, What};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().position(|word| word == "--task").and_then(|at| words.get(at + 1)) {
        Some(task) => act(&serde_json::from_str(task).unwrap()),
        None => table::all(&words),
    }
}

/// What a process of ours does: serves or holds its core until its stdin is closed, or makes a load and tells what it took.
fn act(task: &Task) {
    bench::execution::selftest::raise_open_files();
    let account: Account = match &task.what {
        What::Serve => return process::serve(),
        What::Flood => return process::flood(),
        What::Hog => return hog::hold(),
        What::Sockets(load) => streams::read::<Sockets>(&task.url, load),
        What::Hyper(load) => streams::read::<Hyper>(&task.url, load),
        What::Unheard(load) => streams::read::<Unheard>(&task.url, load),
        What::Listen(load) => streams::read::<Listening>(&task.url, load),
        What::Run(arrivals) => run::run(&task.url, arrivals),
        What::Truth(load) => truth::tell(&task.url, load),
    };
    println!("{}", serde_json::to_string(&account).unwrap());
}
