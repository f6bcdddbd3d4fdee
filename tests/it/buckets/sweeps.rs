//! The commands on a bucket: the same files and the same words as on a folder.

use super::super::stage::{dateless, files, said, stderr, stdout, succeeded};
use super::s3_server::S3Server;
use super::{ADDRESS, as_folder, ended_with, is_without_sweeps, run_on, stage};

#[test]
fn a_bucket_holds_what_a_folder_would_and_every_command_reads_the_same_from_it() {
    let (stage, server) = (stage(), S3Server::start());
    succeeded(&stage.run(&["sweep", "one.toml", "-o", "folder/one", "-q"]));
    let swept = run_on(&stage, &server, "here", &["sweep", "one.toml", "-o", ADDRESS]);
    succeeded(&swept);
    let told = stderr(&swept);
    assert!(told.contains("report and pictures: s3://bucket/nightly/one/report") && told.contains("8 runs sent to"), "{told}");
    let folder = dateless(&stage.path("folder/one"));
    let bucket = dateless(&as_folder(&stage, &server, "bucket"));
    assert_eq!(bucket.keys().collect::<Vec<_>>(), folder.keys().collect::<Vec<_>>());
    let differing: Vec<_> = folder.iter().filter(|(name, bytes)| bucket[*name] != **bytes).map(|(name, _)| name).collect();
    assert!(differing.is_empty(), "{differing:?}");
    assert!(is_without_sweeps(&stage.path("here/spool")), "all of it is in the bucket");

    // The same sweep, dates and all, as a folder: what the bucket holds.
    let copy = as_folder(&stage, &server, "copy/one");
    let copied = copy.to_str().unwrap();
    for words in [
        &["report", "-o", "written"][..],
        &["report", "--format", "json", "-o", "written"],
        &["history", "-o", "written/history.svg"],
        &["export", "-o", "written/all.csv"],
        &["export", "--cells", "-o", "written/cells.parquet"],
        &["compare", "--format", "json"],
        &["plot", "-o", "written/{variant}.svg"],
    ] {
        let outputs = [ADDRESS, copied].map(|address| {
            let words: Vec<&str> = [words[0], address].into_iter().chain(words[1..].iter().copied()).collect();
            let _ = fs_err::remove_dir_all(stage.path("written"));
            fs_err::create_dir_all(stage.path("written")).unwrap();
            let output = run_on(&stage, &server, "there", &words);
            succeeded(&output);
            (stdout(&output), files(&stage.path("written")))
        });
        assert!(outputs[0] == outputs[1], "{words:?}: {}\n{}", outputs[0].0, outputs[1].0);
    }
}

#[test]
fn a_sweep_is_gone_on_with_on_another_machine_and_does_only_what_is_left() {
    let (stage, server) = (stage(), S3Server::start());
    succeeded(&run_on(&stage, &server, "here", &["sweep", "one.toml", "-o", ADDRESS, "-q"]));
    let whole = as_folder(&stage, &server, "whole");
    let again = run_on(&stage, &server, "there", &["sweep", "one.toml", "-o", ADDRESS]);
    succeeded(&again);
    let told = stderr(&again);
    assert!(told.contains("8 sealed runs taken from `s3://bucket/nightly/one`") && told.contains("0 runs sent"), "{told}");
    assert!(files(&whole) == files(&as_folder(&stage, &server, "again")));
    let other = stage.path("other.toml");
    fs_err::write(&other, super::SCENARIO.replace("seed = 7", "seed = 8")).unwrap();
    let refused = run_on(&stage, &server, "there", &["sweep", "other.toml", "-o", ADDRESS]);
    ended_with(&refused, 2);
    assert!(
        said(&refused).contains("name another folder with `-o`") || said(&refused).contains("name another address"),
        "{}",
        said(&refused)
    );
}

#[test]
fn what_could_not_be_sent_is_sent_by_the_command_that_is_told() {
    let (stage, server) = (stage(), S3Server::start());
    server.refuse(Some("requests.parquet"));
    let swept = run_on(&stage, &server, "here", &["sweep", "one.toml", "-o", ADDRESS]);
    ended_with(&swept, 3);
    let told = stderr(&swept);
    let command = told.lines().find_map(|line| line.split("To send what is missing: bench ").nth(1)).unwrap_or_else(|| panic!("{told}"));
    assert!(told.contains("the credentials are refused"), "{told}");
    assert!(server.names().iter().all(|name| !name.ends_with("run.json")), "none is whole");
    server.refuse(None);
    let words: Vec<&str> = command.split_whitespace().collect();
    let pushed = run_on(&stage, &server, "here", &words);
    succeeded(&pushed);
    assert!(stderr(&pushed).contains("8 runs sent to"), "{}", stderr(&pushed));
    let once_more = run_on(&stage, &server, "here", &words);
    succeeded(&once_more);
    assert!(stderr(&once_more).contains("0 runs sent to") && stderr(&once_more).contains("8 runs there already"), "{}", stderr(&once_more));
    succeeded(&run_on(&stage, &server, "there", &["report", ADDRESS]));
}

#[test]
fn one_process_writes_a_sweep_at_a_time_and_the_other_is_told_who() {
    let (stage, server) = (stage(), S3Server::start());
    let lease = r#"{"holder": "process 7 on gpu7", "token": "t", "expires_at": "2999-01-01T00:00:00Z"}"#;
    server.put("nightly/one/.lease", lease);
    let refused = run_on(&stage, &server, "here", &["sweep", "one.toml", "-o", ADDRESS]);
    ended_with(&refused, 2);
    assert!(stderr(&refused).contains("is being written by process 7 on gpu7"), "{}", stderr(&refused));
    server.put("nightly/one/.lease", lease.replace("2999", "1999"));
    succeeded(&run_on(&stage, &server, "here", &["sweep", "one.toml", "-o", ADDRESS, "-q"]));
}

#[test]
fn a_report_asks_at_most_three_times_for_a_run_and_not_at_all_for_what_it_knows() {
    let (stage, server) = (stage(), S3Server::start());
    succeeded(&run_on(&stage, &server, "here", &["sweep", "one.toml", "-o", ADDRESS, "-q"]));
    let asked = |server: &S3Server| server.asked().iter().filter(|asked| asked.starts_with("GET") && asked.contains("/runs/")).count();
    let _ = server.asked();
    succeeded(&run_on(&stage, &server, "there", &["report", ADDRESS, "-o", "written"]));
    let first = asked(&server);
    assert!((8..=3 * 8).contains(&first), "{first} requests for 8 runs");
    succeeded(&run_on(&stage, &server, "there", &["report", ADDRESS, "-o", "written"]));
    assert_eq!(asked(&server), 0);
}

#[test]
fn nights_in_a_bucket_are_a_series() {
    let (stage, server) = (stage(), S3Server::start());
    for night in ["2026-11-27", "2026-11-28", "2026-11-29"] {
        let address = format!("s3://bucket/nightly/{night}");
        succeeded(&run_on(&stage, &server, "here", &["sweep", "one.toml", "-o", &address, "-q"]));
    }
    let told = run_on(&stage, &server, "there", &["history", "s3://bucket/nightly"]);
    succeeded(&told);
    assert!(stdout(&told).contains("one: 3 nights"), "{}", said(&told));
}

#[test]
fn a_wrong_address_is_refused_with_what_is_allowed() {
    let stage = stage();
    for words in [&["sweep", "one.toml", "-o", "http://bucket/x"][..], &["report", "ftp://bucket/x"], &["push", "folder", "bucket/x"]] {
        let refused = stage.run(words);
        ended_with(&refused, 2);
        assert!(stderr(&refused).contains("s3://BUCKET/PREFIX"), "{}", stderr(&refused));
    }
    let plain = stage.command(&["report", ADDRESS]).env("AWS_ENDPOINT_URL", "http://10.0.0.1:9000").output().unwrap();
    ended_with(&plain, 2);
    assert!(stderr(&plain).contains("AWS_ALLOW_HTTP=true"), "{}", stderr(&plain));
}
