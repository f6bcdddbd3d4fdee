//! A process's log: what it writes goes to a file line by line, with what must not be seen replaced.
//!
//! The pipe is read to its end whatever happens to the file: a server must not stand still since a disk is full.

use std::fs::{File, OpenOptions};
use std::io::{self, PipeReader, Read, Write};
use std::path::Path;

use jiff::Timestamp;
use memchr::memchr2;

use super::tail::HEADER;

/// The longest line that is kept in one piece; longer ones are cut into several.
const LONGEST_LINE: usize = 16 * 1024;
/// Lines of a hidden value of several lines (a key file) shorter than this are left as they are: `-----` is no secret.
const LEAST_LINE: usize = 6;

/// What must not be in a log, each with what stands there instead; the longest first, since one may be a part of another.
#[derive(Clone)]
pub(super) struct LogRedactor(Vec<(String, String)>);

impl LogRedactor {
    pub(super) fn new(hide: &[(String, String)]) -> Self {
        let whole = hide.iter().map(|(value, shown)| (value.as_str(), shown));
        let lines = hide.iter().filter(|(value, _)| value.trim_end().contains('\n'));
        let lines = lines
            .flat_map(|(value, shown)| value.lines().map(move |line| (line.trim(), shown)).filter(|(line, _)| line.len() >= LEAST_LINE));
        let mut all: Vec<(String, String)> = whole.chain(lines).map(|(value, shown)| (value.to_owned(), shown.clone())).collect();
        all.retain(|(value, _)| !value.is_empty());
        all.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
        Self(all)
    }

    pub(super) fn apply(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (value, shown)| text.replace(value, shown))
    }

    fn longest(&self) -> usize {
        self.0.first().map_or(0, |(value, _)| value.len())
    }
}

/// Opens a log and says in it what is started now.
pub(super) fn open(path: &Path, command: &str, hides: &LogRedactor) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    let command: String = hides.apply(command).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    writeln!(file, "{HEADER}{:.0}: {command}", Timestamp::now())?;
    Ok(file)
}

/// Copies a pipe into a log until nobody can write into the pipe any more.
pub(super) fn copy(mut pipe: PipeReader, mut file: File, hides: LogRedactor) {
    let mut lines = LogLineSplitter { hides, partial: Vec::new(), after_return: false };
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = match pipe.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        let _ = file.write_all(lines.push(&buffer[..read]).as_bytes());
    }
    let _ = file.write_all(lines.finish().as_bytes());
}

/// Bytes to lines.
struct LogLineSplitter {
    hides: LogRedactor,
    /// The line that has not ended yet.
    partial: Vec<u8>,
    /// The last line ended with a carriage return, which a newline may follow.
    after_return: bool,
}

impl LogLineSplitter {
    /// The lines that these bytes complete. A carriage return ends one, too: progress bars write nothing else.
    fn push(&mut self, mut bytes: &[u8]) -> String {
        let mut done = String::new();
        while let Some(first) = bytes.first() {
            if std::mem::take(&mut self.after_return) && *first == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let end = memchr2(b'\n', b'\r', bytes);
            self.partial.extend_from_slice(&bytes[..end.unwrap_or(bytes.len())]);
            self.cut(&mut done);
            let Some(end) = end else { break };
            self.after_return = bytes[end] == b'\r';
            self.end_line(&mut done);
            bytes = &bytes[end + 1..];
        }
        done
    }

    /// What was begun when the pipe ended.
    fn finish(&mut self) -> String {
        let mut done = String::new();
        if !self.partial.is_empty() {
            self.end_line(&mut done);
        }
        done
    }

    fn end_line(&mut self, done: &mut String) {
        done.push_str(&self.hides.apply(&String::from_utf8_lossy(&self.partial)));
        done.push('\n');
        self.partial.clear();
    }

    /// Writes out what is too long. As much stays as may be the beginning of a hidden value.
    fn cut(&mut self, done: &mut String) {
        let stays = self.hides.longest().saturating_sub(1);
        if self.partial.len() <= LONGEST_LINE + stays {
            return;
        }
        // A character of which only the first bytes were read waits for the others.
        let last = self.partial.len() - 3..self.partial.len();
        let begun = self.partial.split_off(last.clone().find(|at| self.partial[*at] >= 0xc0).unwrap_or(last.end));
        let mut text = self.hides.apply(&String::from_utf8_lossy(&self.partial));
        let mut rest = text.split_off(text.floor_char_boundary(text.len().saturating_sub(stays)));
        while text.len() > LONGEST_LINE {
            let after = text.split_off(text.floor_char_boundary(LONGEST_LINE));
            done.push_str(&text);
            done.push('\n');
            text = after;
        }
        rest.insert_str(0, &text);
        self.partial = rest.into_bytes();
        self.partial.extend(begun);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hides(hide: &[(&str, &str)]) -> LogRedactor {
        LogRedactor::new(&hide.iter().map(|(value, shown)| ((*value).to_owned(), (*shown).to_owned())).collect::<Vec<_>>())
    }

    /// The log of these pieces, read one after the other.
    fn log(pieces: &[&[u8]], hide: &[(&str, &str)]) -> String {
        let mut lines = LogLineSplitter { hides: hides(hide), partial: Vec::new(), after_return: false };
        let mut log: String = pieces.iter().map(|piece| lines.push(piece)).collect();
        log.push_str(&lines.finish());
        log
    }

    #[test]
    fn lines_come_out_whole_however_they_were_read() {
        let text: &[u8] = b"one\ntwo\r\n10 %\r20 %\r\r\n\nl\xe4st";
        let whole = "one\ntwo\n10 %\n20 %\n\n\nl\u{fffd}st\n";
        for at in 0..text.len() {
            assert_eq!(log(&[&text[..at], &text[at..]], &[]), whole, "cut at {at}");
        }
    }

    #[test]
    fn hidden_values_are_replaced_wherever_a_read_cuts_them() {
        let hide = [("sk-hush", "${KEY}"), ("sk-hush-more", "${MORE}")];
        let text = b"key sk-hush, key sk-hush-more\nsk-hush";
        for at in 0..text.len() {
            assert_eq!(log(&[&text[..at], &text[at..]], &hide), "key ${KEY}, key ${MORE}\n${KEY}\n", "cut at {at}");
        }
    }

    #[test]
    fn each_line_of_a_hidden_file_is_hidden() {
        let hide = [("-----\nMIIEpAIB\nqwertyui\n", "***")];
        assert_eq!(log(&[b"MIIEpAIB\n-----\nx qwertyui\n"], &hide), "***\n-----\nx ***\n");
    }

    #[test]
    fn a_line_without_end_is_cut_and_still_hides() {
        let secret = "s".repeat(10) + &"tä".repeat(20);
        // The value lies across each border at which the line may be cut.
        for before in (LONGEST_LINE - 120)..(LONGEST_LINE + 120) {
            let text = "x".repeat(before) + &secret + &"y".repeat(2 * LONGEST_LINE);
            let log = log(&text.as_bytes().chunks(1000).collect::<Vec<_>>(), &[(&secret, "***")]);
            assert!(!log.contains("st") && log.replace('\n', "").contains("x***y"), "{before}");
            assert!(log.lines().all(|line| line.len() <= LONGEST_LINE + secret.len()));
        }
    }
}
