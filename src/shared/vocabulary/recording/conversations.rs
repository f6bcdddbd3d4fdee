//! Conversations of a file that are long enough: a row each, as `OpenAI` or `ShareGPT` write them, told row by row by what is in it.
//!
//! In goes the file, of which every row is looked at; kept are 16 bytes of each conversation that has enough rounds of question and answer. Out comes one
//! conversation at a time, read again from its place. It must not know users.

use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use super::conversation_row::{ConversationRound, first_rounds};
use super::error::{RecordingError, RowError};
use super::row_scanner::{RowForm, RowScanner};
use super::stored_row::{LONGEST_ROW, StoredRow};
use crate::foundation::named_file::NamedFile;

/// The conversations of a file that have enough rounds.
#[derive(Debug)]
pub struct ConversationFile {
    file: PathBuf,
    rounds: u32,
    rows: Vec<StoredRow>,
}

const WANTED: &str = "name a file with a conversation in each row: `messages` or `conversations`";

impl ConversationFile {
    /// Reads a file up to so many conversations that begin with the user (system messages before that are passed over), alternate, and go on so for at
    /// least `rounds` questions with answers. What stands behind them is not looked at.
    pub fn read(file: &Path, rounds: u32, most: u64) -> Result<Self, RecordingError> {
        let reader = NamedFile::Conversations.open(file).map_err(std::io::Error::from)?;
        let rows = long_enough(reader, rounds, most).map_err(|error| error.of(file))?;
        let rows = rows.ok_or_else(|| RecordingError::Empty { file: file.to_owned(), wanted: WANTED })?;
        Ok(Self { file: file.to_owned(), rounds, rows })
    }

    /// How many of them there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.rows.len() as u64
    }

    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The byte of the file at which conversation number `number`, from 0, begins.
    #[must_use]
    pub fn offset(&self, number: usize) -> Option<u64> {
        self.rows.get(number).map(|row| row.offset())
    }

    /// The first rounds of conversation number `number`, from 0.
    pub fn rounds(&self, number: usize) -> Result<Vec<ConversationRound>, RecordingError> {
        let changed = || RecordingError::Changed { file: self.file.clone() };
        let row = self.rows.get(number).ok_or_else(changed)?;
        let rounds = first_rounds(&row.read(NamedFile::Conversations, &self.file)?, self.rounds);
        rounds.ok().flatten().ok_or_else(changed)
    }
}

/// Where they stand; `None` where the file has no row at all.
fn long_enough(reader: impl Read, rounds: u32, most: u64) -> Result<Option<Vec<StoredRow>>, RowError> {
    let mut scanner = RowScanner::new(BufReader::with_capacity(1 << 16, reader), RowForm::Json, LONGEST_ROW);
    let mut kept = Vec::new();
    let mut is_empty = true;
    while (kept.len() as u64) < most
        && let Some(row) = scanner.next_row()?
    {
        is_empty = false;
        if first_rounds(row.bytes, rounds).map_err(|reason| RowError::at(row.place, reason))?.is_some() {
            kept.push(StoredRow::of(row.place));
        }
    }
    kept.shrink_to_fit();
    Ok((!is_empty).then_some(kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of both layouts; as elements of a list with commas between them.
    const ROWS: [&str; 8] = [
        r#"{"id": "a_0", "conversations": [{"from": "human", "value": "Hello"}, {"from": "gpt", "value": "Hi."}, {"from": "user", "value": "How are you?"}, {"from": "assistant", "value": "Well."}]}"#,
        r#"{"id": "b", "conversations": []}"#,
        r#"{"id": "c", "conversations": [{"from": "gpt", "value": "I begin."}, {"from": "human", "value": "No."}]}"#,
        r#"{"id": 4, "conversations": [{"from": "system", "value": "Be brief."}, {"from": "human", "value": "One", "weight": 1}, {"from": "gpt", "value": "Two"}, {"from": "gpt", "value": "Three"}]}"#,
        r#"{"id": "e", "conversations": [{"from": "human", "value": "Say nothing"}, {"from": "gpt", "value": " "}]}"#,
        r#"{"conversations": [{"from": "human", "value": "Search"}, {"from": "tool", "value": "found"}]}"#,
        r#"{"messages": [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": [{"type": "text", "text": "Four?"}]}, {"role": "assistant", "content": "Five."}, {"role": "user", "content": "Six?"}, {"role": "assistant", "content": "Seven."}]}"#,
        r#"{"messages": [{"role": "user", "content": "Weather?"}, {"role": "assistant", "content": null, "tool_calls": []}]}"#,
    ];

    fn read(text: &str, rounds: u32, most: u64) -> Result<Vec<Vec<ConversationRound>>, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), text).unwrap();
        let conversations = ConversationFile::read(file.path(), rounds, most).map_err(|error| error.to_string())?;
        let numbers = 0..usize::try_from(conversations.count()).unwrap();
        Ok(numbers.map(|number| conversations.rounds(number).unwrap()).collect())
    }

    fn round(question: &str, answer: &str) -> ConversationRound {
        ConversationRound { question: question.into(), answer: answer.into() }
    }

    #[test]
    fn conversations_of_both_layouts_count_that_begin_with_the_user_and_alternate_long_enough() {
        for text in [ROWS.join("\n"), format!("[{}]", ROWS.join(",\n"))] {
            let once = read(&text, 1, 9).unwrap();
            assert_eq!(once, [vec![round("Hello", "Hi.")], vec![round("One", "Two")], vec![round("Four?", "Five.")]]);
            let twice = read(&text, 2, 9).unwrap();
            assert_eq!(twice[0], [round("Hello", "Hi."), round("How are you?", "Well.")]);
            assert_eq!(twice[1], [round("Four?", "Five."), round("Six?", "Seven.")]);
            assert_eq!(read(&text, 3, 9).unwrap(), Vec::<Vec<ConversationRound>>::new());
            assert_eq!(read(&format!("{text}\nnonsense"), 1, 2).unwrap(), once[..2], "what stands behind them is not looked at");
        }
    }

    #[test]
    fn a_row_in_another_layout_is_refused_with_file_line_and_what_is_allowed() {
        for (row, said) in [
            ("{\"id\": \"a\"}", "a conversation has `messages` or `conversations`"),
            (r#"{"conversations": [{"from": "human"}]}"#, "missing field `value`"),
            (r#"{"conversations": []"#, "EOF"),
            (r#"{"messages": [], "conversations": []}"#, "not both"),
            ("7", "invalid type"),
        ] {
            let message = read(&format!("{}\n{row}\n", ROWS[0]), 1, 9).unwrap_err();
            assert!(message.contains(":2`: ") && message.contains(said), "{row}: {message}");
        }
        assert!(read("", 1, 9).unwrap_err().contains("holds nothing to send: name a file with a conversation in each row"));
        assert!(read("[] []", 1, 9).unwrap_err().contains("trailing characters"));
    }

    #[test]
    fn a_file_that_changed_after_it_was_read_is_told() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), ROWS.join("\n")).unwrap();
        let conversations = ConversationFile::read(file.path(), 1, 9).unwrap();
        assert_eq!((conversations.count(), conversations.offset(0), conversations.offset(3)), (3, Some(0), None));
        fs_err::write(file.path(), "x".repeat(4000)).unwrap();
        assert!(conversations.rounds(1).unwrap_err().to_string().contains("has changed since it was read"));
    }
}
