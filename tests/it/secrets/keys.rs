//! API keys from a command: when it is run, and what is said where it gives none.

use std::fs;

use super::echo::{Echo, Manners};
use super::{KEY, SCENARIO, Scene, said, stderr};

/// A command that prints the key and leaves a mark for each time it was run.
const COMMAND: &str = "api_key_command = [\"sh\", \"-c\", \"echo run >> FOLDER/marks; cat FOLDER/key.txt\"]\n";

fn marks(scene: &Scene) -> usize {
    fs::read_to_string(scene.path("marks")).map_or(0, |text| text.lines().count())
}

#[test]
fn a_key_command_is_shown_run_once_a_sweep_and_its_key_is_sent() {
    let (scene, server) = (Scene::new(&format!("{SCENARIO}{COMMAND}")), Echo::start(Manners::Good));
    let output = scene.bench(&["sweep", "s.toml", "--url", &server.url, "-q", "-o", "out"]);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", said(&output));
    assert_eq!(marks(&scene), 1);
    assert_eq!(server.keys(), [format!("Bearer {KEY}")]);
    // Shown whole also where nothing else is said.
    let shown = format!("  target.api_key_command: sh -c 'echo run >> {0}/marks; cat {0}/key.txt'", scene.stage.folder().display());
    assert!(stderr(&output).lines().any(|line| line == shown), "{}", stderr(&output));

    // Where nothing is left to do, nothing is run; the sweep that goes on runs it again.
    let again = scene.bench(&["sweep", "s.toml", "--url", &server.url, "-q", "-o", "out"]);
    assert!(matches!(again.status.code(), Some(0 | 1)) && marks(&scene) == 1, "{}", said(&again));
    assert!(!stderr(&again).contains("commands of this scenario"), "{}", stderr(&again));
    let run = fs::read_dir(scene.path("out/runs")).unwrap().next().unwrap().unwrap().path();
    fs::remove_dir_all(run).unwrap();
    let rest = scene.bench(&["sweep", "s.toml", "--url", &server.url, "-q", "-o", "out"]);
    assert!(matches!(rest.status.code(), Some(0 | 1)) && marks(&scene) == 2, "{}", said(&rest));
}

#[test]
fn a_simulated_sweep_runs_no_command_and_shows_none() {
    let scene = Scene::new(&format!("{SCENARIO}{COMMAND}"));
    let output = scene.bench(&["sweep", "s.toml", "--simulate", "-o", "out"]);
    assert!(output.status.success() && marks(&scene) == 0, "{}", said(&output));
    assert!(!said(&output).contains("api_key_command"), "{}", said(&output));
}

#[test]
fn a_key_command_that_fails_ends_the_sweep_before_it_begins_with_file_line_and_cure_and_without_its_output() {
    let cases = [
        ("cat FOLDER/key.txt; cat FOLDER/key.txt >&2; exit 3", "ended with exit status: 3; run it by hand to see why"),
        ("cat FOLDER/key.txt FOLDER/key.txt", "printed more than one line; it must print the key alone"),
        ("true", "printed nothing; it must print the key on stdout"),
    ];
    for (line, expected) in cases {
        let scene = Scene::new(&format!("{SCENARIO}api_key_command = [\"sh\", \"-c\", \"{line}\"]\n"));
        let server = Echo::start(Manners::Good);
        let output = scene.bench(&["sweep", "s.toml", "--url", &server.url, "-o", "out"]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        let number = SCENARIO.lines().count() + 1;
        for part in [&format!("s.toml:{number}: no API key came from `target.api_key_command`"), expected] {
            assert!(stderr(&output).contains(part), "{part}: {}", stderr(&output));
        }
        assert!(!said(&output).contains("Planted"), "{}", said(&output));
        assert_eq!(server.connections(), 0);
    }
}

#[test]
fn a_key_comes_from_one_place_and_a_command_has_a_program() {
    let two = Scene::new(&format!("{SCENARIO}api_key_env = \"SECRETS_TEST_KEY\"\n{COMMAND}"));
    let output = two.bench(&["check", "s.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("`target.api_key_env` and `target.api_key_command` both say where the API key is"), "{}", said(&output));
    let none = Scene::new(&format!("{SCENARIO}api_key_command = []\n"));
    let output = none.bench(&["check", "s.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("names no program") && said(&output).contains("pass"), "{}", said(&output));
}
