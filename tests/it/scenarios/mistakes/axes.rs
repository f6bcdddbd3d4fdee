//! Mistakes in the matrix: axes, ranges, groups and how many cells they make.

use super::faults;

#[test]
fn an_axis_without_values() {
    let text = r#"
[workload]
kind = "document_qa"
[matrix]
concurrent = []
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: the axis `concurrent` has no values
     --> scenario.toml:4:14
      |
    4 | concurrent = []
      |              ^^
      |
      = hint: give it some, or take it out of `[matrix]`
    "##);
}

#[test]
fn the_same_value_twice_on_an_axis() {
    let text = r#"
[workload]
kind = "document_qa"
[matrix]
synthetic_tokens = [8192, "16k", "8k"]
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `workload.documents.synthetic_tokens` has `8k` already
     --> scenario.toml:4:34
      |
    4 | synthetic_tokens = [8192, "16k", "8k"]
      |                     ----         ^^^^
      |                     |
      |                     first here
    "##);
}

#[test]
fn an_axis_that_names_nothing() {
    let text = r#"
[workload]
kind = "document_qa"
[matrix]
sequental = [1, 2]
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `sequental` is no field of a cell with workload kind `document_qa`
     --> scenario.toml:4:1
      |
    4 | sequental = [1, 2]
      | ^^^^^^^^^
      |
      = hint: did you mean `sequential`?
    "##);
}

#[test]
fn an_axis_that_names_two_fields() {
    let text = r#"
[workload]
kind = "document_qa"
[matrix]
context_limit = ["8k", "16k"]
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `context_limit` is the name of 2 fields
     --> scenario.toml:4:1
      |
    4 | context_limit = ["8k", "16k"]
      | ^^^^^^^^^^^^^
      |
      = hint: write `target.context_limit` or `engine.context_limit`
    "##);
}

#[test]
fn one_axis_under_two_names() {
    let text = r#"
[workload]
kind = "document_qa"
[matrix]
concurrent = [1, 2]
workload.concurrent = [3, 4]
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `workload.concurrent` is an axis already
     --> scenario.toml:5:10
      |
    4 | concurrent = [1, 2]
      | ---------- first here
    5 | workload.concurrent = [3, 4]
      |          ^^^^^^^^^^
    "##);
}

#[test]
fn a_wrong_type_on_an_axis() {
    let text = r#"
[workload]
kind = "document_qa"
[matrix]
concurrent = [1, "two", 3]
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `workload.concurrent` is a whole number, not the text `"two"`
     --> scenario.toml:4:18
      |
    4 | concurrent = [1, "two", 3]
      |                  ^^^^^
    "##);
}

#[test]
fn a_range_that_goes_down() {
    let text = r#"
[workload]
kind = "document_qa"
[matrix]
concurrent = "4..=1"
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `4..=1` is empty
     --> scenario.toml:4:14
      |
    4 | concurrent = "4..=1"
      |              ^^^^^^^
      |
      = hint: a range goes up: `1..=4`
    "##);
}

#[test]
fn a_range_without_end() {
    let text = r#"
[workload]
kind = "document_qa"
[matrix]
concurrent = "0..=64 x2"
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `0..=64 x2` does not come to an end
     --> scenario.toml:4:14
      |
    4 | concurrent = "0..=64 x2"
      |              ^^^^^^^^^^^
      |
      = hint: a factor starts above 0 and is larger than 1
    "##);
}

#[test]
fn a_range_of_more_than_a_million_points() {
    let text = r#"
[workload]
kind = "document_qa"
[matrix]
rounds = "1..=2000000"
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `1..=2000000` has more than 1,000,000 points
     --> scenario.toml:4:10
      |
    4 | rounds = "1..=2000000"
      |          ^^^^^^^^^^^^^
      |
      = hint: give it a larger step: `1..=64 x2`
    "##);
}

#[test]
fn a_plan_of_more_than_100_000_cells() {
    let text = r#"
repeats = 10
[workload]
kind = "document_qa"
[matrix]
concurrent = "1..=200"
sequential = "1..=100"
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: the plan has 200,000 cells (200 of `workload.concurrent`, 100 of `workload.sequential`; times 10 for variants and repeats), more than 100,000
     --> scenario.toml:5:1
      |
    5 | concurrent = "1..=200"
      | ^^^^^^^^^^
      |
      = hint: take larger steps (`1..=64 x2`), zip axes, or split the scenario
    "##);
}

#[test]
fn zipped_axes_of_different_lengths() {
    let text = r#"
[workload]
kind = "document_qa"
[matrix]
concurrent = [1, 2, 3]
sequential = [1, 2]
zip = [["concurrent", "sequential"]]
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: zipped axes have equally many values: `workload.concurrent` has 3, `workload.sequential` has 2
     --> scenario.toml:6:8
      |
    6 | zip = [["concurrent", "sequential"]]
      |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "##);
}

#[test]
fn zip_above_the_matrix() {
    let text = r#"
zip = [["concurrent", "sequential"]]
[workload]
kind = "document_qa"
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: a scenario has no field `zip`
     --> scenario.toml:1:1
      |
    1 | zip = [["concurrent", "sequential"]]
      | ^^^
      |
      = hint: `zip` belongs to `[matrix]`
    "##);
}

#[test]
fn an_include_that_leaves_an_axis_open() {
    let text = r#"
[workload]
kind = "document_qa"
[matrix]
concurrent = [1, 2]
sequential = [1, 2]
[[matrix.include]]
concurrent = 8
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `include` names every axis; `workload.sequential` is missing
     --> scenario.toml:6:1
      |
    6 | [[matrix.include]]
      | ^^^^^^^^^^^^^^^^^^
    "##);
}

#[test]
fn an_exclude_that_fits_nothing() {
    let text = r#"
[workload]
kind = "document_qa"
[matrix]
concurrent = [1, 2]
[[matrix.exclude]]
concurrent = 3
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `exclude` names `3`, which `workload.concurrent` does not take
     --> scenario.toml:6:14
      |
    6 | concurrent = 3
      |              ^
      |
      = hint: it would leave out nothing
    "##);
}

#[test]
fn a_range_of_values_that_the_field_cannot_have() {
    let text = r#"
[workload]
kind = "document_qa"
[matrix]
concurrent = "8k..=16k"
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `workload.concurrent` is a whole number, not the text `"8k"`
     --> scenario.toml:4:14
      |
    4 | concurrent = "8k..=16k"
      |              ^^^^^^^^^^
    "##);
}
