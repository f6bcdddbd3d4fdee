//! What a sweep was measured on and with: the saved sweep in, names and values out. Only what is saved; nothing of this machine.

use std::collections::BTreeMap;

use super::parts::EnvironmentSection;
use crate::records::record::{CacheCheck, RunRecord, ServerFacts, TokenRule};
use crate::records::store::SavedSweep;
use crate::report::number::significant;

/// The sweep, the client, and the server of each variant.
#[must_use]
pub fn environment(sweep: &SavedSweep) -> Vec<EnvironmentSection> {
    let manifest = &sweep.manifest;
    let some = |name: &str, value: Option<String>| value.map(|value| (name.to_owned(), value));
    let made = [
        some("made", (!manifest.simulated).then(|| manifest.created_at.to_string())),
        some("seed", Some(manifest.seed.to_string())),
        some("repeats", Some(manifest.repeats.to_string())),
        some("changed on the command line", (!manifest.changes.is_empty()).then(|| manifest.changes.join(" "))),
        some("scenario", Some(format!("{}, hash {}", manifest.scenario_file, manifest.scenario_hash))),
        some("results format", Some(format!("{}.{}", manifest.format.major, manifest.format.minor))),
    ];
    let client = [
        some("bench", Some(manifest.client.bench_version.clone())),
        some("operating system", manifest.client.operating_system.clone()),
        some("processors", manifest.client.processors.map(|count| count.to_string())),
    ];
    let facts = |heading: &str, lines: Vec<Option<(String, String)>>| EnvironmentSection {
        heading: heading.to_owned(),
        lines: lines.into_iter().flatten().collect(),
    };
    let mut all = vec![facts("The sweep", made.into()), facts("The client", client.into())];
    all.extend(manifest.variants.iter().map(|variant| of_variant(sweep, variant)));
    all
}

fn of_variant(sweep: &SavedSweep, variant: &str) -> EnvironmentSection {
    let runs: Vec<&RunRecord> = sweep.runs.iter().map(|run| &run.record).filter(|run| run.header.variant == variant).collect();
    let servers: Vec<&ServerFacts> = runs.iter().filter_map(|run| run.server.as_ref()).collect();
    let engine = runs.iter().filter(|run| run.header.simulated).map(|run| run.header.work().preset);
    let lines = [
        ("model", distinct(runs.iter().map(|run| run.header.work().model))),
        ("simulated engine", distinct(engine)),
        ("server version", distinct(servers.iter().map(|server| server.version.clone()))),
        ("KV pool, tokens", distinct(servers.iter().map(|server| Some(server.kv_pool_tokens?.to_string())))),
        ("external cache", distinct(servers.iter().map(|server| server.external_cache.clone()))),
        ("starts of the server", servers.iter().filter_map(|server| server.life).max().map(|life| life.to_string())),
        ("ready after", ready(&servers)),
        ("tokens counted by", distinct(runs.iter().map(|run| Some(counted_by(&run.token_rule))))),
        ("cold caches", checks(&runs)),
    ];
    let lines = lines.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    EnvironmentSection { heading: variant.to_owned(), lines }
}

/// All different values in the order of their first appearance; none where there are none.
fn distinct(values: impl Iterator<Item = Option<String>>) -> Option<String> {
    let mut known: Vec<String> = Vec::new();
    for value in values.flatten() {
        if !known.contains(&value) {
            known.push(value);
        }
    }
    (!known.is_empty()).then(|| known.join(", "))
}

fn ready(servers: &[&ServerFacts]) -> Option<String> {
    let times = || servers.iter().filter_map(|server| server.ready_after_s);
    let (least, most) = (times().min_by(f64::total_cmp)?, times().max_by(f64::total_cmp)?);
    let (least, most) = (significant(least, 3), significant(most, 3));
    Some(if least == most { format!("{least} s") } else { format!("{least} to {most} s") })
}

fn counted_by(rule: &TokenRule) -> String {
    match rule {
        TokenRule::Simulated => "the simulated engine".to_owned(),
        TokenRule::Tokenizer { file, .. } => format!("the tokenizer `{file}`"),
        TokenRule::Server => "the server".to_owned(),
        TokenRule::Estimate { characters_per_token } => format!("an estimate of {characters_per_token} characters a token"),
    }
}

/// `proven in 8 runs, not proven in 1`.
fn checks(runs: &[&RunRecord]) -> Option<String> {
    let mut counts: BTreeMap<u8, (&str, u64)> = BTreeMap::new();
    for run in runs {
        let (place, word) = match run.cache_contract {
            CacheCheck::Proven(_) => (0, "proven"),
            CacheCheck::NotProven(_) => (1, "not proven"),
            CacheCheck::Failed(_) => (2, "broken"),
        };
        counts.entry(place).or_insert((word, 0)).1 += 1;
    }
    let list: Vec<String> = counts.values().map(|(word, count)| format!("{word} in {count} runs")).collect();
    (!list.is_empty()).then(|| list.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::sweeps::{cell, sweep, uniform};

    #[test]
    fn every_variant_tells_what_its_runs_were_made_on() {
        let mut saved = sweep(&[], &[cell("vllm", 1, 1, uniform(1, 1, 0.5)), cell("vllm", 1, 2, uniform(1, 2, 0.5))]);
        saved.runs[0].record.server = Some(ServerFacts { version: Some("0.32.0".into()), life: Some(1), ..ServerFacts::default() });
        saved.runs[1].record.server = Some(ServerFacts { version: Some("0.33.0".into()), life: Some(2), ..ServerFacts::default() });
        let facts = environment(&saved);
        assert_eq!(facts.iter().map(|facts| facts.heading.as_str()).collect::<Vec<_>>(), ["The sweep", "The client", "vllm"]);
        let line = |name: &str| facts[2].lines.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        assert_eq!(line("server version"), Some("0.32.0, 0.33.0"));
        assert_eq!(line("starts of the server"), Some("2"));
        assert_eq!(line("cold caches"), Some("proven in 2 runs"));
        assert_eq!(line("external cache"), None);
    }
}
