//! The report's page in a real Chromium: it renders, sorts, filters and copies, is reached by keys, prints, asks nothing of the network,
//! has no error on its console, and passes axe's rules for accessibility. One browser for all; every wait is for an event.
//!
//! Where there is no Chromium the test says so and passes, unless `BENCH_REQUIRE_BROWSER` is set. `BENCH_CHROMIUM` names another
//! browser than the first on the path; `BENCH_AXE` is the path of `axe.min.js`, without which the rules are not run.

mod browser;
mod checks;
mod pages;

use browser::Browser;

/// However the cells are shared out: the tables and pictures of one variant are fewer where there are more variants.
#[test]
fn ten_thousand_cells_weigh_at_most_two_megabytes() {
    for (variants, shape) in [(1, [200, 50]), (2, [100, 50]), (10, [40, 25]), (20, [25, 20])] {
        let bytes = pages::made_of(variants, shape).len();
        assert!(bytes <= 2_000_000, "{variants} variants of {shape:?}: {bytes} bytes");
    }
}

#[test]
fn the_page_holds_in_a_real_browser() {
    let is_required = std::env::var_os("BENCH_REQUIRE_BROWSER").is_some();
    let Some(program) = browser::find() else {
        assert!(
            !is_required,
            "BENCH_REQUIRE_BROWSER is set and there is no Chromium on the path; install it, or name it in BENCH_CHROMIUM"
        );
        eprintln!("skipped: no Chromium; install it, or name it in BENCH_CHROMIUM");
        return;
    };
    let axe = std::env::var_os("BENCH_AXE").map(|path| std::fs::read_to_string(path).expect("BENCH_AXE names axe.min.js"));
    assert!(axe.is_some() || !is_required, "BENCH_REQUIRE_BROWSER is set and BENCH_AXE is not; .ci/run fetches it");
    if axe.is_none() {
        eprintln!("skipped: the rules for accessibility; name axe.min.js in BENCH_AXE");
    }
    let folder = tempfile::tempdir().unwrap();
    let (real, large) = (pages::of_the_shipped_sweep(folder.path()), pages::of_ten_thousand_cells(folder.path()));
    let mut browser = Browser::start(&program);

    let mut tab = browser.open(&real);
    checks::the_verdict_is_in_the_first_screen(&mut tab);
    checks::the_numbers_in_a_heatmap_can_be_read_on_a_phone(&mut tab);
    checks::a_click_on_a_head_sorts_the_table(&mut tab);
    checks::a_search_leaves_the_rows_that_hold_it(&mut tab);
    checks::what_is_shown_is_copied_with_or_without_a_clipboard(&mut tab);
    checks::keys_reach_everything_and_sort(&mut tab);
    checks::a_cell_tells_its_words_on_hover_and_by_arrow_keys(&mut tab);
    checks::nothing_runs_over_in_any_width_and_theme(&mut tab, axe.as_deref());
    checks::it_prints(&mut tab);
    checks::nothing_was_requested_and_nothing_complained(&tab, &real);
    checks::without_scripts_it_is_plain_tables(&mut tab, 24);
    checks::every_cell_of_a_picture_has_its_words_without_scripts(&mut tab);
    drop(tab);

    let mut tab = browser.open(&large);
    checks::of_ten_thousand_cells_only_what_is_looked_at_is_there(&mut tab, &large);
    checks::rows_are_made_as_they_are_looked_at(&mut tab);
    checks::all_ten_thousand_can_be_sorted_searched_and_chosen(&mut tab);
    checks::all_ten_thousand_are_copied_and_printed(&mut tab);
    checks::a_cell_of_many_is_made_when_it_is_looked_at(&mut tab);
    checks::nothing_runs_over_in_any_width_and_theme(&mut tab, axe.as_deref());
    checks::nothing_was_requested_and_nothing_complained(&tab, &large);
    checks::without_scripts_it_is_plain_tables(&mut tab, 10_000);
}
