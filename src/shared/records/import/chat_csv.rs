//! CSV of chats at a target rate: of the original generator, and `summary.csv` of our own. The rate is no column of either: it is taken
//! from a file name such as `x_qps_2.00.csv`, else each file is a cell of its own.
//!
//! A table of percentiles a cell, as tables are published, is refused: no request can be made of it, so nothing can be said of it for sure.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::SourceProgram;
use super::csv_table::{CsvRow, CsvTable, head};
use super::reading::{ImportFile, ParsedRun, TimestampOrigin};
use super::row::{answer, failure, first_token, no_token, unanswered, wall_clock};
use crate::foundation::clock::Micros;
use crate::records::record::{RequestPhase, RequestRecord, TokenSource};

const GENERATOR: [&str; 5] = ["user_id", "question_id", "ttft", "launch_time", "finish_time"];
const SUMMARY: [&str; 8] = ["request_id", "user_id", "turn", "phase", "intended_s", "sent_s", "first_token_s", "done_s"];

pub(super) const GENERATOR_LACKS: &[&str] = &[
    "requests that failed are not in the file where the generator ended with them; when each was due is not known",
    "warm-up is not told apart: every request is taken as measured",
    "gaps between tokens are not known, nor which prompt tokens came from a cache",
    "the seed and the prompts are not known; whether caches were empty at the start is not known",
    "nothing tells how late the client sent, or how busy it was",
];

pub(super) const SUMMARY_LACKS: &[&str] = &[
    "gaps between tokens are not known one by one",
    "the seed, the model and the prompts are not known; whether caches were empty at the start is not known",
    "nothing tells how busy the client was",
];

/// Which CSV this is, or what was looked for.
pub(super) fn program(text: &str) -> Result<SourceProgram, String> {
    let head = head(text);
    let has = |columns: &[&str]| columns.iter().all(|column| head.contains(column));
    if has(&SUMMARY) {
        Ok(SourceProgram::ChatSummary)
    } else if has(&GENERATOR) {
        Ok(SourceProgram::ChatGenerator)
    } else if has(&["concurrent", "sequential"]) && head.iter().any(|column| column.starts_with("ttft")) {
        Err("is a table of percentiles, a value a cell: it tells neither how many requests are behind each nor any of them, so no verdict \
             can be had; import the files of the single runs that it was made from"
            .to_owned())
    } else if head.first() == Some(&"Metric") {
        Err("is AIPerf's summary (`profile_export_aiperf.csv`): averages and percentiles, and no request; import its records, \
             `profile_export.jsonl`, beside it"
            .to_owned())
    } else {
        Err(format!(
            "is a file of no known program: looked for JSON (the C×S script, `vllm bench serve` and others: docs/results-format.md), and for CSV with \
             the columns `{}` (the chat generator) or `{}` (`summary.csv` of a chat run)",
            GENERATOR.join("`, `"),
            SUMMARY.join("`, `")
        ))
    }
}

/// A run of the original generator; its stamps are seconds of the wall clock.
pub(super) fn read_generator(source: &ImportFile) -> Result<ParsedRun, Vec<String>> {
    let table = table(source)?;
    let launched: Vec<f64> = all(&table, |row| row.needed_seconds("launch_time"))?;
    let start = launched.iter().copied().fold(f64::INFINITY, f64::min);
    let mut users = UserNumbers::default();
    let records = all(&table, |row| {
        let sent = Micros::from_secs_f64(row.needed_seconds("launch_time")? - start);
        let turn = row.count("question_id")?.ok_or_else(|| row.fault("question_id", "is empty"))?.saturating_sub(1);
        let mut record = unanswered(users.number(row)?, small(turn), sent);
        record.done_us = Micros::from_secs_f64(row.needed_seconds("finish_time")? - start).max(sent);
        tokens(&mut record, row, "generation_tokens")?;
        match first_token(row.seconds("ttft")?) {
            None => record.failure = Some(no_token()),
            Some(ttft) => {
                let rest = (record.done_us.since(sent).as_secs_f64() - ttft).max(0.0);
                answer(&mut record, ttft, row.seconds("generation_time")?.unwrap_or(rest));
            }
        }
        Ok(record)
    })?;
    Ok(ParsedRun { started_at: wall_clock(start), ..reading(source, records) })
}

/// A run of ours; its stamps are seconds from the run's start.
pub(super) fn read_summary(source: &ImportFile) -> Result<ParsedRun, Vec<String>> {
    let table = table(source)?;
    let mut users = UserNumbers::default();
    let records = all(&table, |row| {
        let at = |column: &str| row.needed_seconds(column).map(Micros::from_secs_f64);
        let turn = row.count("turn")?.ok_or_else(|| row.fault("turn", "is empty"))?;
        let mut record = unanswered(users.number(row)?, small(turn), at("sent_s")?);
        record.intended_us = at("intended_s")?;
        record.done_us = at("done_s")?.max(record.sent_us);
        record.phase = [RequestPhase::Prefill, RequestPhase::Warmup, RequestPhase::Measure]
            .into_iter()
            .find(|phase| row.text("phase") == Some(phase.name()))
            .ok_or_else(|| row.fault("phase", "is none of `prefill`, `warmup`, `measure`"))?;
        tokens(&mut record, row, "generated_tokens")?;
        record.cached_tokens = row.count("cached_tokens")?;
        match (row.text("failure"), row.seconds("first_token_s")?.map(Micros::from_secs_f64)) {
            (Some(said), _) => record.failure = Some(failure(said)),
            (None, None) => record.failure = Some(no_token()),
            (None, Some(first)) => {
                record.first_token_us = Some(first);
                record.last_token_us = Some(last_token(&record, first, row.seconds("tpot_s")?));
            }
        }
        Ok(record)
    })?;
    let simulated = table.rows().any(|row| row.text("simulated") == Some("true"));
    Ok(ParsedRun { simulated, ..reading(source, records) })
}

/// The end of the answer by its time per output token; the request's end where that is not told.
#[expect(clippy::cast_precision_loss, reason = "token counts are far below 2^53")]
fn last_token(record: &RequestRecord, first: Micros, tpot_s: Option<f64>) -> Micros {
    let span = tpot_s.zip(record.output_tokens).map(|(tpot, tokens)| tpot * tokens.saturating_sub(1) as f64);
    span.map_or(record.done_us, |span| (first + Micros::from_secs_f64(span)).min(record.done_us))
}

fn table(source: &ImportFile) -> Result<CsvTable<'_>, Vec<String>> {
    let table = CsvTable::read(&source.text).map_err(|fault| vec![fault])?;
    if table.is_empty() { Err(vec!["has no row below its head".to_owned()]) } else { Ok(table) }
}

/// Every row by the same rule, or the first few faults.
fn all<T>(table: &CsvTable<'_>, mut of: impl FnMut(&CsvRow<'_>) -> Result<T, String>) -> Result<Vec<T>, Vec<String>> {
    let (mut read, mut faults) = (Vec::new(), Vec::new());
    for row in table.rows() {
        match of(&row) {
            Ok(value) => read.push(value),
            Err(fault) => faults.push(fault),
        }
    }
    faults.truncate(5);
    if faults.is_empty() { Ok(read) } else { Err(faults) }
}

/// Users by whatever the file calls them, numbered as they first appear.
#[derive(Default)]
struct UserNumbers(BTreeMap<String, u64>);

impl UserNumbers {
    fn number(&mut self, row: &CsvRow<'_>) -> Result<u64, String> {
        let name = row.text("user_id").ok_or_else(|| row.fault("user_id", "is empty"))?;
        let next = self.0.len() as u64;
        Ok(*self.0.entry(name.to_owned()).or_insert(next))
    }
}

fn tokens(record: &mut RequestRecord, row: &CsvRow<'_>, output: &str) -> Result<(), String> {
    record.prompt_tokens = row.count("prompt_tokens")?;
    record.output_tokens = row.count(output)?;
    if record.prompt_tokens.is_some() || record.output_tokens.is_some() {
        record.token_source = TokenSource::Usage;
    }
    Ok(())
}

fn small(turn: u64) -> u32 {
    u32::try_from(turn).unwrap_or(u32::MAX)
}

fn reading(source: &ImportFile, records: Vec<RequestRecord>) -> ParsedRun {
    let setting = match rate(&source.stem) {
        Some(qps) => ("workload.qps".to_owned(), qps),
        None => ("file".to_owned(), json!(source.stem)),
    };
    ParsedRun { settings: vec![setting], workload: json!({ "kind": "chat" }), ..ParsedRun::of_requests(TimestampOrigin::Told, records) }
}

/// The rate that a file's name tells: `2.00` of `final_qps_2.00`.
fn rate(stem: &str) -> Option<Value> {
    let rest = &stem[stem.find("qps")? + "qps".len()..];
    let rest = rest.trim_start_matches(['_', '-', '=']);
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let rate: f64 = rest.get(..end)?.trim_end_matches('.').parse().ok()?;
    Some(json!(rate))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::record::FailureKind;

    fn source(stem: &str, text: &str) -> ImportFile {
        ImportFile { name: format!("{stem}.csv"), stem: stem.into(), variant: "v".into(), text: text.into() }
    }

    #[test]
    fn the_generators_wall_clock_becomes_the_runs_own() {
        let text = "prompt_tokens,generation_tokens,ttft,generation_time,user_id,question_id,launch_time,finish_time,output\n\
                    2000,20,0.25,1.0,4,1,1760000010.5,1760000011.75,\"secret, words\"\n\
                    2100,20,0.5,1.0,9,3,1760000010.0,1760000011.5,\n\
                    2100,0,0.0,0.0,9,4,1760000012.0,1760000013.0,\n";
        assert_eq!(program(text), Ok(SourceProgram::ChatGenerator));
        let reading = read_generator(&source("stack_qps0.5", text)).unwrap();
        assert_eq!(reading.started_at.unwrap().to_string(), "2025-10-09T08:53:30Z");
        assert_eq!(reading.settings, [("workload.qps".to_owned(), json!(0.5))]);
        let [first, second, third] = reading.records.as_slice() else { panic!() };
        assert_eq!((first.session, first.turn, first.sent_us, first.ttft_s()), (0, 0, Micros(500_000), Some(0.25)));
        assert_eq!((first.last_token_us, first.done_us), (Some(Micros(1_750_000)), Micros(1_750_000)));
        assert_eq!((second.session, second.turn, second.sent_us, second.output_tokens), (1, 2, Micros(0), Some(20)));
        assert_eq!(third.failure.as_ref().map(|failure| failure.kind), Some(FailureKind::NoToken));
        assert!(!format!("{reading:?}").contains("secret"));
    }

    #[test]
    fn a_table_of_percentiles_is_refused_with_its_reason() {
        let fault = program(include_str!("../../../../tests/fixtures/published/vllm.csv")).unwrap_err();
        assert!(fault.contains("how many requests are behind each") && fault.contains("the files of the single runs"), "{fault}");
        assert!(program("a,b\n1,2\n").unwrap_err().contains("`launch_time`"));
    }

    #[test]
    fn rows_that_cannot_be_read_are_named_together() {
        let text = "user_id,question_id,ttft,launch_time,finish_time\n1,1,0.5,x,2\n1,2,0.5,,3\n";
        let faults = read_generator(&source("a", text)).unwrap_err();
        assert_eq!(faults, ["row 1: `launch_time` is no time in seconds", "row 2: `launch_time` is empty"]);
        assert_eq!(read_generator(&source("a", text.lines().next().unwrap())).unwrap_err(), ["has no row below its head"]);
    }

    #[test]
    fn times_that_no_run_can_take_and_counts_that_cannot_be_saved_are_absurd() {
        let of = |row: &str| {
            let text = format!("user_id,question_id,ttft,launch_time,finish_time,prompt_tokens\n1,1,0.5,0,2,9\n{row}\n");
            read_generator(&source("a", &text)).unwrap().absurdities()
        };
        assert_eq!(of("1,2,0.5,3,4,9"), Vec::<String>::new());
        for late in ["1,2,1e300,3,4,9", "1,2,0.5,3e10,4,9", "1,2,0.5,3,1e308,9"] {
            assert!(of(late).concat().starts_with("tells of 1 requests that end more than 1e10 s after"), "{late}: {:?}", of(late));
        }
    }

    #[test]
    fn a_rate_is_read_from_a_name_and_from_nothing_else() {
        assert_eq!(rate("realtime_stats_qps_2.00"), Some(json!(2.0)));
        assert_eq!(rate("stack_qps0.1"), Some(json!(0.1)));
        assert_eq!((rate("summary"), rate("qps_unknown")), (None, None));
    }
}
