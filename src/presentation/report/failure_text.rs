//! Failed requests of a variant in words: how many of each kind, and what was said of them. Summaries in, texts out; no escaping.

use std::collections::BTreeMap;

use crate::analysis::{FailureMessage, VariantSummary};
use crate::records::record::FailureKind;

/// Failures of a variant by kind: `failures: 12 timeout_first_token, 3 http_503, of 480 requests`.
#[must_use]
pub fn failures(variant: &VariantSummary) -> Option<String> {
    let mut kinds: BTreeMap<FailureKind, u64> = BTreeMap::new();
    for (kind, count) in variant.cells.iter().flat_map(|cell| &cell.failures) {
        *kinds.entry(*kind).or_default() += count;
    }
    if kinds.is_empty() {
        return None;
    }
    let requests: u64 = variant.cells.iter().map(|cell| cell.n).sum();
    let list: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    Some(format!("failures: {}, of {requests} requests", list.join(", ")))
}

/// What was said of failures, once a kind, with how often and of which URL.
pub fn failure_sentences(variant: &VariantSummary) -> Vec<String> {
    let mut kinds: Vec<(&FailureMessage, u64)> = Vec::new();
    for cell in &variant.cells {
        for words in &cell.failure_words {
            let count = cell.failures.get(&words.kind).copied().unwrap_or(0);
            match kinds.iter_mut().find(|(known, _)| known.kind == words.kind) {
                Some((_, counted)) => *counted += count,
                None => kinds.push((words, count)),
            }
        }
    }
    let sentence = |(FailureMessage { kind, words, url }, count): &(&FailureMessage, u64)| {
        let place = url.as_ref().map(|url| format!(" at {url}")).unwrap_or_default();
        format!("{count} × {kind}{place}: {words}")
    };
    // Those of the measured phase: others are in `run.json`.
    kinds.iter().filter(|(_, count)| *count > 0).map(sentence).collect()
}
