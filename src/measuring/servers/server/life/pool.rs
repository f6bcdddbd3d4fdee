//! How many tokens the server's KV cache holds, from what it logs while it starts.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// The most that is read of a log. Servers tell their pool before they serve, after some hundred lines.
const READ: u64 = 16 * 1024 * 1024;

/// What the log says from `start` (in bytes) on: what was written by this life.
pub(super) fn pool_in_log(log: &Path, start: u64) -> Option<u64> {
    let mut file = std::fs::File::open(log).ok()?;
    file.seek(SeekFrom::Start(start)).ok()?;
    let mut bytes = Vec::new();
    file.take(READ).read_to_end(&mut bytes).ok()?;
    pool_in_text(&String::from_utf8_lossy(&bytes))
}

/// The last figure that is told: vLLM logs `GPU KV cache size: 32,768 tokens`, SGLang `max_total_num_tokens=32768`.
fn pool_in_text(text: &str) -> Option<u64> {
    text.lines().rev().find_map(|line| {
        let after = |words: &str| line.find(words).map(|at| &line[at + words.len()..]);
        if let Some(rest) = after("KV cache size: ") {
            let (figure, unit) = rest.split_once(' ')?;
            return unit.starts_with("tokens").then(|| figure.replace(',', "").parse().ok()).flatten();
        }
        let rest = after("max_total_num_tokens=")?;
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        rest[..digits].parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pool_is_what_vllm_and_sglang_say_it_is() {
        let vllm = "(EngineCore pid=71) INFO 11-20 09:14:02 [kv_cache_utils.py:1316] GPU KV cache size: 32,768 tokens\n\
                    INFO 11-20 09:14:02 [kv_cache_utils.py:1321] Maximum concurrency for 16,384 tokens per request: 2.00x\n";
        assert_eq!(pool_in_text(vllm), Some(32_768));
        let sglang = "[2026-11-20 09:14:02] max_total_num_tokens=871234, chunked_prefill_size=8192, max_prefill_tokens=16384\n";
        assert_eq!(pool_in_text(sglang), Some(871_234));
        assert_eq!(pool_in_text("GPU KV cache size: 3.2 GiB\nmax_total_num_tokens=None\n"), None);
    }

    #[test]
    fn what_an_earlier_life_wrote_is_not_read() {
        let log = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(log.path(), "GPU KV cache size: 100 tokens\nlater\n").unwrap();
        assert_eq!(pool_in_log(log.path(), 0), Some(100));
        assert_eq!(pool_in_log(log.path(), 30), None);
    }
}
