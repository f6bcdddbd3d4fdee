//! A saved table is a list of columns, and each column says all there is to know of it: its name, whether files must have it, and how its
//! value comes out of a record and goes back into one. Records in, a table out, and back without loss.
//!
//! Whole numbers are signed 64-bit columns, so that a difference of two stamps never wraps in whatever tool reads it; only the gaps are
//! unsigned 32-bit, since they are most of the bytes. Must not know files, nor what the columns mean.

use std::borrow::Cow;
use std::sync::Arc;

use polars::prelude::{
    Column, DataFrame, DataType, Float64Chunked, Int64Chunked, IntoColumn, IntoSeries, ListBuilderTrait, ListPrimitiveChunkedBuilder,
    NewChunkedArray, PlSmallStr, Schema, StringChunked, UInt32Type,
};

use super::table_error::TableError;
use crate::records::record::TextInterner;

/// One column of a table whose rows are records of type `R`.
#[derive(Debug)]
pub struct SavedColumn<R: 'static> {
    pub name: &'static str,
    pub(super) presence: ColumnPresence,
    pub(super) value: ColumnValue<R>,
}

/// Where a column may have no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnPresence {
    /// In no row of any file.
    Always,
    /// In single rows.
    Optional,
    /// In single rows; and files of earlier minor versions lack the column, which is then null.
    Later,
}

/// How a value comes out of a record, and goes back into one: `None` where it is not one of the field's values.
pub enum ColumnValue<R: 'static> {
    Integer {
        get: fn(&R) -> Option<u64>,
        set: fn(&mut R, u64) -> Option<()>,
    },
    Text {
        get: fn(&R) -> Option<Cow<'_, str>>,
        set: fn(&mut R, &Arc<str>) -> Option<()>,
    },
    /// A floating-point number, NaN and the infinities included.
    Number {
        get: fn(&R) -> f64,
        set: fn(&mut R, f64),
    },
    /// A list of unsigned 32-bit numbers, never null.
    Gaps {
        get: fn(&R) -> &[u32],
        set: fn(&mut R, Vec<u32>),
    },
}

impl<R> std::fmt::Debug for ColumnValue<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.data_type())
    }
}

impl<R> ColumnValue<R> {
    fn data_type(&self) -> DataType {
        match self {
            Self::Integer { .. } => DataType::Int64,
            Self::Text { .. } => DataType::String,
            Self::Number { .. } => DataType::Float64,
            Self::Gaps { .. } => DataType::List(Box::new(DataType::UInt32)),
        }
    }
}

impl<R> SavedColumn<R> {
    /// Whether files of earlier minor versions lack it.
    #[must_use]
    pub fn is_later(&self) -> bool {
        self.presence == ColumnPresence::Later
    }

    fn of(&self, records: &[R]) -> Result<Column, TableError> {
        let name = PlSmallStr::from_static(self.name);
        Ok(match self.value {
            ColumnValue::Integer { get, .. } => {
                let signed = |value: u64| i64::try_from(value).map_err(|_| TableError::TooLarge { column: self.name, value });
                let values = records.iter().map(|record| get(record).map(signed).transpose()).collect::<Result<Vec<_>, _>>()?;
                Int64Chunked::from_slice_options(name, &values).into_column()
            }
            ColumnValue::Text { get, .. } => StringChunked::from_iter_options(name, records.iter().map(get)).into_column(),
            ColumnValue::Number { get, .. } => Float64Chunked::from_vec(name, records.iter().map(get).collect()).into_column(),
            ColumnValue::Gaps { get, .. } => {
                let total = records.iter().map(|record| get(record).len()).sum();
                let mut lists = ListPrimitiveChunkedBuilder::<UInt32Type>::new(name, records.len(), total, DataType::UInt32);
                for record in records {
                    lists.append_slice(get(record));
                }
                lists.finish().into_series().into_column()
            }
        })
    }

    /// Puts the column's values into as many records.
    fn fill(&self, column: &Column, records: &mut [R], texts: &mut TextInterner) -> Result<(), TableError> {
        let fault = |row, value: &dyn ToString| TableError::Value { column: self.name, row, value: value.to_string() };
        let rows = records.iter_mut().enumerate();
        match self.value {
            ColumnValue::Integer { set, .. } => {
                for ((row, record), value) in rows.zip(column.i64()?.iter()) {
                    let Some(value) = value else { continue };
                    let whole = u64::try_from(value).map_err(|_| fault(row, &value))?;
                    set(record, whole).ok_or_else(|| fault(row, &value))?;
                }
            }
            ColumnValue::Text { set, .. } => {
                for ((row, record), value) in rows.zip(column.str()?.iter()) {
                    let Some(value) = value else { continue };
                    set(record, &texts.of(value)).ok_or_else(|| fault(row, &value))?;
                }
            }
            ColumnValue::Number { set, .. } => {
                for ((_, record), value) in rows.zip(column.f64()?.iter().flatten()) {
                    set(record, value);
                }
            }
            ColumnValue::Gaps { set, .. } => {
                let lists = column.list()?;
                for (row, record) in rows {
                    let gaps = lists.get_as_series(row).ok_or(TableError::Null { column: self.name, row })?;
                    set(record, gaps.u32()?.iter().flatten().collect());
                }
            }
        }
        Ok(())
    }

    /// The column of that table, with its type and its nulls checked.
    fn checked(&self, table: &DataFrame) -> Result<Column, TableError> {
        let expected = self.value.data_type();
        let Ok(column) = table.column(self.name) else {
            let absent = || Column::full_null(self.name.into(), table.height(), &expected);
            return self.is_later().then(absent).ok_or(TableError::NoColumn { column: self.name });
        };
        if *column.dtype() != expected {
            return Err(TableError::Type { column: self.name, found: column.dtype().clone(), expected });
        }
        if self.presence == ColumnPresence::Always && column.null_count() > 0 {
            let row = (0..column.len()).find(|row| column.get(*row).is_ok_and(|value| value.is_null())).unwrap_or_default();
            return Err(TableError::Null { column: self.name, row });
        }
        Ok(column.clone())
    }
}

/// The schema of a table with these columns.
pub(super) fn schema<R>(columns: &[SavedColumn<R>]) -> Schema {
    columns.iter().map(|column| (PlSmallStr::from_static(column.name), column.value.data_type())).collect()
}

/// The columns that this version knows, in their order, with their types checked; what a newer minor version added is left out.
pub(super) fn known_columns<'c, R: 'static>(
    table: &DataFrame,
    known: impl IntoIterator<Item = &'c SavedColumn<R>>,
) -> Result<DataFrame, TableError> {
    let columns = known.into_iter().map(|column| column.checked(table)).collect::<Result<Vec<_>, _>>()?;
    let mut table = DataFrame::new(table.height(), columns)?;
    table.rechunk_mut_par();
    Ok(table)
}

/// Records as a table, in their order.
pub(super) fn table_of<R>(records: &[R], columns: &[SavedColumn<R>]) -> Result<DataFrame, TableError> {
    let columns = columns.iter().map(|column| column.of(records)).collect::<Result<Vec<_>, _>>()?;
    Ok(DataFrame::new(records.len(), columns)?)
}

/// The records of a table, in its order.
pub(super) fn records_of<R: Default>(table: &DataFrame, columns: &[SavedColumn<R>]) -> Result<Vec<R>, TableError> {
    let table = known_columns(table, columns)?;
    let mut records: Vec<R> = std::iter::repeat_with(R::default).take(table.height()).collect();
    let mut texts = TextInterner::default();
    for (column, values) in columns.iter().zip(table.columns()) {
        column.fill(values, &mut records, &mut texts)?;
    }
    Ok(records)
}
