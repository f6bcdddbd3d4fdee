//! Lengths, own prompts, recorded sessions and leaving users that say what cannot be.

use super::faults;

/// The faults of a workload of single requests with further fields.
fn requests(fields: &str) -> String {
    faults("scenario.toml", &format!("\n[workload]\nkind = \"requests\"\nduration = 60\n{fields}\n"))
}

fn says(found: &str, parts: &[&str]) {
    for part in parts {
        assert!(found.contains(part), "{part:?} is missing:\n{found}");
    }
}

#[test]
fn lengths_that_cannot_be_drawn() {
    for (lengths, parts) in [
        ("0", ["`workload.prompt_tokens` is 1 or more, not 0", "scenario.toml:4"].as_slice()),
        ("\"uniform(5..3)\"", &["the longest of `workload.prompt_tokens` is 3, and the shortest 5"]),
        ("\"normal(10, 5, 20..40)\"", &["lies outside of its bounds: 10", "choose a mean within the bounds"]),
        ("\"lognormal(0, 5)\"", &["lies outside of its bounds: 0"]),
        ("\"gauss(3, 4)\"", &["`gauss(3, 4)` is not a length", "`lognormal(1000, 500, 1..8000)`"]),
        ("\"file(no-such.txt)\"", &["cannot read the lengths `file(no-such.txt)`: there is nothing of that name"]),
        ("{ distribution = \"normal\", mean = 5 }", &["these lengths need `sd`"]),
        ("{ distribution = \"normal\", average = 5 }", &["average"]),
    ] {
        says(&requests(&format!("prompt_tokens = {lengths}")), parts);
    }
}

#[test]
fn own_prompts_beside_what_says_nothing_of_them() {
    says(&requests("prompts = \"no-such.jsonl\""), &["cannot read the prompts `no-such.jsonl`: there is nothing of that name"]);
    says(&requests("repeat_prompts = true"), &["`repeat_prompts` says nothing where no file of prompts is named"]);
    says(&requests("prompts = \"Cargo.toml\"\nprompt_tokens = 5"), &["`prompt_tokens` says nothing beside `prompts`"]);
}

#[test]
fn users_who_leave_in_shares_that_there_are_not() {
    says(&requests("leave = { share = 1.5, after = \"2s\" }"), &["`workload.leave.share` is a share from 0 to 1, not `1.5`"]);
    says(&requests("leave = { share = 0.5, after = 0 }"), &["`workload.leave.after` is longer than 0"]);
}

#[test]
fn recorded_sessions_without_a_file_or_with_bounds_that_contradict() {
    let sessions = |fields: &str| faults("scenario.toml", &format!("\n[workload]\nkind = \"sessions\"\n{fields}\n"));
    says(&sessions(""), &["`workload` needs `sessions`"]);
    says(&sessions("sessions = \"no-such.jsonl\""), &["cannot read the recorded sessions `no-such.jsonl`"]);
    says(&sessions("sessions = \"Cargo.toml\"\nconcurrency = 2\nmax_sessions = 3"), &["`max_sessions` says nothing beside `concurrency`"]);
    says(&sessions("sessions = \"Cargo.toml\"\nspeed_up = 0"), &["`workload.speed_up` is a factor above 0, not `0`"]);
    says(&sessions("sessions = \"Cargo.toml\"\nduration = 5\nwarmup = 5"), &["leaves nothing of the duration"]);
}
