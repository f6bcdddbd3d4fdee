//! The tables: which loads are made, and what is told of them, as Markdown.

use bench::execution::selftest::HostMachine;

use crate::account::Account;
use crate::process::{account, cores, hog, server};
use crate::spread::Spread;
use crate::task::{Arrivals, Load, LoadPacing, What};

/// Streams of a model's pace: a token every 20 ms, and the next answer when one is over, which makes 200 answers a second.
const PACED: Load = Load { streams: 1_000, answers: 2, events: 250, first_us: 20_000, gap_us: 20_000, every_us: 5_000_000, threads: 1 };
/// As many answers a second, each without a pace.
const BURSTS: Load = Load { streams: 200, answers: 4, first_us: 0, gap_us: 0, every_us: 1_000_000, ..PACED };
/// A thousand answers at once without a pace.
const UNPACED: Load = Load { streams: 1_000, answers: 2, every_us: 0, ..BURSTS };
/// One token an answer, as fast as the answers come.
const SINGLE: Load = Load { streams: 64, answers: 2_000, events: 1, first_us: 0, gap_us: 0, every_us: 0, threads: 1 };
/// A hundred tokens an answer without a pace, as fast as the answers come.
const SHORT: Load = Load { answers: 200, events: 100, ..SINGLE };
/// One token an answer, 4,000 a second.
const STEADY: Load = Load { answers: 250, every_us: 16_000, ..SINGLE };
/// Many streams at once, as many events a second as above, and 1,000 answers.
const MANY: Load = Load { streams: 10_000, answers: 2, events: 50, first_us: 200_000, gap_us: 200_000, every_us: 10_000_000, threads: 1 };
/// Long answers, written beforehand.
const FLOOD: Load = Load { streams: 32, answers: 50, events: 5_000, first_us: 0, gap_us: 0, every_us: 0, threads: 1 };
/// Short answers, for many first tokens.
const FIRSTS: Load = Load { streams: 500, answers: 6, events: 25, first_us: 20_000, gap_us: 20_000, every_us: 0, threads: 1 };

/// The same as whole runs.
const PACED_RUN: Arrivals =
    Arrivals { pacing: open_loop(200.0, 2_000), seconds: 11, settled_s: 6.0, events: 250, first_us: 20_000, gap_us: 20_000 };
const BURSTS_RUN: Arrivals = Arrivals { pacing: open_loop(200.0, 2_000), seconds: 4, settled_s: 1.0, events: 250, first_us: 0, gap_us: 0 };
const MANY_RUN: Arrivals =
    Arrivals { pacing: open_loop(1_000.0, 15_000), seconds: 14, settled_s: 11.0, events: 50, first_us: 200_000, gap_us: 200_000 };

const SINGLE_RUN: Arrivals =
    Arrivals { pacing: LoadPacing::ClosedLoop { concurrency: 64 }, seconds: 4, settled_s: 1.0, events: 1, first_us: 0, gap_us: 0 };
const SHORT_RUN: Arrivals = Arrivals { events: 100, ..SINGLE_RUN };

const fn open_loop(rate: f64, in_flight: u32) -> LoadPacing {
    LoadPacing::OpenLoop { rate, in_flight }
}

/// One token an answer, at a rate.
fn singles(rate: f64, seconds: u32) -> Arrivals {
    Arrivals { pacing: open_loop(rate, 1_000), seconds, ..SINGLE_RUN }
}

/// How thoroughly.
struct Course {
    rounds: usize,
    quick: bool,
    /// The server's core and the client's.
    cores: [Option<usize>; 2],
}

/// A table by its name.
type Table = (&'static str, fn(&Course));

/// Prints the tables that are named, or all.
pub fn all(words: &[String]) {
    let quick = words.iter().any(|word| word == "--quick");
    let course = Course { rounds: if quick { 1 } else { 5 }, quick, cores: cores() };
    let HostMachine { processor, cores: several, system, clock_source } = HostMachine::here();
    println!("{processor}, {several} cores, {system}, clock {clock_source}; load average {}", load_average());
    println!("server and client {}", if course.cores[0].is_some() { "each on a core of its own" } else { "share the cores" });
    let tables: [Table; 7] = [
        ("events", events),
        ("requests", requests),
        ("rates", rates),
        ("held", held),
        ("journal", journal),
        ("lag", lag),
        ("truth", truth),
    ];
    let named = |name: &str| words.iter().any(|word| word == name);
    let any = tables.iter().any(|(name, _)| named(name));
    for (name, table) in tables {
        if named(name) || !any {
            table(&course);
        }
    }
    println!("\nload average {}", load_average());
}

fn load_average() -> String {
    std::fs::read_to_string("/proc/loadavg").map_or("unknown".into(), |text| text.split(' ').take(3).collect::<Vec<_>>().join(" "))
}

impl Course {
    /// Accounts of several clients that take turns against one server.
    fn rounds(&self, clients: &[What]) -> Vec<Vec<Account>> {
        self.rounds_against(What::Serve, clients)
    }

    fn rounds_against(&self, what: What, clients: &[What]) -> Vec<Vec<Account>> {
        let (_server, url) = server(self.cores[0], what);
        let mut accounts = vec![Vec::new(); clients.len()];
        for _ in 0..self.rounds {
            for (client, accounts) in clients.iter().zip(&mut accounts) {
                accounts.push(sound(account(&url, self.cores[1], client.clone())));
            }
        }
        accounts
    }
}

/// Tells of requests that failed: what they took is no price.
fn sound(account: Account) -> Account {
    if account.failed > 0 {
        println!("\n{} of {} requests failed", account.failed, account.requests);
    }
    account
}

fn spread(accounts: &[Account], of: impl Fn(&Account) -> f64) -> Spread {
    Spread::of(accounts.iter().map(of))
}

/// The ratios of each round to the reference's figure in the same round.
fn ratio(accounts: &[Account], reference: &[Account], of: impl Fn(&Account) -> f64) -> Spread {
    Spread::of(accounts.iter().zip(reference).map(|(ours, theirs)| of(ours) / of(theirs)))
}

#[expect(clippy::cast_precision_loss, reason = "kilobytes")]
fn kb(kb: u64) -> f64 {
    kb as f64
}

/// Who is compared, in this order: bare readers without an HTTP stack, over hyper and over our own, which is the reference; the client, and a
/// whole run.
const NAMES: [&str; 5] = ["bare sockets", "hyper, bare", "our connections, bare", "client", "whole run"];
const SOCKETS: usize = 0;
const REFERENCE: usize = 2;

/// The clients that make the same load, and the run that makes the like of it.
fn clients(load: Load, run: Option<Arrivals>) -> Vec<What> {
    let clients = [What::Sockets(load), What::Hyper(load), What::Unheard(load), What::Listen(load)];
    clients.into_iter().chain(run.map(What::Run)).collect()
}

/// A line for each client.
fn prices(title: &str, accounts: &[Vec<Account>], of: fn(&Account) -> f64) {
    let n = accounts[0].len();
    println!("\n| {title}, n = {n} | µs of CPU | against the reference | against bare sockets | tokens a read |\n|---|---|---|---|---|");
    for (name, ours) in NAMES.iter().zip(accounts) {
        let [reference, sockets] = [REFERENCE, SOCKETS].map(|other| ratio(ours, &accounts[other], of).text(2));
        let read = spread(ours, Account::events_a_read).text(2);
        println!("| {name} | {} | {reference} | {sockets} | {read} |", spread(ours, of).text(2));
    }
}

fn events(course: &Course) {
    let paced = course.rounds(&clients(PACED, Some(PACED_RUN)));
    prices("an event, 1,000 streams, 20 ms apart, 200 answers/s", &paced, Account::per_event);
    println!("\n| memory of these streams | kB a stream | growth from beginning to end, kB |\n|---|---|---|");
    for (name, accounts) in NAMES.iter().zip(&paced) {
        let open = spread(accounts, |account| (kb(account.end_kb) - kb(account.idle_kb)) / 1e3);
        let growth = spread(accounts, |account| kb(account.end_kb) - kb(account.begun_kb));
        println!("| {name} | {} | {} |", open.text(1), growth.text(0));
    }
    let bursts = course.rounds(&clients(BURSTS, Some(BURSTS_RUN)));
    prices("an event, 200 answers/s without a pace", &bursts, Account::per_event);
    let unpaced = course.rounds(&clients(UNPACED, None));
    prices("an event, 1,000 streams at once without a pace", &unpaced, Account::per_event);
    println!("\n| events a second of these | |\n|---|---|");
    for (name, accounts) in NAMES.iter().zip(&unpaced) {
        println!("| {name} | {} |", rate(accounts));
    }
}

fn rate(accounts: &[Account]) -> String {
    spread(accounts, Account::events_per_s).text(0)
}

fn requests(course: &Course) {
    let closed = course.rounds(&clients(SINGLE, Some(SINGLE_RUN)));
    prices("a request of one token, 64 at a time", &closed, Account::per_request);
    reached("requests of one token a second, 64 at a time", &closed);
    let short = course.rounds(&clients(SHORT, Some(SHORT_RUN)));
    prices("a request of 100 tokens without a pace, 64 at a time", &short, Account::per_request);
    reached("requests of 100 tokens a second, 64 at a time", &short);
    let steady = course.rounds(&clients(STEADY, Some(singles(4_000.0, 4))));
    prices("the same, 4,000 a second", &steady, Account::per_request);
}

/// What each client carries on its core of a load that waits for nothing but its answers.
fn reached(title: &str, accounts: &[Vec<Account>]) {
    println!("\n| {title} | | against the reference |\n|---|---|---|");
    for (name, ours) in NAMES.iter().zip(accounts) {
        let ratio = ratio(ours, &accounts[REFERENCE], Account::requests_per_s).text(2);
        println!("| {name} | {} | {ratio} |", spread(ours, Account::requests_per_s).text(0));
    }
}

/// What both cores carry together with the server, which has no core of its own here.
fn rates(course: &Course) {
    let free = Course { cores: [None, None], ..*course };
    let two = |load: Load| Load { threads: 2, ..load };
    println!(
        "\n| both cores, shared with the server, n = {} | a second | cores of the client | a second and core |\n|---|---|---|---|",
        free.rounds
    );
    let clients = [What::Listen(SINGLE), What::Listen(two(SINGLE)), What::Listen(UNPACED), What::Listen(two(UNPACED))];
    let accounts = free.rounds(&clients);
    carried("requests, 1 worker thread", &accounts[0], Account::requests_per_s);
    carried("requests, 2 worker threads", &accounts[1], Account::requests_per_s);
    carried("events, 1 worker thread", &accounts[2], Account::events_per_s);
    carried("events, 2 worker threads", &accounts[3], Account::events_per_s);
    let flood = free.rounds_against(What::Flood, &[What::Listen(FLOOD), What::Listen(two(FLOOD))]);
    carried("events written beforehand, 1 worker thread", &flood[0], Account::events_per_s);
    carried("events written beforehand, 2 worker threads", &flood[1], Account::events_per_s);
    let runs = free.rounds(&[What::Run(singles(20_000.0, 5))]);
    carried("requests of a whole run that is to send 20,000", &runs[0], Account::requests_per_s);
    println!("\nsent too late by, p99: {} ms", lateness(&runs[0]));
    println!("\nwith two threads against one, events written beforehand: {}", ratio(&flood[1], &flood[0], Account::events_per_s).text(2));
}

fn carried(name: &str, accounts: &[Account], of: fn(&Account) -> f64) {
    let cores = spread(accounts, Account::cores).text(2);
    println!(
        "| {name} | {} | {cores} | {} |",
        spread(accounts, of).text(0),
        spread(accounts, |account| of(account) / account.cores()).text(0)
    );
}

fn lateness(accounts: &[Account]) -> String {
    spread(accounts, |account| account.lag.map_or(f64::NAN, |lag| 1e3 * lag.p99_s)).text(2)
}

fn held(course: &Course) {
    let once = Course { rounds: if course.quick { 1 } else { 3 }, ..*course };
    let accounts = once.rounds(&clients(MANY, Some(MANY_RUN)));
    prices("an event, 10,000 streams, 200 ms apart, 1,000 answers/s", &accounts, Account::per_event);
    println!("\n| 10,000 streams | kB a stream | beyond the reference | failed |\n|---|---|---|---|");
    for (name, ours) in NAMES.iter().zip(&accounts) {
        let each = |account: &Account| (kb(account.end_kb) - kb(account.idle_kb)) / 1e4;
        let beyond = Spread::of(ours.iter().zip(&accounts[REFERENCE]).map(|(ours, theirs)| each(ours) - each(theirs)));
        let failed: u64 = ours.iter().map(|account| account.failed).sum();
        println!("| {name} | {} | {} | {failed} |", spread(ours, each).text(1), beyond.text(1));
    }
}

/// A million records a minute, from the server's bytes to the disk.
fn journal(course: &Course) {
    let once = Course { rounds: 1, cores: [None, None], ..*course };
    let run = &once.rounds(&[What::Run(singles(16_667.0, if course.quick { 6 } else { 60 }))])[0][0];
    println!("\n| a million records a minute, both cores shared with the server, n = 1 | |\n|---|---|");
    println!("| records a minute | {:.0} |", 60.0 * run.requests_per_s());
    println!("| of so many, after the first second | {} |", run.requests);
    println!("| bytes of the journal | {} |", run.journal);
    println!("| the most records that waited for the disk | {} |", run.waiting.unwrap_or(0));
    println!("| cores taken by the client | {:.2} |", run.cores());
    println!("| sent too late by, p99 | {} ms |", lateness(std::slice::from_ref(run)));
    for note in &run.notes {
        println!("\nthe run says: {note}");
    }
}

fn lag(course: &Course) {
    let seconds = if course.quick { 4 } else { 10 };
    let runs = course.rounds(&[What::Run(singles(1_000.0, seconds)), What::Run(singles(10_000.0, seconds))]);
    println!("\n| a whole run sends too late by, client on a core of its own | p50 | p99 | largest | cores |\n|---|---|---|---|---|");
    for (name, runs) in ["1,000 requests/s", "10,000 requests/s"].iter().zip(&runs) {
        let of = |rank: fn(&bench::execution::selftest::TimingDeviation) -> f64| {
            spread(runs, |run| run.lag.as_ref().map_or(f64::NAN, |lag| 1e3 * rank(lag))).text(2)
        };
        let cores = spread(runs, Account::cores).text(2);
        println!("| {name} | {} ms | {} ms | {} ms | {cores} |", of(|lag| lag.p50_s), of(|lag| lag.p99_s), of(|lag| lag.max_s));
    }
}

fn truth(course: &Course) {
    println!(
        "\n| time to first token, p99 in ms | true | told | off by | by the moment of reading | off by | n |\n|---|---|---|---|---|---|---|"
    );
    told("client alone on its core", &course.rounds(&[What::Truth(FIRSTS)])[0]);
    let _hog = hog(course.cores[1]);
    told("its core saturated by another process", &course.rounds(&[What::Truth(FIRSTS)])[0]);
}

fn told(name: &str, accounts: &[Account]) {
    let of =
        |figure: fn(&crate::account::Truth) -> f64| spread(accounts, |account| account.truth.as_ref().map_or(f64::NAN, figure)).text(2);
    let n: usize = accounts.iter().filter_map(|account| account.truth).map(|truth| truth.n).sum();
    println!(
        "| {name} | {} | {} | {} | {} | {} | {n} |",
        of(|truth| truth.true_p99),
        of(|truth| truth.told_p99),
        of(|truth| (truth.told_p99 - truth.true_p99).abs()),
        of(|truth| truth.read_p99),
        of(|truth| (truth.read_p99 - truth.true_p99).abs()),
    );
}
