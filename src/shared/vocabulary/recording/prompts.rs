//! A user's own prompts: a JSON object a line (or the elements of one JSON list) with `prompt`, `text` or `messages`, or a text file with a prompt a line.
//!
//! In goes the file, of which every row is looked at; kept are 16 bytes a row. Out comes one prompt at a time, read again from its place.

use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use super::error::{RecordingError, RowError, in_words};
use super::messages::MessageRow;
use super::row_scanner::{RowForm, RowScanner};
use super::stored_row::{LONGEST_ROW, StoredRow};
use super::trace_reader::length;
use crate::foundation::named_file::NamedFile;
use crate::vocabulary::session::{ChatMessage, MessageRole};

/// The prompts of a file.
#[derive(Debug)]
pub struct PromptFile {
    file: PathBuf,
    form: RowForm,
    rows: Vec<StoredRow>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptText {
    /// What stands before the question.
    pub opening: Vec<ChatMessage>,
    pub ask: Arc<str>,
    /// How long its answer is to be, where its row says so; at least 1.
    pub output_tokens: Option<u32>,
}

const EXAMPLE: &str = r#"{"prompt": "What is a cache?", "output_tokens": 100}"#;

/// A row as it is written; other fields are of no interest.
#[derive(Deserialize)]
struct PromptRow {
    prompt: Option<String>,
    text: Option<String>,
    messages: Option<Vec<MessageRow>>,
    output_tokens: Option<u64>,
}

impl PromptFile {
    /// Reads a file up to so many prompts. What stands behind them is not looked at.
    pub fn read(file: &Path, most: u64) -> Result<Self, RecordingError> {
        let form = match file.extension().and_then(|extension| extension.to_str()) {
            Some("json" | "jsonl" | "ndjson") => RowForm::Json,
            _ => RowForm::Lines,
        };
        let reader = NamedFile::Prompts.open(file).map_err(std::io::Error::from)?;
        let rows = rows(reader, form, most).map_err(|error| error.of(file))?;
        if rows.is_empty() {
            let wanted = "name a text file with a prompt a line, or a `.jsonl` file with `prompt`, `text` or `messages` in each row";
            return Err(RecordingError::Empty { file: file.to_owned(), wanted });
        }
        Ok(Self { file: file.to_owned(), form, rows })
    }

    /// How many there are, at least one.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.rows.len() as u64
    }

    /// Prompt number `number`, from 0, and from the beginning again after the last.
    pub fn prompt(&self, number: u64) -> Result<PromptText, RecordingError> {
        let place = usize::try_from(number % self.count().max(1)).unwrap_or(0);
        let changed = || RecordingError::Changed { file: self.file.clone() };
        let row = self.rows.get(place).ok_or_else(changed)?;
        meant(&row.read(NamedFile::Prompts, &self.file)?, self.form).map_err(|_| changed())
    }
}

fn rows(reader: impl Read, form: RowForm, most: u64) -> Result<Vec<StoredRow>, RowError> {
    let mut scanner = RowScanner::new(BufReader::with_capacity(1 << 16, reader), form, LONGEST_ROW);
    let mut rows = Vec::new();
    while (rows.len() as u64) < most
        && let Some(row) = scanner.next_row()?
    {
        meant(row.bytes, form).map_err(|reason| RowError::at(row.place, reason))?;
        rows.push(StoredRow::of(row.place));
    }
    rows.shrink_to_fit();
    Ok(rows)
}

fn meant(bytes: &[u8], form: RowForm) -> Result<PromptText, String> {
    if form == RowForm::Lines {
        let text = std::str::from_utf8(bytes).map_err(|_| "the line is not UTF-8 text".to_owned())?;
        return Ok(PromptText { opening: Vec::new(), ask: text.into(), output_tokens: None });
    }
    let row: PromptRow = serde_json::from_slice(bytes).map_err(|error| in_words(&error, EXAMPLE))?;
    let output_tokens = row.output_tokens.map(|found| length("output_tokens", found)).transpose()?;
    let (opening, ask) = match (row.prompt, row.text, row.messages) {
        (Some(text), None, None) | (None, Some(text), None) => {
            if text.trim().is_empty() {
                return Err(format!("the prompt is empty; a row is such as `{EXAMPLE}`"));
            }
            (Vec::new(), text.into())
        }
        (None, None, Some(messages)) => asked(messages)?,
        (None, None, None) => return Err(format!("a row has `prompt`, `text` or `messages`, such as `{EXAMPLE}`")),
        _ => return Err("a row has one of `prompt`, `text` and `messages`, not several".to_owned()),
    };
    Ok(PromptText { opening, ask, output_tokens })
}

/// What stands before the last message, and that message, which is the user's.
fn asked(messages: Vec<MessageRow>) -> Result<(Vec<ChatMessage>, Arc<str>), String> {
    let mut messages: Vec<ChatMessage> =
        messages.into_iter().enumerate().map(|(number, message)| message.meant(number)).collect::<Result<_, _>>()?;
    match messages.pop() {
        Some(last) if last.role == MessageRole::User => Ok((messages, last.text)),
        Some(_) => Err("the last of `messages` is not the user's, so there is nothing to answer".to_owned()),
        None => Err("`messages` is empty".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs_err::write(&path, text).unwrap();
        (folder, path)
    }

    fn read(name: &str, text: &str, most: u64) -> Result<Vec<PromptText>, String> {
        let (_folder, path) = file(name, text);
        let prompts = PromptFile::read(&path, most).map_err(|error| error.to_string())?;
        Ok((0..prompts.count()).map(|number| prompts.prompt(number).unwrap()).collect())
    }

    fn plain(text: &str, output_tokens: Option<u32>) -> PromptText {
        PromptText { opening: Vec::new(), ask: text.into(), output_tokens }
    }

    const ROWS: &str = r#"{"prompt": "One\ntwo", "output_tokens": 7, "id": 3}

{"text": "Three"}
{"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Four?"}]}
"#;

    #[test]
    fn rows_and_lines_are_prompts_in_their_order() {
        let mut expected = vec![plain("One\ntwo", Some(7)), plain("Three", None), plain("Four?", None)];
        expected[2].opening = vec![ChatMessage::new(MessageRole::System, "Be brief.")];
        assert_eq!(read("a.jsonl", ROWS, 100).unwrap(), expected);
        assert_eq!(read("a.jsonl", ROWS, 2).unwrap(), expected[..2]);
        assert_eq!(read("a.json", r#"[{"prompt": "a"}, {"text": "b"}]"#, 9).unwrap(), [plain("a", None), plain("b", None)]);
        assert_eq!(read("a.txt", "[one]\n\n two \n", 9).unwrap(), [plain("[one]", None), plain("two", None)]);
    }

    #[test]
    fn after_the_last_prompt_comes_the_first_one() {
        let (_folder, path) = file("a.txt", "one\ntwo\n");
        let prompts = PromptFile::read(&path, 9).unwrap();
        assert_eq!((prompts.prompt(3).unwrap(), prompts.prompt(u64::MAX - 1).unwrap()), (plain("two", None), plain("one", None)));
    }

    #[test]
    fn what_is_no_prompt_is_refused_with_file_line_and_what_is_allowed() {
        for (row, said) in [
            (r#"{"prompts": "a"}"#, "a row has `prompt`, `text` or `messages`"),
            (r#"{"prompt": "a", "text": "b"}"#, "not several"),
            (r#"{"prompt": " "}"#, "the prompt is empty"),
            (r#"{"prompt": "a", "output_tokens": 0}"#, "`output_tokens` is 0: it is between 1 and 4294967295"),
            (r#"{"prompt": "a", "output_tokens": -1}"#, "invalid value: integer `-1`"),
            (r#"{"prompt": 7}"#, "invalid type: integer `7`, expected a string"),
            (r#"{"messages": []}"#, "`messages` is empty"),
            (r#"{"messages": [{"role": "assistant", "content": "a"}]}"#, "nothing to answer"),
            (r#"{"messages": [{"role": "tool", "content": "a"}]}"#, "`role` of message 0 is `tool`"),
            ("\"a\"", "invalid type: string"),
        ] {
            let message = read("a.jsonl", &format!("{{\"prompt\": \"a\"}}\n{row}\n"), 9).unwrap_err();
            assert!(message.contains("a.jsonl:2`: ") && message.contains(said), "{row}: {message}");
        }
        assert!(read("a.txt", " \n", 9).unwrap_err().contains("holds nothing to send"));
    }

    #[test]
    fn a_file_that_changed_after_it_was_read_is_told() {
        let (_folder, path) = file("a.jsonl", ROWS);
        let prompts = PromptFile::read(&path, 9).unwrap();
        for text in ["", &"x".repeat(1000)] {
            fs_err::write(&path, text).unwrap();
            assert!(prompts.prompt(1).unwrap_err().to_string().contains("has changed since it was read"), "{text}");
        }
    }
}
