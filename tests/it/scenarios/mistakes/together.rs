//! Many mistakes at once, and mistakes in YAML.

use super::faults;

#[test]
#[expect(clippy::too_many_lines, reason = "all that is told")]
fn many_mistakes_at_once() {
    let text = r#"
nam = "x"
repeats = 0
[workload]
kind = "document_qa"
concurrant = 4
documents = { synthetic_token = 5 }
answers = "forced"
[target]
url = "127.0.0.1:8000"
idle_timeout = "5 parsecs"
[matrix]
sequential = []
rounds = [1, 2, "x", 2]
[[goals]]
require = "p95(ttft where turns >= 1) <= 2s"
[[plots]]
x = "sequential"
z = "p95(tttft)"
[variants."a b".target]
kind = "simulated"
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: a scenario has no field `nam`
     --> scenario.toml:1:1
      |
    1 | nam = "x"
      | ^^^
      |
      = hint: did you mean `name`?

    error: `repeats` is 1 or more, not 0
     --> scenario.toml:2:11
      |
    2 | repeats = 0
      |           ^

    error: `workload` of kind `document_qa` has no field `concurrant`
     --> scenario.toml:5:1
      |
    5 | concurrant = 4
      | ^^^^^^^^^^
      |
      = hint: did you mean `concurrent`?

    error: `workload.documents` has no field `synthetic_token`
     --> scenario.toml:6:15
      |
    6 | documents = { synthetic_token = 5 }
      |               ^^^^^^^^^^^^^^^
      |
      = hint: did you mean `synthetic_tokens`?

    error: `workload.answers` is `live`, `scripted` or `forced_length`, not `forced`
     --> scenario.toml:7:11
      |
    7 | answers = "forced"
      |           ^^^^^^^^
      |
      = hint: did you mean `forced_length`?

    error: `127.0.0.1:8000` is no base URL: it does not begin with `http://` or `https://`
     --> scenario.toml:9:7
      |
    9 | url = "127.0.0.1:8000"
      |       ^^^^^^^^^^^^^^^^
      |
      = hint: write `url = "http://127.0.0.1:8000"`, with or without `/v1`

    error: `target.idle_timeout`: `5 parsecs` is not a duration such as `250ms`, `30s`, `2m`, `1h` or a number of seconds
      --> scenario.toml:10:16
       |
    10 | idle_timeout = "5 parsecs"
       |                ^^^^^^^^^^^

    error: the axis `sequential` has no values
      --> scenario.toml:12:14
       |
    12 | sequential = []
       |              ^^
       |
       = hint: give it some, or take it out of `[matrix]`

    error: `workload.rounds` is a whole number, not the text `"x"`
      --> scenario.toml:13:17
       |
    13 | rounds = [1, 2, "x", 2]
       |                 ^^^

    error: `workload.rounds` has `2` already
      --> scenario.toml:13:22
       |
    13 | rounds = [1, 2, "x", 2]
       |              -       ^
       |              |
       |              first here

    error: `turns` is no field of a request
      --> scenario.toml:15:27
       |
    15 | require = "p95(ttft where turns >= 1) <= 2s"
       |                           ^^^^^
       |
       = hint: did you mean `turn`?

    error: a heatmap needs `y`, the axis up the page
      --> scenario.toml:16:1
       |
    16 | [[plots]]
       | ^^^^^^^^^
       |
       = hint: name one, or write `kind = "curve"`

    error: `tttft` is not a metric
      --> scenario.toml:18:10
       |
    18 | z = "p95(tttft)"
       |          ^^^^^
       |
       = hint: did you mean `ttft`?

    error: `a b` cannot name a variant
      --> scenario.toml:19:11
       |
    19 | [variants."a b".target]
       |           ^^^^^
       |
       = hint: letters, digits, `.`, `_` and `-`, beginning with a letter or digit, at most 64

    error: `target.kind` is `http` or `sim`, not `simulated`
      --> scenario.toml:20:8
       |
    20 | kind = "simulated"
       |        ^^^^^^^^^^^
       |
       = hint: did you mean `sim`?
    "##);
}

#[test]
fn a_misspelt_field_and_a_key_without_a_value_in_yaml() {
    let text = r"
workload:
  kind: document_qa
  concurrant: 4
target:
";
    insta::assert_snapshot!(faults("scenario.yaml", text), @r##"
    error: `workload` of kind `document_qa` has no field `concurrant`
     --> scenario.yaml:3:3
      |
    3 |   concurrant: 4
      |   ^^^^^^^^^^
      |
      = hint: did you mean `concurrent`?

    error: `target` has no value
     --> scenario.yaml:4:1
      |
    4 | target:
      | ^^^^^^
      |
      = hint: give it one, or leave the line out for its default
    "##);
}

#[test]
fn the_same_key_twice_in_yaml() {
    let text = r"
workload:
  kind: chat
  qps: 1
  qps: 2
";
    insta::assert_snapshot!(faults("scenario.yaml", text), @r##"
    error: the same key twice in one table
     --> scenario.yaml:4:3
      |
    3 |   qps: 1
      |   --- first here
    4 |   qps: 2
      |   ^^^
      |
      = hint: leave one of them out
    "##);
}

#[test]
fn a_wrong_type_on_an_axis_in_yaml() {
    let text = r"
workload: {kind: chat}
matrix:
  qps: [1, two, 3]
";
    insta::assert_snapshot!(faults("scenario.yaml", text), @r##"
    error: `workload.qps` is a number, not the text `"two"`
     --> scenario.yaml:3:12
      |
    3 |   qps: [1, two, 3]
      |            ^^^
    "##);
}

#[test]
fn a_goal_that_does_not_parse_in_yaml() {
    let text = r"
workload: {kind: chat}
goals:
  - require: p95(ttft) <= 2parsecs
";
    insta::assert_snapshot!(faults("scenario.yaml", text), @r##"
    error: `2parsecs` is no limit for `p95(ttft)`: `parsecs` does not fit
     --> scenario.yaml:3:27
      |
    3 |   - require: p95(ttft) <= 2parsecs
      |                           ^^^^^^^^
      |
      = hint: write a time such as `2s` or `200ms`
    "##);
}

#[test]
fn a_tab_for_indentation_in_yaml() {
    let text = "workload:\n\tkind: chat";
    insta::assert_snapshot!(faults("scenario.yaml", text), @r##"
    error: tabs disallowed within this context (block indentation)
     --> scenario.yaml:2:2
      |
    2 |     kind: chat
      |     ^
      |
      = hint: indent with blanks
    "##);
}

#[test]
fn a_list_at_the_top_in_yaml() {
    let text = r"
- workload
- target
";
    insta::assert_snapshot!(faults("scenario.yaml", text), @r##"
    error: a scenario is a table of sections, not a list
     --> scenario.yaml:1:1
      |
    1 | - workload
      | ^
    "##);
}
