//! Comparisons as `JUnit` XML, which CI systems show: a test case for each measure over all cells, for those that decide in each cell, and
//! for each score. Of what decides, regressed is a failure and not enough data is skipped; of the others a case says what became of it,
//! and never fails.

use std::fmt::Write as _;

use super::words;
use crate::analysis::compare::{ComparisonVerdict, MeasureEffect, VariantComparison};
use crate::analysis::show_axes;

/// One test case.
struct JunitTestCase {
    class: String,
    name: String,
    words: String,
    call: ComparisonVerdict,
    /// It takes part in the whole call.
    decides: bool,
}

/// All comparisons as one document.
#[must_use]
pub fn junit(comparisons: &[VariantComparison]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for comparison in comparisons {
        suite(&mut out, comparison);
    }
    out.push_str("</testsuites>\n");
    out
}

fn suite(out: &mut String, comparison: &VariantComparison) {
    let cases = cases(comparison);
    let count = |call: ComparisonVerdict| cases.iter().filter(|case| case.decides && case.call == call).count();
    let name: Vec<String> = words::labels(comparison).into_iter().chain([words::headline(comparison)]).collect();
    let _ = writeln!(
        out,
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\">",
        escaped(&name.join(". ")),
        cases.len(),
        count(ComparisonVerdict::Regressed),
        count(ComparisonVerdict::NotEnoughData)
    );
    for case in cases {
        let _ = write!(out, "    <testcase classname=\"{}\" name=\"{}\"", escaped(&case.class), escaped(&case.name));
        let words = escaped(&case.words);
        let _ = match case.call {
            _ if !case.decides => writeln!(out, "><system-out>beside, deciding nothing: {words}</system-out></testcase>"),
            ComparisonVerdict::Regressed => writeln!(out, "><failure message=\"{words}\"/></testcase>"),
            ComparisonVerdict::NotEnoughData => writeln!(out, "><skipped message=\"{words}\"/></testcase>"),
            ComparisonVerdict::Same | ComparisonVerdict::Improved => writeln!(out, "/>"),
        };
    }
    out.push_str("  </testsuite>\n");
}

fn cases(comparison: &VariantComparison) -> Vec<JunitTestCase> {
    let name = format!("{} -> {}", comparison.base.name, comparison.new.name);
    let all = comparison.overall.iter().map(|effect| ("all cells".to_owned(), effect));
    let of_cell = |cell: &crate::analysis::compare::CellComparison| show_axes(&cell.axes);
    let single = comparison.cells.iter().flat_map(|cell| cell.effects.iter().map(move |effect| (of_cell(cell), effect)));
    let decides = |effect: &MeasureEffect| comparison.primary.contains(&effect.measure);
    let single = single.filter(|(_, effect)| decides(effect));
    let mut cases: Vec<JunitTestCase> = all
        .chain(single)
        .map(|(place, effect)| {
            let (base, new) = (words::value(effect, effect.base), words::value(effect, effect.new));
            let words = format!("{}: {base} -> {new}, change {}", effect.call.name(), words::change(effect));
            JunitTestCase {
                class: name.clone(),
                name: format!("{place}: {}", effect.measure),
                words,
                call: effect.call,
                decides: decides(effect),
            }
        })
        .collect();
    cases.extend(comparison.scores.iter().map(|score| {
        let within = show_axes(&score.within);
        let at = if within.is_empty() { String::new() } else { format!("{within}: ") };
        JunitTestCase {
            class: name.clone(),
            name: format!("{at}{}", score.score),
            words: words::score(score),
            call: score.call,
            decides: true,
        }
    }));
    cases
}

/// Text as it may stand in an attribute; what XML cannot hold at all becomes a space.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => out.push(' '),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::compare::{CompareOptions, SavedVariant, compare};
    use crate::analysis::fixture::{cell, failed, sweep, uniform};
    use crate::record::FailureKind;
    use crate::report::words::SIMULATED;

    fn slower() -> VariantComparison {
        let goal = &["p50(ttft where turn >= 1) <= 2s"];
        let base = sweep(goal, &[cell("vllm", 4, 4, uniform(4, 4, 0.5)), cell("vllm", 1, 1, uniform(1, 1, 0.5))]);
        let mut rows = uniform(4, 4, 0.9);
        rows.push(failed(15, 4, FailureKind::Connect));
        let new = sweep(goal, &[cell("vllm", 4, 4, rows), cell("vllm", 1, 1, uniform(1, 1, 0.9))]);
        compare(&SavedVariant { sweep: &base, variant: "vllm" }, &SavedVariant { sweep: &new, variant: "vllm" }, &CompareOptions::default())
            .unwrap()
    }

    #[test]
    fn every_case_is_counted_and_a_regression_is_a_failure() {
        let mut comparison = slower();
        comparison.new.name = "<new> & \"odd\"\u{1}".into();
        let text = junit(&[comparison]);
        let count = |what: &str| text.matches(what).count();
        assert!(text.contains("&lt;new&gt; &amp; &quot;odd&quot; "), "{text}");
        let head = format!(
            "tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\"",
            count("<testcase "),
            count("<failure "),
            count("<skipped ")
        );
        assert!(text.contains(&head) && count("<failure ") > 0 && count("<skipped ") > 0, "{text}");
        assert!(text.contains(SIMULATED));
        assert!(text.contains("><system-out>beside, deciding nothing: same: 6.67 ms"), "{text}");
    }

    #[test]
    fn a_terminal_s_lines_fit_and_begin_with_the_call() {
        let text = super::super::terminal(&[slower()]);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(text.contains("vllm -> vllm: regressed") || text.contains("capacity"), "{text}");
        assert!(text.contains("SIMULATED"));
    }

    #[test]
    fn markdown_begins_with_the_call() {
        let text = super::super::markdown(&[slower()]);
        assert!(text.starts_with("# vllm -&gt; vllm: regressed\n"), "{text}");
        assert!(text.contains("| C=4, S=4 | p50(ttft where turn &gt;= 1) | 500 ms | 900 ms |"), "{text}");
    }
}
