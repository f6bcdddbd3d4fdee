//! Whether answers stay the same: equal prompts were given to both sides, and to each side once a repeat, so that what a change of the server
//! alters in its answers can be told from what the server itself does not repeat.
//!
//! In: the runs of paired cells, whose rows hold hashes of prompts and answers. Out: an [`AnswerAgreement`]; none where no row has any. Must not
//! know texts.

use std::collections::BTreeMap;

use polars::prelude::DataFrame;
use serde::{Deserialize, Serialize};

use super::comparison::ComparisonVerdict;
use super::pairs::CellPair;
use crate::analysis::AnalysisError;
use crate::foundation::normal::normal_quantile;
use crate::records::record::{AnswerHashes, RequestPhase};
use crate::records::store::SavedRun;

/// The share of sessions whose answers may differ more often between the sides than between repeats, and still count as the same.
const MARGIN: f64 = 0.05;

/// How many answers to equal prompts are equal.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AnswerAgreement {
    /// Of the base and the new side, run by run.
    pub between_sides: AnswerCounts,
    /// Of repeats of one side, both sides together; no sessions where there is one repeat.
    pub between_repeats: AnswerCounts,
    /// How much larger the share of equal sessions is between repeats than between the sides, with its interval at 95 % (R. G. Newcombe,
    /// "Interval estimation for the difference between independent proportions", Statistics in Medicine 17, 1998, method 10); missing where
    /// one of them has no sessions. A session is the unit, since its answers stand in its later prompts.
    pub loss: Option<[f64; 3]>,
    /// Regressed where the loss is surely above 0, same where it is surely below 5 %.
    pub call: ComparisonVerdict,
}

/// Answers to equal prompts, in pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AnswerCounts {
    /// Pairs of sessions that had at least one prompt in common.
    pub sessions: u64,
    /// Those in which every answer to a prompt in common was equal.
    pub equal_sessions: u64,
    /// Pairs of answers to equal prompts.
    pub answers: u64,
    pub equal_answers: u64,
    /// How many bytes those that differ have in common, the median and the least, in steps of 4; missing where none differ.
    pub shared_bytes: Option<SharedBytes>,
}

/// Bytes from the beginning of two answers to where they differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedBytes {
    pub median: u64,
    pub least: u64,
}

/// The answers of one run by session and turn: the prompt's hash and the answer's.
type RunAnswers = BTreeMap<(i64, i64), (i64, AnswerHashes)>;

/// Compares the answers of all pairs of cells; `None` where no run has hashes.
pub(super) fn agreement(pairs: &[CellPair<'_>]) -> Result<Option<AnswerAgreement>, AnalysisError> {
    let (mut between_sides, mut between_repeats) = (AnswerTally::default(), AnswerTally::default());
    let mut is_hashed = false;
    for pair in pairs {
        let [base, new] = [&pair.base.runs, &pair.new.runs].map(|runs| answers(runs));
        let (base, new) = (base?, new?);
        is_hashed |= base.values().chain(new.values()).any(|run| !run.is_empty());
        for (repeat, run) in &base {
            if let Some(other) = new.get(repeat) {
                between_sides.add(run, other);
            }
        }
        for side in [&base, &new] {
            for (one, other) in side.values().zip(side.values().skip(1)) {
                between_repeats.add(one, other);
            }
        }
    }
    Ok(is_hashed.then(|| AnswerAgreement::of(between_sides.counts(), between_repeats.counts())))
}

/// By repeat.
fn answers(runs: &[&SavedRun]) -> Result<BTreeMap<u32, RunAnswers>, AnalysisError> {
    runs.iter().map(|run| Ok((run.record.header.repeat, run_answers(run)?))).collect()
}

fn run_answers(run: &SavedRun) -> Result<RunAnswers, AnalysisError> {
    let mut found = RunAnswers::new();
    run.requests.columns(&["session", "turn", "phase", "prompt_hash", "answer_hashes"], |part: &DataFrame| {
        let (sessions, turns) = (part.column("session")?.i64()?, part.column("turn")?.i64()?);
        let (phases, prompts, hashes) =
            (part.column("phase")?.str()?, part.column("prompt_hash")?.i64()?, part.column("answer_hashes")?.str()?);
        let rows = sessions.iter().zip(turns.iter()).zip(phases.iter().zip(prompts.iter()).zip(hashes.iter()));
        for ((session, turn), ((phase, prompt), hashes)) in rows {
            let hashes = hashes.and_then(|text| AnswerHashes::try_from(text.to_owned()).ok());
            let (Some(session), Some(turn), Some(prompt), Some(hashes)) = (session, turn, prompt, hashes) else { continue };
            if phase == Some(RequestPhase::Measure.name()) {
                found.insert((session, turn), (prompt, hashes));
            }
        }
        Ok::<_, AnalysisError>(())
    })?;
    Ok(found)
}

/// What is counted of pairs of runs.
#[derive(Debug, Default)]
struct AnswerTally {
    counts: AnswerCounts,
    shared_bytes: Vec<u64>,
}

impl AnswerTally {
    fn add(&mut self, one: &RunAnswers, other: &RunAnswers) {
        let mut sessions: BTreeMap<i64, bool> = BTreeMap::new();
        for (place, (prompt, answer)) in one {
            let Some((_, other)) = other.get(place).filter(|(other, _)| other == prompt) else { continue };
            let shared_bytes = answer.shared_bytes(other);
            self.counts.answers += 1;
            self.counts.equal_answers += u64::from(shared_bytes.is_none());
            self.shared_bytes.extend(shared_bytes);
            *sessions.entry(place.0).or_insert(true) &= shared_bytes.is_none();
        }
        self.counts.sessions += sessions.len() as u64;
        self.counts.equal_sessions += sessions.values().filter(|is_equal| **is_equal).count() as u64;
    }

    fn counts(mut self) -> AnswerCounts {
        self.shared_bytes.sort_unstable();
        let median = self.shared_bytes.get(self.shared_bytes.len() / 2);
        let shared_bytes = median.zip(self.shared_bytes.first()).map(|(median, least)| SharedBytes { median: *median, least: *least });
        AnswerCounts { shared_bytes, ..self.counts }
    }
}

impl AnswerAgreement {
    fn of(between_sides: AnswerCounts, between_repeats: AnswerCounts) -> Self {
        let loss = loss(between_repeats, between_sides);
        let call = match loss {
            Some([_, low, _]) if low > 0.0 => ComparisonVerdict::Regressed,
            Some([_, _, high]) if high < MARGIN => ComparisonVerdict::Same,
            _ => ComparisonVerdict::NotEnoughData,
        };
        Self { between_sides, between_repeats, loss, call }
    }
}

/// The share of equal sessions of the first less that of the second, with its interval.
fn loss(repeats: AnswerCounts, sides: AnswerCounts) -> Option<[f64; 3]> {
    let (repeats, sides) = (ShareInterval::of(repeats)?, ShareInterval::of(sides)?);
    let value = repeats.share - sides.share;
    let low = value - (repeats.share - repeats.low).hypot(sides.high - sides.share);
    let high = value + (repeats.high - repeats.share).hypot(sides.share - sides.low);
    Some([value, low, high])
}

/// A share and its interval by E. B. Wilson's score ("Probable inference, the law of succession, and statistical inference", 1927).
#[derive(Debug, Clone, Copy)]
struct ShareInterval {
    share: f64,
    low: f64,
    high: f64,
}

impl ShareInterval {
    /// Of equal sessions; `None` of none.
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
    fn of(counts: AnswerCounts) -> Option<Self> {
        let (n, equal) = (counts.sessions as f64, counts.equal_sessions as f64);
        if counts.sessions == 0 {
            return None;
        }
        let share = equal / n;
        let z = normal_quantile(0.975);
        let middle = 2.0 * equal + z * z;
        let half = z * (z * z + 4.0 * equal * (1.0 - share)).sqrt();
        let scale = 2.0 * (n + z * z);
        Some(Self { share, low: (middle - half) / scale, high: (middle + half) / scale })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::compare::{CompareOptions, SavedVariant, VariantComparison, compare};
    use crate::analysis::fixture::{Cell, answered, cell, sweep};
    use crate::records::record::RequestRecord;

    fn counts(sessions: u64, equal_sessions: u64) -> AnswerCounts {
        AnswerCounts { sessions, equal_sessions, ..AnswerCounts::default() }
    }

    #[test]
    fn the_interval_of_a_difference_is_that_of_the_published_examples() {
        // Newcombe 1998, table II, method 10: 56/70 less 48/80, and 10/10 less 0/20.
        for (one, other, expected) in [((70, 56), (80, 48), [0.2, 0.0524, 0.3339]), ((10, 10), (20, 0), [1.0, 0.6791, 1.0])] {
            let found = loss(counts(one.0, one.1), counts(other.0, other.1)).unwrap();
            assert!(found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 5e-5), "{found:?}");
        }
        assert_eq!(loss(counts(0, 0), counts(5, 5)), None);
    }

    /// Two turns of so many sessions; the answers of every `astray`-th session go astray in the second, after 12 bytes.
    fn rows(sessions: u64, astray: u64) -> Vec<RequestRecord> {
        let hashed = |session: u64, turn: u32| {
            let answer = match (turn, session % astray) {
                (1, 0) => format!("{session:08} {turn} a wrong block"),
                _ => format!("{session:08} {turn} as it should be"),
            };
            let record = answered(session, turn, 0.5);
            RequestRecord { prompt_hash: Some(session * 2 + u64::from(turn)), answer_hashes: Some(AnswerHashes::of(&answer)), ..record }
        };
        (0..sessions).flat_map(|session| [hashed(session, 0), hashed(session, 1)]).collect()
    }

    fn compared(base: &[Cell], new: &[Cell]) -> VariantComparison {
        let (base, new) = (sweep(&[], base), sweep(&[], new));
        let chosen = |sweep| SavedVariant { sweep, variant: "vllm" };
        compare(&chosen(&base), &chosen(&new), &CompareOptions::default()).unwrap()
    }

    fn repeats(of: [Vec<RequestRecord>; 2]) -> Vec<Cell> {
        let repeat = |(rows, repeat)| Cell { repeat, ..cell("vllm", 4, 4, rows) };
        of.into_iter().zip(0..).map(repeat).collect()
    }

    #[test]
    fn answers_that_differ_more_between_the_sides_than_between_repeats_are_a_regression() {
        let right = || rows(100, u64::MAX);
        let comparison = compared(&repeats([right(), right()]), &repeats([rows(100, 2), rows(100, 2)]));
        let answers = comparison.answers.unwrap();
        // Session 0 is a multiple of all.
        let expected = AnswerCounts {
            sessions: 200,
            equal_sessions: 102,
            answers: 400,
            equal_answers: 302,
            shared_bytes: Some(SharedBytes { median: 12, least: 12 }),
        };
        assert_eq!(answers.between_sides, expected);
        assert_eq!((answers.between_repeats.answers, answers.between_repeats.equal_answers), (400, 400));
        assert_eq!((answers.call, comparison.call), (ComparisonVerdict::Regressed, ComparisonVerdict::Regressed));
    }

    #[test]
    fn answers_that_differ_as_much_between_repeats_are_the_same() {
        let (one, other) = (|| rows(400, 2), || rows(400, u64::MAX));
        let answers = compared(&repeats([one(), other()]), &repeats([other(), other()])).answers.unwrap();
        assert_eq!((answers.between_sides.equal_sessions, answers.between_repeats.equal_sessions), (601, 601));
        assert_eq!((answers.loss.map(|[value, ..]| value), answers.call), (Some(0.0), ComparisonVerdict::Same));
        let few = || rows(20, 2);
        let answers = compared(&repeats([few(), few()]), &repeats([few(), few()])).answers.unwrap();
        assert_eq!(answers.call, ComparisonVerdict::NotEnoughData);
    }

    #[test]
    fn other_prompts_are_not_compared_and_without_hashes_nothing_is_said() {
        let other = || rows(10, u64::MAX).into_iter().map(|row| RequestRecord { prompt_hash: Some(1 << 40), ..row }).collect();
        let answers = compared(&repeats([rows(10, 2), rows(10, 2)]), &repeats([other(), other()])).answers.unwrap();
        assert_eq!((answers.between_sides.answers, answers.loss, answers.call), (0, None, ComparisonVerdict::NotEnoughData));
        let plain = || (0..10).map(|session| answered(session, 0, 0.5)).collect();
        assert_eq!(compared(&repeats([plain(), plain()]), &repeats([plain(), plain()])).answers, None);
    }
}
