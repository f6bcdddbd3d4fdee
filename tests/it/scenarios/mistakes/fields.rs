//! Mistakes in fields: names, types, units and where they stand.

use super::faults;

#[test]
fn a_misspelt_field() {
    let text = r#"
[workload]
kind = "document_qa"
concurrant = 4
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `workload` of kind `document_qa` has no field `concurrant`
     --> scenario.toml:3:1
      |
    3 | concurrant = 4
      | ^^^^^^^^^^
      |
      = hint: did you mean `concurrent`?
    "##);
}

#[test]
fn a_name_that_stands_for_the_only_field_there_is() {
    let text = r#"
[workload]
kind = "document_qa"

[[goals]]
that = "p95(ttft) <= 2s"
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `goals.0` has no field `that`
     --> scenario.toml:5:1
      |
    5 | that = "p95(ttft) <= 2s"
      | ^^^^
      |
      = hint: it has `require`
    "##);
}

#[test]
fn a_number_in_quotes() {
    let text = r#"
[workload]
kind = "document_qa"
rounds = "5"
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `workload.rounds` is a whole number, not the text `"5"`
     --> scenario.toml:3:10
      |
    3 | rounds = "5"
      |          ^^^
      |
      = hint: write it without quotes: 5
    "##);
}

#[test]
fn no_workload_at_all() {
    let text = r#"
[target]
url = "http://127.0.0.1:8000"
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: the scenario has no `[workload]`
     --> scenario.toml:1:1
      |
    1 | [target]
      | ^
      |
      = hint: add one with `kind = "document_qa"` (whole documents, then questions), `kind = "chat"` (users at a rate), `kind = "requests"` (single requests) or `kind = "sessions"` (recorded ones)
    "##);
}

#[test]
fn a_workload_without_a_kind() {
    let text = r"
[workload]
qps = 2
user = 10
";
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `workload` needs `kind`
     --> scenario.toml:1:1
      |
    1 | [workload]
      | ^^^^^^^^^^
      |
      = hint: write `kind = "document_qa"` (whole documents, then questions), `kind = "chat"` (users at a rate), `kind = "requests"` (single requests) or `kind = "sessions"` (recorded ones)

    error: `workload` of kind `chat` has no field `user`
     --> scenario.toml:3:1
      |
    3 | user = 10
      | ^^^^
      |
      = hint: did you mean `users`?
    "##);
}

#[test]
fn a_kind_that_is_written_otherwise() {
    let text = r#"
[workload]
kind = "document-qa"
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `workload.kind` is `document_qa`, `chat`, `requests` or `sessions`, not `document-qa`
     --> scenario.toml:2:8
      |
    2 | kind = "document-qa"
      |        ^^^^^^^^^^^^^
      |
      = hint: did you mean `document_qa`?
    "##);
}

#[test]
fn a_field_of_the_other_kind() {
    let text = r#"
[workload]
kind = "document_qa"
qps = 3
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `workload` of kind `document_qa` has no field `qps`
     --> scenario.toml:3:1
      |
    3 | qps = 3
      | ^^^
      |
      = hint: `qps` belongs to the workload kinds `chat` and `requests`
    "##);
}

#[test]
fn a_field_in_the_wrong_section() {
    let text = r#"
[workload]
kind = "document_qa"
url = "http://127.0.0.1:8000"
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `workload` of kind `document_qa` has no field `url`
     --> scenario.toml:3:1
      |
    3 | url = "http://127.0.0.1:8000"
      | ^^^
      |
      = hint: `url` belongs to `[target]`
    "##);
}

#[test]
fn a_field_above_all_sections() {
    let text = r#"
concurrent = 4
[workload]
kind = "document_qa"
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: a scenario has no field `concurrent`
     --> scenario.toml:1:1
      |
    1 | concurrent = 4
      | ^^^^^^^^^^
      |
      = hint: `concurrent` belongs to `[workload]`
    "##);
}

#[test]
fn the_same_key_twice() {
    let text = r#"
[workload]
kind = "document_qa"
rounds = 3
rounds = 4
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: the same key twice in one table
     --> scenario.toml:4:1
      |
    4 | rounds = 4
      | ^^^^^^
      |
      = hint: leave one of them out
    "##);
}

#[test]
fn a_text_without_quotes() {
    let text = r"
[workload]
kind = chat
";
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: a text without quotes
     --> scenario.toml:2:8
      |
    2 | kind = chat
      |        ^^^^
      |
      = hint: texts stand in quotes: `"chat"`
    "##);
}

#[test]
fn a_unit_that_does_not_exist() {
    let text = r#"
[workload]
kind = "chat"
duration = "2 days"
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `workload.duration`: `2 days` is not a duration such as `250ms`, `30s`, `2m`, `1h` or a number of seconds
     --> scenario.toml:3:12
      |
    3 | duration = "2 days"
      |            ^^^^^^^^
    "##);
}

#[test]
fn a_negative_length() {
    let text = r#"
[workload]
kind = "document_qa"
answer_tokens = -1
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `workload.answer_tokens`: `-1` is not a length: a number of tokens such as `512` or `8k`, `uniform(100..2000)`, `normal(1000, 200)`, `lognormal(1000, 500, 1..8000)` or `file(lengths.txt)`
     --> scenario.toml:3:17
      |
    3 | answer_tokens = -1
      |                 ^^
    "##);
}

#[test]
fn a_list_where_one_value_belongs() {
    let text = r#"
[workload]
kind = "document_qa"
concurrent = [1, 2]
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `workload.concurrent` is a whole number, not a list
     --> scenario.toml:3:14
      |
    3 | concurrent = [1, 2]
      |              ^^^^^^
      |
      = hint: several values make an axis: put `workload.concurrent` into `[matrix]`
    "##);
}

#[test]
fn a_cache_tier_without_its_bandwidth() {
    let text = r#"
[workload]
kind = "document_qa"
[engine]
host_tier = { capacity = "500GB" }
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `engine.host_tier` needs `bandwidth`
     --> scenario.toml:4:13
      |
    4 | host_tier = { capacity = "500GB" }
      |             ^^^^^^^^^^^^^^^^^^^^^^
    "##);
}

#[test]
fn a_name_that_is_no_folder() {
    let text = r#"
name = "C×S / 128k"
[workload]
kind = "chat"
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `C×S / 128k` cannot name a scenario, since folders are named after it
     --> scenario.toml:1:8
      |
    1 | name = "C×S / 128k"
      |        ^^^^^^^^^^^^
      |
      = hint: letters, digits, `.`, `_` and `-`, beginning with a letter or digit, at most 64
    "##);
}
