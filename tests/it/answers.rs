//! Whether answers stay the same, on engines of which it is known: one is only slower, and one says something else after a cache hit.

use super::stage::{Stage, said, stdout};

const SCENARIO: &str = r#"
name = "answers"
compare_answers = true
repeats = 2
[workload]
kind = "document_qa"
documents = { synthetic_tokens = 100 }
rounds = 3
answer_tokens = 16
concurrent = 4
sequential = 20
[target]
kind = "sim"
[engine]
preset = "tiny"
[variants.right]
[variants.slower]
engine.slowdown = 1.5
[variants.corrupted]
engine.faults = [{ kind = "wrong_answer", every = 7, after_tokens = 4 }]
"#;

fn compared(stage: &Stage, new: &str) -> (serde_json::Value, String) {
    let sides = ["sweep:right".to_owned(), format!("sweep:{new}")];
    let told = stage.run(&["compare", &sides[0], &sides[1]]);
    let json = stage.run(&["compare", &sides[0], &sides[1], "--format", "json"]);
    let comparison: serde_json::Value = serde_json::from_str(&stdout(&json)).unwrap_or_else(|_| panic!("{}", said(&json)));
    (comparison, stdout(&told).split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn a_cache_that_corrupts_answers_is_found_and_a_slower_engine_is_not_blamed_for_it() {
    let stage = Stage::new();
    stage.write("answers.toml", SCENARIO);
    let swept = stage.run(&["sweep", "answers.toml", "-o", "sweep"]);
    assert_eq!(swept.status.code(), Some(0), "{}", said(&swept));

    let (slower, told) = compared(&stage, "slower");
    let answers = &slower["answers"];
    // 80 sessions of four turns, twice.
    for counts in ["between_sides", "between_repeats"] {
        assert_eq!(answers[counts]["answers"], 640, "{answers}");
        assert_eq!((&answers[counts]["equal_answers"], &answers[counts]["equal_sessions"]), (&640.into(), &160.into()), "{answers}");
    }
    assert_eq!(answers["call"], "same");
    assert!(told.contains("answers stay the same: of answers to equal prompts 640 of 640 equal between the sides"), "{told}");

    let (corrupted, told) = compared(&stage, "corrupted");
    let answers = &corrupted["answers"];
    assert_eq!((&answers["call"], &corrupted["call"]), (&"regressed".into(), &"regressed".into()), "{answers}");
    assert!(told.contains("answers do not stay the same"), "{told}");
}

#[test]
fn answers_that_are_sampled_are_not_to_be_compared() {
    let stage = Stage::new();
    stage.write("sampled.toml", &SCENARIO.replace("kind = \"sim\"", "kind = \"sim\"\nbody = { temperature = 0.7 }"));
    let refused = stage.run(&["check", "sampled.toml"]);
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    let words = said(&refused);
    assert!(words.contains("`compare_answers` needs greedy decoding") && words.contains("sampled.toml:14"), "{words}");
}
