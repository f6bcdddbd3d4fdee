//! One sweep of the real program, from its start to its end: a scenario in, what was seen of it from outside out.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::process::{Emitter, cpu_s, look};
use crate::samples::{Phase, Sample};

/// What was seen.
pub struct Soaked {
    pub results: PathBuf,
    pub samples: Vec<Sample>,
    /// Requests of the plan, as the program said.
    pub planned: Option<u64>,
    pub wall_s: f64,
    pub cpu_s: f64,
    /// How it ended.
    pub succeeded: bool,
    pub said: Vec<String>,
}

/// Between two looks.
const STEP: Duration = Duration::from_millis(500);

/// Runs a scenario to its end. `server` is what it talks to, and the selftest that it is to relate its load to.
pub fn run(program: &Path, folder: &Path, scenario: &str, server: Option<(&Emitter, &Path)>) -> Soaked {
    fs_err::create_dir_all(folder).unwrap();
    let (file, results) = (folder.join("soak.toml"), folder.join("results"));
    fs_err::write(&file, scenario).unwrap();
    let mut command = Command::new(program);
    command.arg("sweep").arg(&file).arg("-o").arg(&results).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    if let Some((_, selftest)) = server {
        command.env("BENCH_SELFTEST", selftest);
    }
    let mut running = Running(command.spawn().unwrap());
    let lines = listen(&mut running.0);
    let (begun, pid) = (Instant::now(), running.0.id());
    let mut soaked = Soaked { results, samples: Vec::new(), planned: None, wall_s: 0.0, cpu_s: 0.0, succeeded: false, said: Vec::new() };
    let mut done = 0;
    soaked.succeeded = loop {
        std::thread::sleep(STEP);
        for line in lines.try_iter() {
            if let Some((came, planned)) = progress(&line) {
                (done, soaked.planned) = (came, Some(planned));
            } else {
                soaked.said.push(line);
            }
        }
        if let Some(held) = look(pid) {
            let (phase, disk_mb) = (Phase::of(&soaked.results), disk_mb(&soaked.results));
            soaked.samples.push(Sample { at_s: begun.elapsed().as_secs_f64(), done, phase, held, disk_mb });
            soaked.cpu_s = cpu_s(pid).max(soaked.cpu_s);
        }
        if let Some(status) = running.0.try_wait().unwrap() {
            break status.success();
        }
    };
    soaked.wall_s = begun.elapsed().as_secs_f64();
    soaked
}

/// The program, which does not outlive this.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn listen(child: &mut Child) -> Receiver<String> {
    let (to, lines) = channel();
    let said = BufReader::new(child.stderr.take().unwrap());
    std::thread::spawn(move || said.lines().map_while(Result::ok).take_while(|line| to.send(line.clone()).is_ok()).count());
    lines
}

/// `..., 1234/5678 requests, 0 failed`: how many are done, and of how many.
fn progress(line: &str) -> Option<(u64, u64)> {
    let (before, _) = line.split_once(" requests, ")?;
    let (done, planned) = before.rsplit(' ').next()?.split_once('/')?;
    Some((done.parse().ok()?, planned.parse().ok()?))
}

/// All that lies in a folder.
fn disk_mb(folder: &Path) -> f64 {
    fn bytes(folder: &Path) -> u64 {
        let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
        let of = |entry: std::fs::DirEntry| {
            let Ok(data) = entry.metadata() else { return 0 };
            if data.is_dir() { bytes(&entry.path()) } else { data.len() }
        };
        entries.map_while(Result::ok).map(of).sum()
    }
    bytes(folder) as f64 / 1e6
}
