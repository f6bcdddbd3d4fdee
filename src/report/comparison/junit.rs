//! Comparisons as `JUnit` XML, which CI systems show: a test case for each primary measure of each cell, for every measure over all cells,
//! and for each score. Regressed is a failure, not enough data is skipped.

use std::fmt::Write as _;

use super::words;
use crate::analysis::compare::{Call, Comparison};
use crate::analysis::show_axes;
use crate::report::words::SIMULATED;

/// One test case.
struct Case {
    class: String,
    name: String,
    words: String,
    call: Call,
}

/// All comparisons as one document.
#[must_use]
pub fn junit(comparisons: &[Comparison]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for comparison in comparisons {
        suite(&mut out, comparison);
    }
    out.push_str("</testsuites>\n");
    out
}

fn suite(out: &mut String, comparison: &Comparison) {
    let cases = cases(comparison);
    let count = |call: Call| cases.iter().filter(|case| case.call == call).count();
    let label = if words::simulated(comparison) { format!("{SIMULATED}. ") } else { String::new() };
    let _ = writeln!(
        out,
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\">",
        escaped(&format!("{label}{}", words::headline(comparison))),
        cases.len(),
        count(Call::Regressed),
        count(Call::NotEnoughData)
    );
    for case in cases {
        let _ = write!(out, "    <testcase classname=\"{}\" name=\"{}\"", escaped(&case.class), escaped(&case.name));
        let words = escaped(&case.words);
        let _ = match case.call {
            Call::Regressed => writeln!(out, "><failure message=\"{words}\"/></testcase>"),
            Call::NotEnoughData => writeln!(out, "><skipped message=\"{words}\"/></testcase>"),
            Call::Same | Call::Improved => writeln!(out, "/>"),
        };
    }
    out.push_str("  </testsuite>\n");
}

fn cases(comparison: &Comparison) -> Vec<Case> {
    let name = format!("{} -> {}", comparison.base.name, comparison.new.name);
    let all = comparison.overall.iter().map(|effect| ("all cells".to_owned(), effect));
    let of_cell = |cell: &crate::analysis::compare::CellComparison| show_axes(&cell.axes);
    let single = comparison.cells.iter().flat_map(|cell| cell.effects.iter().map(move |effect| (of_cell(cell), effect)));
    let single = single.filter(|(_, effect)| comparison.primary.contains(&effect.measure));
    let mut cases: Vec<Case> = all
        .chain(single)
        .map(|(place, effect)| {
            let (base, new) = (words::value(effect, effect.base), words::value(effect, effect.new));
            let words = format!("{}: {base} -> {new}, change {}", effect.call.name(), words::change(effect));
            Case { class: name.clone(), name: format!("{place}: {}", effect.measure), words, call: effect.call }
        })
        .collect();
    cases.extend(comparison.scores.iter().map(|score| {
        let within = show_axes(&score.within);
        let at = if within.is_empty() { String::new() } else { format!("{within}: ") };
        Case { class: name.clone(), name: format!("{at}{}", score.score), words: words::score(score), call: score.call }
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
    use crate::analysis::compare::{Chosen, CompareOptions, compare};
    use crate::analysis::fixture::{cell, failed, sweep, uniform};
    use crate::record::FailureKind;

    fn slower() -> Comparison {
        let goal = &["p95(ttft where turn >= 1) <= 2s"];
        let base = sweep(goal, &[cell("vllm", 4, 4, uniform(4, 4, 0.5)), cell("vllm", 1, 1, uniform(1, 1, 0.5))]);
        let mut rows = uniform(4, 4, 0.9);
        rows.push(failed(15, 4, FailureKind::Connect));
        let new = sweep(goal, &[cell("vllm", 4, 4, rows), cell("vllm", 1, 1, uniform(1, 1, 0.9))]);
        compare(&Chosen { sweep: &base, variant: "vllm" }, &Chosen { sweep: &new, variant: "vllm" }, &CompareOptions::default()).unwrap()
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
        assert!(text.contains("| C=4, S=4 | p95(ttft where turn &gt;= 1) | 500 ms | 900 ms |"), "{text}");
    }
}
