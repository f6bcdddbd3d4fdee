//! Why one cell fails where its neighbour passes: compute, KV memory, or neither can be told. Two judged cells in, a cause and the
//! figures it rests on out, in words. The reasoning stands in `docs/metrics.md`.

use super::amount::{grouped, percent, short_number};
use super::axes::named;
use super::summary::{CellSummary, GaugeSummary, ServerMetricValue};
use crate::records::record::FailureKind;

/// What made a cell fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CellBottleneckKind {
    Compute,
    KvMemory,
    Unknown,
}

/// A cause, and what it rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct CellBottleneck {
    pub cause: CellBottleneckKind,
    pub words: String,
}

/// Reuse from here on is kept, below the other it is lost.
pub const KEPT: f64 = 0.8;
pub const LOST: f64 = 0.5;
/// A fall of reuse that is one, however much is left.
const FALL: f64 = 0.2;
/// Requests in flight have grown from this factor on.
const GROWN: f64 = 1.1;
/// So few requests in flight, on average, are one at a time.
const ALONE: f64 = 1.5;
/// A KV cache is full from here on; engines keep a small reserve.
const FULL: f64 = 0.95;
/// Sessions that fill less of the pool than this fit for certain: blocks that are partly filled, and prompts that are being computed, cost
/// some too.
const FITS: f64 = 0.8;
/// The share of requests whose failures are no question of speed beyond which nothing is said.
const BROKEN: f64 = 0.05;

/// Two cells, the second of which passes; it is missing where nothing smaller does.
struct BoundaryCells<'a> {
    fails: &'a CellSummary,
    passes: Option<&'a CellSummary>,
}

/// Says why `fails` does.
pub fn diagnose(fails: &CellSummary, passes: Option<&CellSummary>) -> CellBottleneck {
    let boundary = BoundaryCells { fails, passes };
    if let Some(words) = boundary.broken() {
        return CellBottleneck { cause: CellBottleneckKind::Unknown, words };
    }
    if fails.sessions.sent_before_tokens.is_none() {
        return boundary.nothing_sent_again();
    }
    let Some(reused) = fails.sessions.reused else { return boundary.without_hits() };
    let before = passes.and_then(|cell| cell.sessions.reused);
    if reused < LOST {
        boundary.lost(reused, before)
    } else if reused >= KEPT {
        boundary.kept(reused)
    } else {
        boundary.between(reused, before)
    }
}

impl BoundaryCells<'_> {
    /// Failures that are neither a matter of compute nor of memory.
    #[expect(clippy::cast_precision_loss, reason = "request counts are far below 2^53")]
    fn broken(&self) -> Option<String> {
        use FailureKind::{Cancelled, NoHistory, SessionEnded, TimeoutFirstToken, TimeoutIdle, TimeoutTotal};
        let is_slow = |kind: FailureKind| matches!(kind, TimeoutFirstToken | TimeoutIdle | TimeoutTotal | Cancelled);
        // What was not sent after other failures is of the kind that most of those are.
        let follows = |kind: FailureKind| matches!(kind, NoHistory | SessionEnded);
        let sum = |wanted: &dyn Fn(FailureKind) -> bool| -> u64 {
            self.fails.failures.iter().filter(|(kind, _)| wanted(**kind)).map(|(_, count)| *count).sum()
        };
        let mostly_slow = sum(&is_slow) > sum(&|kind| !is_slow(kind) && !follows(kind));
        let is_broken = |kind: FailureKind| !(is_slow(kind) || mostly_slow && follows(kind));
        let broken: Vec<(&FailureKind, &u64)> = self.fails.failures.iter().filter(|(kind, _)| is_broken(**kind)).collect();
        let count: u64 = broken.iter().map(|(_, count)| **count).sum();
        let list: Vec<String> = broken.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        let many = count as f64 > BROKEN * self.fails.n.max(1) as f64;
        many.then(|| format!("{} fails by requests that were not answered ({} of {})", self.place(), list.join(", "), self.fails.n))
    }

    /// What had been sent before was not found again.
    fn lost(&self, reused: f64, before: Option<f64>) -> CellBottleneck {
        let words = format!("{}{}", self.fell(reused, before), self.residence());
        let cause = match (self.fits(), before, self.passes) {
            // Nothing was lost on the way: it passes without hits too.
            (_, Some(before), _) if before - reused < FALL => {
                return unknown(format!("{words}; so little was found in a cache where the goals are fulfilled, too"));
            }
            (Some(true), _, _) => {
                return unknown(format!("{words}: they fit, so memory is not what lost the hits; look whether the prefix cache is on"));
            }
            (Some(false), _, _) | (None, Some(_), _) => CellBottleneckKind::KvMemory,
            (None, None, _) => {
                return unknown(format!("{words}; there is no smaller cell that kept its hits, and the size of the KV pool is not known"));
            }
        };
        CellBottleneck { cause, words }
    }

    /// What had been sent before was found again: then memory is the cause only where it shows in another way.
    fn kept(&self, reused: f64) -> CellBottleneck {
        if let Some(words) = self.crowded().or_else(|| self.moved_out()) {
            return CellBottleneck { cause: CellBottleneckKind::KvMemory, words };
        }
        let by = self.reused_by();
        let still = format!("{} of the prompt tokens sent before still came from a cache ({by})", percent(reused));
        let Some(passes) = self.passes else { return self.kept_at_the_bottom(&still) };
        let step = self.step();
        let growth = self.growth(passes);
        if growth.is_empty() {
            return unknown(format!("{step} {still}, and no more requests were in flight or waiting: neither has changed"));
        }
        CellBottleneck { cause: CellBottleneckKind::Compute, words: format!("{step} {still}, while {}", growth.join(", ")) }
    }

    /// The same where nothing smaller passes: others in flight or waiting tell of computing. A request that is alone tells nothing of load.
    fn kept_at_the_bottom(&self, still: &str) -> CellBottleneck {
        let place = self.place();
        let alone = self.fails.sessions.in_flight_mean.is_some_and(|mean| mean < ALONE);
        let queued = self.fails.server.waiting.as_ref().is_some_and(|waiting| waiting.max > 0.0);
        if alone && !queued {
            return unknown(format!(
                "{place} fails though {still} and hardly more than one request was in flight: it is not load that makes it slow; either the \
                 goals are beyond this server, or something holds up every single request"
            ));
        }
        CellBottleneck { cause: CellBottleneckKind::Compute, words: format!("{place} fails though {still}, and no smaller cell passes") }
    }

    /// Some of it was found again.
    fn between(&self, reused: f64, before: Option<f64>) -> CellBottleneck {
        let words = format!("{}{}", self.fell(reused, before), self.residence());
        let fell = before.is_some_and(|before| before - reused >= FALL);
        match self.fits() {
            Some(false) if fell || before.is_none() => CellBottleneck { cause: CellBottleneckKind::KvMemory, words },
            None if fell && !self.load_grew() => CellBottleneck { cause: CellBottleneckKind::KvMemory, words },
            _ => unknown(format!("{words}; that is too little of a change to go by")),
        }
    }

    /// No answered request sent again what its session had sent before, so that there was nothing to reuse: memory shows by requests that
    /// fill it, and compute by a queue beside memory that is free.
    fn nothing_sent_again(&self) -> CellBottleneck {
        if let Some(words) = self.crowded() {
            return CellBottleneck { cause: CellBottleneckKind::KvMemory, words };
        }
        let usage = self.fails.server.kv_usage.as_ref().filter(|usage| usage.max < FULL);
        let growth = self.passes.map(|passes| self.growth(passes)).unwrap_or_default();
        match usage {
            Some(usage) if !growth.is_empty() => {
                let (step, most) = (self.step(), percent(usage.max));
                let words = format!("{step} {}, while at most {most} of the KV memory was held ({})", growth.join(", "), usage.by);
                CellBottleneck { cause: CellBottleneckKind::Compute, words }
            }
            _ => unknown(format!(
                "{} fails; no answered request sent again what its session had sent before, and no metric tells a full memory or a growing queue",
                self.place()
            )),
        }
    }

    /// Nobody told what came from a cache.
    fn without_hits(&self) -> CellBottleneck {
        let untold = "neither the answers nor the server's metrics tell what came from a cache";
        let fitted = self.passes.is_some_and(|cell| fits(cell) == Some(true) || outgrown(cell) == Some(false));
        if fitted && outgrown(self.fails) == Some(true) && !self.load_grew() {
            let words = format!("{} no more requests were in flight and the sessions outgrew the KV pool{}", self.step(), self.residence());
            return CellBottleneck { cause: CellBottleneckKind::KvMemory, words: format!("{words}; {untold}") };
        }
        unknown(format!("{} fails, and {untold}", self.place()))
    }

    /// Running requests alone fill the KV memory, so that others wait or lose their place.
    fn crowded(&self) -> Option<String> {
        let server = &self.fails.server;
        let before = self.passes.and_then(|cell| cell.server.preemptions.as_ref()).map_or(0.0, |told| told.value);
        if let Some(told) = server.preemptions.as_ref().filter(|told| told.value > before) {
            let count = short_number(told.value);
            return Some(format!("in {} running requests lost their KV memory {count} times a run ({})", self.place(), told.by));
        }
        let (usage, waiting) = (server.kv_usage.as_ref()?, server.waiting.as_ref()?);
        (usage.max >= FULL && waiting.max > 0.0).then(|| {
            let (full, most) = (percent(usage.max), short_number(waiting.max));
            let place = self.place();
            format!("in {place} running requests held {full} of the KV memory ({}) while {most} others waited ({})", usage.by, waiting.by)
        })
    }

    /// Hits left the device for a cache behind it, which holds them and is too slow for the goal.
    fn moved_out(&self) -> Option<String> {
        let (before, now) = (self.passes?.server.hits.as_ref()?, self.fails.server.hits.as_ref()?);
        let (device_before, device) = (before.device?, now.device?);
        (device_before >= LOST && device < device_before / 2.0 && now.external? >= FALL).then(|| {
            let (from, to, external) = (percent(device_before), percent(device), percent(now.external.unwrap_or(0.0)));
            let residence = self.residence();
            format!("{} hits on the device fell from {from} to {to} of all prompt tokens ({}); the external cache brought {external}, too slowly for the goals{residence}", self.step(), now.by)
        })
    }

    /// What grew on the way from the cell that passes, in words.
    fn growth(&self, passes: &CellSummary) -> Vec<String> {
        let mut grown = Vec::new();
        if let (true, Some(from), Some(to)) = (self.load_grew(), passes.sessions.in_flight_mean, self.fails.sessions.in_flight_mean) {
            grown.push(format!("requests in flight grew from {} to {}", short_number(from), short_number(to)));
        }
        if let Some((from, to)) = both(passes, self.fails, |cell| cell.server.waiting.as_ref()).filter(|(from, to)| to.max > from.max) {
            grown.push(format!("those waiting from at most {} to {} ({})", short_number(from.max), short_number(to.max), to.by));
        }
        if grown.is_empty() {
            return grown;
        }
        if let Some((from, to)) = both(passes, self.fails, |cell| cell.server.gpu_utilization.as_ref()) {
            grown.push(format!("GPU utilisation went from {} to {} ({})", percent(from.mean), percent(to.mean), to.by));
        }
        grown
    }

    fn load_grew(&self) -> bool {
        let mean = |cell: &CellSummary| cell.sessions.in_flight_mean;
        let grew = |passes: &CellSummary| Some(mean(self.fails)? > mean(passes)? * GROWN);
        self.passes.and_then(grew).unwrap_or(false)
    }

    fn fell(&self, reused: f64, before: Option<f64>) -> String {
        let by = self.reused_by();
        match before {
            Some(before) => format!(
                "{} the share of prompt tokens sent before that came from a cache went from {} to {} ({by})",
                self.step(),
                percent(before),
                percent(reused)
            ),
            None => format!("in {} only {} of the prompt tokens sent before came from a cache ({by})", self.place(), percent(reused)),
        }
    }

    /// What the sessions keep alive against what the pool holds, as far as it is known.
    fn residence(&self) -> String {
        let tokens = |told: &ServerMetricValue| format!("the KV pool holds {} ({})", grouped(told.value), told.by);
        match (residents(self.fails), self.fails.server.kv_pool_tokens.as_ref()) {
            (Some(resident), Some(pool)) => format!("; its sessions keep {} tokens alive, {}", grouped(resident), tokens(pool)),
            (Some(resident), None) => format!("; its sessions keep {} tokens alive", grouped(resident)),
            (None, _) => String::new(),
        }
    }

    fn reused_by(&self) -> &str {
        self.fails.sessions.reused_by.as_deref().unwrap_or("cached_tokens")
    }

    /// Whether the failing cell's sessions fit into the pool.
    fn fits(&self) -> Option<bool> {
        match (fits(self.fails)?, outgrown(self.fails)?) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            // Nearly full: the rows must say.
            (false, false) => None,
        }
    }

    fn place(&self) -> String {
        named(&self.fails.axes)
    }

    fn step(&self) -> String {
        let to = self.place();
        self.passes.map_or_else(
            || format!("in {to}, which fails,"),
            |cell| format!("from {}, which passes, to {to}, which fails,", named(&cell.axes)),
        )
    }
}

#[expect(clippy::cast_precision_loss, reason = "token counts are far below 2^53")]
fn residents(cell: &CellSummary) -> Option<f64> {
    cell.sessions.resident_tokens.map(|tokens| tokens as f64)
}

/// Whether a cell's sessions surely fit into the pool.
pub fn fits(cell: &CellSummary) -> Option<bool> {
    Some(residents(cell)? <= FITS * cell.server.kv_pool_tokens.as_ref()?.value)
}

/// Whether they are more than it holds.
pub fn outgrown(cell: &CellSummary) -> Option<bool> {
    Some(residents(cell)? > cell.server.kv_pool_tokens.as_ref()?.value)
}

fn both<'a>(
    left: &'a CellSummary,
    right: &'a CellSummary,
    get: impl Fn(&'a CellSummary) -> Option<&'a GaugeSummary>,
) -> Option<(&'a GaugeSummary, &'a GaugeSummary)> {
    get(left).zip(get(right))
}

fn unknown(words: String) -> CellBottleneck {
    CellBottleneck { cause: CellBottleneckKind::Unknown, words }
}

#[cfg(test)]
mod tests {
    use crate::analysis::summary::{CacheHitShares, CellThroughput, ClientLimits, ServerFigures, SessionFigures, StreamFigures};
    use serde_json::json;

    use super::*;
    use crate::analysis::{CellState, SuccessPercentiles};
    use crate::records::record::ClientHealth;

    const POOL: f64 = 100_000.0;

    /// A cell whose sessions keep so many tokens alive, of which this share was reused, with so many requests in flight.
    fn cell(concurrent: u64, sequential: u64, resident: u64, reused: Option<f64>) -> CellSummary {
        let axes = json!({"workload.concurrent": concurrent, "workload.sequential": sequential});
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let in_flight_mean = Some(concurrent as f64);
        CellSummary {
            curtailed: None,
            axes: axes.as_object().unwrap().clone(),
            state: CellState::Measured,
            runs: 1,
            planned_runs: 1,
            n: 100,
            failed: 0,
            failures: std::collections::BTreeMap::new(),
            failure_words: Vec::new(),
            shown: None,
            goals: Vec::new(),
            passes: None,
            verdict: None,
            backlog_growth: None,
            transient: None,
            rates: CellThroughput::default(),
            sessions: SessionFigures {
                resident_tokens: Some(resident),
                sent_before_tokens: Some(1000),
                reused,
                reused_by: reused.map(|_| "cached_tokens".to_owned()),
                in_flight_mean,
            },
            server: ServerFigures::default(),
            success_only: SuccessPercentiles::default(),
            client: ClientHealth::default(),
            client_limits: ClientLimits::default(),
            streams: StreamFigures::default(),
            by_repeat: Vec::new(),
            renderings: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn with_pool(mut cell: CellSummary) -> CellSummary {
        cell.server.kv_pool_tokens = Some(ServerMetricValue { value: POOL, by: "log".into() });
        cell
    }

    fn with_levels(mut cell: CellSummary, waiting: f64, kv_usage: f64) -> CellSummary {
        let level = |max: f64, by: &str| Some(GaugeSummary { mean: max / 2.0, max, by: by.into() });
        cell.server.waiting = level(waiting, "vllm:num_requests_waiting");
        cell.server.kv_usage = level(kv_usage, "vllm:kv_cache_usage_perc");
        cell
    }

    fn with_hits(mut cell: CellSummary, device: f64, external: f64) -> CellSummary {
        let cached = device + external;
        cell.server.hits = Some(CacheHitShares {
            device: Some(device),
            external: Some(external),
            cached,
            computed: 1.0 - cached,
            by: "vllm:by_source".into(),
        });
        cell
    }

    #[track_caller]
    fn is(cause: CellBottleneckKind, fails: &CellSummary, passes: Option<&CellSummary>) -> String {
        let diagnosis = diagnose(fails, passes);
        assert_eq!(diagnosis.cause, cause, "{}", diagnosis.words);
        diagnosis.words
    }

    #[test]
    fn hits_that_vanish_where_sessions_outgrow_the_pool_are_memory() {
        let (fails, passes) = (with_pool(cell(4, 4, 120_000, Some(0.02))), with_pool(cell(4, 3, 90_000, Some(0.99))));
        assert_eq!(
            is(CellBottleneckKind::KvMemory, &fails, Some(&passes)),
            "from C=4, S=3, which passes, to C=4, S=4, which fails, the share of prompt tokens sent before that came from a cache went \
             from 99 % to 2 % (cached_tokens); its sessions keep 120,000 tokens alive, the KV pool holds 100,000 (log)"
        );
        // The same from rows alone.
        is(CellBottleneckKind::KvMemory, &cell(4, 4, 120_000, Some(0.02)), Some(&cell(4, 3, 90_000, Some(0.99))));
        // The smallest cell fails already: only the pool can tell.
        is(CellBottleneckKind::KvMemory, &fails, None);
        is(CellBottleneckKind::Unknown, &cell(4, 4, 120_000, Some(0.02)), None);
    }

    #[test]
    fn hits_that_vanish_though_everything_fits_are_contradictory() {
        let words = is(CellBottleneckKind::Unknown, &with_pool(cell(4, 4, 50_000, Some(0.02))), Some(&cell(4, 3, 40_000, Some(0.99))));
        assert!(words.contains("they fit"), "{words}");
    }

    #[test]
    fn a_server_that_never_reused_anything_lost_nothing() {
        let words = is(CellBottleneckKind::Unknown, &cell(4, 4, 120_000, Some(0.0)), Some(&cell(4, 3, 90_000, Some(0.0))));
        assert!(words.contains("so little was found in a cache where the goals are fulfilled, too"), "{words}");
    }

    #[test]
    fn hits_that_are_kept_while_requests_queue_are_compute() {
        let fails = with_levels(cell(8, 2, 50_000, Some(0.98)), 5.0, 0.4);
        let passes = with_levels(cell(4, 2, 30_000, Some(0.99)), 0.0, 0.3);
        assert_eq!(
            is(CellBottleneckKind::Compute, &fails, Some(&passes)),
            "from C=4, S=2, which passes, to C=8, S=2, which fails, 98 % of the prompt tokens sent before still came from a cache \
             (cached_tokens), while requests in flight grew from 4 to 8, those waiting from at most 0 to 5 (vllm:num_requests_waiting)"
        );
        // From rows alone, and where nothing smaller passes.
        is(CellBottleneckKind::Compute, &cell(8, 2, 50_000, Some(0.98)), Some(&cell(4, 2, 30_000, Some(0.99))));
        is(CellBottleneckKind::Compute, &cell(4, 1, 5_000, Some(0.98)), None);
    }

    #[test]
    fn a_request_that_is_too_slow_all_alone_tells_nothing_of_load() {
        let words = is(CellBottleneckKind::Unknown, &cell(1, 1, 5_000, Some(0.98)), None);
        assert!(words.contains("it is not load that makes it slow"), "{words}");
        // Somebody else's requests wait before it.
        is(CellBottleneckKind::Compute, &with_levels(cell(1, 1, 5_000, Some(0.98)), 3.0, 0.4), None);
    }

    #[test]
    fn hits_that_are_kept_with_no_more_in_flight_are_contradictory() {
        is(CellBottleneckKind::Unknown, &cell(4, 4, 50_000, Some(0.98)), Some(&cell(4, 3, 40_000, Some(0.99))));
    }

    #[test]
    fn running_requests_that_fill_the_memory_are_memory_whatever_the_hits() {
        let passes = with_levels(cell(4, 2, 30_000, Some(0.99)), 0.0, 0.7);
        is(CellBottleneckKind::KvMemory, &with_levels(cell(8, 2, 50_000, Some(0.98)), 3.0, 0.99), Some(&passes));
        let mut preempted = cell(8, 2, 50_000, Some(0.98));
        preempted.server.preemptions = Some(ServerMetricValue { value: 3.0, by: "vllm:num_preemptions_total".into() });
        let words = is(CellBottleneckKind::KvMemory, &preempted, Some(&passes));
        assert!(words.contains("lost their KV memory 3 times a run (vllm:num_preemptions_total)"), "{words}");
    }

    #[test]
    fn hits_that_move_to_a_slow_external_cache_are_memory() {
        let (fails, passes) = (with_hits(cell(4, 4, 120_000, Some(0.98)), 0.05, 0.9), with_hits(cell(4, 3, 90_000, Some(0.98)), 0.95, 0.0));
        let words = is(CellBottleneckKind::KvMemory, &fails, Some(&passes));
        assert!(words.contains("hits on the device fell from 95 % to 5 %") && words.contains("external cache brought 90 %"), "{words}");
    }

    #[test]
    fn without_hits_only_the_pool_can_tell() {
        let (fails, passes) = (with_pool(cell(4, 4, 120_000, None)), with_pool(cell(4, 3, 75_000, None)));
        is(CellBottleneckKind::KvMemory, &fails, Some(&passes));
        is(CellBottleneckKind::Unknown, &cell(4, 4, 120_000, None), Some(&cell(4, 3, 75_000, None)));
        // More requests in flight would explain it as well.
        is(CellBottleneckKind::Unknown, &with_pool(cell(8, 2, 120_000, None)), Some(&passes));
    }

    #[test]
    fn requests_that_send_nothing_again_tell_by_queue_and_memory() {
        let alone = |mut cell: CellSummary| {
            cell.sessions.sent_before_tokens = None;
            cell.sessions.reused = None;
            cell
        };
        let passes = with_levels(cell(4, 1, 5_000, None), 0.0, 0.2);
        is(CellBottleneckKind::Compute, &alone(with_levels(cell(8, 1, 9_000, None), 9.0, 0.4)), Some(&passes));
        is(CellBottleneckKind::KvMemory, &alone(with_levels(cell(8, 1, 9_000, None), 9.0, 1.0)), Some(&passes));
        is(CellBottleneckKind::Unknown, &alone(cell(8, 1, 9_000, None)), Some(&passes));
    }

    #[test]
    fn requests_that_break_are_neither() {
        let mut fails = cell(4, 4, 120_000, Some(0.02));
        fails.failures = std::collections::BTreeMap::from([(FailureKind::Http(503), 30), (FailureKind::TimeoutIdle, 2)]);
        let words = is(CellBottleneckKind::Unknown, &fails, Some(&cell(4, 3, 90_000, Some(0.99))));
        assert_eq!(words, "C=4, S=4 fails by requests that were not answered (30 http_503 of 100)");
        // What is not sent after a refusal is refused, too; what is not sent after a timeout is slow.
        let refused = [(FailureKind::Http(413), 2), (FailureKind::NoHistory, 78)];
        fails.failures = refused.into();
        let words = is(CellBottleneckKind::Unknown, &fails, Some(&cell(4, 3, 90_000, Some(0.99))));
        assert_eq!(words, "C=4, S=4 fails by requests that were not answered (2 http_413, 78 no_history of 100)");
        fails.failures = [(FailureKind::TimeoutFirstToken, 2), (FailureKind::NoHistory, 78)].into();
        is(CellBottleneckKind::KvMemory, &fails, Some(&cell(4, 3, 90_000, Some(0.99))));
    }
}
