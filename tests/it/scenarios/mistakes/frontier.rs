//! Mistakes in `[search]`: frontiers that have no boundary to walk along, and axes without an end.

use super::faults;

const GOAL: &str = "[[goals]]\nrequire = \"p95(ttft) <= 2s\"\n";

fn of(text: &str) -> String {
    faults("scenario.toml", &format!("\nworkload.kind = \"document_qa\"\n{text}"))
}

#[test]
fn a_frontier_without_a_goal_or_an_axis() {
    insta::assert_snapshot!(of("search = \"frontier\"\n[matrix]\nmodel = [\"a\", \"b\"]\n"), @r##"
    error: a frontier needs an axis of numbers, and the matrix has none
     --> scenario.toml:2:10
      |
    2 | search = "frontier"
      |          ^^^^^^^^^^
      |
      = hint: give it one: `[matrix] concurrent = "1..=8"`

    error: a frontier lies between cells that pass and cells that fail, and there is no goal
     --> scenario.toml:2:10
      |
    2 | search = "frontier"
      |          ^^^^^^^^^^
      |
      = hint: add one: `[[goals]] require = "p95(ttft) <= 2s"`
    "##);
}

#[test]
fn a_frontier_whose_axes_are_not_named() {
    insta::assert_snapshot!(of(&format!("search = \"frontier\"\n[matrix]\nconcurrent = [1, 2]\nrounds = [3, 5]\n{GOAL}")), @r##"
    error: the matrix has 2 axes of numbers, and the frontier's are not named
     --> scenario.toml:2:10
      |
    2 | search = "frontier"
      |          ^^^^^^^^^^
      |
      = hint: name one or two: `axes = ["concurrent", "rounds"]`
    "##);
}

#[test]
fn a_frontier_along_values_that_do_not_ascend() {
    insta::assert_snapshot!(of(&format!("search = \"frontier\"\n[matrix]\nconcurrent = [4, 2, 1]\n{GOAL}")), @r##"
    error: `workload.concurrent` is an axis of the frontier, and its values do not ascend
     --> scenario.toml:4:1
      |
    4 | concurrent = [4, 2, 1]
      | ^^^^^^^^^^
      |
      = hint: list them from the least load to the most
    "##);
}

#[test]
fn a_frontier_over_three_axes_of_which_one_is_none() {
    let text = "[search]\nkind = \"frontier\"\naxes = [\"concurrent\", \"sequential\", \"qps\"]\n[matrix]\nconcurrent = [1, 2]\nsequential = [1, 2]\n";
    insta::assert_snapshot!(of(&format!("{text}{GOAL}")), @r##"
    error: a frontier has one axis or two, not 3
     --> scenario.toml:4:8
      |
    4 | axes = ["concurrent", "sequential", "qps"]
      |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: the others are swept outside: each of their values gets a frontier of its own

    error: `qps` is no axis of the matrix
     --> scenario.toml:4:37
      |
    4 | axes = ["concurrent", "sequential", "qps"]
      |                                     ^^^^^
      |
      = hint: the matrix has `workload.concurrent` and `workload.sequential`
    "##);
}

#[test]
fn a_frontier_with_zipped_left_out_and_added_cells() {
    let matrix = "[matrix]\nconcurrent = [1, 2]\nsequential = [1, 2]\nrounds = [3, 5]\nzip = [[\"sequential\", \"rounds\"]]\n";
    let cells = "[[matrix.exclude]]\nconcurrent = 2\n[[matrix.include]]\nconcurrent = 4\nsequential = 4\nrounds = 3\n";
    insta::assert_snapshot!(of(&format!("search = \"frontier\"\n{matrix}{cells}{GOAL}")), @r##"
    error: `workload.sequential` is an axis of the frontier and cannot be zipped
     --> scenario.toml:7:7
      |
    7 | zip = [["sequential", "rounds"]]
      |       ^^^^^^^^^^^^^^^^^^^^^^^^^^

    error: `workload.concurrent` is an axis of the frontier, of which no cells are left out
     --> scenario.toml:8:1
      |
    8 | [[matrix.exclude]]
      | ^^^^^^^^^^^^^^^^^^
      |
      = hint: give the axis fewer values, or write `kind = "grid"`

    error: a frontier has no cells beside the combinations of its axes
      --> scenario.toml:10:1
       |
    10 | [[matrix.include]]
       | ^^^^^^^^^^^^^^^^^^
       |
       = hint: leave `include` out
    "##);
}

#[test]
fn numbers_of_a_search_that_mean_nothing() {
    let search = "[search]\nkind = \"frontier\"\nrisk = 0.5\nmax_cells = 0\nmax_time = 0\nresolution = -1\n";
    insta::assert_snapshot!(of(&format!("{search}[matrix]\nconcurrent = [1, 2]\n{GOAL}")), @r##"
    error: `risk` is a share above 0 and below 0.5, not 0.5
     --> scenario.toml:4:8
      |
    4 | risk = 0.5
      |        ^^^

    error: `max_cells` is 1 or more, not 0
     --> scenario.toml:5:13
      |
    5 | max_cells = 0
      |             ^

    error: `max_time` is longer than nothing
     --> scenario.toml:6:12
      |
    6 | max_time = 0
      |            ^

    error: `resolution` is a number above 0
     --> scenario.toml:7:14
      |
    7 | resolution = -1
      |              ^^

    error: `resolution` is for an axis without an end, and there is none
     --> scenario.toml:7:14
      |
    7 | resolution = -1
      |              ^^
      |
      = hint: write such an axis: `concurrent = "1.. x2"`
    "##);
}

#[test]
fn what_is_for_a_frontier_in_a_grid() {
    insta::assert_snapshot!(of("[search]\nmax_cells = 3\n[matrix]\nconcurrent = \"1.. x2\"\n"), @r##"
    error: `max_cells` is for a frontier, and every cell is run
     --> scenario.toml:3:13
      |
    3 | max_cells = 3
      |             ^
      |
      = hint: write `kind = "frontier"`, or leave it out

    error: `1.. x2` has no end, and every cell of a grid is run
     --> scenario.toml:5:14
      |
    5 | concurrent = "1.. x2"
      |              ^^^^^^^^
      |
      = hint: give it one (`1..=64 x2`), or have it climbed until it fails: `search = "frontier"`
    "##);
}

#[test]
fn an_axis_without_an_end_beside_the_frontier_and_in_a_list() {
    let search = "[search]\nkind = \"frontier\"\naxes = [\"concurrent\"]\n";
    let matrix = "[matrix]\nconcurrent = [1, \"2.. x2\"]\nsequential = \"1.. +1\"\n";
    insta::assert_snapshot!(of(&format!("{search}{matrix}{GOAL}")), @r##"
    error: `2.. x2` has no end, so that it is an axis alone and no part of a list or a selection
     --> scenario.toml:6:18
      |
    6 | concurrent = [1, "2.. x2"]
      |                  ^^^^^^^^
      |
      = hint: write `concurrent = "1.. x2"` in `[matrix]`, or give it an end

    error: `workload.sequential` has no end, and is no axis of the frontier
     --> scenario.toml:7:1
      |
    7 | sequential = "1.. +1"
      | ^^^^^^^^^^
      |
      = hint: give it one (`1..=64 x2`), or name it in `axes`, which are `workload.concurrent`
    "##);
}

#[test]
fn axes_without_an_end_that_make_too_many_cells() {
    let search = "[search]\nkind = \"frontier\"\nlargest = 1000\n";
    insta::assert_snapshot!(of(&format!("{search}[matrix]\nconcurrent = \"1.. x2\"\nsequential = \"1.. x2\"\n{GOAL}")), @r##"
    error: the plan has 1,000,000 cells (1,000 of `workload.concurrent`, 1,000 of `workload.sequential`; times 1 for variants and repeats), more than 100,000
     --> scenario.toml:6:1
      |
    6 | concurrent = "1.. x2"
      | ^^^^^^^^^^
      |
      = hint: take larger steps (`1..=64 x2`), zip axes, or split the scenario
    "##);
}
