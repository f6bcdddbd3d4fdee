//! What holds for any input: no panic, no more memory than [`MOST_BYTES`], no more time than [`MOST_TIME`], and a message that a person
//! can read where the input is refused.
//!
//! A panic, an abort or a signal ends the process, which the fuzzer notices; memory is refused by the system, so that asking for more is
//! an abort.

use std::cell::Cell;
use std::time::Duration;

use bench::execution::selftest::cpu_time;

/// Address space that an input may take beyond what the process had.
pub const MOST_BYTES: u64 = 1 << 30;

/// The longest that an input may keep the processor: on a busy machine nobody reads slower for it, and who only waits is stopped by the
/// fuzzer. The tests, which are built without optimisation, say how many times that.
pub const MOST_TIME: Duration = Duration::from_secs(2);
const TIMES: &str = "BENCH_FUZZ_TIMES";

/// The longest message.
const MOST_CHARACTERS: usize = 2_000;

/// Reads an input within the bounds. One that took too long is read again: caches may have been cold.
pub fn held(read: impl Fn()) {
    bound_memory();
    let times = std::env::var(TIMES).ok().and_then(|times| times.parse().ok()).unwrap_or(1);
    for _ in 0..3 {
        let begun = cpu_time();
        read();
        if cpu_time().saturating_sub(begun) < MOST_TIME * times {
            return;
        }
    }
    panic!("this takes more than {times} times {MOST_TIME:?}");
}

/// Sets the bound anew from time to time: what the fuzzer itself keeps grows.
fn bound_memory() {
    thread_local!(static SINCE: Cell<u32> = const { Cell::new(0) });
    let since = SINCE.get();
    SINCE.set((since + 1) % 256);
    if since == 0 {
        limit_address_space();
    }
}

#[cfg(target_os = "linux")]
fn limit_address_space() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Ok(statm) = std::fs::read_to_string("/proc/self/statm") else { return };
    let pages: u64 = statm.split(' ').next().and_then(|pages| pages.parse().ok()).unwrap_or(0);
    let limit = Rlimit { current: Some(pages * 4096 + MOST_BYTES), maximum: getrlimit(Resource::As).maximum };
    assert!(setrlimit(Resource::As, limit).is_ok(), "the address space can be bounded");
}

#[cfg(not(target_os = "linux"))]
fn limit_address_space() {}

/// A sentence for people: there is one, it is one line, not endless, and moves no cursor.
pub fn message(text: &str) {
    assert!(!text.trim().is_empty(), "the message is empty");
    assert!(text.chars().count() <= MOST_CHARACTERS, "the message has {} characters: {text}", text.chars().count());
    assert!(!text.contains(char::is_control), "the message holds control characters: {text:?}");
}

/// What is printed as several lines: nothing in it moves a cursor.
pub fn page(text: &str) {
    assert!(!text.trim().is_empty(), "the page is empty");
    let foreign = |c: char| c.is_control() && c != '\n';
    assert!(!text.contains(foreign), "the page holds control characters: {:?}", text.lines().find(|line| line.contains(foreign)));
}
