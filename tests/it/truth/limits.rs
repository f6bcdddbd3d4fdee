//! What gives out first is known beforehand of an engine whose memory and speed are given: the report must say so, from saved runs alone.

use bench::analysis::{LimitKind, SweepSummary};

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
fn limit_of(summary: &SweepSummary, variant: usize) -> (LimitKind, &str) {
    let [limit] = summary.variants[variant].limits.as_slice() else { panic!("{:?}", summary.variants[variant].limits) };
    (limit.kind, &limit.words)
}

#[test]
fn the_published_card_runs_out_of_kv_memory_between_12_and_16_sessions_and_a_host_tier_does_not() {
    let summary = swept(
        "name = 'card'\nseed = 7\n[workload]\nkind = 'document_qa'\ndocuments = { synthetic_tokens = 131072 }\nrounds = 6\nanswer_tokens = 64\nstart = 'burst'\n\
         [target]\nkind = 'sim'\nmodel = 'x'\n[matrix]\nconcurrent = [4]\nsequential = [3, 4]\n\
         [[goals]]\nrequire = 'p95(ttft where turn >= 1) <= 2s'\n[variants.vllm]\n\
         [variants.tiered]\nengine.host_tier = { capacity = '500GB', bandwidth = '25GB/s' }\n",
    );
    let (kind, words) = limit_of(&summary, 0);
    assert_eq!(kind, LimitKind::KvMemory, "{words}");
    assert!(words.starts_with("from C=4, S=3, which passes, to C=4, S=4, which fails, the share"), "{words}");
    assert_eq!(limit_of(&summary, 1).0, LimitKind::Nothing);
}

#[test]
fn a_small_memory_gives_out_before_a_fast_engine_does() {
    // 16 sessions of 4,500 tokens are more than 64,000; 8 are not.
    let summary = tiny("", "60ms");
    let (kind, words) = limit_of(&summary, 0);
    assert_eq!(kind, LimitKind::KvMemory, "{words}");
}

#[test]
fn compute_gives_out_where_memory_is_plenty() {
    // 4 GB hold all 32 sessions ninety times over: what grows with C is the work of a step.
    let summary = tiny("kv_memory = '4GB'", "2.2ms");
    let (kind, words) = limit_of(&summary, 0);
    assert_eq!(kind, LimitKind::Compute, "{words}");
    assert!(words.contains("requests in flight grew from"), "{words}");
}

#[test]
fn nothing_gives_out_where_every_cell_passes() {
    assert_eq!(limit_of(&tiny("kv_memory = '4GB'", "10s"), 0).0, LimitKind::Nothing);
}
