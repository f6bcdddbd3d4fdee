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

#[test]
fn a_throughput_that_is_divided_among_nobody_knows_whom() {
    let per_gpu = "[[goals]]\nrequire = \"throughput(output_tokens per gpu) >= 500 tokens/s\"\n";
    let said = faults("gpus.toml", per_gpu);
    assert!(said.contains("`throughput(output_tokens per gpu)` is of each GPU, and nobody says how many there are"), "{said}");
    assert!(said.contains("2 | require") && said.contains("write `gpus = 8` into `[target]`"), "{said}");
    let open = "[workload]\nkind = \"requests\"\nqps = 2\nduration = 10\nprompt_tokens = 100\nanswer_tokens = 10\n";
    let said = faults("users.toml", &format!("{open}[[goals]]\nrequire = \"throughput(requests per user) >= 1/s\"\n"));
    assert!(said.contains("is of each user, and these requests come by themselves") && said.contains("8 | require"), "{said}");
}

#[test]
fn a_frontier_along_a_throughput_that_rises_with_the_load() {
    let text = "search = \"frontier\"\n[matrix]\nconcurrent = \"1..=4\"\n[[goals]]\nrequire = \"throughput(requests) >= 10/s\"\n";
    let said = faults("rising.toml", text);
    assert!(said.contains("a frontier takes more load not to be easier, and `throughput(requests)` rises with it"), "{said}");
    assert!(said.contains("5 | require") && said.contains("goodput(ttft <= 500ms) >= 95%"), "{said}");
}

#[test]
fn a_price_and_gpus_that_are_none() {
    let said = faults("price.toml", "[target]\nprice_per_hour = -1\ngpus = 0\n");
    assert!(said.contains("`target.price_per_hour` is a number above 0") && said.contains("`target.gpus` is 1 or more"), "{said}");
}

#[test]
fn a_pareto_of_a_single_measure_and_bands_of_what_has_none() {
    let said = faults("pareto.toml", "[[plots]]\nkind = \"pareto\"\nx = \"throughput(requests)\"\n");
    assert!(said.contains("has both `x` and `y`, and `y` is missing") && said.contains("y = \"p95(ttft)\""), "{said}");
    let text = "[matrix]\nconcurrent = [1, 2]\nsequential = [1, 2]\n[[plots]]\nx = \"concurrent\"\ny = \"sequential\"\nz = \"p95(ttft)\"\nbands = false\n";
    assert!(faults("bands.toml", text).contains("a heatmap has no bands"));
}
