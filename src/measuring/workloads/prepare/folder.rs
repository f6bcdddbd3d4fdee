//! The user's folder of texts: all `*.txt` files in it and below it, in the order of their paths.
//!
//! In goes a folder; out come files by relative path, and what was passed over and why. It reads no file.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use fs_err as fs;

/// A text file found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FolderTextFile {
    /// Relative to the folder, with `/` between its parts.
    pub name: String,
    pub path: PathBuf,
}

/// Something that looked like a text or a folder of texts and is none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SkippedFile {
    pub name: String,
    pub why: FileSkipReason,
}

/// Why it was passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileSkipReason {
    /// A link that leads to a folder that has been looked through already, or to one above it.
    Loop,
    /// A link that leads nowhere.
    Nowhere,
    /// The name is not UTF-8, so the manifest could not hold it.
    Name,
}

impl fmt::Display for FileSkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loop => "is a link to a folder that is looked through already",
            Self::Nowhere => "is a link that leads nowhere",
            Self::Name => "has a name that is not UTF-8: rename it",
        })
    }
}

/// Finds the texts. Hidden files and folders are not looked at, nor is `output`, which may lie inside.
pub fn find(folder: &Path, output: &Path) -> std::io::Result<(Vec<FolderTextFile>, Vec<SkippedFile>)> {
    let mut walk = FolderWalk { seen: BTreeSet::new(), found: Vec::new(), passed: Vec::new() };
    // Where there is no output yet, it cannot be in the way.
    walk.seen.extend(fs::canonicalize(output).ok());
    walk.seen.remove(&fs::canonicalize(folder)?);
    walk.enter(folder, "")?;
    walk.found.sort();
    walk.passed.sort();
    Ok((walk.found, walk.passed))
}

struct FolderWalk {
    /// Folders looked through, by their true paths.
    seen: BTreeSet<PathBuf>,
    found: Vec<FolderTextFile>,
    passed: Vec<SkippedFile>,
}

impl FolderWalk {
    fn enter(&mut self, folder: &Path, prefix: &str) -> std::io::Result<()> {
        self.seen.insert(fs::canonicalize(folder)?);
        let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
        // Real folders before links to them, so that what a link leads to twice is known by its own name.
        entries.sort_by_key(|entry| (entry.file_type().is_ok_and(|kind| kind.is_symlink()), entry.file_name()));
        for entry in entries {
            let path = entry.path();
            let name = entry.file_name();
            let Some(plain) = name.to_str() else {
                if path.is_dir() || is_text(&path) {
                    self.pass(format!("{prefix}{}", name.to_string_lossy()), FileSkipReason::Name);
                }
                continue;
            };
            if !plain.starts_with('.') {
                self.look(path, format!("{prefix}{plain}"))?;
            }
        }
        Ok(())
    }

    fn look(&mut self, path: PathBuf, name: String) -> std::io::Result<()> {
        let is_link = fs::symlink_metadata(&path)?.is_symlink();
        if is_link && fs::metadata(&path).is_err() {
            // A loop of links alone has no true path either.
            if is_text(&path) || path.extension().is_none() {
                self.pass(name, FileSkipReason::Nowhere);
            }
        } else if path.is_dir() {
            if !self.seen.contains(&fs::canonicalize(&path)?) {
                return self.enter(&path, &format!("{name}/"));
            }
            if is_link {
                self.pass(name, FileSkipReason::Loop);
            }
        } else if path.is_file() && is_text(&path) {
            self.found.push(FolderTextFile { name, path });
        }
        Ok(())
    }

    fn pass(&mut self, name: String, why: FileSkipReason) {
        self.passed.push(SkippedFile { name, why });
    }
}

fn is_text(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("txt"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(found: &[FolderTextFile]) -> Vec<&str> {
        found.iter().map(|found| found.name.as_str()).collect()
    }

    #[test]
    fn texts_are_found_below_the_folder_in_order_and_the_output_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["b.txt", "a/c.TXT", "a/notes.md", ".hidden/d.txt", "out/8k/e.txt", "z.txt"] {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "text").unwrap();
        }
        let (found, passed) = find(folder.path(), &folder.path().join("out")).unwrap();
        assert_eq!(names(&found), ["a/c.TXT", "b.txt", "z.txt"]);
        assert_eq!(passed, []);
        assert!(find(&folder.path().join("no"), folder.path()).unwrap_err().to_string().contains("no"));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_once_and_loops_and_dead_ends_are_told() {
        use std::os::unix::ffi::OsStrExt;
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("books")).unwrap();
        fs::write(at("books/a.txt"), "text").unwrap();
        symlink("..", at("books/up")).unwrap();
        symlink("books", at("again")).unwrap();
        symlink("books/a.txt", at("link.txt")).unwrap();
        symlink("self.txt", at("self.txt")).unwrap();
        fs::write(folder.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9.txt")), "text").unwrap();
        let (found, passed) = find(folder.path(), &at("out")).unwrap();
        assert_eq!(names(&found), ["books/a.txt", "link.txt"]);
        let passed: Vec<(&str, FileSkipReason)> = passed.iter().map(|passed| (passed.name.as_str(), passed.why)).collect();
        assert_eq!(
            passed,
            [
                ("again", FileSkipReason::Loop),
                ("books/up", FileSkipReason::Loop),
                ("caf\u{fffd}.txt", FileSkipReason::Name),
                ("self.txt", FileSkipReason::Nowhere)
            ]
        );
    }
}
