//! Mistakes that types cannot see: secrets, contradictions, bounds and files that are not there.

use super::faults;

#[test]
fn a_secret_in_the_file() {
    let text = r#"
[workload]
kind = "chat"
[target.headers]
Authorization = "Bearer sk-123"
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: the secret in `Authorization` would be saved with every result, since the scenario is saved as it is written
     --> scenario.toml:4:17
      |
    4 | Authorization = "****** ******"
      |                 ^^^^^^^^^^^^^^^
      |
      = hint: take it from the environment: `Authorization = "Bearer ${API_KEY}"`, or use `api_key_env`
    "##);
}

#[test]
fn an_environment_variable_that_is_not_set() {
    let text = r#"
[workload]
kind = "chat"
[target]
model = "${BENCH_TEST_NO_SUCH_VARIABLE}"
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: the environment variable `BENCH_TEST_NO_SUCH_VARIABLE` is not set
     --> scenario.toml:4:10
      |
    4 | model = "${BENCH_TEST_NO_SUCH_VARIABLE}"
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: set it for this command: `BENCH_TEST_NO_SUCH_VARIABLE=... bench ...`
    "##);
}

#[test]
fn the_key_itself_for_the_name_of_its_variable() {
    let text = r#"
[workload]
kind = "chat"
[target]
api_key_env = "sk-123"
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: there is no environment variable of the name that `target.api_key_env` gives
     --> scenario.toml:4:15
      |
    4 | api_key_env = "******"
      |               ^^^^^^^^
      |
      = hint: `target.api_key_env` is the name of the variable, not the key
    "##);
}

#[test]
fn two_places_for_the_api_key() {
    let text = r#"
[workload]
kind = "chat"
[target]
api_key_env = "PATH"
api_key_file = "key.txt"
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `target.api_key_env` and `target.api_key_file` both say where the API key is
     --> scenario.toml:5:16
      |
    4 | api_key_env = "PATH"
      |               ------ beside this
    5 | api_key_file = "key.txt"
      |                ^^^^^^^^^
      |
      = hint: leave one of them out
    "##);
}

#[test]
fn a_url_without_its_scheme() {
    let text = r#"
[workload]
kind = "chat"
[target]
url = "localhost:8000"
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `localhost:8000` is no base URL: it does not begin with `http://` or `https://`
     --> scenario.toml:4:7
      |
    4 | url = "localhost:8000"
      |       ^^^^^^^^^^^^^^^^
      |
      = hint: write `url = "http://127.0.0.1:8000"`, with or without `/v1`
    "##);
}

#[test]
fn a_field_of_the_request_that_the_workload_owns() {
    let text = r#"
[workload]
kind = "chat"
[target.body]
max_tokens = 10
temperature = 0.5
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `max_tokens` is not to be set in `target.body`
     --> scenario.toml:4:14
      |
    4 | max_tokens = 10
      |              ^^
      |
      = hint: write `workload.answer_tokens`
    "##);
}

#[test]
fn fields_of_the_request_that_cannot_be_left_out_or_renamed() {
    let text = r#"
[workload]
kind = "chat"
[target]
omit = ["stream"]
rename = { max_tokens = "temperature" }
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `stream` is no field of a request's body that may be left out
     --> scenario.toml:4:8
      |
    4 | omit = ["stream"]
      |        ^^^^^^^^^^
      |
      = hint: bodies have `model`, `stream_options`, `temperature`, `max_tokens`, `min_tokens`, `ignore_eos`, and what `target.body` adds; the conversation and `stream` always stand there

    error: `max_tokens` cannot be sent as `temperature`
     --> scenario.toml:5:25
      |
    5 | rename = { max_tokens = "temperature" }
      |                         ^^^^^^^^^^^^^
      |
      = hint: write a name that no other field of the body has
    "##);
}

#[test]
fn a_folder_of_documents_that_is_not_there() {
    let text = r#"
[workload]
kind = "document_qa"
documents = "data/128k"
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: cannot read the folder of documents `data/128k`: there is nothing of that name
     --> scenario.toml:3:13
      |
    3 | documents = "data/128k"
      |             ^^^^^^^^^^^
      |
      = hint: paths start at the folder in which the command is given
    "##);
}

#[test]
fn a_warm_up_as_long_as_the_run() {
    let text = r#"
[workload]
kind = "chat"
duration = "60s"
warmup = "1m"
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: the warm-up of 1m leaves nothing of the duration of 1m
     --> scenario.toml:4:10
      |
    4 | warmup = "1m"
      |          ^^^^
      |
      = hint: `duration` includes the warm-up
    "##);
}

#[test]
fn a_rate_of_zero() {
    let text = r#"
[workload]
kind = "chat"
qps = 0
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `workload.qps` is a rate above 0, not `0`
     --> scenario.toml:3:7
      |
    3 | qps = 0
      |       ^
      |
      = hint: requests per second over all users: `qps = 2` or `qps = 0.5`
    "##);
}

#[test]
fn no_users() {
    let text = r#"
[workload]
kind = "chat"
users = 0
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `workload.users` is 1 or more, not 0
     --> scenario.toml:3:9
      |
    3 | users = 0
      |         ^
    "##);
}

#[test]
fn a_reset_that_is_no_path() {
    let text = r#"
[workload]
kind = "document_qa"
[server]
reset = ["reset_prefix_cache"]
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `reset_prefix_cache` is neither a path nor a URL
     --> scenario.toml:4:10
      |
    4 | reset = ["reset_prefix_cache"]
      |          ^^^^^^^^^^^^^^^^^^^^
      |
      = hint: write `"/reset_prefix_cache"`, or a whole URL for a cache that lives elsewhere
    "##);
}
