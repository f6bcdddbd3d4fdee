//! What a sweep does so that no cell meets what another one left in a server's caches, in words, before it begins.

use crate::planning::scenario::CellSpec;
use crate::vocabulary::spec::reset::{CachePolicy, ResetStep, SaltReason};
use crate::vocabulary::spec::target::TargetKind;

/// A sentence for each policy that the cells have, which come with the names of their variants; none where all are simulated.
#[must_use]
pub fn cache_sentences<'a>(cells: impl Iterator<Item = (&'a str, &'a CellSpec)>) -> Vec<String> {
    let mut sentences: Vec<(String, Vec<&str>)> = Vec::new();
    for (variant, cell) in cells.filter(|(_, cell)| cell.target.kind == TargetKind::Http) {
        let sentence = cell.mask().hide(sentence(cell));
        match sentences.iter_mut().find(|(known, _)| *known == sentence) {
            Some((_, variants)) if variants.contains(&variant) => {}
            Some((_, variants)) => variants.push(variant),
            None => sentences.push((sentence, vec![variant])),
        }
    }
    let several = sentences.len() > 1;
    let whose = |variants: Vec<&str>| if several { format!("caches of {}", variants.join(", ")) } else { "caches".to_owned() };
    sentences.into_iter().map(|(sentence, variants)| format!("{}: {sentence}", whose(variants))).collect()
}

fn sentence(cell: &CellSpec) -> String {
    let salted = "every prompt begins with words that no other cell and no other attempt has (a salt), so none is in a cache";
    let done = match cell.server.cache_policy() {
        CachePolicy::Emptied(steps) => {
            let steps: Vec<String> = steps.iter().map(step).collect();
            format!("emptied before each cell by {}", steps.join(", then "))
        }
        CachePolicy::Restarted => "the server is started anew before each cell".to_owned(),
        CachePolicy::Salted(SaltReason::Asked) => salted.to_owned(),
        CachePolicy::Salted(SaltReason::Unsaid) => {
            format!("no `server.reset` is written, so {salted}; `reset = \"none\"` is for warm caches that are wanted")
        }
        CachePolicy::LeftWarm => {
            return "left as they are (`reset = \"none\"`): a cell may find prompts that another one left there".to_owned();
        }
    };
    if cell.server.canary { format!("{done}; a canary checks it") } else { done }
}

fn step(step: &ResetStep) -> String {
    match step {
        // A query may hold a key.
        ResetStep::Endpoint(place) => format!("`{}`", place.split(['?', '#']).next().unwrap_or_default()),
        ResetStep::Command(command) => {
            format!("`{}`", command.command.first().map_or("", |line| line.split(' ').next().unwrap_or_default()))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::planning::scenario::{ScenarioOverrides, load_text};

    fn sentences(text: &str) -> Vec<String> {
        let text = format!("workload = {{ kind = \"document_qa\" }}\n{text}");
        let scenario = load_text(Path::new("test.toml"), &text, &ScenarioOverrides::default()).unwrap_or_else(|faults| panic!("{faults}"));
        let cells: Vec<_> = scenario.cells.iter().map(|placed| (scenario.variants[placed.variant].as_str(), &placed.cell)).collect();
        cache_sentences(cells.into_iter())
    }

    #[test]
    fn what_is_done_is_said_once_where_all_variants_have_the_same_done_and_by_name_where_not() {
        let [unsaid] = sentences("").try_into().unwrap();
        assert!(unsaid.starts_with("caches: no `server.reset` is written, so every prompt begins with words"), "{unsaid}");
        assert!(unsaid.contains("`reset = \"none\"`") && unsaid.ends_with("a canary checks it"), "{unsaid}");
        let [warm] = sentences("server = { reset = \"none\" }").try_into().unwrap();
        assert!(warm.starts_with("caches: left as they are (`reset = \"none\"`)"), "{warm}");
        let two = "[variants.a]\nserver.reset = [\"/reset?key=hush\", { command = [\"redis-cli flushall\"], shell = true }]\nserver.canary = false\n\
                   [variants.b]\nserver.reset = \"salt\"\n[variants.c]\nserver.reset = \"salt\"\n[variants.d]\ntarget.kind = \"sim\"\n";
        let [a, b] = sentences(two).try_into().unwrap();
        assert_eq!(a, "caches of a: emptied before each cell by `/reset`, then `redis-cli`");
        assert!(b.starts_with("caches of b, c: every prompt begins"), "{b}");
        assert!(sentences("target = { kind = \"sim\" }").is_empty());
    }
}
