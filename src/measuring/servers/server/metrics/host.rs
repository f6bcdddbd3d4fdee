//! This machine: processor, memory, and the storage behind a path, from the texts under `/proc`. In come those texts, out go samples.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fs_err as fs;

use super::storage::BlockDevice;
use crate::foundation::clock::Micros;
use crate::records::record::{SampleKind, ServerSample, TextInterner};

/// The fewest ticks (hundredths of a second of a core) between two readings that tell a share of time.
const LEAST_TICKS: u64 = 10;

/// Processor and memory, and a device.
#[derive(Debug)]
pub(super) struct HostWatcher {
    processor_and_memory: bool,
    storage: Option<BlockDevice>,
    before: Option<CpuTicks>,
    source: Arc<str>,
    texts: TextInterner,
    notes: Vec<String>,
}

impl HostWatcher {
    /// Finds the device now. `storage` need not exist yet.
    pub fn new(processor_and_memory: bool, storage: Option<&Path>) -> Self {
        let mut notes = Vec::new();
        let storage = storage.and_then(|path| match mounted(path) {
            Ok(Some(device)) => Some(device),
            Ok(None) => {
                notes.push(format!("`watch.storage`: `{}` lies on no device of this machine's own", path.display()));
                None
            }
            Err(error) => {
                notes.push(format!("`watch.storage` is not recorded: {error}"));
                None
            }
        });
        Self { processor_and_memory, storage, before: None, source: "host".into(), texts: TextInterner::default(), notes }
    }

    /// Reads all of it once. What cannot be read is left out, and remarked.
    pub fn read(&mut self, at: Micros) -> Vec<ServerSample> {
        let mut found = Vec::new();
        if self.processor_and_memory {
            match self.processor() {
                Ok(share) => found.extend(share.map(|share| ("cpu_utilization", String::new(), SampleKind::Gauge, share))),
                Err(error) => self.remark(&error),
            }
            match fs::read_to_string("/proc/meminfo") {
                Ok(text) => {
                    for (name, bytes) in memory(&text) {
                        found.push((name, String::new(), SampleKind::Gauge, bytes));
                    }
                }
                Err(error) => self.remark(&error),
            }
        }
        if let Some(device) = &self.storage {
            match fs::read_to_string("/proc/diskstats") {
                Ok(text) => found.extend(device.traffic(&text).into_iter().flatten()),
                Err(error) => self.remark(&error),
            }
        }
        let sample = |(name, labels, kind, value): (&str, String, SampleKind, f64)| ServerSample {
            at_us: at,
            source: Arc::clone(&self.source),
            name: self.texts.of(name),
            labels: self.texts.of(&labels),
            kind,
            value,
        };
        found.into_iter().map(sample).collect()
    }

    /// The share of time in which a core worked since the reading before.
    fn processor(&mut self) -> std::io::Result<Option<f64>> {
        let Some(now) = CpuTicks::read(&fs::read_to_string("/proc/stat")?) else { return Ok(None) };
        let Some(before) = self.before else {
            self.before = Some(now);
            return Ok(None);
        };
        let share = now.share_since(before);
        if share.is_some() {
            self.before = Some(now);
        }
        Ok(share)
    }

    fn remark(&mut self, error: &std::io::Error) {
        let note = format!("this machine is not recorded: {error}");
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Remarks for people.
    pub fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }
}

/// The device under a path, or under the nearest folder above it that is there.
fn mounted(path: &Path) -> std::io::Result<Option<BlockDevice>> {
    let path = std::path::absolute(path)?;
    let real = path.ancestors().find_map(|path| path.canonicalize().ok()).unwrap_or_else(|| PathBuf::from("/"));
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    let devices = fs::read_to_string("/proc/diskstats")?;
    Ok(BlockDevice::holding(&real, &mounts, &devices))
}

/// Time of all cores, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CpuTicks {
    busy: u64,
    all: u64,
}

impl CpuTicks {
    /// Of the first line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal; what follows is part of user and nice.
    fn read(stat: &str) -> Option<Self> {
        let mut fields = stat.lines().find_map(|line| line.strip_prefix("cpu "))?.split_whitespace();
        let mut ticks = [0_u64; 8];
        for (at, tick) in ticks.iter_mut().enumerate() {
            match fields.next() {
                Some(field) => *tick = field.parse().ok()?,
                // Kernels of old have fewer.
                None if at >= 4 => break,
                None => return None,
            }
        }
        let all = ticks.iter().fold(0_u64, |sum, tick| sum.saturating_add(*tick));
        Some(Self { busy: all - ticks[3] - ticks[4], all })
    }

    /// `None` where too little time has passed to tell.
    #[expect(clippy::cast_precision_loss, reason = "ticks of a run")]
    fn share_since(self, before: Self) -> Option<f64> {
        let all = self.all.saturating_sub(before.all);
        (all >= LEAST_TICKS).then(|| (self.busy.saturating_sub(before.busy) as f64 / all as f64).min(1.0))
    }
}

/// Bytes that are used, that is not available, and all, from `/proc/meminfo`.
fn memory(meminfo: &str) -> Vec<(&'static str, f64)> {
    let bytes = |name: &str| {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        Some(line.split_whitespace().next()?.parse::<f64>().ok()? * 1024.0)
    };
    match (bytes("MemTotal"), bytes("MemAvailable")) {
        (Some(total), Some(available)) => vec![("memory_used_bytes", total - available), ("memory_total_bytes", total)],
        (Some(total), None) => vec![("memory_total_bytes", total)],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_the_processors_is_what_was_neither_idle_nor_waiting() {
        let before = CpuTicks::read("cpu  100 0 50 800 50 0 0 0 40 0\ncpu0 1 2 3 4\n").unwrap();
        let after = CpuTicks::read("cpu  160 5 60 900 60 5 10 0 80 0\n").unwrap();
        assert_eq!(before, CpuTicks { busy: 150, all: 1_000 });
        // 90 of 200 ticks.
        assert_eq!(after.share_since(before), Some(0.45));
        assert_eq!(after.share_since(after), None);
        assert_eq!(CpuTicks::read("cpu  1 2 3 4"), Some(CpuTicks { busy: 6, all: 10 }));
        for strange in ["", "cpu0 1 2 3 4", "cpu  1 2 3", "cpu  a b c d"] {
            assert_eq!(CpuTicks::read(strange), None, "{strange}");
        }
    }

    #[test]
    fn used_memory_is_what_is_not_available() {
        let text = "MemTotal:       16000 kB\nMemFree:         1000 kB\nMemAvailable:    6000 kB\n";
        assert_eq!(memory(text), [("memory_used_bytes", 10_240_000.0), ("memory_total_bytes", 16_384_000.0)]);
        assert_eq!(memory("MemTotal: 1 kB"), [("memory_total_bytes", 1_024.0)]);
        assert_eq!(memory("MemTotal: x kB"), []);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_tells_of_its_memory_at_once() {
        let mut host = HostWatcher::new(true, None);
        let samples = host.read(Micros(7));
        let value = |name: &str| samples.iter().find(|sample| &*sample.name == name).unwrap().value;
        assert!(value("memory_used_bytes") > 0.0 && value("memory_used_bytes") < value("memory_total_bytes"));
        assert!(samples.iter().all(|sample| sample.at_us == Micros(7) && &*sample.source == "host"));
        assert_eq!(host.notes(), Vec::<String>::new());
    }
}
