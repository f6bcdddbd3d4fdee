//! Parses the command line, runs one command, and turns its [`Exit`] into a process code.

use std::process::ExitCode;

use bench::cli::{Cli, Command};
use bench::commands::{self, Exit};
use clap::Parser;

fn main() -> ExitCode {
    commands::panics::tell_no_values();
    let Cli { command, talk } = Cli::parse();
    let done = match &command {
        Command::Sweep(args) => commands::sweep::run(args, talk),
        Command::Run(workload) => commands::run::run(workload, talk),
        Command::Plan(args) => commands::plan::run(args, talk),
        Command::Check(args) => commands::check::run(args, talk),
        Command::Report(args) => commands::report::run(args, talk),
        Command::Compare(args) => commands::compare::run(args),
        Command::Plot(args) => commands::plot::run(args, talk),
        Command::History(args) => commands::history::run(args, talk),
        Command::Import(args) => commands::import::run(args, talk),
        Command::Prepare(what) => commands::prepare::run(what, talk),
        Command::Sim(args) => commands::sim::run(args, talk),
        Command::Schema => commands::schema::run(),
        Command::Completions(args) => commands::completions::run(args),
        Command::Selftest(args) => commands::selftest::run(args, talk),
        Command::Emit => commands::selftest::emit(),
        Command::Supervise => commands::supervise::run(),
    };
    let exit = done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        Exit::Usage
    });
    ExitCode::from(exit.code())
}
