//! The true percentiles of a system under a load: in closed form, or by long runs.

use bench::analysis::percentile;
use bench::records::record::RequestRecord;

use crate::cases::{QueueLoad, SystemKind};
use crate::parallel::on_all_cores;
use crate::tally::{PERCENTILES, TrueValues};

/// Long runs: how many, how long each is, and what of it is left out while the system fills.
#[derive(Debug, Clone, Copy)]
pub struct LongRuns {
    pub runs: u32,
    pub duration_s: f64,
}

const FILLING_S: f64 = 600.0;

/// Seeds of long runs begin here; those of replications are far below.
pub const SEEDS: u64 = 1 << 40;

/// In closed form for the queue, by long runs for the engine.
pub fn true_values(load: &QueueLoad, long: LongRuns) -> TrueValues {
    match load.system {
        SystemKind::Queue => {
            let rate = sojourn_rate(load);
            TrueValues { metric: "ttft", seconds: PERCENTILES.map(|p| -(1.0 - p / 100.0).ln() / rate), error: None }
        }
        SystemKind::Engine => simulated_values(load, long),
    }
}

/// By long runs.
pub fn simulated_values(load: &QueueLoad, long: LongRuns) -> TrueValues {
    by_long_runs("ttft", long.runs, |run| {
        let rows = load.run(long.duration_s + FILLING_S, SEEDS + u64::from(run)).rows;
        rows.iter().filter(|row| row.intended_us.as_secs_f64() >= FILLING_S).filter_map(RequestRecord::ttft_s).collect()
    })
}

/// In a queue GI/M/1, served in the order of arrival, the time in the system is exponential with the rate mu (1 - sigma), where sigma is the
/// smaller root of sigma = A*(mu (1 - sigma)) and A* the transform of the gaps between arrivals (L. Kleinrock, "Queueing Systems", volume 1,
/// 1975, section 6.4). With Poisson arrivals sigma is the utilisation, and it is mu - lambda.
pub fn sojourn_rate(load: &QueueLoad) -> f64 {
    let (service, shape) = (load.capacity, load.arrival.shape());
    let transform = |s: f64| (1.0 + s / (shape * load.rate())).powf(-shape);
    // From 0 on this rises to the smaller root.
    let sigma = (0..100_000).fold(0.0, |sigma, _| transform(service * (1.0 - sigma)));
    service * (1.0 - sigma)
}

/// Percentiles of all runs' values together; how far the single runs differ tells how exact they are.
pub fn by_long_runs(metric: &'static str, count: u32, values_of: impl Fn(u32) -> Vec<f64> + Sync) -> TrueValues {
    let runs = on_all_cores(count, |run| {
        let mut values = values_of(run);
        values.sort_unstable_by(f64::total_cmp);
        values
    });
    let of = |values: &[f64]| PERCENTILES.map(|p| percentile(values, p).expect("a long run has values"));
    let single: Vec<[f64; 3]> = runs.iter().map(|values| of(values)).collect();
    let mut all = runs.concat();
    all.sort_unstable_by(f64::total_cmp);
    let seconds = of(&all);
    let error = [0, 1, 2].map(|number| error(single.iter().map(|run| run[number]), seconds[number]));
    TrueValues { metric, seconds, error: Some(error) }
}

/// Two standard errors of the mean of these values, over that value.
fn error(values: impl Iterator<Item = f64> + Clone, value: f64) -> f64 {
    let count = values.clone().fold(0.0, |count, _| count + 1.0);
    let mean = values.clone().sum::<f64>() / count;
    let squares: f64 = values.map(|value| (value - mean).powi(2)).sum();
    2.0 * (squares / (count - 1.0) / count).sqrt() / value
}
