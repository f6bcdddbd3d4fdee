//! Whom a scenario means: its addresses, several servers, and what the command line says of them.

use std::path::Path;

use bench::planning::scenario::{HeaderOverrides, Scenario, ScenarioOverrides, load_text, load_text_with};
use serde_json::json;

const WORKLOAD: &str = "workload = { kind = \"document_qa\" }\n";

fn load(target: &str, options: &ScenarioOverrides) -> Result<Scenario, String> {
    load_text(Path::new("scenario.toml"), &format!("{WORKLOAD}{target}"), options).map_err(|faults| faults.to_string())
}

fn fault(target: &str) -> String {
    load(target, &ScenarioOverrides::default()).unwrap_err()
}

#[test]
fn addresses_of_deployments_and_endpoints_are_taken_and_others_refused_with_their_cure() {
    for url in ["https://h/openai/deployments/x?api-version=2024-10-21", "http://h/v1/chat/completions", "http://h/llm/v1"] {
        assert!(load(&format!("[target]\nurl = \"{url}\"\n"), &ScenarioOverrides::default()).is_ok(), "{url}");
    }
    let other = fault("[target]\nurl = \"http://h/v1/messages\"\n");
    assert!(
        other.contains("is the endpoint of `messages`, and `chat` is asked") && other.contains("write `api = \"messages\"`"),
        "{other}"
    );
    let key = fault("[target]\nurl = \"http://h?subscription-key=hush\"\n");
    assert!(key.contains("the value of `subscription-key` in the query") && !key.contains("hush"), "{key}");
    let from_environment = format!("{WORKLOAD}[target]\nurl = \"http://h?key=${{KEY}}\"\n");
    let lookup = |name: &str| (name == "KEY").then(|| "hush".to_owned());
    assert!(load_text_with(Path::new("scenario.toml"), &from_environment, &ScenarioOverrides::default(), &lookup).is_ok());
}

#[test]
fn several_servers_stand_in_place_of_one_and_the_first_is_asked_beside_prompts() {
    let urls = "urls = [\"http://a:1\", \"http://b:1\"]\n";
    let scenario = load(&format!("[target]\n{urls}"), &ScenarioOverrides::default()).unwrap();
    assert_eq!(scenario.cells[0].cell.target.url, "http://a:1");
    assert_eq!(scenario.cells[0].cell.resolved()["target"]["urls"], json!(["http://a:1", "http://b:1"]));
    assert!(fault(&format!("[target]\n{urls}url = \"http://c:1\"\n")).contains("both say where the servers are"));
    assert!(fault("[target]\nurls = [\"http://a:1\", \"b:1\"]\n").contains("`b:1` is no base URL"));
    let one = ScenarioOverrides { url: Some("http://c:1".to_owned()), ..ScenarioOverrides::default() };
    let target = load(&format!("[target]\n{urls}"), &one).unwrap().cells[0].cell.target.clone();
    assert_eq!((target.url.as_str(), target.urls.len()), ("http://c:1", 0));
}

#[test]
fn certificates_go_by_pairs_and_trust_is_said_once() {
    let file = "tests/fixtures/tls/client.pem";
    assert!(fault(&format!("[target]\nclient_certificate = \"{file}\"\n")).contains("needs its key"));
    assert!(fault("[target]\nca_file = \"no/such.pem\"\n").contains("cannot read `no/such.pem`"));
    assert!(fault(&format!("[target]\ninsecure = true\nca_file = \"{file}\"\n")).contains("`target.insecure` trusts everybody"));
}

#[test]
fn the_command_line_says_who_asks_whom_for_every_variant_and_shows_no_header() {
    let options = ScenarioOverrides {
        model: Some("m".to_owned()),
        api_key_env: Some("PATH".to_owned()),
        headers: HeaderOverrides(vec!["x-tenant: hush-blue".to_owned(), "X-Other:$${a}".to_owned()]),
        ..ScenarioOverrides::default()
    };
    let text = "[target]\nmodel = \"a\"\napi_key_file = \"no/such/key\"\nheaders = { X-Tenant = \"red\" }\n[variants.one.target]\nmodel = \"b\"\n[variants.two]\n";
    let scenario = load(text, &options).unwrap();
    for placed in &scenario.cells {
        let target = &placed.cell.target;
        assert_eq!((target.model.as_str(), target.api_key_env.as_deref(), target.api_key_file.as_ref()), ("m", Some("PATH"), None));
        let headers: Vec<_> = target.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(headers, [("X-Other", "$${a}"), ("X-Tenant", "hush-blue")]);
        assert!(!placed.cell.resolved().to_string().contains("hush"));
        assert_eq!(placed.cell.mask().hide("told hush-blue".to_owned()), "told ***");
    }
    assert_eq!(scenario.origin.changes[..2], ["--model m", "--api-key-env PATH"]);
    assert!(!format!("{:?} {options:?}", scenario.origin.changes).contains("hush"));
    for (header, words) in
        [("no colon hush", "no name, colon and value"), ("a b: hush", "no name of a header"), ("a: hu\nsh", "does not allow")]
    {
        let options = ScenarioOverrides { headers: HeaderOverrides(vec![header.to_owned()]), ..ScenarioOverrides::default() };
        let fault = load("[target]\n", &options).unwrap_err();
        assert!(fault.contains(words) && !fault.contains("hu"), "{fault}");
    }
}

#[test]
fn a_role_of_a_page_that_is_not_watched_is_named() {
    let roles = "[server.watch]\nroles = { \"http://b:1/metrics\" = \"decode\" }\n";
    assert!(fault(roles).contains("`http://b:1/metrics` in `server.watch.roles` is none of `server.watch.endpoints`"));
    let pages = "endpoints = [\"http://b:1/metrics\"]\n";
    assert!(load(&format!("{roles}{pages}"), &ScenarioOverrides::default()).is_ok());
    assert!(fault(&format!("{}{pages}", roles.replace("decode", "both"))).contains("both"));
}
