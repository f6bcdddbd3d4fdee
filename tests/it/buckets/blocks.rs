//! A sweep whose blocks are measured by several machines into a bucket, and merged there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;

use super::super::stage::{Stage, are_the_same, dateless, files, said, sealed_runs, stderr, stdout, succeeded};
use super::s3_server::{PLANTED_KEY, S3Server};
use super::{ADDRESS, as_folder, ended_with, is_without_sweeps, run_on, stage};

/// Three blocks of four runs each.
const SPREAD: [&str; 6] = ["one.toml", "-q", "--set", "repeats=3", "--set", "spread=\"repeats\""];

/// Measures a block on a machine of its own.
fn measured(stage: &Stage, server: &S3Server, block: &str, to: &str) -> Output {
    let words = [&["sweep"], &SPREAD[..], &["-o", to, "--block", block]].concat();
    run_on(stage, server, &format!("node-{block}"), &words)
}

fn merged(stage: &Stage, server: &S3Server, address: &str) -> Output {
    run_on(stage, server, "merging", &["merge", address])
}

/// What a sweep is apart from its blocks.
fn whole(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = dateless(folder);
    files.retain(|name, _| !name.starts_with("blocks"));
    files
}

/// The standing of each block.
fn standings(stage: &Stage, server: &S3Server, address: &str) -> Vec<String> {
    let output = run_on(stage, server, "looking", &["status", address, "--format", "json"]);
    succeeded(&output);
    let lines: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    lines.as_array().unwrap().iter().map(|line| line["standing"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn blocks_in_a_bucket_become_the_sweep_that_blocks_in_a_folder_and_one_machine_make() {
    let (stage, server) = (stage(), S3Server::start());
    for block in ["2", "0", "1"] {
        succeeded(&measured(&stage, &server, block, ADDRESS));
        succeeded(&measured(&stage, &server, block, "folder/one"));
        assert!(is_without_sweeps(&stage.path(&format!("node-{block}/spool"))), "all of it is in the bucket");
    }
    assert_eq!(standings(&stage, &server, ADDRESS), ["sealed", "sealed", "sealed"]);
    let merging = merged(&stage, &server, ADDRESS);
    succeeded(&merging);
    let told = stderr(&merging);
    assert!(
        told.contains("merged: 3 of 3 blocks are whole, 12 runs") && told.contains("12 runs sent to `s3://bucket/nightly/one`"),
        "{told}"
    );
    assert!(is_without_sweeps(&stage.path("merging/spool")));
    succeeded(&merged(&stage, &server, "folder/one"));
    let first = as_folder(&stage, &server, "first");
    are_the_same(&whole(&first), &whole(&stage.path("folder/one")), "the bucket and the folder");

    succeeded(&stage.run(&[&["sweep"], &SPREAD[..], &["-o", "alone/one"]].concat()));
    are_the_same(&sealed_runs(&first), &sealed_runs(&stage.path("alone/one")), "the runs");
    are_the_same(&files(&first.join("report")), &files(&stage.path("alone/one/report")), "the report");

    let again = merged(&stage, &server, ADDRESS);
    succeeded(&again);
    assert!(stderr(&again).contains("0 runs sent to"), "{}", stderr(&again));
    are_the_same(&files(&as_folder(&stage, &server, "again")), &files(&first), "merged again");
}

#[test]
fn a_merge_before_the_last_block_names_it_and_the_next_merge_is_whole() {
    let (stage, server) = (stage(), S3Server::start());
    for block in ["0", "1"] {
        succeeded(&measured(&stage, &server, block, ADDRESS));
    }
    let early = run_on(&stage, &server, "looking", &["report", ADDRESS]);
    ended_with(&early, 2);
    assert!(stderr(&early).contains("make one of them: bench merge s3://bucket/nightly/one"), "{}", stderr(&early));
    let part = merged(&stage, &server, ADDRESS);
    ended_with(&part, 3);
    let told = stderr(&part);
    assert!(told.contains("block `2-r2`: has no result yet") && told.contains("-o s3://bucket/nightly/one --block 2-r2"), "{told}");
    assert_eq!(standings(&stage, &server, ADDRESS), ["sealed", "sealed", "waiting"]);

    for (block, to) in [("2", ADDRESS), ("2", "folder/one"), ("1", "folder/one"), ("0", "folder/one")] {
        succeeded(&measured(&stage, &server, block, to));
    }
    succeeded(&merged(&stage, &server, ADDRESS));
    succeeded(&merged(&stage, &server, "folder/one"));
    are_the_same(&whole(&as_folder(&stage, &server, "bucket")), &whole(&stage.path("folder/one")), "the bucket and the folder");
    let (bucket, folder) = (run_on(&stage, &server, "looking", &["report", ADDRESS]), stage.run(&["report", "folder/one"]));
    assert_eq!(stdout(&bucket), stdout(&folder));
}

#[test]
fn blocks_of_two_plans_are_not_mixed_and_the_error_names_both() {
    let (stage, server) = (stage(), S3Server::start());
    succeeded(&measured(&stage, &server, "0", ADDRESS));
    let before = files(&as_folder(&stage, &server, "before"));
    let sweep = [&["sweep"], &SPREAD[..], &["-o", ADDRESS, "--block", "1"]].concat();
    let submit = [&["submit"], &SPREAD[..], &["-o", ADDRESS, "--to", "slurm", "--files", "jobs"]].concat();
    for words in [&sweep, &submit] {
        let other = run_on(&stage, &server, "node-1", &[&words[..], &["--set", "seed=8", "--set", "name=\"other\""]].concat());
        ended_with(&other, 2);
        let told = stderr(&other);
        assert!(
            told.contains("`s3://bucket/nightly/one` holds the sweep `one` (scenario ") && told.contains("not `other` (scenario "),
            "{told}"
        );
        let texts = run_on(&stage, &server, "node-1", &[&words[..], &["--keep-text"]].concat());
        ended_with(&texts, 2);
        assert!(stderr(&texts).contains("was begun without `--keep-text`"), "{}", stderr(&texts));
        let cut = run_on(&stage, &server, "node-1", &[&words[..], &["--set", "spread=[\"repeats\", \"variants\"]"]].concat());
        ended_with(&cut, 2);
        assert!(stderr(&cut).contains("that are cut otherwise than now"), "{}", stderr(&cut));
    }
    are_the_same(&files(&as_folder(&stage, &server, "after")), &before, "nothing is written");
}

#[test]
fn a_block_that_another_process_measures_is_left_to_it() {
    let (stage, server) = (stage(), S3Server::start());
    succeeded(&measured(&stage, &server, "0", ADDRESS));
    let block = "nightly/one/blocks/0-r0";
    let theirs = r#"{"node": {"name": "gpu7"}, "bench_version": "0.1.0", "started_at": "2020-01-01T00:00:00Z"}"#;
    for name in server.names().iter().filter(|name| name.ends_with("run.json")) {
        server.remove(name);
    }
    server.put(&format!("{block}/block.json"), theirs);
    assert_eq!(standings(&stage, &server, ADDRESS), ["silent", "waiting", "waiting"], "nobody has the lease");
    server.put(&format!("{block}/.lease"), r#"{"holder": "process 7 on gpu7", "token": "t", "expires_at": "2999-01-01T00:00:00Z"}"#);
    assert_eq!(standings(&stage, &server, ADDRESS), ["running", "waiting", "waiting"]);
    let refused = measured(&stage, &server, "0", ADDRESS);
    ended_with(&refused, 2);
    assert!(stderr(&refused).contains("is being written by process 7 on gpu7"), "{}", said(&refused));
    assert_eq!(fs_err::read_to_string(as_folder(&stage, &server, "left").join("blocks/0-r0/block.json")).unwrap(), theirs);
}

#[test]
fn where_no_block_has_begun_its_status_says_so_and_what_to_do() {
    let (stage, server) = (stage(), S3Server::start());
    fs_err::create_dir_all(stage.path("folder/one")).unwrap();
    for address in [ADDRESS, "folder/one"] {
        let none = run_on(&stage, &server, "looking", &["status", address]);
        succeeded(&none);
        let text = stdout(&none);
        assert!(text.starts_with("no block has begun") && text.contains(&format!("bench sweep SCENARIO -o {address} --block 0")), "{text}");
        assert_eq!(standings(&stage, &server, address), [""; 0]);
        ended_with(&run_on(&stage, &server, "looking", &["merge", address]), 2);
    }
    // As a kill between the plan and the block leaves it.
    succeeded(&measured(&stage, &server, "0", "s3://bucket/other"));
    server.save_to(&stage.path("other"), "other");
    let plan = fs_err::read(stage.path("other/blocks/plan.json")).unwrap();
    fs_err::create_dir_all(stage.path("folder/one/blocks")).unwrap();
    fs_err::write(stage.path("folder/one/blocks/plan.json"), &plan).unwrap();
    server.put("nightly/one/blocks/plan.json", plan);
    for address in [ADDRESS, "folder/one"] {
        let none = run_on(&stage, &server, "looking", &["status", address]);
        succeeded(&none);
        assert!(stdout(&none).starts_with("one: 3 blocks (none has begun), 0 of 12 runs sealed\n"), "{}", stdout(&none));
        assert_eq!(standings(&stage, &server, address), ["waiting"; 3]);
    }
    let nowhere = run_on(&stage, &server, "looking", &["status", "folder/two"]);
    ended_with(&nowhere, 2);
    assert!(stderr(&nowhere).contains("`folder/two` holds no blocks"), "{}", stderr(&nowhere));
}

#[test]
fn jobs_of_blocks_in_a_bucket_do_what_is_left_there_and_hold_no_key() {
    let (stage, server) = (stage(), S3Server::start());
    succeeded(&measured(&stage, &server, "1", ADDRESS));
    stage.write("plain.toml", "[kubernetes]\nimage = \"bench\"\n");
    stage.write("keys.toml", "[kubernetes]\nimage = \"bench\"\nenv_from = [\"bucket-keys\"]\n");
    let submitted =
        |to: &[&str]| run_on(&stage, &server, "looking", &[&["submit"], &SPREAD[1..], &["one.toml", "-o", ADDRESS, "--to"], to].concat());
    let text = |name: &str| fs_err::read_to_string(stage.path("submit/one").join(name)).unwrap();

    let slurm = submitted(&["slurm"]);
    succeeded(&slurm);
    assert!(stdout(&slurm).contains("2 blocks to do, and 1 of 3 sealed already"), "{}", stdout(&slurm));
    assert!(
        text("blocks.sbatch").contains("#SBATCH --array=0,2\n") && text("blocks.sbatch").contains("-o s3://bucket/nightly/one --block")
    );
    assert!(text("merge.sbatch").contains(" merge s3://bucket/nightly/one\n"), "{}", text("merge.sbatch"));

    let plain = submitted(&["kubernetes", "--cluster", "plain.toml"]);
    succeeded(&plain);
    assert!(stdout(&plain).contains("note: the pods are given no keys of `s3://bucket/nightly/one`"), "{}", stdout(&plain));
    let keys = submitted(&["kubernetes", "--cluster", "keys.toml"]);
    succeeded(&keys);
    assert!(!stdout(&keys).contains("note: "), "{}", stdout(&keys));
    for name in ["blocks.yaml", "merge.yaml"] {
        let text = text(name);
        assert!(text.contains("envFrom:\n            - secretRef:\n                name: \"bucket-keys\"\n"), "{text}");
        assert!(!text.contains("persistentVolumeClaim"), "{text}");
    }
    assert!(text("blocks.yaml").contains("--among\n            - \"0,2\""), "{}", text("blocks.yaml"));

    for block in ["0", "2"] {
        succeeded(&measured(&stage, &server, block, ADDRESS));
    }
    let done = submitted(&["slurm"]);
    succeeded(&done);
    assert_eq!(stdout(&done), "all of 3 blocks are sealed\nnext: bench merge s3://bucket/nightly/one\n");

    // Pods may have keys that are not here.
    server.close();
    ended_with(&submitted(&["slurm"]), 2);
    let closed = submitted(&["kubernetes", "--cluster", "keys.toml"]);
    succeeded(&closed);
    assert!(
        stderr(&closed).contains("what is sealed already is not known here") && stdout(&closed).contains("3 blocks to do"),
        "{}",
        said(&closed)
    );
    for (name, bytes) in files(&stage.path("submit")) {
        assert!(!String::from_utf8_lossy(&bytes).contains(PLANTED_KEY), "`{}` holds a key", name.display());
    }
}
