//! Scenarios of several files: `extends`, patterns, and faults that point into the right one.

use std::path::{Path, PathBuf};

use bench::planning::scenario::{ScenarioOverrides, files, load, load_file};
use serde_json::json;

/// A folder with these files.
fn folder(content: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in content {
        fs_err::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// The faults without the folder's own name.
fn faults(folder: &Path, file: &str) -> String {
    let faults = load_file(&folder.join(file), &ScenarioOverrides::default()).unwrap_err().to_string();
    faults.replace(&format!("{}/", folder.display()), "")
}

const BASE: &str =
    "name: base\nseed: 3\nworkload: {kind: chat, qps: 1, rounds: 4}\nmatrix:\n  users: [1, 2]\ngoals:\n  - require: p95(ttft) <= 2s\n";

#[test]
fn a_scenario_says_only_what_differs_from_the_one_it_extends_in_whichever_notation() {
    let child = "extends = \"base.yaml\"\nname = \"child\"\n[workload]\nqps = 2\n[matrix]\nusers = [3]\n";
    let folder = folder(&[("base.yaml", BASE), ("child.toml", child)]);
    let scenario = load_file(&folder.path().join("child.toml"), &ScenarioOverrides::default()).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!((scenario.name.as_str(), scenario.seed, scenario.cells.len(), scenario.goals.len()), ("child", 3, 1, 1));
    let workload = &scenario.cells[0].cell.resolved()["workload"];
    assert_eq!((&workload["qps"], &workload["rounds"], &workload["users"]), (&json!(2.0), &json!(4), &json!(3)));
    assert_eq!(scenario.origin.text, child);
}

#[test]
fn a_fault_points_into_the_file_in_which_it_is_written() {
    let folder =
        folder(&[("base.yaml", &BASE.replace("rounds: 4", "round: 4")), ("child.toml", "extends = \"base.yaml\"\nworkload.qps = 0\n")]);
    insta::assert_snapshot!(faults(folder.path(), "child.toml"), @r"
    error: `workload.qps` is a rate above 0, not `0`
     --> child.toml:2:16
      |
    2 | workload.qps = 0
      |                ^
      |
      = hint: requests per second over all users: `qps = 2` or `qps = 0.5`

    error: `workload` of kind `chat` has no field `round`
     --> base.yaml:3:32
      |
    3 | workload: {kind: chat, qps: 1, round: 4}
      |                                ^^^^^
      |
      = hint: did you mean `rounds`?
    ");
}

#[test]
fn a_circle_of_bases_and_one_that_is_not_there_are_faults() {
    let folder = folder(&[("a.toml", "extends = \"b.yaml\"\n"), ("b.yaml", "extends: a.toml\n"), ("c.toml", "extends = \"none.toml\"\n")]);
    insta::assert_snapshot!(faults(folder.path(), "a.toml"), @r"
    error: `a.toml` extends itself, by way of this file
     --> b.yaml:1:10
      |
    1 | extends: a.toml
      |          ^^^^^^
      |
      = hint: a base must not extend what extends it
    ");
    insta::assert_snapshot!(faults(folder.path(), "c.toml"), @r#"
    error: cannot read `none.toml`: there is nothing of that name
     --> c.toml:1:11
      |
    1 | extends = "none.toml"
      |           ^^^^^^^^^^^
    "#);
}

#[test]
fn patterns_find_several_files_and_all_faults_of_all_of_them() {
    let folder = folder(&[("a.toml", "[workload]\nkind = \"chat\"\nqps = 0\n"), ("b.toml", "workload.kind = \"chatt\"\n"), ("c.txt", "")]);
    let pattern = |end: &str| vec![folder.path().join(end).display().to_string()];
    let found = files(&pattern("*.toml")).unwrap_or_else(|faults| panic!("{faults}"));
    let names: Vec<PathBuf> = found.iter().map(|path| path.file_name().unwrap().into()).collect();
    assert_eq!(names, [PathBuf::from("a.toml"), PathBuf::from("b.toml")]);
    assert_eq!(load(&pattern("*.toml"), &ScenarioOverrides::default()).unwrap_err().len(), 2);
    assert!(load(&pattern("*.yaml"), &ScenarioOverrides::default()).unwrap_err().to_string().contains("no file fits"));
    assert!(load(&pattern("c.txt"), &ScenarioOverrides::default()).unwrap_err().to_string().contains("ends in `.toml`, `.yaml` or `.yml`"));
}

#[test]
fn a_file_of_names_that_end_in_yml_is_yaml() {
    let folder = folder(&[("a.yml", BASE)]);
    assert_eq!(
        load_file(&folder.path().join("a.yml"), &ScenarioOverrides::default()).unwrap_or_else(|faults| panic!("{faults}")).name,
        "base"
    );
}

#[test]
fn a_chain_of_bases_may_be_long_but_not_endless() {
    let names = |number: usize| format!("{number}.toml");
    let folder = tempfile::tempdir().unwrap();
    for number in 0..34 {
        let base = format!("extends = \"{}\"\n", names(number + 1));
        fs_err::write(folder.path().join(names(number)), base).unwrap();
    }
    fs_err::write(folder.path().join(names(34)), "[workload]\nkind = \"chat\"\nqps = 1\n").unwrap();
    assert!(load_file(&folder.path().join("3.toml"), &ScenarioOverrides::default()).is_ok());
    let refused = faults(folder.path(), "2.toml");
    assert!(refused.starts_with("error: `34.toml` would be base number 33 of this file"), "{refused}");
}

/// What a scenario may name, and how the file is called there.
#[cfg(unix)]
const NAMED: [(&str, &str); 6] = [
    ("FILE.toml", "extends = \"FILE.toml\"\n"),
    ("FILE", "[workload]\nkind = \"document_qa\"\ndocuments = { synthetic_tokens = 500 }\nquestions = \"FILE\"\n"),
    ("FILE", "[workload]\nkind = \"chat\"\nqps = 1\ndataset = { sharegpt = \"FILE\" }\n"),
    ("FILE", "[workload]\nkind = \"requests\"\narrival = \"trace\"\ntrace = \"FILE\"\n"),
    ("FILE", "[workload]\nkind = \"chat\"\nqps = 1\n[target]\nurl = \"http://127.0.0.1:1\"\nmodel = \"m\"\ntokenizer = \"FILE\"\n"),
    ("FILE", "[workload]\nkind = \"chat\"\nqps = 1\n[target]\nurl = \"http://127.0.0.1:1\"\nmodel = \"m\"\napi_key_file = \"FILE\"\n"),
];

#[cfg(unix)]
#[test]
fn a_file_without_an_end_and_one_of_absurd_size_are_refused_by_name_wherever_they_are_named() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in NAMED {
        for (kind, said) in [("pipe", "it is a pipe; "), ("zeros", "it is a device; "), ("hole", "it is larger than ")] {
            let file = folder.path().join(name.replace("FILE", kind));
            if !file.exists() {
                match kind {
                    "pipe" => assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success()),
                    "zeros" => std::os::unix::fs::symlink("/dev/zero", &file).unwrap(),
                    _ => fs_err::File::create(&file).unwrap().set_len(1 << 43).unwrap(),
                }
            }
            let child = folder.path().join("child.toml");
            let written = name.replace("FILE", &folder.path().join(kind).display().to_string());
            fs_err::write(&child, text.replace(name, &written)).unwrap();
            let refused = load_file(&child, &ScenarioOverrides::default()).unwrap_err().to_string();
            assert!(refused.contains(&written) && refused.contains(said), "{text}{refused}");
        }
    }
}
