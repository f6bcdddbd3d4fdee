//! What the rows of a cell show, in a few numbers that the rows of a simulated one can be held to: by how much they may be off is told by drawing
//! sessions again (bootstrap).

#![expect(clippy::cast_precision_loss, reason = "counts and tokens are far below 2^53")]

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use crate::analysis::percentile;
use crate::records::record::{RequestPhase, RequestRecord};

/// A number that a cell shows. Times are natural logarithms of seconds, so that a difference is a ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CellStatistic {
    /// Of first turns, the mean of the logarithms of the time to first token.
    FirstTtftMean,
    FirstTtftP95,
    /// The same of later turns.
    LaterTtftMean,
    LaterTtftP50,
    LaterTtftP95,
    /// The mean of the logarithms of each answer's mean gap between tokens.
    GapMean,
    /// The share of the later turns' prompt tokens that came from a cache: a share, no logarithm.
    LaterHitShare,
}

impl CellStatistic {
    const ALL: [Self; 7] = [
        Self::FirstTtftMean,
        Self::FirstTtftP95,
        Self::LaterTtftMean,
        Self::LaterTtftP50,
        Self::LaterTtftP95,
        Self::GapMean,
        Self::LaterHitShare,
    ];

    /// How far a simulated cell may be off in this number though the model is right: one standard deviation beside that of the sample.
    #[must_use]
    pub fn tolerance(self) -> f64 {
        match self {
            Self::FirstTtftP95 | Self::LaterTtftP95 => 0.03,
            Self::FirstTtftMean | Self::LaterTtftMean | Self::LaterTtftP50 | Self::GapMean | Self::LaterHitShare => 0.02,
        }
    }

    fn of(self, rows: &[&RequestRecord]) -> Option<f64> {
        let ttft = |later: bool| {
            let of_turn = rows.iter().filter(move |row| (row.turn > 0) == later);
            of_turn.filter_map(|row| row.ttft_s()).filter(|seconds| *seconds > 0.0).map(f64::ln).collect::<Vec<f64>>()
        };
        match self {
            Self::FirstTtftMean => mean(&ttft(false)),
            Self::FirstTtftP95 => quantile(ttft(false), 95.0),
            Self::LaterTtftMean => mean(&ttft(true)),
            Self::LaterTtftP50 => quantile(ttft(true), 50.0),
            Self::LaterTtftP95 => quantile(ttft(true), 95.0),
            Self::GapMean => mean(&rows.iter().filter_map(|row| mean_gap_s(row)).map(f64::ln).collect::<Vec<f64>>()),
            Self::LaterHitShare => hit_share(rows),
        }
    }
}

/// A number with how far a repetition of the measurement would move it: one standard deviation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ObservedValue {
    pub statistic: CellStatistic,
    pub value: f64,
    pub error: f64,
}

/// What a cell shows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CellObservation {
    pub values: Vec<ObservedValue>,
}

/// How often sessions are drawn again.
const DRAWS: u64 = 64;

impl CellObservation {
    /// Of the measured rows of a cell, all its repeats together.
    #[must_use]
    pub fn of(runs: &[Vec<RequestRecord>]) -> Self {
        let sessions = sessions(runs);
        let all: Vec<&RequestRecord> = sessions.iter().flatten().copied().collect();
        let drawn: Vec<Vec<&RequestRecord>> = (0..DRAWS).map(|seed| drawn_again(&sessions, seed)).collect();
        let observed = |statistic: CellStatistic| {
            let value = statistic.of(&all)?;
            let again: Vec<f64> = drawn.iter().filter_map(|rows| statistic.of(rows)).collect();
            Some(ObservedValue { statistic, value, error: deviation(&again) })
        };
        Self { values: CellStatistic::ALL.into_iter().filter_map(observed).collect() }
    }

    /// The same numbers without their errors, of simulated rows.
    #[must_use]
    pub fn plain(runs: &[Vec<RequestRecord>]) -> BTreeMap<CellStatistic, f64> {
        let all: Vec<&RequestRecord> = runs.iter().flatten().filter(|row| counts(row)).collect();
        CellStatistic::ALL.into_iter().filter_map(|statistic| Some((statistic, statistic.of(&all)?))).collect()
    }
}

fn counts(row: &RequestRecord) -> bool {
    row.phase == RequestPhase::Measure && row.failure.is_none()
}

/// The rows that count, by run and session.
fn sessions(runs: &[Vec<RequestRecord>]) -> Vec<Vec<&RequestRecord>> {
    let mut sessions: BTreeMap<(usize, u64), Vec<&RequestRecord>> = BTreeMap::new();
    for (run, rows) in runs.iter().enumerate() {
        for row in rows.iter().filter(|row| counts(row)) {
            sessions.entry((run, row.session)).or_default().push(row);
        }
    }
    sessions.into_values().collect()
}

fn drawn_again<'a>(sessions: &[Vec<&'a RequestRecord>], seed: u64) -> Vec<&'a RequestRecord> {
    let random = &mut Pcg64::seed_from_u64(seed);
    (0..sessions.len()).flat_map(|_| sessions[random.random_range(0..sessions.len())].iter().copied()).collect()
}

fn mean_gap_s(row: &RequestRecord) -> Option<f64> {
    let tokens = row.gaps_us.len() as f64;
    let sum: f64 = row.gaps_us.iter().map(|gap| f64::from(*gap)).sum();
    (sum > 0.0).then(|| sum / tokens / 1e6)
}

fn hit_share(rows: &[&RequestRecord]) -> Option<f64> {
    let later = rows.iter().filter(|row| row.turn > 0).filter_map(|row| Some((row.cached_tokens?, row.prompt_tokens?)));
    let (cached, prompt) = later.fold((0, 0), |(cached, prompt), (hit, whole)| (cached + hit, prompt + whole));
    (prompt > 0).then(|| cached as f64 / prompt as f64)
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn quantile(mut values: Vec<f64>, p: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    percentile(&values, p)
}

pub(super) fn deviation(values: &[f64]) -> f64 {
    let Some(mean) = mean(values) else { return 0.0 };
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / values.len() as f64).sqrt()
}
