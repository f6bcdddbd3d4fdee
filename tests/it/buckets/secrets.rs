//! Keys of buckets: a planted one is found nowhere, whatever fails.

use super::super::stage::{files, said};
use super::s3_server::{PLANTED_KEY, S3Server};
use super::{ADDRESS, run_on, stage};

#[test]
fn a_key_is_found_in_no_file_no_object_and_no_word() {
    let (stage, server) = (stage(), S3Server::start());
    let mut told = String::new();
    server.fail_by(1);
    let home = stage.path("here").display().to_string();
    assert!(!home.contains(PLANTED_KEY));
    told += &said(&run_on(&stage, &server, "here", &["sweep", "one.toml", "-o", ADDRESS, "-vv"]));
    told += &said(&run_on(&stage, &server, "here", &["report", ADDRESS, "-v"]));
    server.fail_no_more();
    server.refuse(Some("nightly"));
    told += &said(&run_on(&stage, &server, "here", &["sweep", "one.toml", "-o", ADDRESS, "-v"]));
    told += &said(&run_on(&stage, &server, "here", &["report", ADDRESS, "-v"]));
    assert!(told.contains("the credentials are refused"), "{told}");
    server.save_to(&stage.path("objects"), "nightly");
    for key in [PLANTED_KEY, "planted-access-key"] {
        assert!(!told.contains(key), "{told}");
        for (name, bytes) in files(stage.folder()) {
            assert!(!bytes.windows(key.len()).any(|window| window == key.as_bytes()), "`{}` holds a key", name.display());
        }
    }
}
