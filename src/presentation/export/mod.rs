//! Saved sweeps as one table for other tools: a row a request, or a row a cell. In: sweeps as they were saved, or judged. Out: a frame, or a
//! file that is written run by run. Must not know how runs are made; the columns of requests, of cells and metrics are listed where they are defined.

mod axis_columns;
mod cell_rows;
mod request_rows;

pub use cell_rows::{JudgedSweep, cell_table};
pub use request_rows::{ExportError, export_requests};
