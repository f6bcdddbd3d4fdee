//! What `vllm bench serve --save-result --save-detailed`, `vllm bench sweep` with that, and SGLang's `bench_serving --output-details` write: runs of
//! single requests, as lists with an element a request; several runs one after the other, or in a list.
//!
//! A request with an error text, or with a time to first token of 0, failed. `generated_texts` is never looked at.

use serde::Deserialize;
use serde_json::{Value, json};

use super::SourceProgram;
use super::json;
use super::reading::{ImportFile, ParsedRun, TimestampOrigin};
use super::row::{answer, failure, first_token, gap, no_token, unanswered};
use crate::foundation::clock::Micros;
use crate::records::record::{RequestRecord, TokenSource};

pub(super) const LACKS: &[&str] = &[
    "when each request was due is not known, only when it was sent",
    "how long a failed request took is not known: it ends when it was sent",
    "which prompt tokens came from a cache is not known",
    "the data set, the seed and the prompts are not known; whether caches were empty at the start is not known",
    "nothing tells how late the client sent, or how busy it was",
];

const NO_START_TIMES: &str =
    "send times are not known: requests are laid at 0, so that rates, requests in flight and the timeline mean nothing";

#[derive(Deserialize)]
struct VllmResultFile {
    model_id: Option<String>,
    num_prompts: Option<u64>,
    request_rate: Option<Value>,
    burstiness: Option<f64>,
    max_concurrency: Option<u64>,
    input_lens: Option<Vec<Option<u64>>>,
    output_lens: Option<Vec<Option<u64>>>,
    ttfts: Option<Vec<Option<f64>>>,
    itls: Option<Vec<Vec<Option<f64>>>>,
    errors: Option<Vec<Option<String>>>,
    start_times: Option<Vec<Option<f64>>>,
}

/// All runs of a file.
pub(super) fn read(source: &ImportFile, program: SourceProgram) -> Result<Vec<ParsedRun>, Vec<String>> {
    let runs: Vec<VllmResultFile> = json::all(&source.text).map_err(|fault| vec![fault])?;
    let (mut read, mut faults) = (Vec::new(), Vec::new());
    for (number, run) in runs.iter().enumerate() {
        match parsed(run, program) {
            Ok(run) => read.push(run),
            Err(found) if runs.len() == 1 => faults.extend(found),
            Err(found) => faults.extend(found.into_iter().map(|fault| format!("run {}: {fault}", number + 1))),
        }
    }
    faults.truncate(5);
    if faults.is_empty() { Ok(read) } else { Err(faults) }
}

fn parsed(file: &VllmResultFile, program: SourceProgram) -> Result<ParsedRun, Vec<String>> {
    let (Some(ttfts), Some(itls)) = (&file.ttfts, &file.itls) else {
        let again = match program {
            SourceProgram::SglangServing => "run SGLang's `bench_serving` again with `--output-details`",
            SourceProgram::VllmSweep => "put `--save-detailed` into the `--bench-cmd` of `vllm bench sweep`, and run it again",
            _ => "run `vllm bench serve` again with `--save-result --save-detailed`",
        };
        return Err(vec![format!("has no `ttfts` and `itls`, a value a request: only averages and percentiles are in it; {again}")]);
    };
    let faults = file.faults(ttfts, itls);
    if !faults.is_empty() {
        return Err(faults);
    }
    let rate = file.request_rate.clone().unwrap_or_else(|| json!("inf"));
    let rate = rate.as_str().and_then(|text| text.parse::<f64>().ok()).filter(|rate| rate.is_finite()).map_or(rate, |rate| json!(rate));
    let limit = file.max_concurrency.map_or_else(|| json!("unlimited"), |limit| json!(limit));
    let settings = [
        ("request_rate", rate.clone()),
        ("max_concurrency", limit),
        ("burstiness", json!(file.burstiness)),
        ("num_prompts", json!(file.num_prompts.unwrap_or(ttfts.len() as u64))),
    ];
    let mut workload: Value = settings.iter().cloned().collect();
    workload["kind"] = json!("requests");
    Ok(ParsedRun {
        axes: Vec::new(),
        settings: settings.into_iter().map(|(name, value)| (format!("workload.{name}"), value)).collect(),
        shared: Vec::new(),
        model: file.model_id.clone(),
        workload,
        simulated: false,
        times: if file.start_times.is_some() { TimestampOrigin::Told } else { TimestampOrigin::LaidOut },
        started_at: None,
        offered_qps: rate.as_f64(),
        records: file.records(ttfts, itls),
        samples: Vec::new(),
        lacks: if file.start_times.is_some() { Vec::new() } else { vec![NO_START_TIMES] },
        notes: Vec::new(),
    })
}

impl VllmResultFile {
    fn faults(&self, ttfts: &[Option<f64>], itls: &[Vec<Option<f64>>]) -> Vec<String> {
        let mut faults = Vec::new();
        if ttfts.is_empty() {
            faults.push("`ttfts` is empty: there is no request in it".to_owned());
        }
        let lengths = [
            ("itls", Some(itls.len())),
            ("errors", self.errors.as_ref().map(Vec::len)),
            ("input_lens", self.input_lens.as_ref().map(Vec::len)),
            ("output_lens", self.output_lens.as_ref().map(Vec::len)),
            ("start_times", self.start_times.as_ref().map(Vec::len)),
        ];
        let other = lengths.into_iter().filter_map(|(name, length)| Some((name, length.filter(|length| *length != ttfts.len())?)));
        faults.extend(other.map(|(name, length)| format!("`{name}` has {length} elements and `ttfts` {}: one a request", ttfts.len())));
        let negative = |time: &Option<f64>| time.is_some_and(|time| time < 0.0);
        let times = [("ttfts", ttfts.iter().position(negative)), ("itls", itls.iter().position(|gaps| gaps.iter().any(negative)))];
        let below = times.into_iter().filter_map(|(name, at)| Some(format!("`{name}[{}]` is below 0: a time is not", at?)));
        faults.extend(below);
        faults
    }

    fn records(&self, ttfts: &[Option<f64>], itls: &[Vec<Option<f64>>]) -> Vec<RequestRecord> {
        let sent = self.sent(ttfts.len());
        let at = |list: &Option<Vec<Option<u64>>>, at: usize| list.as_ref().and_then(|list| list.get(at).copied().flatten());
        let row = |(place, session): (usize, u64)| {
            let mut record = unanswered(session, 0, sent.get(place).copied().unwrap_or_default());
            record.prompt_tokens = at(&self.input_lens, place);
            let said = self.errors.as_ref().and_then(|errors| errors.get(place)).and_then(Option::as_deref).unwrap_or_default();
            match first_token(ttfts.get(place).copied().flatten()) {
                _ if !said.trim().is_empty() => record.failure = Some(failure(said)),
                None => record.failure = Some(no_token()),
                Some(ttft) => {
                    let gaps: Vec<f64> = itls.get(place).into_iter().flatten().flatten().copied().collect();
                    answer(&mut record, ttft, gaps.iter().sum());
                    record.gaps_us = gaps.into_iter().map(gap).collect();
                    record.output_tokens = at(&self.output_lens, place);
                }
            }
            if record.prompt_tokens.is_some() || record.output_tokens.is_some() {
                record.token_source = TokenSource::TokenRule;
            }
            record
        };
        (0..ttfts.len()).zip(0..).map(row).collect()
    }

    /// When each was sent, from the first. One that was never sent stands at 0 in the file: it is put beside the one before it.
    fn sent(&self, count: usize) -> Vec<Micros> {
        let Some(starts) = &self.start_times else { return vec![Micros::ZERO; count] };
        let known = |start: &Option<f64>| start.filter(|start| *start > 0.0);
        let first = starts.iter().filter_map(known).fold(f64::INFINITY, f64::min);
        let mut before = Micros::ZERO;
        let of = |start: &Option<f64>| {
            before = known(start).map_or(before, |start| Micros::from_secs_f64(start - first));
            before
        };
        starts.iter().map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::record::FailureKind;

    const FILE: &str = r#"{"date": "20261122-063736", "backend": "vllm", "model_id": "tiny", "num_prompts": 3, "request_rate": "inf",
        "burstiness": 1.0, "max_concurrency": 2, "duration": 2.5, "completed": 2, "failed": 1, "mean_tpot_ms": NaN,
        "input_lens": [1000, 1000, 1000], "output_lens": [4, 1, 0], "ttfts": [0.5, 0.25, 0.0],
        "itls": [[0.01, 0.02], [], []], "start_times": [7000.5, 7000.0, 0.0],
        "generated_texts": ["a secret", "b", ""], "errors": ["", "", "Traceback\nConnectionRefusedError: refused\n"]}"#;

    fn file(text: &str) -> Result<ParsedRun, Vec<String>> {
        let file = ImportFile { name: "x.json".into(), stem: "x".into(), variant: "v".into(), text: text.into() };
        read(&file, SourceProgram::VllmServe).map(|mut runs| runs.remove(0))
    }

    #[test]
    fn requests_have_their_own_times_and_gaps_and_failures_what_the_file_says() {
        let reading = file(FILE).unwrap();
        let [slow, single, refused] = reading.records.as_slice() else { panic!() };
        assert_eq!((slow.sent_us, slow.ttft_s(), slow.gaps_us.as_slice()), (Micros(500_000), Some(0.5), [10_000, 20_000].as_slice()));
        // Three tokens after the first took 30 ms.
        assert!((slow.tpot_s().unwrap() - 0.01).abs() < 1e-12);
        assert_eq!((single.sent_us, single.tpot_s(), single.output_tokens), (Micros(0), None, Some(1)));
        let failed = refused.failure.as_ref().unwrap();
        assert_eq!((failed.kind, failed.detail.as_str()), (FailureKind::Other, "the file says: ConnectionRefusedError: refused"));
        assert_eq!((refused.first_token_us, refused.output_tokens), (None, None));
        assert_eq!(reading.settings[0], ("workload.request_rate".to_owned(), json!("inf")));
        assert_eq!((reading.offered_qps, reading.times), (None, TimestampOrigin::Told));
        assert!(!format!("{reading:?}").contains("secret"));
    }

    #[test]
    fn a_result_without_details_is_refused_with_the_flag_that_gives_them() {
        let faults = file(r#"{"completed": 3, "duration": 2.5, "mean_ttft_ms": 7.0}"#).unwrap_err();
        assert!(faults.len() == 1 && faults[0].contains("`--save-result --save-detailed`"), "{faults:?}");
    }

    #[test]
    fn an_older_file_without_send_times_says_so() {
        let older = FILE.replace(r#""start_times": [7000.5, 7000.0, 0.0],"#, "").replace("\"inf\"", "2.5");
        let reading = file(&older).unwrap();
        assert_eq!(
            (reading.times, reading.lacks.as_slice(), reading.offered_qps),
            (TimestampOrigin::LaidOut, [NO_START_TIMES].as_slice(), Some(2.5))
        );
        assert!(reading.records.iter().all(|record| record.sent_us == Micros::ZERO));
    }

    #[test]
    fn lists_of_other_lengths_and_times_below_zero_are_faults_together() {
        let faults = file(&FILE.replace("[4, 1, 0]", "[4, 1]").replace("0.25", "-0.25")).unwrap_err();
        assert_eq!(faults, ["`output_lens` has 2 elements and `ttfts` 3: one a request", "`ttfts[1]` is below 0: a time is not"]);
    }
}
