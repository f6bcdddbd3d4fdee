//! Rows of a file that somebody recorded: its lines, or the elements of the one JSON list that it is. In goes a file, out come rows one at a time with
//! the line at which each begins and its place in bytes, so that a row can be read again. At no time is more than one row in memory.

use std::io::{self, BufRead};

/// Why there is no next row.
#[derive(Debug)]
pub enum RowScanError {
    Io(io::Error),
    /// At this line.
    Malformed {
        line: u64,
        reason: String,
    },
}

/// What a file's rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowForm {
    /// Its lines, whatever they hold.
    Lines,
    /// Its lines, or the elements of a JSON list where that is what it begins with.
    Json,
}

/// A row as it stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScannedRow<'a> {
    /// Without white space around it.
    pub bytes: &'a [u8],
    pub place: RowPlace,
}

/// Where a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowPlace {
    /// From 1.
    pub line: u64,
    /// Of its first byte, from 0.
    pub offset: u64,
    /// How many it has.
    pub bytes: u64,
}

/// Reads rows.
#[derive(Debug)]
pub struct RowScanner<R> {
    reader: R,
    form: RowForm,
    /// The most bytes of a row.
    longest: usize,
    line: u64,
    offset: u64,
    row: Vec<u8>,
    state: ScanState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ScanState {
    Start,
    Lines,
    /// Within the list; whether an element may come, or a comma must.
    Elements {
        needs_comma: bool,
    },
    End,
}

impl<R: BufRead> RowScanner<R> {
    pub fn new(reader: R, form: RowForm, longest: usize) -> Self {
        Self { reader, form, longest, line: 1, offset: 0, row: Vec::new(), state: ScanState::Start }
    }

    /// The next row that is not blank; `None` after the last.
    pub fn next_row(&mut self) -> Result<Option<ScannedRow<'_>>, RowScanError> {
        let place = loop {
            match self.state {
                ScanState::Start => self.begin()?,
                ScanState::Lines => match self.next_line()? {
                    Some(place) if place.bytes > 0 => break place,
                    Some(_) => {}
                    None => self.state = ScanState::End,
                },
                ScanState::Elements { needs_comma } => match self.next_element(needs_comma)? {
                    Some(place) => break place,
                    None => self.state = ScanState::End,
                },
                ScanState::End => return Ok(None),
            }
        };
        Ok(Some(ScannedRow { bytes: &self.row, place }))
    }

    fn begin(&mut self) -> Result<(), RowScanError> {
        // A mark that some editors put in front of UTF-8.
        for mark in [0xef, 0xbb, 0xbf] {
            if self.peek()? == Some(mark) {
                self.pass();
            }
        }
        self.state = ScanState::Lines;
        if self.form == RowForm::Json {
            self.pass_space()?;
            if self.peek()? == Some(b'[') {
                self.pass();
                self.state = ScanState::Elements { needs_comma: false };
            }
        }
        Ok(())
    }

    /// The next line into `row`, without white space around it; its place.
    fn next_line(&mut self) -> Result<Option<RowPlace>, RowScanError> {
        self.row.clear();
        let (line, begin) = (self.line, self.offset);
        if self.peek()?.is_none() {
            return Ok(None);
        }
        loop {
            let available = self.reader.fill_buf().map_err(RowScanError::Io)?;
            let end = memchr::memchr(b'\n', available);
            let taken = end.unwrap_or(available.len());
            self.row.extend_from_slice(&available[..taken]);
            let is_last = end.is_some() || available.is_empty();
            let consumed = taken + usize::from(end.is_some());
            self.reader.consume(consumed);
            self.offset += consumed as u64;
            if self.row.len() > self.longest {
                return Err(self.too_long(line, "line"));
            }
            if is_last {
                self.line += 1;
                let trimmed_front = self.row.len() - self.row.trim_ascii_start().len();
                let trimmed = self.row.trim_ascii().len();
                self.row.drain(..trimmed_front);
                self.row.truncate(trimmed);
                return Ok(Some(RowPlace { line, offset: begin + trimmed_front as u64, bytes: trimmed as u64 }));
            }
        }
    }

    /// The next element of the list into `row`; `None` at its end.
    fn next_element(&mut self, needs_comma: bool) -> Result<Option<RowPlace>, RowScanError> {
        self.row.clear();
        self.pass_space()?;
        let mut first = self.peek()?;
        if needs_comma && first == Some(b',') {
            self.pass();
            self.pass_space()?;
            first = self.peek()?;
        } else if needs_comma && first != Some(b']') {
            return Err(self.malformed("a `,` or the `]` of the list is missing".to_owned()));
        }
        match first {
            None => return Err(self.malformed("the list ends without its `]`: the file is cut off".to_owned())),
            Some(b']') => {
                self.pass();
                self.pass_space()?;
                return if self.peek()?.is_none() {
                    Ok(None)
                } else {
                    Err(self.malformed("trailing characters behind the list".to_owned()))
                };
            }
            Some(_) => {}
        }
        let (line, offset) = (self.line, self.offset);
        let (mut depth, mut is_text, mut is_escaped) = (0_u64, false, false);
        loop {
            let available = self.reader.fill_buf().map_err(RowScanError::Io)?;
            if available.is_empty() {
                return Err(self.malformed("the list ends within an element: the file is cut off".to_owned()));
            }
            let mut taken = 0;
            let mut is_over = false;
            for byte in available {
                match *byte {
                    _ if is_escaped => is_escaped = false,
                    b'\\' if is_text => is_escaped = true,
                    b'"' => is_text = !is_text,
                    _ if is_text => {}
                    b'{' | b'[' => depth += 1,
                    b',' | b']' | b'}' if depth == 0 => {
                        is_over = true;
                        break;
                    }
                    b']' | b'}' => depth -= 1,
                    _ => {}
                }
                self.line += u64::from(*byte == b'\n');
                taken += 1;
            }
            self.row.extend_from_slice(&available[..taken]);
            self.reader.consume(taken);
            self.offset += taken as u64;
            if self.row.len() > self.longest {
                return Err(self.too_long(line, "element"));
            }
            if is_over {
                self.state = ScanState::Elements { needs_comma: true };
                self.row.truncate(self.row.trim_ascii_end().len());
                return Ok(Some(RowPlace { line, offset, bytes: self.row.len() as u64 }));
            }
        }
    }

    fn peek(&mut self) -> Result<Option<u8>, RowScanError> {
        Ok(self.reader.fill_buf().map_err(RowScanError::Io)?.first().copied())
    }

    fn pass(&mut self) {
        self.reader.consume(1);
        self.offset += 1;
    }

    fn pass_space(&mut self) -> Result<(), RowScanError> {
        while let Some(byte) = self.peek()?.filter(u8::is_ascii_whitespace) {
            self.line += u64::from(byte == b'\n');
            self.pass();
        }
        Ok(())
    }

    fn too_long(&self, line: u64, what: &str) -> RowScanError {
        RowScanError::Malformed { line, reason: format!("the {what} is longer than {} bytes", self.longest) }
    }

    fn malformed(&self, reason: String) -> RowScanError {
        RowScanError::Malformed { line: self.line, reason }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use proptest::prelude::*;

    use super::*;

    /// Rows with their lines, or the fault, read in pieces of so many bytes; each row stands where it says.
    fn rows(text: &str, form: RowForm, piece: usize) -> Result<Vec<(u64, String)>, (u64, String)> {
        let mut scanner = RowScanner::new(BufReader::with_capacity(piece, text.as_bytes()), form, 100);
        let mut rows = Vec::new();
        loop {
            match scanner.next_row() {
                Ok(Some(ScannedRow { bytes, place })) => {
                    let (offset, end) = (usize::try_from(place.offset).unwrap(), usize::try_from(place.offset + place.bytes).unwrap());
                    assert_eq!(bytes, &text.as_bytes()[offset..end]);
                    rows.push((place.line, String::from_utf8(bytes.to_vec()).unwrap()));
                }
                Ok(None) => return Ok(rows),
                Err(RowScanError::Malformed { line, reason }) => return Err((line, reason)),
                Err(RowScanError::Io(error)) => panic!("{error}"),
            }
        }
    }

    fn both(text: &str, form: RowForm) -> Result<Vec<(u64, String)>, (u64, String)> {
        let whole = rows(text, form, 1 << 10);
        assert_eq!(rows(text, form, 1), whole, "however it is cut");
        whole
    }

    #[test]
    fn lines_and_elements_are_rows_with_the_line_at_which_each_begins() {
        let expected = |rows: &[(u64, &str)]| Ok(rows.iter().map(|(line, row)| (*line, (*row).to_owned())).collect());
        assert_eq!(both("\u{feff}{\"a\": 1}\r\n\n  {\"b\": 2} ", RowForm::Json), expected(&[(1, "{\"a\": 1}"), (3, "{\"b\": 2}")]));
        let list = "\n[ {\"a\": \"]},\\\"\n\"},\n{\"b\": [1, {}]}\n, 7\n]\n";
        assert_eq!(both(list, RowForm::Json), expected(&[(2, "{\"a\": \"]},\\\"\n\"}"), (4, "{\"b\": [1, {}]}"), (5, "7")]));
        assert_eq!(both("[one]\ntwo", RowForm::Lines), expected(&[(1, "[one]"), (2, "two")]));
        for empty in ["", "\n \n", "[]", " [ ] "] {
            assert_eq!(both(empty, RowForm::Json), Ok(Vec::new()), "{empty:?}");
        }
    }

    #[test]
    fn what_is_cut_off_or_too_long_is_a_fault_with_its_line() {
        assert_eq!(both("[\n{\"a\": 1}, {\"b\"", RowForm::Json).unwrap_err().0, 2);
        assert!(both("[1", RowForm::Json).unwrap_err().1.contains("cut off"));
        assert!(both("[1 2]", RowForm::Json).is_ok_and(|rows| rows == [(1, "1 2".to_owned())]), "what an element means its reader says");
        assert!(both("[{} {}]", RowForm::Json).is_ok());
        assert!(both("[1]\nx", RowForm::Json).unwrap_err().1.contains("trailing characters"));
        assert!(both("[1, 2", RowForm::Json).is_err());
        assert_eq!(
            both(&format!("a\n{}", "b".repeat(101)), RowForm::Lines).unwrap_err(),
            (2, "the line is longer than 100 bytes".to_owned())
        );
        assert!(both(&format!("[{}]", "1".repeat(101)), RowForm::Json).unwrap_err().1.contains("longer than 100 bytes"));
    }

    proptest! {
        #[test]
        fn any_text_is_cut_the_same_way_however_it_is_read(text in "[\\[\\]{}\",: \\\\\na1]{0,40}") {
            let _ = both(&text, RowForm::Json);
            let _ = both(&text, RowForm::Lines);
        }
    }
}
