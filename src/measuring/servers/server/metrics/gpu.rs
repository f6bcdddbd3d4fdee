//! NVIDIA's GPUs, by a long-lived `nvidia-smi` that prints a line per GPU and period. Its lines in, samples out.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::foundation::clock::{Clock, Micros};
use crate::records::record::{SampleKind, ServerSample, TextInterner};

/// What is asked for, in the order of [`FIGURES`], behind the index.
const QUERY: &str = "--query-gpu=index,utilization.gpu,memory.used,memory.total,power.draw";
/// The names, and what makes percent a ratio and MiB bytes.
const FIGURES: [(&str, f64); 4] =
    [("gpu_utilization", 0.01), ("gpu_memory_used_bytes", MIB), ("gpu_memory_total_bytes", MIB), ("gpu_power_watts", 1.0)];
const MIB: f64 = 1_048_576.0;
/// How long the program may take for its first line: it wakes the driver where nothing else does.
const FIRST: Micros = Micros(3_000_000);
/// The longest line that is looked at.
const LINE: usize = 500;

/// A program that tells of GPUs until it is ended; dropping this ends it.
#[derive(Debug)]
pub(super) struct GpuWatcher {
    program: String,
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    source: Arc<str>,
    texts: TextInterner,
    told: bool,
    /// The first line that tells of no GPU: what the program has to say instead.
    strange: Option<String>,
    over: bool,
}

impl GpuWatcher {
    /// Starts the program. `None` where there is none, which is most machines, and no news.
    pub fn start(program: &Path, period: Micros) -> Option<Self> {
        let mut child = spawn(program, period).ok()?;
        let lines = BufReader::new(child.stdout.take()?).lines();
        let program = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
        Some(Self { program, child, lines, source: "gpu".into(), texts: TextInterner::default(), told: false, strange: None, over: false })
    }

    /// What the first line tells; nothing where it does not come in a few seconds.
    pub async fn first(&mut self, clock: Clock) -> Vec<ServerSample> {
        clock.before(clock.now() + FIRST, self.next(clock)).await.flatten().unwrap_or_default()
    }

    /// What the next line tells; `None` when there will be no more. Can be given up and called again.
    pub async fn next(&mut self, clock: Clock) -> Option<Vec<ServerSample>> {
        if self.over {
            return None;
        }
        loop {
            // A broken line ends it as the end does.
            let Ok(Some(line)) = self.lines.next_line().await else {
                self.over = true;
                return None;
            };
            match figures(&line) {
                Some((index, values)) => {
                    self.told = true;
                    return Some(self.samples(clock.now(), index, values));
                }
                None => {
                    self.strange.get_or_insert_with(|| line.chars().take(LINE).collect());
                }
            }
        }
    }

    fn samples(&mut self, at: Micros, index: u32, values: [Option<f64>; 4]) -> Vec<ServerSample> {
        let labels = self.texts.of(&format!("{{gpu=\"{index}\"}}"));
        let mut samples = Vec::with_capacity(values.len());
        for ((name, unit), value) in FIGURES.into_iter().zip(values) {
            let Some(value) = value else { continue };
            samples.push(ServerSample {
                at_us: at,
                source: Arc::clone(&self.source),
                name: self.texts.of(name),
                labels: Arc::clone(&labels),
                kind: SampleKind::Gauge,
                value: value * unit,
            });
        }
        samples
    }

    /// Ends the program. A remark where it had ended before, or told of no GPU.
    pub async fn end(mut self) -> Option<String> {
        // Both fail where it is gone already.
        let _ = self.child.start_kill();
        let _ = self.child.wait().await;
        let said = self.strange.map(|line| format!(": {}", line.trim())).unwrap_or_default();
        match (self.told, self.over) {
            (false, _) => Some(format!("`{}` told of no GPU{said}", self.program)),
            (true, true) => Some(format!("`{}` ended before the run did{said}", self.program)),
            (true, false) => None,
        }
    }
}

fn spawn(program: &Path, period: Micros) -> io::Result<Child> {
    let mut command = Command::new(program);
    command.args([QUERY, "--format=csv,noheader,nounits", "-lms"]).arg((period.0 / 1_000).max(1).to_string());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    // A group of its own: Ctrl-C is ours to hear, and ends it in order. Were we killed, its next line would find no reader and end it.
    #[cfg(unix)]
    command.process_group(0);
    command.spawn()
}

/// The index and the figures of a line `0, 45, 12345, 81559, 250.31`; what a GPU does not tell (`[N/A]`, `[Not Supported]`) is missing.
/// `None` where the line tells of no GPU.
fn figures(line: &str) -> Option<(u32, [Option<f64>; 4])> {
    let mut fields = line.split(',').map(str::trim);
    let index = fields.next()?.parse().ok()?;
    let mut values = [None; 4];
    for value in &mut values {
        let field = fields.next()?;
        *value = field.parse().ok().filter(|value: &f64| value.is_finite());
    }
    fields.next().is_none().then_some((index, values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_gpu_and_what_it_does_not_tell_is_missing() {
        let full = figures("0, 45, 12345, 81559, 250.31").unwrap();
        assert_eq!(full, (0, [Some(45.0), Some(12_345.0), Some(81_559.0), Some(250.31)]));
        let mig = figures("3, [N/A], 0, 143771, [Not Supported]").unwrap();
        assert_eq!(mig, (3, [None, Some(0.0), Some(143_771.0), None]));
        assert_eq!(figures("1, N/A, [Unknown Error], [Insufficient Permissions], nan").unwrap(), (1, [None; 4]));
        for strange in ["", "No devices were found", "0, 1, 2, 3", "0, 1, 2, 3, 4, 5", "index, utilization.gpu [%], a, b, c"] {
            assert_eq!(figures(strange), None, "{strange}");
        }
    }

    #[cfg(unix)]
    mod program {
        use std::os::unix::fs::PermissionsExt;
        use std::path::PathBuf;

        use super::*;

        /// A program in the place of `nvidia-smi`. Written by a shell of its own: a file that this process has open for writing may be
        /// open in a child that another test is just starting, and could then not be run.
        fn fake(folder: &tempfile::TempDir, script: &str) -> PathBuf {
            let (source, path) = (folder.path().join("source"), folder.path().join("fake-smi"));
            fs_err::write(&source, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs_err::set_permissions(&source, std::fs::Permissions::from_mode(0o755)).unwrap();
            assert!(std::process::Command::new("cp").arg(&source).arg(&path).status().unwrap().success());
            path
        }

        #[tokio::test]
        async fn each_line_becomes_samples_until_the_program_is_ended() {
            let folder = tempfile::tempdir().unwrap();
            let script = "echo \"0, 50, 1, 2, 100.5\"; echo \"1, [N/A], 1, 2, [N/A]\"; echo \"$@\" > \"$0.arguments\"; exec sleep 600";
            let program = fake(&folder, script);
            let clock = Clock::real();
            let mut gpus = GpuWatcher::start(&program, Micros(1_000_000)).unwrap();
            let told = |samples: &[ServerSample]| -> Vec<String> {
                samples.iter().map(|sample| format!("{} {}{} {}", sample.source, sample.name, sample.labels, sample.value)).collect()
            };
            let expected = [
                "gpu gpu_utilization{gpu=\"0\"} 0.5",
                "gpu gpu_memory_used_bytes{gpu=\"0\"} 1048576",
                "gpu gpu_memory_total_bytes{gpu=\"0\"} 2097152",
                "gpu gpu_power_watts{gpu=\"0\"} 100.5",
            ];
            assert_eq!(told(&gpus.first(clock).await), expected);
            assert_eq!(
                told(&gpus.next(clock).await.unwrap()),
                ["gpu gpu_memory_used_bytes{gpu=\"1\"} 1048576", "gpu gpu_memory_total_bytes{gpu=\"1\"} 2097152"]
            );
            let id = gpus.child.id().unwrap();
            assert_eq!(gpus.end().await, None);
            assert!(!Path::new(&format!("/proc/{id}")).exists());
        }

        #[tokio::test]
        async fn a_program_that_has_no_gpu_to_tell_of_is_a_remark_with_its_words() {
            let folder = tempfile::tempdir().unwrap();
            let program = fake(&folder, "echo 'No devices were found'; exit 6");
            let clock = Clock::real();
            let mut gpus = GpuWatcher::start(&program, Micros(1_000_000)).unwrap();
            assert_eq!(gpus.first(clock).await, []);
            assert!(gpus.next(clock).await.is_none());
            assert_eq!(gpus.end().await.as_deref(), Some("`fake-smi` told of no GPU: No devices were found"));
        }

        #[test]
        fn no_program_is_no_news() {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let started = runtime.block_on(async { GpuWatcher::start(Path::new("no/such/nvidia-smi"), Micros(1_000_000)) });
            assert!(started.is_none());
        }
    }
}
