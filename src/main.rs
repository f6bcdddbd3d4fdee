//! Parses the command line, runs one command, and turns its [`ExitReason`] into a process code.

use std::process::ExitCode;

use bench::cli::{Cli, CliCommand};
use bench::commands::{self, ExitReason};
use clap::Parser;

fn main() -> ExitCode {
    commands::panics::tell_no_values();
    let Cli { command, talk } = Cli::parse();
    let done = match &command {
        CliCommand::Sweep(args) => commands::sweep::run(args, talk),
        CliCommand::Run(workload) => commands::run::run(workload, talk),
        CliCommand::Plan(args) => commands::plan::run(args, talk),
        CliCommand::Check(args) => commands::check::run(args, talk),
        CliCommand::Merge(args) => commands::merge::run(args, talk),
        CliCommand::Status(args) => commands::status::run(args),
        CliCommand::Submit(args) => commands::submit::run(args, talk),
        CliCommand::Report(args) => commands::report::run(args, talk),
        CliCommand::Compare(args) => commands::compare::run(args),
        CliCommand::Fit(args) => commands::fit::run(args, talk),
        CliCommand::Predict(args) => commands::predict::run(args, talk),
        CliCommand::Export(args) => commands::export::run(args, talk),
        CliCommand::Plot(args) => commands::plot::run(args, talk),
        CliCommand::History(args) => commands::history::run(args, talk),
        CliCommand::Init(args) => commands::init::run(args, talk),
        CliCommand::Import(args) => commands::import::run(args, talk),
        CliCommand::Prepare(what) => commands::prepare::run(what, talk),
        CliCommand::Push(args) => commands::push::run(args, talk),
        CliCommand::Sim(args) => commands::sim::run(args, talk),
        CliCommand::Schema => commands::schema::run(),
        CliCommand::Completions(args) => commands::completions::run(args),
        CliCommand::Selftest(args) => commands::selftest::run(args, talk),
        CliCommand::Emit => commands::selftest::emit(),
        CliCommand::Supervise => commands::supervise::run(),
    };
    let exit = done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitReason::Usage
    });
    ExitCode::from(exit.code())
}
