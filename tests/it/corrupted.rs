//! A saved sweep whose files were cut, edited, swapped or pointed elsewhere: it is read or refused with the name of the file, in bounded
//! time and memory, and nothing panics.

use std::io::{Seek, SeekFrom, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use bench::analysis::{SummaryOptions, summarize};
use bench::records::store::read_sweep;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::stage::{Stage, succeeded};

const SCENARIO: &str = r#"
[workload]
kind = "document_qa"
documents = { synthetic_tokens = 500 }
rounds = 2
answer_tokens = 4
[target]
kind = "sim"
[engine]
preset = "tiny"
[matrix]
concurrent = [1, 2]
[[goals]]
require = "p95(ttft where turn >= 1) <= 1s"
"#;

/// A sweep as it was saved, made once.
static SAVED: LazyLock<Stage> = LazyLock::new(|| {
    let stage = Stage::with("saved.toml", SCENARIO);
    succeeded(&stage.run(&["sweep", "saved.toml", "-o", "saved"]));
    stage
});

/// The files that a report is made of.
fn files() -> Vec<PathBuf> {
    let saved = SAVED.path("saved");
    let mut files = vec![PathBuf::from("manifest.json")];
    for run in fs_err::read_dir(saved.join("runs")).unwrap() {
        for file in fs_err::read_dir(run.unwrap().path()).unwrap() {
            files.push(file.unwrap().path().strip_prefix(&saved).unwrap().to_owned());
        }
    }
    files.sort();
    assert!(files.len() >= 7, "{files:?}");
    files
}

fn copy(from: &Path, to: &Path) {
    fs_err::create_dir_all(to).unwrap();
    for entry in fs_err::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &target) } else { fs_err::copy(&path, &target).map(drop).unwrap() }
    }
}

/// Reads and judges a copy of the sweep with one file changed. An error must name the file or the run; a panic is told with the change.
fn try_with(what: &str, file: &Path, change: impl FnOnce(&Path)) {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("sweep");
    copy(&SAVED.path("saved"), &folder);
    change(&folder.join(file));
    read_and_judge(what, file, &folder);
}

fn read_and_judge(what: &str, file: &Path, folder: &Path) {
    let read = catch_unwind(AssertUnwindSafe(|| {
        let sweep = read_sweep(folder).map_err(|error| error.to_string())?;
        summarize(&sweep, &SummaryOptions::default()).map(drop).map_err(|error| error.to_string())
    }));
    match read {
        Err(panic) => panic!("{what} of `{}` panics: {panic:?}", file.display()),
        Ok(Err(message)) => assert!(message.len() > 10 && message.len() < 2000, "{what} of `{}`: {message}", file.display()),
        Ok(Ok(())) => {}
    }
}

#[test]
fn files_that_were_cut_short_are_refused_and_never_fatal() {
    for file in files() {
        let whole = fs_err::read(SAVED.path("saved").join(&file)).unwrap();
        for part in [0, 1, 4, whole.len() / 3, whole.len() / 2, whole.len() - 9, whole.len() - 1] {
            try_with(&format!("a cut after {part} bytes"), &file, |path| fs_err::write(path, &whole[..part]).unwrap());
        }
    }
}

#[test]
fn files_of_which_bytes_were_changed_are_read_or_refused_and_never_fatal() {
    let mut random = Pcg64::seed_from_u64(7);
    for file in files() {
        let whole = fs_err::read(SAVED.path("saved").join(&file)).unwrap();
        for number in 0..24 {
            let mut bytes = whole.clone();
            for _ in 0..random.random_range(1..=8) {
                let at = random.random_range(0..bytes.len());
                bytes[at] = random.random();
            }
            // Most of what a table's footer says lies at its end.
            if number % 2 == 0 {
                let at = bytes.len() - 1 - random.random_range(0..bytes.len().min(200));
                bytes[at] = random.random();
            }
            try_with(&format!("change number {number}"), &file, |path| {
                fs_err::write(path, bytes).unwrap();
                // Every other run is one of before there were hashes: its tables are read whatever they hold.
                if number % 4 < 2 {
                    forget_hashes(path);
                }
            });
        }
    }
}

/// Takes the hashes out of the record beside a table.
fn forget_hashes(table: &Path) {
    let record = table.with_file_name("run.json");
    if table.extension().is_some_and(|extension| extension == "parquet") {
        let mut read: serde_json::Value = serde_json::from_slice(&fs_err::read(&record).unwrap()).unwrap();
        read.as_object_mut().unwrap().remove("tables").unwrap();
        fs_err::write(&record, read.to_string()).unwrap();
    }
}

#[test]
fn files_that_are_others_or_none_at_all_are_refused() {
    let files = files();
    for file in &files {
        for other in &files {
            let other = SAVED.path("saved").join(other);
            try_with("another file in the place", file, |path| fs_err::copy(&other, path).map(drop).unwrap());
        }
        try_with("a folder in the place", file, |path| {
            fs_err::remove_file(path).unwrap();
            fs_err::create_dir(path).unwrap();
        });
        #[cfg(unix)]
        for target in ["/dev/null", "/proc/self/mem", "nowhere", "."] {
            try_with(&format!("a link to {target}"), file, |path| {
                fs_err::remove_file(path).unwrap();
                std::os::unix::fs::symlink(target, path).unwrap();
            });
        }
    }
}

#[test]
fn numbers_of_absurd_size_are_read_or_refused() {
    for file in files().iter().filter(|file| file.extension().is_some_and(|extension| extension == "json")) {
        let text = fs_err::read_to_string(SAVED.path("saved").join(file)).unwrap();
        for absurd in ["18446744073709551615", "-9223372036854775808", "1e308", "1e999", "99999999999999999999999", "null", "\"2\"", "[]"] {
            for digit in [": 0", ": 1", ": 2"] {
                let changed = text.replace(digit, &format!(": {absurd}"));
                try_with(&format!("{absurd} for `{digit}`"), file, |path| fs_err::write(path, changed).unwrap());
            }
        }
        try_with("a hundred thousand brackets", file, |path| fs_err::write(path, "[".repeat(100_000)).unwrap());
    }
}

/// Where the head of the first page says how many values its dictionary has, and how long it is once it is unpacked: see `store::dictionary`.
/// A number below 64 is one byte, twice as large; five bytes hold 2^31 - 1.
#[test]
fn a_dictionary_that_promises_gigabytes_is_refused_before_room_is_made_for_them_also_where_the_hash_fits() {
    let most = [0xfe, 0xff, 0xff, 0xff, 0x0f];
    for file in files().iter().filter(|file| file.ends_with("requests.parquet")) {
        let whole = fs_err::read(SAVED.path("saved").join(file)).unwrap();
        assert_eq!((&whole[4..7], whole[8], whole[10]), (&[0x15, 0x04, 0x15][..], 0x15, 0x4c), "a dictionary comes first");
        for at in [7, 12] {
            let home = tempfile::tempdir().unwrap();
            let folder = home.path().join("sweep");
            copy(&SAVED.path("saved"), &folder);
            let table = folder.join(file);
            // The page grows by four bytes, of which its content gives up as many: all offsets stay.
            let mut bytes = whole.clone();
            bytes.splice(at..=at, most);
            bytes.drain(24..28);
            fs_err::write(&table, &bytes).unwrap();
            let record = table.with_file_name("run.json");
            let saved = fs_err::read_to_string(&record).unwrap();
            let [old, new] = [&whole, &bytes].map(|bytes| blake3::hash(bytes).to_hex().to_string());
            assert!(saved.contains(&old));
            fs_err::write(&record, saved.replace(&old, &new)).unwrap();
            let refused = read_sweep(&folder).unwrap_err().to_string();
            assert!(refused.contains("requests.parquet`: ") && refused.contains("damaged"), "{refused}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_a_file_is_refused_and_not_waited_for() {
    for file in files() {
        try_with("a pipe in the place", &file, |path| {
            fs_err::remove_file(path).unwrap();
            assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
        });
    }
}

#[cfg(unix)]
#[test]
fn files_of_terabytes_are_refused_by_their_size() {
    for file in files() {
        try_with("a hole of eight terabytes", &file, |path| {
            // What was there stands at the end.
            let whole = fs_err::read(path).unwrap();
            let mut out = fs_err::File::create(path).unwrap();
            out.seek(SeekFrom::Start(1 << 43)).unwrap();
            out.write_all(&whole).unwrap();
        });
    }
}
