//! Whatever a file holds, reading it ends, and in a scenario or in faults that can be shown.

use std::path::Path;

use bench::planning::scenario::{DiagnosticStyle, ScenarioOverrides, load_text_with};
use proptest::prelude::*;

/// One change to a text, as slips of the hand make them.
#[derive(Debug, Clone)]
enum Slip {
    Remove(usize, usize),
    Repeat(usize, usize),
    Write(usize, String),
}

fn slips() -> impl Strategy<Value = Vec<Slip>> {
    let words = prop::sample::select(vec![
        "\"",
        "[",
        "]",
        "{",
        "}",
        "=",
        ":",
        "..=",
        " x2",
        "-1",
        "0",
        "9999999999",
        "1e400",
        "nan",
        "null",
        "true",
        "${X}",
        "${",
        "×",
        "\n",
        "\t",
        "- ",
        "&a ",
        "*a",
        "kind",
        "concurrent",
        "matrix",
        "[]",
        "{}",
        "\"1..=9\"",
        "<<: ",
    ]);
    let slip = prop_oneof![
        (any::<usize>(), 1..40_usize).prop_map(|(at, length)| Slip::Remove(at, length)),
        (any::<usize>(), 1..40_usize).prop_map(|(at, length)| Slip::Repeat(at, length)),
        (any::<usize>(), words).prop_map(|(at, word)| Slip::Write(at, word.to_owned())),
    ];
    prop::collection::vec(slip, 1..6)
}

fn slipped(text: &str, slips: &[Slip]) -> String {
    let mut signs: Vec<char> = text.chars().collect();
    for slip in slips {
        let range = |at: &usize, length: &usize| {
            let start = at % signs.len().max(1);
            start..(start + length).min(signs.len())
        };
        match slip {
            Slip::Remove(at, length) => drop(signs.drain(range(at, length))),
            Slip::Repeat(at, length) => {
                let range = range(at, length);
                let copy: Vec<char> = signs[range.clone()].to_vec();
                signs.splice(range.start..range.start, copy);
            }
            Slip::Write(at, word) => {
                let at = at % (signs.len() + 1);
                signs.splice(at..at, word.chars());
            }
        }
    }
    signs.into_iter().collect()
}

fn reading_ends(file: &str, text: &str) {
    let lookup = |name: &str| (name == "X").then(|| "s3cr3t".to_owned());
    if let Err(faults) = load_text_with(Path::new(file), text, &ScenarioOverrides::default(), &lookup) {
        assert!(!faults.is_empty(), "{text}");
        let shown = faults.render(DiagnosticStyle::Plain) + &faults.json().to_string();
        assert!(!shown.contains("s3cr3t"), "{text}\n{shown}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn slips_in_a_toml_scenario_are_told_and_never_fatal(slips in slips()) {
        reading_ends("test.toml", &slipped(include_str!("../../../scenarios/lmcache.toml"), &slips));
    }

    #[test]
    fn slips_in_a_yaml_scenario_are_told_and_never_fatal(slips in slips()) {
        reading_ends("test.yaml", &slipped(include_str!("../../../scenarios/chat.yaml"), &slips));
    }
}
