//! What was sealed: the folder of a sweep of one run in, its counts, the rows that are really there, and their lateness by time out.

use std::path::Path;

use bench::records::record::{RequestCounts, RunOutcome};
use bench::records::store::{StoreError, read_sweep};

use crate::lateness::Slices;

/// One sealed run.
pub struct Rows {
    pub counts: RequestCounts,
    pub is_complete: bool,
    /// Rows of the table, those of them that failed, and whether every number from 0 on is there once.
    pub saved: u64,
    pub failed: u64,
    pub is_each_once: bool,
    pub slices: Slices,
    /// What the client says of itself.
    pub client: String,
}

/// Reads the only run of a sweep, a part of its rows after the other.
pub fn read(results: &Path) -> Rows {
    let saved = read_sweep(results).unwrap();
    let run = saved.runs.first().expect("the run was sealed");
    let count = run.requests.rows();
    let (mut seen, mut failed, mut repeated) = (vec![0_u64; count.div_ceil(64)], 0, 0_u64);
    let mut slices = Slices::over(run.record.duration_us.as_secs_f64());
    let names = ["request", "intended_us", "sent_us", "first_token_us", "failure"];
    let take = |part: &polars::prelude::DataFrame| -> Result<(), StoreError> {
        let integers = |name: &str| part.column(name).unwrap().i64().unwrap().clone();
        let (numbers, intended, sent, first) =
            (integers("request"), integers("intended_us"), integers("sent_us"), integers("first_token_us"));
        failed += part.column("failure").unwrap().len() - part.column("failure").unwrap().null_count();
        for (((number, intended), sent), first) in numbers.iter().zip(intended.iter()).zip(sent.iter()).zip(first.iter()) {
            let place = usize::try_from(number.unwrap()).unwrap();
            match seen.get_mut(place / 64) {
                Some(word) if *word & (1 << (place % 64)) == 0 => *word |= 1 << (place % 64),
                _ => repeated += 1,
            }
            slices.add(intended.unwrap(), sent.unwrap(), first);
        }
        Ok(())
    };
    run.requests.columns(&names, take).unwrap();
    let distinct: u64 = seen.iter().map(|word| u64::from(word.count_ones())).sum();
    let client = &run.record.client;
    let ms = |seconds: Option<f64>| seconds.map_or("-".to_owned(), |seconds| format!("{:.2} ms", seconds * 1e3));
    Rows {
        counts: run.record.counts.clone(),
        is_complete: run.record.outcome == RunOutcome::Completed,
        saved: count as u64,
        failed: failed as u64,
        is_each_once: repeated == 0 && distinct == count as u64,
        slices,
        client: format!(
            "send lag p50 {}, p99 {}; tokens read late p50 {}, p99 {}; {} of a core; up to {} records waited",
            ms(Some(client.send_lag_p50_s)),
            ms(Some(client.send_lag_p99_s)),
            ms(client.read_lag_p50_s),
            ms(client.read_lag_p99_s),
            client.cpu_share.map_or("-".to_owned(), |share| format!("{share:.2}")),
            client.records_waiting_max.unwrap_or(0)
        ),
    }
}
