//! Markup in every name that a scenario gives and every word that a server says: the page and the pictures show it and never run it.

use std::fs;

use resvg::usvg::roxmltree::{Document, Node, ParsingOptions};

use super::echo::{Echo, MARKUP, Manners};
use super::{Scene, said};

/// With what ends an attribute, too.
const NAME: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>";
/// What a file may be called.
const FILE: &str = "\"'><script>alert(1)<script><img src=x onerror=alert(2)>.txt";

fn scenario() -> String {
    let model = serde_json::to_string(MARKUP).unwrap();
    format!(
        r#"
# {NAME}
name = "markup"
order = "listed"
[workload]
kind = "document_qa"
documents = "FOLDER/texts"
questions = "FOLDER/questions.txt"
rounds = 8
answer_tokens = 4
on_error = "drop_turn"
[matrix]
concurrent = [1, 2]
[target]
model = {model}
[[goals]]
require = "p95(ttft where turn >= 1) <= 1s"
[variants.named]
[variants.plain]
"#
    )
}

/// Whether nothing that would be run stands as it was given, in texts, attributes and JSON. Long names are shortened in their middle.
fn is_escaped(text: &str) -> bool {
    !["<script>alert", "<img", "</script><img"].iter().any(|raw| text.to_lowercase().contains(raw))
}

/// The names of all elements and attributes of a page, read as a browser reads them as far as quotes go.
fn tags(page: &str) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if !rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            continue;
        }
        let (mut quote, mut end) = (None, rest.len());
        for (at, c) in rest.char_indices() {
            match (quote, c) {
                (None, '"' | '\'') => quote = Some(c),
                (Some(open), _) if open == c => quote = None,
                (None, '>') => {
                    end = at;
                    break;
                }
                _ => {}
            }
        }
        let tag = &rest[..end];
        let name: String = tag.chars().take_while(char::is_ascii_alphanumeric).collect();
        let attributes = tag.split(['"', '\'']).step_by(2).flat_map(str::split_whitespace).filter_map(|word| word.strip_suffix('='));
        let attributes = attributes.map(str::to_ascii_lowercase).collect();
        rest = &rest[end..];
        // What a script or a style holds is no markup.
        if name == "script" || name == "style" {
            rest = rest.find(&format!("</{name}")).map_or("", |close| &rest[close..]);
        }
        found.push((name.to_ascii_lowercase(), attributes));
    }
    found
}

#[test]
fn the_page_and_the_pictures_show_markup_from_a_scenario_and_a_server_and_never_run_it() {
    let scene = Scene::new(&scenario());
    fs::create_dir(scene.path("texts")).unwrap();
    fs::write(scene.path("texts").join(FILE), format!("A text with {NAME}.")).unwrap();
    fs::write(scene.path("texts/other.txt"), format!("Another text with {NAME}.")).unwrap();
    fs::write(scene.path("questions.txt"), "What is <script>alert(1)</script>?\n".repeat(8)).unwrap();
    let server = Echo::start(Manners::Markup);
    let output = scene.bench(&["sweep", "s.toml", "--url", &server.url, "-vv", "-o", "out"]);
    assert!(said(&output).contains("report and pictures"), "{}", said(&output));
    nothing_is_run(&scene, "onerror=alert(2)&gt;");

    // A folder that somebody passes on may bear names that no scenario can have.
    let runs = fs::read_dir(scene.path("out/runs")).unwrap().map(|run| run.unwrap().path().join("run.json"));
    for file in runs.chain([scene.path("out/manifest.json")]) {
        let text = fs::read_to_string(&file).unwrap();
        let edited =
            text.replace("\"named\"", &serde_json::to_string(NAME).unwrap()).replace("\"markup\"", &serde_json::to_string(NAME).unwrap());
        assert!(edited.contains("<script>"), "{text}");
        fs::write(file, edited).unwrap();
    }
    fs::remove_dir_all(scene.path("out/report")).unwrap();
    scene.bench(&["report", "out"]);
    nothing_is_run(&scene, "&gt;&lt;script&gt;alert(1)");
}

#[test]
fn markup_cannot_name_a_scenario_or_a_variant() {
    for (old, new) in [("name = \"markup\"", format!("name = {NAME:?}")), ("[variants.named]", format!("[variants.{NAME:?}]"))] {
        let scene = Scene::new(&scenario().replace(old, &new));
        let output = scene.bench(&["check", "s.toml"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(said(&output).contains("cannot name a "), "{}", said(&output));
    }
}

/// Looks at the page, which shows this, and at every picture.
fn nothing_is_run(scene: &Scene, shown: &str) {
    let folder = scene.path("out/report");
    let page = fs::read_to_string(folder.join("report.html")).unwrap();
    assert!(is_escaped(&page), "{page}");
    assert!(page.contains(shown), "the names are shown");
    let tags = tags(&page);
    assert!(tags.len() > 100, "{}", tags.len());
    assert_eq!(tags.iter().filter(|(name, _)| name == "script").count(), page.matches("<script").count());
    for (name, attributes) in &tags {
        assert!(name != "img" && !attributes.iter().any(|attribute| attribute.starts_with("on")), "{name} {attributes:?}");
    }
    let pictures = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let pictures: Vec<_> = pictures.filter(|file| file.extension().is_some_and(|extension| extension == "svg")).collect();
    assert!(!pictures.is_empty(), "{}", folder.display());
    for file in pictures {
        let text = fs::read_to_string(&file).unwrap();
        assert!(is_escaped(&text), "{}", file.display());
        let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
        let picture = Document::parse_with_options(&text, options).unwrap();
        for node in picture.descendants().filter(Node::is_element) {
            assert!(!["script", "img", "image", "foreignObject"].contains(&node.tag_name().name()), "{}", file.display());
            assert!(!node.attributes().any(|attribute| attribute.name().starts_with("on")), "{}", file.display());
        }
    }
}

#[test]
fn markup_that_is_not_escaped_would_be_found() {
    assert!(!is_escaped("<p><script>alert(1)</script>") && is_escaped("<p>&lt;script&gt;alert(1)"));
    let attributes =
        |page: &str| tags(page).into_iter().map(|(name, attributes)| format!("{name} {}", attributes.join(" "))).collect::<Vec<_>>();
    assert_eq!(attributes("<p title=\"a > b\" onclick=\"x\"><img src='y'></p>"), ["p title onclick", "img src"]);
    assert_eq!(attributes("<script>if (a < b) {}</script><td>"), ["script ", "td "]);
}
