//! Comparisons as `JUnit` XML, which CI systems show: a test case for each measure over all cells, for those that decide in each cell, and
//! for each score. Of what decides, regressed is a failure and not enough data is skipped; of the others a case says what became of it,
//! and never fails.

use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::words;
use crate::analysis::compare::{ComparisonVerdict, MeasureEffect, VariantComparison};
use crate::analysis::{named_cell, show_axes};

/// All comparisons as one document.
pub fn junit(comparisons: &[VariantComparison]) -> Result<String, SerializeError> {
    let mut report = Report::new("bench compare");
    report.add_test_suites(comparisons.iter().map(suite));
    report.to_string()
}

fn suite(comparison: &VariantComparison) -> TestSuite {
    let name: Vec<String> = words::labels(comparison).into_iter().chain([words::headline(comparison)]).collect();
    let mut suite = TestSuite::new(name.join(". "));
    suite.add_test_cases(cases(comparison));
    suite
}

/// One test case. What takes no part in the whole call says what became of it and never fails.
fn case(class: &str, name: String, words: &str, call: ComparisonVerdict, decides: bool) -> TestCase {
    let mut status = match call {
        _ if !decides => TestCaseStatus::success(),
        ComparisonVerdict::Regressed => TestCaseStatus::non_success(NonSuccessKind::Failure),
        ComparisonVerdict::NotEnoughData => TestCaseStatus::skipped(),
        ComparisonVerdict::Same | ComparisonVerdict::Improved => TestCaseStatus::success(),
    };
    status.set_message(words);
    let mut case = TestCase::new(name, status);
    case.set_classname(class);
    if !decides {
        case.set_system_out(format!("beside, deciding nothing: {words}"));
    }
    case
}

fn cases(comparison: &VariantComparison) -> Vec<TestCase> {
    let name = format!("{} -> {}", comparison.base.name, comparison.new.name);
    let all = comparison.overall.iter().map(|effect| ("all cells".to_owned(), effect));
    let of_cell = |cell: &crate::analysis::compare::CellComparison| named_cell(&cell.axes);
    let single = comparison.cells.iter().flat_map(|cell| cell.effects.iter().map(move |effect| (of_cell(cell), effect)));
    let decides = |effect: &MeasureEffect| comparison.primary.contains(&effect.measure);
    let single = single.filter(|(_, effect)| decides(effect));
    let mut cases: Vec<TestCase> = all
        .chain(single)
        .map(|(place, effect)| {
            let (base, new) = (words::value(effect, effect.base), words::value(effect, effect.new));
            let words = format!("{}: {base} -> {new}, change {}", effect.call.name(), words::change(effect));
            case(&name, format!("{place}: {}", effect.measure), &words, effect.call, decides(effect))
        })
        .collect();
    cases.extend(comparison.scores.iter().map(|score| {
        let within = show_axes(&score.within);
        let at = if within.is_empty() { String::new() } else { format!("{within}: ") };
        case(&name, format!("{at}{}", score.score), &words::score(score), score.call, true)
    }));
    cases.extend(comparison.answers.iter().map(|answers| case(&name, "answers".to_owned(), &words::answers(answers), answers.call, true)));
    cases
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::compare::{CompareOptions, SavedVariant, compare};
    use crate::fixtures::sweeps::{cell, failed, sweep, uniform};
    use crate::records::record::FailureKind;
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
        let text = junit(&[comparison]).unwrap();
        let report = Report::deserialize_from_str(&text).unwrap();
        let suite = &report.test_suites[0];
        let count = |is: fn(&TestCaseStatus) -> bool| suite.test_cases.iter().filter(|case| is(&case.status)).count();
        let (failed, skipped) = (
            count(|status| matches!(status, TestCaseStatus::NonSuccess { .. })),
            count(|status| matches!(status, TestCaseStatus::Skipped { .. })),
        );
        assert_eq!((suite.tests, suite.failures, suite.errors, suite.skipped), (suite.test_cases.len(), failed, 0, skipped), "{text}");
        assert!(failed > 0 && skipped > 0, "{text}");
        assert!(suite.name.contains("<new> & \"odd\"") && suite.name.contains(SIMULATED), "{text}");
        let mut beside = suite.test_cases.iter().filter_map(|case| case.system_out.as_ref());
        assert!(beside.any(|output| output.starts_with("beside, deciding nothing: same: 6.67 ms")), "{text}");
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
