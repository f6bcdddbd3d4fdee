//! Saved folders from somebody else: no name and no link in them leads out, neither to read nor to write.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::{SCENARIO, Scene, said};

/// What lies outside and must neither be shown nor changed.
const HUSH: &str = "hush-outside-of-the-folder";

fn scene() -> Scene {
    let scene = Scene::new(SCENARIO);
    let output = scene.bench(&["sweep", "s.toml", "--simulate", "-q", "-o", "out"]);
    assert!(output.status.success(), "{}", said(&output));
    fs::create_dir(scene.path("outside")).unwrap();
    fs::write(scene.path("outside/hush.txt"), HUSH).unwrap();
    scene
}

fn outside(scene: &Scene) -> Vec<(String, String)> {
    let mut files: Vec<_> = fs::read_dir(scene.path("outside"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), fs::read_to_string(entry.path()).unwrap_or_default()))
        .collect();
    files.sort();
    files
}

/// Reports, goes on with and takes from the folder; nothing outside is shown or changed, and the link is named.
fn refused(scene: &Scene, name: &str) {
    let before = outside(scene);
    for words in [
        ["report", "out"].as_slice(),
        &["sweep", "s.toml", "--simulate", "-o", "out"],
        &["sweep", "s.toml", "--simulate", "-o", "taken", "--from", "out"],
        &["history", "out"],
        &["compare", "out", "out"],
    ] {
        let output = scene.bench(words);
        assert!(!said(&output).contains(HUSH) && !said(&output).contains("panicked"), "{words:?}: {}", said(&output));
        assert_eq!(outside(scene), before, "{words:?}");
    }
    let report = scene.bench(&["report", "out"]);
    assert_eq!(report.status.code(), Some(2), "{}", said(&report));
    assert!(said(&report).contains(name), "{name}: {}", said(&report));
}

fn replace(path: &Path, target: &str) {
    if path.is_dir() {
        fs::remove_dir_all(path).unwrap();
    } else {
        fs::remove_file(path).unwrap();
    }
    symlink(target, path).unwrap();
}

#[test]
fn links_that_lead_out_of_the_folder_are_refused_by_name() {
    for (name, target) in [
        ("scenario.toml", "../outside/hush.txt"),
        ("manifest.json", "../outside/hush.txt"),
        ("report", "../outside"),
        ("runs", "../outside"),
    ] {
        let scene = scene();
        let file = if name == "scenario.toml" { "s.toml" } else { name };
        let path = scene.path("out").join(if scene.path("out").join(file).exists() { file } else { name });
        replace(&path, target);
        refused(&scene, path.file_name().unwrap().to_str().unwrap());
    }
    for (name, target) in
        [("run.json", "../../../outside/hush.txt"), ("requests.parquet", "../../../outside/hush.txt"), ("", "../../outside")]
    {
        let scene = scene();
        let run = fs::read_dir(scene.path("out/runs")).unwrap().next().unwrap().unwrap().path();
        if name.is_empty() {
            // A run's folder that is another one, with everything in it.
            fs::rename(&run, scene.path("outside/run")).unwrap();
            symlink("../../outside/run", &run).unwrap();
        } else {
            replace(&run.join(name), target);
        }
        refused(&scene, if name.is_empty() { run.file_name().unwrap().to_str().unwrap() } else { name });
    }
}

#[test]
fn names_in_a_manifest_that_lead_out_of_the_folder_are_refused() {
    let scene = scene();
    let manifest = scene.path("out/manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    let read: serde_json::Value = serde_json::from_str(&text).unwrap();
    let (id, file) = (read["runs"][0]["id"].as_str().unwrap(), read["scenario_file"].as_str().unwrap());
    for name in ["../../outside", "/etc/passwd", "a/../../../outside", "..", "a\\\\b"] {
        for known in [id, file] {
            fs::write(&manifest, text.replace(&format!("\"{known}\""), &format!("\"{name}\""))).unwrap();
            let output = scene.bench(&["report", "out"]);
            assert_eq!(output.status.code(), Some(2), "{name}: {}", said(&output));
            assert!(said(&output).contains("is a plain file name"), "{name}: {}", said(&output));
        }
    }
}
