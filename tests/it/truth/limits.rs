//! The bottleneck is known beforehand of an engine whose memory and speed are given: the report must say so, from saved runs alone.

use bench::analysis::{
    BottleneckEvidence, ComputeEvidence, ExternalCacheUse, KvMemoryEvidence, RatioRemark, SweepSummary, UselessCacheEvidence, show_axes,
};

use super::sweeps::swept;

/// Documents of 8,000 tokens under the preset `tiny`, whose 64 MB hold 64,000 tokens.
fn tiny(engine: &str, goal: &str) -> SweepSummary {
    swept(&format!(
        "name = 'tiny'\nseed = 7\n[workload]\nkind = 'document_qa'\ndocuments = {{ synthetic_tokens = 4000 }}\nrounds = 4\nanswer_tokens = 64\n\
         [target]\nkind = 'sim'\nmodel = 'x'\n[engine]\npreset = 'tiny'\n{engine}\n[matrix]\nconcurrent = [1, 4, 8]\nsequential = [1, 4]\n\
         [[goals]]\nrequire = 'p95(ttft where turn >= 1) <= {goal}'\n"
    ))
}

#[track_caller]
fn limit_of(summary: &SweepSummary, variant: usize) -> &BottleneckEvidence {
    let [limit] = summary.variants[variant].limits.as_slice() else { panic!("{:?}", summary.variants[variant].limits) };
    &limit.evidence
}

/// What the sessions of the cell keep alive that the only remark on the ratio is about, and what the KV pool holds, in tokens.
#[track_caller]
#[expect(clippy::cast_precision_loss, reason = "token counts are far below 2^53")]
fn no_gain_of_tiered(summary: &SweepSummary) -> (f64, f64) {
    let [RatioRemark::NoGain { variant, residence, .. }] = summary.ratios[0].remarks.0.as_slice() else {
        panic!("{:?}", summary.ratios[0].remarks)
    };
    assert_eq!(variant, "tiered");
    (residence.resident_tokens.unwrap() as f64, residence.kv_pool_tokens.as_ref().unwrap().value)
}

/// The published card with so many sequential sessions of 131,072 tokens in each of four groups: alone, and with a tier of host memory.
fn card(sequential: &str, tier: &str, goal: &str) -> SweepSummary {
    swept(&format!(
        "name = 'card'\nseed = 7\n[workload]\nkind = 'document_qa'\ndocuments = {{ synthetic_tokens = 131072 }}\nrounds = 6\n\
         answer_tokens = 64\nstart = 'burst'\nfollow_ups = 'original'\n[target]\nkind = 'sim'\nmodel = 'x'\n[matrix]\nconcurrent = [4]\n\
         sequential = {sequential}\n[[goals]]\nrequire = 'p95(ttft where turn >= 1) <= {goal}'\n[variants.vllm]\n\
         [variants.tiered]\nengine.host_tier = {{ capacity = '{tier}', bandwidth = '25GB/s' }}\n"
    ))
}

#[test]
fn the_published_card_runs_out_of_kv_memory_between_12_and_16_sessions_and_a_host_tier_does_not() {
    let summary = card("[3, 4]", "500GB", "2s");
    let limit = limit_of(&summary, 0);
    let BottleneckEvidence::KvMemory { finding, alike_cells: 0 } = limit else { panic!("{limit:?}") };
    assert_eq!((finding.passes.as_ref().map(show_axes).as_deref(), show_axes(&finding.fails).as_str()), (Some("C=4, S=3"), "C=4, S=4"));
    let KvMemoryEvidence::HitsLost(change) = &finding.evidence else { panic!("{finding:?}") };
    // 112 GB of blocks of 256 tokens, 57,344 bytes a token.
    assert_eq!(change.residence.kv_pool_tokens.as_ref().map(|told| told.value), Some(1_953_024.0));
    assert!(change.share_before.is_some_and(|before| before > 0.95) && change.reuse.share < 0.05, "{change:?}");
    assert!(matches!(limit_of(&summary, 1), BottleneckEvidence::Nothing { .. }));
    let tiered = summary.variants[1].external.as_ref().unwrap();
    assert!(matches!(&tiered.state, ExternalCacheUse::Used { hits } if hits.brought_tokens > 0.0), "{tiered:?}");
    assert_eq!(summary.variants[0].external, None);
    // What the device lost the tier brought, six follow-ups of seven turns.
    let shares = |variant: usize| {
        let hits = summary.variants[variant].cells[1].server.hits.clone().unwrap();
        (hits.device.unwrap(), hits.external.unwrap())
    };
    assert!(shares(0).0 + shares(0).1 < 0.01, "{:?}", shares(0));
    assert!(shares(1).0 < 0.01 && (shares(1).1 - 6.0 / 7.0).abs() < 0.01, "{:?}", shares(1));
}

#[test]
fn a_tier_that_is_too_slow_for_the_goal_leaves_the_device_s_memory_as_the_limit() {
    // 7.5 GB at 25 GB/s are 0.3 s for one alone, and more where four load at once.
    let summary = card("[3, 4]", "500GB", "500ms");
    let limit = limit_of(&summary, 1);
    let BottleneckEvidence::KvMemory { finding, .. } = limit else { panic!("{limit:?}") };
    assert!(matches!(finding.evidence, KvMemoryEvidence::HitsMovedOut { external, .. } if external > 0.5), "{finding:?}");
    let (resident, pool) = no_gain_of_tiered(&summary);
    assert!(resident > pool, "it does not fit on the device: {resident} of {pool}");
}

#[test]
fn a_tier_that_was_never_needed_is_not_accused_and_one_that_holds_nothing_is_exposed() {
    let fitting = card("[3]", "500GB", "2s");
    let external = fitting.variants[1].external.as_ref().unwrap();
    assert!(matches!(external.state, ExternalCacheUse::NotNeeded { .. }), "{external:?}");
    let (resident, pool) = no_gain_of_tiered(&fitting);
    assert!(resident <= pool, "all of it fits on the device: {resident} of {pool}");
    // 20 MB are one block of the 512 that a session needs.
    let useless = card("[3, 4]", "20MB", "2s");
    let external = useless.variants[1].external.as_ref().unwrap();
    let ExternalCacheUse::ReusedNothing { variant, evidence: UselessCacheEvidence::Counters(hits) } = &external.state else {
        panic!("{external:?}")
    };
    assert_eq!((variant.as_str(), hits.brought_tokens), ("tiered", 0.0));
    assert_eq!(useless.ratios[0].remarks.0[0], RatioRemark::UselessCache { external: external.clone() });
}

#[test]
fn a_small_memory_gives_out_before_a_fast_engine_does() {
    // 16 sessions of 4,500 tokens are more than 64,000; 8 are not.
    let summary = tiny("", "60ms");
    let limit = limit_of(&summary, 0);
    assert!(matches!(limit, BottleneckEvidence::KvMemory { .. }), "{limit:?}");
}

#[test]
fn compute_gives_out_where_memory_is_plenty() {
    // 4 GB hold all 32 sessions ninety times over: what grows with C is the work of a step.
    let summary = tiny("kv_memory = '4GB'", "2.2ms");
    let limit = limit_of(&summary, 0);
    let BottleneckEvidence::Compute { finding, .. } = limit else { panic!("{limit:?}") };
    let ComputeEvidence::LoadGrew { growth, .. } = &finding.evidence else { panic!("{finding:?}") };
    assert!(growth.in_flight_mean.is_some_and(|in_flight| in_flight.to > in_flight.from), "{growth:?}");
}

#[test]
fn nothing_gives_out_where_every_cell_passes() {
    assert!(matches!(limit_of(&tiny("kv_memory = '4GB'", "10s"), 0), BottleneckEvidence::Nothing { .. }));
}
