//! How long a sweep will still take: each run that is left takes as long as the finished ones of like load, by the work of each.
//!
//! In: the runs that are to be done, and how long each finished one took. Out: seconds. Knows no clock.

use std::collections::BTreeMap;

use serde_json::Value;

/// A run that is to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpectedRun {
    pub id: String,
    pub variant: String,
    pub axes: Vec<(String, Value)>,
    /// What its time grows with: how long requests are sent, or how many there are; nothing where neither is known.
    pub work: Option<f64>,
}

/// The runs of this start.
#[derive(Debug, Default)]
pub(super) struct TimeLeftEstimator {
    open: BTreeMap<String, ExpectedRun>,
    finished: Vec<(ExpectedRun, f64)>,
}

/// How much farther apart than a doubled axis value two runs are whose texts on an axis differ.
const OTHER_TEXT: f64 = 4.0;
/// The same for another variant.
const OTHER_VARIANT: f64 = 0.25;

impl TimeLeftEstimator {
    pub fn of(runs: Vec<ExpectedRun>) -> Self {
        Self { open: runs.into_iter().map(|run| (run.id.clone(), run)).collect(), finished: Vec::new() }
    }

    /// A run is over; it took so long.
    pub fn finished(&mut self, id: &str, seconds: f64) {
        if let Some(run) = self.open.remove(id) {
            self.finished.push((run, seconds));
        }
    }

    /// Seconds until all are done, with the run in progress: its id, how long it has gone on, and the share of it that is done. `None` where
    /// nothing tells.
    pub fn seconds(&self, current: Option<(&str, f64, f64)>) -> Option<f64> {
        let in_progress = |id: &str| current.is_some_and(|(current, ..)| current == id);
        let begun = current.and_then(|(id, elapsed, share)| Some((self.open.get(id)?, elapsed, share)));
        if current.is_some() && begun.is_none() {
            return None;
        }
        // A run that has come so far tells as much as a finished one.
        let told = begun.filter(|(_, _, share)| *share >= 0.1).map(|(run, elapsed, share)| (run, elapsed / share));
        let known: Vec<(&ExpectedRun, f64)> = self.finished.iter().map(|(run, seconds)| (run, *seconds)).chain(told).collect();
        let others: f64 = self.open.values().filter(|run| !in_progress(&run.id)).map(|run| expected(run, &known)).sum::<Option<f64>>()?;
        let rest = match (begun, told) {
            (_, Some((_, whole))) => whole - begun.map_or(0.0, |(_, elapsed, _)| elapsed),
            (Some((run, elapsed, _)), None) => expected(run, &known)? - elapsed,
            (None, None) => 0.0,
        };
        Some(others + rest.max(0.0))
    }
}

/// How long a run will take, by those that are nearest to it.
fn expected(run: &ExpectedRun, known: &[(&ExpectedRun, f64)]) -> Option<f64> {
    let nearest = known.iter().map(|(other, _)| distance(run, other)).min_by(f64::total_cmp)?;
    let alike = known.iter().filter(|(other, _)| distance(run, other) <= nearest + 1e-9).map(|(other, seconds)| {
        let ratio = run.work.zip(other.work).filter(|(_, work)| *work > 0.0).map_or(1.0, |(own, work)| own / work);
        seconds * ratio
    });
    let times: Vec<f64> = alike.collect();
    #[expect(clippy::cast_precision_loss, reason = "a mean")]
    let mean = times.iter().sum::<f64>() / times.len() as f64;
    Some(mean)
}

/// How many doublings of load lie between two runs, axis by axis.
fn distance(left: &ExpectedRun, right: &ExpectedRun) -> f64 {
    let along = |((_, left), (_, right)): (&(String, Value), &(String, Value))| match (left.as_f64(), right.as_f64()) {
        (Some(left), Some(right)) if left > 0.0 && right > 0.0 => (left / right).log2().abs(),
        _ if left == right => 0.0,
        _ => OTHER_TEXT,
    };
    let variant = if left.variant == right.variant { 0.0 } else { OTHER_VARIANT };
    left.axes.iter().zip(&right.axes).map(along).sum::<f64>() + variant
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(variant: &str, c: u32, s: u32, repeat: u32) -> ExpectedRun {
        let axes = vec![("workload.concurrent".to_owned(), c.into()), ("workload.sequential".to_owned(), s.into())];
        ExpectedRun { id: format!("{variant}-{c}x{s}-{repeat}"), variant: variant.to_owned(), axes, work: Some(f64::from(c * s)) }
    }

    fn all() -> Vec<ExpectedRun> {
        let shapes = (1..=4).flat_map(|c| (1..=4).map(move |s| (c, s)));
        shapes.flat_map(|(c, s)| (0..3).map(move |repeat| run("vllm", c, s, repeat))).collect()
    }

    /// Of a server that takes 10 s for each session.
    fn truth(run: &ExpectedRun) -> f64 {
        run.work.unwrap() * 10.0
    }

    #[test]
    fn a_run_that_nobody_expected_tells_nothing() {
        assert_eq!(TimeLeftEstimator::default().seconds(Some(("other", 10.0, 0.5))), None);
    }

    #[test]
    fn heavy_cells_that_came_first_do_not_stand_for_the_light_ones_that_are_left() {
        let runs = all();
        let mut left = TimeLeftEstimator::of(runs.clone());
        let (heavy, light): (Vec<_>, Vec<_>) = runs.into_iter().partition(|run| run.work > Some(9.0));
        for run in &heavy {
            left.finished(&run.id, truth(run));
        }
        let expected: f64 = light.iter().map(truth).sum();
        let told = left.seconds(None).unwrap();
        assert!((told / expected - 1.0).abs() < 1e-9, "{told} instead of {expected}");
        // By the share of runs alone it would be far too long.
        let by_share = heavy.iter().map(truth).sum::<f64>() / 9.0 * 39.0;
        assert!(heavy.len() == 9 && by_share > 2.5 * expected, "{by_share} beside {expected}");
    }

    #[test]
    fn another_repeat_of_a_cell_takes_as_long_as_the_first_whatever_its_work() {
        let mut left = TimeLeftEstimator::of(vec![run("vllm", 4, 4, 0), run("vllm", 4, 4, 1), run("vllm", 1, 1, 0), run("vllm", 1, 1, 1)]);
        left.finished("vllm-4x4-0", 900.0);
        left.finished("vllm-1x1-0", 3.0);
        assert_eq!(left.seconds(None), Some(903.0));
    }

    #[test]
    fn the_run_in_progress_counts_by_what_is_left_of_it() {
        let mut left = TimeLeftEstimator::of(vec![run("vllm", 1, 1, 0), run("vllm", 1, 2, 0)]);
        assert_eq!(left.seconds(None), None, "nothing is known yet");
        // A quarter of it took 10 s: 30 s of it are left, and the other is twice as much work.
        assert_eq!(left.seconds(Some(("vllm-1x1-0", 10.0, 0.25))), Some(30.0 + 80.0));
        left.finished("vllm-1x1-0", 40.0);
        assert_eq!(left.seconds(Some(("vllm-1x2-0", 5.0, 0.01))), Some(75.0));
    }
}
