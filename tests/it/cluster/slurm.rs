//! A real Slurm of three nodes on this machine, for all tests that ask for one at the same time.
//!
//! Where Slurm is not installed the tests say so and pass, unless `BENCH_REQUIRE_SLURM` is set.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex, Weak};

use tempfile::TempDir;

use crate::stage::{Running, Stage, said};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cluster/slurm.sh");

static SHARED: Mutex<Weak<Slurm>> = Mutex::new(Weak::new());

pub struct Slurm {
    folder: TempDir,
}

impl Slurm {
    /// The one that runs, or a new one; none where it is not installed.
    pub fn get() -> Option<Arc<Self>> {
        if !is_installed() {
            let is_required = std::env::var_os("BENCH_REQUIRE_SLURM").is_some();
            assert!(!is_required, "BENCH_REQUIRE_SLURM is set and there is no slurmctld on the path; install slurm-wlm");
            eprintln!("skipped: no Slurm; install slurm-wlm");
            return None;
        }
        let mut shared = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(slurm) = shared.upgrade() {
            return Some(slurm);
        }
        let slurm = Arc::new(Self { folder: tempfile::tempdir().unwrap() });
        let port = four_free_ports().to_string();
        let started = Command::new(SCRIPT).arg("start").arg(slurm.folder.path()).arg(port).output().unwrap();
        assert!(started.status.success(), "{}", said(&started));
        *shared = Arc::downgrade(&slurm);
        Some(slurm)
    }

    /// `bench` with these words where Slurm's commands find this one.
    pub fn bench(&self, stage: &Stage, words: &[&str]) -> Output {
        stage.command(words).env("SLURM_CONF", self.configuration()).output().unwrap()
    }

    /// What a command of Slurm says.
    pub fn ask(&self, program: &str, words: &[&str]) -> String {
        let output = Command::new(program).args(words).env("SLURM_CONF", self.configuration()).output().unwrap();
        assert!(output.status.success(), "{program} {words:?}: {}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Waits until a job has ended, in whatever way.
    pub fn await_end(&self, job: &str) {
        self.ask("srun", &["--quiet", &format!("--dependency=afterany:{job}"), "true"]);
    }

    fn configuration(&self) -> PathBuf {
        self.folder.path().join("slurm.conf")
    }
}

impl Drop for Slurm {
    fn drop(&mut self) {
        let _ = Command::new(SCRIPT).arg("stop").arg(self.folder.path()).status();
    }
}

/// The jobs that `bench submit --go` says it has submitted: the array, and the one that merges.
pub fn jobs(output: &Output) -> [String; 2] {
    let text = said(output);
    let line = text.lines().find(|line| line.starts_with("submitted: job ")).unwrap_or_else(|| panic!("{text}"));
    let mut numbers = line.split(|c: char| !c.is_ascii_digit()).filter(|word| !word.is_empty()).map(str::to_owned);
    [numbers.next().unwrap(), numbers.next().unwrap()]
}

/// A task's log, heard as it grows.
pub fn log(stage: &Stage, results: &str, task: &str) -> Running {
    let path = stage.path(results).join("submit/logs").join(format!("{task}.log"));
    // The limit is there only to end what hangs.
    Running::of(Command::new("sh").args(["-c", "exec timeout 300 tail -n +1 -F \"$0\" 1>&2 2>/dev/null"]).arg(path))
}

fn is_installed() -> bool {
    ["slurmctld", "slurmd"].iter().all(|program| Command::new(program).arg("-V").output().is_ok_and(|output| output.status.success()))
}

/// The first of four ports in a row that nobody listens on.
fn four_free_ports() -> u16 {
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    std::iter::repeat_with(free_port).find(|port| (0..4).all(|more| port.checked_add(more).is_some_and(is_free))).unwrap()
}

/// A port that nobody listens on at this moment.
pub fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}
