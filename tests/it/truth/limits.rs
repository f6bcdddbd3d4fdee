//! The bottleneck is known beforehand of an engine whose memory and speed are given: the report must say so, from saved runs alone.

use bench::analysis::{BottleneckKind, ExternalCacheUse, SweepSummary};

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
fn limit_of(summary: &SweepSummary, variant: usize) -> (BottleneckKind, &str) {
    let [limit] = summary.variants[variant].limits.as_slice() else { panic!("{:?}", summary.variants[variant].limits) };
    (limit.kind, &limit.words)
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
    let (kind, words) = limit_of(&summary, 0);
    assert_eq!(kind, BottleneckKind::KvMemory, "{words}");
    assert!(words.starts_with("from C=4, S=3, which passes, to C=4, S=4, which fails, the share"), "{words}");
    // 112 GB of blocks of 256 tokens, 57,344 bytes a token.
    assert!(words.contains("the KV pool holds 1,953,024"), "{words}");
    assert_eq!(limit_of(&summary, 1).0, BottleneckKind::Nothing);
    assert_eq!(summary.variants[1].external.as_ref().map(|external| external.state), Some(ExternalCacheUse::Used));
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
    let (kind, words) = limit_of(&summary, 1);
    assert_eq!(kind, BottleneckKind::KvMemory, "{words}");
    assert!(words.contains("the external cache brought"), "{words}");
    let [remark] = summary.ratios[0].remarks.as_slice() else { panic!("{:?}", summary.ratios[0].remarks) };
    assert!(remark.starts_with("no gain of tiered") && remark.contains("it does not fit on the device"), "{remark}");
}

#[test]
fn a_tier_that_was_never_needed_is_not_accused_and_one_that_holds_nothing_is_exposed() {
    let fitting = card("[3]", "500GB", "2s");
    let external = fitting.variants[1].external.as_ref().unwrap();
    assert_eq!(external.state, ExternalCacheUse::NotNeeded, "{}", external.words);
    let [remark] = fitting.ratios[0].remarks.as_slice() else { panic!("{:?}", fitting.ratios[0].remarks) };
    assert!(remark.contains("all of it fits on the device, so a cache behind it had nothing to win"), "{remark}");
    // 20 MB are one block of the 512 that a session needs.
    let useless = card("[3, 4]", "20MB", "2s");
    let external = useless.variants[1].external.as_ref().unwrap();
    assert_eq!(external.state, ExternalCacheUse::ReusedNothing, "{}", external.words);
    assert!(external.words.starts_with("tiered reused nothing: 0 of ") && useless.ratios[0].remarks[0] == external.words);
}

#[test]
fn a_small_memory_gives_out_before_a_fast_engine_does() {
    // 16 sessions of 4,500 tokens are more than 64,000; 8 are not.
    let summary = tiny("", "60ms");
    let (kind, words) = limit_of(&summary, 0);
    assert_eq!(kind, BottleneckKind::KvMemory, "{words}");
}

#[test]
fn compute_gives_out_where_memory_is_plenty() {
    // 4 GB hold all 32 sessions ninety times over: what grows with C is the work of a step.
    let summary = tiny("kv_memory = '4GB'", "2.2ms");
    let (kind, words) = limit_of(&summary, 0);
    assert_eq!(kind, BottleneckKind::Compute, "{words}");
    assert!(words.contains("requests in flight grew from"), "{words}");
}

#[test]
fn nothing_gives_out_where_every_cell_passes() {
    assert_eq!(limit_of(&tiny("kv_memory = '4GB'", "10s"), 0).0, BottleneckKind::Nothing);
}
