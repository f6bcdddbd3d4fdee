//! Mistakes in how a server is started, emptied and watched.

use std::path::Path;

use bench::planning::scenario::{ScenarioOverrides, load_text};

use super::faults;

#[test]
fn a_field_of_a_command_that_stands_for_nothing() {
    let text = r#"
[workload]
kind = "document_qa"
[server]
command = ["vllm", "serve", "{modle}", "--kv-transfer-config", '{"kv_connector":"LMCacheConnectorV1"}']
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `{modle}` stands for nothing
     --> scenario.toml:4:29
      |
    4 | command = ["vllm", "serve", "{modle}", "--kv-transfer-config", '{"kv_connector":"LMCacheConnectorV1"}']
      |                             ^^^^^^^^^
      |
      = hint: did you mean `{model}`? `{{modle}}` stands for the characters themselves
    "##);
}

#[test]
fn an_empty_command() {
    let text = r#"
[workload]
kind = "document_qa"
[server]
command = []
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `server.command` is empty
     --> scenario.toml:4:11
      |
    4 | command = []
      |           ^^
      |
      = hint: write the program and its arguments, or leave it out: the server at `target.url` is then used as it is
    "##);
}

#[test]
fn flags_without_a_command_to_give_them_to() {
    let text = r#"
[workload]
kind = "document_qa"
[server]
args = { max-num-seqs = 16 }
start_timeout = "1m"
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `server.args` says how a server is started, and there is no `server.command`
     --> scenario.toml:4:8
      |
    4 | args = { max-num-seqs = 16 }
      |        ^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: add `command = [...]`, or leave it out: the server at `target.url` is used as it is

    error: `server.start_timeout` says how a server is started, and there is no `server.command`
     --> scenario.toml:5:17
      |
    5 | start_timeout = "1m"
      |                 ^^^^
      |
      = hint: add `command = [...]`, or leave it out: the server at `target.url` is used as it is
    "##);
}

#[test]
fn a_restart_of_a_server_that_bench_did_not_start() {
    let text = r#"
[workload]
kind = "document_qa"
[server]
reset = "restart"
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `reset = "restart"`: bench did not start this server, so it cannot restart it
     --> scenario.toml:4:9
      |
    4 | reset = "restart"
      |         ^^^^^^^^^
      |
      = hint: add `server.command`, or name what empties its caches: `reset = ["/reset_prefix_cache"]`, or `reset = "salt"`
    "##);
}

#[test]
fn a_free_port_that_the_command_does_not_take() {
    let text = r#"
[workload]
kind = "document_qa"
[target]
url = "http://127.0.0.1:0"
[server]
command = ["vllm", "serve", "{model}"]
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: port 0 of `target.url` has bench choose a free port, and `{port}` does not stand in the command
     --> scenario.toml:6:11
      |
    6 | command = ["vllm", "serve", "{model}"]
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: add `"--port", "{port}"`
    "##);
}

#[test]
fn a_free_port_of_a_server_that_nobody_starts() {
    let text = r#"
[workload]
kind = "document_qa"
[target]
url = "http://127.0.0.1:0"
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: port 0 has bench choose a free port for the server that it starts, and there is no `server.command`
     --> scenario.toml:4:7
      |
    4 | url = "http://127.0.0.1:0"
      |       ^^^^^^^^^^^^^^^^^^^^
      |
      = hint: write the server's port
    "##);
}

#[test]
fn a_secret_in_the_environment_of_the_server() {
    let text = r#"
[workload]
kind = "document_qa"
[server]
command = ["vllm"]
env = { HF_TOKEN = "hf_123", TOKENIZERS_PARALLELISM = "false", VLLM_API_KEY = "${PATH}" }
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: the secret in `HF_TOKEN` would be saved with every result, since the scenario is saved as it is written
     --> scenario.toml:5:20
      |
    5 | env = { HF_TOKEN = "******", TOKENIZERS_PARALLELISM = "false", VLLM_API_KEY = "${PATH}" }
      |                    ^^^^^^^^
      |
      = hint: take it from the environment: `HF_TOKEN = "${HF_TOKEN}"`; what is set there already need not be said at all
    "##);
}

#[test]
fn processes_whose_logs_would_be_one() {
    let text = r#"
[workload]
kind = "document_qa"
[server]
command = ["vllm"]
[[server.before]]
name = "cache"
command = ["lmcache"]
[[server.before]]
name = "cache"
command = []
[[server.before]]
name = "server"
command = ["x"]
[[server.before]]
name = "a/b"
command = ["x"]
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: two processes are named `cache`, and their logs are named after them
     --> scenario.toml:9:8
      |
    6 | name = "cache"
      |        ------- beside this
    ...
    9 | name = "cache"
      |        ^^^^^^^
      |
      = hint: give each a name of its own

    error: `server.before.1.command` is empty
      --> scenario.toml:10:11
       |
    10 | command = []
       |           ^^
       |
       = hint: write the program and its arguments: `["vllm", "serve", "{model}"]`

    error: `server` is the name of the server's own log
      --> scenario.toml:12:8
       |
    12 | name = "server"
       |        ^^^^^^^^
       |
       = hint: write what it is: `name = "cache"`

    error: `a/b` cannot name a process, since its log is named after it
      --> scenario.toml:15:8
       |
    15 | name = "a/b"
       |        ^^^^^
       |
       = hint: letters, digits, `.`, `_` and `-`, at most 64
    "##);
}

#[test]
fn limits_statuses_and_places_that_cannot_be() {
    let text = r#"
[workload]
kind = "document_qa"
[server]
command = ["vllm"]
working_dir = "no/such/folder"
start_timeout = 0
ready = { path = "health", status = 42 }
watch = { period = 0, endpoints = ["/metrics", "localhost:9100"] }
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: there is no folder `no/such/folder`
     --> scenario.toml:5:15
      |
    5 | working_dir = "no/such/folder"
      |               ^^^^^^^^^^^^^^^^
      |
      = hint: paths start at the folder in which the command is given

    error: `server.start_timeout` is longer than 0
     --> scenario.toml:6:17
      |
    6 | start_timeout = 0
      |                 ^
      |
      = hint: write `"10m"`

    error: `health` is neither a path nor a URL
     --> scenario.toml:7:18
      |
    7 | ready = { path = "health", status = 42 }
      |                  ^^^^^^^^
      |
      = hint: write `"/health"`, or a whole URL for a process beside the server

    error: `42` is no HTTP status
     --> scenario.toml:7:37
      |
    7 | ready = { path = "health", status = 42 }
      |                                     ^^
      |
      = hint: they are 100 to 599; most servers answer 200

    error: `server.watch.period` is longer than 0
     --> scenario.toml:8:20
      |
    8 | watch = { period = 0, endpoints = ["/metrics", "localhost:9100"] }
      |                    ^
      |
      = hint: write `"1s"`

    error: `localhost:9100` is neither a path nor a URL
     --> scenario.toml:8:48
      |
    8 | watch = { period = 0, endpoints = ["/metrics", "localhost:9100"] }
      |                                                ^^^^^^^^^^^^^^^^
      |
      = hint: write `"/metrics"`, or a whole URL for an exporter that listens elsewhere
    "##);
}

#[test]
fn with_a_url_on_the_command_line_nothing_is_started_and_a_restart_is_a_mistake() {
    let text = "workload = { kind = \"document_qa\" }\nserver = { args = { a = 1 }, command = [\"a\"], env = { A = \"1\" } }\n\
                [variants.a.server]\nreset = [\"/reset\"]\nbefore = [{ name = \"b\", command = [\"b\"] }]\n[variants.b]\n";
    let options = ScenarioOverrides { url: Some("http://gpu7:8000".to_owned()), ..ScenarioOverrides::default() };
    let scenario = load_text(Path::new("scenario.toml"), text, &options).unwrap();
    for placed in &scenario.cells {
        let server = &placed.cell.server;
        assert!(!server.is_started() && server.before.is_empty() && server.args.is_empty() && server.env.is_empty(), "{server:?}");
    }
    assert_eq!(scenario.cells[0].cell.server.reset.steps().len(), 1);
    let restart = text.replace("[\"/reset\"]", "\"restart\"");
    assert!(load_text(Path::new("scenario.toml"), &restart, &ScenarioOverrides::default()).is_ok());
    let fault = load_text(Path::new("scenario.toml"), &restart, &options).unwrap_err().to_string();
    assert!(fault.contains("bench did not start this server, so it cannot restart it"), "{fault}");
}
