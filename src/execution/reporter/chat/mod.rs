//! The four text files of a chat run, as users of the original generator know them: events in, lines out, as they come.
//!
//! They are for eyes and spreadsheets; nothing reads them back. Warm-up and pre-fill are marked and never counted, failures always are.

mod figures;
mod files;
mod row;
mod summary;
mod tee_writer;

pub use files::ChatFileReporter;
pub use row::CSV_COLUMNS;
