//! `server_metrics.parquet`: what a run's server and its machine told, batch by batch, and back without loss. A table of the columns in
//! [`SAMPLE_COLUMNS`], Zstandard, one thread, so that the same samples give the same bytes.

use std::borrow::Cow;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fs_err::File;
use polars_io::parquet::write::BatchedWriter;
use polars_io::prelude::{ParquetCompression, ParquetWriter};

use super::error::StoreError;
use super::files::PendingFile;
use super::frame::read_frame;
use super::layout::RunPaths;
use super::saved_column::{ColumnPresence, ColumnValue, SavedColumn, records_of, schema, table_of};
use super::table_error::TableError;
use crate::foundation::clock::Micros;
use crate::records::record::{SampleKind, ServerSample};

/// A column of texts that the samples share, named as its field.
macro_rules! text {
    ($field:ident) => {
        SavedColumn {
            name: stringify!($field),
            presence: ColumnPresence::Always,
            value: ColumnValue::Text {
                get: |sample: &ServerSample| Some(Cow::Borrowed(&sample.$field)),
                set: |sample, text| {
                    sample.$field = Arc::clone(text);
                    Some(())
                },
            },
        }
    };
}

/// The columns in their order: the fields of [`ServerSample`].
pub const SAMPLE_COLUMNS: [SavedColumn<ServerSample>; 6] = [
    SavedColumn {
        name: "at_us",
        presence: ColumnPresence::Always,
        value: ColumnValue::Integer {
            get: |sample| Some(sample.at_us.0),
            set: |sample, at| {
                sample.at_us = Micros(at);
                Some(())
            },
        },
    },
    text!(source),
    text!(name),
    text!(labels),
    SavedColumn {
        name: "kind",
        presence: ColumnPresence::Always,
        value: ColumnValue::Text {
            get: |sample| Some(sample.kind.name().into()),
            set: |sample, name| {
                sample.kind = SampleKind::from_name(name)?;
                Some(())
            },
        },
    },
    SavedColumn {
        name: "value",
        presence: ColumnPresence::Always,
        value: ColumnValue::Number { get: |sample| sample.value, set: |sample, value| sample.value = value },
    },
];

/// Rows of a row group, and so the samples that are in memory at once: half a megabyte and what their texts take.
const BATCH: usize = 8192;

/// The samples of one run being saved. Nothing is on disk before the first batch is full, and no file where no sample came.
pub(super) struct SampleWriter {
    path: PathBuf,
    waiting: Vec<ServerSample>,
    out: Option<(PendingFile, BatchedWriter<BufWriter<File>>)>,
}

impl SampleWriter {
    pub fn new(path: PathBuf) -> Self {
        Self { path, waiting: Vec::new(), out: None }
    }

    pub fn append(&mut self, samples: &[ServerSample]) -> Result<(), StoreError> {
        self.waiting.extend_from_slice(samples);
        while self.waiting.len() >= BATCH {
            let later = self.waiting.split_off(BATCH);
            let full = std::mem::replace(&mut self.waiting, later);
            self.write(&full)?;
        }
        Ok(())
    }

    /// Brings all of it to disk and the file to its place.
    pub fn finish(mut self) -> Result<(), StoreError> {
        let last = std::mem::take(&mut self.waiting);
        if !last.is_empty() {
            self.write(&last)?;
        }
        if let Some((pending, writer)) = self.out {
            writer.finish().map_err(|source| table_error(&self.path, source.into()))?;
            drop(writer);
            pending.settle()?;
        }
        Ok(())
    }

    fn write(&mut self, batch: &[ServerSample]) -> Result<(), StoreError> {
        let (_, writer) = match &mut self.out {
            Some(out) => out,
            None => self.out.insert(begin(&self.path)?),
        };
        let written = table_of(batch, &SAMPLE_COLUMNS).and_then(|table| Ok(writer.write_batch(&table)?));
        written.map_err(|source| table_error(&self.path, source))
    }
}

impl std::fmt::Debug for SampleWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SampleWriter({}, {} waiting)", self.path.display(), self.waiting.len())
    }
}

fn begin(path: &Path) -> Result<(PendingFile, BatchedWriter<BufWriter<File>>), StoreError> {
    let pending = PendingFile::create(path)?;
    let options = ParquetWriter::new(pending.writer()?).with_compression(ParquetCompression::Zstd(None)).set_parallel(false);
    let writer = options.batched(&schema(&SAMPLE_COLUMNS)).map_err(|source| table_error(path, source.into()))?;
    Ok((pending, writer))
}

fn table_error(path: &Path, source: TableError) -> StoreError {
    StoreError::Table { path: path.to_owned(), source: Box::new(source) }
}

/// The samples of one run, in the order in which they were taken; none where the run has no such file.
pub fn read_samples(run: &RunPaths) -> Result<Vec<ServerSample>, StoreError> {
    SavedSamples::of(run, None).read()
}

/// A run's samples, which are read only when somebody asks.
#[derive(Debug, Clone)]
pub enum SavedSamples {
    /// The file, and the hash of what was sealed in it, where the run's record tells it.
    File(PathBuf, Option<String>),
    Held(Arc<[ServerSample]>),
}

impl SavedSamples {
    pub(super) fn of(run: &RunPaths, hash: Option<String>) -> Self {
        Self::File(run.server_metrics(), hash)
    }

    pub(super) fn read(&self) -> Result<Vec<ServerSample>, StoreError> {
        match self {
            Self::Held(samples) => Ok(samples.to_vec()),
            Self::File(path, None) if !path.exists() => Ok(Vec::new()),
            Self::File(path, hash) => {
                records_of(&read_frame(path, hash.as_deref())?, &SAMPLE_COLUMNS).map_err(|source| table_error(path, source))
            }
        }
    }
}

/// None.
impl Default for SavedSamples {
    fn default() -> Self {
        Self::Held([].into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::store::SweepPaths;

    fn sample(at: u64, name: &str, value: f64) -> ServerSample {
        ServerSample {
            at_us: Micros(at),
            source: "http://127.0.0.1:8000/metrics".into(),
            name: name.into(),
            labels: r#"{engine="0",model_name="a\"b\n"}"#.into(),
            kind: SampleKind::Counter,
            value,
        }
    }

    fn saved(samples: &[ServerSample], at_once: usize) -> (tempfile::TempDir, RunPaths) {
        let folder = tempfile::tempdir().unwrap();
        let run = SweepPaths::new(folder.path()).run("a").unwrap();
        fs_err::create_dir_all(run.dir()).unwrap();
        let mut writer = SampleWriter::new(run.server_metrics());
        for samples in samples.chunks(at_once) {
            writer.append(samples).unwrap();
        }
        writer.finish().unwrap();
        (folder, run)
    }

    #[test]
    fn samples_come_back_as_they_were_told_with_what_is_no_number_and_without_labels() {
        let mut samples = vec![sample(0, "a", 1.5), sample(1_000_000, "b", f64::INFINITY), sample(u64::MAX >> 1, "a", -0.0)];
        samples.push(ServerSample { labels: "".into(), kind: SampleKind::Untyped, ..sample(3, "é", f64::NAN) });
        let (_folder, run) = saved(&samples, 2);
        let read = read_samples(&run).unwrap();
        assert_eq!(read[..3], samples[..3]);
        assert!(read[3].value.is_nan());
        assert_eq!((&*read[3].name, &*read[3].labels, read[3].kind), ("é", "", SampleKind::Untyped));
        assert!(Arc::ptr_eq(&read[0].name, &read[2].name));
    }

    #[test]
    fn a_run_of_which_nothing_was_told_has_no_file_and_no_samples() {
        let (_folder, run) = saved(&[], 1);
        assert!(!run.server_metrics().exists());
        assert_eq!(read_samples(&run).unwrap(), []);
    }

    #[test]
    fn more_than_a_batch_is_written_on_the_way_and_the_bytes_do_not_depend_on_how_it_came() {
        let samples: Vec<_> = (0..BATCH as u64 * 2 + 10).map(|at| sample(at, "a", 0.5)).collect();
        let (_one, whole) = saved(&samples, samples.len());
        let (_two, pieces) = saved(&samples, 1_000);
        assert_eq!(fs_err::read(whole.server_metrics()).unwrap(), fs_err::read(pieces.server_metrics()).unwrap());
        assert_eq!(read_samples(&pieces).unwrap(), samples);
    }

    #[test]
    fn a_broken_file_is_named() {
        let (_folder, run) = saved(&[sample(0, "a", 1.0)], 1);
        fs_err::write(run.server_metrics(), b"PAR1").unwrap();
        assert!(read_samples(&run).unwrap_err().to_string().contains("server_metrics.parquet"));
    }
}
