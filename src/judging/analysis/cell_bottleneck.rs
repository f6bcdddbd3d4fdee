//! Why one cell fails where its neighbour passes: compute, KV memory, or neither can be told. Two judged cells in, the figures that tell out.
//! The reasoning stands in `docs/metrics.md`.

use super::boundary_cells::{BoundaryCells, fits, outgrown};
use super::summary::{
    BoundaryFinding, CellSummary, ComputeEvidence, GaugeSummary, InconclusiveEvidence, KvMemoryEvidence, ReuseChange, ServerMetricValue,
    TokenReuse,
};
use crate::records::record::FailureKind;

/// What made a cell fail, and what tells.
#[derive(Debug, Clone, PartialEq)]
pub enum CellBottleneck {
    Compute(BoundaryFinding<ComputeEvidence>),
    KvMemory(BoundaryFinding<KvMemoryEvidence>),
    Unknown(BoundaryFinding<InconclusiveEvidence>),
}

/// Reuse from here on is kept, below the other it is lost.
pub const KEPT: f64 = 0.8;
pub const LOST: f64 = 0.5;
/// A fall of reuse that is one, however much is left.
const FALL: f64 = 0.2;
/// So few requests in flight, on average, are one at a time.
const ALONE: f64 = 1.5;
/// A KV cache is full from here on; engines keep a small reserve.
const FULL: f64 = 0.95;
/// The share of requests whose failures are no question of speed beyond which nothing is said.
const BROKEN: f64 = 0.05;

/// Says why `fails` does.
pub fn diagnose(fails: &CellSummary, passes: Option<&CellSummary>) -> CellBottleneck {
    let boundary = BoundaryCells { fails, passes };
    if let Some(failed) = boundary.failed_requests() {
        return boundary.unknown(failed);
    }
    if fails.sessions.sent_before_tokens.is_none() {
        return boundary.nothing_sent_again();
    }
    let Some(share) = fails.sessions.reused else { return boundary.without_hits() };
    let change = boundary.reuse_change(share);
    if share < LOST {
        boundary.lost(change)
    } else if share >= KEPT {
        boundary.kept(change.reuse)
    } else {
        boundary.between(change)
    }
}

impl BoundaryCells<'_> {
    fn found<Evidence>(&self, evidence: Evidence) -> BoundaryFinding<Evidence> {
        BoundaryFinding { fails: self.fails.axes.clone(), passes: self.passes.map(|cell| cell.axes.clone()), evidence }
    }

    fn compute(&self, evidence: ComputeEvidence) -> CellBottleneck {
        CellBottleneck::Compute(self.found(evidence))
    }

    fn kv_memory(&self, evidence: KvMemoryEvidence) -> CellBottleneck {
        CellBottleneck::KvMemory(self.found(evidence))
    }

    fn unknown(&self, evidence: InconclusiveEvidence) -> CellBottleneck {
        CellBottleneck::Unknown(self.found(evidence))
    }

    /// Failures that are neither a matter of compute nor of memory.
    #[expect(clippy::cast_precision_loss, reason = "request counts are far below 2^53")]
    fn failed_requests(&self) -> Option<InconclusiveEvidence> {
        use FailureKind::{Cancelled, NoHistory, SessionEnded, TimeoutFirstToken, TimeoutIdle, TimeoutTotal};
        let is_slow = |kind: FailureKind| matches!(kind, TimeoutFirstToken | TimeoutIdle | TimeoutTotal | Cancelled);
        // What was not sent after other failures is of the kind that most of those are.
        let follows = |kind: FailureKind| matches!(kind, NoHistory | SessionEnded);
        let CellSummary { failures, n, .. } = self.fails;
        let sum = |wanted: &dyn Fn(FailureKind) -> bool| -> u64 {
            failures.iter().filter(|(kind, _)| wanted(**kind)).map(|(_, count)| *count).sum()
        };
        let mostly_slow = sum(&is_slow) > sum(&|kind| !is_slow(kind) && !follows(kind));
        let is_broken = |kind: FailureKind| !(is_slow(kind) || mostly_slow && follows(kind));
        let many = sum(&is_broken) as f64 > BROKEN * (*n).max(1) as f64;
        let broken = failures.iter().filter(|(kind, _)| is_broken(**kind)).map(|(kind, count)| (*kind, *count));
        many.then(|| InconclusiveEvidence::RequestsFailed { failures: broken.collect(), n: *n })
    }

    /// What had been sent before was not found again.
    fn lost(&self, change: ReuseChange) -> CellBottleneck {
        match (self.fits(), change.share_before) {
            // Nothing was lost on the way: it passes without hits too.
            (_, Some(before)) if before - change.reuse.share < FALL => self.unknown(InconclusiveEvidence::LittleReusedBefore(change)),
            (Some(true), _) => self.unknown(InconclusiveEvidence::SessionsFit(change)),
            (Some(false), _) | (None, Some(_)) => self.kv_memory(KvMemoryEvidence::HitsLost(change)),
            (None, None) => self.unknown(InconclusiveEvidence::NothingToCompare(change)),
        }
    }

    /// What had been sent before was found again: then memory is the bottleneck only where it shows in another way.
    fn kept(&self, reuse: TokenReuse) -> CellBottleneck {
        if let Some(memory) = self.crowded().or_else(|| self.moved_out()) {
            return self.kv_memory(memory);
        }
        let Some(passes) = self.passes else { return self.kept_at_the_bottom(reuse) };
        match self.growth(passes) {
            Some(growth) => self.compute(ComputeEvidence::LoadGrew { reuse, growth }),
            None => self.unknown(InconclusiveEvidence::NothingGrew { reuse }),
        }
    }

    /// The same where nothing smaller passes: others in flight or waiting tell of computing. A request that is alone tells nothing of load.
    fn kept_at_the_bottom(&self, reuse: TokenReuse) -> CellBottleneck {
        let alone = self.fails.sessions.in_flight_mean.filter(|mean| *mean < ALONE);
        let queued = self.fails.server.waiting.as_ref().is_some_and(|waiting| waiting.max > 0.0);
        match alone {
            Some(in_flight_mean) if !queued => self.unknown(InconclusiveEvidence::SingleRequest { reuse, in_flight_mean }),
            _ => self.compute(ComputeEvidence::NothingSmallerPasses { reuse }),
        }
    }

    /// Some of it was found again.
    fn between(&self, change: ReuseChange) -> CellBottleneck {
        let before = change.share_before;
        let fell = before.is_some_and(|before| before - change.reuse.share >= FALL);
        let is_lost = match self.fits() {
            Some(fits) => !fits && (fell || before.is_none()),
            None => fell && !self.load_grew(),
        };
        if is_lost { self.kv_memory(KvMemoryEvidence::HitsLost(change)) } else { self.unknown(InconclusiveEvidence::SmallChange(change)) }
    }

    /// No answered request sent again what its session had sent before, so that there was nothing to reuse: memory shows by requests that
    /// fill it, and compute by a queue beside memory that is free.
    fn nothing_sent_again(&self) -> CellBottleneck {
        if let Some(memory) = self.crowded() {
            return self.kv_memory(memory);
        }
        let usage = self.fails.server.kv_usage.as_ref().filter(|usage| usage.max < FULL);
        match usage.zip(self.passes.and_then(|passes| self.growth(passes))) {
            Some((usage, growth)) => self.compute(ComputeEvidence::MemoryFree { growth, kv_usage_max: largest(usage) }),
            None => self.unknown(InconclusiveEvidence::NothingSentAgain),
        }
    }

    /// Nobody told what came from a cache.
    fn without_hits(&self) -> CellBottleneck {
        let fitted = self.passes.is_some_and(|cell| fits(cell) == Some(true) || outgrown(cell) == Some(false));
        if fitted && outgrown(self.fails) == Some(true) && !self.load_grew() {
            self.kv_memory(KvMemoryEvidence::PoolOutgrown(self.residence()))
        } else {
            self.unknown(InconclusiveEvidence::HitsNotReported)
        }
    }

    /// Running requests alone fill the KV memory, so that others wait or lose their place.
    fn crowded(&self) -> Option<KvMemoryEvidence> {
        let server = &self.fails.server;
        let before = self.passes.and_then(|cell| cell.server.preemptions.as_ref()).map_or(0.0, |told| told.value);
        if let Some(preemptions) = server.preemptions.as_ref().filter(|told| told.value > before) {
            return Some(KvMemoryEvidence::Preempted { preemptions: preemptions.clone() });
        }
        let (usage, waiting) = (server.kv_usage.as_ref()?, server.waiting.as_ref()?);
        let is_full = usage.max >= FULL && waiting.max > 0.0;
        is_full.then(|| KvMemoryEvidence::MemoryFull { kv_usage_max: largest(usage), waiting_max: largest(waiting) })
    }

    /// Hits left the device for a cache behind it, which holds them and is too slow for the goal.
    fn moved_out(&self) -> Option<KvMemoryEvidence> {
        let (before, now) = (self.passes?.server.hits.as_ref()?, self.fails.server.hits.as_ref()?);
        let (device_before, device, external) = (before.device?, now.device?, now.external?);
        let moved = device_before >= LOST && device < device_before / 2.0 && external >= FALL;
        let (by, residence) = (now.by.clone(), self.residence());
        moved.then_some(KvMemoryEvidence::HitsMovedOut { device_before, device, external, by, residence })
    }
}

/// The largest value of a gauge.
fn largest(gauge: &GaugeSummary) -> ServerMetricValue {
    ServerMetricValue { value: gauge.max, by: gauge.by.clone() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::analysis::summary::{
        CacheHitShares, CellThroughput, ClientLimits, FigureChange, LoadGrowth, MetricChange, NoteList, ServerFigures, SessionFigures,
        StandardFigures, StreamFigures, TokenResidence,
    };
    use crate::analysis::{CellState, SuccessPercentiles};
    use crate::records::record::ClientHealth;

    const POOL: f64 = 100_000.0;

    /// A cell whose sessions keep so many tokens alive, of which this share was reused, with so many requests in flight.
    fn cell(concurrent: u64, sequential: u64, resident: u64, reused: Option<f64>) -> CellSummary {
        let axes = json!({"workload.concurrent": concurrent, "workload.sequential": sequential});
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let in_flight_mean = Some(concurrent as f64);
        CellSummary {
            predicted: None,
            curtailed: None,
            axes: axes.as_object().unwrap().clone(),
            state: CellState::Measured,
            runs: 1,
            planned_runs: 1,
            n: 100,
            failed: 0,
            failures: BTreeMap::new(),
            failure_words: Vec::new(),
            shown: None,
            goals: Vec::new(),
            passes: None,
            verdict: None,
            backlog_growth: None,
            transient: None,
            rates: CellThroughput::default(),
            standard: StandardFigures::default(),
            also: Vec::new(),
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
            notes: NoteList::default(),
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

    fn boundary<'a>(fails: &'a CellSummary, passes: Option<&'a CellSummary>) -> BoundaryCells<'a> {
        BoundaryCells { fails, passes }
    }

    #[track_caller]
    fn is_compute(fails: &CellSummary, passes: Option<&CellSummary>, evidence: ComputeEvidence) {
        assert_eq!(diagnose(fails, passes), boundary(fails, passes).compute(evidence));
    }

    #[track_caller]
    fn is_memory(fails: &CellSummary, passes: Option<&CellSummary>, evidence: KvMemoryEvidence) {
        assert_eq!(diagnose(fails, passes), boundary(fails, passes).kv_memory(evidence));
    }

    #[track_caller]
    fn is_unknown(fails: &CellSummary, passes: Option<&CellSummary>, evidence: InconclusiveEvidence) {
        assert_eq!(diagnose(fails, passes), boundary(fails, passes).unknown(evidence));
    }

    fn reuse(share: f64) -> TokenReuse {
        TokenReuse { share, by: "cached_tokens".into() }
    }

    fn residence(resident: u64, kv_pool: Option<f64>) -> TokenResidence {
        let kv_pool_tokens = kv_pool.map(|value| ServerMetricValue { value, by: "log".into() });
        TokenResidence { resident_tokens: Some(resident), kv_pool_tokens }
    }

    fn change(share_before: Option<f64>, share: f64, residence: TokenResidence) -> ReuseChange {
        ReuseChange { share_before, reuse: reuse(share), residence }
    }

    /// Twice as many requests in flight, and more that wait where that is told.
    fn doubled(waiting_max: Option<f64>) -> LoadGrowth {
        LoadGrowth {
            in_flight_mean: Some(FigureChange { from: 4.0, to: 8.0 }),
            waiting_max: waiting_max.map(|to| MetricChange { from: 0.0, to, by: "vllm:num_requests_waiting".into() }),
            gpu_utilization_mean: None,
        }
    }

    #[test]
    fn hits_that_vanish_where_sessions_outgrow_the_pool_are_memory() {
        let (fails, passes) = (with_pool(cell(4, 4, 120_000, Some(0.02))), with_pool(cell(4, 3, 90_000, Some(0.99))));
        let (told, untold) = (residence(120_000, Some(POOL)), residence(120_000, None));
        let lost = |share_before, residence: &TokenResidence| KvMemoryEvidence::HitsLost(change(share_before, 0.02, residence.clone()));
        is_memory(&fails, Some(&passes), lost(Some(0.99), &told));
        // The same from rows alone.
        is_memory(&cell(4, 4, 120_000, Some(0.02)), Some(&cell(4, 3, 90_000, Some(0.99))), lost(Some(0.99), &untold));
        // The smallest cell fails already: only the pool can tell.
        is_memory(&fails, None, lost(None, &told));
        is_unknown(&cell(4, 4, 120_000, Some(0.02)), None, InconclusiveEvidence::NothingToCompare(change(None, 0.02, untold)));
    }

    #[test]
    fn hits_that_vanish_though_everything_fits_are_contradictory() {
        let contradiction = InconclusiveEvidence::SessionsFit(change(Some(0.99), 0.02, residence(50_000, Some(POOL))));
        is_unknown(&with_pool(cell(4, 4, 50_000, Some(0.02))), Some(&cell(4, 3, 40_000, Some(0.99))), contradiction);
    }

    #[test]
    fn a_server_that_never_reused_anything_lost_nothing() {
        let never = InconclusiveEvidence::LittleReusedBefore(change(Some(0.0), 0.0, residence(120_000, None)));
        is_unknown(&cell(4, 4, 120_000, Some(0.0)), Some(&cell(4, 3, 90_000, Some(0.0))), never);
    }

    #[test]
    fn some_hits_that_are_left_tell_by_their_fall_and_by_the_pool() {
        let passes = cell(4, 3, 90_000, Some(0.95));
        let fell = |residence| change(Some(0.95), 0.6, residence);
        let (pool, untold) = (residence(120_000, Some(POOL)), residence(120_000, None));
        is_memory(&with_pool(cell(4, 4, 120_000, Some(0.6))), Some(&passes), KvMemoryEvidence::HitsLost(fell(pool)));
        is_memory(&cell(4, 4, 120_000, Some(0.6)), Some(&passes), KvMemoryEvidence::HitsLost(fell(untold.clone())));
        // More requests in flight would explain it as well.
        is_unknown(&cell(8, 2, 120_000, Some(0.6)), Some(&passes), InconclusiveEvidence::SmallChange(fell(untold)));
        let fits = fell(residence(50_000, Some(POOL)));
        is_unknown(&with_pool(cell(4, 4, 50_000, Some(0.6))), Some(&passes), InconclusiveEvidence::SmallChange(fits));
    }

    #[test]
    fn hits_that_are_kept_while_requests_queue_are_compute() {
        let fails = with_levels(cell(8, 2, 50_000, Some(0.98)), 5.0, 0.4);
        let passes = with_levels(cell(4, 2, 30_000, Some(0.99)), 0.0, 0.3);
        let grew = |waiting_max| ComputeEvidence::LoadGrew { reuse: reuse(0.98), growth: doubled(waiting_max) };
        is_compute(&fails, Some(&passes), grew(Some(5.0)));
        // From rows alone, and where nothing smaller passes.
        is_compute(&cell(8, 2, 50_000, Some(0.98)), Some(&cell(4, 2, 30_000, Some(0.99))), grew(None));
        is_compute(&cell(4, 1, 5_000, Some(0.98)), None, ComputeEvidence::NothingSmallerPasses { reuse: reuse(0.98) });
    }

    #[test]
    fn busier_gpus_stand_beside_load_that_grew_and_are_no_growth_themselves() {
        let with_gpus = |mut cell: CellSummary, mean: f64| {
            cell.server.gpu_utilization = Some(GaugeSummary { mean, max: 1.0, by: "nvidia-smi".into() });
            cell
        };
        let passes = with_gpus(cell(4, 2, 30_000, Some(0.99)), 0.5);
        let gpu_utilization_mean = Some(MetricChange { from: 0.5, to: 0.9, by: "nvidia-smi".into() });
        let growth = LoadGrowth { gpu_utilization_mean, ..doubled(None) };
        let grew = ComputeEvidence::LoadGrew { reuse: reuse(0.98), growth };
        is_compute(&with_gpus(cell(8, 2, 50_000, Some(0.98)), 0.9), Some(&passes), grew);
        let busy = with_gpus(cell(4, 4, 50_000, Some(0.98)), 0.9);
        is_unknown(&busy, Some(&passes), InconclusiveEvidence::NothingGrew { reuse: reuse(0.98) });
    }

    #[test]
    fn a_request_that_is_too_slow_all_alone_tells_nothing_of_load() {
        let alone = InconclusiveEvidence::SingleRequest { reuse: reuse(0.98), in_flight_mean: 1.0 };
        is_unknown(&cell(1, 1, 5_000, Some(0.98)), None, alone);
        // Somebody else's requests wait before it.
        let queued = with_levels(cell(1, 1, 5_000, Some(0.98)), 3.0, 0.4);
        is_compute(&queued, None, ComputeEvidence::NothingSmallerPasses { reuse: reuse(0.98) });
    }

    #[test]
    fn hits_that_are_kept_with_no_more_in_flight_are_contradictory() {
        let nothing = InconclusiveEvidence::NothingGrew { reuse: reuse(0.98) };
        is_unknown(&cell(4, 4, 50_000, Some(0.98)), Some(&cell(4, 3, 40_000, Some(0.99))), nothing);
    }

    fn full(kv_usage: f64, waiting: f64) -> KvMemoryEvidence {
        KvMemoryEvidence::MemoryFull {
            kv_usage_max: ServerMetricValue { value: kv_usage, by: "vllm:kv_cache_usage_perc".into() },
            waiting_max: ServerMetricValue { value: waiting, by: "vllm:num_requests_waiting".into() },
        }
    }

    #[test]
    fn running_requests_that_fill_the_memory_are_memory_whatever_the_hits() {
        let passes = with_levels(cell(4, 2, 30_000, Some(0.99)), 0.0, 0.7);
        is_memory(&with_levels(cell(8, 2, 50_000, Some(0.98)), 3.0, 0.99), Some(&passes), full(0.99, 3.0));
        let preemptions = ServerMetricValue { value: 3.0, by: "vllm:num_preemptions_total".into() };
        let mut preempted = cell(8, 2, 50_000, Some(0.98));
        preempted.server.preemptions = Some(preemptions.clone());
        is_memory(&preempted, Some(&passes), KvMemoryEvidence::Preempted { preemptions });
    }

    #[test]
    fn hits_that_move_to_a_slow_external_cache_are_memory() {
        let (fails, passes) = (with_hits(cell(4, 4, 120_000, Some(0.98)), 0.05, 0.9), with_hits(cell(4, 3, 90_000, Some(0.98)), 0.95, 0.0));
        let moved = KvMemoryEvidence::HitsMovedOut {
            device_before: 0.95,
            device: 0.05,
            external: 0.9,
            by: "vllm:by_source".into(),
            residence: residence(120_000, None),
        };
        is_memory(&fails, Some(&passes), moved);
    }

    #[test]
    fn without_hits_only_the_pool_can_tell() {
        let (fails, passes) = (with_pool(cell(4, 4, 120_000, None)), with_pool(cell(4, 3, 75_000, None)));
        is_memory(&fails, Some(&passes), KvMemoryEvidence::PoolOutgrown(residence(120_000, Some(POOL))));
        is_unknown(&cell(4, 4, 120_000, None), Some(&cell(4, 3, 75_000, None)), InconclusiveEvidence::HitsNotReported);
        // More requests in flight would explain it as well.
        is_unknown(&with_pool(cell(8, 2, 120_000, None)), Some(&passes), InconclusiveEvidence::HitsNotReported);
    }

    #[test]
    fn requests_that_send_nothing_again_tell_by_queue_and_memory() {
        let alone = |mut cell: CellSummary| {
            cell.sessions.sent_before_tokens = None;
            cell.sessions.reused = None;
            cell
        };
        let passes = with_levels(cell(4, 1, 5_000, None), 0.0, 0.2);
        let kv_usage_max = ServerMetricValue { value: 0.4, by: "vllm:kv_cache_usage_perc".into() };
        let free = ComputeEvidence::MemoryFree { growth: doubled(Some(9.0)), kv_usage_max };
        is_compute(&alone(with_levels(cell(8, 1, 9_000, None), 9.0, 0.4)), Some(&passes), free);
        is_memory(&alone(with_levels(cell(8, 1, 9_000, None), 9.0, 1.0)), Some(&passes), full(1.0, 9.0));
        is_unknown(&alone(cell(8, 1, 9_000, None)), Some(&passes), InconclusiveEvidence::NothingSentAgain);
    }

    #[test]
    fn requests_that_break_are_neither() {
        let passes = cell(4, 3, 90_000, Some(0.99));
        let mut fails = cell(4, 4, 120_000, Some(0.02));
        let broken = |failures| InconclusiveEvidence::RequestsFailed { failures, n: 100 };
        fails.failures = BTreeMap::from([(FailureKind::Http(503), 30), (FailureKind::TimeoutIdle, 2)]);
        is_unknown(&fails, Some(&passes), broken(BTreeMap::from([(FailureKind::Http(503), 30)])));
        // What is not sent after a refusal is refused, too; what is not sent after a timeout is slow.
        fails.failures = BTreeMap::from([(FailureKind::Http(413), 2), (FailureKind::NoHistory, 78)]);
        is_unknown(&fails, Some(&passes), broken(fails.failures.clone()));
        fails.failures = BTreeMap::from([(FailureKind::TimeoutFirstToken, 2), (FailureKind::NoHistory, 78)]);
        let lost = change(Some(0.99), 0.02, residence(120_000, None));
        is_memory(&fails, Some(&passes), KvMemoryEvidence::HitsLost(lost));
    }
}
