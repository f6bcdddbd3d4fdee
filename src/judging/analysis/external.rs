//! What a cache outside the engine was worth to a variant: how much it was asked for and what it brought over all its cells, whether it
//! was needed at all, and why a variant with one is no better than one without. Judged cells in, a verdict with its figures out.

use super::axes::is_within;
use super::boundary_cells::outgrown;
use super::cell_bottleneck::KEPT;
use super::summary::{
    CellState, CellSummary, ExternalCache, ExternalCacheUse, ExternalHitBasis, ExternalHits, RatioRemark, RatioRemarks, TokenResidence,
    UselessCacheEvidence, VariantSummary,
};
use crate::records::store::SavedRun;

/// Reuse below this is as good as none, where only answers tell it.
const NONE: f64 = 0.05;

/// The connector that some run's server was started with.
pub fn connector(runs: &[&SavedRun]) -> Option<String> {
    runs.iter().find_map(|run| run.record.server.as_ref()?.external_cache.clone())
}

/// What a variant's external cache did; `None` where it has none.
pub fn external(variant: &str, cells: &[CellSummary], connector: Option<String>) -> Option<ExternalCache> {
    let measured: Vec<&CellSummary> = cells.iter().filter(|cell| cell.state == CellState::Measured).collect();
    let asked = total(&measured, |cell| cell.server.external_queries.as_ref().map(|told| told.value));
    let brought = total(&measured, |cell| cell.server.external_tokens.as_ref().map(|told| told.value));
    if connector.is_none() && asked.unwrap_or(0.0) <= 0.0 && brought.unwrap_or(0.0) <= 0.0 || measured.is_empty() {
        return None;
    }
    let prompts = || total(&measured, |cell| cell.server.prompt_tokens.as_ref().map(|told| told.value));
    let basis = asked.filter(|asked| *asked > 0.0).map(|asked| (asked, ExternalHitBasis::AskedTokens));
    let basis = basis.or_else(|| Some((prompts()?, ExternalHitBasis::PromptTokens)));
    let counted = brought.zip(basis).map(|(brought_tokens, (of_tokens, basis))| ExternalHits { brought_tokens, of_tokens, basis });
    let state = match counted {
        Some(hits) if hits.brought_tokens > 0.0 => ExternalCacheUse::Used { hits },
        Some(hits) => nothing_came(variant, &measured, hits),
        None => untold(variant, &measured),
    };
    Some(ExternalCache { connector, state, asked_tokens: asked, brought_tokens: brought })
}

/// It brought none. It was needed where prompts were computed anew that had been sent before.
fn nothing_came(variant: &str, cells: &[&CellSummary], hits: ExternalHits) -> ExternalCacheUse {
    let needed = |cell: &&&CellSummary| cell.sessions.reused.map_or(outgrown(cell), |reused| Some(reused < KEPT));
    let answers: Vec<bool> = cells.iter().filter_map(|cell| needed(&cell)).collect();
    if answers.contains(&true) {
        ExternalCacheUse::ReusedNothing { variant: variant.to_owned(), evidence: UselessCacheEvidence::Counters(hits) }
    } else if answers.is_empty() {
        ExternalCacheUse::Unknown { hits: Some(hits) }
    } else {
        ExternalCacheUse::NotNeeded { hits }
    }
}

/// No counter tells sources apart. Answers that tell no cached tokens at all where prompts were sent again tell that nothing brought any.
#[expect(clippy::cast_precision_loss, reason = "token counts are far below 2^53")]
fn untold(variant: &str, cells: &[&CellSummary]) -> ExternalCacheUse {
    let empty = cells.iter().filter_map(|cell| Some((cell, cell.sessions.reused.filter(|reused| *reused < NONE)?)));
    let most = empty.max_by_key(|(cell, _)| cell.sessions.sent_before_tokens);
    let Some((cell, reused)) = most else { return ExternalCacheUse::Unknown { hits: None } };
    let sent_before_tokens = cell.sessions.sent_before_tokens.unwrap_or(0);
    let reused_tokens = reused * sent_before_tokens as f64;
    let evidence = UselessCacheEvidence::Answers { cell: cell.axes.clone(), reused_tokens, sent_before_tokens };
    ExternalCacheUse::ReusedNothing { variant: variant.to_owned(), evidence }
}

fn total(cells: &[&CellSummary], get: impl Fn(&CellSummary) -> Option<f64>) -> Option<f64> {
    let told: Vec<f64> = cells.iter().filter_map(|cell| get(cell)).collect();
    (!told.is_empty()).then(|| told.iter().sum())
}

/// Remarks on a comparison: that one of the two reused nothing, and why there is no gain where the other has an external cache.
pub fn remarks(base: &VariantSummary, other: &VariantSummary, gain: bool, within: &super::Axes) -> RatioRemarks {
    let exposed = |variant: &VariantSummary| variant.external.clone().filter(ExternalCache::reused_nothing);
    let mut remarks: Vec<RatioRemark> =
        [base, other].into_iter().filter_map(exposed).map(|external| RatioRemark::UselessCache { external }).collect();
    if !gain && other.external.as_ref().is_some_and(|external| !external.reused_nothing()) {
        remarks.extend(no_gain(other, within));
    }
    RatioRemarks(remarks)
}

/// Why a variant with an external cache is not better: its largest cell against the device's memory, and where its hits came from.
fn no_gain(variant: &VariantSummary, within: &super::Axes) -> Option<RatioRemark> {
    let here = |cell: &&CellSummary| cell.state == CellState::Measured && is_within(&cell.axes, within);
    let largest = variant.cells.iter().filter(here).max_by_key(|cell| cell.sessions.resident_tokens)?;
    Some(RatioRemark::NoGain {
        variant: variant.name.clone(),
        cell: largest.axes.clone(),
        residence: TokenResidence {
            resident_tokens: largest.sessions.resident_tokens,
            kv_pool_tokens: largest.server.kv_pool_tokens.clone(),
        },
        hits: largest.server.hits.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Cell, cell, sweep, told, uniform};
    use super::super::summary::CacheHitShares;
    use super::super::{SummaryOptions, SweepSummary, summarize};
    use super::*;
    use crate::records::record::{RequestRecord, ServerFacts, ServerSample};
    use crate::records::store::SavedSamples;

    /// A cell whose follow-ups found so many of their 1,000 tokens.
    fn found(variant: &'static str, sequential: u64, ttft_s: f64, cached: u64) -> Cell {
        let row = |record: RequestRecord| RequestRecord { cached_tokens: Some(if record.turn == 0 { 0 } else { cached }), ..record };
        cell(variant, 1, sequential, uniform(1, sequential, ttft_s).into_iter().map(row).collect())
    }

    /// `vllm` on its own, and `lmcache` with its connector, whose server told the same in each of its runs.
    fn summary(cells: &[Cell], told: &[ServerSample]) -> SweepSummary {
        let mut saved = sweep(&["p95(ttft where turn >= 1) <= 2s"], cells);
        for run in saved.runs.iter_mut().filter(|run| run.record.header.variant == "lmcache") {
            run.record.server = Some(ServerFacts { external_cache: Some("LMCacheConnectorV1".into()), ..ServerFacts::default() });
            run.samples = SavedSamples::Held(told.into());
        }
        summarize(&saved, &SummaryOptions::default()).unwrap()
    }

    fn cells(cached_of_eight: u64, ttft_of_eight: f64) -> [Cell; 4] {
        let of = |variant, cached, ttft| [found(variant, 4, 0.5, 1000), found(variant, 8, ttft, cached)];
        let [a, b] = of("vllm", 0, 5.0);
        let [c, d] = of("lmcache", cached_of_eight, ttft_of_eight);
        [a, b, c, d]
    }

    fn of_lmcache(summary: &SweepSummary) -> &ExternalCache {
        summary.variants[1].external.as_ref().unwrap()
    }

    /// Of the only remark on the ratio: the cell's S, the tokens that its sessions keep alive, those that the KV pool holds, and where its prompt
    /// tokens came from.
    fn no_gain_of(summary: &SweepSummary) -> (u64, u64, Option<f64>, CacheHitShares) {
        let [RatioRemark::NoGain { variant, cell, residence, hits }] = summary.ratios[0].remarks.0.as_slice() else {
            panic!("{:?}", summary.ratios[0].remarks)
        };
        assert_eq!(variant, "lmcache");
        let pool_tokens = residence.kv_pool_tokens.as_ref().map(|told| told.value);
        (cell["workload.sequential"].as_u64().unwrap(), residence.resident_tokens.unwrap(), pool_tokens, hits.clone().unwrap())
    }

    fn shares(device: f64, external: f64, computed: f64) -> CacheHitShares {
        let by = "vllm:prompt_tokens_by_source_total".to_owned();
        CacheHitShares { device: Some(device), external: Some(external), cached: device + external, computed, by }
    }

    fn asked(brought_tokens: f64, of_tokens: f64) -> ExternalHits {
        ExternalHits { brought_tokens, of_tokens, basis: ExternalHitBasis::AskedTokens }
    }

    #[test]
    fn a_cache_that_was_needed_and_brought_nothing_is_exposed() {
        let summary = summary(&cells(0, 5.0), &told(20_000.0, 12_000.0, 0.0, 20_000.0));
        let evidence = UselessCacheEvidence::Counters(asked(0.0, 40_000.0));
        let external = of_lmcache(&summary);
        assert_eq!(external.state, ExternalCacheUse::ReusedNothing { variant: "lmcache".into(), evidence });
        assert_eq!((external.asked_tokens, external.brought_tokens), (Some(40_000.0), Some(0.0)));
        assert_eq!(external.connector.as_deref(), Some("LMCacheConnectorV1"));
        assert_eq!(summary.ratios[0].remarks.0, [RatioRemark::UselessCache { external: external.clone() }]);
        assert_eq!(summary.variants[0].external, None);
    }

    #[test]
    fn a_cache_that_was_not_needed_is_not_accused() {
        let all_fit = [found("vllm", 4, 0.5, 1000), found("lmcache", 4, 0.5, 1000)];
        let summary = summary(&all_fit, &told(4_000.0, 12_000.0, 0.0, 4_000.0));
        assert_eq!(of_lmcache(&summary).state, ExternalCacheUse::NotNeeded { hits: asked(0.0, 4_000.0) });
        assert_eq!(no_gain_of(&summary), (4, 4_016, Some(6_000.0), shares(0.75, 0.0, 0.25)));
    }

    #[test]
    fn a_cache_that_works_is_said_to_and_a_gain_needs_no_excuse() {
        let summary = summary(&cells(1000, 0.9), &told(8_000.0, 12_000.0, 12_000.0, 20_000.0));
        assert_eq!(of_lmcache(&summary).state, ExternalCacheUse::Used { hits: asked(24_000.0, 40_000.0) });
        assert_eq!(summary.ratios[0].ratio, Some(2.0));
        assert!(summary.ratios[0].remarks.0.is_empty());
    }

    #[test]
    fn a_cache_that_works_without_gain_is_explained_by_where_hits_came_from() {
        let summary = summary(&cells(1000, 5.0), &told(8_000.0, 0.0, 24_000.0, 32_000.0));
        assert_eq!(no_gain_of(&summary), (8, 8_032, Some(6_000.0), shares(0.0, 0.75, 0.25)));
    }

    #[test]
    fn answers_alone_expose_a_cache_that_brings_nothing_where_nothing_is_left_on_the_device() {
        let summary = summary(&cells(0, 5.0), &[]);
        let largest = summary.variants[1].cells.iter().find(|cell| cell.axes["workload.sequential"] == 8).unwrap().axes.clone();
        let evidence = UselessCacheEvidence::Answers { cell: largest, reused_tokens: 0.0, sent_before_tokens: 24_000 };
        assert_eq!(of_lmcache(&summary).state, ExternalCacheUse::ReusedNothing { variant: "lmcache".into(), evidence });
        let fitting = self::summary(&[found("vllm", 4, 0.5, 1000), found("lmcache", 4, 0.5, 1000)], &[]);
        assert_eq!(of_lmcache(&fitting).state, ExternalCacheUse::Unknown { hits: None });
    }

    #[test]
    fn an_engine_that_merely_has_the_counters_has_no_external_cache() {
        let mut saved = sweep(&[], &[found("vllm", 4, 0.5, 1000)]);
        saved.runs[0].samples = SavedSamples::Held(told(4_000.0, 12_000.0, 0.0, 0.0).into());
        let summary = summarize(&saved, &SummaryOptions::default()).unwrap();
        assert_eq!(summary.variants[0].external, None);
        assert_eq!(summary.variants[0].cells[0].server.hits.as_ref().unwrap().device, Some(0.75));
    }
}
