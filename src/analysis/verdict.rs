//! Whether a cell fulfils a goal: by the plain value, and as far as the sample can tell.
//!
//! `p95 <= L` says that at most 5 % of requests lie beyond L, so it is a statement on a share, and proven or disproven as one at 95 %.
//! An error rate is a share already. A mean is judged by its bootstrap. That nothing at all lies beyond a limit (`max <= L`) no
//! sample can prove, and one request disproves. In: a goal and rows. Out: a [`Judgement`]. Knows no cells.

use serde::{Deserialize, Serialize};

use super::estimate::{Sample, estimate_sample};
use super::interval::{CONFIDENCE, Statement, rows_needed, share_at_most};
use super::{AnalysisError, Estimate, Table};
use crate::goal::{Aggregate, Comparison, Goal};

/// Whether a goal holds, as far as the sample can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Met,
    Missed,
    /// The interval straddles the limit; mostly the sample is too small.
    Undecided,
}

impl Verdict {
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

impl From<Statement> for Verdict {
    fn from(statement: Statement) -> Self {
        match statement {
            Statement::Proven => Self::Met,
            Statement::Disproven => Self::Missed,
            Statement::Open => Self::Undecided,
        }
    }
}

/// What a cell says to a goal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    pub goal: String,
    /// In the measure's unit.
    pub limit: f64,
    #[serde(flatten)]
    pub estimate: Estimate,
    /// Whether the value itself fits the limit, however surely: what the published scores go by.
    pub passes: bool,
    pub verdict: Verdict,
    /// The share of requests that may lie beyond the limit, and how many do. Missing for means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_share: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beyond: Option<u64>,
    /// How many requests would settle an undecided goal if the share beyond the limit stayed as it is; missing where none or more than
    /// 100,000 would.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_needed: Option<u64>,
}

/// What a goal says of single values: so many may be against it.
enum Claim {
    /// At most this share.
    Share(f64),
    /// Not one.
    None,
    /// Not all: one value that fits is enough.
    NotAll,
    /// It speaks of the mean.
    Mean,
}

fn claim(goal: &Goal) -> Claim {
    use Comparison::{Less, LessOrEqual};
    let upper = matches!(goal.comparison, Less | LessOrEqual);
    match goal.measure.aggregate {
        Aggregate::Percentile(p, _) => Claim::Share(if upper { (100.0 - p) / 100.0 } else { p / 100.0 }),
        Aggregate::ErrorRate => Claim::Share(goal.limit),
        Aggregate::Max(_) if upper => Claim::None,
        Aggregate::Min(_) if !upper => Claim::None,
        Aggregate::Max(_) | Aggregate::Min(_) => Claim::NotAll,
        Aggregate::Mean(_) => Claim::Mean,
    }
}

/// Judges the measured rows of a cell by a goal.
pub fn judge(goal: &Goal, table: &Table) -> Result<Judgement, AnalysisError> {
    let sample = Sample::of(&goal.measure, table)?;
    let estimate = estimate_sample(&goal.measure, &sample)?;
    let passes = estimate.value.is_some_and(|value| goal.allows(value.get()));
    let mut judgement = Judgement {
        goal: goal.to_string(),
        limit: goal.limit,
        estimate,
        passes,
        verdict: Verdict::Undecided,
        allowed_share: None,
        beyond: None,
        rows_needed: None,
    };
    if sample.n == 0 {
        return Ok(judgement);
    }
    match claim(goal) {
        Claim::Share(allowed) => judge_share(&mut judgement, goal, &sample, allowed),
        Claim::None => {
            judgement.verdict = if passes { Verdict::Undecided } else { Verdict::Missed };
            judgement.allowed_share = Some(0.0);
        }
        Claim::NotAll => judgement.verdict = if passes { Verdict::Met } else { Verdict::Undecided },
        Claim::Mean => judgement.verdict = judge_mean(goal, &sample)?,
    }
    Ok(judgement)
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "row counts are far below 2^53")]
fn judge_share(judgement: &mut Judgement, goal: &Goal, sample: &Sample, allowed: f64) {
    let (beyond, values) = if goal.measure.aggregate == Aggregate::ErrorRate {
        (sample.failed, sample.n)
    } else {
        (sample.values.iter().filter(|value| !goal.allows(**value)).count() as u64, sample.values.len() as u64)
    };
    // Where a request brings many values, shares are those of values, and n counts requests: rounded against what is to be shown.
    let requests = beyond as f64 * sample.n as f64 / values.max(1) as f64;
    let (fewest, most) = (requests.floor() as u64, requests.ceil() as u64);
    // An error rate that must be high is the opposite claim.
    let at_least =
        goal.measure.aggregate == Aggregate::ErrorRate && matches!(goal.comparison, Comparison::Greater | Comparison::GreaterOrEqual);
    let proven = share_at_most(most, sample.n, allowed, CONFIDENCE);
    let disproven = share_at_most(fewest, sample.n, allowed, CONFIDENCE);
    let statement = match (proven, disproven) {
        (Statement::Proven, _) if at_least => Statement::Disproven,
        (_, Statement::Disproven) if at_least => Statement::Proven,
        (Statement::Proven, _) => Statement::Proven,
        (_, Statement::Disproven) => Statement::Disproven,
        _ => Statement::Open,
    };
    judgement.verdict = statement.into();
    judgement.allowed_share = Some(allowed);
    judgement.beyond = Some(beyond);
    if statement == Statement::Open {
        judgement.rows_needed = rows_needed(most, sample.n, allowed, CONFIDENCE);
    }
}

fn judge_mean(goal: &Goal, sample: &Sample) -> Result<Verdict, AnalysisError> {
    let Some(metric) = goal.measure.metric() else { return Ok(Verdict::Undecided) };
    // One failed request makes the mean infinite, in the sample as in the population.
    if sample.values.iter().any(|value| value.is_infinite()) {
        return Ok(if goal.allows(f64::INFINITY) { Verdict::Met } else { Verdict::Missed });
    }
    let Some(means) = sample.bootstrap(metric)? else { return Ok(Verdict::Undecided) };
    let (low, high) = (means.quantile(1.0 - CONFIDENCE), means.quantile(CONFIDENCE));
    Ok(match (goal.allows(low), goal.allows(high)) {
        (true, true) => Verdict::Met,
        (false, false) => Verdict::Missed,
        _ => Verdict::Undecided,
    })
}
