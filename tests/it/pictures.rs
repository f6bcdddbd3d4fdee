//! The pictures that the documentation shows are those that its own commands draw.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::stage::program;

/// The commands of `CONTRIBUTING.md` that have to do with pictures, as words behind `bench`.
fn commands() -> Vec<Vec<String>> {
    let text = fs::read_to_string("CONTRIBUTING.md").unwrap();
    let section = text.split("### Draw the README's pictures again").nth(1).unwrap();
    let block = section.split("```").nth(1).unwrap();
    block.lines().filter_map(|line| line.strip_prefix("bench ")).map(|line| line.split(' ').map(str::to_owned).collect()).collect()
}

/// Runs a command, with `folder` in place of the folders that it would write to.
fn run(words: &[String], folder: &Path) {
    let redirected: Vec<String> = words.iter().map(|word| word.replace("docs/pictures", folder.to_str().unwrap())).collect();
    let redirected: Vec<String> =
        redirected.iter().map(|word| word.replace("results/lmcache", folder.join("lmcache").to_str().unwrap())).collect();
    let output = Command::new(program()).args(&redirected).output().unwrap();
    assert!(output.status.success(), "{redirected:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn assert_as_shown(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
        let name = entry.file_name().into_string().unwrap();
        let (drawn, shown) = (fs::read(entry.path()).unwrap(), fs::read(Path::new("docs/pictures").join(&name)).unwrap_or_default());
        assert!(drawn == shown, "`docs/pictures/{name}` is not what is drawn now: draw it again as CONTRIBUTING.md says");
        assert!(shown.len() < 200_000, "`{name}` has {} bytes", shown.len());
    }
}

#[test]
fn pictures_of_the_saved_sweep_are_what_is_drawn_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let of_saved: Vec<Vec<String>> = commands().into_iter().filter(|words| words.iter().any(|word| word == "results/lab")).collect();
    assert_eq!(of_saved.len(), 2);
    for words in of_saved {
        run(&words, folder.path());
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    assert_as_shown(folder.path());
}

#[test]
fn every_picture_in_the_readme_is_drawn_by_a_command_and_none_lies_about() {
    let readme = fs::read_to_string("README.md").unwrap();
    let drawn: Vec<String> = commands().into_iter().flatten().filter(|word| word.starts_with("docs/pictures/")).collect();
    for entry in fs::read_dir("docs/pictures").unwrap() {
        let path = format!("docs/pictures/{}", entry.unwrap().file_name().into_string().unwrap());
        assert!(readme.contains(&path) && drawn.contains(&path), "`{path}` is shown nowhere, or nothing draws it");
    }
    for path in drawn {
        assert!(Path::new(&path).exists() && readme.contains(&path), "`{path}`");
    }
}
