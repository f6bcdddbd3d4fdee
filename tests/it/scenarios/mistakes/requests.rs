//! Mistakes in single requests: what a process needs, what a trace brings along, and where a run ends.

use super::faults;

/// What a workload of these fields is told, in one line without the pointing.
fn told(fields: &str) -> String {
    faults("scenario.toml", &format!("\n[workload]\nkind = \"requests\"\n{fields}\n"))
}

#[test]
fn requests_without_an_end() {
    insta::assert_snapshot!(told("qps = 4"), @r#"
    error: nothing says when the requests end
     --> scenario.toml:1:1
      |
    1 | [workload]
      | ^^^^^^^^^^
      |
      = hint: write `duration = "60s"`, `requests = 500`, or both: what comes first ends the run
    "#);
}

#[test]
fn a_rate_beside_a_trace() {
    insta::assert_snapshot!(told("arrival = \"trace\"\ntrace = \"tests/fixtures/trace/tiny.jsonl\"\nqps = 4"), @r#"
    error: `qps` says nothing beside a trace
     --> scenario.toml:5:7
      |
    3 | arrival = "trace"
      |           ------- beside this
    4 | trace = "tests/fixtures/trace/tiny.jsonl"
    5 | qps = 4
      |       ^
      |
      = hint: leave it out: a trace has its own times; `speed_up = 2` sends them twice as fast
    "#);
}

#[test]
fn each_contradiction_names_its_field_and_a_way_out() {
    let trace = "arrival = \"trace\"\ntrace = \"tests/fixtures/trace/tiny.jsonl\"\n";
    let closed = "arrival = \"closed\"\nconcurrency = 4\n".to_owned();
    for (fields, message, hint) in [
        ("duration = 60\nqps = 0", "`workload.qps` is a rate above 0, not `0`", "requests per second on average"),
        ("duration = 60\nqps = nan", "`workload.qps` is a rate above 0, not `NaN`", "requests per second on average"),
        ("duration = 60\nburstiness = 2", "`burstiness` is the shape of gamma gaps alone", "arrival = \"gamma\""),
        ("duration = 60\narrival = \"gamma\"", "`arrival = \"gamma\"` needs `burstiness`", "`burstiness = 0.5` is burstier"),
        ("duration = 60\narrival = \"gamma\"\nburstiness = 0", "`workload.burstiness` is a shape above 0, not `0`", "burstier"),
        ("duration = 60\narrival = \"gamma\"\nburstiness = -1.5", "is a shape above 0, not `-1.5`", "burstier"),
        ("duration = 60\nspeed_up = 2", "`speed_up` says nothing beside arrivals that follow no trace", "arrival = \"trace\""),
        ("arrival = \"trace\"", "`arrival = \"trace\"` needs `trace`, the file", "one JSON object a line"),
        (
            "arrival = \"trace\"\ntrace = \"no.jsonl\"",
            "cannot read the recorded requests `no.jsonl`: there is nothing of that name",
            "paths start at",
        ),
        (&format!("{trace}prompt_tokens = 5"), "`prompt_tokens` says nothing beside a trace", "leave it out: a trace has its own lengths"),
        (&format!("{trace}speed_up = 0"), "`workload.speed_up` is a factor above 0, not `0`", "divided by it"),
        (&format!("{trace}block_tokens = 0"), "`workload.block_tokens` is 1 or more", ""),
        ("requests = 0", "`workload.requests` is 1 or more, not 0", ""),
        ("requests = 100000001", "`workload.requests` is 100000000 at most", "`repeats`"),
        ("duration = \"1000h\"\nqps = 100", "100 requests a second for 1000h are more than the 100000000 of one run", "lower `qps`"),
        ("duration = 60\nwarmup = 60", "the warm-up of 1m leaves nothing of the duration of 1m", "includes the warm-up"),
        ("requests = 10\nqps = 2\nwarmup = 5", "the warm-up of 5s leaves nothing of 10 requests at 2 a second", "includes those"),
        ("duration = 60\nmax_in_flight = 0", "`workload.max_in_flight` is 1 or more, not 0", ""),
        ("duration = 60\nconcurrency = 4", "`concurrency` says nothing beside requests that wait for no answer", "arrival = \"closed\""),
        ("duration = 60\nthink_time = 1", "`think_time` says nothing beside requests that wait for no answer", "arrival = \"closed\""),
        (&format!("{trace}concurrency = 4"), "`concurrency` says nothing beside requests that wait for no answer", "closed"),
        (&format!("{trace}ramp = 4"), "`ramp` says nothing beside a trace", "`warmup` leaves its beginning out"),
        ("duration = 60\narrival = \"closed\"", "`arrival = \"closed\"` needs `concurrency`, the number of users", "`concurrency = 8`"),
        (&format!("{closed}duration = 60\nqps = 4"), "`qps` says nothing beside a closed loop", "leave it out: users ask"),
        (&format!("{closed}duration = 60\nburstiness = 4"), "`burstiness` says nothing beside a closed loop", "arrival = \"gamma\""),
        (&format!("{closed}duration = 60\nmax_in_flight = 4"), "`max_in_flight` says nothing beside a closed loop", "`concurrency`"),
        (&format!("{closed}duration = 60\ntrace = \"a.jsonl\""), "`trace` says nothing beside a closed loop", "arrival = \"trace\""),
        (&closed, "nothing says when the requests end", "`requests = 500`"),
        ("arrival = \"closed\"\nrequests = 9\nconcurrency = 0", "`workload.concurrency` is 1 or more, not 0", ""),
        (&format!("{closed}requests = 9\nwarmup_requests = 9"), "a warm-up of 9 requests leaves nothing of 9", "includes those"),
        ("duration = 2\nqps = 4\nwarmup_requests = 8", "a warm-up of 8 requests leaves nothing of 2s at 4 a second", "includes"),
        ("duration = 60\nramp = 60", "the ramp of 1m leaves nothing of the duration of 1m", "includes the ramp"),
        (&format!("{closed}duration = 60\nramp = 90"), "the ramp of 90s leaves nothing of the duration of 1m", "includes the ramp"),
        ("requests = 10\nqps = 2\nramp = 10", "the ramp of 10s leaves nothing of 10 requests at 2 a second", "includes those"),
        ("duration = 60\nanswers = \"scripted\"", "a scripted answer says nothing where no turn comes after it", "forced_length"),
    ] {
        let told = told(fields);
        assert!(told.contains(message) && told.contains(hint), "{fields}\n{told}");
        assert_eq!(told.matches("error: ").count(), 1, "{told}");
    }
}
