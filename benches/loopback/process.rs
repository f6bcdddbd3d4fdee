//! The processes of the harness: this program once more, each with its task, ended by its own handle.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use bench::execution::selftest::emitter;

use crate::account::Account;
use crate::flood;
use crate::task::{Task, What};

/// The longest that a load may take.
const LONGEST: Duration = Duration::from_mins(3);

/// A process that lives until it is dropped.
#[derive(Debug)]
pub struct Kept(Child);

impl Drop for Kept {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // Whether it ended in order is of no account any more.
        drop(self.0.wait());
    }
}

/// The server's core and the client's; none where there is but one, or no `taskset` to keep a process to it.
pub fn cores() -> [Option<usize>; 2] {
    let several = std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1);
    let kept = Command::new("taskset").arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success());
    if several && kept { [Some(0), Some(1)] } else { [None, None] }
}

fn start(core: Option<usize>, task: &Task) -> Child {
    let program = std::env::current_exe().unwrap();
    let mut command = match core {
        // Becomes the program itself, under the same id.
        Some(core) => {
            let mut command = Command::new("taskset");
            command.arg("--cpu-list").arg(core.to_string()).arg(program);
            command
        }
        None => Command::new(program),
    };
    command.arg("--task").arg(serde_json::to_string(task).unwrap());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

/// A server, and its address.
pub fn server(core: Option<usize>, what: What) -> (Kept, String) {
    let mut child = start(core, &Task { url: String::new(), what });
    let mut url = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
    (Kept(child), url.trim().to_owned())
}

/// What keeps a core busy.
pub fn hog(core: Option<usize>) -> Kept {
    Kept(start(core, &Task { url: String::new(), what: What::Hog }))
}

/// Has a load made, and waits for its account.
pub fn account(url: &str, core: Option<usize>, what: What) -> Account {
    let mut child = start(core, &Task { url: url.to_owned(), what });
    let mut stdout = child.stdout.take().unwrap();
    let (tell, told) = channel();
    let reading = std::thread::spawn(move || {
        let mut text = String::new();
        drop(stdout.read_to_string(&mut text));
        drop(tell.send(text));
    });
    let text = told.recv_timeout(LONGEST);
    if text.is_err() {
        drop(child.kill());
    }
    let status = child.wait().unwrap();
    reading.join().unwrap();
    let text = text.unwrap_or_else(|_| panic!("a load took more than {} s", LONGEST.as_secs()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("a client told no account ({status}): {error}"))
}

/// The part of the server whose answers are written beforehand.
pub fn flood() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    println!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || flood::serve(&listener).unwrap());
    // Whether it was closed in order is of no account: the process ends.
    drop(std::io::stdin().read_to_end(&mut Vec::new()));
}

/// The server's own part.
pub fn serve() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (listener, address) = emitter::bind().unwrap();
        println!("http://{address}");
        std::io::stdout().flush().unwrap();
        let closed = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
        tokio::select! { served = emitter::serve(listener) => served.unwrap(), _ = closed => {} }
    });
}
