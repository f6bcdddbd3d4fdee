//! The processes of this machine, as `/proc` tells them; none where there is no such thing. Out come who is whose kin, and signals that
//! reach just the process that was meant, though its id be given to another one meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, getpid};

use super::marker::{ProcessMarker, VARIABLE};

/// How long a killed process may take to be gone: what hangs in a driver takes longer, or never is.
pub(super) const KILLED_WITHIN: Duration = Duration::from_secs(5);
/// How often it is looked whether a process is gone.
pub(super) const LOOK: Duration = Duration::from_millis(20);

/// One process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProcessEntry {
    pub(super) pid: i32,
    parent: i32,
    pub(super) group: i32,
    /// A zombie is gone: it only waits for its parent to take note.
    pub(super) is_running: bool,
    /// In clock ticks since the machine's start; with the id, it names the process for good.
    pub(super) started: u64,
}

impl ProcessEntry {
    pub(super) fn read(pid: i32) -> Option<Self> {
        // A program may give itself a name that is not text.
        let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
        Self::parse(pid, &String::from_utf8_lossy(&stat))
    }

    /// `pid (name) state ppid pgrp session ... starttime`, the last being field 22; the name may hold anything (`proc_pid_stat(5)`).
    fn parse(pid: i32, stat: &str) -> Option<Self> {
        let (_, rest) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let is_running = !matches!(*fields.first()?, "Z" | "X" | "x");
        let number = |at: usize| fields.get(at)?.parse().ok();
        Some(Self { pid, parent: number(1)?, group: number(2)?, is_running, started: fields.get(19)?.parse().ok()? })
    }

    /// Whether it is still there and no zombie.
    pub(super) fn lives(&self) -> bool {
        Self::read(self.pid).is_some_and(|now| now.started == self.started && now.is_running)
    }

    /// Signals this process and never another one that got its id.
    pub(super) fn signal(&self, signal: Signal) {
        let Some(pid) = Pid::from_raw(self.pid) else { return };
        #[cfg(target_os = "linux")]
        match rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) {
            // What was opened is what is looked at and what is signalled.
            Ok(handle) => {
                if self.lives() {
                    let _ = rustix::process::pidfd_send_signal(handle, signal);
                }
                return;
            }
            Err(rustix::io::Errno::NOSYS) => {}
            Err(_) => return,
        }
        if self.lives() {
            let _ = rustix::process::kill_process(pid, signal);
        }
    }

    /// What it runs, in words: without its options, which may hold keys.
    pub(super) fn command(&self) -> String {
        let line = std::fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
        words(&String::from_utf8_lossy(&line))
    }

    /// For people.
    pub(super) fn shown(&self) -> String {
        format!("process {} (`{}`)", self.pid, self.command())
    }

    /// The mark in its environment. Nobody but its user can read that.
    fn marker(&self) -> Option<ProcessMarker> {
        let environment = std::fs::read(format!("/proc/{}/environ", self.pid)).ok()?;
        environment.split(|byte| *byte == 0).find_map(|entry| {
            let (name, value) = std::str::from_utf8(entry).ok()?.split_once('=')?;
            if name == VARIABLE { value.parse().ok() } else { None }
        })
    }

    fn is_of_our_user(&self) -> bool {
        std::fs::metadata(format!("/proc/{}", self.pid)).is_ok_and(|folder| folder.uid() == geteuid().as_raw())
    }
}

/// The leading words of a command line that name what runs, at most four; `…` for the rest.
fn words(line: &str) -> String {
    let all: Vec<&str> = line.split('\0').filter(|word| !word.is_empty()).collect();
    let is_name = |word: &&str| !word.starts_with('-') && !word.contains(['=', ' ', '\n']) && word.len() <= 100;
    let mut named: Vec<&str> = all.iter().copied().take(4).take_while(is_name).collect();
    if named.len() < all.len() {
        named.push("…");
    }
    named.join(" ")
}

/// All processes at one moment.
#[derive(Debug, Default)]
pub(super) struct ProcessTable(BTreeMap<i32, ProcessEntry>);

impl ProcessTable {
    pub(super) fn take() -> Self {
        let Ok(folders) = std::fs::read_dir("/proc") else { return Self::default() };
        let pids = folders.filter_map(|folder| folder.ok()?.file_name().to_str()?.parse().ok());
        Self(pids.filter_map(ProcessEntry::read).map(|process| (process.pid, process)).collect())
    }

    /// Whether processes cannot be seen here at all.
    pub(super) fn is_blind(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn get(&self, pid: i32) -> Option<&ProcessEntry> {
        self.0.get(&pid)
    }

    /// Whether nobody is left in a process group.
    pub(super) fn is_group_gone(&self, group: i32) -> bool {
        !self.0.values().any(|process| process.group == group && process.is_running)
    }

    /// The children of a process that have ended and wait to be reaped.
    pub(super) fn zombies_of(&self, parent: i32) -> impl Iterator<Item = i32> {
        self.0.values().filter(move |process| process.parent == parent && !process.is_running).map(|process| process.pid)
    }

    /// The children of a process.
    pub(super) fn children_of(&self, parent: i32) -> impl Iterator<Item = i32> {
        self.0.values().filter(move |process| process.parent == parent).map(|process| process.pid)
    }

    /// Processes of our user that carry a mark for which this holds.
    pub(super) fn marked(&self, holds: impl Fn(&ProcessMarker) -> bool) -> impl Iterator<Item = i32> {
        let running = self.0.values().filter(|process| process.is_running && process.is_of_our_user());
        running.filter(move |process| process.marker().is_some_and(|marker| holds(&marker))).map(|process| process.pid)
    }

    /// These processes and their kin, as far as they run: their descendants, and who shares a process group with one of them. A mark alone
    /// does not find all: a program that sets its title (vLLM's engine) overwrites the environment that others see of it. Never this
    /// process and what it descends from.
    pub(super) fn with_kin(&self, seeds: impl Iterator<Item = i32>) -> Vec<ProcessEntry> {
        let spared = self.lineage(getpid().as_raw_nonzero().get());
        let mut kin: BTreeSet<i32> = seeds.filter(|pid| !spared.contains(pid)).collect();
        loop {
            let groups: BTreeSet<i32> = kin.iter().filter_map(|pid| self.get(*pid)).map(|process| process.group).collect();
            let is_kin = |process: &&ProcessEntry| kin.contains(&process.parent) || groups.contains(&process.group);
            let more: Vec<i32> = self.0.values().filter(is_kin).map(|process| process.pid).collect();
            let before = kin.len();
            kin.extend(more.into_iter().filter(|pid| !spared.contains(pid)));
            if kin.len() == before {
                break;
            }
        }
        kin.iter().filter_map(|pid| self.get(*pid)).filter(|process| process.is_running).cloned().collect()
    }

    /// A process and all that it descends from.
    fn lineage(&self, pid: i32) -> BTreeSet<i32> {
        let mut lineage = BTreeSet::from([pid]);
        let mut at = pid;
        while let Some(process) = self.get(at) {
            at = process.parent;
            if !lineage.insert(at) {
                break;
            }
        }
        lineage
    }
}

/// Ends what is found, also what is found only later: SIGTERM, then SIGKILL to what is left after `grace` (at once where that is zero).
/// Blocks. Gives back what not even that ended.
pub(super) fn end(find: impl Fn(&ProcessTable) -> Vec<ProcessEntry>, grace: Duration) -> Vec<ProcessEntry> {
    let begun = Instant::now();
    let mut asked: Vec<ProcessEntry> = Vec::new();
    loop {
        let left = find(&ProcessTable::take());
        if left.is_empty() || begun.elapsed() >= grace + KILLED_WITHIN {
            return left;
        }
        for process in left {
            if begun.elapsed() >= grace {
                process.signal(Signal::KILL);
            } else if !asked.iter().any(|known| (known.pid, known.started) == (process.pid, process.started)) {
                process.signal(Signal::TERM);
                asked.push(process);
            }
        }
        sleep(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i32, parent: i32, group: i32) -> ProcessEntry {
        ProcessEntry { pid, parent, group, is_running: true, started: 1 }
    }

    fn pids(kin: &[ProcessEntry]) -> Vec<i32> {
        kin.iter().map(|process| process.pid).collect()
    }

    #[test]
    fn a_line_of_proc_is_read_whatever_the_program_calls_itself() {
        let stat = "4242 (a) Z 1 (b) S 17 4200 4200 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2";
        let read = ProcessEntry::parse(4242, stat).unwrap();
        assert_eq!(read, ProcessEntry { pid: 4242, parent: 17, group: 4200, is_running: true, started: 987_654 });
        assert!(!ProcessEntry::parse(1, &stat.replace(" S ", " Z ")).unwrap().is_running);
        assert_eq!(ProcessEntry::parse(1, "1 (x) S 2"), None);
    }

    #[test]
    fn kin_are_descendants_and_who_shares_their_groups() {
        let all = [
            process(2, 1, 2),
            // 10 is marked; 11 its child in a session of its own, 12 an orphan in 11's group, 13 its child.
            process(10, 2, 10),
            process(11, 10, 11),
            process(12, 1, 11),
            process(13, 12, 13),
            // Strangers.
            process(20, 2, 2),
            process(21, 1, 21),
        ];
        let census = ProcessTable(all.into_iter().map(|process| (process.pid, process)).collect());
        assert_eq!(pids(&census.with_kin([10].into_iter())), [10, 11, 12, 13]);
        assert!(census.with_kin(std::iter::empty()).is_empty());
    }

    #[test]
    fn this_process_and_what_it_descends_from_are_nobodys_kin() {
        let own = getpid().as_raw_nonzero().get();
        let (parent, child) = (own + 1, own + 2);
        let all = [process(parent, 1, 5), process(own, parent, 5), process(child, own, 5)];
        let census = ProcessTable(all.into_iter().map(|process| (process.pid, process)).collect());
        assert!(census.with_kin([own, parent].into_iter()).is_empty());
        assert_eq!(pids(&census.with_kin([own, child].into_iter())), [child]);
    }

    #[test]
    fn a_command_is_named_without_its_options() {
        assert_eq!(words("python3\0/opt/vllm\0serve\0Qwen/Qwen2.5\0--api-key\0hush\0"), "python3 /opt/vllm serve Qwen/Qwen2.5 …");
        assert_eq!(words("sh\0-c\0KEY=hush serve\0"), "sh …");
        assert_eq!(words("env\0KEY=hush\0serve\0"), "env …");
        assert_eq!(words("sleep\x0060\0"), "sleep 60");
    }
}
