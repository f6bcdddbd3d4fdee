//! How often intervals of rates hold the true rate, by simulation of queues whose rates are known in closed form. Seeds are fixed.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::{WindowBlocks, WindowRate};
use crate::analysis::throughput::GoodShare;
use crate::analysis::time_series::TimeSeriesBuilder;

const CELLS: u32 = 400;

fn exponential(rng: &mut Pcg64, rate: f64) -> f64 {
    -(1.0 - rng.random::<f64>()).ln() / rate
}

/// A request: when it was due, when it was over, and what it brings.
type Served = (f64, f64, f64);

/// One server in the order of arrival, which begins in its steady state: so many due a second, so many served a second where some wait.
fn queue(rng: &mut Pcg64, seconds: f64, due_per_s: f64, served_per_s: f64) -> Vec<Served> {
    // The work that is found by the first one.
    let busy = rng.random::<f64>() < due_per_s / served_per_s;
    let mut free_at = if busy { exponential(rng, served_per_s - due_per_s) } else { 0.0 };
    let (mut due, mut served) = (exponential(rng, due_per_s), Vec::new());
    while due < seconds {
        free_at = free_at.max(due) + exponential(rng, served_per_s);
        served.push((due, free_at, 1.0));
        due += exponential(rng, due_per_s);
    }
    served
}

/// So many users, each of whom sends when answered; the server takes one at a time, and answers of `tokens` take as long as they are.
fn closed(rng: &mut Pcg64, seconds: f64, users: usize, tokens_per_s: f64, tokens: f64) -> Vec<Served> {
    let (mut waiting, mut now, mut served) = (std::collections::VecDeque::from(vec![0.0; users]), 0.0, Vec::new());
    while let Some(sent) = waiting.pop_front() {
        let length = 0.1 * tokens + exponential(rng, 1.0 / (0.9 * tokens));
        now += length / tokens_per_s;
        served.push((sent, now, length));
        if now < seconds {
            waiting.push_back(now);
        }
    }
    served
}

fn rate(runs: &[Vec<Served>], amount: impl Fn(&Served) -> f64) -> WindowRate {
    let blocks = |served: &Vec<Served>| {
        let begin = served.first().map_or(0.0, |first| first.0);
        let end = served.iter().map(|served| served.1).fold(begin, f64::max);
        let mut blocks = WindowBlocks::of_a_run(begin, end - begin, runs.len());
        for served in served {
            blocks.add(served.0, served.1, amount(served));
        }
        blocks
    };
    WindowRate::of(&runs.iter().map(blocks).collect::<Vec<_>>()).unwrap()
}

/// The shares of cells whose interval holds the truth, and in which a one-sided end at 95 % is on the wrong side of a limit 5 % off, as `benches/coverage`
/// counts verdicts.
fn covered(truth: f64, mut cell: impl FnMut(u64) -> WindowRate) -> (f64, f64, f64) {
    let (mut covered, mut above, mut below) = (0, 0, 0);
    for seed in 0..CELLS {
        let rate = cell(u64::from(seed));
        let (low, high) = rate.ends(0.025).unwrap();
        covered += u32::from(low <= truth && truth <= high);
        let (least, most) = rate.ends(0.05).unwrap();
        (above, below) = (above + u32::from(least > truth * 1.05), below + u32::from(most < truth * 0.95));
    }
    let share = |count: u32| f64::from(count) / f64::from(CELLS);
    (share(covered), share(above), share(below))
}

#[test]
fn intervals_of_what_a_queue_completes_hold_the_rate_at_which_it_comes() {
    for (load, seconds, repeats) in [(0.5, 30.0, 1), (0.5, 120.0, 3), (0.8, 60.0, 1), (0.8, 60.0, 3), (0.9, 300.0, 1)] {
        let (share, above, below) = covered(load * 20.0, |seed| {
            let mut rng = Pcg64::seed_from_u64(seed);
            rate(&(0..repeats).map(|_| queue(&mut rng, seconds, load * 20.0, 20.0)).collect::<Vec<_>>(), |_| 1.0)
        });
        assert!(share >= 0.93 && above <= 0.05 && below <= 0.05, "{load} {seconds} {repeats}: {share} {above} {below}");
    }
}

/// Whether each request is good, and how many independent ones say as much of how many are.
fn share(runs: &[Vec<Served>], is_good: impl Fn(&Served) -> bool) -> GoodShare {
    let (mut series, mut good, mut of) = (TimeSeriesBuilder::for_rows(0), 0, 0);
    for run in runs {
        for served in run {
            of += 1;
            good += u64::from(is_good(served));
            series.add_row(0, |values| values.push(f64::from(u8::from(is_good(served)))));
        }
        series.end_run();
    }
    GoodShare { good, of, of_sessions: of, effective: series.finish().effective_rows_of_share(of) }
}

#[test]
fn intervals_of_what_meets_its_level_hold_the_closed_form() {
    for (load, seconds, repeats) in [(0.5, 60.0, 1), (0.8, 60.0, 1), (0.8, 120.0, 3), (0.9, 300.0, 1)] {
        // The time in the system of M/M/1 is exponential.
        let (due, limit) = (load * 20.0, 0.3_f64);
        let truth = due * (1.0 - (-(20.0 - due) * limit).exp());
        let (share, above, below) = covered(truth, |seed| {
            let mut rng = Pcg64::seed_from_u64(1000 + seed);
            let runs: Vec<Vec<Served>> = (0..repeats).map(|_| queue(&mut rng, seconds, due, 20.0)).collect();
            let is_good = |served: &Served| served.1 - served.0 <= limit;
            let least = self::share(&runs, is_good).relative_error();
            rate(&runs, |served| f64::from(u8::from(is_good(served)))).with_relative_error_of_at_least(least)
        });
        assert!(share >= 0.93 && above <= 0.05 && below <= 0.05, "{load} {seconds} {repeats}: {share} {above} {below}");
    }
}

#[test]
fn intervals_of_tokens_of_a_closed_loop_hold_what_the_server_makes() {
    for (users, seconds, repeats) in [(1, 60.0, 1), (8, 60.0, 1), (32, 120.0, 1), (8, 60.0, 3)] {
        // Its requests a second: tokens have no noise, since it makes them at an even rate.
        let truth = 2000.0 / 100.0;
        let (share, above, below) = covered(truth, |seed| {
            let mut rng = Pcg64::seed_from_u64(2000 + seed);
            rate(&(0..repeats).map(|_| closed(&mut rng, seconds, users, 2000.0, 100.0)).collect::<Vec<_>>(), |_| 1.0)
        });
        assert!(share >= 0.93 && above <= 0.05 && below <= 0.05, "{users} {seconds} {repeats}: {share} {above} {below}");
    }
}
