//! Where the last selftest of this machine is kept, so that sweeps can relate their load to it.
//!
//! `$BENCH_SELFTEST` where that is set, else `bench/selftest.json` in `$XDG_STATE_HOME`, or in `~/.local/state`.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::machine::HostMachine;
use super::report::SelftestReport;

/// The variable that names another file.
const VARIABLE: &str = "BENCH_SELFTEST";

/// Why it cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum SelftestFileError {
    #[error("there is no home folder to keep it in; set `{VARIABLE}` to a file")]
    NoHome,
    #[error("{0}")]
    File(#[from] std::io::Error),
    #[error("`{}` is no selftest: {reason}; run `bench selftest` to write it again", .path.display())]
    Content { path: PathBuf, reason: String },
}

/// The file.
///
/// # Errors
/// Where there is neither the variable nor a home.
pub fn path() -> Result<PathBuf, SelftestFileError> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(file) = set(VARIABLE) {
        return Ok(file);
    }
    let state = set("XDG_STATE_HOME").or_else(|| set("HOME").map(|home| home.join(".local/state"))).ok_or(SelftestFileError::NoHome)?;
    Ok(state.join("bench/selftest.json"))
}

/// Keeps it; a file that is there is replaced as a whole.
///
/// # Errors
/// Where the file cannot be written.
pub fn save(selftest: &SelftestReport, path: &Path) -> Result<(), SelftestFileError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs_err::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    let text = serde_json::to_string_pretty(selftest).map_err(std::io::Error::from)?;
    writeln!(file, "{text}")?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// The one that is kept; `None` where there is none or it was made on another machine.
///
/// # Errors
/// Where the file cannot be read, or is none.
pub fn load(path: &Path) -> Result<Option<SelftestReport>, SelftestFileError> {
    let text = match fs_err::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let selftest: SelftestReport =
        serde_json::from_str(&text).map_err(|error| SelftestFileError::Content { path: path.to_owned(), reason: error.to_string() })?;
    Ok((selftest.machine == HostMachine::here()).then_some(selftest))
}

#[cfg(test)]
mod tests {
    use super::super::report::fixture;
    use super::*;

    #[test]
    fn what_is_kept_is_read_again_and_that_of_another_machine_is_not_taken() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state/bench/selftest.json");
        assert!(load(&path).unwrap().is_none());
        let own = SelftestReport { machine: HostMachine::here(), ..fixture() };
        save(&own, &path).unwrap();
        assert_eq!(load(&path).unwrap(), Some(own));
        save(&fixture(), &path).unwrap();
        assert_eq!(load(&path).unwrap(), None);
    }

    #[test]
    fn a_file_that_is_none_is_an_error_that_says_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("selftest.json");
        fs_err::write(&path, "{}").unwrap();
        assert!(load(&path).unwrap_err().to_string().contains("run `bench selftest`"));
    }
}
