//! Why records are no table, or a table holds no records.

use polars::prelude::{DataType, PolarsError};

#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error("{0}")]
    Polars(#[from] PolarsError),
    #[error("the file is damaged; restore it, or delete the run's folder and sweep again")]
    Damaged,
    #[error("{value} in `{column}` is more than a signed 64-bit number holds")]
    TooLarge { column: &'static str, value: u64 },
    #[error("there is no column `{column}`")]
    NoColumn { column: &'static str },
    #[error("column `{column}` has type {found}, not {expected}")]
    Type { column: &'static str, found: DataType, expected: DataType },
    #[error("column `{column}` misses a value in row {row}")]
    Null { column: &'static str, row: usize },
    #[error("`{value}` in column `{column}`, row {row}, is not one of its values")]
    Value { column: &'static str, row: usize, value: String },
}
