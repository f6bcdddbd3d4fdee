//! What is run of a scenario, and when: nothing by `check` and `plan`; by `sweep` what it has shown before. What listens, listens here.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::echo::{Echo, Manners};
use super::{SCENARIO, Scene, program, said, stderr};

/// Every command that a scenario can have, each leaving a mark of its own.
const COMMANDS: &str = r#"
api_key_command = ["touch", "FOLDER/key-was-run"]
[server]
command = ["touch", "FOLDER/server-was-run"]
before = [{ name = "cache", command = ["touch FOLDER/before-was-run"], shell = true }]
reset = ["/reset", { command = ["touch", "FOLDER/reset-was-run"] }]
"#;

fn marks(scene: &Scene) -> Vec<String> {
    let names = std::fs::read_dir(scene.stage.folder()).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| name.ends_with("-was-run")).collect()
}

#[test]
fn check_and_plan_run_nothing_and_connect_to_nothing() {
    let server = Echo::start(Manners::Good);
    let text = SCENARIO.replace("[target]", &format!("[target]\nurl = \"{}\"", server.url));
    let scene = Scene::new(&format!("{text}{COMMANDS}"));
    for words in [["check", "s.toml"].as_slice(), &["plan", "s.toml"], &["plan", "s.toml", "--format", "json"], &["check", "s.toml", "-vv"]]
    {
        let output = scene.bench(words);
        assert!(output.status.success(), "{}", said(&output));
        assert_eq!(marks(&scene), Vec::<String>::new(), "{words:?}");
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_sweep_shows_each_command_whole_before_it_runs_any_also_when_told_to_be_quiet() {
    let text = format!("{SCENARIO}url = \"http://127.0.0.1:0\"\n{COMMANDS}").replace("touch\", \"FOLDER/key-was-run", "echo\", \"nokey");
    let scene = Scene::new(&text.replace("[server]", "[server]\nstart_timeout = 5\nenv = { NOTE = \"{port}\" }"));
    let output = scene.bench(&["sweep", "s.toml", "-q", "-o", "out"]);
    let folder = scene.stage.folder().display();
    let expected = [
        "commands of this scenario, which are run now:".to_owned(),
        "  target.api_key_command: echo nokey".to_owned(),
        format!("  server.before `cache`: touch {folder}/before-was-run"),
        format!("  server.command: touch {folder}/server-was-run"),
        format!("  server.reset: touch {folder}/reset-was-run"),
    ];
    let told: Vec<String> = stderr(&output).lines().take(expected.len()).map(str::to_owned).collect();
    assert_eq!(told, expected, "{}", said(&output));
}

#[test]
fn the_simulated_server_listens_on_loopback_unless_told_otherwise() {
    let mut child = Command::new(program())
        .args(["sim", "--port", "0", "--model", "small"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let line = BufReader::new(child.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(line.contains("http://127.0.0.1:"), "{line}");
}
