//! A key that a value at fault holds: what the program says of a panic, in a process of its own, since a hook is one a process.

use std::process::{Command, Output};

use bench::commands::panics::tell_no_values;

use super::{KEY, said};

/// Panics as a fault of the program would, with the key in what is found.
#[test]
#[ignore = "another test starts it, in a process of its own"]
fn a_fault_of_the_program_beside_a_key() {
    tell_no_values();
    let key = std::env::var("SECRETS_TEST_KEY").unwrap();
    let found: Result<u64, String> = key.parse().map_err(|_| format!("no number: {key}"));
    found.unwrap();
}

fn at_fault(backtrace: Option<&str>) -> Output {
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["--exact", "secrets::panics::a_fault_of_the_program_beside_a_key", "--ignored", "--nocapture"]);
    program.env("SECRETS_TEST_KEY", KEY).env_remove("RUST_BACKTRACE");
    program.envs(backtrace.map(|value| ("RUST_BACKTRACE", value)));
    program.output().unwrap()
}

#[test]
fn a_panic_names_its_place_and_not_the_key_that_it_found_there() {
    for backtrace in [None, Some("0")] {
        let output = at_fault(backtrace);
        assert!(!output.status.success());
        assert!(said(&output).contains("`bench` panicked at tests/it/secrets/panics.rs:"), "{}", said(&output));
        assert!(!said(&output).contains(KEY), "{}", said(&output));
    }
    // Who asks for all of it gets it.
    assert!(said(&at_fault(Some("1"))).contains(KEY));
}
