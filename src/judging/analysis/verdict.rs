//! Whether a cell fulfils a goal: by the plain value, and as far as the sample can tell.
//!
//! `p95 <= L` says that at most 5 % of requests lie beyond L, so it is a statement on a share, and proven or disproven as one at 95 %, with
//! as many rows as the rows of sessions are worth.
//! An error rate and a goodput are shares already. A mean is judged by its bootstrap, a throughput by its blocks of time. That nothing at all lies beyond a limit (`max <= L`) no
//! sample can prove, and one request disproves. In: a goal and rows. Out: a [`GoalJudgement`]. Knows no cells.

use super::estimate::{MeasureSample, estimate_sample};
use super::interval::{CONFIDENCE, MOST_ROWS, ShareVerdict, clustered_rows_needed, rows_needed};
use super::settling::statement;
use super::{AnalysisError, RequestTable};
use crate::analysis::summary::{GoalJudgement, GoalVerdict, VoidReason};
use crate::vocabulary::goal::{Aggregate, ComparisonOperator, Goal};

impl GoalVerdict {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missed => "missed",
            Self::Undecided => "undecided",
        }
    }

    /// Of several goals: missed where one is, met where all are.
    #[must_use]
    pub fn all(verdicts: impl IntoIterator<Item = Self>) -> Self {
        verdicts.into_iter().fold(Self::Met, |all, next| match (all, next) {
            (Self::Missed, _) | (_, Self::Missed) => Self::Missed,
            (Self::Undecided, _) | (_, Self::Undecided) => Self::Undecided,
            (Self::Met, Self::Met) => Self::Met,
        })
    }
}

impl From<ShareVerdict> for GoalVerdict {
    fn from(statement: ShareVerdict) -> Self {
        match statement {
            ShareVerdict::Proven => Self::Met,
            ShareVerdict::Disproven => Self::Missed,
            ShareVerdict::Open => Self::Undecided,
        }
    }
}

impl VoidReason {
    /// As it stands in a list of cells.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::ClientLimited => "the client was the limit",
            Self::HeldBack => "answers came whole",
            Self::MergedReads => "events came together",
            Self::ShortAnswers => "answers were too short",
        }
    }
}

impl GoalJudgement {
    /// Whether the goal is fulfilled by its plain value; `None` where the cell was ended before that was certain.
    #[must_use]
    pub fn outcome(&self) -> Option<bool> {
        (!self.is_open).then_some(self.passes)
    }

    /// No longer speaks for itself.
    pub(super) fn make_void(&mut self, reason: VoidReason) {
        self.verdict = GoalVerdict::Undecided;
        self.rows_needed = None;
        self.void.get_or_insert(reason);
    }
}

/// What a goal says of single values: so many may be against it.
enum GoalCriterion {
    /// At most this share.
    Share(f64),
    /// Not one.
    None,
    /// Not all: one value that fits is enough.
    NotAll,
    /// It speaks of the mean.
    Mean,
    /// It speaks of what goes through a second.
    Rate,
}

fn claim(goal: &Goal) -> GoalCriterion {
    use ComparisonOperator::{Less, LessOrEqual};
    let upper = matches!(goal.comparison, Less | LessOrEqual);
    match goal.measure.aggregate {
        Aggregate::Percentile(p, _) => GoalCriterion::Share(if upper { (100.0 - p) / 100.0 } else { p / 100.0 }),
        Aggregate::ErrorRate | Aggregate::Goodput(_) => GoalCriterion::Share(goal.share_against().unwrap_or_default()),
        Aggregate::Throughput(..) => GoalCriterion::Rate,
        Aggregate::Max(_) if upper => GoalCriterion::None,
        Aggregate::Min(_) if !upper => GoalCriterion::None,
        Aggregate::Max(_) | Aggregate::Min(_) => GoalCriterion::NotAll,
        Aggregate::Mean(_) => GoalCriterion::Mean,
    }
}

/// Judges the measured rows of a cell by a goal.
pub fn judge(goal: &Goal, table: &RequestTable) -> Result<GoalJudgement, AnalysisError> {
    let sample = MeasureSample::of(&goal.measure, table)?;
    let estimate = estimate_sample(&goal.measure, &sample);
    let passes = estimate.value.is_some_and(|value| goal.allows(value.get()));
    let mut judgement = GoalJudgement {
        goal: goal.clone(),
        limit: goal.limit,
        estimate,
        passes,
        is_open: false,
        verdict: GoalVerdict::Undecided,
        void: None,
        allowed_share: None,
        beyond: None,
        rows_needed: None,
    };
    if sample.n == 0 {
        return Ok(judgement);
    }
    match claim(goal) {
        GoalCriterion::Share(allowed) => judge_share(&mut judgement, goal, &sample, allowed),
        GoalCriterion::None => {
            judgement.verdict = if passes { GoalVerdict::Undecided } else { GoalVerdict::Missed };
            judgement.allowed_share = Some(0.0);
        }
        GoalCriterion::NotAll => judgement.verdict = if passes { GoalVerdict::Met } else { GoalVerdict::Undecided },
        GoalCriterion::Mean => judgement.verdict = judge_mean(goal, &sample),
        GoalCriterion::Rate => judge_rate(&mut judgement, goal, &sample),
    }
    Ok(judgement)
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "row counts are far below 2^53")]
fn judge_share(judgement: &mut GoalJudgement, goal: &Goal, sample: &MeasureSample, allowed: f64) {
    let (beyond, values) = match goal.measure.aggregate {
        Aggregate::ErrorRate => (sample.hits, sample.n),
        Aggregate::Goodput(_) => (sample.n - sample.hits, sample.n),
        _ => (sample.sessions.values().iter().filter(|value| !goal.allows(**value)).count() as u64, sample.sessions.values().len() as u64),
    };
    let hits = beyond as f64 * sample.effective_n as f64 / values.max(1) as f64;
    // An error rate that must be high is the opposite claim, and so is a goodput that must be low.
    let is_opposite = goal.measure.is_share() && !goal.limits_as_usual();
    let statement = statement(beyond, values, sample.effective_n, allowed);
    let statement = if is_opposite { statement.opposite() } else { statement };
    judgement.verdict = statement.into();
    judgement.allowed_share = Some(allowed);
    judgement.beyond = Some(beyond);
    if statement == ShareVerdict::Open {
        judgement.rows_needed = if sample.effective_n == sample.n {
            rows_needed(hits.ceil() as u64, sample.n, allowed, CONFIDENCE)
        } else {
            clustered_rows_needed(beyond as f64 / values.max(1) as f64, sample.n, sample.effective_n, allowed, CONFIDENCE)
        };
    }
}

/// By the one-sided ends of the rate; as many requests more would settle it as the nearer end lacks of the limit.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "row counts, at most 100,000")]
fn judge_rate(judgement: &mut GoalJudgement, goal: &Goal, sample: &MeasureSample) {
    let doubt = 1.0 - CONFIDENCE;
    let Some((low, high)) = sample.rate.and_then(|rate| rate.ends(doubt)) else { return };
    judgement.verdict = match (goal.allows(low), goal.allows(high)) {
        (true, true) => GoalVerdict::Met,
        (false, false) => GoalVerdict::Missed,
        _ => GoalVerdict::Undecided,
    };
    if judgement.verdict == GoalVerdict::Undecided {
        let times = sample.rate.and_then(|rate| rate.times_needed(goal.limit, doubt));
        let rows = times.map(|times| (sample.n as f64 * times).ceil()).filter(|rows| *rows <= MOST_ROWS as f64);
        judgement.rows_needed = rows.map(|rows| (rows as u64).max(sample.n + 1));
    }
}

fn judge_mean(goal: &Goal, sample: &MeasureSample) -> GoalVerdict {
    // One failed request makes the mean infinite, in the sample as in the population.
    if sample.sessions.values().iter().any(|value| value.is_infinite()) {
        return if goal.allows(f64::INFINITY) { GoalVerdict::Met } else { GoalVerdict::Missed };
    }
    let Some(means) = sample.bootstrap() else { return GoalVerdict::Undecided };
    let (low, high) = (means.quantile(1.0 - CONFIDENCE), means.quantile(CONFIDENCE));
    match (goal.allows(low), goal.allows(high)) {
        (true, true) => GoalVerdict::Met,
        (false, false) => GoalVerdict::Missed,
        _ => GoalVerdict::Undecided,
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{answered, failed, table, table_of_ttfts};
    use super::*;
    use crate::records::record::FailureKind;

    const INFINITE: f64 = f64::INFINITY;

    fn judged(goal: &str, table: &RequestTable) -> GoalJudgement {
        judge(&goal.parse().unwrap(), table).unwrap()
    }

    /// `beyond` requests of `n` take 3 s, the others 1 s.
    fn rows(n: usize, beyond: usize) -> RequestTable {
        table_of_ttfts((0..n).map(|i| if i < beyond { 3.0 } else { 1.0 }))
    }

    #[test]
    fn thirty_six_good_rows_pass_and_certify_nothing() {
        let judgement = judged("p95(ttft where turn >= 1) <= 2s", &rows(36, 0));
        assert!(judgement.passes);
        assert_eq!((judgement.verdict, judgement.beyond, judgement.rows_needed), (GoalVerdict::Undecided, Some(0), Some(59)));
        assert_eq!(judgement.estimate.high, None);
    }

    #[test]
    fn fifty_nine_good_rows_certify_a_p95_and_fifty_eight_do_not() {
        assert_eq!(judged("p95(ttft) <= 2s", &rows(59, 0)).verdict, GoalVerdict::Met);
        assert_eq!(judged("p95(ttft) <= 2s", &rows(58, 0)).verdict, GoalVerdict::Undecided);
        assert_eq!(judged("p95(ttft) <= 2s", &rows(9, 3)).verdict, GoalVerdict::Missed);
        assert_eq!(judged("p95(ttft) <= 2s", &rows(9, 1)).verdict, GoalVerdict::Undecided);
    }

    #[test]
    fn the_limit_itself_is_inside() {
        assert_eq!(judged("p95(ttft) <= 1s", &rows(59, 0)).verdict, GoalVerdict::Met);
        assert!(judged("p95(ttft) <= 1s", &rows(59, 0)).passes);
        let strict = judged("p95(ttft) < 1s", &rows(59, 0));
        assert_eq!((strict.passes, strict.verdict), (false, GoalVerdict::Missed));
    }

    #[test]
    fn failures_count_against_a_limit_of_time() {
        let judgement = judged("p95(ttft) <= 2s", &table_of_ttfts([1.0, 1.0, 1.0, INFINITE, INFINITE, INFINITE]));
        assert_eq!(judgement.estimate.value.map(super::super::ExtendedReal::get), Some(INFINITE));
        assert_eq!((judgement.passes, judgement.verdict, judgement.beyond), (false, GoalVerdict::Missed, Some(3)));
    }

    #[test]
    fn requests_that_fail_together_say_less_than_those_that_fail_evenly() {
        let evenly = table_of_ttfts((0..100).map(|i| if i % 5 == 2 { INFINITE } else { 1.0 }));
        let together = table_of_ttfts((0..100).map(|i| if i < 20 { INFINITE } else { 1.0 }));
        assert_eq!(judged("p95(ttft) <= 2s", &evenly).verdict, GoalVerdict::Missed);
        assert_eq!(judged("p95(ttft) <= 2s", &together).verdict, GoalVerdict::Undecided);
        assert_eq!(
            (judged("p95(ttft) <= 2s", &evenly).estimate.effective_n, judged("p95(ttft) <= 2s", &together).estimate.effective_n),
            (100, 4)
        );
    }

    #[test]
    fn rates_of_tokens_are_judged_from_below() {
        // 4 tokens in 1.02 s, or none at all.
        let good = table_of_ttfts([1.0; 100]);
        assert_eq!(judged("p5(output_tps) >= 2 tokens/s", &good).verdict, GoalVerdict::Met);
        assert_eq!(judged("p5(output_tps) >= 5 tokens/s", &good).verdict, GoalVerdict::Missed);
        let failing = table_of_ttfts((0..100).map(|i| if i % 5 == 2 { INFINITE } else { 1.0 }));
        assert_eq!(judged("p5(output_tps) >= 2 tokens/s", &failing).verdict, GoalVerdict::Missed);
    }

    #[test]
    fn an_error_rate_is_proven_by_enough_requests_only() {
        // Failures that come evenly.
        let with = |n: usize, failures: usize| {
            table_of_ttfts((0..n).map(move |i| if failures > 0 && i % (n / failures) == 3 { INFINITE } else { 1.0 }))
        };
        assert_eq!(judged("error_rate <= 1%", &with(298, 0)).verdict, GoalVerdict::Undecided);
        assert_eq!(judged("error_rate <= 1%", &with(299, 0)).verdict, GoalVerdict::Met);
        assert_eq!(judged("error_rate <= 1%", &with(40, 4)).verdict, GoalVerdict::Missed);
        assert_eq!(judged("error_rate >= 1%", &with(40, 4)).verdict, GoalVerdict::Met);
        assert!((judged("error_rate <= 1%", &with(40, 4)).estimate.value.unwrap().get() - 0.1).abs() < 1e-15);
    }

    #[test]
    fn nobody_can_prove_a_maximum_but_one_request_disproves_it() {
        assert_eq!(judged("max(ttft) <= 2s", &rows(5000, 0)).verdict, GoalVerdict::Undecided);
        assert_eq!(judged("max(ttft) <= 2s", &rows(50, 1)).verdict, GoalVerdict::Missed);
        assert_eq!(judged("min(ttft) <= 1s", &rows(5, 0)).verdict, GoalVerdict::Met);
        assert_eq!(judged("min(ttft) >= 2s", &rows(5, 0)).verdict, GoalVerdict::Missed);
    }

    #[test]
    fn a_mean_needs_sessions_and_no_failure() {
        let spread = |n: u32| table_of_ttfts((0..n).map(|i| 1.0 + f64::from(i % 10) / 10.0));
        assert_eq!(judged("mean(ttft) <= 2s", &spread(10)).verdict, GoalVerdict::Undecided);
        assert_eq!(judged("mean(ttft) <= 2s", &spread(100)).verdict, GoalVerdict::Met);
        assert_eq!(judged("mean(ttft) <= 1.2s", &spread(100)).verdict, GoalVerdict::Missed);
        assert_eq!(judged("mean(ttft) <= 1.46s", &spread(100)).verdict, GoalVerdict::Undecided);
        assert_eq!(judged("mean(ttft) <= 2s", &table_of_ttfts([1.0, INFINITE])).verdict, GoalVerdict::Missed);
    }

    #[test]
    fn gaps_of_one_request_do_not_stand_for_many_requests() {
        // 40 requests with two gaps each: 80 gaps would certify a p95, 40 requests do not.
        let records: Vec<_> = (0..40).map(|session| answered(session, 1, 0.5)).collect();
        let judgement = judged("p95(itl) <= 20ms", &table(&records));
        assert_eq!((judgement.estimate.n, judgement.verdict), (40, GoalVerdict::Undecided));
        let mut records: Vec<_> = (0..60).map(|session| answered(session, 1, 0.5)).collect();
        assert_eq!(judged("p95(itl) <= 20ms", &table(&records)).verdict, GoalVerdict::Met);
        for session in (0..60).step_by(3) {
            records[session] = failed(session as u64, 1, FailureKind::TimeoutIdle);
        }
        assert_eq!(judged("p95(itl) <= 20ms", &table(&records)).verdict, GoalVerdict::Missed);
    }

    #[test]
    fn where_no_request_fits_nothing_passes_and_nothing_is_decided() {
        let judgement = judged("p95(ttft where turn >= 9) <= 2s", &rows(60, 0));
        assert_eq!((judgement.passes, judgement.verdict, judgement.estimate.value), (false, GoalVerdict::Undecided, None));
        let judgement = judged("error_rate(where turn >= 9) <= 2%", &rows(60, 0));
        assert_eq!((judgement.passes, judgement.verdict, judgement.estimate.n), (false, GoalVerdict::Undecided, 0));
    }
}
