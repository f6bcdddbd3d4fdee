//! Held against every completion there is: small cells are filled in all possible ways, and judged by the code that judges whole cells.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::{GoalCertaintyTest, GoalCounts, statement};
use crate::analysis::clusters::{effective_rows, effective_rows_of_share, least_effective_rows};
use crate::analysis::fixture::{answered, failed, table};
use crate::analysis::summary::GoalVerdict;
use crate::analysis::{judge, percentile};
use crate::records::record::{FailureKind, RequestRecord};
use crate::vocabulary::goal::{Aggregate, ComparisonOperator, Goal};

/// No time at all, within, the limit, beyond, a failure: both ends of what a missing row may be are among them.
const VALUES: [f64; 5] = [0.0, 0.37, 1.0, 1.83, f64::INFINITY];

/// What is good, where a goal asks how many are.
const GOOD: f64 = 1.0;

fn goal(text: &str) -> Goal {
    text.parse().unwrap()
}

/// All ways to share `rows` among the five values.
fn fillings(rows: u64) -> Vec<[u64; 5]> {
    let mut all = Vec::new();
    for a in 0..=rows {
        for b in 0..=rows - a {
            for c in 0..=rows - a - b {
                all.extend((0..=rows - a - b - c).map(|d| [a, b, c, d, rows - a - b - c - d]));
            }
        }
    }
    all
}

fn values(filling: [u64; 5]) -> Vec<f64> {
    filling.into_iter().zip(VALUES).flat_map(|(count, value)| (0..count).map(move |_| value)).collect()
}

fn counts(goal: &Goal, filling: [u64; 5]) -> GoalCounts {
    let mut counts = GoalCounts::default();
    for value in values(filling) {
        match goal.measure.aggregate {
            Aggregate::ErrorRate => counts.add_case(value.is_infinite()),
            Aggregate::Goodput(_) => counts.add_case(value > GOOD),
            _ => counts.add(goal, value),
        }
    }
    counts
}

/// What a whole cell of independent rows says.
fn judged(goal: &Goal, filling: [u64; 5]) -> (bool, GoalVerdict) {
    let ascending = values(filling);
    let (rows, upper) = (ascending.len() as u64, matches!(goal.comparison, ComparisonOperator::Less | ComparisonOperator::LessOrEqual));
    let beyond = ascending.iter().filter(|value| !goal.allows(**value)).count() as u64;
    let share = |beyond, allowed| GoalVerdict::from(statement(beyond, rows, rows, allowed));
    match &goal.measure.aggregate {
        Aggregate::Percentile(p, _) => {
            let p = *p;
            let allowed = if upper { (100.0 - p) / 100.0 } else { p / 100.0 };
            (goal.allows(percentile(&ascending, p).unwrap()), share(beyond, allowed))
        }
        Aggregate::ErrorRate => {
            #[expect(clippy::cast_precision_loss, reason = "ten rows")]
            let passes = goal.allows(filling[4] as f64 / rows as f64);
            let statement = statement(filling[4], rows, rows, goal.limit);
            (passes, if upper { statement } else { statement.opposite() }.into())
        }
        Aggregate::Goodput(_) => {
            let good = ascending.iter().filter(|value| **value <= GOOD).count() as u64;
            #[expect(clippy::cast_precision_loss, reason = "ten rows")]
            let passes = goal.allows(good as f64 / rows as f64);
            let statement = statement(rows - good, rows, rows, 1.0 - goal.limit);
            (passes, if upper { statement.opposite() } else { statement }.into())
        }
        Aggregate::Max(_) if upper => (beyond == 0, if beyond == 0 { GoalVerdict::Undecided } else { GoalVerdict::Missed }),
        Aggregate::Max(_) => (beyond < rows, if beyond < rows { GoalVerdict::Met } else { GoalVerdict::Undecided }),
        other => panic!("{other:?}"),
    }
}

/// Of all that agree, what they say.
fn agreed<T: PartialEq + Copy>(mut all: impl Iterator<Item = T>) -> Option<T> {
    let first = all.next()?;
    all.all(|next| next == first).then_some(first)
}

fn check_every_completion(goal: &Goal, rows: u64) {
    let whole: BTreeMap<[u64; 5], (bool, GoalVerdict)> =
        fillings(rows).into_iter().map(|filling| (filling, judged(goal, filling))).collect();
    let settling = GoalCertaintyTest::new(goal, rows, rows).unwrap();
    for seen in 0..=rows {
        let missing = fillings(rows - seen);
        for came in fillings(seen) {
            let completions = || missing.iter().map(|missing| whole[&std::array::from_fn(|value| came[value] + missing[value])]);
            let counts = counts(goal, came);
            let (passes, verdict) = (agreed(completions().map(|(passes, _)| passes)), agreed(completions().map(|(_, verdict)| verdict)));
            assert_eq!(settling.passes(&counts), passes, "{goal}: {came:?} of {rows}");
            assert_eq!(settling.verdict(&counts), verdict, "{goal}: {came:?} of {rows}");
        }
    }
}

#[test]
fn a_percentile_is_settled_exactly_when_all_completions_of_independent_rows_agree() {
    for rows in 1..=10 {
        let percentiles: &[&str] = if rows < 9 { &["p5", "p50", "p62.5", "p90", "p95"] } else { &["p80", "p95"] };
        for p in percentiles {
            for comparison in ["<=", ">="] {
                check_every_completion(&goal(&format!("{p}(ttft) {comparison} 1s")), rows);
            }
        }
    }
    check_every_completion(&goal("p75(ttft) < 1s"), 7);
    check_every_completion(&goal("p25(e2e) > 1s"), 7);
}

#[test]
fn other_goals_are_settled_exactly_when_all_completions_agree() {
    let shares = ["error_rate <= 20%", "error_rate <= 0%", "error_rate < 50%", "error_rate >= 60%"];
    let goodputs = ["goodput(ttft <= 1s) >= 80%", "goodput(ttft <= 1s) > 50%", "goodput(ttft <= 1s) >= 100%", "goodput(ttft <= 1s) <= 60%"];
    for rows in 1..=7 {
        for text in shares.into_iter().chain(goodputs).chain(["max(ttft) <= 1s", "max(ttft) >= 1s"]) {
            // A share's rows are those that failed or are good, whatever else they are.
            check_every_completion(&goal(text), rows);
        }
    }
}

/// Every way to fill sessions of these sizes.
fn every_cell(sizes: &[u64], values: &[f64], mut visit: impl FnMut(&[Vec<f64>])) {
    let rows: u64 = sizes.iter().sum();
    let mut digits = vec![0_usize; usize::try_from(rows).unwrap()];
    loop {
        let mut at = 0;
        let sessions: Vec<Vec<f64>> = sizes
            .iter()
            .map(|size| {
                let end = at + usize::try_from(*size).unwrap();
                let session = digits[at..end].iter().map(|digit| values[*digit]).collect();
                at = end;
                session
            })
            .collect();
        visit(&sessions);
        let Some(place) = digits.iter().position(|digit| digit + 1 < values.len()) else { return };
        digits[place] += 1;
        digits[..place].fill(0);
    }
}

#[test]
fn what_is_settled_of_sessions_holds_for_every_way_to_fill_them() {
    for sizes in [vec![3, 3], vec![2, 2, 2], vec![1, 2, 4], vec![2, 2, 2, 1]] {
        let rows: u64 = sizes.iter().sum();
        for (text, p) in [("p20(ttft) <= 1s", 20.0), ("p90(ttft) <= 1s", 90.0), ("p95(ttft) <= 1s", 95.0), ("p10(ttft) >= 1s", 10.0)] {
            let goal = goal(text);
            let allowed = if text.contains("<=") { (100.0 - p) / 100.0 } else { p / 100.0 };
            let least = least_effective_rows(&sizes);
            // By the count beyond the limit, every verdict that some cell gives.
            let mut said: BTreeMap<u64, Vec<GoalVerdict>> = BTreeMap::new();
            every_cell(&sizes, &[0.4, 0.9, 1.6], |sessions| {
                let effective = effective_rows(&sessions.iter().collect(), rows, p);
                assert!((least..=rows).contains(&effective), "{effective} of {sessions:?}");
                let beyond = sessions.iter().flatten().filter(|value| !goal.allows(**value)).count() as u64;
                said.entry(beyond).or_default().push(statement(beyond, rows, effective, allowed).into());
            });
            let settling = GoalCertaintyTest::new(&goal, rows, least).unwrap();
            let mut settled = 0;
            for fewest in 0..=rows {
                for most in fewest..=rows {
                    let counts = GoalCounts { seen: rows - (most - fewest), beyond: fewest, ..GoalCounts::default() };
                    let Some(verdict) = settling.verdict(&counts) else { continue };
                    settled += 1;
                    assert!(
                        said.range(fewest..=most).all(|(_, said)| said.iter().all(|said| *said == verdict)),
                        "{text} {sizes:?} {fewest}..{most}"
                    );
                }
            }
            assert!(settled > 1, "{text} {sizes:?}");
        }
    }
}

#[test]
fn failures_in_sessions_are_worth_no_fewer_rows_than_is_reckoned_with() {
    for sizes in [vec![2; 5], vec![1, 3, 2, 2, 1], vec![4, 1, 1, 1, 1, 1]] {
        let (rows, least) = (sizes.iter().sum(), least_effective_rows(&sizes));
        every_cell(&sizes, &[0.0, 1.0], |sessions| {
            assert!((least..=rows).contains(&effective_rows_of_share(&sessions.iter().collect(), rows)));
        });
    }
}

#[test]
fn the_judge_says_of_whole_cells_what_was_settled_of_their_first_rows() {
    let goals = [
        "p95(ttft where turn >= 1) <= 2s",
        "p50(ttft where turn >= 1) <= 2s",
        "p10(ttft where turn >= 1) >= 2s",
        "error_rate(where turn >= 1) <= 5%",
        "goodput(ttft <= 2s where turn >= 1) >= 95%",
        "goodput(ttft <= 1s and tpot <= 50ms where turn >= 1) >= 20%",
    ];
    let mut rng = Pcg64::seed_from_u64(5);
    let (mut settled, mut early) = (0, 0);
    for cell in 0..60 {
        let (sessions, turns, slow) = ([4_u64, 12, 20][cell % 3], 3, [0.02, 0.3, 0.9][cell / 3 % 3]);
        let mut records: Vec<RequestRecord> = Vec::new();
        for turn in 1..=turns {
            for session in 0..sessions {
                let is_slow = rng.random::<f64>() < slow;
                let fails = is_slow && rng.random::<f64>() < 0.2;
                let ttft = if is_slow { 2.0 + rng.random::<f64>() } else { 2.0 * rng.random::<f64>() };
                records.push(if fails { failed(session, turn, FailureKind::TimeoutIdle) } else { answered(session, turn, ttft) });
            }
        }
        let whole = table(&records);
        let sizes = vec![u64::from(turns); usize::try_from(sessions).unwrap()];
        for goal in goals.map(goal) {
            let judgement = judge(&goal, &whole).unwrap();
            let settling = GoalCertaintyTest::new(&goal, records.len() as u64, least_effective_rows(&sizes)).unwrap();
            let mut counts = GoalCounts::default();
            for (came, record) in records.iter().enumerate() {
                match &goal.measure.aggregate {
                    Aggregate::ErrorRate => counts.add_case(record.failure.is_some()),
                    Aggregate::Goodput(levels) => counts.add_case(!record.meets(levels)),
                    _ => counts.add(&goal, record.ttft_s().unwrap_or(f64::INFINITY)),
                }
                let (passes, verdict) = (settling.passes(&counts), settling.verdict(&counts));
                assert!(passes.is_none_or(|passes| passes == judgement.passes), "{goal} after {came}");
                assert!(verdict.is_none_or(|verdict| verdict == judgement.verdict), "{goal} after {came}");
                settled += u64::from(verdict.is_some());
                early += u64::from(verdict.is_some() && passes.is_some() && came + 10 < records.len());
            }
        }
    }
    assert!(settled > 500 && early > 100, "{settled} {early}");
}

#[test]
fn means_throughput_and_what_a_request_may_lack_wait_for_the_last_row() {
    for text in
        ["mean(ttft) <= 1s", "p95(itl) <= 50ms", "p95(tpot) <= 50ms/token", "p5(output_tps) >= 10 tokens/s", "throughput(requests) >= 1/s"]
    {
        assert_eq!(GoalCertaintyTest::new(&goal(text), 100, 100), None, "{text}");
    }
}
