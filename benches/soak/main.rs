//! Long runs: whether memory, open files, disk and lateness stay as they are while requests go on and on, and whether every request is counted.
//!
//! `cargo bench --bench soak -- --virtual 24h` sends 500 requests a second of virtual time to the simulated engine in one cell;
//! `-- --real 10m` streams tokens from a server of the client's own on loopback, at half of what `bench selftest` says that this machine's client
//! carries; `-- --quick` is little of both. `--rate` and `--share` are the load of either, `--dir` names the folder to work in, `--program` another build of the
//! program than the one beside this. It is the real
//! program that runs, looked at from outside; what is started is ended by its id, and nothing that fails to hold is left unsaid: the process then ends with 1.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "figures for people, far below 2^53"
)]

mod lateness;
mod process;
mod rows;
mod samples;
mod scenario;
mod slope;
mod sweep;
mod verdict;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bench::foundation::units::Seconds;
use process::{BESIDE, Emitter, ceilings};
use scenario::{real, simulated};
use verdict::Verdict;

fn main() -> ExitCode {
    let asked = Asked::read(&std::env::args().skip(1).collect::<Vec<_>>());
    let folder = tempfile::tempdir_in(&asked.dir).unwrap();
    let mut holds = true;
    if let Some(time) = asked.simulated {
        holds &= day(&asked, folder.path(), time);
    }
    if let Some(time) = asked.real {
        holds &= minutes(&asked, folder.path(), time);
    }
    if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// So much virtual time.
fn day(asked: &Asked, folder: &Path, time: Seconds) -> bool {
    let rate = asked.rate;
    println!("SIMULATED: {rate} requests a second for {time} of virtual time, in one cell");
    let soaked = sweep::run(&asked.program, &folder.join("virtual"), &simulated(time.0, rate), None);
    tell(&soaked, &rows::read(&soaked.results))
}

/// So much real time, against a server on loopback.
fn minutes(asked: &Asked, folder: &Path, time: Seconds) -> bool {
    let share = asked.share;
    let kept = folder.join("selftest.json");
    let ceilings = ceilings(&asked.program, &kept);
    let load = scenario::Load::at(share, ceilings);
    println!(
        "real: {:.0} requests a second of {} tokens for {time}, {:.0} tokens/s: {share} of the {:.0} tokens/s that this client carries a core",
        load.requests_per_s,
        load.tokens,
        load.tokens_per_s(),
        ceilings.events_per_s
    );
    let emitter = Emitter::start(&asked.program);
    let soaked = sweep::run(&asked.program, &folder.join("real"), &real(&emitter.url, time.0, &load), Some((&emitter, &kept)));
    println!("the server took {:.2} of a core", emitter.cpu_s() / soaked.wall_s);
    drop(emitter);
    let rows = rows::read(&soaked.results);
    for line in lateness::table(&rows.slices) {
        println!("{line}");
    }
    println!("client: {}", rows.client);
    let steady = hold(&lateness::growth(&rows.slices));
    tell(&soaked, &rows) && steady
}

/// Shows what was seen, and says what holds.
fn tell(soaked: &sweep::Soaked, rows: &rows::Rows) -> bool {
    for line in samples::table(&soaked.samples) {
        println!("{line}");
    }
    for line in samples::phases(soaked) {
        println!("{line}");
    }
    hold(&verdict::all(soaked, rows))
}

/// Shows every one of them; whether all hold.
fn hold(verdicts: &[Verdict]) -> bool {
    verdicts.iter().filter(|verdict| !verdict.tell()).count() == 0
}

/// What was asked for on the command line.
struct Asked {
    simulated: Option<Seconds>,
    real: Option<Seconds>,
    rate: f64,
    share: f64,
    dir: PathBuf,
    program: PathBuf,
}

impl Asked {
    /// Words that a test runner adds are read over.
    fn read(words: &[String]) -> Self {
        let after = |name: &str| words.iter().position(|word| word == name).and_then(|at| words.get(at + 1));
        let time = |name: &str| after(name).map(|text| text.parse::<Seconds>().unwrap_or_else(|error| panic!("{name}: {error}")));
        let number = |name: &str, or: f64| after(name).map_or(or, |text| text.parse().unwrap_or_else(|_| panic!("`{text}` is no number")));
        let quick = words.iter().any(|word| word == "--quick");
        let (simulated, real) = (time("--virtual"), time("--real"));
        let nothing = simulated.is_none() && real.is_none();
        Self {
            simulated: simulated.or_else(|| nothing.then_some(Seconds(if quick { 1_000.0 } else { 86_400.0 }))),
            real: real.or_else(|| nothing.then_some(Seconds(if quick { 20.0 } else { 600.0 }))),
            rate: number("--rate", 500.0),
            share: number("--share", 0.5),
            dir: after("--dir").map_or_else(std::env::temp_dir, PathBuf::from),
            program: after("--program").map_or_else(|| PathBuf::from(BESIDE), PathBuf::from),
        }
    }
}
