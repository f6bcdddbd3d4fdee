use super::*;
use crate::workloads::prepare::manifest::TokenizerIdentity;

const FILE: &str = r#"[
    {"id": "a_0", "conversations": [
        {"from": "human", "value": "Hello there you"}, {"from": "gpt", "value": "Hi to you too."},
        {"from": "user", "value": "How are you?"}, {"from": "assistant", "value": "Well enough today."},
        {"from": "human", "value": "And?"}]},
    {"id": "b", "conversations": []},
    {"id": "c", "conversations": [{"from": "gpt", "value": "I begin."}, {"from": "human", "value": "No."}]},
    {"id": 4, "conversations": [
        {"from": "system", "value": "Be brief."}, {"from": "human", "value": "One two three", "weight": 1},
        {"from": "gpt", "value": "Four five six"}, {"from": "gpt", "value": "Seven"}]},
    {"id": "e", "conversations": [{"from": "human", "value": "Say nothing at all"}, {"from": "gpt", "value": " "}]},
    {"conversations": [{"from": "human", "value": "Search"}, {"from": "tool", "value": "found"}]},
    {"id": "g", "conversations": [{"from": "human", "value": "Short"}, {"from": "gpt", "value": "A longer answer here"}]}
]"#;

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("in.json"), text).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn job(&self, change: impl FnOnce(&mut SharegptRecipe)) -> PrepareSharegptJob {
        let tokenizer = TokenizerIdentity::File { file: "words.json".into(), blake3: "1".into() };
        let mut recipe = SharegptRecipe { tokenizer, rounds: None, max_conversations: None, min_tokens: 1, max_context: None };
        change(&mut recipe);
        PrepareSharegptJob { input: self.path("in.json"), output: self.path("out.json"), recipe }
    }

    fn output(&self) -> serde_json::Value {
        serde_json::from_slice(&fs::read(self.path("out.json")).unwrap()).unwrap()
    }
}

/// A token a word.
#[expect(clippy::unnecessary_wraps, reason = "counters of real tokens can fail")]
fn words(text: &str) -> Result<u64, TokenCountError> {
    Ok(text.split_whitespace().count() as u64)
}

fn run(job: &PrepareSharegptJob) -> Result<PrepareSharegptOutcome, PrepareError> {
    prepare(job, &mut words, &mut |_| {})
}

#[test]
fn conversations_that_fit_are_kept_in_the_public_layout_and_the_others_counted_by_reason() {
    let place = Place::new(FILE);
    let PrepareSharegptOutcome { manifest, stood } = run(&place.job(|recipe| recipe.min_tokens = 2)).unwrap();
    assert!(!stood);
    assert_eq!((manifest.read, manifest.kept, manifest.stopped_early), (7, 2, false));
    let left_out: Vec<(&str, u64)> = manifest.left_out.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    assert_eq!(
        left_out,
        [("does_not_alternate", 1), ("empty_message", 1), ("first_not_human", 1), ("message_too_short", 1), ("too_few_rounds", 1)]
    );
    let output = place.output();
    assert_eq!(output[0]["conversations"][3], serde_json::json!({"from": "gpt", "value": "Well enough today.", "tokens": 3}));
    assert_eq!(output[0]["conversations"].as_array().unwrap().len(), 4);
    assert_eq!(output[1]["id"], 4);
    assert_eq!(output[1]["conversations"][0]["value"], "One two three");
    assert_eq!((manifest.question_tokens.total, manifest.answer_tokens.total), (3 + 3 + 3, 4 + 3 + 3));
    assert_eq!((manifest.conversation_tokens.max, manifest.conversation_tokens.min), (13, 6));
    assert_eq!(manifest.output.blake3, hash(&fs::read(place.path("out.json")).unwrap()));
    assert_eq!(manifest.source.blake3, hash(FILE.as_bytes()));
    let saved = fs::read_to_string(place.path("out.manifest.json")).unwrap();
    assert_eq!(serde_json::from_str::<SharegptManifest>(&saved).unwrap(), manifest);
    assert!(!saved.contains(place.folder.path().to_str().unwrap()), "an absolute path is in the manifest");
}

#[test]
fn rounds_are_a_least_and_a_most_and_bounds_hold() {
    let kept = |change: fn(&mut SharegptRecipe)| {
        let place = Place::new(FILE);
        let kept = run(&place.job(change)).map(|outcome| outcome.manifest);
        kept.map(|manifest| (manifest.kept, place.output()[0]["conversations"].as_array().unwrap().len(), manifest.left_out))
    };
    let (one, messages, _) = kept(|recipe| recipe.rounds = Some(1)).unwrap();
    assert_eq!((one, messages), (3, 2));
    let (two, messages, left_out) = kept(|recipe| recipe.rounds = Some(2)).unwrap();
    assert_eq!((two, messages), (1, 4));
    assert_eq!(left_out["does_not_alternate"], 2);
    let (short, _, left_out) = kept(|recipe| recipe.max_context = Some(6)).unwrap();
    assert_eq!((short, left_out["context_too_long"]), (2, 1));
    assert!(matches!(kept(|recipe| recipe.rounds = Some(3)), Err(PrepareError::NoConversations { read: 7, .. })));
}

#[test]
fn a_second_run_does_nothing_and_what_has_changed_is_made_again() {
    let place = Place::new(FILE);
    run(&place.job(|_| {})).unwrap();
    let first = fs::read(place.path("out.json")).unwrap();
    let uncounted = |_: &str| -> Result<u64, TokenCountError> { panic!("counted again") };
    let again = prepare(&place.job(|_| {}), &mut { uncounted }, &mut |_| {}).unwrap();
    assert!(again.stood);
    let mut told = Vec::new();
    let other = TokenizerIdentity::File { file: "words.json".into(), blake3: "2".into() };
    let job = place.job(|recipe| recipe.tokenizer = other);
    let outcome = prepare(&job, &mut words, &mut |news| {
        if let PrepareEvent::RecipeChanged { what } = news {
            told.push(what.to_owned());
        }
    });
    assert!(!outcome.unwrap().stood);
    assert_eq!(told, ["the tokenizer"]);
    assert_eq!(fs::read(place.path("out.json")).unwrap(), first, "the same input gives the same bytes");
    fs::write(place.path("out.json"), "[]").unwrap();
    assert!(!run(&job).unwrap().stood);
    assert_eq!(fs::read(place.path("out.json")).unwrap(), first);
}

#[test]
fn enough_is_enough_and_is_said() {
    let place = Place::new(&FILE.replace("{\"id\": \"g\"", "and from here on no JSON"));
    let manifest = run(&place.job(|recipe| recipe.max_conversations = Some(2))).unwrap().manifest;
    assert_eq!((manifest.read, manifest.kept, manifest.stopped_early), (4, 2, true));
    assert_eq!(place.output().as_array().unwrap().len(), 2);
}

#[test]
fn a_file_that_is_cut_off_gives_an_error_with_its_place_and_no_output() {
    let cut = &FILE[..FILE.find("Be brief").unwrap()];
    let place = Place::new(cut);
    let error = run(&place.job(|_| {})).unwrap_err().to_string();
    let expected = format!("conversation 3, before byte {}", cut.len());
    assert!(error.starts_with(&expected) && error.contains("cut off") && error.contains("nothing was written"), "{error}");
    let left: Vec<_> = fs::read_dir(place.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["in.json"]);
}

#[test]
fn nothing_of_somebody_else_is_written_over() {
    let place = Place::new(FILE);
    fs::write(place.path("out.json"), "mine").unwrap();
    assert!(matches!(run(&place.job(|_| {})), Err(PrepareError::InTheWay { .. })));
    let job = PrepareSharegptJob { output: place.path("in.json"), ..place.job(|_| {}) };
    assert!(matches!(run(&job), Err(PrepareError::SameFile { .. })));
    assert_eq!(fs::read_to_string(place.path("in.json")).unwrap(), FILE);
}
