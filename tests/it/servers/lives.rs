//! Servers that live as long as they are needed.

use bench::records::record::RunOutcome;
use bench::simulation::engine::EngineParameters;
use bench::simulation::serve::{self, EngineServer};

use super::stage::Stage;

const SCENARIO: &str = r#"
name = "lives"
order = "listed"

[workload]
kind = "document_qa"
documents = { synthetic_tokens = 100 }
rounds = 1
answer_tokens = 4

[target]
model = "MODEL"
url = "http://127.0.0.1:0/v1"

[server]
command = ["BENCH", "sim", "--port", "{port}", "--model", "{model}", "-q"]
"#;

fn numbers(swept: &super::stage::Swept) -> Vec<Option<u32>> {
    swept.records.iter().map(|record| record.server.as_ref().unwrap().life).collect()
}

#[test]
fn each_variant_has_a_server_that_is_started_and_stopped_with_what_is_beside_it() {
    let stage = Stage::new(&format!(
        "{SCENARIO}ready = {{ chat = true }}\n[matrix]\nconcurrent = [1, 2]\n[variants.one]\n[variants.two.server]\n\
         before = [{{ name = \"cache\", command = ['echo \"for {{model}} at {{host}}\"; while :; do sleep 0.1; done'], shell = true }}]\n"
    ));
    let swept = stage.sweep(&[]);
    assert!(matches!(swept.code, Some(0 | 1)), "{}", swept.said);
    let expected =
        ["starting one (life 1)", "one serves", "one stopped", "starting two (life 1)", "two serves", "two stopped"].map(str::to_owned);
    assert_eq!(swept.lives(), expected, "{}", swept.said);
    assert_eq!(swept.records.len(), 4);
    for record in &swept.records {
        assert_eq!((&record.outcome, record.counts.failed), (&RunOutcome::Completed, 0));
        let facts = record.server.as_ref().unwrap();
        assert_eq!((facts.life, facts.external_cache.as_deref()), (Some(1), None));
        assert!(facts.ready_after_s.unwrap() > 0.0 && facts.version.is_some(), "{facts:?}");
    }
    let cache = std::fs::read_to_string(stage.path("out/servers/two/cache.log")).unwrap();
    assert!(cache.contains(&format!("for {} at 127.0.0.1", stage.model)), "{cache}");
    assert!(stage.path("out/servers/one/server.log").exists());
    assert_eq!(stage.processes(), Vec::<String>::new());
}

#[test]
fn an_axis_on_a_flag_of_the_server_starts_another_and_cells_that_differ_in_load_share_it() {
    let stage = Stage::new(&format!(
        "repeats = 2\n{SCENARIO}[matrix]\nconcurrent = [1, 2]\n\"server.args.set\" = [\"max_sequences=3\", \"max_sequences=4\"]\n"
    ));
    let swept = stage.sweep(&[]);
    assert_eq!(swept.records.len(), 8, "{}", swept.said);
    let said = swept.lives();
    let expected = [
        "starting default (life 1)",
        "default serves",
        "default stopped",
        "starting default (life 2)",
        "default serves",
        "default stopped",
    ];
    assert_eq!(said, expected.map(str::to_owned), "{}", swept.said);
    assert!(swept.said.contains("--set max_sequences=4"), "{}", swept.said);
    for record in &swept.records {
        let flag = &record.header.axes[1].1;
        let life = if flag == "max_sequences=3" { 1 } else { 2 };
        assert_eq!(record.server.as_ref().unwrap().life, Some(life), "{flag}");
    }
}

#[test]
fn a_restart_before_each_run_is_a_new_life_for_each() {
    let stage = Stage::new(&format!("{SCENARIO}reset = \"restart\"\n[matrix]\nconcurrent = [1, 2, 3]\n"));
    let swept = stage.sweep(&[]);
    let mut lives = numbers(&swept);
    lives.sort_unstable();
    assert_eq!(lives, [Some(1), Some(2), Some(3)], "{}", swept.said);
}

#[test]
fn variants_that_take_turns_share_a_server_where_they_turn() {
    let text = SCENARIO.replace("\"listed\"", "\"abba\"");
    let stage = Stage::new(&format!("repeats = 3\n{text}[variants.a]\n[variants.b]\n"));
    let swept = stage.sweep(&[]);
    let starts: Vec<String> = swept.lives().into_iter().filter(|line| line.starts_with("starting")).collect();
    // a | b b | a a | b
    let expected = ["starting a (life 1)", "starting b (life 1)", "starting a (life 2)", "starting b (life 2)"].map(str::to_owned);
    assert_eq!(starts, expected, "{}", swept.said);
}

#[test]
fn a_server_that_is_used_by_its_url_is_left_alone() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let parameters = EngineParameters::resolve(&serde_json::from_str(r#"{"preset": "tiny"}"#).unwrap(), 0).unwrap();
    let options = serve::ServeOptions { host: [127, 0, 0, 1].into(), port: 0, model: "here".into(), parameters };
    let serving: EngineServer = runtime.block_on(serve::bind(options)).unwrap();
    let stage = Stage::new(&SCENARIO.replace("MODEL", "here"));
    let swept = stage.sweep(&["--url", &serving.url()]);
    assert!(matches!(swept.code, Some(0 | 1)), "{}", swept.said);
    assert_eq!(swept.lives(), Vec::<String>::new());
    let facts = swept.records[0].server.as_ref().unwrap();
    assert_eq!((facts.life, facts.ready_after_s), (None, None));
    assert!(facts.version.is_some());
    assert!(!stage.path("out/servers").exists());
}
