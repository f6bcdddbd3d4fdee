//! What the fuzz targets have in common: the readers of the program, each with the promise that it keeps for any bytes.
//!
//! The same functions are replayed by `cargo test`, which reads them from here, so that what was found once stays found.

pub mod targets;

/// Has panics told and not acted on: those that the program catches (the reader of Parquet has some) are no finds. One that leaves a
/// target ends the process all the same.
pub fn tell_panics_only() {
    std::panic::set_hook(Box::new(|panic| {
        if !panic
            .location()
            .is_some_and(|location| ["/polars-", "/tokenizers-", "/spm_"].iter().any(|library| location.file().contains(library)))
        {
            eprintln!("{panic}\n{}", std::backtrace::Backtrace::force_capture());
        }
    }));
}
