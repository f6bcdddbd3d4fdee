//! Whether the backlog of a run grows: requests that are due and not yet over, as long as requests become due.
//!
//! In: when each request was due and when it was over. Out: how fast there are more of them, and how likely as much growth is on a server
//! that just keeps up. What arrives less what is completed is counted in batches of time, and the mean of these increments is tested against 0
//! by Student's t. A queue never falls below empty, so that one at the limit of its capacity ends about at the size of a normal variable (W.
//! Whitt, "Stochastic-Process Limits", 2002, section 5.7), and every slower queue below it: hence both tails. Must not know metrics nor goals.

use crate::foundation::student::upper_tail;

/// Fewer requests say nothing of how a backlog goes on.
const LEAST_REQUESTS: usize = 40;
/// A window is cut into batches of about so many requests each, within these bounds; and once more into a quarter as many, since what comes
/// and goes in bursts looks steadier in short batches than it is. The larger chance counts.
const REQUESTS_A_BATCH: usize = 5;
const LEAST_BATCHES: usize = 8;
const MOST_BATCHES: usize = 40;
const COARSER: usize = 4;
/// Fewer requests more are no growth that anybody would see, whatever their chance.
const LEAST_GAIN: f64 = 5.0;
/// Nor is a smaller share of what arrives.
const LEAST_SHARE: f64 = 0.01;
/// Requests become due faster in the last third than in the first by so many standard deviations: then it is the load that grows.
const RISING: f64 = 3.0;

/// When the requests of a run were due and over, in seconds.
#[derive(Debug, Default)]
pub(super) struct RunBacklog {
    due: Vec<f64>,
    over: Vec<f64>,
    /// From here until the last request is due.
    begin: f64,
}

/// How the backlog of a run grew.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct RunBacklogGrowth {
    /// In requests.
    pub per_second: f64,
    /// At most, how likely as much growth is on a server that keeps up.
    pub chance: f64,
    /// The window that was looked at.
    pub begin_s: f64,
    pub span_s: f64,
}

impl RunBacklog {
    /// Of requests, each with when it was due and over and whether it was measured. The first tenth of those that were measured fills the
    /// server: the window begins once they are over.
    pub fn of(requests: impl Iterator<Item = (f64, f64, bool)>) -> Self {
        let (mut all, mut measured): (Self, Vec<(f64, f64)>) = (Self::default(), Vec::new());
        for (due, over, is_measured) in requests {
            all.due.push(due);
            all.over.push(over);
            if is_measured {
                measured.push((due, over));
            }
        }
        for times in [&mut all.due, &mut all.over] {
            times.sort_unstable_by(f64::total_cmp);
        }
        measured.sort_unstable_by(|left, right| left.0.total_cmp(&right.0));
        let first = measured.get(..measured.len().div_ceil(10)).unwrap_or_default();
        all.begin = first.iter().map(|(_, over)| *over).fold(f64::NEG_INFINITY, f64::max);
        let (Some(begin), Some(end)) = (measured.first(), measured.last()) else { return Self::default() };
        // Where that takes half of the time, nothing is left to look at.
        if all.begin > f64::midpoint(begin.0, end.0) { Self::default() } else { all }
    }

    /// `None` where there is too little to tell.
    #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
    pub fn growth(&self) -> Option<RunBacklogGrowth> {
        let end = *self.due.last()?;
        let span_s = end - self.begin;
        let requests = self.due.len() - self.due.partition_point(|due| *due <= self.begin);
        if requests < LEAST_REQUESTS || span_s <= 0.0 || self.is_load_rising(end) {
            return None;
        }
        let batches = (requests / REQUESTS_A_BATCH).clamp(LEAST_BATCHES, MOST_BATCHES);
        let gain = self.at(end) - self.at(self.begin);
        let is_small = gain < LEAST_GAIN || gain < LEAST_SHARE * requests as f64;
        let chance = |batches: usize| chance(&self.increments(end, batches));
        let chance = if is_small { 1.0 } else { chance(batches).max(chance((batches / COARSER).max(LEAST_BATCHES))) };
        Some(RunBacklogGrowth { per_second: gain / span_s, chance, begin_s: self.begin, span_s })
    }

    /// Requests that are due and not yet over.
    #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
    fn at(&self, time: f64) -> f64 {
        let count = |times: &[f64]| times.partition_point(|at| *at <= time) as f64;
        count(&self.due) - count(&self.over)
    }

    #[expect(clippy::cast_precision_loss, reason = "batches are few")]
    fn increments(&self, end: f64, batches: usize) -> Vec<f64> {
        let edge = |batch: usize| self.begin + (end - self.begin) * batch as f64 / batches as f64;
        // The last request may be due a last bit beyond the last edge.
        let at = |batch: usize| self.at(if batch == batches { end } else { edge(batch) });
        (0..batches).map(|batch| at(batch + 1) - at(batch)).collect()
    }

    #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
    fn is_load_rising(&self, end: f64) -> bool {
        let third = (end - self.begin) / 3.0;
        let up_to = |time: f64| self.due.partition_point(|due| *due <= time) as f64;
        let (first, last) = (up_to(self.begin + third) - up_to(self.begin), up_to(end) - up_to(end - third));
        last - first > RISING * (first + last).sqrt()
    }
}

/// How likely increments of such a mean are where what comes and what goes are even.
#[expect(clippy::cast_precision_loss, reason = "batches are few")]
fn chance(increments: &[f64]) -> f64 {
    let count = increments.len() as f64;
    let mean = increments.iter().sum::<f64>() / count;
    let variance = increments.iter().map(|increment| (increment - mean).powi(2)).sum::<f64>() / (count - 1.0);
    if mean <= 0.0 {
        return 1.0;
    }
    if variance > 0.0 { 2.0 * upper_tail(mean / (variance / count).sqrt(), count - 1.0) } else { 0.0 }
}

/// The chance of several runs together (R. A. Fisher, "Statistical Methods for Research Workers", 4th ed. 1932, section 21.1): twice the sum of
/// their negative logarithms is chi-squared with two degrees of freedom a run, the tail of which is a sum of Poisson's probabilities.
#[expect(clippy::cast_precision_loss, reason = "runs are few")]
pub(super) fn combined(chances: &[f64]) -> f64 {
    let half: f64 = chances.iter().map(|chance| -chance.max(1e-300).ln()).sum();
    let terms = (1..chances.len()).scan(1.0, |term, number| {
        *term *= half / number as f64;
        Some(*term)
    });
    ((-half).exp() * (1.0 + terms.sum::<f64>())).min(1.0)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64;

    use super::*;

    /// Requests of a queue with one server, Poisson arrivals at `rate` for so many seconds, and exponential service; it begins empty.
    fn queue(rng: &mut Pcg64, utilisation: f64, rate: f64, seconds: f64) -> RunBacklog {
        let mut exponential = |mean: f64| -mean * (1.0 - rng.random::<f64>()).ln();
        let (mut due, mut free, mut requests) = (0.0, 0.0_f64, Vec::new());
        while due < seconds {
            free = free.max(due) + exponential(utilisation / rate);
            requests.push((due, free, true));
            due += exponential(1.0 / rate);
        }
        RunBacklog::of(requests.into_iter())
    }

    /// Of so many replications, how many grow at a chance of 5 %.
    fn growing(utilisation: f64, rate: f64, seconds: f64, replications: u32) -> u32 {
        let mut rng = Pcg64::seed_from_u64(17);
        let is_growing = |_: &u32| queue(&mut rng, utilisation, rate, seconds).growth().is_some_and(|growth| growth.chance <= 0.05);
        u32::try_from((0..replications).filter(is_growing).count()).unwrap()
    }

    #[test]
    fn a_queue_that_keeps_up_hardly_ever_grows_however_near_it_is_to_its_capacity() {
        for (utilisation, most) in [(0.5, 0), (0.8, 0), (0.95, 2), (1.0, 10)] {
            for (rate, seconds) in [(20.0, 60.0), (50.0, 60.0)] {
                let found = growing(utilisation, rate, seconds, 200);
                assert!(found <= most, "{utilisation} at {rate}/s for {seconds} s: {found} of 200");
            }
        }
    }

    #[test]
    fn a_queue_that_gets_more_than_it_can_do_grows() {
        for (utilisation, rate, seconds, least) in
            [(1.2, 50.0, 60.0, 198), (1.5, 20.0, 30.0, 196), (2.0, 20.0, 30.0, 198), (1.05, 50.0, 300.0, 180)]
        {
            let found = growing(utilisation, rate, seconds, 200);
            assert!(found >= least, "{utilisation} at {rate}/s for {seconds} s: {found} of 200");
        }
    }

    /// One request a second from 0 on, each of which takes so long.
    fn steady(seconds: u32, takes: impl Fn(f64) -> f64) -> Option<RunBacklogGrowth> {
        let times = (0..seconds).map(f64::from);
        RunBacklog::of(times.map(|due| (due, due + takes(due), true))).growth()
    }

    #[test]
    fn answers_that_take_long_fill_the_server_and_are_no_backlog() {
        // 20 are in flight from second 20 on.
        assert_eq!(steady(120, |_| 20.0).map(|growth| (growth.per_second, growth.chance)), Some((0.0, 1.0)));
        // Where filling takes more than half of the run nobody can tell.
        assert_eq!(steady(60, |_| 40.0), None);
    }

    #[test]
    fn the_growth_is_what_arrives_less_what_is_completed() {
        // A request a second; one is done every 1.25 s: 0.2 a second stay.
        let growth = steady(400, |due| 1.0 + due * 0.25).unwrap();
        assert!((growth.per_second - 0.2).abs() < 0.01 && growth.chance < 1e-6, "{growth:?}");
        // Half a request more in a hundred seconds is none.
        assert_eq!(steady(400, |due| 1.0 + due * 0.005).map(|growth| growth.chance), Some(1.0));
    }

    #[test]
    fn a_load_that_rises_is_not_a_server_that_falls_behind() {
        // Requests become due ever faster, and each takes 2 s.
        let rising = (0..900).map(|number| (f64::from(number) * 20.0).sqrt());
        assert_eq!(RunBacklog::of(rising.map(|due| (due, due + 2.0, true))).growth(), None);
    }

    #[test]
    fn too_few_requests_say_nothing_and_neither_do_none() {
        assert_eq!(steady(30, |due| 1.0 + due), None);
        assert_eq!(RunBacklog::of(std::iter::empty()).growth(), None);
    }

    #[test]
    fn chances_of_runs_are_combined_as_in_the_textbook() {
        assert!((combined(&[0.03]) - 0.03).abs() < 1e-12);
        // Fisher's own example: 0.145, 0.263 and 0.087 make chi-squared 11.417 with 6 degrees of freedom, P 0.076.
        assert!((combined(&[0.145, 0.263, 0.087]) - 0.076).abs() < 5e-4);
        assert!(combined(&[0.03, 1.0, 1.0]) > 0.3 && combined(&[0.1, 0.1, 0.1]) < 0.05);
    }
}
