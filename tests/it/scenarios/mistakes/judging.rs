//! Mistakes in goals, plots and variants.

use super::faults;

#[test]
fn a_goal_with_a_mistyped_metric() {
    let text = r#"
[workload]
kind = "chat"
[[goals]]
require = "p95(tttf where turn >= 1) <= 2s"
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `tttf` is not a metric
     --> scenario.toml:4:16
      |
    4 | require = "p95(tttf where turn >= 1) <= 2s"
      |                ^^^^
      |
      = hint: did you mean `ttft`?
    "##);
}

#[test]
fn a_goal_without_a_limit() {
    let text = r#"
[workload]
kind = "chat"
[[goals]]
require = "p95(ttft)"
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: expected `<`, `<=`, `>` or `>=` and a limit: the text ends
     --> scenario.toml:4:21
      |
    4 | require = "p95(ttft)"
      |                     ^
      |
      = hint: write a time such as `2s` or `200ms` behind it
    "##);
}

#[test]
fn goals_as_a_list_of_texts() {
    let text = r#"
goals = ["p95(ttft) <= 2s"]
[workload]
kind = "chat"
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `goals.0` is a table, not the text `"p95(ttft) <= 2s"`
     --> scenario.toml:1:10
      |
    1 | goals = ["p95(ttft) <= 2s"]
      |          ^^^^^^^^^^^^^^^^^
      |
      = hint: write `[[goals]]`, and below it `require = "p95(ttft) <= 2s"`
    "##);
}

#[test]
fn a_heatmap_without_a_second_axis() {
    let text = r#"
[workload]
kind = "chat"
[matrix]
qps = [1, 2]
[[plots]]
x = "qps"
z = "p95(ttft)"
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: a heatmap needs `y`, the axis up the page
     --> scenario.toml:5:1
      |
    5 | [[plots]]
      | ^^^^^^^^^
      |
      = hint: name one, or write `kind = "curve"`
    "##);
}

#[test]
fn a_plot_over_what_is_no_axis() {
    let text = r#"
[workload]
kind = "chat"
[matrix]
qps = [1, 2]
[[plots]]
kind = "curve"
x = "users"
z = "p95(ttft)"
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `users` is no axis of the matrix
     --> scenario.toml:7:5
      |
    7 | x = "users"
      |     ^^^^^^^
      |
      = hint: the matrix has `workload.qps`
    "##);
}

#[test]
fn a_variant_without_a_section() {
    let text = r#"
[workload]
kind = "chat"
[variants.vllm]
url = "http://127.0.0.1:8000"
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: a variant changes `workload`, `target`, `engine` and `server`, not `url`
     --> scenario.toml:4:1
      |
    4 | url = "http://127.0.0.1:8000"
      | ^^^
      |
      = hint: write `[variants.vllm.target]` above `url`
    "##);
}

#[test]
fn a_variant_with_its_own_matrix() {
    let text = r#"
[workload]
kind = "chat"
[variants.vllm.matrix]
qps = [1, 2]
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: a variant changes `workload`, `target`, `engine` and `server`, not `matrix`
     --> scenario.toml:3:16
      |
    3 | [variants.vllm.matrix]
      |                ^^^^^^
      |
      = hint: the rest of a scenario is the same for all variants
    "##);
}

#[test]
fn a_variant_whose_name_is_no_folder() {
    let text = r#"
[workload]
kind = "chat"
[variants."vLLM + LMCache".target]
model = "m"
"#;
    insta::assert_snapshot!(faults("scenario.toml", text), @r##"
    error: `vLLM + LMCache` cannot name a variant
     --> scenario.toml:3:11
      |
    3 | [variants."vLLM + LMCache".target]
      |           ^^^^^^^^^^^^^^^^
      |
      = hint: letters, digits, `.`, `_` and `-`, beginning with a letter or digit, at most 64
    "##);
}
