//! A table in comma-separated values: a text in, its rows by the names of their columns out. RFC 4180, with quoted line ends.

use std::collections::BTreeMap;

use csv::{ReaderBuilder, StringRecord};

/// A table with a head.
#[derive(Debug)]
pub(super) struct CsvTable<'a> {
    columns: BTreeMap<&'a str, usize>,
    rows: Vec<StringRecord>,
}

/// One row, which is named in faults by its place below the head, from 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct CsvRow<'a> {
    columns: &'a BTreeMap<&'a str, usize>,
    cells: &'a StringRecord,
    number: usize,
}

/// The names in the first line.
pub(super) fn head(text: &str) -> Vec<&str> {
    let line = text.trim_start_matches('\u{feff}').lines().next().unwrap_or_default();
    line.split(',').map(|name| name.trim().trim_matches('"')).collect()
}

impl<'a> CsvTable<'a> {
    /// Reads a text; the fault is for people.
    pub fn read(text: &'a str) -> Result<Self, String> {
        let columns: BTreeMap<&str, usize> = head(text).into_iter().zip(0..).collect();
        let mut rows = split(text)?;
        let width = if rows.is_empty() { 0 } else { rows.remove(0).len() };
        rows.retain(|row| row.iter().any(|cell| !cell.is_empty()));
        if let Some((at, row)) = rows.iter().enumerate().find(|(_, row)| row.len() != width) {
            let number = at + 1;
            return Err(format!("row {number} has {} cells, the head has {width}: was the program stopped while it wrote?", row.len()));
        }
        Ok(Self { columns, rows })
    }

    pub fn rows(&self) -> impl Iterator<Item = CsvRow<'_>> {
        self.rows.iter().zip(1..).map(|(cells, number)| CsvRow { columns: &self.columns, cells, number })
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl CsvRow<'_> {
    /// The text of a cell; `None` where the table has no such column or the cell is empty.
    pub fn text(&self, column: &str) -> Option<&str> {
        self.columns.get(column).and_then(|at| self.cells.get(*at)).map(str::trim).filter(|cell| !cell.is_empty())
    }

    /// A number of seconds; none where the cell is empty or holds `nan`.
    pub fn seconds(&self, column: &str) -> Result<Option<f64>, String> {
        let Some(text) = self.text(column) else { return Ok(None) };
        match text.parse::<f64>() {
            Ok(number) if number.is_nan() => Ok(None),
            Ok(number) if number.is_finite() && number >= 0.0 => Ok(Some(number)),
            _ => Err(self.fault(column, "is no time in seconds")),
        }
    }

    /// The same, where there must be one.
    pub fn needed_seconds(&self, column: &str) -> Result<f64, String> {
        self.seconds(column)?.ok_or_else(|| self.fault(column, "is empty"))
    }

    /// A count, also one that was written as `12.0`; none where the cell is empty or holds `nan`.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be a whole number below 2^53")]
    pub fn count(&self, column: &str) -> Result<Option<u64>, String> {
        let count = self.seconds(column).map_err(|_| self.fault(column, "is no count"))?;
        match count {
            Some(count) if count.fract() != 0.0 || count > 9e15 => Err(self.fault(column, "is no count")),
            count => Ok(count.map(|count| count as u64)),
        }
    }

    /// The cell's content is not shown: it may be a prompt.
    pub fn fault(&self, column: &str, what: &str) -> String {
        format!("row {}: `{column}` {what}", self.number)
    }
}

/// All rows of a text, the head first, whatever their lengths.
fn split(text: &str) -> Result<Vec<StringRecord>, String> {
    // A quote inside a quoted cell is doubled, so that whole tables have an even number of them; the reader takes an open cell as it is.
    if text.matches('"').count() % 2 == 1 {
        return Err("ends in the midst of a quoted cell: was the program stopped while it wrote?".to_owned());
    }
    let text = text.trim_start_matches('\u{feff}');
    let reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    reader.into_records().collect::<Result<_, _>>().map_err(|error| format!("is no table in comma-separated values: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_found_by_name_also_when_texts_with_commas_and_line_ends_stand_between() {
        let table = CsvTable::read("ttft,output,user_id\r\n0.5,\"a, \"\"b\"\"\nc\",7\n,,8.0\n").unwrap();
        let rows: Vec<CsvRow<'_>> = table.rows().collect();
        assert_eq!((rows[0].seconds("ttft"), rows[0].count("user_id")), (Ok(Some(0.5)), Ok(Some(7))));
        assert_eq!(rows[0].text("output"), Some("a, \"b\"\nc"));
        assert_eq!((rows[1].seconds("ttft"), rows[1].count("user_id"), rows[1].text("absent")), (Ok(None), Ok(Some(8)), None));
    }

    #[test]
    fn what_is_broken_is_named_by_row_and_column_without_its_content() {
        assert!(CsvTable::read("a,b\n1,2\n3\n").unwrap_err().starts_with("row 2 has 1 cells"));
        assert!(CsvTable::read("a,b\n1,\"2\n").unwrap_err().contains("quoted cell"));
        let table = CsvTable::read("ttft\nsecret\n").unwrap();
        assert_eq!(table.rows().next().unwrap().seconds("ttft"), Err("row 1: `ttft` is no time in seconds".to_owned()));
        assert_eq!(table.rows().next().unwrap().count("ttft"), Err("row 1: `ttft` is no count".to_owned()));
    }
}
