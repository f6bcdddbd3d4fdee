//! What the rows alone say of the sessions of a cell: how many tokens they keep alive, how much of what they sent again came from a
//! cache, and how many requests were in flight. Rows in, figures out; knows no server's metrics but the hits that stand in for rows.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;

use super::AnalysisError;
use super::columns::{NumericColumn, RequestColumns};
use super::number_column::{NumberColumn, NumberColumnBuilder};
use super::session_rows::SessionRows;
use super::watched::RunServerFigures;
use crate::analysis::summary::SessionFigures;
use crate::foundation::clock::Micros;
use crate::records::store::SavedRun;

/// How rows tell what came from a cache.
const BY_ROWS: &str = "cached_tokens";

/// One run's sums.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct RunSessionSums {
    resident: Option<f64>,
    /// Of measured follow-ups that tell their cached tokens: sent before, and of these reused.
    told: f64,
    reused: f64,
    /// Of all follow-ups of all phases.
    sent_before: f64,
    in_flight: f64,
    measured: f64,
}

/// What requests tell, as far as it matters here, by row.
struct SessionColumns<'a> {
    columns: &'a RequestColumns,
    turn: Rc<NumberColumn>,
    sent: Rc<NumberColumn>,
    done: Rc<NumberColumn>,
    prompt: Rc<NumberColumn>,
    cached: Rc<NumberColumn>,
    output: Rc<NumberColumn>,
    in_flight: Rc<NumberColumn>,
}

/// Of each session of a run: its first request, the end of its last, in microseconds, and its longest prompt and answer where it tells.
#[derive(Debug)]
struct SessionLifetimes {
    begins: NumberColumnBuilder,
    ends: NumberColumnBuilder,
    tokens: NumberColumnBuilder,
}

impl SessionFigures {
    /// Pools the runs of a cell; `columns` and `watched` hold their rows and their samples' figures in the same order.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sums of token counts are far below 2^53")]
    pub(super) fn of(runs: &[&SavedRun], columns: &RequestColumns, watched: &[RunServerFigures]) -> Result<Self, AnalysisError> {
        let of_run = |(run, saved): (usize, &&SavedRun)| {
            let shared = saved.record.header.work().shared_tokens;
            columns.alone(run)?.map_or_else(|| run_sessions(columns, run, shared), |alone| run_sessions(&alone, 0, shared))
        };
        let each = runs.iter().enumerate().map(of_run);
        let each: Vec<RunSessionSums> = each.collect::<Result<_, _>>()?;
        let sum = |get: fn(&RunSessionSums) -> f64| each.iter().map(get).sum::<f64>();
        // Stamps that are only laid out, as those of imported files without send times, do not tell what was alive at one time.
        let timed = runs.iter().any(|run| run.record.counts.measured_window_us > Micros::ZERO);
        let (told, measured) = (sum(|run| run.told), sum(|run| run.measured));
        let (sent_before, reused, by) = if told > 0.0 {
            (told, Some(sum(|run| run.reused) / told), Some(BY_ROWS.to_owned()))
        } else {
            let by_counters = reused_by_counters(runs, &each, watched);
            (sum(|run| run.sent_before), by_counters.map(|(share, _)| share), by_counters.map(|(_, by)| by.to_owned()))
        };
        Ok(Self {
            resident_tokens: each
                .iter()
                .filter_map(|run| run.resident.filter(|_| timed))
                .max_by(f64::total_cmp)
                .map(|tokens| tokens as u64),
            sent_before_tokens: (sent_before > 0.0).then_some(sent_before as u64),
            reused,
            reused_by: by,
            in_flight_mean: (measured > 0.0 && timed).then(|| sum(|run| run.in_flight) / measured),
        })
    }
}

/// For answers that do not tell their cached tokens: the server's own count of hits, over what follow-ups had sent before. Only where
/// sessions share no head, since a counter does not say whose hits it counts.
fn reused_by_counters(runs: &[&SavedRun], each: &[RunSessionSums], watched: &[RunServerFigures]) -> Option<(f64, &'static str)> {
    let known = || {
        let all = runs.iter().zip(each).zip(watched);
        all.filter(|((run, _), _)| run.record.header.work().shared_tokens <= 0.0)
            .filter_map(|((_, rows), run)| Some((rows, run.prompt.as_ref()?)))
    };
    let sent_before: f64 = known().map(|(rows, _)| rows.sent_before).sum();
    let hits: f64 = known().map(|(_, prompt)| prompt.device + prompt.external).sum();
    let by = known().next()?.1.by;
    (sent_before > 0.0).then(|| ((hits / sent_before).min(1.0), by))
}

impl<'a> SessionColumns<'a> {
    fn of(columns: &'a RequestColumns) -> Result<Self, AnalysisError> {
        Ok(Self {
            columns,
            turn: columns.number(NumericColumn::Turn)?,
            sent: columns.number(NumericColumn::Sent)?,
            done: columns.number(NumericColumn::Done)?,
            prompt: columns.number(NumericColumn::PromptTokens)?,
            cached: columns.number(NumericColumn::CachedTokens)?,
            output: columns.number(NumericColumn::OutputTokens)?,
            in_flight: columns.number(NumericColumn::InFlight)?,
        })
    }
}

fn run_sessions(columns: &RequestColumns, run: usize, shared: f64) -> Result<RunSessionSums, AnalysisError> {
    let (mut sums, mut lives) = (RunSessionSums::default(), SessionLifetimes::for_rows(columns.of_run(run).len()));
    let mut grouped = SessionRows::default();
    let sessions = columns.number(NumericColumn::Session)?;
    grouped.add(columns.of_run(run), &sessions);
    drop(sessions);
    let told = SessionColumns::of(columns)?;
    let mut rows = Vec::new();
    for session in grouped.iter() {
        rows.clear();
        rows.extend(session.iter().map(|row| *row as usize));
        rows.sort_by(|left, right| told.sent.of(*left).total_cmp(&told.sent.of(*right)));
        add_reuse(&mut sums, &told, &rows, shared);
        lives.add(&told, &rows);
    }
    drop((told, grouped));
    sums.resident = lives.resident(shared);
    Ok(sums)
}

fn add_reuse(sums: &mut RunSessionSums, told: &SessionColumns<'_>, rows: &[usize], shared: f64) {
    let mut longest: Option<f64> = None;
    for row in rows.iter().copied() {
        let measured = told.columns.is_measured(row);
        if measured {
            sums.in_flight += told.in_flight.of(row);
            sums.measured += 1.0;
        }
        let prompt = told.prompt.of(row);
        if prompt.is_nan() {
            continue;
        }
        if let Some(before) = longest.filter(|_| told.turn.of(row) >= 1.0) {
            let own = (before.min(prompt) - shared).max(0.0);
            sums.sent_before += own;
            let cached = told.cached.of(row);
            if measured && !cached.is_nan() {
                sums.told += own;
                sums.reused += (cached - shared).clamp(0.0, own);
            }
        }
        longest = Some(longest.map_or(prompt, |before| before.max(prompt)));
    }
}

impl SessionLifetimes {
    fn for_rows(rows: usize) -> Self {
        let column = || NumberColumnBuilder::for_rows(rows);
        Self { begins: column(), ends: column(), tokens: column() }
    }

    /// Adds a session, whose rows come in the order in which they were sent.
    #[expect(clippy::cast_possible_truncation, reason = "stamps and token counts are far below 2^53")]
    fn add(&mut self, told: &SessionColumns<'_>, rows: &[usize]) {
        let answer = |row: usize| Some(told.output.of(row)).filter(|output| !output.is_nan()).unwrap_or(0.0);
        let end = rows.iter().map(|row| told.done.of(*row)).max_by(f64::total_cmp);
        let (Some(first), Some(end)) = (rows.first(), end) else { return };
        let sizes = rows.iter().map(|row| told.prompt.of(*row) + answer(*row)).filter(|size| !size.is_nan());
        self.begins.push(Some(told.sent.of(*first) as i64));
        self.ends.push(Some(end as i64));
        self.tokens.push(sizes.max_by(f64::total_cmp).map(|tokens| tokens as i64));
    }

    /// The largest sum over the sessions alive at one time. A session lives from its first request to the end of its last; one that never
    /// told its length counts as the others do on average.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "row numbers fit into 32 bits, and stamps are above 0"
    )]
    fn resident(self, shared: f64) -> Option<f64> {
        let (begins, ends, tokens) = (self.begins.finish(), self.ends.finish(), self.tokens.finish());
        let own = |tokens: f64| (tokens - shared).max(0.0);
        let known = tokens.iter().filter(|tokens| !tokens.is_nan()).map(own);
        let (sum, count) = known.fold((0.0, 0_usize), |(sum, count), size| (sum + size, count + 1));
        let mean = sum / count.max(1) as f64;
        let mut by_begin: Vec<u32> = (0..begins.rows() as u32).collect();
        by_begin.sort_by(|left, right| begins.of(*left as usize).total_cmp(&begins.of(*right as usize)));
        // Those alive: when they end, and the bits of their size.
        let mut alive: BinaryHeap<Reverse<(u64, u64)>> = BinaryHeap::new();
        let (mut tokens_alive, mut most) = (0.0, 0.0_f64);
        for session in by_begin.into_iter().map(|session| session as usize) {
            let (begin, end) = (begins.of(session), ends.of(session));
            // Ends before beginnings, where both fall together.
            while let Some(Reverse((_, size))) = alive.peek().filter(|Reverse((end, _))| *end as f64 <= begin) {
                tokens_alive -= f64::from_bits(*size);
                alive.pop();
            }
            if end > begin {
                let size = Some(tokens.of(session)).filter(|tokens| !tokens.is_nan()).map_or(mean, own);
                tokens_alive += size;
                alive.push(Reverse((end as u64, size.to_bits())));
            }
            most = most.max(tokens_alive);
        }
        (count > 0).then(|| (most + shared).round())
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{answered, cell, failed, samples, sweep};
    use super::*;
    use crate::records::record::{FailureKind, RequestRecord};

    fn figures(records: Vec<RequestRecord>, watched: &RunServerFigures) -> SessionFigures {
        let saved = sweep(&[], &[cell("vllm", 1, 1, records)]);
        let columns = RequestColumns::read(saved.runs.iter().map(|run| &run.requests)).unwrap();
        SessionFigures::of(&saved.runs.iter().collect::<Vec<_>>(), &columns, std::slice::from_ref(watched)).unwrap()
    }

    /// A prompt of so many tokens, of which so many were cached.
    fn turn(session: u64, turn: u32, prompt: u64, cached: Option<u64>) -> RequestRecord {
        RequestRecord { prompt_tokens: Some(prompt), cached_tokens: cached, ..answered(session, turn, 0.5) }
    }

    #[test]
    fn what_is_sent_again_counts_and_what_is_new_does_not() {
        // 1,000 are sent, then again with 50 new ones: 960 cached are 96 % of what could be; then 1,050 again, of which none is.
        let records = vec![turn(0, 0, 1000, Some(0)), turn(0, 1, 1050, Some(960)), turn(0, 2, 1100, Some(0))];
        let figures = figures(records, &RunServerFigures::default());
        assert_eq!(figures.sent_before_tokens, Some(2050));
        assert_eq!(figures.reused, Some(960.0 / 2050.0));
        assert_eq!(figures.reused_by.as_deref(), Some("cached_tokens"));
    }

    #[test]
    fn a_prompt_is_never_reused_beyond_what_was_sent_before() {
        let figures = figures(vec![turn(0, 0, 1000, Some(0)), turn(0, 1, 1050, Some(1040))], &RunServerFigures::default());
        assert_eq!(figures.reused, Some(1.0));
    }

    #[test]
    fn sessions_alive_at_once_are_added_up_and_those_after_them_are_not() {
        // Each is alive for half a second from its number on; 0 and 1 overlap by being sent a second time.
        let mut records = vec![turn(0, 0, 1000, None), turn(1, 0, 500, None), turn(7, 0, 1200, None)];
        records.push(RequestRecord { sent_us: crate::foundation::clock::Micros(1_200_000), ..turn(0, 1, 1100, None) });
        let figures = figures(records, &RunServerFigures::default());
        assert_eq!(figures.resident_tokens, Some(1104 + 504));
        assert_eq!(figures.reused, None, "nobody told");
    }

    #[test]
    fn a_session_that_never_told_its_length_counts_as_the_others_do() {
        let overlapping = |record: RequestRecord| RequestRecord { sent_us: crate::foundation::clock::Micros(0), ..record };
        let records = [turn(0, 0, 1000, None), turn(1, 0, 2000, None), failed(2, 0, FailureKind::TimeoutTotal)];
        let figures = figures(records.map(overlapping).to_vec(), &RunServerFigures::default());
        assert_eq!(figures.resident_tokens, Some(1004 + 2004 + 1504));
        let nothing = self::figures(vec![failed(0, 0, FailureKind::Connect)], &RunServerFigures::default());
        assert_eq!((nothing.resident_tokens, nothing.in_flight_mean), (None, Some(1.0)));
    }

    #[test]
    fn a_system_prompt_that_all_share_is_no_reuse_of_a_session() {
        let mut saved = sweep(&[], &[cell("vllm", 1, 1, vec![turn(0, 0, 1000, Some(400)), turn(0, 1, 1100, Some(400))])]);
        saved.runs[0].record.header.cell = serde_json::json!({"workload": {"kind": "chat", "system_prompt_tokens": 400}}).into();
        let columns = RequestColumns::read([&saved.runs[0].requests]).unwrap();
        let figures = SessionFigures::of(&[&saved.runs[0]], &columns, &[RunServerFigures::default()]).unwrap();
        assert_eq!((figures.reused, figures.sent_before_tokens), (Some(0.0), Some(600)));
    }

    #[test]
    fn a_server_s_counters_stand_in_for_answers_that_do_not_tell() {
        let name = "vllm:prompt_tokens_by_source_total";
        let page = |compute, device| [(name, "{source=\"local_compute\"}", compute), (name, "{source=\"local_cache_hit\"}", device)];
        let watched = RunServerFigures::of(&samples(&[(0, &page(0.0, 0.0)), (9, &page(1150.0, 900.0))]), 8.0);
        let figures = figures(vec![turn(0, 0, 1000, None), turn(0, 1, 1050, None)], &watched);
        assert_eq!((figures.reused, figures.reused_by.as_deref()), (Some(0.9), Some(name)));
    }
}
