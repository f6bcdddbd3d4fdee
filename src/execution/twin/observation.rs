//! What the rows of a cell show, in a few numbers that the rows of a simulated one can be held to: by how much they may be off is told by drawing
//! sessions again (bootstrap).

#![expect(clippy::cast_precision_loss, reason = "counts and tokens are far below 2^53")]

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use super::sample_values::{deviation, mean, mean_gap_s, quantile};
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
    /// Of gaps, the mean of the answers that were asked for in the second half of a run less that of those in its first half: whether the server slows down.
    GapDrift,
    /// The share of the later turns' prompt tokens that came from a cache: a share, no logarithm.
    LaterHitShare,
    /// The share of all requests that failed: a share, no logarithm.
    FailedShare,
}

impl CellStatistic {
    const ALL: [Self; 9] = [
        Self::FirstTtftMean,
        Self::FirstTtftP95,
        Self::LaterTtftMean,
        Self::LaterTtftP50,
        Self::LaterTtftP95,
        Self::GapMean,
        Self::GapDrift,
        Self::LaterHitShare,
        Self::FailedShare,
    ];

    /// How far a simulated cell may be off in this number though the model is right: one standard deviation beside that of the sample.
    #[must_use]
    pub fn tolerance(self) -> f64 {
        match self {
            Self::FirstTtftP95 | Self::LaterTtftP95 | Self::GapDrift => 0.03,
            Self::FirstTtftMean | Self::LaterTtftMean | Self::LaterTtftP50 | Self::GapMean | Self::LaterHitShare => 0.02,
            Self::FailedShare => 0.0025,
        }
    }

    /// It is a logarithm of seconds, so that a difference is a ratio of times.
    #[must_use]
    pub fn is_time(self) -> bool {
        !matches!(self, Self::GapDrift | Self::LaterHitShare | Self::FailedShare)
    }

    /// How far a repetition of the measurement would move it. What fails in one does so in the other, unless something is wrong.
    fn error(self, drawn: &[Vec<SampledRow<'_>>]) -> f64 {
        if self == Self::FailedShare { 0.0 } else { deviation(&drawn.iter().filter_map(|rows| self.of(rows)).collect::<Vec<f64>>()) }
    }

    fn of(self, rows: &[SampledRow<'_>]) -> Option<f64> {
        let served = || rows.iter().filter(|sampled| sampled.row.failure.is_none());
        let ttft = |later: bool| {
            let of_turn = served().filter(|sampled| (sampled.row.turn > 0) == later).filter_map(|sampled| sampled.row.ttft_s());
            of_turn.filter(|seconds| *seconds > 0.0).map(f64::ln).collect::<Vec<f64>>()
        };
        let gaps = |fits: fn(&SampledRow<'_>) -> bool| {
            let gaps = served().filter(|sampled| fits(sampled)).filter_map(|sampled| mean_gap_s(sampled.row));
            mean(&gaps.map(f64::ln).collect::<Vec<f64>>())
        };
        match self {
            Self::FirstTtftMean => mean(&ttft(false)),
            Self::FirstTtftP95 => quantile(ttft(false), 95.0),
            Self::LaterTtftMean => mean(&ttft(true)),
            Self::LaterTtftP50 => quantile(ttft(true), 50.0),
            Self::LaterTtftP95 => quantile(ttft(true), 95.0),
            Self::GapMean => gaps(|_| true),
            Self::GapDrift => Some(gaps(|sampled| sampled.is_late)? - gaps(|sampled| !sampled.is_late)?),
            Self::LaterHitShare => hit_share(served().map(|sampled| sampled.row)),
            Self::FailedShare => {
                mean(&rows.iter().map(|sampled| if sampled.row.failure.is_some() { 1.0 } else { 0.0 }).collect::<Vec<f64>>())
            }
        }
    }
}

/// A row that counts.
#[derive(Debug, Clone, Copy)]
struct SampledRow<'a> {
    row: &'a RequestRecord,
    /// The place of its run among those of the cell.
    run: usize,
    /// It was asked for in the second half of its run, by the order of requests.
    is_late: bool,
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
/// Of fewer sessions rows are drawn.
const LEAST_SESSIONS: usize = 4;

impl CellObservation {
    /// Of the measured rows of cells, each with those of its runs: a cell's repeats are taken together. Whole runs of a cell may differ by more than their
    /// sessions tell, which few repeats tell of all cells together: that is in the errors of each.
    #[must_use]
    pub fn of_cells(cells: &[&[Vec<RequestRecord>]]) -> Vec<Self> {
        let mut observations: Vec<Self> = cells.iter().map(|runs| Self::of_sessions(runs)).collect();
        for statistic in CellStatistic::ALL.into_iter().filter(|statistic| *statistic != CellStatistic::FailedShare) {
            let between = variance_between_runs(statistic, cells, &observations);
            for (observation, runs) in observations.iter_mut().zip(cells) {
                for value in observation.values.iter_mut().filter(|value| value.statistic == statistic) {
                    value.error = value.error.hypot((between / runs.len() as f64).sqrt());
                }
            }
        }
        observations
    }

    /// Of one cell; the errors are what its sessions tell.
    fn of_sessions(runs: &[Vec<RequestRecord>]) -> Self {
        let all = sampled(runs);
        let drawn = drawn_again(&all);
        let observed =
            |statistic: CellStatistic| Some(ObservedValue { statistic, value: statistic.of(&all)?, error: statistic.error(&drawn) });
        Self { values: CellStatistic::ALL.into_iter().filter_map(observed).collect() }
    }

    fn error_of(&self, statistic: CellStatistic) -> Option<f64> {
        self.values.iter().find(|value| value.statistic == statistic).map(|value| value.error)
    }

    /// The same numbers without their errors, of simulated rows.
    #[must_use]
    pub fn plain(runs: &[Vec<RequestRecord>]) -> BTreeMap<CellStatistic, f64> {
        let all = sampled(runs);
        CellStatistic::ALL.into_iter().filter_map(|statistic| Some((statistic, statistic.of(&all)?))).collect()
    }
}

/// The variance between runs of a cell beyond what their sessions tell, the same in all cells: the one-way analysis of variance's estimate, 0 where it would be
/// negative (S. R. Searle and others, "Variance Components", 1992, chapter 3). 0 where no cell has two runs.
fn variance_between_runs(statistic: CellStatistic, cells: &[&[Vec<RequestRecord>]], observations: &[CellObservation]) -> f64 {
    let (mut freedom, mut excess) = (0.0, 0.0);
    for (runs, observation) in cells.iter().zip(observations) {
        let alone: Vec<f64> = runs.iter().filter_map(|run| statistic.of(&sampled(std::slice::from_ref(run)))).collect();
        let Some(error) = observation.error_of(statistic).filter(|_| alone.len() > 1) else { continue };
        // The error is that of all runs together.
        let within = error.powi(2) * runs.len() as f64;
        let between = deviation(&alone).powi(2) * alone.len() as f64;
        freedom += alone.len() as f64 - 1.0;
        excess += between - within * (alone.len() as f64 - 1.0);
    }
    if freedom > 0.0 { (excess / freedom).max(0.0) } else { 0.0 }
}

/// The rows of all runs that count: measured, and not left on purpose.
fn sampled(runs: &[Vec<RequestRecord>]) -> Vec<SampledRow<'_>> {
    fn of_run((run, rows): (usize, &Vec<RequestRecord>)) -> Vec<SampledRow<'_>> {
        let mut counting: Vec<&RequestRecord> = rows.iter().filter(|row| row.phase == RequestPhase::Measure && !row.was_left()).collect();
        counting.sort_by_key(|row| (row.intended_us, row.session, row.turn));
        let half = counting.len().div_ceil(2);
        counting.into_iter().enumerate().map(move |(place, row)| SampledRow { row, run, is_late: place >= half }).collect()
    }
    runs.iter().enumerate().flat_map(of_run).collect()
}

/// As many sessions as there are, drawn from them with replacement, several times; rows instead, where sessions are too few to tell how they differ.
fn drawn_again<'a>(all: &[SampledRow<'a>]) -> Vec<Vec<SampledRow<'a>>> {
    let mut sessions: BTreeMap<(usize, u64), Vec<SampledRow<'a>>> = BTreeMap::new();
    for sampled in all {
        sessions.entry((sampled.run, sampled.row.session)).or_default().push(*sampled);
    }
    let units: Vec<Vec<SampledRow<'a>>> =
        if sessions.len() < LEAST_SESSIONS { all.iter().map(|sampled| vec![*sampled]).collect() } else { sessions.into_values().collect() };
    let draw = |seed: u64| {
        let random = &mut Pcg64::seed_from_u64(seed);
        (0..units.len()).flat_map(|_| units[random.random_range(0..units.len())].iter().copied()).collect()
    };
    (0..DRAWS).map(draw).collect()
}

fn hit_share<'a>(rows: impl Iterator<Item = &'a RequestRecord>) -> Option<f64> {
    let later = rows.filter(|row| row.turn > 0).filter_map(|row| Some((row.cached_tokens?, row.prompt_tokens?)));
    let (cached, prompt) = later.fold((0, 0), |(cached, prompt), (hit, whole)| (cached + hit, prompt + whole));
    (prompt > 0).then(|| cached as f64 / prompt as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::sweeps::answered;
    use crate::foundation::clock::Micros;
    use crate::records::record::{FailureKind, RequestFailure};

    /// Twenty sessions of two turns, a second apart; `gap_us` says the gaps of the row of that number.
    fn rows(gap_us: impl Fn(u32) -> u32) -> Vec<RequestRecord> {
        let of_row = |number: u32| {
            let row = answered(u64::from(number / 2), number % 2, 0.1);
            RequestRecord { intended_us: Micros(u64::from(number) * 1_000_000), gaps_us: vec![gap_us(number); 8], ..row }
        };
        (0..40).map(of_row).collect()
    }

    fn observed(rows: Vec<RequestRecord>, statistic: CellStatistic) -> ObservedValue {
        observed_of(&[&[rows]], statistic)[0]
    }

    fn observed_of(cells: &[&[Vec<RequestRecord>]], statistic: CellStatistic) -> Vec<ObservedValue> {
        let of = |cell: CellObservation| *cell.values.iter().find(|observed| observed.statistic == statistic).unwrap();
        CellObservation::of_cells(cells).into_iter().map(of).collect()
    }

    #[test]
    fn what_repeats_differ_by_beyond_their_sessions_is_in_the_errors_of_all_cells() {
        // Sessions of a run have the same gaps, so that they tell no error; the runs of the first cell differ by 20 %, those of the second by nothing.
        let run = |gap_us: u32| rows(move |_| gap_us);
        let (apart, alike) = ([run(10_000), run(12_000)], [run(10_000), run(10_000)]);
        let found = observed_of(&[&apart, &alike], CellStatistic::GapMean);
        // Of both cells together: the square of the difference, by two, and by two cells; a cell's mean is one of two runs.
        let between = (1.2_f64.ln().powi(2) / 2.0 / 2.0 / 2.0).sqrt();
        assert!((found[1].error / between - 1.0).abs() < 0.05, "{} is not {between}", found[1].error);
        assert!(found[0].error > found[1].error * 0.99);
        assert!(observed_of(&[&alike, &alike], CellStatistic::GapMean).iter().all(|value| value.error < 1e-9));
        // A cell that was run once has all of it.
        let once = [run(10_000)];
        let of_three = observed_of(&[&apart, &alike, &once], CellStatistic::GapMean);
        assert!((of_three[2].error / of_three[1].error - 2.0_f64.sqrt()).abs() < 1e-9);
    }

    #[test]
    fn a_server_that_slows_down_within_a_run_shows_it_in_the_gaps_of_the_second_half() {
        let drift = |rows| observed(rows, CellStatistic::GapDrift);
        assert!(drift(rows(|_| 10_000)).value.abs() < 1e-12);
        // 10 ms at first and 17 ms at last: 11.75 and 15.25 ms in the halves, about 30 %.
        let slowing = drift(rows(|number| 10_000 + 7_000 * number / 39));
        assert!((slowing.value - 0.26).abs() < 0.02 && slowing.error < 0.05, "{slowing:?}");
        let halved = drift(rows(|number| if number < 20 { 10_000 } else { 20_000 }));
        assert!((halved.value - 2.0_f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn a_cell_of_one_session_is_not_taken_for_exact() {
        let alone: Vec<RequestRecord> = (0..6).map(|turn| answered(0, turn, 0.1 + 0.01 * f64::from(turn))).collect();
        let mean = observed(alone, CellStatistic::LaterTtftMean);
        assert!(mean.error > 0.02 && mean.error < 0.08, "{mean:?}");
    }

    #[test]
    fn requests_that_failed_are_a_share_that_no_repetition_would_change() {
        let mut failing = rows(|_| 10_000);
        for row in failing.iter_mut().step_by(8) {
            row.failure = Some(RequestFailure { kind: FailureKind::Http(503), detail: String::new() });
        }
        let share = observed(failing.clone(), CellStatistic::FailedShare);
        assert!((share.value - 0.125).abs() < 1e-12 && share.error == 0.0);
        let gap = observed(failing, CellStatistic::GapMean);
        assert!((gap.value - 0.01_f64.ln()).abs() < 1e-9, "what failed has no gaps that count: {gap:?}");
    }
}
