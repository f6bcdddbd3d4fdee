//! `bench selftest`: what this client can measure on this machine; and the server that it listens to, a process of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

use anyhow::Context;

use super::ExitReason;
use crate::cli::{OutputFormat, SelftestArgs, VerbosityArgs};
use crate::execution::selftest::{self, emitter};

pub fn run(args: &SelftestArgs, talk: VerbosityArgs) -> anyhow::Result<ExitReason> {
    let emitter = EmitterProcess::start()?;
    let mut tell = |what: &str| {
        if !talk.quiet {
            eprintln!("measuring: {what}");
        }
    };
    let found = selftest::measure(&emitter.url, &mut tell)?;
    drop(emitter);
    let path = match &args.output {
        Some(path) => path.clone(),
        None => selftest::path()?,
    };
    selftest::save(&found, &path)?;
    match args.format {
        OutputFormat::Json => println!("{}", serde_json::to_string_pretty(&found)?),
        OutputFormat::Text => {
            for line in found.lines() {
                println!("{line}");
            }
            println!("\n{}", found.verdict());
            if !found.optimised {
                println!("This is a build without optimisation: a release build carries several times as much.");
            }
        }
    }
    if !talk.quiet {
        eprintln!("kept in {}", path.display());
    }
    Ok(ExitReason::Success)
}

/// `bench emit`: serves until its stdin is closed, so that it outlives nobody.
pub fn emit() -> anyhow::Result<ExitReason> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    selftest::raise_open_files();
    runtime.block_on(async {
        let (listener, address) = emitter::bind().context("no port on loopback can be opened")?;
        println!("http://{address}");
        std::io::stdout().flush()?;
        let closed = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
        tokio::select! {
            served = emitter::serve(listener) => served.context("no connection can be taken any more")?,
            _ = closed => {}
        }
        Ok(ExitReason::Success)
    })
}

/// The server's process; dropped, it ends.
struct EmitterProcess {
    child: Child,
    url: String,
}

impl EmitterProcess {
    fn start() -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("this program cannot be found")?;
        let mut child = Command::new(program)
            .arg("emit")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("the server of the selftest cannot be started")?;
        let mut url = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut url).context("the server of the selftest says nothing")?;
        }
        Ok(Self { child, url: url.trim().to_owned() })
    }
}

impl Drop for EmitterProcess {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // Whether it ended in order is of no account any more.
        let _ = self.child.wait();
    }
}
