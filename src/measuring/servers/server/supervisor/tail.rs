//! The end of a log: what a process wrote last, for the message that it died.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// How much of the log's end is read.
const READ: u64 = 64 * 1024;
/// The line before what a process writes begins with this.
pub(super) const HEADER: &str = "==== started by bench at ";

/// The last lines of a log, at most `count` and not further back than its process's start; none where there is no log. Reads 64 KiB at
/// most, however long the log is.
pub fn last_lines(path: &Path, count: usize) -> Vec<String> {
    let end = read_end(path).unwrap_or_default();
    let lines: Vec<&str> = end.lines().collect();
    let start = lines.iter().rposition(|line| line.starts_with(HEADER)).map_or(0, |header| header + 1);
    let start = start.max(lines.len().saturating_sub(count));
    lines[start..].iter().map(|line| (*line).to_owned()).collect()
}

/// The end of the file from a line's start.
fn read_end(path: &Path) -> std::io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let skipped = file.metadata()?.len().saturating_sub(READ);
    file.seek(SeekFrom::Start(skipped))?;
    let mut bytes = Vec::new();
    file.take(READ).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let whole = if skipped == 0 { 0 } else { text.find('\n').map_or(0, |end| end + 1) };
    Ok(text[whole..].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn the_last_lines_are_those_since_the_latest_start() {
        let file = log(&format!("{HEADER}1: a\nold\n{HEADER}2: a\none\ntwo\nthree"));
        assert_eq!(last_lines(file.path(), 2), ["two", "three"]);
        assert_eq!(last_lines(file.path(), 10), ["one", "two", "three"]);
        assert!(last_lines(log(&format!("old\n{HEADER}2: a\n")).path(), 10).is_empty());
        assert!(last_lines(Path::new("no/such/log"), 3).is_empty());
    }

    #[test]
    fn a_long_log_is_read_at_its_end_only_and_from_a_line_s_start() {
        let text: Vec<String> = (0..20_000).map(|line| format!("line {line:05}")).collect();
        let lines = last_lines(log(&text.join("\n")).path(), 100_000);
        assert_eq!(lines.last().map(String::as_str), Some("line 19999"));
        // 64 KiB hold 5957 lines of 11 bytes, less the last newline, and a piece of one more.
        assert_eq!(lines.len(), 5957);
        assert!(lines.iter().all(|line| line.len() == 10));
    }
}
